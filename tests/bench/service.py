# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated service in a process of its own, as far away as the real one: latency, import time, rate limit."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from emulator import Emulator

RATE = 10  # requests a second that the service allows (its documentation: limits and quotas)
LATENCY = 0.06  # seconds that each answer takes
IMPORT_SECONDS = 10.0  # recorded imports of small projects took 7.6 and 14 s
SOURCE = "dev"


@dataclass(frozen=True)
class Conditions:
    """How the service is: ``projects`` at the source, and in each destination too where they are ``filled``.

    ``scale``: every time in it is so many times shorter than told here.
    """

    projects: int
    import_seconds: float = IMPORT_SECONDS
    latency: float = LATENCY
    rate: int = RATE
    scale: int = 1
    destinations: int = 1
    filled: bool = False


@dataclass(frozen=True)
class Traffic:
    """What the service saw: requests by side, how many of them it refused with 429, seconds from first to last.

    All destinations are one side.
    """

    source: Counter
    destination: Counter
    refused: int
    seconds: float

    @property
    def requests(self) -> int:
        return self.source.total() + self.destination.total()


class Service:
    """A running service, in the process ``pid``."""

    def __init__(self, described: dict[str, dict[str, str]], conditions: Conditions, pid: int) -> None:
        self.conditions = conditions
        self.pid = pid
        self._described = described
        self._destinations = [name for name in described if name != SOURCE]
        self._seen = dict.fromkeys(described, 0)

    def environment(self) -> dict[str, str]:
        """Where everybody who is measured finds the source and the first destination."""
        sides = {"SOURCE": self._described[SOURCE], "DESTINATION": self._described[self._destinations[0]]}
        connections = {
            f"VISION_{side}_TRAINING_{key.removeprefix('training_').upper()}": resource[key]
            for side, resource in sides.items()
            for key in ("endpoint", "training_key")
        }
        poll = str(1 / self.conditions.scale)
        return {**os.environ, **connections, "BENCH_POLL": poll, "no_proxy": "127.0.0.1"}

    def hosts(self, count: int) -> dict[str, dict]:
        """So many destinations as the hosts of an inventory, with their variables."""
        keys = ("endpoint", "training_key")
        return {
            name: {"promote_destination": {key: self._described[name][key] for key in keys}}
            for name in self._destinations[:count]
        }

    def traffic(self) -> Traffic:
        """What went on since this was last asked."""
        records = {name: self._records(name)[self._seen[name]:] for name in self._described}
        for name, new in records.items():
            self._seen[name] += len(new)
        at_source = records.pop(SOURCE)
        at_destinations = [record for new in records.values() for record in new]
        every = at_source + at_destinations
        moments = [record["at"] for record in every]
        return Traffic(
            *(Counter(record["operation"] for record in side) for side in (at_source, at_destinations)),
            sum(record["status"] == 429 for record in every),
            max(moments) - min(moments) + self.conditions.latency / self.conditions.scale,
        )

    def expect_copies(self) -> None:
        """Ends the benchmark where a destination has not a copy of every project, or has anything else."""
        time.sleep(1)  # these requests are not to be refused for those before them
        for name in self._destinations:
            listed = self._get(name, "/customvision/v3.3/training/projects")
            whole = [project for project in listed if project["status"] == "Succeeded" and "(" not in project["name"]]
            if not len(whole) == len(listed) == self.conditions.projects:
                raise SystemExit(
                    f"The benchmark stops here: of {self.conditions.projects} projects {name} has {len(whole)} whole "
                    f"copies, and {len(listed) - len(whole)} others."
                )

    def _records(self, name: str) -> list[dict]:
        return self._get(name, "/emulator/requests")

    def _get(self, name: str, path: str) -> list[dict]:
        resource = self._described[name]
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                resource["endpoint"] + path, headers={"Training-Key": resource["training_key"]}, timeout=60
            )
        answer.raise_for_status()
        return answer.json()


@contextlib.contextmanager
def served(conditions: Conditions) -> Iterator[Service]:
    """A fresh service, its source filled; gone when the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        description = Path(folder, "resources.json")
        arguments = json.dumps([vars(conditions), str(description)])
        with subprocess.Popen([sys.executable, __file__, arguments], stdin=subprocess.PIPE) as process:
            try:
                while not description.exists():
                    if process.poll() is not None:
                        raise SystemExit("The benchmark stops here: the emulator did not start.")
                    time.sleep(0.05)
                yield Service(json.loads(description.read_text(encoding="utf-8")), conditions, process.pid)
            finally:
                process.terminate()


def serve(conditions: Conditions, description: Path) -> None:
    """Serves until the process is ended; the limits begin when everything is filled."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where the emulator's package is
    from emulator import Emulator
    from emulator.cli import write_private

    seconds = conditions.import_seconds / conditions.scale
    names = [SOURCE] + [f"prod-{number:02}" for number in range(1, conditions.destinations + 1)]
    with Emulator(names, import_seconds=seconds, training_seconds=0) as emulator:
        fill(emulator, conditions)
        for resource in emulator.resources.values():
            resource.requests.clear()
            resource.latency = conditions.latency / conditions.scale
            resource.rate_limit = conditions.rate * conditions.scale
        described = {name: resource.describe() for name, resource in emulator.resources.items()}
        write_private(description, json.dumps(described))
        threading.Event().wait()


def fill(emulator: Emulator, conditions: Conditions) -> None:
    """Makes projects at the source and, where wanted, a finished copy of each in every destination."""
    from emulator.samples import make_project
    from emulator.transfer import ImportPlan

    source, *destinations = emulator.resources.values()
    for number in range(1, conditions.projects + 1):
        make_project(source, f"Model {number:03}", tags=1, images=2)
    if not conditions.filled:
        return
    # Not by request: for a fleet there would be thousands.
    for project in source.store.projects.values():
        package, _link = source.store.export(project)
        for destination in destinations:
            destination.store.start_import(package, None, ImportPlan(seconds=0))


if __name__ == "__main__":
    given, path = json.loads(sys.argv[1])
    serve(Conditions(**given), Path(path))
