# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives a name back to the copy that had it before: a pure plan, and what carries it out.

Renames only. The name of what is set aside tells the next run that this one was here, so a run that
was cut off is finished by the next, and what is finished is not undone by it.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import parse_time
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._information import snake_cased
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import (
    SUPERSEDED,
    WITHDRAWN,
    aside_name,
    folded,
    our_name,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._steps import is_finished, is_hopeless
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project


SURPRISES = 3  # how often somebody else may get in the way before it is given up
OF_A_SURPRISE = ("NotFoundProject", "BadRequestProjectNameNotUnique")


class Plan(t.NamedTuple):
    """``project`` has the name in the end; where ``holder`` has it now, that is renamed to ``aside`` first."""

    project: Project
    holder: Project | None = None
    aside: str = ""
    warning: str | None = None


def check_name(name: str) -> None:
    """CustomVisionError for a name that cannot be gone back to."""
    if not name.strip():
        raise CustomVisionError("name is empty: give the name that the models are promoted under")
    ours = our_name(name)
    if ours is not None:
        raise CustomVisionError(
            f"name is {name!r}, which this collection gave to a copy that waits, failed or was set aside: "
            f"give the name alone, {ours.name!r}"
        )


def plan_rollback(name: str, projects: list[Project], now: datetime) -> Plan:
    """What is to bear ``name``, by a resource's list of projects and its time.

    Where the newest copy that was set aside is a withdrawn one, and somebody has the name, that is as it should
    be. With nobody there a run was cut off between its two renames. CustomVisionError where there is no way back.
    """
    holder = _holder(name, projects)
    superseded, withdrawn = (_newest_first(name, kind, projects) for kind in (SUPERSEDED, WITHDRAWN))
    if holder is not None and withdrawn and _is_as_new(withdrawn[0], superseded[:1]):
        return Plan(holder, warning=_doubt(holder, withdrawn[0]))
    if not superseded:
        raise _no_way_back(name, projects, holder, withdrawn)
    project = superseded[0]
    _refuse(name, projects, project, holder, now)
    if holder is None:
        return Plan(project, warning=_no_mark(superseded, withdrawn))
    # Never earlier than what it gives way to, or the next run would take it for the older one.
    at = max(now, _set_aside_at(project))
    return Plan(project, holder, aside_name(name, WITHDRAWN, at, [other["name"] for other in projects]))


def roll_back(client: Client, name: str, check_mode: bool) -> dict[str, t.Any]:
    """What the module returns; on failure too, with ``failed`` and ``msg``."""
    return Rollback(client, name, check_mode).run()


class Rollback:
    """Carries the plan out; in check mode the same, but in memory alone."""

    def __init__(self, client: Client, name: str, check_mode: bool) -> None:
        self._client = client
        self._name = name
        self._check_mode = check_mode
        self._projects: list[Project] = []  # as this run last saw or left them
        self._surprises = 0
        self._foreseen = False  # whether check mode left something unwritten
        self._plan: Plan | None = None
        self._aside: tuple[str, str] | None = None  # the id and the name of what this run set aside

    def run(self) -> dict[str, t.Any]:
        before: dict[str, str] = {}
        result: dict[str, t.Any] = {"failed": False, "warnings": []}
        try:
            self._projects = self._client.get_projects()
            before = self._related()
            plan = self._go_back()
            result["project"] = snake_cased(_holder(self._name, self._projects))
            result["warnings"] = [f"project {self._name!r}: {plan.warning}."] if plan.warning else []
        except CustomVisionError as error:
            result |= {"failed": True, "msg": f"project {self._name!r}: {str(error).rstrip('.')}.{self._state(error)}"}
        result["changed"] = self._foreseen or self._client.may_have_written
        result["diff"] = {"before": before, "after": self._related()}
        return result

    def _go_back(self) -> Plan:
        """Carries out the plan, and makes a new one where somebody was faster."""
        while True:
            plan = plan_rollback(self._name, self._projects, self._client.now)
            self._refuse_lost_name(plan)
            self._plan = plan
            try:
                self._carry_out(plan)
                return plan
            except CustomVisionError as error:
                self._surprises += 1
                if error.code not in OF_A_SURPRISE or self._surprises > SURPRISES:
                    raise
                self._projects = self._client.get_projects()

    def _carry_out(self, plan: Plan) -> None:
        """Two renames at the most, nothing between them."""
        if plan.holder is not None:
            self._rename(plan.holder, plan.aside)
            self._aside = (plan.holder["id"], plan.aside)
        if plan.project["name"] != self._name:
            self._rename(plan.project, self._name)

    def _rename(self, project: Project, name: str) -> None:
        """The service may give ``NAME (1)`` where a name is taken. The project then gets its own one back."""
        renamed = self._update_one(project, name)
        if renamed["name"] != name:
            self._update_one(renamed, project["name"])
            raise CustomVisionError(
                f"the resource gave project {project['id']} the name {renamed['name']!r}, "
                f"so somebody else has {name!r}: rename that one",
                code="BadRequestProjectNameNotUnique",
            )

    def _update_one(self, project: Project, name: str) -> Project:
        if self._check_mode:
            renamed, self._foreseen = {**project, "name": name}, True
        else:
            renamed = self._client.update_project(project, name)
        self._projects = [renamed if other["id"] == project["id"] else other for other in self._projects]
        return renamed

    def _refuse_lost_name(self, plan: Plan) -> None:
        """What this run set aside makes the next plan content, whoever took the name in between."""
        meant = self._plan and self._plan.project
        if self._aside and meant and plan.project["name"] == self._name and plan.project["id"] != meant["id"]:
            raise CustomVisionError(
                f"somebody else gave the name to project {plan.project['id']} before {meant['name']!r} could have it: "
                "rename by hand to go back all the same"
            )

    def _state(self, error: CustomVisionError) -> str:
        """Where a failure leaves the names, as another sentence; empty where it changed nothing."""
        if self._aside is not None:
            state = f" Project {self._aside[0]} is set aside as {self._aside[1]!r}"
            if self._related().get(self._name):
                return f"{state}."
            known = "whether another one has its name is not known" if error.in_doubt else "nobody has its name"
            finish = ": run again to finish" if _newest_first(self._name, SUPERSEDED, self._projects) else ""
            return f"{state} and {known}{finish}."
        if error.in_doubt and self._plan is not None:
            return " Whether the project was renamed is not known: run again to finish."
        return ""

    def _related(self) -> dict[str, str]:
        """The ids, by name, of what has the name or was set aside from it by a promotion or a rollback."""
        return {
            project["name"]: project["id"]
            for project in self._projects
            if project["name"] == self._name
            or any(_is_aside(self._name, kind, project) for kind in (SUPERSEDED, WITHDRAWN))
        }


def _holder(name: str, projects: list[Project]) -> Project | None:
    holders = [project for project in projects if project["name"] == name]
    if len(holders) > 1:
        raise CustomVisionError(
            f"there are {len(holders)} projects of this name: rename or delete all but one of {_ids(holders)}"
        )
    return holders[0] if holders else None


def _newest_first(name: str, kind: str, projects: list[Project]) -> list[Project]:
    found = [project for project in projects if _is_aside(name, kind, project)]
    return sorted(found, key=_set_aside_at, reverse=True)


def _is_aside(name: str, kind: str, project: Project) -> bool:
    """Whether it is a copy of ``name`` that was set aside so; digits that are no time were not given by us."""
    ours = our_name(project["name"])
    if ours is None or (ours.name, ours.kind) != (name, kind):
        return False
    try:
        _set_aside_at(project)
    except ValueError:
        return False
    return True


def _set_aside_at(project: Project) -> datetime:
    ours = t.cast(t.Any, our_name(project["name"]))
    return datetime.strptime(ours.stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)


def _is_as_new(withdrawn: Project, superseded: list[Project]) -> bool:
    """Of equal times the withdrawn one counts as newer, so that a run that was faster than a second is not undone."""
    return all(_set_aside_at(withdrawn) >= _set_aside_at(other) for other in superseded)


def _no_way_back(
    name: str, projects: list[Project], holder: Project | None, withdrawn: list[Project]
) -> CustomVisionError:
    if holder is not None:
        return CustomVisionError("there is no superseded copy of it to go back to")
    if withdrawn:
        names = ", ".join(repr(project["name"]) for project in withdrawn)
        return CustomVisionError(
            "no project has this name, and there is no superseded copy to give it to: "
            f"give it by hand to another project, such as {names}"
        )
    _refuse_variant(name, projects)
    return CustomVisionError(
        "there is neither a project of this name nor a superseded copy of it: "
        "list the projects with cvops.custom_vision.cv_project_info"
    )


def _refuse(name: str, projects: list[Project], project: Project, holder: Project | None, now: datetime) -> None:
    """CustomVisionError where the renames cannot, or should not, be begun."""
    namesakes = [other for other in projects if other["name"] == project["name"]]
    if len(namesakes) > 1:
        raise CustomVisionError(
            f"there are {len(namesakes)} projects named {project['name']!r}: rename all but one of {_ids(namesakes)}"
        )
    if not is_finished(project):
        raise CustomVisionError(
            f"its newest superseded copy, {project['name']!r} (id {project['id']}), is {project['status']} "
            "and so not whole: rename or delete it to go back to the one before it"
        )
    if holder is not None and not is_finished(holder) and not is_hopeless(holder, now):
        raise CustomVisionError(
            f"what has the name (id {holder['id']}) is still being imported: run again when that has ended"
        )
    _refuse_variant(name, projects)
    if any(other is not None and other.get("drModeEnabled") for other in (project, holder)):
        raise CustomVisionError(
            "it is read-only for the time being (drModeEnabled, disaster recovery): run again later"
        )


def _refuse_variant(name: str, projects: list[Project]) -> None:
    for other in (project["name"] for project in projects):
        if other != name and folded(other) == folded(name):
            raise CustomVisionError(
                f"there is {other!r}, which differs only by case or by spaces at its ends: "
                "give the name as it is there, or rename that project"
            )


def _no_mark(superseded: list[Project], withdrawn: list[Project]) -> str | None:
    """Where nobody had the name nothing is set aside, and so nothing may tell the next run that it is done."""
    older = superseded[1:2]
    if withdrawn and _is_as_new(withdrawn[0], older):
        return None
    then = f"go back further, to {older[0]['name']!r}" if older else "find nothing to go back to, and fail"
    return (
        "nobody had the name, so nothing was set aside that would tell the next run of this one; "
        f"that would {then}"
    )


def _doubt(holder: Project, withdrawn: Project) -> str | None:
    """A project that is younger than the withdrawal cannot be what was gone back to then."""
    try:
        younger = parse_time(holder["created"]).replace(microsecond=0) > _set_aside_at(withdrawn)
    except (KeyError, TypeError, ValueError):
        return None
    if not younger:
        return None
    return (
        f"nothing is done, because {withdrawn['name']!r} is the newest copy that was set aside; yet what has the name "
        f"(id {holder['id']}) was made after that and is not what was gone back to: rename by hand to go back from it"
    )


def _ids(projects: list[Project]) -> str:
    return ", ".join(project["id"] for project in projects)
