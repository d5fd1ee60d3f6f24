# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What fleet.py has measured, as a part of docs/performance.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import page

if TYPE_CHECKING:
    from fleet import Measured

START = "<!-- fleet: written by make bench -->"
MIB = 2**20
COLUMNS = (
    "work", "layout", "destinations", "projects each", "requests at the source", "at the destinations",
    "refused (429)", "time / first row's", "time / floor", "processors busy", "largest process, MiB",
    "all processes, MiB",
)


def write(docs: Path, measured: list[Measured]) -> None:
    """Replaces what an earlier run wrote."""
    rows = [_cells(each, _those(measured, work=each.layout.work)[0]) for each in measured]
    page.put(docs, START, [page.table(COLUMNS, 2, rows), *_notes(measured), _growth(measured), _memory(measured)])


def _cells(each: Measured, first: Measured) -> list[str]:
    layout, usage, traffic = each.layout, each.usage, each.traffic
    mark = " ¹" if layout.rate_limit < each.conditions.rate else " ²" if each.conditions.scale > 1 else ""
    slices = f"{layout.slices} × " if layout.slices else ""
    return [
        layout.work + mark,
        f"{slices}{layout.forks} forks",
        str(layout.destinations),
        str(each.conditions.projects),
        str(traffic.source.total()),
        str(traffic.destination.total()),
        f"{traffic.refused} ({traffic.refused / traffic.requests:.0%})",
        f"{each.seconds / first.seconds:.2f}",
        f"{each.seconds / each.least_seconds:.2f}" if each.least_seconds >= 1 else "-",
        f"{usage.processor / usage.seconds / os.cpu_count():.0%}",
        f"{usage.largest / MIB:.0f}",
        f"{usage.together / MIB:.0f}",
    ]


def _notes(measured: list[Measured]) -> list[str]:
    """What the table's numbers rest on."""
    (slow,) = [each for each in measured if each.layout.rate_limit < each.conditions.rate]
    (scaled,) = [each for each in measured if each.conditions.scale > 1]
    conditions, scale = scaled.conditions, scaled.conditions.scale
    return [
        f"An answer takes {conditions.latency * 1000:g} ms, an import {conditions.import_seconds:g} s; each resource "
        f"answers {conditions.rate} requests in any second. A time is that of the whole command, its first row is that "
        "of the same work, and no floor is told that is less than a second. \"4 × 5 forks\" are four ansible-runner "
        "processes at the same time, each a slice of the hosts with five forks; more than two for each core were not "
        "tried. Everything ran on this one machine, the emulator too, which took "
        f"{max(each.emulator for each in measured):.0%} of one core at most.",
        f"¹ With `promote_rate_limit` at {slow.layout.rate_limit:g}.",
        f"² Import time, latency, interval of looks and rate limits all {scale} times as fast, and the time multiplied "
        f"by {scale}. What Ansible takes, and the pause after a refusal, are not faster, so they weigh {scale} times "
        "as much here.",
    ]


def _growth(measured: list[Measured]) -> str:
    """What grows with the destinations."""
    least = min(each.layout.forks for each in measured)
    lines = []
    for work in ("present", "latest"):
        those = _those(measured, work=work, forks=least, slices=0)
        few, many = those[0], those[-1]
        lines.append(
            f"`{work}` takes {_answered(many) / _answered(few):.2f} times the requests that are not refused, "
            f"{many.seconds / few.seconds:.2f} times the time, and {many.usage.together / few.usage.together:.2f} "
            "times the memory"
        )
    before, after = few.layout.destinations, many.layout.destinations
    return f"For {after} destinations instead of {before}, {after / before:g} times as many: {'; '.join(lines)}."


def _memory(measured: list[Measured]) -> str:
    """What a fork costs, and a slice: by the runs that differ in nothing else."""
    every = max(each.layout.destinations for each in measured)
    plain = sorted(_those(measured, work="latest", destinations=every, slices=0), key=lambda each: each.layout.forks)
    sliced = [each for each in _those(measured, work="present") if each.layout.slices]
    few, many = (min(each.layout.forks, every) for each in (plain[0], plain[-1]))
    slices = sliced[-1].layout.slices - sliced[0].layout.slices
    return (
        f"Each further fork that has a host to work on takes {_added(plain) / (many - few):.0f} MiB (`latest`, {few} "
        f"to {many} forks), each further slice of {sliced[0].layout.forks} forks {_added(sliced) / slices:.0f} MiB "
        "(`present`)."
    )


def _those(measured: list[Measured], **wanted) -> list[Measured]:
    """The runs with such a layout."""
    return [each for each in measured if wanted.items() <= vars(each.layout).items()]


def _answered(each: Measured) -> int:
    return each.traffic.requests - each.traffic.refused


def _added(measured: list[Measured]) -> float:
    """The MiB that the last run took more than the first, all processes together."""
    return (measured[-1].usage.together - measured[0].usage.together) / MIB
