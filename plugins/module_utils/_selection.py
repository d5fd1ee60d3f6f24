# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which projects are to be copied under which names, and which of these wishes are refused. Pure functions."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from uuid import UUID

from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import folded, our_name
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project


@dataclass(frozen=True)
class Wanted:
    """One copy that was asked for: ``source`` (a project, or what is known of it) under ``name``.

    ``refusal`` says why it cannot be, or is None.
    """

    name: str
    source: Project
    refusal: str | None = None

    @property
    def label(self) -> str:
        """How messages call this copy."""
        original = self.source.get("name") or self.source.get("id") or self.name
        return f"project {original!r}" if original == self.name else f"project {original!r} (as {self.name!r})"


def check_id(text: str, option: str) -> str:
    """An id in the service's spelling; CustomVisionError where it is none."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise CustomVisionError(
            f"{option} is {text!r}, which is not an id: give one such as "
            "bc3f7dad-5544-468c-8573-3ef04d55463e, or give the name instead"
        ) from None


def failed_source(project: Project) -> str:
    """Why a project cannot be copied whose own import failed."""
    return f"at the source it is itself an import that failed (id {project['id']}): import it there again"


def wanted_entries(entries: list[dict[str, t.Any]], source: list[Project]) -> list[Wanted]:
    """The copies that ``projects`` asks for, in its order."""
    return [_wanted_entry(entry, source) for entry in entries]


def unseen_entries(entries: list[dict[str, t.Any]]) -> list[Wanted]:
    """The same where the source could not be looked at: what is known is what was given."""
    return [
        Wanted(
            next(text for text in (entry["destination_name"], entry["name"], entry["id"]) if text is not None),
            {key: entry[key] for key in ("id", "name")},
        )
        for entry in entries
    ]


def wanted_matches(patterns: list[str], source: list[Project]) -> list[Wanted]:
    """The copies that ``match`` asks for, in the source's order; a pattern that finds nothing is refused.

    Names of our own patterns are passed over: the source may itself be a destination of promotions.
    """
    candidates = [project for project in source if our_name(project["name"]) is None]
    found = [
        _unique(Wanted(project["name"], project), source)
        for project in candidates
        if any(fnmatchcase(project["name"], pattern) for pattern in patterns)
    ]
    in_vain = [
        Wanted(pattern, {}, "the source has no project whose name matches this")
        for pattern in patterns
        if not any(fnmatchcase(project["name"], pattern) for project in candidates)
    ]
    return found + in_vain


def refuse(wanted: list[Wanted], destination: list[Project], same_resource: bool) -> list[Wanted]:
    """The same copies, those that cannot be with their refusal filled in."""
    asked_for = Counter(folded(copy.name) for copy in wanted)
    present = {project["id"] for project in destination}
    refused = []
    for copy in wanted:
        reason = copy.refusal or (
            "another of the wanted copies would get the same name: give each a destination_name of its own"
            if asked_for[folded(copy.name)] > 1
            else _refusal(copy, destination, same_resource or copy.source["id"] in present)
        )
        refused.append(replace(copy, refusal=reason))
    return refused


def _wanted_entry(entry: dict[str, t.Any], source: list[Project]) -> Wanted:
    if entry.get("id") is not None:
        project_id = check_id(entry["id"], "projects: id")
        found = [project for project in source if project["id"] == project_id]
        asked = {"id": project_id}
    else:
        found = [project for project in source if project["name"] == entry["name"]]
        asked = {"name": entry["name"]}
    name = entry.get("destination_name")
    if not found:
        (what, value), = asked.items()
        refusal = f"the source has no project of this {what}: list them with cvops.custom_vision.cv_project_info"
        return Wanted(value if name is None else name, asked, refusal)
    copy = Wanted(found[0]["name"] if name is None else name, found[0])
    return copy if "id" in asked else _unique(copy, source)


def _unique(copy: Wanted, source: list[Project]) -> Wanted:
    ids = [project["id"] for project in source if project["name"] == copy.source["name"]]
    if len(ids) == 1:
        return copy
    return replace(
        copy,
        refusal=f"the source has {len(ids)} projects of this name: "
        f"give one of their ids: {', '.join(ids)}",
    )


def _refusal(copy: Wanted, destination: list[Project], same_resource: bool) -> str | None:
    """Why one copy cannot be, or None."""
    if not copy.name.strip():
        return "its destination_name is empty: give a name, or leave the option out"
    if our_name(copy.name) is not None:
        return (
            "its destination name is of a pattern that this collection keeps for "
            "copies that wait, failed or were set aside: give another destination_name"
        )
    if same_resource and copy.name == copy.source["name"]:
        return "source and destination are the same resource: give a destination_name"
    for other in (project["name"] for project in destination):
        if other != copy.name and folded(other) == folded(copy.name):
            return (
                f"the destination has {other!r}, which differs from {copy.name!r} only by case or "
                "by spaces at its ends: rename one of them, or give another destination_name"
            )
    if copy.source.get("status") == "Failed":
        return failed_source(copy.source)
    return None
