# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stage that all schedules are played on, and how many there are."""

from __future__ import annotations

import gc
import logging

import pytest
from emulator import Emulator
from emulator.samples import make_project
from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from soak.running import hurry
from soak.schedules import NAMES
from soak.stage import IMPORT_SECONDS

SCHEDULES = 50  # unless told otherwise
LANES = 4  # tests that share them, so that several schedules can be played at a time (pytest -n 4): they mostly wait


def pytest_addoption(parser):
    parser.addoption("--schedules", type=int, default=SCHEDULES, metavar="N", help="how many random schedules are played")


def pytest_generate_tests(metafunc):
    if "share" in metafunc.fixturenames:
        number = metafunc.config.getoption("--schedules", default=SCHEDULES)
        shares = [number // LANES + (lane < number % LANES) for lane in range(LANES)]
        metafunc.parametrize("share", [share for share in shares if share])


@pytest.fixture(name="soak")
def fixture_soak(pytestconfig, share):
    """The settings of Hypothesis for one share of the schedules."""
    return settings(
        max_examples=share,
        deadline=None,
        derandomize=False,
        print_blob=True,
        # Not shrunk: a race that was lost once is seldom lost again.
        phases=[Phase.reuse, Phase.generate],
        database=DirectoryBasedExampleDatabase(pytestconfig.rootpath / ".hypothesis" / "soak"),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(name="emulator", scope="module")
def fixture_emulator():
    with pytest.MonkeyPatch.context() as monkeypatch, Emulator(["dev", "prod"], IMPORT_SECONDS, 0) as emulator:
        hurry(monkeypatch)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        # pytest keeps what is logged, and so the exceptions in it, and so the connections in those, open.
        monkeypatch.setattr(logging.getLogger("urllib3.connectionpool"), "disabled", True)
        yield emulator


@pytest.fixture(name="projects", scope="module")
def fixture_projects():
    """A project of each name, no two of them alike, as they are before any schedule."""
    # On a resource of its own, so that the SDK's connections are gone.
    with Emulator(["dev"], training_seconds=0) as emulator:
        for number, name in enumerate(NAMES, start=1):
            make_project(emulator["dev"], name, tags=number, images=number + 1, iterations=1 + number % 2)
    gc.freeze()  # what is there by now stays, so it need not be looked through after each wave
    yield emulator["dev"].store.projects
    gc.unfreeze()
