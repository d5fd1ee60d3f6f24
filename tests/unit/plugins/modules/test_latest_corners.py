# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cv_project_copy with ``state: latest`` where it meets training, publishing, rollbacks and other runs."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter

import pytest
from azure.cognitiveservices.vision.customvision.training.models import Project as ProjectUpdate
from ansible_collections.cvops.custom_vision.plugins.module_utils import _rollback
from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import connect
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import our_name
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy, cv_project_rollback
from emulated import begin_import, connection, incoming_name, names, operations
from emulator.samples import make_project, sdk, train

from soak.running import hurry, parameters, promote, promote_at_once

PLAIN = {"access_token": None, "ca_path": None, "timeout": 60, "validate_certs": True}


@pytest.fixture(name="copy")
def fixture_copy(run_module, dev, prod):
    def copy(check_mode=False, **arguments):
        if "match" not in arguments:
            arguments.setdefault("projects", [{"name": "Widget"}])
        usual = {"source": connection(dev), "destination": connection(prod), "wait_sleep": 0.05, "rate_limit": 1000}
        result = run_module(cv_project_copy, check_mode, **{**usual, "state": "latest", **arguments})
        assert "Traceback" not in json.dumps(result)
        return result

    return copy


@pytest.fixture(name="roll_back")
def fixture_roll_back(run_module, prod):
    return lambda **arguments: run_module(cv_project_rollback, **{**connection(prod), "name": "Widget", **arguments})


@pytest.fixture(name="promoted")
def fixture_promoted(copy, dev, prod, widget):
    copy()
    there = the(prod, "Widget")
    dev.requests.clear(), prod.requests.clear()
    return there


def the(resource, name):
    (project,) = [project for project in sdk(resource).get_projects() if project.name == name]
    return project


def rename(resource, project, name):
    there = sdk(resource).get_project(project.id)
    changed = ProjectUpdate(name=name, description=there.description or "", settings=there.settings)
    return sdk(resource).update_project(project.id, changed)


def publish(resource, project, name="live", iteration=-1):
    newest = sdk(resource).get_iterations(project.id)[iteration]
    sdk(resource).publish_iteration(project.id, newest.id, name, resource.prediction_resource_id)


def only(result):
    (copy,) = result["copies"]
    return copy


def wait_for_end(resource, project):
    while sdk(resource).get_project(project.id).status == "Importing":
        pass


def in_background(until, act):
    """Does ``act`` as soon as ``until`` holds, beside the run."""
    errors = []

    def go():
        try:
            end = time.monotonic() + 10
            while not until():
                assert time.monotonic() < end, "the moment never came"
                time.sleep(0.01)
            act()
        except BaseException as error:  # shown by the test
            errors.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    return thread, errors


def test_an_iteration_renamed_at_the_source_can_still_be_published(copy, dev, prod, promoted, widget):
    publish(dev, widget)
    iteration = sdk(dev).get_iterations(widget.id)[0]
    sdk(dev).update_iteration(widget.id, iteration.id, "Best")
    result = copy(prediction_resource_id=prod.prediction_resource_id)
    assert not result.get("failed"), result["msg"]


def test_check_mode_does_not_refuse_a_source_whose_first_training_is_under_way(copy, dev, prod, promoted, widget):
    sdk(dev).delete_iteration(widget.id, sdk(dev).get_iterations(widget.id)[0].id)
    dev.training_seconds = 2
    sdk(dev).train_project(widget.id)
    foretold, done = copy(check_mode=True), copy()
    assert not done.get("failed"), done["msg"]
    assert only(foretold)["action"] == only(done)["action"], foretold.get("msg")


def test_check_mode_does_not_refuse_a_source_that_is_importing(copy, dev, prod):
    there = make_project(dev, "Origin", images=2)
    project = make_project(dev, "Widget", images=2)
    copy()
    rename(dev, project, "Old")
    dev.import_seconds = 2
    begin_import(dev, dev, there, "Widget")
    foretold, done = copy(check_mode=True), copy()
    assert not done.get("failed"), done["msg"]
    assert not foretold.get("failed"), foretold["msg"]


