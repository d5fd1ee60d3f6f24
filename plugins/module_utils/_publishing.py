# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which iterations of a project are published as what: what is to be done about it, and doing it.

An iteration bears one publish name at a time. One that is published gets no other name, nor the same one at
another resource, before it is unpublished; a name of another iteration is taken over with ``overwrite``
(recorded SDK traffic and reports of users; that ``overwrite`` moves a name is the least certain of it).
"""

from __future__ import annotations

import itertools
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import (
    SAME_TRAINING,
    is_published_as,
    parse_time,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Iteration

if t.TYPE_CHECKING:
    from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client

ROUNDS = 3  # of looking, planning and writing: one, one for a surprise, one for a surprise in that

# How the service may refuse a name that is, or an iteration that has become, somebody else's.
_IN_THE_WAY = ("BadRequestInvalidPublishName", "BadRequestIterationIsPublished")

# A truncated one is a BadRequestInvalidPublishTarget, which would come too late where something has to yield first.
_PREDICTION_RESOURCE = re.compile(
    r"/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/Microsoft\.CognitiveServices/accounts/[^/\s]+",
    re.IGNORECASE,
)


class Wanted(t.NamedTuple):
    """What is to be so: each publish name's iteration, by id, or None for a name that nobody is to bear.

    An iteration is in it once at the most. ``resource_id`` is the prediction resource of all of them.
    Names that are not mentioned stay where they are, unless their iteration is to bear another one.
    """

    names: dict[str, str | None]
    resource_id: str = ""


@dataclass(frozen=True)
class Step:
    """One request: the iteration is published under ``name``, or with None unpublished."""

    iteration_id: str
    name: str | None = None
    overwrite: bool = False


def check_resource_id(text: str, option: str) -> str:
    """A prediction resource's ARM id without blanks around it; CustomVisionError where it is no whole one."""
    if not _PREDICTION_RESOURCE.fullmatch(text.strip()):
        raise CustomVisionError(
            f"{option} is {text!r}, which is not the whole id of a prediction resource: give all of /subscriptions/"
            "SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.CognitiveServices/accounts/NAME"
        )
    return text.strip()


def as_at_source(source: list[Iteration], copy: list[Iteration]) -> dict[str, str]:
    """By publish name, the iteration (its id) of a copy that is the one published so at the source.

    A copy's iterations were trained, but for a millisecond, when their originals were.
    CustomVisionError where the copy lacks one.
    """
    try:
        names, twins = {}, _twins(source, copy)
    except ValueError as error:
        raise CustomVisionError(f"an iteration's time of training is not understood: {error}") from error
    for original in source:
        if not original.get("publishName"):
            continue
        if original["id"] not in twins:
            raise CustomVisionError(
                f"iteration {original['name']!r}, published as {original['publishName']!r} at the source, is not in "
                "the copy: bring that up to date with state=latest"
            )
        names[original["publishName"]] = twins[original["id"]]
    return names


def plan(wanted: Wanted, iterations: list[Iteration], overwriting: bool = True) -> list[Step]:
    """What is to be done, in order; nothing where all is as wanted.

    Without ``overwriting`` a name's present bearer is unpublished first, instead of losing it to the other.
    """
    steps: list[Step] = []
    for name, iteration_id in wanted.names.items():
        present = foresee(wanted, iterations, steps)
        steps += _steps_for(name, iteration_id, wanted.resource_id, present, overwriting)
    return steps


def foresee(wanted: Wanted, iterations: list[Iteration], steps: list[Step]) -> list[Iteration]:
    """The iterations as they would be after these steps."""
    for step in steps:
        iterations = [_after(step, wanted.resource_id, iteration) for iteration in iterations]
    return iterations


def names_given_up(wanted: Wanted, iterations: list[Iteration], steps: list[Step]) -> list[str]:
    """The publish names that nobody would bear after these steps, though nobody asked for that."""
    before, after = publications(iterations), publications(foresee(wanted, iterations, steps))
    return [name for name in before if name not in after and name not in wanted.names]


def publications(iterations: list[Iteration]) -> dict[str, dict[str, str | None]]:
    """By publish name: the iteration's id and the prediction resource's."""
    return {
        iteration["publishName"]: {
            "iteration_id": iteration["id"],
            "prediction_resource_id": iteration.get("originalPublishResourceId"),
        }
        for iteration in iterations
        if iteration.get("publishName")
    }


def carry_out(client: "Client", project_id: str, wanted: Wanted, iterations: list[Iteration]) -> list[Iteration]:
    """Brings a project's publish names to what is wanted; gives its iterations as read afterwards.

    ``iterations`` were read before. Where the service surprises, by a refusal or by what is there afterwards,
    the rest is planned anew. Where it refuses for good, what was unpublished to make way is published again.
    """
    freed: list[str] = []
    try:
        return _carry_out(client, project_id, wanted, iterations, freed)
    except CustomVisionError as error:
        told = _put_back(client, project_id, _to_put_back(wanted, iterations, freed))
        if not told:
            raise
        message = f"{str(error).rstrip('.')}. {told}"
        raise CustomVisionError(message, error.code, error.status, error.in_doubt) from error


