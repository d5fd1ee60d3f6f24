# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The destination's projects as one copy last saw or left them."""

from __future__ import annotations

import time

from ansible_collections.cvops.custom_vision.plugins.module_utils import _names
from ansible_collections.cvops.custom_vision.plugins.module_utils._service import Service
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project


class View:
    """What one copy, which is to be called ``name``, knows of the destination; what it renames is known at once.

    ``is_stale`` is set by whoever takes time after a look: other runs may have renamed something since.
    """

    def __init__(self, service: Service, name: str, projects: list[Project]) -> None:
        self._service = service
        self._name = name
        self._seen_at = time.monotonic()
        self.projects = projects
        self.is_stale = False

    @property
    def holder(self) -> Project | None:
        """Who has the name."""
        return next((project for project in self.projects if project["name"] == self._name), None)

    @property
    def ids(self) -> dict[str, str]:
        """By name, of what has the wanted name or bears it in a name of ours."""
        return {
            project["name"]: "(new)" if self._service.is_foreseen(project) else project["id"]
            for project in self.projects
            if self._name in (project["name"], getattr(_names.our_name(project["name"]), "name", None))
        }

    def wait_for_news(self) -> None:
        """The next list, when it is the turn of all who wait."""
        self.projects = self._service.next_look(self._seen_at)
        self._seen_at, self.is_stale = time.monotonic(), False

    def refresh(self) -> None:
        """A list at once: what comes next renames or deletes."""
        self.projects = self._service.projects(time.monotonic())
        self._seen_at, self.is_stale = time.monotonic(), False

    def disregard_older_lists(self) -> None:
        """Only one that is asked for from now on can tell of what has just happened."""
        self._seen_at = time.monotonic()

    def add(self, project: Project) -> None:
        self.disregard_older_lists()
        self.projects = [*self.projects, project]

    def forget(self, project: Project) -> None:
        self.projects = [other for other in self.projects if other["id"] != project["id"]]

    def rename(self, project: Project, name: str) -> Project:
        renamed = self._service.rename(project, name)
        self.projects = [renamed if other["id"] == project["id"] else other for other in self.projects]
        return renamed

    def rename_aside(self, project: Project, kind: str) -> str:
        """The new name, which tells that the project had to yield and when."""
        taken = [other["name"] for other in self.projects]
        return self.rename(project, _names.aside_name(self._name, kind, self._service.now, taken))["name"]
