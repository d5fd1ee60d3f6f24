# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do next about one copy, by what the destination has. Pure functions.

The same table answers for a copy that has not begun, for one in the middle, and for one that an
earlier run left behind; so a run that died is finished by the next.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import parse_time
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import (
    FAILED,
    INCOMING,
    SUPERSEDED,
    WITHDRAWN,
    our_name,
    parse_stamp,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project


# The export that an import reads from is gone after 24 hours, so an older import never ends; two
# were seen still importing after 51 days (azure-docs#67964).
EXPORT_LIFETIME = timedelta(hours=24)

KEEP = "keep"  # what has the name is good enough
STAY = "stay"  # what equals the source was rolled back on purpose
COMPARE = "compare"  # whether a project equals the source decides what comes next
WAIT = "wait"  # the project that has the name is being imported
IMPORT = "import"  # nothing is there to go on with
AWAIT = "await"  # an incoming copy is being imported
VERIFY = "verify"  # an incoming copy is finished
REJECT = "reject"  # an incoming copy is of no use: it failed, is stuck, or differs from the source
TAKE = "take"  # an incoming copy is proven: whoever has the name yields, and it takes the name


class Step(t.NamedTuple):
    """``project`` is the one that the step is about; ``holder`` the one that has the name and must yield."""

    kind: str
    project: Project | None = None
    holder: Project | None = None


def next_step(
    name: str,
    projects: list[Project],
    now: datetime,
    proven: t.Collection[str] = (),
    unfit: t.Collection[str] = (),
    latest: bool = False,
) -> Step:
    """The step that brings ``name`` nearer to being a whole copy, with ``latest`` one that equals the source.

    ``projects`` is the destination's list, ``now`` its time; ``proven`` and ``unfit`` are the ids of
    projects that were compared with the source. CustomVisionError where several have the name.
    """
    holder = _holder(name, projects)
    if holder is not None and is_finished(holder):
        if not latest or holder["id"] in proven:
            return Step(KEEP, holder)
        if holder["id"] not in unfit:
            return Step(COMPARE, holder)
    elif holder is not None and not is_hopeless(holder, now):
        return Step(WAIT, holder)
    rolled_back = _rolled_back(name, projects, unfit) if latest else None
    if rolled_back is not None:
        return Step(STAY if rolled_back["id"] in proven else COMPARE, rolled_back, holder)
    candidate = _best(incoming_copies(name, projects), now, proven, unfit)
    if candidate is None:
        return Step(IMPORT, None, holder)
    return Step(_incoming_step(candidate, now, proven, unfit), candidate, holder)


def leftovers(
    name: str, projects: list[Project], now: datetime, runs: t.Collection[str], not_needed: t.Collection[str] = ()
) -> list[Project]:
    """What may be deleted once ``name`` is whole.

    Incoming copies of the name are: those of these ``runs`` in any state; another run's if they are hopeless, arrived
    a day ago, or were found to be ``not_needed`` (ids). Of failed copies the newest is kept for a look.
    """
    superfluous = [
        project
        for project in incoming_copies(name, projects)
        if _parts(project).run in runs
        or project["id"] in not_needed
        or is_hopeless(project, now)
        or (is_finished(project) and _is_old(project, now))
    ]
    return superfluous + _by_stamp(_of_kind(name, FAILED, projects))[1:]


def arrived_copies(name: str, projects: list[Project], now: datetime, runs: t.Collection[str]) -> list[Project]:
    """Incoming copies of other runs than these that may be about to take ``name``: whole, and less than a day old."""
    return [
        project
        for project in incoming_copies(name, projects)
        if _parts(project).run not in runs and is_finished(project) and not _is_old(project, now)
    ]


def outdated(name: str, projects: list[Project], retain: int) -> list[Project]:
    """What may be deleted besides, once a new copy has ``name``.

    That is all but the newest ``retain`` superseded copies and all but the newest that was rolled back.
    """
    superseded = _by_stamp(_of_kind(name, SUPERSEDED, projects))
    return superseded[retain:] + _by_stamp(_of_kind(name, WITHDRAWN, projects))[1:]


def incoming_copies(name: str, projects: list[Project]) -> list[Project]:
    return _of_kind(name, INCOMING, projects)


def of_run(run: str, projects: list[Project]) -> list[Project]:
    """What was imported under this run's mark, with or without the service's ``(1)``."""
    return [project for project in projects if (ours := our_name(project["name"])) is not None and ours.run == run]


def is_finished(project: Project) -> bool:
    """Imported whole, or never imported: the answer then may lack the status (OpenAPI file, examples)."""
    return project.get("status") in (None, "Succeeded")


def is_hopeless(project: Project, now: datetime) -> bool:
    """Failed, or importing for longer than an import can take."""
    return project.get("status") == "Failed" or not is_finished(project) and _age(project, now) >= EXPORT_LIFETIME


def _holder(name: str, projects: list[Project]) -> Project | None:
    holders = [project for project in projects if project["name"] == name]
    if len(holders) > 1:
        ids = ", ".join(project["id"] for project in holders)
        raise CustomVisionError(
            f"the destination has {len(holders)} projects of this name: rename or delete all but one of {ids}"
        )
    return holders[0] if holders else None


def _rolled_back(name: str, projects: list[Project], unfit: t.Collection[str]) -> Project | None:
    """The newest copy that was rolled back and may equal the source, or None."""
    withdrawn = _by_stamp(_of_kind(name, WITHDRAWN, projects))
    return next((project for project in withdrawn if is_finished(project) and project["id"] not in unfit), None)


def _incoming_step(candidate: Project, now: datetime, proven: t.Collection[str], unfit: t.Collection[str]) -> str:
    if candidate["id"] in unfit or is_hopeless(candidate, now):
        return REJECT
    if not is_finished(candidate):
        return AWAIT
    return TAKE if candidate["id"] in proven else VERIFY


def _best(
    candidates: list[Project], now: datetime, proven: t.Collection[str], unfit: t.Collection[str]
) -> Project | None:
    """The incoming copy that is furthest on its way: the newest of those that need the fewest steps."""
    order = (TAKE, VERIFY, AWAIT, REJECT)
    ranked = sorted(_by_stamp(candidates), key=lambda project: order.index(_incoming_step(project, now, proven, unfit)))
    return ranked[0] if ranked else None


def _is_old(incoming: Project, now: datetime) -> bool:
    """Whether no run can still be about its import, by the time in its name."""
    return now - parse_stamp(_parts(incoming).stamp) >= EXPORT_LIFETIME


def _age(project: Project, now: datetime) -> timedelta:
    try:
        return now - parse_time(project["created"])
    except (KeyError, TypeError, ValueError):
        return timedelta(0)


def _of_kind(name: str, kind: str, projects: list[Project]) -> list[Project]:
    return [
        project
        for project in projects
        if (ours := our_name(project["name"])) is not None and (ours.name, ours.kind) == (name, kind)
    ]


def _by_stamp(projects: list[Project]) -> list[Project]:
    return sorted(projects, key=lambda project: _parts(project).stamp, reverse=True)


def _parts(project: Project) -> t.Any:
    return our_name(project["name"])
