# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both resources as one run sees them: what is read there, and what is done there.

``ForeseenService`` is the same for check mode: it reads, and where ``Service`` would write it keeps
the outcome in memory and takes imports to succeed. So check mode needs no code path of its own.
"""

from __future__ import annotations

import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from ansible_collections.cvops.custom_vision.plugins.module_utils import _publishing as publishing
from ansible_collections.cvops.custom_vision.plugins.module_utils._board import Board
from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import (
    Content,
    tag_names,
    trained_iterations,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._importing import (
    IMPORTING_ITSELF,
    IN_TRAINING,
    Importer,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._steps import is_finished, is_hopeless
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Iteration, Project
from ansible_collections.cvops.custom_vision.plugins.module_utils._waiting import Waiting


class Service:
    """Reads and writes for real. Threads may share it."""

    def __init__(
        self,
        source: Client,
        destination: Client,
        compare: t.Collection[str],
        waiting: Waiting,
        lists_iterations: bool = False,
    ) -> None:
        """``lists_iterations``: also where they are not compared."""
        self.waiting = waiting
        self.compare = compare
        self._lists_iterations = lists_iterations or "iterations" in compare
        self._source = source
        self._destination = destination
        self._board = Board(destination.get_projects, waiting.longest_interval)
        self._importer = Importer(source, destination, self._board, waiting)

    @property
    def now(self) -> datetime:
        """The destination's time (UTC)."""
        return self._destination.now

    @property
    def changed(self) -> bool:
        """True where a write at the destination was, or may have been, carried out."""
        return self._destination.may_have_written

    def lists(self) -> tuple[list[Project], list[Project]]:
        """The projects of the source and of the destination, asked for at the same time.

        Where both sides fail, the CustomVisionError names both: one round of mending is enough.
        """
        with ThreadPoolExecutor(max_workers=2) as pool:
            lists = [pool.submit(self._source.get_projects), pool.submit(self.projects, time.monotonic())]
        if all(isinstance(each.exception(), CustomVisionError) for each in lists):
            raise CustomVisionError(" ".join(str(each.exception()) for each in lists))
        source, destination = (each.result() for each in lists)
        return source, destination

    def projects(self, since: float) -> list[Project]:
        """The destination's projects, asked for after ``since`` (``time.monotonic``)."""
        return self._board.projects(since)

    def next_look(self, since: float) -> list[Project]:
        """The destination's projects at the next look that is shared by all who wait."""
        return self._board.next_look(since)

    def source_content(self, project_id: str) -> Content:
        return self._content(self._source, project_id)

    def settled_content(self, source: Project, deadline: float) -> Content:
        """What a source holds once it is neither being imported itself nor in training."""
        self._importer.await_source(source, deadline)
        while (content := self.source_content(source["id"])).is_in_training:
            self.waiting.pause(deadline, IN_TRAINING)
        return content

    def copy_content(self, project_id: str) -> Content:
        return self._content(self._destination, project_id)

    def is_published(self, project: Project) -> bool:
        """True where an iteration of a project of the destination is published."""
        return any(iteration.get("publishName") for iteration in self._destination.get_iterations(project["id"]))

    def start_import(
        self, source: Project, name: str, run: str, content: Content | None = None
    ) -> tuple[Project, Content]:
        """Starts an import as ``name``: the new project, and what the source held before its export.

        ``content`` is what it holds, where that was read before.
        """
        deadline = self.waiting.deadline()
        self._importer.await_source(source, deadline)
        while True:
            content = content or self.source_content(source["id"])
            token = self._importer.export(source, deadline)
            if token is not None:
                return self._importer.send(token, name, run), content
            content = None

    def is_foreseen(self, project: Project) -> bool:
        """True for a project that is not there, but would be after a run that writes."""
        return False

    def is_taken_for_equal(self, project: Project) -> bool:
        """True for a copy that is not to be compared with its source."""
        return not self.compare

    def rename(self, project: Project, name: str) -> Project:
        return self._destination.update_project(project, name)

    def source_iterations(self, project_id: str) -> list[Iteration]:
        return self._source.get_iterations(project_id)

    def copy_iterations(self, project: Project, source: list[Iteration]) -> list[Iteration]:
        """Those of a project of the destination, which is a copy of a source with these."""
        return self._destination.get_iterations(project["id"])

    def publish(self, project: Project, wanted: publishing.Wanted, iterations: list[Iteration]) -> list[Iteration]:
        """Brings the publish names of a project of the destination about; its iterations afterwards."""
        return publishing.carry_out(self._destination, project["id"], wanted, iterations)

    def unpublish(self, project: Project) -> None:
        """Unpublishes all iterations of a project of the destination, unless it bears another name by now."""
        published = [each for each in self._destination.get_iterations(project["id"]) if each.get("publishName")]
        if published and self._is_still_called(project):
            for iteration in published:
                self._unpublish(project, iteration)

    def delete(self, project: Project) -> bool:
        """False where somebody else had deleted it already, or where it bears another name by now.

        Another run may give a name to what this one holds for not needed, and the service deletes by id.
        """
        return self._is_still_called(project) and self._destination.delete_project(project["id"])

    def _is_still_called(self, project: Project) -> bool:
        return self._destination.get_project(project["id"])["name"] == project["name"]

    def _unpublish(self, project: Project, iteration: Iteration) -> None:
        self._destination.unpublish_iteration(project["id"], iteration["id"])

    def _content(self, client: Client, project_id: str) -> Content:
        try:
            listed = client.get_iterations(project_id) if self._lists_iterations else None
            return Content(
                iterations=trained_iterations(listed or []) if "iterations" in self.compare else None,
                tags=tag_names(client.get_tags(project_id)) if "tags" in self.compare else None,
                tagged_images=client.get_tagged_image_count(project_id) if "tagged_images" in self.compare else None,
                listed=listed,
            )
        except (TypeError, ValueError) as error:
            side = client.connection.side
            raise CustomVisionError(f"the {side} resource's answer is not understood: {error}") from error


