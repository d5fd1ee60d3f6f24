# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a run waits, and how often it looks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError


@dataclass(frozen=True)
class Waiting:
    """The options ``wait``, ``wait_timeout`` and ``wait_sleep``; seconds."""

    enabled: bool
    timeout: float
    longest_interval: float

    def deadline(self) -> float:
        """The end of a wait that begins now, as ``time.monotonic`` counts."""
        return time.monotonic() + self.timeout

    def pause(self, deadline: float, what: str) -> None:
        """Sleeps until the next look; a CustomVisionError about ``what`` where there is to be none."""
        self.check(deadline, what)
        time.sleep(max(0.0, min(self.longest_interval, deadline - time.monotonic())))

    def check(self, deadline: float, what: str) -> None:
        """A CustomVisionError about ``what`` where nobody wants to wait (any longer)."""
        if not self.enabled:
            raise CustomVisionError(f"{what}, and wait is off: run again later, or switch it on")
        if time.monotonic() >= deadline:
            raise CustomVisionError(f"{what} after {self.timeout:g} seconds (wait_timeout): run again to go on with it")
