# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The destination's list of projects, shared by all copies of a run: one call serves every waiter."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Project


FIRST_INTERVAL = 0.5  # seconds; small projects are imported in a few
GROWTH = 1.1  # so an end is seen half a second and a tenth of the import's time later, at the latest


class Board:
    """Moments are seconds of ``time.monotonic``; a list counts from when it was asked for."""

    def __init__(self, get_projects: t.Callable[[], list[Project]], longest_interval: float) -> None:
        self._get_projects = get_projects
        self._longest_interval = longest_interval
        self._shortest_interval = min(FIRST_INTERVAL, longest_interval)
        self._interval = self._shortest_interval
        self._lock = threading.Lock()
        self._outcome: list[Project] | CustomVisionError = []
        self._asked_at = float("-inf")

    def projects(self, since: float) -> list[Project]:
        """A list that was asked for after ``since``; an earlier caller's will do."""
        with self._lock:
            if self._asked_at <= since:
                self._look()
            return self._answer()

    def next_look(self, since: float) -> list[Project]:
        """The first list after ``since`` that its turn has come for: one look an interval, whoever waits."""
        while True:
            with self._lock:
                if self._asked_at > since:
                    return self._answer()
                due = self._asked_at + self._interval
                if time.monotonic() >= due:
                    self._interval = min(self._interval * GROWTH, self._longest_interval)
                    self._look()
                    return self._answer()
            time.sleep(max(0.0, due - time.monotonic()))

    def _look(self) -> None:
        """A look that failed is shared too: whoever waits for it would only fail after it.

        Where an import has ended others will soon, as they began together: intervals are short again.
        """
        importing = self._importing()
        self._asked_at = time.monotonic()
        try:
            self._outcome = self._get_projects()
        except CustomVisionError as error:
            self._outcome = error
            return
        if importing - self._importing():
            self._interval = self._shortest_interval

    def _importing(self) -> set[str]:
        """The ids of the projects that were importing when last looked at; none after a look that failed."""
        if isinstance(self._outcome, CustomVisionError):
            return set()
        return {project["id"] for project in self._outcome if project.get("status") == "Importing"}

    def _answer(self) -> list[Project]:
        if isinstance(self._outcome, CustomVisionError):
            raise self._outcome
        return self._outcome
