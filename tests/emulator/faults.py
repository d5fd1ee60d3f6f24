# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on order: what a resource does wrong, how often and when."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from . import errors
from .transfer import MISSING, OUTCOMES, ImportPlan

DROPS = ("before", "after")
MALFORMED = ("html", "truncated", "type")


@dataclass
class Fault:
    """One fault; README.md has a table of what can be asked for. Times are seconds."""

    operation: str
    times: int | None = 1
    after: int = 0
    status: int | None = None
    shape: str | None = None
    code: str | None = None
    message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    redirect: str | None = None
    drop: str | None = None
    delay: float = 0.0
    delay_after: float = 0.0
    malformed: str | None = None
    outcome: str | None = None
    missing: str = "images"
    import_seconds: float | None = None
    lag: float = 0.0
    late: float | None = None

    def __post_init__(self) -> None:
        choices = {"shape": errors.SHAPES, "drop": DROPS, "malformed": MALFORMED, "outcome": OUTCOMES,
                   "missing": MISSING}
        for name, allowed in choices.items():
            if getattr(self, name) not in (None, *allowed):
                raise ValueError(f"{name} is one of {', '.join(allowed)}")

    @property
    def drops(self) -> bool:
        """Whether the connection is cut without an answer."""
        return self.drop is not None or self.late is not None

    def answer(self, operation: str, token: str, key: str) -> tuple | None:
        """The answer in place of the work, as (body, status, headers); None where the work is to be done.

        A message may quote the import token or the key, as ``{token}`` and ``{key}``.
        """
        if self.redirect is not None:
            return "", self.status or 302, {**self.headers, "Location": self.redirect}
        if self.status is None:
            return None
        shape = self.shape or ("gateway" if self.status in errors.OF_THE_GATEWAY else "service")
        message = self.message and self.message.replace("{token}", token).replace("{key}", key)
        body, status, headers = errors.answer(shape, self.status, self.code, message, operation)
        return body, status, {**headers, **self.headers}

    def plan(self, seconds: float) -> ImportPlan:
        """How an import goes that would take so many seconds."""
        if self.import_seconds is not None:
            seconds = self.import_seconds
        return ImportPlan(seconds, self.outcome, self.missing, self.lag)


class Faults:
    """The faults asked for, in order: of those for a request the first that is due is used."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, operation: str, **arguments) -> None:
        """Ask for a fault of an operation, or of ``*``, which is all of them.

        Raises ValueError for an unknown operation or choice, TypeError for an unknown argument.
        """
        if operation != "*" and operation not in self._operations:
            raise ValueError(f"there is no operation {operation}")
        fault = Fault(operation, **arguments)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._faults.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault of a request that just came in, None for most. Each one counts the requests it could have had."""
        with self._lock:
            waiting = [fault for fault in self._faults if fault.operation in ("*", operation) and fault.times != 0]
            due = next((fault for fault in waiting if fault.after == 0), None)
            for fault in waiting:
                fault.after = max(0, fault.after - 1)
            if due is not None and due.times is not None:
                due.times -= 1
            return due
