# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cv_iteration_publish does: finds a project and its iteration, and has the publish name brought there."""

from __future__ import annotations

import typing as t

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import parse_time
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._information import snake_cased
from ansible_collections.cvops.custom_vision.plugins.module_utils._publishing import (
    Wanted,
    carry_out,
    check_resource_id,
    foresee,
    names_given_up,
    plan,
    publications,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import check_id
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Iteration

_LIST_PROJECTS = "list the projects with cvops.custom_vision.cv_project_info"
_LIST_ITERATIONS = "list its iterations with cvops.custom_vision.cv_project_info and gather=iterations"


def check_options(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The module's own options in the service's spelling; CustomVisionError where one is wrong."""
    for option in ("publish_name", "project_name", "iteration_name"):
        if params[option] is not None and not params[option].strip():
            raise CustomVisionError(f"{option} is given but empty: fill it in, or leave it out")
    given = {option: params[option] for option in ("project_id", "iteration_id") if params[option] is not None}
    ids = {option: check_id(text, option) for option, text in given.items()}
    return {**params, **ids, "prediction_resource_id": _resource_id(params)}


def bring_about(client: Client, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Publishes or unpublishes by ``check_options``; the module's result, with ``warnings``."""
    project_id = options["project_id"] or _find_project(client, options["project_name"])
    before = client.get_iterations(project_id)
    if options["state"] == "present":
        iteration = _choose(before, options["iteration_id"], options["iteration_name"])
    else:
        asked_for = _asked_for(before, options["iteration_id"], options["iteration_name"])
        iteration = next((each for each in asked_for if each.get("publishName") == options["publish_name"]), None)
    wanted = _wanted(options, iteration)
    steps = plan(wanted, before)
    after = foresee(wanted, before, steps) if check_mode else carry_out(client, project_id, wanted, before)
    return {
        "changed": bool(steps) if check_mode else client.may_have_written,
        "iteration": next((snake_cased(each) for each in after if iteration and each["id"] == iteration["id"]), None),
        "diff": {"before": publications(before), "after": publications(after)},
        "warnings": [_warning(name, before, check_mode) for name in names_given_up(wanted, before, steps)],
    }


def _resource_id(params: dict[str, t.Any]) -> str:
    """The resource to publish at; empty for absent, which needs none."""
    if params["state"] == "absent":
        return ""
    if params["prediction_resource_id"] is None:
        raise CustomVisionError(
            "prediction_resource_id is missing: give the whole id of the resource that is to answer predictions, "
            "or set VISION_PREDICTION_RESOURCE_ID"
        )
    return check_resource_id(params["prediction_resource_id"], "prediction_resource_id")


def _find_project(client: Client, name: str) -> str:
    ids = [project["id"] for project in client.get_projects() if project["name"] == name]
    if not ids:
        raise CustomVisionError(f"there is no project named {name!r}: {_LIST_PROJECTS}")
    if len(ids) > 1:
        raise CustomVisionError(f"{len(ids)} projects are named {name!r}: give project_id, one of {', '.join(ids)}")
    return ids[0]


def _choose(iterations: list[Iteration], iteration_id: str | None, name: str | None) -> Iteration:
    """The iteration to publish: the one asked for, or else the newest trained one."""
    if iteration_id is None and name is None:
        return _newest(iterations)
    asked = f"of the id {iteration_id}" if name is None else f"named {name!r}"
    found = _asked_for(iterations, iteration_id, name)
    if not found:
        raise CustomVisionError(f"the project has no iteration {asked}: {_LIST_ITERATIONS}")
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise CustomVisionError(f"{len(found)} iterations of the project are {asked}: give iteration_id, one of {ids}")
    status = found[0].get("status")
    if status != "Completed":
        raise CustomVisionError(
            f"the iteration {asked} is {status}, and only a Completed one can be published: wait for its training "
            "to end, or choose another"
        )
    return found[0]


def _newest(iterations: list[Iteration]) -> Iteration:
    trained = [each for each in iterations if each.get("status") == "Completed" and each.get("trainedAt")]
    if not trained:
        raise CustomVisionError("the project has no trained iteration that could be published: train it first")
    try:
        return max(trained, key=lambda iteration: parse_time(iteration["trainedAt"]))
    except (TypeError, ValueError) as error:
        raise CustomVisionError(f"the resource's answer is not understood: {error}") from error


def _asked_for(iterations: list[Iteration], iteration_id: str | None, name: str | None) -> list[Iteration]:
    return [
        each
        for each in iterations
        if (iteration_id is None or each["id"] == iteration_id) and (name is None or each["name"] == name)
    ]


def _wanted(options: dict[str, t.Any], iteration: Iteration | None) -> Wanted:
    if options["state"] == "present" and iteration is not None:
        return Wanted({options["publish_name"]: iteration["id"]}, options["prediction_resource_id"])
    return Wanted({} if iteration is None else {options["publish_name"]: None})


def _warning(name: str, iterations: list[Iteration], check_mode: bool) -> str:
    bearer = next(each["name"] for each in iterations if each.get("publishName") == name)
    gone = "Nothing would be" if check_mode else "Nothing is"
    return (
        f"{gone} published as {name!r} any more: it was the publish name of {bearer!r}, and an iteration can "
        "have only one at a time."
    )
