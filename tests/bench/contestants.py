# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is measured, and one measurement of each."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from service import Conditions, Service, Traffic, served

HERE = Path(__file__).resolve().parent
STATES = ("present", "latest")
SCALE = 10  # of time, for what would take too long
MODULE, URI, GUIDE, SDK = "cv_project_copy", "uri tasks", "guide, one by one", "SDK, one by one"


def playbook(name: str, **variables: str) -> list[str]:
    """A command that runs a playbook."""
    given = [argument for pair in variables.items() for argument in ("-e", "=".join(pair))]
    return [str(Path(sys.executable).with_name("ansible-playbook")), str(HERE / name), *given]


COMMANDS = {
    MODULE: playbook("module.yml", state="present"),
    URI: playbook("uri.yml"),
    GUIDE: [sys.executable, str(HERE / "guide.py")],
    SDK: [sys.executable, str(HERE / "sdk.py")],
}


@dataclass(frozen=True)
class Measured:
    """What one contestant needed for so many projects: seconds of the whole command, median of its runs."""

    name: str
    conditions: Conditions
    seconds: float
    traffic: Traffic


def run(command: list[str], service: Service) -> float:
    """The seconds that a command takes; the benchmark ends where it fails."""
    start = time.monotonic()
    done = subprocess.run(
        command, env=service.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", check=False,
    )
    seconds = time.monotonic() - start
    if done.returncode:
        raise SystemExit(f"The benchmark stops here: {Path(command[-1]).name} failed.\n{done.stdout[-2000:]}")
    return seconds


def copy(name: str, conditions: Conditions, repetitions: int = 1) -> Measured:
    """A contestant copies all projects to an empty resource; each time with a new service."""
    runs = []
    for _repetition in range(repetitions):
        with served(conditions) as service:
            seconds, traffic = run(COMMANDS[name], service), service.traffic()
            service.expect_copies()
        runs.append((seconds * conditions.scale, traffic))
        seconds, _traffic = runs[-1]
        print(f"{conditions.projects:4} projects  {name:18} {seconds:7.1f} s, {traffic.requests} requests", flush=True)
    seconds = statistics.median(seconds for seconds, _traffic in runs)
    # The run in the middle; of the worst one only what was refused.
    middle = min(runs, key=lambda one: abs(one[0] - seconds))[1]
    return Measured(name, conditions, seconds, replace(middle, refused=max(traffic.refused for _s, traffic in runs)))


def race(conditions: Conditions, repetitions: int) -> list[Measured]:
    """All contestants. Those that go one by one mostly sleep, so they run at the same time as others.

    For more than ten projects they would take too long: then all times of theirs are SCALE times shorter, and
    nobody else runs.
    """
    scaled = conditions.projects > 10
    slow = replace(conditions, scale=SCALE if scaled else 1)
    with ThreadPoolExecutor(max_workers=2) as pool:
        one_by_one = [pool.submit(copy, name, slow) for name in (GUIDE, SDK)]
        if scaled:
            pool.shutdown()
        overlapping = [copy(MODULE, conditions, repetitions), copy(URI, conditions)]
    return overlapping + [each.result() for each in one_by_one]


def idle(conditions: Conditions, repetitions: int) -> dict[str, float]:
    """Whole runs with nothing to do, as multiples of a playbook that sends one request."""
    commands = {"get": playbook("get.yml"), **{state: playbook("module.yml", state=state) for state in STATES}}
    with served(conditions) as service:
        run(COMMANDS[MODULE], service)
        # In turns, so that whatever else the machine does meets all of them.
        runs = [{name: run(command, service) for name, command in commands.items()} for _number in range(repetitions)]
    median = {name: statistics.median(each[name] for each in runs) for name in commands}
    return {state: median[state] / median["get"] for state in STATES}
