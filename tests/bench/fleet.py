# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python tests/bench/fleet.py``: many destinations from one source, a host each, by forks and by slices of a job."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import fleet_report
import floor
import processes
from page import DOCS
from service import RATE, Conditions, Service, Traffic, served

PLAYBOOK = "cvops.custom_vision.promote"
BIN = Path(sys.executable).parent
LIMIT = 900  # seconds; all of it should take half of that
FEW = 2  # projects, where the source's rate limit would make the whole number take too long
SCALE = 5  # of time, for the first copy of the whole number
WAIT_SLEEP = 5  # seconds, the role's default
PRESENT, LATEST, FIRST = "present", "latest", "first copy"
READS = {PRESENT: 0, LATEST: 3, FIRST: 4}  # requests at the source for each project


@dataclass(frozen=True)
class Layout:
    """How the destinations are worked on.

    ``slices``: 0 is one ansible-playbook, else so many ansible-runner processes at once, each with its part of the
    hosts and so many ``forks``. ``rate_limit``: requests a second that each host allows itself.
    """

    work: str
    destinations: int
    forks: int
    slices: int = 0
    rate_limit: float = RATE


@dataclass(frozen=True)
class Measured:
    """One run; ``emulator`` is the part of one core that the emulated service took."""

    layout: Layout
    conditions: Conditions
    usage: processes.Usage
    traffic: Traffic
    emulator: float

    @property
    def seconds(self) -> float:
        """What the run would have taken had time not been scaled."""
        return self.usage.seconds * self.conditions.scale

    @property
    def least_seconds(self) -> float:
        """What the service makes of it."""
        return floor.fleet(self.conditions, READS[self.layout.work], self.layout.work == FIRST)


def plan(destinations: list[int], projects: int, forks: list[int]) -> list[tuple[Conditions, list[Layout]]]:
    """What is measured on which service: more and more destinations, then more and more forks, then slices."""
    every, least, more, most = destinations[-1], forks[0], forks[1], forks[-1]
    slices = sorted({1, 2, min(5, 2 * os.cpu_count())})
    present = [Layout(PRESENT, count, least) for count in destinations]
    present += [Layout(PRESENT, every, number) for number in forks[1:]]
    present += [Layout(PRESENT, every, least, number) for number in slices]
    latest = [Layout(LATEST, count, least) for count in destinations]
    latest += [Layout(LATEST, every, number) for number in (more, most)]
    latest += [Layout(LATEST, every, more, rate_limit=RATE / more), Layout(LATEST, every, least, slices[-1])]
    filled = Conditions(projects, destinations=every, filled=True)
    return [
        (filled, present),
        (replace(filled, projects=min(FEW, projects)), latest),
        (Conditions(projects, destinations=every, scale=SCALE), [Layout(FIRST, every, more)]),
    ]


def job(folder: Path, hosts: dict[str, dict], layout: Layout, scale: int) -> list[str]:
    """The command of a job, or of a slice; what it reads is written to a folder as ansible-runner wants it."""
    inventory, variables = folder / "inventory/hosts.json", folder / "env/extravars"
    for path, content in {
        inventory: {"all": {"hosts": hosts}},
        variables: {
            "promote_hosts": "all",
            "promote_match": "*",
            "promote_state": LATEST if layout.work == LATEST else PRESENT,
            "promote_rate_limit": layout.rate_limit * scale,
            "promote_wait_sleep": WAIT_SLEEP / scale,
        },
    }.items():
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    if layout.slices:
        return [
            str(BIN / "ansible-runner"), "run", str(folder), "--playbook", PLAYBOOK, "--ident", "1",
            f"--cmdline=--forks {layout.forks}",
        ]
    return [
        str(BIN / "ansible-playbook"), "-i", str(inventory), "-e", f"@{variables}", "--forks", str(layout.forks),
        PLAYBOOK,
    ]


def measure(service: Service, layout: Layout, deadline: float) -> Measured:
    """One layout; the benchmark ends where it fails."""
    conditions = replace(service.conditions, destinations=layout.destinations)
    hosts, jobs = list(service.hosts(layout.destinations).items()), max(1, layout.slices)
    environment = {**service.environment(), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    before = processes.processor_seconds(service.pid)
    with tempfile.TemporaryDirectory() as folder:
        # Every n-th host, as Tower does it.
        commands = [
            job(Path(folder, str(number)), dict(hosts[number::jobs]), layout, conditions.scale)
            for number in range(jobs)
        ]
        usage = processes.run(commands, environment, deadline)
    emulator = (processes.processor_seconds(service.pid) - before) / usage.seconds
    measured = Measured(layout, conditions, usage, service.traffic(), emulator)
    print(f"{layout}: {measured.seconds:.1f} s, {measured.traffic.requests} requests", flush=True)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="fleet", description="Measure promotions to many destinations.")
    parser.add_argument("--destinations", default="10,25,50", help="from few to all, with commas between")
    parser.add_argument("--projects", type=int, default=20, help="of each destination")
    parser.add_argument("--forks", default="5,10,25,50", help="from few to many, with commas between")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of performance.md, to which it is written")
    options = parser.parse_args()
    destinations, forks = (list(map(int, text.split(","))) for text in (options.destinations, options.forks))
    if min(len(destinations), len(forks)) < 2:
        parser.error("give two numbers or more of destinations and of forks")
    processes.end_with_jobs()
    deadline = time.monotonic() + LIMIT
    measured = []
    for conditions, layouts in plan(destinations, options.projects, forks):
        with served(conditions) as service:
            measured += [measure(service, layout, deadline) for layout in layouts]
            service.expect_copies()
    fleet_report.write(options.docs, measured)


if __name__ == "__main__":
    main()