@pytest.mark.parametrize("state", ["present", "latest"])
def test_check_mode_sees_a_source_in_training_without_waiting_where_nothing_is_there(copy, dev, prod, widget, state):
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    foretold, done = copy(check_mode=True, wait=False, state=state), copy(wait=False, state=state)
    assert only(foretold)["action"] == only(done)["action"]


@pytest.mark.parametrize("hours", [0, 25])
def test_present_deletes_no_copy_that_got_the_name_while_it_read_the_source(copy, dev, prod, promoted, widget, hours):
    incoming = begin_import(dev, prod, widget, incoming_name(prod, hours=hours))
    wait_for_end(prod, incoming)
    prod.requests.clear()
    dev.faults.add("GetProjects", delay=1.0)

    def promote():
        rename(prod, promoted, "Widget (superseded 20261123T190100Z)")
        rename(prod, incoming, "Widget")

    thread, errors = in_background(lambda: "GetProjects" in operations(prod), lambda: (time.sleep(0.3), promote()))
    result = copy(state="present")
    thread.join()
    assert not errors
    assert "Widget" in names(prod), (result, names(prod))


def test_what_was_rolled_back_to_while_names_were_published_is_not_deleted(copy, roll_back, dev, prod, promoted, widget):
    publish(prod, promoted)
    publish(dev, widget)
    train(sdk(dev), widget)
    prod.requests.clear()
    prod.faults.add("PublishIteration", delay=1.0)
    # Iteration 1 is published at the source, and so in the new copy.
    done = {}

    def back():
        time.sleep(0.2)
        with Client(connect(PLAIN | connection(prod))) as client:
            done.update(_rollback.roll_back(client, "Widget", check_mode=False))

    thread, errors = in_background(lambda: "PublishIteration" in operations(prod), back)
    result = copy(retain=0, unpublish_superseded=True, prediction_resource_id=prod.prediction_resource_id)
    thread.join()
    assert not errors and done["changed"] and not done["failed"], (errors, done)
    assert promoted.id in [project.id for project in sdk(prod).get_projects()], (result, names(prod))


