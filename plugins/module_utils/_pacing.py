# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No more requests a second than a resource allows, and which of those that wait comes next."""

from __future__ import annotations

import contextlib
import math
import threading
import time
import typing as t
from collections import deque

LONGEST_WAY = 0.25  # seconds by which a request has reached the resource, whether it was answered or not


class Pace:
    """Lets ``per_second`` requests reach a resource in any second; further ones wait for their turn.

    The first ones start at once, so that a short run is not slowed down. The resource counts a request when it
    arrives, which is some time between its start and its answer; so a turn is free again a second after the answer.

    ``youngest_first``: of those that wait, the last to come is the next to go. Where each of many copies takes
    several requests in a row, what was begun is then brought to its end first, instead of all of them a little.
    """

    def __init__(self, per_second: float, youngest_first: bool = False) -> None:
        burst = math.ceil(per_second)
        self._window = burst / per_second  # never less than a second
        self._next = -1 if youngest_first else 0
        self._free_at = [float("-inf")] * burst  # of each turn, as ``time.monotonic`` counts
        self._waiting: deque[threading.Condition] = deque()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self) -> t.Iterator[None]:
        """The same for a request that is sent within, so that its turn may get free earlier."""
        number = self.take()
        try:
            yield
        finally:
            with self._lock:
                self._free_at[number] = min(self._free_at[number], time.monotonic() + self._window)
                self._call_next()

    def take(self) -> int:
        """Waits until one more request may start; the number of its turn, which gets free again by itself."""
        with self._lock:
            me = threading.Condition(self._lock)
            self._waiting.append(me)
            while True:
                number = min(range(len(self._free_at)), key=self._free_at.__getitem__)
                delay = self._free_at[number] - time.monotonic()
                if self._waiting[self._next] is not me:
                    me.wait()
                elif delay > 0:
                    me.wait(delay)
                else:
                    break
            self._waiting.remove(me)
            self._free_at[number] = time.monotonic() + LONGEST_WAY + self._window
            self._call_next()
            return number

    def _call_next(self) -> None:
        if self._waiting:
            self._waiting[self._next].notify()
