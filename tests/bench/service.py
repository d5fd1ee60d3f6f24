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

import requests

RATE = 10  # requests a second that the service allows (its documentation: limits and quotas)
LATENCY = 0.06  # seconds that each answer takes
IMPORT_SECONDS = 10.0  # recorded imports of small projects took 7.6 and 14 s


@dataclass(frozen=True)
class Conditions:
    """How the service is. ``scale``: every time in it is so many times shorter than told here."""

    projects: int
    import_seconds: float = IMPORT_SECONDS
    latency: float = LATENCY
    rate: int = RATE
    scale: int = 1


@dataclass(frozen=True)
class Traffic:
    """What the service saw: requests by side, how many of them it refused with 429, seconds from first to last."""

    source: Counter
    destination: Counter
    refused: int
    seconds: float

    @property
    def requests(self) -> int:
        return self.source.total() + self.destination.total()


class Service:
    """A running service."""

    def __init__(self, described: dict[str, dict[str, str]], conditions: Conditions) -> None:
        self._described = described
        self._conditions = conditions
        self._seen = {"dev": 0, "prod": 0}

    def environment(self) -> dict[str, str]:
        """Where everybody who is measured finds the two resources."""
        sides = {"SOURCE": self._described["dev"], "DESTINATION": self._described["prod"]}
        connections = {
            f"VISION_{side}_TRAINING_{key.removeprefix('training_').upper()}": resource[key]
            for side, resource in sides.items()
            for key in ("endpoint", "training_key")
        }
        poll = str(1 / self._conditions.scale)
        return {**os.environ, **connections, "BENCH_POLL": poll, "no_proxy": "127.0.0.1"}

    def traffic(self) -> Traffic:
        """What went on since this was last asked."""
        records = {name: self._records(name)[self._seen[name]:] for name in self._described}
        for name, new in records.items():
            self._seen[name] += len(new)
        every = [record for new in records.values() for record in new]
        moments = [record["at"] for record in every]
        return Traffic(
            *(Counter(record["operation"] for record in records[name]) for name in ("dev", "prod")),
            sum(record["status"] == 429 for record in every),
            max(moments) - min(moments) + self._conditions.latency / self._conditions.scale,
        )

    def expect_copies(self) -> None:
        """Ends the benchmark where not every project was copied."""
        time.sleep(1)  # this request is not to be refused for those before it
        listed = self._get("prod", "/customvision/v3.3/training/projects")
        whole = [project for project in listed if project["status"] == "Succeeded" and "(" not in project["name"]]
        if len(whole) != self._conditions.projects:
            raise SystemExit(f"The benchmark stops here: {len(whole)} of {self._conditions.projects} were copied.")

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
    """Two fresh resources, the source filled; gone when the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        description = Path(folder, "resources.json")
        arguments = json.dumps([vars(conditions), str(description)])
        with subprocess.Popen([sys.executable, __file__, arguments], stdin=subprocess.PIPE) as process:
            try:
                while not description.exists():
                    if process.poll() is not None:
                        raise SystemExit("The benchmark stops here: the emulator did not start.")
                    time.sleep(0.05)
                yield Service(json.loads(description.read_text(encoding="utf-8")), conditions)
            finally:
                process.terminate()


def serve(conditions: Conditions, description: Path) -> None:
    """Serves until the process is ended; the limits begin when the source is filled."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where the emulator's package is
    from emulator import Emulator
    from emulator.cli import write_private
    from emulator.samples import make_project

    seconds = conditions.import_seconds / conditions.scale
    with Emulator(["dev", "prod"], import_seconds=seconds, training_seconds=0) as emulator:
        for number in range(1, conditions.projects + 1):
            make_project(emulator["dev"], f"Model {number:03}", tags=1, images=2)
        emulator["dev"].requests.clear()
        for resource in emulator.resources.values():
            resource.latency = conditions.latency / conditions.scale
            resource.rate_limit = conditions.rate * conditions.scale
        described = {name: resource.describe() for name, resource in emulator.resources.items()}
        write_private(description, json.dumps(described))
        threading.Event().wait()


if __name__ == "__main__":
    given, path = json.loads(sys.argv[1])
    serve(Conditions(**given), Path(path))
