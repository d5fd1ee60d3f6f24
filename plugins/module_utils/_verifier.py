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
    the others differ; ``contents`` is by id what was read of those that were compared.
    """

    def __init__(self, service: Service, source_id: str) -> None:
        self._service = service
        self._source_id = source_id
        # What the source held before its export; None where there was no export in this run.
        self.exported: Content | None = None
        self.proven: set[str] = set()
        self.unfit: dict[str, str] = {}
        self.contents: dict[str, Content] = {}

    def verify(self, project: Project, deadline: float) -> None:
        """Compares a finished copy with the source, until ``deadline`` (``time.monotonic``) at the latest.

        A difference must last before it counts, as the service's counts may lag behind the import's end.
        """
        if self._service.is_taken_for_equal(project):
            self.proven.add(project["id"])
            return
        until = min(time.monotonic() + SETTLING, deadline)
        before = self.exported or self._service.source_content(self._source_id)
        source, copy = before, self._service.copy_content(project["id"])
        while (found := differences(source, copy)) and time.monotonic() < until:
            time.sleep(min(self._service.waiting.longest_interval, max(0.0, until - time.monotonic())))
            source = self._service.source_content(self._source_id)
            copy = self._service.copy_content(project["id"])
        self.contents[project["id"]] = copy
        if found:
            moved = " (the source itself has changed in the meantime)" if differences(before, source) else ""
            self.unfit[project["id"]] = f"the copy differs from the source: {'; '.join(found)}{moved}"
        else:
            self.proven.add(project["id"])