def _twins(source: list[Iteration], copy: list[Iteration]) -> dict[str, str]:
    """By an original's id, that of the copy's iteration that was trained when it was.

    Either may have been renamed since; the name only decides between several. None is the twin of two.
    """
    trained = [
        [(each, parse_time(each["trainedAt"])) for each in iterations if each.get("trainedAt")]
        for iterations in (source, copy)
    ]
    pairs = sorted(
        (original["name"] != each["name"], abs(then - at), original["id"], each["id"])
        for (original, then), (each, at) in itertools.product(*trained)
        if abs(then - at) < SAME_TRAINING
    )
    twins: dict[str, str] = {}
    for _is_renamed, _apart, original_id, twin_id in pairs:
        if original_id not in twins and twin_id not in twins.values():
            twins[original_id] = twin_id
    return twins


def _steps_for(
    name: str, iteration_id: str | None, resource_id: str, iterations: list[Iteration], overwriting: bool
) -> list[Step]:
    """What one publish name takes."""
    bearers = [each["id"] for each in iterations if each.get("publishName") == name and each["id"] != iteration_id]
    yielding = [Step(bearer) for bearer in bearers]
    chosen = next((each for each in iterations if each["id"] == iteration_id), None)
    if iteration_id is None or (chosen is not None and is_published_as(chosen, name, resource_id)):
        return yielding
    freeing = [Step(iteration_id)] if chosen is not None and chosen.get("publishName") else []
    if not overwriting:
        return [*yielding, *freeing, Step(iteration_id, name)]
    return [*freeing, Step(iteration_id, name, overwrite=bool(bearers))]


def _after(step: Step, resource_id: str, iteration: Iteration) -> Iteration:
    """One iteration after one step; a name that is taken over is not its former bearer's any more."""
    if iteration["id"] == step.iteration_id:
        published_at = None if step.name is None else resource_id
        return {**iteration, "publishName": step.name, "originalPublishResourceId": published_at}
    if step.name is not None and iteration.get("publishName") == step.name:
        return {**iteration, "publishName": None, "originalPublishResourceId": None}
    return iteration


def _carry_out(
    client: "Client", project_id: str, wanted: Wanted, iterations: list[Iteration], freed: list[str]
) -> list[Iteration]:
    """Adds to ``freed`` the ids of the iterations that it unpublishes, or tries to."""
    overwriting, refusal = True, None
    steps = plan(wanted, iterations)
    for _round in range(ROUNDS):
        if not steps:
            break
        refused, refusal = _write(client, project_id, wanted.resource_id, steps, freed)
        overwriting = overwriting and not (refused is not None and refused.overwrite)
        iterations = client.get_iterations(project_id)
        tried, steps = steps, plan(wanted, iterations, overwriting)
        if refusal is not None and steps == tried:
            break  # nobody is in the way: it would be refused again
    if steps:
        raise refusal or CustomVisionError(
            f"project {project_id} does not show what was published, or something else publishes its iterations at "
            "the same time: look at them with cvops.custom_vision.cv_project_info, or run again"
        )
    return iterations


def _write(
    client: "Client", project_id: str, resource_id: str, steps: list[Step], freed: list[str]
) -> tuple[Step | None, CustomVisionError | None]:
    """Carries steps out; the one that was refused because something is in the way, and how."""
    for step in steps:
        try:
            if step.name is None:
                freed.append(step.iteration_id)
                client.unpublish_iteration(project_id, step.iteration_id)
            else:
                client.publish_iteration(project_id, step.iteration_id, step.name, resource_id, step.overwrite)
        except CustomVisionError as error:
            if error.code not in _IN_THE_WAY:
                raise
            return step, error
    return None, None


def _to_put_back(wanted: Wanted, before: list[Iteration], freed: list[str]) -> list[Iteration]:
    """The iterations that were unpublished to make way, as they were; not those whose name nobody is to bear."""
    return [
        each
        for each in before
        if each["id"] in freed and each.get("publishName") and wanted.names.get(each["publishName"], "") is not None
    ]


def _put_back(client: "Client", project_id: str, yielded: list[Iteration]) -> str:
    """Publishes again what made way in vain; a sentence about it, empty where nothing had."""
    if not yielded:
        return ""
    lost = yielded
    try:
        present = client.get_iterations(project_id)
        bare = [each["id"] for each in present if not each.get("publishName")]
        lost = [each for each in yielded if each["id"] in bare and each["publishName"] not in publications(present)]
        for each in lost:
            resource_id = each.get("originalPublishResourceId") or ""
            client.publish_iteration(project_id, each["id"], each["publishName"], resource_id, overwrite=False)
    except CustomVisionError:
        return f"It may be that nothing is published as {_listed(lost)} now: run again once this is mended."
    return f"What had been unpublished to make way is published again: {_listed(lost)}." if lost else ""


def _listed(iterations: list[Iteration]) -> str:
    return ", ".join(repr(each["publishName"]) for each in iterations)