class ForeseenService(Service):
    """Reads for real and writes in memory: what check mode reports."""

    def __init__(self, *connected: t.Any, **options: t.Any) -> None:
        super().__init__(*connected, **options)
        self._foreseen: list[Project] | None = None
        self._new: set[str] = set()  # the ids of projects that are not there
        self._arrived: set[str] = set()  # the ids of those whose import was taken to succeed
        self._written = False
        self._lock = threading.Lock()

    @property
    def changed(self) -> bool:
        return self._written

    def projects(self, since: float) -> list[Project]:
        with self._lock:
            if self._foreseen is None:
                self._foreseen = super().projects(since)
            return self._foreseen

    def next_look(self, since: float) -> list[Project]:
        """Whatever is on its way has arrived."""
        with self._lock:
            self._foreseen = [self._arrive(project) for project in self._foreseen or []]
            return self._foreseen

    def settled_content(self, source: Project, deadline: float) -> Content:
        """What it holds now: check mode waits for nothing."""
        if not is_finished(source):
            self.waiting.check(deadline, IMPORTING_ITSELF)
        content = self.source_content(source["id"])
        if content.is_in_training:
            self.waiting.check(deadline, IN_TRAINING)
        return content

    def start_import(
        self, source: Project, name: str, run: str, content: Content | None = None
    ) -> tuple[Project, Content | None]:
        """A project that is not there; its id is its name, and what it will hold is not known."""
        if not is_finished(source):
            self.waiting.check(self.waiting.deadline(), IMPORTING_ITSELF)
        project = {"id": name, "name": name, "status": "Importing"}
        self._new.add(name)
        self._write(lambda projects: [*projects, project])
        return project, content

    def is_foreseen(self, project: Project) -> bool:
        return project["id"] in self._new

    def is_taken_for_equal(self, project: Project) -> bool:
        return super().is_taken_for_equal(project) or project["id"] in self._arrived

    def rename(self, project: Project, name: str) -> Project:
        renamed = {**project, "name": name}
        self._write(lambda projects: [renamed if other["id"] == project["id"] else other for other in projects])
        return renamed

    def copy_iterations(self, project: Project, source: list[Iteration]) -> list[Iteration]:
        """Of a copy that has yet to arrive the source's: it will have the same, but not published."""
        if project["id"] not in self._new | self._arrived:
            return super().copy_iterations(project, source)
        return [{**iteration, "publishName": None, "originalPublishResourceId": None} for iteration in source]

    def publish(self, project: Project, wanted: publishing.Wanted, iterations: list[Iteration]) -> list[Iteration]:
        steps = publishing.plan(wanted, iterations)
        if steps:
            self._write(lambda projects: projects)
        return publishing.foresee(wanted, iterations, steps)

    def _unpublish(self, project: Project, iteration: Iteration) -> None:
        self._write(lambda projects: projects)

    def delete(self, project: Project) -> bool:
        self._write(lambda projects: [other for other in projects if other["id"] != project["id"]])
        return True

    def _arrive(self, project: Project) -> Project:
        if is_finished(project) or is_hopeless(project, self.now):
            return project
        self._arrived.add(project["id"])
        return {**project, "status": "Succeeded"}

    def _write(self, change: t.Callable[[list[Project]], list[Project]]) -> None:
        with self._lock:
            self._foreseen = change(self._foreseen or [])
            self._written = True
