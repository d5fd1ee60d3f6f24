# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run is killed at each of its requests in turn, and the next one ends the job."""

from __future__ import annotations

import itertools
import subprocess
import threading
from dataclasses import dataclass

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import ASPECTS
from emulated import connection, operations, writes
from emulator.faults import Fault
from emulator.samples import make_project, sdk

from soak.process import finish, make_tree, start
from soak.rules import WatchedStore, check_copies, content
from soak.running import hurry, parameters, promote, wait_for_quiet
from soak.stage import CALM_RUNS

FEWEST = {"present": 24, "latest": 33}  # requests of the run that is killed

# By state, what the module is given besides; the latest is published too.
OPTIONS = {
    "present": lambda prod: {},
    "latest": lambda prod: {"state": "latest", "prediction_resource_id": prod.prediction_resource_id},
}


@dataclass
class Kill(Fault):
    """The connection is cut because the client dies, just after the work is done.

    Just before it there is what there was after the request before.
    """

    victim: subprocess.Popen | None = None

    @property
    def drops(self):
        self.victim.kill()
        self.victim.wait()
        return True


class Executioner:
    """In place of the faults of the resources: kills a process at one of its requests, whichever side it is to."""

    def __init__(self, process, number):
        self._process = process
        self._number = number
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def take(self, operation):
        with self._lock:
            number = next(self._numbers)
        if number != self._number:
            return None
        kill = Kill(operation, drop="after")
        kill.victim = self._process
        return kill


@pytest.fixture(name="tree", scope="module")
def fixture_tree(tmp_path_factory):
    return make_tree(tmp_path_factory.mktemp("collections"))


@pytest.fixture(name="sources")
def fixture_sources(dev):
    """Two projects of dev, by name; the first is published."""
    made = [make_project(dev, name, images=2) for name in ("First", "Second")]
    (iteration,) = sdk(dev).get_iterations(made[0].id)
    sdk(dev).publish_iteration(made[0].id, iteration.id, "live", dev.prediction_resource_id)
    return {project.name: dev.store.projects[project.id] for project in made}


@pytest.fixture(name="begin")
def fixture_begin(dev, prod, sources):
    """Sets the stage anew: at prod an import failed as Second, and one before it.

    Of First nothing is there; for the latest there is a copy that is out of date, and one that was superseded by it.
    """

    def begin(state):
        versions = {name: [content(project)] for name, project in sources.items()}
        store = WatchedStore(prod, versions, ASPECTS)
        store.begin_wave([CALM_RUNS[state]])
        for name in ("Second", "Second (failed 20201123T190000Z)"):
            store.create(name, None, {}).status = "Failed"
        if state == "latest":
            for name in ("First", "First (superseded 20201123T190000Z)"):
                store.create(name, None, {})
        prod.store = store
        dev.requests.clear(), prod.requests.clear()

    return begin


@pytest.fixture(name="kill")
def fixture_kill(tree, dev, prod, monkeypatch):
    """Runs the module as a process that is killed at so many requests; whether it got that far."""

    def kill(number, state):
        process = start(tree)
        with monkeypatch.context() as patched:
            executioner = Executioner(process, number)
            for resource in (dev, prod):
                patched.setattr(resource.faults, "take", executioner.take)
            result = finish(process, {**arguments(dev, prod), **OPTIONS[state](prod)})
        wait_for_quiet()
        assert result is None or not result.get("failed"), result
        return result is None

    return kill


def arguments(dev, prod):
    return {
        "source": connection(dev), "destination": connection(prod), "match": ["*"], "wait_sleep": 0.05, "rate_limit": 1000,
    }


@pytest.mark.parametrize("state", OPTIONS)
def test_a_run_that_is_killed_is_finished_by_the_next(state, begin, kill, dev, prod, sources, monkeypatch):
    hurry(monkeypatch)
    params = parameters(dev, prod, match=["*"], **OPTIONS[state](prod))
    for number in itertools.count(1):
        begin(state)
        if not kill(number, state):
            break
        point = f"killed after request {number} at the latest of {operations(dev)[-1:]} and {operations(prod)[-1:]}"
        check_that_the_next_run_ends_the_job(params, prod, sources, state, point)
        dev.requests.clear(), prod.requests.clear()
        result = promote(params)
        assert (result["failed"], result["changed"]) == (False, False), point
        assert "ExportProject" not in operations(dev) and not writes(prod), point
    assert number > FEWEST[state]


def check_that_the_next_run_ends_the_job(params, prod, sources, state, point):
    result = promote(params)
    assert not result["failed"], f"{point}: {result['msg']}"
    check_copies(prod.store, sources, (), state)
    there = [project.name for project in prod.store.projects.values()]
    assert len(there) == {"present": 3, "latest": 4}[state], f"{point}: {there}"
    assert not prod.store.offences, f"{point}: {prod.store.offences}"
    if state == "latest":
        assert [each.publish_name for each in prod.store.called("First")[0].published] == ["live"], point
