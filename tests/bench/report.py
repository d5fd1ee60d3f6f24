# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results as a part of docs/performance.md, and as a plot beside it."""

from __future__ import annotations

from pathlib import Path

import floor
import matplotlib
import page
from contestants import GUIDE, MODULE, SCALE, SDK, URI, Measured

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

START = "<!-- measured: written by make bench -->"
PLOT = "![Time as a multiple of the bare floor, by number of projects](performance.svg)"
COLUMNS = (
    "projects", "who", "requests at the source", "at the destination", "refused (429)", "time / bare floor",
    "time / verified floor", "time / module's",
)
STYLES = {GUIDE: "s--", SDK: "x:", URI: "^-.", MODULE: "o-"}


def write(docs: Path, measured: list[Measured], idle: dict[str, float], startup: dict) -> None:
    """Replaces what an earlier run wrote."""
    rows = [_cells(each, _module(measured, each)) for each in measured]
    parts = [page.table(COLUMNS, 2, rows), PLOT, *_service(measured), _idle(idle), _startup(startup)]
    _plot(measured, docs / "performance.svg")
    page.put(docs, START, parts)


def _module(measured: list[Measured], other: Measured) -> Measured:
    """The module's run with as many projects."""
    return next(
        each for each in measured
        if each.name == MODULE and each.conditions.projects == other.conditions.projects
    )


def _cells(each: Measured, module: Measured) -> list[str]:
    is_module = each is module
    who = f"**{each.name}**" if is_module else each.name + (" ¹" if each.conditions.scale > 1 else "")
    return [
        str(each.conditions.projects),
        who,
        str(each.traffic.source.total()),
        str(each.traffic.destination.total()),
        str(each.traffic.refused),
        f"{each.seconds / floor.bare(each.conditions):.2f}",
        f"{each.seconds / floor.verified(each.conditions):.2f}" if is_module else "does not verify",
        f"{each.seconds / module.seconds:.2f}",
    ]


def _service(measured: list[Measured]) -> list[str]:
    """What the table's numbers rest on."""
    conditions = measured[0].conditions
    parts = ", ".join(
        f"{each.traffic.seconds / floor.verified(each.conditions):.2f} with {each.conditions.projects}"
        for each in measured if each.name == MODULE
    )
    told = [
        f"An import takes {conditions.import_seconds:g} s here, an answer {conditions.latency * 1000:g} ms, and each "
        f"resource answers {conditions.rate} requests in any second. Without what Ansible takes to start and to end, "
        f"that is from the module's first request to its last, it needs this many times the verified floor: {parts}."
    ]
    if any(each.conditions.scale > 1 for each in measured):
        told.append(
            "¹ One after the other, these would take too long: they ran with an import time, latency, interval of "
            f"looks and rate limit all {SCALE} times as fast, and their time was multiplied by {SCALE}."
        )
    return told


def _idle(idle: dict[str, float]) -> str:
    return (
        f"A whole run of `ansible-playbook` with nothing to do for ten projects takes {idle['present']:.2f} times "
        f"(`present`) and {idle['latest']:.2f} times (`latest`) as long as one with a single `uri` GET."
    )


def _startup(startup: dict) -> str:
    slowest = ", ".join(f"`{name}` ({startup['spent'][name] / startup['total']:.1%})" for name in startup["more"][:3])
    return (
        f"All imports of the module take {startup['ratio']:.2f} times as long as those of a module that imports only "
        f"`requests`; {startup['ours']:.0%} of its time is the reading of the collection's own files, which Ansible "
        f"sends as source. What it adds of Python's library is small; the most: {slowest}."
    )


def _plot(measured: list[Measured], path: Path) -> None:
    """Time as a multiple of the bare floor, by number of projects."""
    # Words stay words, and the same numbers give the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "cvops"})
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, style in STYLES.items():
        own = [each for each in measured if each.name == name]
        axes.plot(
            [each.conditions.projects for each in own],
            [each.seconds / floor.bare(each.conditions) for each in own], style, label=name,
        )
    every = [each.conditions for each in measured if each.name == MODULE]
    axes.plot(
        [each.projects for each in every], [floor.verified(each) / floor.bare(each) for each in every], ":",
        color="grey", label="verified floor",
    )
    axes.axhline(1, color="grey", linewidth=0.8, label="bare floor")
    axes.set(xscale="log", yscale="log", xlabel="projects", ylabel="time / bare floor")
    numbers = [each.projects for each in every]
    axes.set_xticks(numbers, map(str, numbers))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
