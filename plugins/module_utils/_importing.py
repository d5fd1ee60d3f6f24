# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Export and import: each copy is imported once, whatever the network does."""

from __future__ import annotations

import time

from ansible_collections.cvops.custom_vision.plugins.module_utils._board import Board
from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import Content
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import failed_source
from ansible_collections.cvops.custom_vision.plugins.module_utils._steps import is_finished, of_run
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project
from ansible_collections.cvops.custom_vision.plugins.module_utils._waiting import Waiting


SENDINGS = 3  # how often an import is sent before a run gives up
IMPORTING_ITSELF = "the source is still being imported itself"
IN_TRAINING = "the source is still in training"
SHORTEST_WATCH = 5.0  # seconds for which an import in doubt is looked for, at the least


class Importer:
    """Takes a project out of the source and sends it to the destination."""

    def __init__(self, source: Client, destination: Client, board: Board, waiting: Waiting) -> None:
        self._source = source
        self._destination = destination
        self._board = board
        self._waiting = waiting

    def await_source(self, project: Project, deadline: float) -> None:
        """Waits for a source that is itself being imported; CustomVisionError where that fails."""
        while not is_finished(project):
            if project["status"] == "Failed":
                raise CustomVisionError(failed_source(project))
            self._waiting.pause(deadline, IMPORTING_ITSELF)
            project = self._source.get_project(project["id"])

    def await_training(self, project: Project, deadline: float) -> None:
        """Waits until nothing is in training any more."""
        while True:
            self._waiting.pause(deadline, IN_TRAINING)
            if not Content(listed=self._source.get_iterations(project["id"])).is_in_training:
                return

    def export(self, project: Project, deadline: float) -> str | None:
        """The token of a fresh export; None after a pause where the source is in training.

        What was read of the source before a training ended is out of date, hence no loop here.
        """
        try:
            return self._source.export_project(project["id"])["token"]
        except CustomVisionError as error:
            if error.code != "BadRequestExportWhileTraining":
                raise
            self._waiting.pause(deadline, f"{error} It is still in training")
            return None

    def send(self, token: str, name: str, run: str) -> Project:
        """Imports under ``name``, which bears ``run``: the new project, looked for where in doubt.

        The service knows no idempotency key: an import that was sent again made a second project.
        So after a broken connection, a time-out or a 5xx the destination is watched for the mark
        for as long again as the request's own time-out before it is sent again.
        """
        doubt = None
        for _sending in range(SENDINGS):
            sent_at = time.monotonic()
            try:
                return self._recognised(self._destination.import_project(token, name), run)
            except CustomVisionError as error:
                if not error.in_doubt and doubt is None:
                    raise self._explained(error) from None
                doubt = error
            # Where a later sending is refused, it may be for an earlier one: a full resource, say.
            arrived = self._watch(run, sent_at)
            if arrived is not None:
                return arrived
            if not doubt.in_doubt:
                raise self._explained(doubt)
        raise CustomVisionError(f"{doubt} The import was sent {SENDINGS} times and did not appear: run again later.")

    def _explained(self, error: CustomVisionError) -> CustomVisionError:
        """The same error; where the resource is, or may be, full with how many projects there are.

        Older reports have a 403 without a code for a full resource too.
        """
        is_full = error.code == "BadRequestExceedProjectLimit"
        if not is_full and (error.status, error.code) != (403, None):
            return error
        try:
            count = len(self._board.projects(time.monotonic()))
        except CustomVisionError:
            return error
        doubt = "" if is_full else "A resource that is full (100 projects in tier S0, 2 in F0) may answer so too. "
        return CustomVisionError(f"{error} {doubt}It holds {count} now, incoming copies and those set aside included.")

    def _recognised(self, project: Project, run: str) -> Project:
        """The service may give another name than the one asked for, but with our mark in it."""
        if not of_run(run, [project]):
            raise CustomVisionError(
                f"the destination gave the import (id {project['id']}) another name than the one asked for: this "
                "collection does not know it again; delete it and report this"
            )
        return project

    def _watch(self, run: str, since: float) -> Project | None:
        until = time.monotonic() + max(self._destination.connection.timeout, SHORTEST_WATCH)
        while True:
            arrived = of_run(run, self._board.next_look(since))
            if arrived or since >= until:
                return arrived[0] if arrived else None
            since = time.monotonic()
