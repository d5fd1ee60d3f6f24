# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No more requests a second than a resource allows."""

from __future__ import annotations

import threading
import time
from collections import deque


class Pace:
    """Lets ``per_second`` requests start in any second; further callers wait for their turn.

    The first ones start at once, so that a short run is not slowed down.
    """

    def __init__(self, per_second: float) -> None:
        burst = max(1, int(per_second))
        self._window = burst / per_second
        self._starts: deque[float] = deque(maxlen=burst)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Returns when one more request may start."""
        with self._lock:
            now = time.monotonic()
            start = now
            if len(self._starts) == self._starts.maxlen:
                start = max(now, self._starts[0] + self._window)
            self._starts.append(start)
        if start > now:
            time.sleep(start - now)
