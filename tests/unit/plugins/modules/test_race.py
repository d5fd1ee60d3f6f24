# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the same promotion at the same time: one copy each, nothing beside it, and no run fails for it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _verifier
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import ASPECTS
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import SUPERSEDED
from emulated import connection, operations
from emulator.samples import make_project, sdk

from soak.process import finish, make_tree, start
from soak.rules import WatchedStore, check_copies, content
from soak.running import hurry, parameters, promote, promote_at_once, wait_for
from soak.stage import CALM_RUNS

NAMES = ("Widget", "Shelf", "Parts")
BATCHES, RACES = 4, 10  # how many batches, which can be run at the same time, of how many races
PROCESSES = 3


@pytest.fixture(name="sources")
def fixture_sources(dev):
    """The projects of dev, by name."""
    made = [make_project(dev, name, images=2) for name in NAMES]
    return {project.name: dev.store.projects[project.id] for project in made}


@pytest.fixture(name="params")
def fixture_params(dev, prod, sources, monkeypatch):
    """The parameters of a run that copies one project."""
    hurry(monkeypatch)
    return parameters(dev, prod, match=["Widget"])


@pytest.fixture(name="begin")
def fixture_begin(dev, prod, sources):
    """Sets the stage anew: prod is empty, but for an import that failed as Widget if there is to be one."""

    def begin(failed=False):
        prod.store = WatchedStore(prod, {name: [content(project)] for name, project in sources.items()}, ASPECTS)
        if failed:
            prod.store.create("Widget", None, {}).status = "Failed"
        dev.requests.clear(), prod.requests.clear()

    return begin


def check_race(results, prod, names, failed=False):
    """No run failed, all found the same copies, and there is nothing beside these."""
    for result in results:
        assert not result.get("failed"), result["msg"]
        assert {copy["action"] for copy in result["copies"]} <= {"copied", "replaced", "unchanged", "waited"}
    check_copies(prod.store, names, planted=())
    assert len(prod.store.projects) == len(names) + failed, [project.name for project in prod.store.projects.values()]
    ids = {name: prod.store.called(name)[0].id for name in names}
    assert all({copy["name"]: copy["destination"]["id"] for copy in result["copies"]} == ids for result in results)
    assert not prod.store.offences


def actions(results):
    """What the runs did about their only copy."""
    return sorted(copy["action"] for result in results for copy in result["copies"])


def id_of(result):
    """The id of the only copy."""
    (copy,) = result["copies"]
    return copy["destination"]["id"]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_runs_at_once_leave_one_copy_of_each(batch, begin, params, prod):
    """At most one more run is needed to that end."""
    params = {**params, "match": ["*"]}
    for race in range(RACES):
        chance = random.Random(f"{batch} {race}")
        failed, prod.import_seconds = chance.choice([True, False]), chance.choice([0.0, 0.03, 0.1])
        begin(failed)
        runs = [{"params": params, "start_after": chance.uniform(0, 0.2)} for _run in range(chance.choice([2, 3]))]
        results = promote_at_once(runs)
        check_race([*results, promote(params)], prod, NAMES, failed)
        assert promote(params)["changed"] is False


