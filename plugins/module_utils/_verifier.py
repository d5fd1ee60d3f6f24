# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out whether what was copied equals its source."""

from __future__ import annotations

import time

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import Content, differences
from ansible_collections.cvops.custom_vision.plugins.module_utils._service import Service
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project

SETTLING = 60.0  # seconds for which a copy's counts may lag behind its import's end


class Verifier:
    """What is known of the equality of one source and its copies.

    ``proven`` holds the ids of those that equal the source, or are not to be compared; ``unfit`` says by id how
    the others differ; ``contents`` is by id what was read of those that were compared. ``source`` is what the source
    held when it was first read, which is before its export, or None.
    """

    def __init__(self, service: Service, source: Project) -> None:
        self._service = service
        self._source = source
        self.source: Content | None = None
        self.proven: set[str] = set()
        self.unfit: dict[str, str] = {}
        self.contents: dict[str, Content] = {}

    def compare(self, project: Project, deadline: float, at_once: bool = False) -> bool:
        """Compares a copy that has long been finished with the source, once.

        False where that is to be ``at_once``, but the source has to be waited for.
        """
        if self._service.is_taken_for_equal(project):
            self.proven.add(project["id"])
            return True
        if self.source is None:
            read = self._service.present_content if at_once else self._service.settled_content
            source = read(self._source, deadline)
            if at_once and self._service.waits and not source.is_settled:
                return False
            self.source = source
        self._note(project, self.source, self._service.copy_content(project["id"]))
        if not self.source.is_settled:
            # Check mode does not wait for the end of a training or an import, which makes the source differ.
            self.proven.discard(project["id"])
            self.unfit.setdefault(project["id"], "the source is being trained or imported")
        return True

    def are_alike(self, project: Project, other: Project) -> bool:
        """Whether two projects of the destination hold the same, in all that can be compared."""
        contents = [self._service.whole_content(each, self._source["id"]) for each in (project, other)]
        return not differences(*contents)

    def verify(self, project: Project, deadline: float) -> None:
        """Compares a copy that has just been finished, until ``deadline`` (``time.monotonic``) at the latest.

        A difference must last before it counts, as the service's counts may lag behind the import's end.
        """
        if self._service.is_taken_for_equal(project):
            self.proven.add(project["id"])
            return
        until = min(time.monotonic() + SETTLING, deadline) if self._service.waits else time.monotonic()
        source = self.source = self.source or self._service.source_content(self._source["id"])
        copy = self._service.copy_content(project["id"])
        while differences(source, copy) and time.monotonic() < until:
            time.sleep(min(self._service.waiting.longest_interval, max(0.0, until - time.monotonic())))
            source = self._service.source_content(self._source["id"])
            copy = self._service.copy_content(project["id"])
        self._note(project, source, copy)

    def would_lose_training(self, project: Project) -> bool:
        """Whether no trained iteration would be left if a copy of the source replaced this one, which differs."""
        source = self.source
        return source.is_settled and not source.is_trained and self.contents[project["id"]].is_trained

    def _note(self, project: Project, source: Content, copy: Content) -> None:
        self.contents[project["id"]] = copy
        found = differences(source, copy)
        if not found:
            self.source = source
            self.proven.add(project["id"])
            return
        moved = " (the source itself has changed in the meantime)" if differences(self.source, source) else ""
        self.unfit[project["id"]] = f"the copy differs from the source: {'; '.join(found)}{moved}"