def test_a_replacement_costs_four_requests_more_and_three_for_what_it_deletes(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    copy()
    train(sdk(dev), widget)
    prod.requests.clear()
    copy()
    cost = Counter(operations(prod))
    cost.pop("GetProjects")
    assert sum(cost.values()) == 5 + 4 + 3, cost


def test_a_source_that_loses_its_training_before_the_export_replaces_nothing_trained(copy, dev, prod, promoted, widget):
    sdk(dev).create_tag(widget.id, "New")
    dev.faults.add("ExportProject", delay=1.0)
    dev.requests.clear()

    def forget_training():
        sdk(dev).delete_iteration(widget.id, sdk(dev).get_iterations(widget.id)[0].id)

    thread, errors = in_background(lambda: "ExportProject" in operations(dev), forget_training)
    result = copy(wait_timeout=3)
    thread.join()
    assert not errors
    assert the(prod, "Widget").id == promoted.id, result


def test_digits_that_are_no_time_are_somebodys_own(copy, dev, prod, promoted, widget):
    own = "Widget (superseded 99999999T999999Z)", "Widget (superseded 00000000T000000Z)"
    for name in own:
        make_project(prod, name, images=1)
    train(sdk(dev), widget)
    copy(retain=0)
    assert set(own) <= set(names(prod)), names(prod)


@pytest.mark.parametrize("operation, spared", [("GetIterations", 1), ("GetProject", 0), ("DeleteProject", 0)])
def test_what_is_deleted_by_another_run_is_not_in_the_diff(copy, prod, promoted, operation, spared):
    """Before it is seen whether it is published, whether it has its name still, or after all that."""
    failed = "Widget (failed 20261123T190100Z)", "Widget (failed 20261123T190200Z)"
    for name in failed:
        sdk(prod).create_project(name)
    prod.requests.clear()
    prod.faults.add(operation, status=404, code="NotFoundProject", shape="service", after=spared)
    result = copy()
    assert operations(prod)[-1] == operation
    assert result["diff"]["after"].keys() == {"Widget", failed[1]}
    assert (result["changed"], only(result)["deleted"], result.get("warnings", [])) == (False, [], [])


def test_read_only_publishing_is_foretold_as_it_ends(copy, dev, prod, promoted, widget):
    publish(dev, widget)
    prod.dr_mode = True
    arguments = {"prediction_resource_id": prod.prediction_resource_id}
    foretold, done = copy(check_mode=True, **arguments), copy(**arguments)
    for told in (foretold, done):
        assert told["failed"] and "read-only" in told["msg"] and "disaster recovery): run again later" in told["msg"]


def test_read_only_deletion_is_foretold_as_it_ends(copy, emulator, dev, prod, promoted, widget):
    for _time in range(2):
        train(sdk(dev), widget)
        copy(retain=2)
    prod.dr_mode = True
    foretold, done = copy(check_mode=True), copy()
    assert (foretold["changed"], only(foretold)["deleted"]) == (done["changed"], only(done)["deleted"])


def test_a_publishing_that_fails_half_way_tells_what_is_published(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    publish(dev, widget, "one", 0)
    publish(dev, widget, "two", 1)
    prod.faults.add("PublishIteration", status=400, shape="service", after=1, times=None)
    result = copy(prediction_resource_id=prod.prediction_resource_id)
    there = the(prod, "Widget")
    really = [each.publish_name for each in sdk(prod).get_iterations(there.id) if each.publish_name]
    assert result["failed"] and only(result)["published"] == really, (result, really)


def test_a_failure_between_the_renames_says_that_nobody_has_the_name(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    prod.faults.add("UpdateProject", after=1, status=400, shape="service", times=None)
    message = copy()["msg"]
    (superseded,) = [name for name in names(prod) if "superseded" in name]
    assert message.endswith(f" What had the name is called {superseded!r} now: run again to finish.")


def test_publishing_waits_for_iterations_that_lag_where_they_are_not_compared(copy, dev, prod, widget):
    publish(dev, widget)
    prod.faults.add("ImportProject", lag=1.0, missing="iterations")
    result = copy(compare=[], state="present", prediction_resource_id=prod.prediction_resource_id)
    assert not result.get("failed"), result["msg"]


def test_one_source_in_training_does_not_hold_back_the_others(copy, dev, prod, promoted, widget):
    make_project(dev, "Other", images=1)
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    begun = time.monotonic()
    other = {}

    def look():
        other["at"] = time.monotonic() - begun

    thread, _errors = in_background(lambda: "ImportProject" in operations(prod), look)
    result = copy(match=["*"], wait_timeout=3)
    thread.join()
    assert other.get("at", 99) < 2, (other, result["msg"])


@pytest.mark.parametrize("unpublish", [True, False])
@pytest.mark.parametrize("state", ["present", "latest"])
@pytest.mark.parametrize("retain", [0, 1])
def test_check_mode_foretells_all(copy, dev, prod, promoted, widget, retain, state, unpublish):
    publish(prod, promoted)
    publish(dev, widget)
    train(sdk(dev), widget)
    arguments = {"retain": retain, "state": state, "unpublish_superseded": unpublish,
                 "prediction_resource_id": prod.prediction_resource_id}
    foretold, done = copy(check_mode=True, **arguments), copy(**arguments)

    def plain(result):
        one = only(result)
        return (result["changed"], one["action"], one["published"], one["error"], len(result.get("warnings", [])),
                [our_name(name).kind for name in one["set_aside"]], [our_name(name).kind for name in one["deleted"]])

    assert plain(foretold) == plain(done)


def test_latest_and_rollback_by_turns(copy, roll_back, emulator, dev, prod, promoted, widget):
    emulator.clock.advance(seconds=5)
    train(sdk(dev), widget)
    newer = only(copy())["destination"]["id"]
    emulator.clock.advance(seconds=5)
    assert roll_back()["project"]["id"] == promoted.id
    assert copy()["changed"] is False
    assert roll_back()["changed"] is False
    emulator.clock.advance(seconds=5)
    train(sdk(dev), widget)
    newest = only(copy())["destination"]["id"]
    emulator.clock.advance(seconds=5)
    assert roll_back()["project"]["id"] == promoted.id
    assert copy()["changed"] is False and roll_back()["changed"] is False
    assert {newer, newest} <= {project.id for project in sdk(prod).get_projects()}


def test_present_leaves_what_an_earlier_run_of_latest_started(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    copy(wait=False)
    (incoming,) = [each for each in sdk(prod).get_projects() if "incoming" in each.name]
    wait_for_end(prod, incoming)
    assert copy(state="present")["changed"] is False
    assert only(copy())["destination"]["id"] == incoming.id


@pytest.mark.parametrize("chance", range(12))
@pytest.mark.parametrize("retain", [0, 1])
def test_runs_at_once_replace_it_once(chance, retain, copy, dev, prod, promoted, widget, monkeypatch):
    hurry(monkeypatch)
    chance = random.Random(f"{chance} {retain}")
    publish(dev, widget)
    train(sdk(dev), widget)
    prod.import_seconds = chance.choice([0.0, 0.05, 0.2])
    for operation in ("UpdateProject", "PublishIteration", "GetTaggedImageCount", "DeleteProject", "GetProjects"):
        prod.faults.add(operation, delay=chance.uniform(0, 0.3), after=chance.choice([0, 1, 2]))
    params = parameters(
        dev, prod, match=["Widget"], state="latest", retain=retain, unpublish_superseded=True,
        prediction_resource_id=prod.prediction_resource_id,
    )
    results = promote_at_once([{"params": params, "start_after": chance.uniform(0, 0.3)} for _run in range(3)])
    held = names(prod).count("Widget")
    last = promote(params)
    assert promote(params)["changed"] is False
    assert held == 1 and not [each["msg"] for each in [*results, last] if each.get("failed")]
    assert len(names(prod)) == 1 + retain, names(prod)


def test_a_source_in_training_is_looked_at_with_one_request_a_time(copy, dev, prod, promoted, widget):
    dev.training_seconds = 1
    sdk(dev).train_project(widget.id)
    dev.requests.clear()
    copy()
    assert Counter(operations(dev))["GetTags"] <= 3 < Counter(operations(dev))["GetIterations"]


def test_a_twin_is_the_one_trained_at_that_time(copy, emulator, dev, prod, widget):
    """Renamed iterations whose names changed places are told apart by their times."""
    emulator.clock.advance(seconds=60)
    train(sdk(dev), widget)
    there = only(copy())["destination"]["id"]
    first, second = sorted(sdk(dev).get_iterations(widget.id), key=lambda each: each.trained_at)
    for iteration, name in ((first, "Spare"), (second, first.name), (first, second.name)):
        sdk(dev).update_iteration(widget.id, iteration.id, name)
    sdk(dev).publish_iteration(widget.id, second.id, "live", prod.prediction_resource_id)
    result = copy(prediction_resource_id=prod.prediction_resource_id)
    assert not result.get("failed"), result["msg"]
    live = [each for each in sdk(prod).get_iterations(there) if each.publish_name == "live"]
    assert abs(live[0].trained_at - second.trained_at).total_seconds() < 1


def test_a_rollback_that_was_cut_off_stays_so_where_another_runs_copy_has_arrived(
    copy, emulator, dev, prod, promoted, widget
):
    rename(prod, promoted, "Widget (withdrawn 20261123T190500Z)")
    begin_import(dev, prod, widget, incoming_name(prod))
    emulator.clock.advance(seconds=1)
    result = copy()
    assert result["failed"] and "cv_project_rollback" in result["msg"]


def test_of_a_run_that_sent_twice_one_copy_is_used_and_the_other_deleted(copy, emulator, dev, prod, widget):
    prod.faults.add("ImportProject", outcome="lossy")  # so it is not deleted for being like the other
    for _sending in range(2):
        begin_import(dev, prod, widget, incoming_name(prod))
        emulator.clock.advance(seconds=1)
    result = only(copy())
    assert (result["action"], result["verified"], len(result["deleted"])) == ("copied", True, 1)
    assert names(prod) == ["Widget"]


def test_check_mode_looks_once_at_an_incoming_copy_that_differs(copy, emulator, dev, prod, widget):
    begin_import(dev, prod, widget, incoming_name(prod))
    train(sdk(dev), widget)
    emulator.clock.advance(seconds=1)
    prod.requests.clear()
    assert only(copy(check_mode=True))["action"] == "copied"
    assert operations(prod).count("GetTags") == 1
