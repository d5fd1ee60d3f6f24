# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings copies about: one ``Copier`` a copy, all of them at the same time.

A Copier asks ``next_step`` what to do, does it, and asks again, until a whole copy has the name.
"""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.cvops.custom_vision.plugins.module_utils import _names, _steps
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import Content, differences
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._outcome import Outcome
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import Wanted
from ansible_collections.cvops.custom_vision.plugins.module_utils._service import Service

Project = t.Dict[str, t.Any]

AT_ONCE = 100  # copies under way at the same time: as many as a resource holds projects
SETTLING = 60.0  # seconds for which a copy's counts may lag behind its import's end
SURPRISES = 3  # how often another run may get in the way of one copy before it is given up


class Copier:
    """Brings one copy about."""

    def __init__(self, service: Service, wanted: Wanted, projects: list[Project]) -> None:
        self._service = service
        self._wanted = wanted
        self._projects = projects  # the destination's, as this copy last saw or left them
        self._seen_at = time.monotonic()
        self._deadline = service.waiting.deadline()
        self._run = _names.new_run()
        self._imported = False
        self._may_yield: set[str] = set()
        self._yielded = False
        self._source_content: Content | None = None
        self._proven: set[str] = set()
        self._unfit: dict[str, str] = {}  # why an incoming copy is of no use, by its id
        self._surprises = 0
        self._outcome = Outcome(wanted, before=self._related())

    def run(self) -> Outcome:
        try:
            while self._advance():
                pass
        except CustomVisionError as error:
            self._outcome.fail(str(error))
        self._outcome.after = self._related()
        return self._outcome

    def _related(self) -> dict[str, str]:
        """The ids, by name, of what has the wanted name or bears it in a name of ours."""
        return {
            project["name"]: "(new)" if self._service.is_foreseen(project) else project["id"]
            for project in self._projects
            if self._wanted.name in (project["name"], getattr(_names.our_name(project["name"]), "name", None))
        }

    def _show(self, project: Project) -> None:
        """Puts a project of the destination into the result, unless it is only foreseen."""
        self._outcome.destination = None if self._service.is_foreseen(project) else project

    def _next_step(self) -> _steps.Step:
        return _steps.next_step(self._wanted.name, self._projects, self._service.now, self._proven, self._unfit)

    def _advance(self) -> bool:
        """Does the next step; false when there is none left in this run."""
        step = self._next_step()
        if step.kind == _steps.KEEP:
            self._keep(step.project)
            return False
        if step.kind in (_steps.WAIT, _steps.AWAIT) and not self._service.waiting.enabled:
            self._outcome.action = "started"
            self._show(step.project)
            return False
        if step.holder is not None:
            self._refuse_published(step.holder)
        act = {
            _steps.WAIT: self._await,
            _steps.AWAIT: self._await,
            _steps.IMPORT: self._import,
            _steps.VERIFY: self._verify,
            _steps.REJECT: self._reject,
            _steps.TAKE: self._take,
        }[step.kind]
        try:
            act(step)
        except CustomVisionError as error:
            self._meet_surprise(error)
        return True

    def _meet_surprise(self, error: CustomVisionError) -> None:
        """Another run may rename or delete what this one is about; a fresh list tells what to do then."""
        self._surprises += 1
        if error.code not in ("NotFoundProject", "BadRequestProjectNameNotUnique") or self._surprises > SURPRISES:
            raise error
        self._refresh()

    def _refresh(self) -> None:
        self._projects = self._service.projects(time.monotonic())

    def _refuse_published(self, holder: Project) -> None:
        """A project that failed to import yet is published serves somebody: nothing is touched then."""
        if holder["id"] in self._may_yield:
            return
        if self._service.is_published(holder):
            raise CustomVisionError(
                f"what has this name at the destination (id {holder['id']}) is {holder['status']} but has a published "
                "iteration: unpublish it, or rename the project, and run again"
            )
        self._may_yield.add(holder["id"])

    def _await(self, step: _steps.Step) -> None:
        self._service.waiting.check(self._deadline, f"{step.project['name']!r} is still being imported")
        self._projects = self._service.next_look(self._seen_at)
        self._seen_at = time.monotonic()
        self._outcome.action = "waited"

    def _import(self, _step: _steps.Step) -> None:
        if self._imported:
            self._await_appearance()
            return
        name = _names.incoming_name(self._wanted.name, self._service.now, self._run)
        project, self._source_content = self._service.start_import(self._wanted.source, name, self._run)
        self._imported = True
        self._deadline = self._service.waiting.deadline()
        self._seen_at = time.monotonic()
        self._projects = [*self._projects, project]

    def _await_appearance(self) -> None:
        """An import that was accepted may be missing in a list for a moment; longer, and somebody took it away."""
        if time.monotonic() > self._deadline - self._service.waiting.timeout + SETTLING:
            raise CustomVisionError("the import vanished from the destination before it ended: run again for a new one")
        self._projects = self._service.next_look(self._seen_at)
        self._seen_at = time.monotonic()

    def _verify(self, step: _steps.Step) -> None:
        """Compares a finished copy with the source. The list that decides who has the name must be younger."""
        if self._service.is_taken_for_equal(step.project) or self._is_equal(step.project):
            self._proven.add(step.project["id"])
            self._refresh()

    def _is_equal(self, project: Project) -> bool:
        """A difference must last before it counts, as the service's counts may lag behind the import's end."""
        until = min(time.monotonic() + SETTLING, self._deadline)
        before = self._source_content or self._read_source()
        source, copy = before, self._service.copy_content(project["id"])
        while (found := differences(source, copy)) and time.monotonic() < until:
            time.sleep(min(self._service.waiting.longest_interval, max(0.0, until - time.monotonic())))
            source, copy = self._read_source(), self._service.copy_content(project["id"])
        if found:
            moved = " (the source itself has changed in the meantime)" if differences(before, source) else ""
            self._unfit[project["id"]] = f"the copy differs from the source: {'; '.join(found)}{moved}"
            return False
        self._outcome.content, self._outcome.verified = copy, True
        return True

    def _read_source(self) -> Content:
        return self._service.source_content(self._wanted.source["id"])

    def _reject(self, step: _steps.Step) -> None:
        aside = self._rename_aside(step.project)
        if _names.our_name(step.project["name"]).run == self._run:
            reason = self._unfit.get(step.project["id"], "the import ended as Failed; the service tells no reason")
            raise CustomVisionError(f"{reason}. It is kept as {aside!r}: run again for a new import")

    def _take(self, step: _steps.Step) -> None:
        """Two renames, nothing between them."""
        if step.holder is not None:
            self._rename_aside(step.holder)
            self._yielded = True
        renamed = self._rename(step.project, self._wanted.name)
        if renamed["name"] != self._wanted.name:
            self._rename(renamed, step.project["name"])
            raise CustomVisionError(
                f"the destination gave the copy the name {renamed['name']!r}: somebody else took the name meanwhile; "
                "run again"
            )
        self._outcome.action = "replaced" if self._yielded else "copied"

    def _keep(self, project: Project) -> None:
        taken = self._outcome.action in ("copied", "replaced")
        if self._imported and not taken:
            self._outcome.action = "unchanged"
            self._outcome.warn("another run brought the copy about first, so that of this run is not needed")
        if not taken:
            self._outcome.content = self._outcome.verified = None
        self._show(project)
        gone = _steps.leftovers(self._wanted.name, self._projects, self._service.now, self._run, taken)
        for leftover in gone:
            self._delete(leftover)

    def _delete(self, project: Project) -> None:
        """Deletes what is not needed any more; what cannot be deleted is left with a warning."""
        try:
            if self._service.is_published(project):
                self._outcome.warn(f"{project['name']!r} is not needed any more, but left: an iteration is published")
                return
            self._service.delete(project)
        except CustomVisionError as error:
            if error.code != "NotFoundProject":
                self._outcome.warn(f"{project['name']!r} could not be deleted: {error}")
            return
        self._projects = [other for other in self._projects if other["id"] != project["id"]]
        self._outcome.deleted.append(project["name"])

    def _rename_aside(self, project: Project) -> str:
        taken = [other["name"] for other in self._projects]
        aside = _names.aside_name(self._wanted.name, _names.FAILED, self._service.now, taken)
        self._rename(project, aside)
        self._outcome.set_aside.append(aside)
        return aside

    def _rename(self, project: Project, name: str) -> Project:
        renamed = self._service.rename(project, name)
        self._projects = [renamed if other["id"] == project["id"] else other for other in self._projects]
        return renamed


def copy_all(service: Service, wanted: list[Wanted], projects: list[Project]) -> list[Outcome]:
    """Brings all copies about; one's trouble does not hold back the others.

    Where one of them is refused before the start, nothing is begun.
    """
    if any(copy.refusal for copy in wanted):
        return [_not_begun(copy) for copy in wanted]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(lambda copy: Copier(service, copy, projects).run(), wanted))


def _not_begun(wanted: Wanted) -> Outcome:
    outcome = Outcome(wanted)
    outcome.fail(wanted.refusal or "not begun, because another copy was refused")
    return outcome
