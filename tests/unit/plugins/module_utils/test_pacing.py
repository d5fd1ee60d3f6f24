# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _pacing


@pytest.fixture(name="time")
def fixture_time(monkeypatch):
    """A clock that only moves while somebody sleeps."""

    class Time:
        now = 100.0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            self.now += seconds

    monkeypatch.setattr(_pacing, "time", Time())
    return _pacing.time


@pytest.mark.parametrize("per_second", [10, 2.5, 1, 0.5])
def test_no_window_of_time_holds_more_than_it_may(time, per_second):
    pace, starts = _pacing.Pace(per_second), []
    for _request in range(50):
        pace.wait()
        starts.append(time.now)
    burst = max(1, int(per_second))
    window = burst / per_second
    assert all(later - earlier >= window - 1e-9 for earlier, later in zip(starts, starts[burst:]))
    assert starts[-1] - starts[0] <= 50 / per_second


def test_a_short_run_does_not_wait(time):
    pace = _pacing.Pace(10)
    for _request in range(10):
        pace.wait()
    assert time.now == 100.0
