# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import threading
import time as real_time

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _pacing


@pytest.fixture(name="time")
def fixture_time(monkeypatch):
    """A clock that only moves while somebody waits."""

    class Time:
        now = 100.0

        def monotonic(self):
            return self.now

    class Condition(threading.Condition):
        def wait(self, timeout=None):
            _pacing.time.now += timeout

    monkeypatch.setattr(_pacing, "time", Time())
    monkeypatch.setattr(_pacing.threading, "Condition", Condition)
    return _pacing.time


@pytest.mark.parametrize("answer", [0, 0.06, 0.2])
@pytest.mark.parametrize("per_second", [10, 9.5, 2.5, 1, 0.5])
def test_no_window_of_time_holds_more_than_it_may_wherever_requests_are_counted(time, per_second, answer):
    """The resource may see one request as late as its answer and a later one as soon as its start."""
    pace, starts, ends = _pacing.Pace(per_second), [], []
    for _request in range(50):
        with pace.turn():
            starts.append(time.now)
            time.now += answer
        ends.append(time.now)
    burst = math.ceil(per_second)
    assert all(later - earlier >= burst / per_second - 1e-9 for earlier, later in zip(ends, starts[burst:]))
    assert all(later - earlier >= 1 - 1e-9 for earlier, later in zip(ends, starts[burst:]))
    assert starts[-1] - starts[0] <= 50 / per_second + 50 * answer


def test_a_short_run_does_not_wait(time):
    pace = _pacing.Pace(10)
    for _request in range(10):
        with pace.turn():
            pass
    assert time.now == 100.0


@pytest.mark.parametrize("ends", [True, False])
def test_a_request_that_hangs_does_not_hold_back_others(time, ends):
    """Whether it gets an answer in the end or is only known to have been sent."""
    pace = _pacing.Pace(1)
    if ends:
        with pace.turn():
            time.now += 60
            pace.take()
        assert time.now == 160.0
    else:
        pace.take()
        pace.take()
        assert time.now == 100.0 + _pacing.LONGEST_WAY + 1


def test_a_request_that_failed_gives_its_turn_back(time):
    pace = _pacing.Pace(1)
    with pytest.raises(OSError), pace.turn():
        raise OSError
    pace.take()
    assert time.now == 101.0


@pytest.mark.parametrize("youngest_first, order", [(False, [0, 1, 2, 3]), (True, [3, 2, 1, 0])])
def test_who_comes_next(youngest_first, order):
    pace, went = _pacing.Pace(2, youngest_first), []

    def go(number):
        with pace.turn():
            went.append(number)

    pace.take(), pace.take()
    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for waiting, thread in enumerate(threads, start=1):
        thread.start()
        while len(pace._waiting) < waiting:
            real_time.sleep(0.001)
    for thread in threads:
        thread.join(timeout=10)
    assert went == order
