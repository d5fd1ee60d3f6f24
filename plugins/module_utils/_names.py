# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that this collection gives, and how it knows them again. Pure functions.

A copy waits under ``NAME (incoming 20261123T190000Z 0a1b2c3d)`` until it is proven; what had to
yield is called ``NAME (failed 20261123T190000Z)``. A name that does not match exactly is somebody's own.
"""

from __future__ import annotations

import re
import secrets
import typing as t
from datetime import datetime, timedelta, timezone

INCOMING = "incoming"
FAILED = "failed"
SUPERSEDED = "superseded"
WITHDRAWN = "withdrawn"
STAMP = "%Y%m%dT%H%M%SZ"

# The service calls a second import of one name ``NAME (1)``, so an import that was sent twice
# bears the run's mark with such a number behind it (recorded SDK traffic).
_OURS = re.compile(
    r"(?P<name>.+) \((?:"
    rf"(?P<incoming>{INCOMING}) (?P<at>\d{{8}}T\d{{6}}Z) (?P<run>[0-9a-f]{{8}})\)(?: \(\d+\))?"
    rf"|(?P<aside>{FAILED}|{SUPERSEDED}|{WITHDRAWN}) (?P<since>\d{{8}}T\d{{6}}Z)\))",
    re.DOTALL,
)


class OurName(t.NamedTuple):
    """A name of ours taken apart. ``stamp`` sorts by time; ``run`` is empty but for incoming copies."""

    name: str
    kind: str
    stamp: str
    run: str


def our_name(name: str) -> OurName | None:
    """The parts of a name that this collection gave, or None where it did not give it."""
    found = _OURS.fullmatch(name)
    if found is None:
        return None
    kind, stamp = found["incoming"] or found["aside"], found["at"] or found["since"]
    try:
        parse_stamp(stamp)
    except ValueError:
        return None  # digits that are no time
    return OurName(found["name"], kind, stamp, found["run"] or "")


def new_run() -> str:
    """The mark of one copy in one run, by which an import in doubt is recognised."""
    return secrets.token_hex(4)


def incoming_name(name: str, now: datetime, run: str) -> str:
    return f"{name} ({INCOMING} {_stamp(now)} {run})"


def aside_name(name: str, kind: str, now: datetime, taken: t.Collection[str]) -> str:
    """The name for what must yield; where it is taken, a second is added."""
    candidate = f"{name} ({kind} {_stamp(now)})"
    while candidate in taken:
        now += timedelta(seconds=1)
        candidate = f"{name} ({kind} {_stamp(now)})"
    return candidate


def parse_stamp(stamp: str) -> datetime:
    """The time (UTC) in a name of ours; ValueError where the digits are none."""
    return datetime.strptime(stamp, STAMP).replace(tzinfo=timezone.utc)


def folded(name: str) -> str:
    """Equal for names that differ only by case or by spaces at the ends."""
    return name.strip().casefold()


def _stamp(now: datetime) -> str:
    return now.strftime(STAMP)
