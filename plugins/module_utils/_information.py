# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cv_project_info returns of a resource's projects."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project


GATHER = ("iterations", "tags", "counts")

# A signed link, fresh at each call: it would differ in every result, and it is a secret.
_LEFT_OUT = ("thumbnailUri",)
# A map whose keys are data: "horizontal flip".
_DATA = ("augmentationMethods",)


def find_projects(client: Client, name: str | None, project_id: str | None) -> list[Project]:
    """The projects asked for, as the service has them; none where nothing is there."""
    if name is not None and not name.strip():
        raise CustomVisionError("name is given but empty: fill it in, or leave it out")
    if project_id is not None:
        return _project_of_id(client, project_id)
    return [project for project in client.get_projects() if name is None or project["name"] == name]


def describe_all(client: Client, projects: list[Project], gather: t.Collection[str]) -> list[dict[str, t.Any]]:
    """The projects as ``describe`` has each; one that was deleted since it was listed is left out."""
    described = []
    for project in projects:
        try:
            described.append(describe(client, project, gather))
        except CustomVisionError as error:
            if error.code != "NotFoundProject":
                raise
    return described


def describe(client: Client, project: Project, gather: t.Collection[str]) -> dict[str, t.Any]:
    """A project in snake_case, with what is to be gathered of it."""
    facts = snake_cased(project)
    lists = {}
    for name, get in (("iterations", client.get_iterations), ("tags", client.get_tags)):
        if name in gather or "counts" in gather:
            lists[name] = get(project["id"])
        if name in gather:
            facts[name] = snake_cased(lists[name])
    if "counts" in gather:
        facts["counts"] = {name: len(items) for name, items in lists.items()}
        facts["counts"]["tagged_images"] = client.get_tagged_image_count(project["id"])
        facts["counts"]["untagged_images"] = client.get_untagged_image_count(project["id"])
    return facts


def snake_cased(value: t.Any) -> t.Any:
    """The service's JSON with keys in snake_case: ``drModeEnabled`` becomes ``dr_mode_enabled``.

    Ansible's own ``camel_dict_to_snake_dict`` heeds its list of exceptions at the outermost level only.
    """
    if isinstance(value, list):
        return [snake_cased(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower(): item if key in _DATA else snake_cased(item)
        for key, item in value.items()
        if key not in _LEFT_OUT
    }


def _project_of_id(client: Client, project_id: str) -> list[Project]:
    try:
        return [client.get_project(project_id)]
    except CustomVisionError as error:
        if error.code != "NotFoundProject":
            raise
        return []
