# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command, run as its users run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

EMULATOR = Path(__file__).resolve().parents[2] / "emulator"
PATIENCE = 20  # seconds


@contextmanager
def run(*arguments):
    """The command, killed at the end if it is still there."""
    command = [sys.executable, str(EMULATOR), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(file):
    """What was described to a file, once it is there."""
    end = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < end, "nothing was described"
        time.sleep(0.01)
    return json.loads(file.read_text(encoding="utf-8"))


def get(resource, path):
    url = f"{resource['endpoint']}/customvision/v3.3/training{path}"
    return requests.get(url, headers={"Training-Key": resource["training_key"]}, timeout=PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_describes_what_it_serves_to_a_private_file_and_ends_cleanly(tmp_path, number):
    file = tmp_path / "described.json"
    with run("--resources", "dev,prod", "--describe", str(file)) as process:
        described = wait_for(file)
        assert list(described) == ["dev", "prod"]
        for resource in described.values():
            assert set(resource) == {"endpoint", "training_key", "access_token", "prediction_resource_id"}
            assert get(resource, "/projects").json() == []
        assert described["dev"]["training_key"] != described["prod"]["training_key"]
        assert file.stat().st_mode & 0o777 == 0o600
        assert os.listdir(tmp_path) == ["described.json"]
        process.send_signal(number)
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0


def test_without_a_file_it_prints_the_same_and_samples_are_there_by_then():
    with run("--resources", "dev,prod", "--samples", "dev", "--training-seconds", "0") as process:
        described = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        assert len(get(described["dev"], "/projects").json()) == 3
        assert get(described["prod"], "/projects").json() == []


@pytest.mark.parametrize("arguments, sentence", [
    ([], "the following arguments are required: --resources"),
    (["--resources", ""], "is not a list of different names"),
    (["--resources", "a,a"], "is not a list of different names"),
    (["--resources", "a", "--samples", "b"], "there is no resource b"),
    (["--resources", "a", "--describe", "/nowhere/at/all"], "there is no folder /nowhere/at"),
    (["--resources", "a", "--import-seconds", "-1"], "-1 is not a time in seconds"),
    (["--resources", "a", "--import-seconds", "nan"], "nan is not a time in seconds"),
    (["--resources", "a", "--training-seconds", "soon"], "invalid seconds value: 'soon'"),
])
def test_bad_options_get_one_sentence(capsys, arguments, sentence):
    from emulator.cli import main
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
