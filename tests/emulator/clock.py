# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Emulated time: one clock for everything the service says."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


class Clock:
    """UTC, as far ahead of the real time as it was told to be."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The present, aware, cut to the milliseconds that the service keeps."""
        moment = datetime.now(timezone.utc) + self._offset
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def advance(self, **span: float) -> None:
        """Jump ahead, by what timedelta() takes: ``advance(hours=25)``."""
        self._offset += timedelta(**span)


def timestamp(moment: datetime) -> str:
    """A date as the service writes it: ``Z``, at most three fractional digits, trailing zeros cut.

    Source: recorded SDK traffic (``2020-02-11T16:32:10.45Z``).
    """
    fraction = f"{moment.microsecond // 1000:03d}".rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}Z"
