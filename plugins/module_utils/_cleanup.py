# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is deleted once a name is whole: what is not needed any more, and only that."""

from __future__ import annotations

import typing as t

from ansible_collections.cvops.custom_vision.plugins.module_utils import _names, _steps
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._options import Options
from ansible_collections.cvops.custom_vision.plugins.module_utils._outcome import Outcome
from ansible_collections.cvops.custom_vision.plugins.module_utils._service import Service
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project
from ansible_collections.cvops.custom_vision.plugins.module_utils._verifier import Verifier
from ansible_collections.cvops.custom_vision.plugins.module_utils._view import View


class Cleanup:
    """Cleans up behind one copy. ``runs`` are those whose imports are ours, whatever state they are in."""

    def __init__(
        self,
        service: Service,
        view: View,
        verifier: Verifier,
        outcome: Outcome,
        options: Options,
        runs: t.Collection[str],
    ) -> None:
        self._service = service
        self._view = view
        self._verifier = verifier
        self._outcome = outcome
        self._options = options
        self._runs = runs
        self._weighed: dict[str, bool] = {}  # whether another run's copy, by id, is not needed by anybody

    def weigh_others(self) -> bool:
        """Whether another run needs an incoming copy that has arrived; false where nothing was left to find out.

        A run with other options may be about to replace what has the name with it. One that holds the same is not
        needed by anybody.
        """
        holder = self._view.holder
        if holder is None:
            return False
        arrived = _steps.arrived_copies(self._outcome.wanted.name, self._view.projects, self._service.now, self._runs)
        others = [project for project in arrived if project["id"] not in self._weighed]
        for project in others:
            try:
                self._weighed[project["id"]] = self._verifier.are_alike(holder, project)
            except CustomVisionError as error:
                self._weighed[project["id"]] = False
                if error.code != "NotFoundProject":
                    self._outcome.warn(f"{project['name']!r} is left, because it could not be read: {error}")
        self._view.is_stale = self._view.is_stale or bool(others)
        return bool(others)

    def doomed(self, step: _steps.Step) -> list[Project]:
        """What is not needed any more where a step finds the name whole."""
        if step.kind not in (_steps.KEEP, _steps.STAY):
            return []
        name, projects = self._outcome.wanted.name, self._view.projects
        not_needed = [project_id for project_id, is_not_needed in self._weighed.items() if is_not_needed]
        doomed = _steps.leftovers(name, projects, self._service.now, self._runs, not_needed)
        is_new = self._outcome.action in ("copied", "replaced")
        if is_new or step.kind == _steps.KEEP and self._options.latest:
            doomed += _steps.outdated(name, projects, self._options.retain)
        return doomed

    def delete(self, step: _steps.Step) -> None:
        """Deletes what is doomed; what cannot be deleted is left with a warning."""
        for project in self.doomed(step):
            try:
                self._delete(project)
            except CustomVisionError as error:
                if error.code == "NotFoundProject":
                    self._view.forget(project)
                else:
                    self._outcome.warn(f"{project['name']!r} could not be deleted: {error}")

    def _delete(self, project: Project) -> None:
        is_superseded = _names.our_name(project["name"]).kind == _names.SUPERSEDED
        if is_superseded and self._options.unpublish_superseded:
            self._service.unpublish(project)
        elif self._service.is_published(project):
            self._outcome.warn(f"{project['name']!r} is not needed any more, but left: an iteration is published")
            return
        if self._service.delete(project):
            self._outcome.deleted.append(project["name"])
        self._view.forget(project)
