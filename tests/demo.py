# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Promotes sample projects from an emulated dev to an emulated prod: in check mode, for real, and once more."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from emulator.samples import sdk

PLAYBOOK = ["ansible-playbook", "cvops.custom_vision.promote", "-e", "promote_match=*"]
# What a run is, its arguments, and whether it has something to do.
RUNS = [
    ("Check mode: what would be done", ["--check", "--diff"], True),
    ("For real; the emulated imports take a few seconds", [], True),
    ("Once more: there is nothing left to do", [], False),
]
ROW = "{:<10}{:<18}{:>12}{:>6}{:>15}"
Resources = dict[str, SimpleNamespace]


@contextlib.contextmanager
def emulated() -> Iterator[Resources]:
    """Dev and prod, dev with sample projects; they are gone when the block is left, however that happens."""
    with tempfile.TemporaryDirectory() as folder:
        description = Path(folder, "resources.json")
        process = subprocess.Popen([
            sys.executable, str(Path(__file__).with_name("emulator")), "--resources", "dev,prod", "--samples", "dev",
            "--import-seconds", "4", "--describe", str(description),
        ])
        try:
            while not description.exists():
                if process.poll() is not None:
                    raise SystemExit("The demo stops here: the emulator did not start.")
                time.sleep(0.1)
            described = json.loads(description.read_text(encoding="utf-8"))
            yield {name: SimpleNamespace(**resource) for name, resource in described.items()}
        finally:
            process.terminate()
            process.wait()


def environment(resources: Resources) -> dict[str, str]:
    """Where the playbook finds its connections; no command line and no file holds a key."""
    return {
        **os.environ,
        "VISION_SOURCE_TRAINING_ENDPOINT": resources["dev"].endpoint,
        "VISION_SOURCE_TRAINING_KEY": resources["dev"].training_key,
        "VISION_DESTINATION_TRAINING_ENDPOINT": resources["prod"].endpoint,
        "VISION_DESTINATION_TRAINING_KEY": resources["prod"].training_key,
        # It needs no inventory, so there is no need to be told that there is none.
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }


def run(title: str, command: list[str], variables: dict[str, str]) -> int:
    """Run a playbook before the user's eyes; the number of tasks that changed something."""
    print(f"\n=== {title}\n$ {shlex.join(command)}", flush=True)
    output = ""
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            output += line
    if process.returncode:
        raise SystemExit(f"The demo stops here: the playbook failed with exit status {process.returncode}.")
    return int(re.search(r" ok=\d+ +changed=(\d+) ", output)[1])


def show(resources: Resources) -> None:
    """What is where, by the official SDK."""
    print("=== What is where now, by the official SDK")
    print(ROW.format("resource", "project", "iterations", "tags", "tagged images"))
    for name, resource in resources.items():
        client = sdk(resource)
        for project in sorted(client.get_projects(), key=lambda project: project.name):
            counts = (
                len(client.get_iterations(project.id)),
                len(client.get_tags(project.id)),
                client.get_tagged_image_count(project.id),
            )
            print(ROW.format(name, project.name, *counts))


def main() -> None:
    # A termination raises, so that the emulator is stopped as after an interrupt.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(128 + signal.SIGTERM))
    # A proxy of the user's would not find this machine's loopback addresses.
    os.environ["no_proxy"] = "127.0.0.1"
    print("Starting the emulator and filling dev with sample projects")
    with emulated() as resources:
        variables = environment(resources)
        for title, arguments, has_work in RUNS:
            changed = run(title, [*PLAYBOOK, *arguments], variables)
            if bool(changed) != has_work:
                expected = "at least 1" if has_work else "0"
                raise SystemExit(f"The demo failed: changed={changed} where {expected} was expected.")
        show(resources)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
