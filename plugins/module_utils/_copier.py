# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings copies about: one ``Copier`` a copy, all of them at the same time.

A Copier asks ``next_step`` what to do, does it, and asks again, until a whole copy has the name.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ansible_collections.cvops.custom_vision.plugins.module_utils import _names, _publishing, _steps
from ansible_collections.cvops.custom_vision.plugins.module_utils._cleanup import Cleanup
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError, Refusal
from ansible_collections.cvops.custom_vision.plugins.module_utils._options import Options
from ansible_collections.cvops.custom_vision.plugins.module_utils._outcome import Outcome
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import Wanted
from ansible_collections.cvops.custom_vision.plugins.module_utils._service import READ_ONLY, Service
from ansible_collections.cvops.custom_vision.plugins.module_utils._steps import is_finished
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Iteration, Project
from ansible_collections.cvops.custom_vision.plugins.module_utils._verifier import SETTLING, Verifier
from ansible_collections.cvops.custom_vision.plugins.module_utils._view import View


AT_ONCE = 100  # copies under way at the same time: as many as a resource holds projects
SURPRISES = 3  # how often another run may get in the way of one copy before it is given up


class Copier:
    """Brings one copy about: first ``look``, which writes nothing, then ``run``."""

    def __init__(self, service: Service, wanted: Wanted, projects: list[Project], options: Options) -> None:
        self._service = service
        self._wanted = wanted
        self._options = options
        self._view = View(service, wanted.name, projects)
        self._verifier = Verifier(service, wanted.source)
        self._outcome = Outcome(wanted, before=self._view.ids)
        self._deadline = service.waiting.deadline()
        self._run = _names.new_run()
        self._runs = {self._run}  # whose imports are ours: this run's, and the one whose copy was taken over
        self._cleanup = Cleanup(service, self._view, self._verifier, self._outcome, options, self._runs)
        self._import_id: str | None = None
        self._imported_at = 0.0
        self._waited_for: set[str] = set()  # ids of what was still importing when first seen
        self._may_yield: set[str] = set()  # ids of what was found to have nothing that its successor lacks
        self._surprises = 0

    def look(self) -> str | None:
        """Compares what the destination has where that decides; why the copy cannot be, or None."""
        try:
            while (step := self._next_step()).kind == _steps.COMPARE:
                try:
                    if not self._verifier.compare(step.project, self._deadline, at_once=True):
                        return None  # it has to be waited for, and the others need not
                    self._view.is_stale = True
                except CustomVisionError as error:
                    self._meet_surprise(error)
            self._refuse(step)
        except Refusal as refusal:
            return str(refusal)
        except CustomVisionError as error:
            self._outcome.fail(str(error))
        return None

    def run(self) -> Outcome:
        try:
            while self._outcome.error is None and self._advance():
                pass
        except CustomVisionError as error:
            self._outcome.fail(str(error))
        self._outcome.after.update(self._view.ids)
        return self._outcome

    def _show(self, project: Project) -> None:
        """Puts a project of the destination into the result, unless it is only foreseen."""
        self._outcome.destination = None if self._service.is_foreseen(project) else project
        self._outcome.content = self._verifier.contents.get(project["id"])
        listed = getattr(self._outcome.content, "listed", None) or []
        self._outcome.published = sorted(_publishing.publications(listed))
        self._outcome.verified = None if self._outcome.content is None else project["id"] in self._verifier.proven

    def _next_step(self) -> _steps.Step:
        known = self._verifier
        return _steps.next_step(
            self._wanted.name, self._view.projects, self._service.now, known.proven, known.unfit, self._options.latest
        )

    def _advance(self) -> bool:
        """Does the next step; false when there is none left in this run."""
        step = self._next_step()
        if self._view.is_stale and (step.kind in (_steps.TAKE, _steps.REJECT) or self._cleanup.doomed(step)):
            self._view.refresh()
            return True
        if step.kind in (_steps.KEEP, _steps.STAY) and self._cleanup.weigh_others():
            return True
        if step.kind == _steps.KEEP:
            self._keep(step)
            return False
        if step.kind == _steps.STAY:
            self._stay(step)
            return False
        if step.kind in (_steps.WAIT, _steps.AWAIT) and not self._service.waiting.enabled:
            self._outcome.action = "started"
            self._show(step.project)
            return False
        self._do(step)
        return True

    def _do(self, step: _steps.Step) -> None:
        act = {
            _steps.COMPARE: self._compare,
            _steps.WAIT: self._await,
            _steps.AWAIT: self._await,
            _steps.IMPORT: self._import,
            _steps.VERIFY: self._verify,
            _steps.REJECT: self._reject,
            _steps.TAKE: self._take,
        }[step.kind]
        try:
            if step.holder is not None and step.kind != _steps.COMPARE:
                self._let_yield(step.holder, is_last_moment=step.kind == _steps.TAKE)
            act(step)
        except CustomVisionError as error:
            self._meet_surprise(error)

    def _meet_surprise(self, error: CustomVisionError) -> None:
        """Another run may rename or delete what this one is about; the next look tells what to do then."""
        self._surprises += 1
        if error.code not in ("NotFoundProject", "BadRequestProjectNameNotUnique") or self._surprises > SURPRISES:
            raise error
        self._view.disregard_older_lists()
        self._view.wait_for_news()

    def _refuse(self, step: _steps.Step) -> None:
        """A Refusal where the copy cannot be, as far as reading tells."""
        if step.kind in (_steps.KEEP, _steps.STAY):
            return
        if any(project.get("drModeEnabled") for project in self._view.projects):
            raise Refusal(READ_ONLY)
        if step.holder is not None and is_finished(step.holder):
            self._let_yield(step.holder)

    def _let_yield(self, holder: Project, is_last_moment: bool = False) -> None:
        """What has the name must not have anything that its successor lacks.

        A project that failed to import yet is published serves somebody: nothing is touched then.
        """
        if holder["id"] in self._may_yield and not is_last_moment:
            return
        if is_finished(holder):
            if self._verifier.would_lose_training(holder):
                raise Refusal(
                    f"the source has no trained iteration, but what it would replace (id {holder['id']}) has one: "
                    "train it first, or give another destination_name"
                )
        elif self._service.is_published(holder):
            raise CustomVisionError(
                f"what has this name at the destination (id {holder['id']}) is {holder['status']} but has a published "
                "iteration: unpublish it, or rename the project, and run again"
            )
        self._may_yield.add(holder["id"])

    def _compare(self, step: _steps.Step) -> None:
        """Compares what may have to yield, or what was rolled back. What was just waited for may not be settled yet."""
        compare = self._verifier.verify if step.project["id"] in self._waited_for else self._verifier.compare
        compare(step.project, self._deadline)
        self._view.is_stale = True

    def _await(self, step: _steps.Step) -> None:
        self._waited_for.add(step.project["id"])
        self._show(step.project)  # the result, should the wait end here
        self._service.waiting.check(self._deadline, f"{step.project['name']!r} is still being imported")
        self._view.wait_for_news()
        self._outcome.action = "waited"

    def _import(self, _step: _steps.Step) -> None:
        if self._import_id is not None:
            self._await_appearance()
            return
        name = _names.incoming_name(self._wanted.name, self._service.now, self._run)
        project, self._verifier.source = self._service.start_import(
            self._wanted.source, name, self._run, self._verifier.source
        )
        self._import_id = project["id"]
        self._deadline = self._service.waiting.deadline()
        self._imported_at = time.monotonic()
        self._view.add(project)

    def _await_appearance(self) -> None:
        """An import that was accepted may be missing in a list for a moment; longer, and somebody took it away."""
        if time.monotonic() > self._imported_at + SETTLING:
            raise CustomVisionError("the import vanished from the destination before it ended: run again for a new one")
        self._view.wait_for_news()

    def _verify(self, step: _steps.Step) -> None:
        """Compares a finished copy with the source."""
        self._verifier.verify(step.project, self._deadline)
        self._view.is_stale = True

    def _reject(self, step: _steps.Step) -> None:
        aside = self._rename_aside(step.project, _names.FAILED)
        if _names.our_name(step.project["name"]).run == self._run:
            self._show({**step.project, "name": aside})
            failure = "the import ended as Failed; the service tells no reason"
            reason = self._verifier.unfit.get(step.project["id"], failure)
            raise CustomVisionError(f"{reason}. It is kept as {aside!r}: run again for a new import")

    def _take(self, step: _steps.Step) -> None:
        """Two renames, nothing between them."""
        if step.holder is not None:
            self._rename_aside(step.holder, _names.SUPERSEDED if is_finished(step.holder) else _names.FAILED)
        try:
            renamed = self._view.rename(step.project, self._wanted.name)
        except CustomVisionError as error:
            raise self._between_renames(error, step) from error
        if renamed["name"] != self._wanted.name:
            self._view.rename(renamed, step.project["name"])
            raise CustomVisionError(
                f"the destination gave the copy the name {renamed['name']!r}, so somebody else has its name",
                code="BadRequestProjectNameNotUnique",
            )
        self._runs.add(_names.our_name(step.project["name"]).run)
        self._outcome.action = "replaced" if self._may_yield else "copied"

    def _between_renames(self, error: CustomVisionError, step: _steps.Step) -> CustomVisionError:
        """The same error, with the state it leaves the names in."""
        if step.holder is None:
            return error
        state = f"What had the name is called {self._outcome.set_aside[-1]!r} now: run again to finish."
        return CustomVisionError(f"{str(error).rstrip('.')}. {state}", error.code, error.status, error.in_doubt)

    def _keep(self, step: _steps.Step) -> None:
        project = step.project
        if self._import_id is not None and self._outcome.action not in ("copied", "replaced"):
            self._settle_race(project)
        self._show(project)
        if self._options.prediction_resource_id is not None:
            self._publish(project, self._options.prediction_resource_id)
        self._cleanup.delete(step)

    def _publish(self, project: Project, resource_id: str) -> None:
        """Publishes in the copy what is published at the source."""
        there = getattr(self._verifier.source, "listed", None)
        if there is None:
            there = self._service.source_iterations(self._wanted.source["id"])
        here = getattr(self._outcome.content, "listed", None)
        if here is None:
            here = self._service.copy_iterations(project, there)
        names, here = self._find_twins(project, there, here)
        wanted = _publishing.Wanted(names, resource_id)
        given_up = _publishing.names_given_up(wanted, here, _publishing.plan(wanted, here))
        for name in given_up:
            self._outcome.warn(f"nothing is published as {name!r} any more: that iteration bears another name now")
        self._view.is_stale = True
        try:
            after = self._service.publish(project, wanted, here)
        except CustomVisionError:
            if self._service.changed:
                with contextlib.suppress(CustomVisionError):  # why publishing failed tells more
                    self._outcome.show_publications(here, self._service.copy_iterations(project, there))
            raise
        self._outcome.show_publications(here, after)

    def _find_twins(
        self, project: Project, there: list[Iteration], here: list[Iteration]
    ) -> tuple[dict[str, str], list[Iteration]]:
        """The names that the copy's iterations are to have, and these; they may lag behind the end of an import."""
        until = min(self._imported_at + SETTLING, self._deadline)
        while True:
            try:
                return _publishing.as_at_source(there, here), here
            except CustomVisionError:
                if time.monotonic() >= until:
                    raise
            time.sleep(self._service.waiting.longest_interval)
            here = self._service.copy_iterations(project, there)

    def _stay(self, step: _steps.Step) -> None:
        """What equals the source was rolled back on purpose."""
        rolled_back = step.project["name"]
        if step.holder is None or not is_finished(step.holder):
            raise CustomVisionError(
                f"{rolled_back!r} equals the source and was rolled back, but nothing whole has its name now: "
                "finish that with cvops.custom_vision.cv_project_rollback, or rename it to bring it back"
            )
        self._outcome.action = "unchanged"
        self._outcome.warn(
            f"it stays as it is, because {rolled_back!r} equals the source and was rolled back on purpose: "
            "train or change the source to promote it again"
        )
        self._show(step.holder)
        self._cleanup.delete(step)

    def _settle_race(self, project: Project) -> None:
        """Another run gave somebody the name: our import, or one that makes ours superfluous."""
        if project["id"] == self._import_id:
            self._outcome.action = "copied"
            return
        self._outcome.action = "unchanged"
        self._outcome.warn("another run brought the copy about first, so that of this run is not needed")

    def _rename_aside(self, project: Project, kind: str) -> str:
        aside = self._view.rename_aside(project, kind)
        self._outcome.set_aside.append(aside)
        return aside


def copy_all(service: Service, wanted: list[Wanted], projects: list[Project], options: Options) -> list[Outcome]:
    """Brings all copies about; one's trouble does not hold back the others.

    Where one of them is refused before the start, nothing is begun.
    """
    if any(copy.refusal for copy in wanted):
        return [_not_begun(copy) for copy in wanted]
    copiers = [Copier(service, copy, projects, options) for copy in wanted]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        refusals = list(pool.map(Copier.look, copiers))
        if any(refusals):
            return [_not_begun(replace(copy, refusal=refusal)) for copy, refusal in zip(wanted, refusals)]
        return list(pool.map(Copier.run, copiers))


def _not_begun(wanted: Wanted) -> Outcome:
    outcome = Outcome(wanted, held_back=not wanted.refusal)
    outcome.fail(wanted.refusal or "not begun, because another copy was refused")
    return outcome
