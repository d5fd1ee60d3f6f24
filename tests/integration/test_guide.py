# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's files are written and its commands run, in their order; what they print is what the guide shows."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from emulated import names
from emulator.samples import fill, sdk, train

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide.md"
# A file, commands with their output, or something that is done elsewhere.
PART = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$|^<!-- (?P<elsewhere>here .*?) -->$", re.MULTILINE | re.DOTALL)


@pytest.fixture(name="shell")
def fixture_shell(command, tmp_path, dev, prod):
    """Runs a command of the guide in a shell that has loaded the connections; gives what it printed."""
    (tmp_path / "resources.env").write_text(
        f"VISION_SOURCE_TRAINING_ENDPOINT={dev.endpoint}\nVISION_SOURCE_TRAINING_KEY={dev.training_key}\n"
        f"VISION_DESTINATION_TRAINING_ENDPOINT={prod.endpoint}\nVISION_DESTINATION_TRAINING_KEY={prod.training_key}\n"
        f"VISION_DESTINATION_PREDICTION_RESOURCE_ID={prod.prediction_resource_id}\n"
    )

    def shell(line):
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        loaded = f"set -a; . ./resources.env; set +a; {line}"
        done = command("/bin/bash", "-ec", loaded, environment={"PATH": path, "COLUMNS": "500"})
        assert done.returncode == 0, done.stdout
        return done.stdout

    return shell


def train_and_publish(dev):
    """What somebody does in dev while the guide is followed."""
    client = sdk(dev)
    (project,) = [project for project in client.get_projects() if project.name == "Widget inspection"]
    iteration = train(client, project)
    client.publish_iteration(
        project.id, iteration.id, "production", dev.prediction_resource_id, overwrite=True
    )


def commands(text):
    """Pairs of a command and the lines that the guide shows of its output."""
    return [(block.splitlines()[0], block.splitlines()[1:]) for block in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]


def check_output(shown, printed):
    """Each line that the guide shows is there, in the same order; an ellipsis stands for anything."""
    pattern = ".*".join(re.escape(line).replace("…", "[^\n]*") for line in shown if line != "…")
    assert re.search(pattern, printed, re.DOTALL), f"{pattern}\n\nis not in\n\n{printed}"


def test_the_guide(shell, dev, prod, tmp_path):
    fill(dev)
    addresses = []
    for part in PART.finditer(GUIDE.read_text(encoding="utf-8")):
        if part["elsewhere"]:
            train_and_publish(dev)
        elif part["kind"] == "yaml":
            (tmp_path / re.match(r"# (\S+)\n", part["text"])[1]).write_text(part["text"], encoding="utf-8")
        elif part["kind"] == "console":
            for line, shown in commands(part["text"]):
                check_output(shown, shell(line))
                if "deploy.yml" in line:
                    addresses.append(json.loads((tmp_path / "model.json").read_text())["project_id"])
    first, second, rolled_back, third = addresses
    assert first == rolled_back and len({first, second, third}) == 3
    assert [re.sub(r"\d{8}T\d{6}Z", "", name) for name in names(prod)] == [
        "Widget inspection", "Widget inspection (superseded )", "Widget inspection (withdrawn )",
    ]
    assert third in (tmp_path / "model.json").read_text()
