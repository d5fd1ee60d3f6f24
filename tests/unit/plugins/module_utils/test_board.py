# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _board
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError


@pytest.fixture(name="time")
def fixture_time(monkeypatch):
    """A clock that only moves while somebody sleeps."""

    class Time:
        now = 100.0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    monkeypatch.setattr(_board, "time", Time())
    return _board.time


class Watched:
    """A destination with an import that ends so many seconds from now for each of ``ends``."""

    def __init__(self, time, ends, longest=5):
        self.time, self.looks = time, []
        self._ends = [time.now + end for end in ends]
        self.board = _board.Board(self._list, longest)

    def _list(self):
        self.looks.append(self.time.now)
        return [
            {"id": str(end), "name": "Widget", "status": "Succeeded" if end <= self.time.now else "Importing"}
            for end in self._ends
        ]

    def wait(self, for_number=1):
        """Looks until so many imports have ended; the seconds after the last end at which that was seen."""
        ended = 0
        while ended < for_number:
            projects = self.board.next_look(self.looks[-1] if self.looks else 0)
            ended = sum(project["status"] == "Succeeded" for project in projects)
        return self.time.now - sorted(self._ends)[for_number - 1]


@pytest.mark.parametrize("seconds", [1, 7.6, 14, 45])
def test_an_end_is_seen_soon_and_at_the_cost_of_few_looks(time, seconds):
    watched = Watched(time, [seconds])
    assert watched.wait() <= _board.FIRST_INTERVAL + 0.1 * seconds + 0.1
    assert len(watched.looks) <= 25


def test_an_interval_is_never_longer_than_wanted(time):
    watched = Watched(time, [600])
    assert watched.wait() <= 5
    intervals = [later - earlier for earlier, later in zip(watched.looks, watched.looks[1:])]
    assert max(intervals) == pytest.approx(5) and intervals[0] < 0.6


def test_after_one_end_others_are_looked_for_at_short_intervals(time):
    watched = Watched(time, [60, 66])
    watched.wait()
    assert watched.wait(for_number=2) <= 1


def test_a_look_that_failed_does_not_make_intervals_short(time):
    watched = Watched(time, [600])
    while time.now < 200:
        watched.board.next_look(time.now)
    listed, watched.board._get_projects = watched.board._get_projects, _fail
    with pytest.raises(CustomVisionError):
        watched.board.next_look(time.now)
    watched.board._get_projects = listed
    before = time.now
    watched.board.next_look(time.now)
    assert time.now - before == pytest.approx(5)


def _fail():
    raise CustomVisionError("it does not answer")