@pytest.mark.parametrize("batch", range(BATCHES // 2))
def test_runs_at_once_replace_what_is_out_of_date_once(batch, begin, params, prod):
    """What had the name is kept beside the copy, under whatever name, and never more than one copy takes the name."""
    params = {**params, "match": ["*"], "state": "latest"}
    for race in range(RACES):
        chance = random.Random(f"latest {batch} {race}")
        prod.import_seconds = chance.choice([0.0, 0.03, 0.1])
        begin()
        prod.store.begin_wave([CALM_RUNS["latest"]])
        outdated = {name: prod.store.create(name, None, {}).id for name in NAMES}
        runs = [{"params": params, "start_after": chance.uniform(0, 0.2)} for _run in range(chance.choice([2, 3]))]
        results = [*promote_at_once(runs), promote(params)]
        assert not [result["msg"] for result in results if result.get("failed")]
        check_copies(prod.store, NAMES, (), "latest")
        superseded = {name: [project.id for project in prod.store.of_kind(name, SUPERSEDED)] for name in NAMES}
        assert superseded == {name: [old] for name, old in outdated.items()}
        assert not prod.store.offences and promote(params)["changed"] is False


def test_processes_at_once_leave_one_copy_of_each(begin, params, dev, prod, tmp_path):
    tree = make_tree(tmp_path)
    begin(failed=True)
    arguments = {"source": connection(dev), "destination": connection(prod), "match": ["*"], "wait_sleep": 0.05}
    with ThreadPoolExecutor(max_workers=PROCESSES) as pool:
        processes = [start(tree) for _process in range(PROCESSES)]
        results = list(pool.map(lambda process: finish(process, arguments), processes))
    check_race([*results, promote({**params, "match": ["*"]})], prod, NAMES, failed=True)


@pytest.fixture(name="race")
def fixture_race(begin, params, prod):
    """Two runs that each have an import of their own; their results."""

    def race(failed=False):
        begin(failed)
        prod.faults.add("ImportProject", delay=0.3, times=2)
        results = promote_at_once([{"params": params}] * 2)
        assert operations(prod).count("ImportProject") == 2
        check_race(results, prod, ["Widget"], failed)
        return results

    return race


def test_a_run_that_is_late_with_its_rename_agrees_with_the_other(race, prod):
    """Both choose the same of their two copies."""
    prod.faults.add("UpdateProject", delay=0.5)
    assert set(actions(race())) <= {"copied", "unchanged"}


def test_a_run_that_is_late_between_its_two_renames_agrees_with_the_other(race, prod):
    prod.faults.add("UpdateProject", delay=0.5, after=1)
    assert set(actions(race(failed=True))) <= {"copied", "replaced", "unchanged"}


def test_a_run_looks_at_the_names_after_its_comparison(race, prod):
    """One that is late does not try to take a name that is taken."""
    prod.faults.add("GetTaggedImageCount", delay_after=0.5)
    assert set(actions(race())) <= {"copied", "unchanged"}
    assert operations(prod).count("UpdateProject") == 1


def run_beside(params, until, meanwhile):
    """A run, and a second one that begins when ``until`` holds of the first and ``meanwhile`` is done; their results."""
    with ThreadPoolExecutor() as pool:
        first = pool.submit(promote, params)
        wait_for(until)
        meanwhile()
        second = pool.submit(promote, params)
    return first.result(), second.result()


def test_a_run_that_is_late_with_its_rename_meets_a_name_that_is_taken(begin, params, dev, prod, sources):
    """The source moved on, so the second run makes a copy of its own and takes the name with it."""
    begin()
    prod.faults.add("UpdateProject", delay=2)
    first, second = run_beside(
        params, lambda: "UpdateProject" in operations(prod), lambda: sdk(dev).train_project(sources["Widget"].id),
    )
    assert (actions([first]), actions([second])) == (["unchanged"], ["copied"])
    assert "another run" in str(first["warnings"])
    assert id_of(first) == id_of(second) == prod.store.called("Widget")[0].id
    # The first run tried once; the second set the other's copy aside and gave its own the name.
    assert operations(prod).count("UpdateProject") == 3


def test_a_copy_keeps_its_name_whatever_another_run_thinks_of_it(begin, params, dev, prod, sources, monkeypatch):
    """The source moved on, so the second run finds the copy unequal, but only after it got its name."""
    monkeypatch.setattr(_verifier, "SETTLING", 0.5)
    prod.import_seconds = 0.5
    begin()
    first, second = run_beside(params, lambda: prod.store.projects, lambda: sdk(dev).train_project(sources["Widget"].id))
    assert id_of(first) == id_of(second) == prod.store.called("Widget")[0].id
    assert (actions([first]), actions([second])) == (["copied"], ["waited"])
