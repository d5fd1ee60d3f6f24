# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest
from azure.cognitiveservices.vision.customvision.training.models import Project as ProjectUpdate
from ansible_collections.cvops.custom_vision.plugins.module_utils import _copier, _importing, _requests, _retrying
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import our_name
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy
from emulated import begin_import, connection, incoming_name, names, operations, quotes_a_link, writes
from emulator.samples import make_project, sdk


@pytest.fixture(name="copy")
def fixture_copy(run_module, dev, prod):
    """Copies from dev to prod: Widget, unless other projects are asked for."""

    def copy(check_mode=False, **arguments):
        if "match" not in arguments:
            arguments.setdefault("projects", [{"name": "Widget"}])
        usual = {"source": connection(dev), "destination": connection(prod), "wait_sleep": 0.05, "rate_limit": 1000}
        result = run_module(cv_project_copy, check_mode, **{**usual, **arguments})
        assert "Traceback" not in json.dumps(result)
        assert dev.training_key not in json.dumps(result) and prod.training_key not in json.dumps(result)
        return result

    return copy


@pytest.fixture(name="incoming")
def fixture_incoming(prod):
    """The name under which another run would begin an import now."""
    return incoming_name(prod)


@pytest.fixture(name="incoming_of_any_age", params=[0, 25], ids=["young", "a day old"])
def fixture_incoming_of_any_age(request, prod):
    """The same for an import that a run is still about, and for one that it cannot be about any more."""
    return incoming_name(prod, hours=request.param)


@pytest.fixture(name="after_import")
def fixture_after_import(emulator, prod):
    """Does something as soon as an import has begun, and only then lets imports come to their end."""
    prod.import_seconds = 60
    threads = []

    def when_begun(action):
        while not any(request.operation == "ImportProject" and request.status for request in prod.requests):
            time.sleep(0.01)
        action()
        emulator.clock.advance(seconds=61)

    def after_import(action):
        threads.append(threading.Thread(target=when_begun, args=(action,), daemon=True))
        threads[0].start()

    yield after_import
    threads[0].join(timeout=10)
    assert not threads[0].is_alive()


def give_name(resource, incoming):
    """Gives an incoming copy the name, as another run would."""
    named = ProjectUpdate(name="Widget", description=incoming.description, settings=incoming.settings)
    sdk(resource).update_project(incoming.id, named)


def only(result):
    """The one copy of a result."""
    (copy,) = result["copies"]
    return copy


def kinds(resource):
    """How many projects of a resource have which kind of name; None is somebody's own."""
    return Counter(getattr(our_name(name), "kind", None) for name in names(resource))


def test_a_first_copy(copy, prod, widget):
    result = copy()
    assert result["changed"] is True and not result.get("failed")
    there = sdk(prod).get_projects()[0]
    assert only(result) == {
        "name": "Widget",
        "action": "copied",
        "source": {"id": widget.id, "name": "Widget"},
        "destination": {
            "id": there.id,
            "name": "Widget",
            "status": "Succeeded",
            "created": only(result)["destination"]["created"],
        },
        "counts": {"iterations": 1, "tags": 2, "tagged_images": 4},
        "verified": True,
        "published": [],
        "set_aside": [],
        "deleted": [],
        "error": None,
    }
    assert result["diff"] == {"before": {}, "after": {"Widget": there.id}}


def test_a_first_copy_costs_four_requests_there_and_five_here_and_lists(copy, dev, prod, widget):
    copy()
    assert Counter(operations(dev)) == {
        "GetProjects": 1, "GetIterations": 1, "GetTags": 1, "GetTaggedImageCount": 1, "ExportProject": 1,
    }
    cost = Counter(operations(prod))
    assert cost.pop("GetProjects") >= 3
    assert cost == {
        "ImportProject": 1, "GetIterations": 1, "GetTags": 1, "GetTaggedImageCount": 1, "UpdateProject": 1,
    }


def test_the_source_is_read_before_its_export(copy, dev, widget):
    copy()
    assert operations(dev)[-1] == "ExportProject"


def test_a_run_with_nothing_to_do_costs_one_request_a_side_for_any_number(copy, dev, prod):
    for number in range(5):
        make_project(dev, f"Widget {number}", images=1, iterations=0)
    copy(match=["*"])
    dev.requests.clear(), prod.requests.clear()
    result = copy(match=["*"])
    assert result["changed"] is False
    assert {one["action"] for one in result["copies"]} == {"unchanged"}
    assert operations(dev) == operations(prod) == ["GetProjects"]
    assert result["diff"]["before"] == result["diff"]["after"]


def test_while_imports_run_one_list_an_interval_serves_them_all(copy, dev, prod):
    for number in range(6):
        make_project(dev, f"Widget {number}", images=1, iterations=0)
    prod.import_seconds = 1
    assert len(copy(match=["*"], wait_sleep=0.2)["copies"]) == 6
    sent = [request.at for request in prod.requests if request.operation == "ImportProject"]
    read = [request.at for request in prod.requests if request.operation == "GetIterations"]
    looks = [request.at for request in prod.requests if request.operation == "GetProjects" and request.at < read[0]]
    # The first of them is that of the plan.
    assert len(looks) - 1 <= (read[0] - sent[0]) / 0.2 + 1


def test_check_mode_tells_the_same_and_neither_writes_nor_exports(copy, dev, prod, widget):
    foretold = copy(check_mode=True)
    assert not writes(prod) and "ExportProject" not in operations(dev)
    assert foretold["changed"] is True
    expected = only(foretold)
    assert (expected["action"], expected["destination"], expected["counts"]) == ("copied", None, None)
    assert foretold["diff"] == {"before": {}, "after": {"Widget": "(new)"}}
    done = only(copy())
    assert {key for key in expected if expected[key] != done[key]} == {"destination", "counts", "verified"}
    assert copy(check_mode=True)["changed"] is False


def test_a_copy_waits_under_an_incoming_name(copy, prod, widget):
    prod.import_seconds = 60
    result = copy(wait=False)
    assert result["changed"] is True and only(result)["action"] == "started"
    (name,) = names(prod)
    assert our_name(name)[:2] == ("Widget", "incoming")
    assert only(result)["destination"]["name"] == name


def test_a_started_copy_is_finished_by_the_next_run(copy, emulator, prod, widget):
    prod.import_seconds = 60
    copy(wait=False)
    again = copy(wait=False)
    assert (again["changed"], only(again)["action"]) == (False, "started")
    emulator.clock.advance(seconds=61)
    result = copy()
    assert (only(result)["action"], only(result)["verified"]) == ("copied", True)
    assert operations(prod).count("ImportProject") == 1
    assert names(prod) == ["Widget"]


def test_check_mode_foretells_the_end_of_a_started_copy(copy, prod, widget):
    prod.import_seconds = 60
    copy(wait=False)
    prod.requests.clear()
    foretold = copy(check_mode=True)
    assert (foretold["changed"], only(foretold)["action"], only(foretold)["verified"]) == (True, "copied", None)
    assert not only(foretold)["set_aside"] and operations(prod) == ["GetProjects"]


def test_an_incoming_copy_that_equals_the_source_is_used(copy, dev, prod, widget, incoming_of_any_age):
    there = begin_import(dev, prod, widget, incoming_of_any_age)
    dev.requests.clear()
    assert only(copy())["destination"]["id"] == there.id
    assert "ExportProject" not in operations(dev)


def test_an_incoming_copy_that_differs_is_set_aside_and_made_anew(copy, dev, prod, widget, incoming):
    other = make_project(dev, "Other", tags=1, images=1)
    begin_import(dev, prod, other, incoming)
    result = copy(wait_timeout=1)
    assert only(result)["action"] == "copied" and only(result)["counts"]["tagged_images"] == 4
    assert our_name(only(result)["set_aside"][0])[:2] == ("Widget", "failed")
    assert kinds(prod) == {None: 1, "failed": 1}


def test_an_incoming_copy_with_a_number_is_known_by_its_run(copy, emulator, dev, prod, widget, incoming_of_any_age):
    begin_import(dev, prod, widget, incoming_of_any_age)
    begin_import(dev, prod, widget, incoming_of_any_age)
    emulator.clock.advance(seconds=1)
    assert f"{incoming_of_any_age} (1)" in names(prod)
    assert len(only(copy())["deleted"]) == 1
    assert names(prod) == ["Widget"]


def test_an_incoming_copy_that_is_not_needed_is_deleted(copy, emulator, dev, prod, widget, incoming_of_any_age):
    copy()
    prod.import_seconds = 60
    begin_import(dev, prod, widget, incoming_of_any_age)
    assert copy()["changed"] is False  # not before it has ended: it may be another run's
    emulator.clock.advance(seconds=61)
    result = copy()
    assert (result["changed"], only(result)["action"]) == (True, "unchanged")
    assert only(result)["deleted"] == [incoming_of_any_age]
    assert names(prod) == ["Widget"]


def test_an_incoming_copy_that_differs_is_left_for_a_day(copy, emulator, dev, prod, widget, incoming):
    """Its run may be about to replace what has the name with it."""
    copy()
    begin_import(dev, prod, make_project(dev, "Other", images=1), incoming)
    emulator.clock.advance(hours=23)
    result = copy()
    assert result["changed"] is False and not result.get("warnings") and incoming in names(prod)
    emulator.clock.advance(hours=1, seconds=1)
    assert only(copy())["deleted"] == [incoming]


@pytest.mark.parametrize("holder_too", [False, True])
def test_an_incoming_copy_that_cannot_be_read_is_left(copy, emulator, dev, prod, widget, incoming, holder_too):
    copy()
    begin_import(dev, prod, widget, incoming)
    emulator.clock.advance(seconds=1)
    prod.faults.add("GetTaggedImageCount", after=0 if holder_too else 1, status=403, shape="gateway")
    result = copy()
    assert (result["changed"], only(result)["action"], only(result)["error"]) == (False, "unchanged", None)
    (warning,) = result["warnings"]
    assert f"project 'Widget': '{incoming}' is left, because it could not be read: GET /" in json.dumps(warning)
    assert only(copy())["deleted"] == [incoming]


def test_an_incoming_copy_that_is_deleted_while_it_is_read_is_no_trouble(copy, emulator, dev, prod, widget, incoming):
    copy()
    begin_import(dev, prod, widget, incoming)
    emulator.clock.advance(seconds=1)
    prod.faults.add("GetTags", after=1, status=404, code="NotFoundProject", shape="service")
    result = copy()
    assert result["changed"] is False and not result.get("warnings")


def test_an_incoming_copy_with_a_published_iteration_is_left_alone(
    copy, emulator, dev, prod, widget, incoming_of_any_age
):
    copy()
    there = begin_import(dev, prod, widget, incoming_of_any_age)
    emulator.clock.advance(seconds=1)
    iteration = sdk(prod).get_iterations(there.id)[0]
    sdk(prod).publish_iteration(there.id, iteration.id, "live", prod.prediction_resource_id)
    prod.requests.clear()
    result = copy()
    assert result["changed"] is False and not writes(prod)
    assert "left: an iteration is published" in json.dumps(result["warnings"])


def test_an_incoming_copy_that_got_the_name_while_it_was_compared_is_not_touched(copy, dev, prod, widget, incoming):
    """Somebody may take a copy for whole that this run is about to find unfit."""
    other = make_project(dev, "Other", tags=1, images=1)
    there = begin_import(dev, prod, other, incoming)

    def rename():
        while "GetTaggedImageCount" not in operations(prod):
            time.sleep(0.01)
        give_name(prod, there)

    thread = threading.Thread(target=rename)
    thread.start()
    result = only(copy(wait_timeout=1))
    thread.join()
    assert result["set_aside"] == [] and result["destination"]["id"] == there.id
    assert sdk(prod).get_project(there.id).name == "Widget"


def test_runs_that_name_one_anothers_copy_say_so(copy, after_import, prod, widget):
    after_import(lambda: give_name(prod, *sdk(prod).get_projects()))
    result = copy()
    assert only(result)["action"] == "copied" and not result.get("warnings")


@pytest.mark.parametrize("outcome", ["fail", "lossy"])
def test_an_import_that_fails_or_loses_something_never_gets_the_name_and_heals(copy, prod, widget, outcome):
    prod.faults.add("ImportProject", outcome=outcome)
    result = copy(wait_timeout=1)
    failed = only(result)
    assert result["failed"] and result["changed"] and failed["action"] == "failed"
    assert failed["verified"] is (None if outcome == "fail" else False)
    assert failed["destination"]["name"] == failed["set_aside"][0]
    assert failed["error"] in result["msg"] and "project 'Widget'" in result["msg"]
    assert names(prod) == failed["set_aside"]
    expected = "Failed" if outcome == "fail" else "4 tagged images at the source and 2 in the copy"
    assert expected in result["msg"]
    healed = copy()
    assert only(healed)["action"] == "copied"
    assert kinds(prod) == {None: 1, "failed": 1}


@pytest.mark.parametrize(
    "missing, difference",
    [("tags", "tags only at the source: Tag 2"), ("iterations", "1 trained iterations at the source and 0 in the copy")],
)
def test_whatever_is_lost_is_named(copy, prod, widget, missing, difference):
    prod.faults.add("ImportProject", outcome="lossy", missing=missing)
    assert difference in copy(wait_timeout=1)["msg"]


def test_a_source_that_moved_meanwhile_does_not_matter_to_a_whole_copy(copy, after_import, dev, prod, widget):
    after_import(lambda: sdk(dev).train_project(widget.id))
    result = copy()
    assert (only(result)["verified"], only(result)["counts"]["iterations"]) == (True, 1)


def test_a_source_that_moved_meanwhile_is_said_to_have_where_the_copy_differs(copy, after_import, dev, prod, widget):
    prod.faults.add("ImportProject", outcome="lossy")
    after_import(lambda: sdk(dev).train_project(widget.id))
    result = copy(wait_timeout=2)
    assert "2 trained iterations at the source and 1 in the copy" in result["msg"]
    assert "the source itself has changed" in result["msg"]


def test_only_the_newest_failed_copy_is_kept(copy, prod, widget):
    for _failure in range(3):
        prod.faults.add("ImportProject", outcome="fail")
        copy()
    assert kinds(prod) == {"failed": 3}
    newest = max(names(prod))
    foretold = only(copy(check_mode=True))
    done = only(copy())
    assert len(done["deleted"]) == 2 and newest not in done["deleted"] and foretold["deleted"] == done["deleted"]
    assert names(prod) == ["Widget", newest]


def test_failed_copies_that_a_run_could_not_delete_any_more_are_deleted_by_the_next(copy, prod, widget):
    copy()
    for second in range(3):
        sdk(prod).create_project(f"Widget (failed 20261123T19000{second}Z)")
    assert len(only(copy())["deleted"]) == 2
    assert names(prod) == ["Widget", "Widget (failed 20261123T190002Z)"]


def test_counts_may_lag_behind(copy, prod, widget):
    prod.faults.add("ImportProject", lag=0.5)
    assert only(copy())["verified"] is True


def test_a_stuck_import_is_given_up_when_the_time_is_over_and_found_by_the_next_run(copy, emulator, prod, widget):
    prod.faults.add("ImportProject", outcome="stuck")
    result = copy(wait_timeout=1)
    assert "is still being imported after 1 seconds (wait_timeout)" in result["msg"]
    assert only(result)["destination"]["status"] == "Importing"
    emulator.clock.advance(hours=24, seconds=1)
    healed = copy()
    assert only(healed)["action"] == "copied" and len(only(healed)["set_aside"]) == 1
    assert kinds(prod) == {None: 1, "failed": 1}


def test_an_importing_project_of_the_name_is_waited_for(copy, emulator, dev, prod, widget):
    prod.import_seconds = 60
    present = begin_import(dev, prod, widget, "Widget")
    assert only(copy(check_mode=True))["action"] == "waited"
    later = threading.Timer(0.3, lambda: emulator.clock.advance(seconds=61))
    later.start()
    result = copy()
    later.join()
    assert (result["changed"], only(result)["action"]) == (False, "waited")
    assert only(result)["destination"]["id"] == present.id


@pytest.mark.parametrize("outcome", ["fail", "stuck"])
def test_a_failed_or_stuck_project_of_the_name_is_set_aside_at_the_swap(copy, emulator, dev, prod, widget, outcome):
    prod.faults.add("ImportProject", outcome=outcome)
    useless = begin_import(dev, prod, widget, "Widget")
    emulator.clock.advance(hours=24, seconds=1)  # Date headers have whole seconds
    foretold = only(copy(check_mode=True))
    result = only(copy())
    assert foretold["action"] == result["action"] == "replaced"
    assert len(foretold["set_aside"]) == len(result["set_aside"]) == 1
    assert sdk(prod).get_project(useless.id).name == result["set_aside"][0]
    assert names(prod)[0] == "Widget"


def test_a_failed_project_of_the_name_with_a_published_iteration_is_not_touched(copy, dev, prod, widget):
    copy()
    (present,) = sdk(prod).get_projects()
    iteration = sdk(prod).get_iterations(present.id)[0]
    sdk(prod).publish_iteration(present.id, iteration.id, "live", prod.prediction_resource_id)
    prod.store.projects[present.id].status = "Failed"
    prod.requests.clear()
    for check_mode in (True, False):
        result = copy(check_mode)
        assert "has a published iteration: unpublish it" in result["msg"] and result["changed"] is False
    assert not writes(prod)


def test_several_of_the_name_fail_with_their_ids(copy, prod, widget):
    ids = {sdk(prod).create_project("Widget").id for _project in range(2)}
    prod.requests.clear()
    result = copy()
    assert "2 projects of this name" in result["msg"] and all(one in result["msg"] for one in ids)
    assert not writes(prod) and result["changed"] is False


def test_somebodys_own_numbered_name_is_never_touched(copy, prod, widget):
    own = sdk(prod).create_project("Widget (1)")
    copy()
    assert sdk(prod).get_project(own.id).name == "Widget (1)"


def test_ones_trouble_does_not_hold_back_the_others(copy, dev, prod, widget):
    make_project(dev, "Other", images=1, iterations=0)
    prod.faults.add("ImportProject", outcome="fail")
    result = copy(projects=[{"name": "Widget"}, {"name": "Other"}])
    actions = {one["name"]: one["action"] for one in result["copies"]}
    assert sorted(actions.values()) == ["copied", "failed"]
    (failed,) = [name for name, action in actions.items() if action == "failed"]
    assert result["msg"].startswith(f"1 of 2 copies failed: project '{failed}'") and result["changed"]


def test_copies_are_in_the_order_asked_for_with_their_destination_names(copy, dev, prod, widget):
    other = make_project(dev, "Other", images=1, iterations=0)
    result = copy(projects=[{"id": other.id, "destination_name": "Z"}, {"name": "Widget", "destination_name": "A"}])
    assert [one["name"] for one in result["copies"]] == ["Z", "A"]
    assert names(prod) == ["A", "Z"]


def test_globs(copy, dev, prod, widget):
    make_project(dev, "Shelf", images=1, iterations=0)
    make_project(dev, "Wider", images=1, iterations=0)
    copy(match=["Wid*"])
    assert names(prod) == ["Wider", "Widget"]


def test_no_projects_are_nothing_to_do(copy):
    result = copy(projects=[])
    assert (result["changed"], result["copies"]) == (False, [])


def test_without_a_comparison_the_name_is_given_unseen(copy, dev, prod, widget):
    result = only(copy(compare=[]))
    assert (result["action"], result["verified"], result["counts"]) == ("copied", None, None)
    assert operations(dev) == ["GetProjects", "ExportProject"]


def test_only_what_is_to_be_compared_is_read(copy, dev, widget):
    assert only(copy(compare=["tags"]))["counts"] == {"iterations": None, "tags": 2, "tagged_images": None}
    assert operations(dev) == ["GetProjects", "GetTags", "ExportProject"]


def test_a_source_in_training_is_waited_for(copy, dev, prod, widget):
    dev.training_seconds = 0.5
    sdk(dev).train_project(widget.id)
    assert only(copy())["counts"]["iterations"] == 2


def test_a_source_in_training_is_an_error_without_waiting(copy, dev, prod, widget):
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    result = copy(wait=False)
    assert "in training" in result["msg"] and "wait is off" in result["msg"]
    assert result["changed"] is False and not writes(prod)
    assert "in training" in copy(wait_timeout=1)["msg"]


def test_a_source_that_is_being_imported_itself_is_waited_for(copy, dev, prod, widget):
    dev.import_seconds = 0.5
    begin_import(dev, dev, widget, "Second")
    assert only(copy(projects=[{"name": "Second"}]))["verified"] is True


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_source_that_is_being_imported_itself_is_an_error_without_waiting(copy, dev, prod, widget, check_mode):
    dev.import_seconds = 60
    begin_import(dev, dev, widget, "Second")
    result = copy(check_mode, projects=[{"name": "Second"}], wait=False)
    assert "the source is still being imported itself, and wait is off" in result["msg"] and not writes(prod)


def test_a_copy_within_one_resource_gets_another_name(run_module, dev, widget):
    side = connection(dev)
    result = run_module(
        cv_project_copy, source=side, destination=side, wait_sleep=0.05,
        projects=[{"name": "Widget", "destination_name": "Widget for tests"}],
    )
    assert only(result)["action"] == "copied" and names(dev) == ["Widget", "Widget for tests"]


def test_the_connections_come_from_the_environment(run_module, monkeypatch, dev, prod, widget):
    for side, resource in (("SOURCE", dev), ("DESTINATION", prod)):
        monkeypatch.setenv(f"VISION_{side}_TRAINING_ENDPOINT", resource.endpoint)
        monkeypatch.setenv(f"VISION_{side}_TRAINING_KEY", resource.training_key)
        monkeypatch.setenv(f"VISION_{side}_TRAINING_ACCESS_TOKEN", "")
    result = run_module(cv_project_copy, projects=[{"name": "Widget"}], wait_sleep=0.05)
    assert only(result)["action"] == "copied"
    assert prod.training_key not in json.dumps(result)


def test_another_run_that_was_faster_leaves_one_copy(copy, after_import, prod, widget):
    after_import(lambda: sdk(prod).create_project("Widget"))
    result = copy()
    assert (only(result)["action"], result["changed"]) == ("unchanged", True)
    assert "another run brought the copy about first" in json.dumps(result["warnings"])
    assert names(prod) == ["Widget"] and len(only(result)["deleted"]) == 1


def test_an_import_that_vanishes_is_said_to_have(copy, after_import, prod, widget, monkeypatch):
    monkeypatch.setattr(_copier, "SETTLING", 0.3)
    after_import(lambda: sdk(prod).delete_project(sdk(prod).get_projects()[0].id))
    assert "vanished from the destination" in copy()["msg"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"projects": [{"name": "Nothing"}]}, "project 'Nothing': the source has no project of this name"),
        ({"projects": [{"id": "bc3f"}]}, "'bc3f', which is not an id"),
        ({"projects": [{"name": "Widget"}, {"name": "Widget"}]}, "would get the same name"),
        ({"projects": [{"name": "Widget"}, {"name": "Widget", "destination_name": "widget"}]}, "get the same name"),
        ({"projects": [{"name": "Widget", "destination_name": "other"}]}, "differs from 'other' only by case"),
        ({"projects": [{"name": "Widget", "destination_name": "Widget (failed 20261123T190000Z)"}]}, "pattern"),
        ({"projects": [{"name": "Widget", "destination_name": " "}]}, "destination_name is empty"),
        ({"match": ["Widget", "Nothing*"]}, "project 'Nothing*': the source has no project whose name matches"),
        ({"projects": [{}]}, "one of the following is required: name, id"),
        ({"projects": [{"name": "Widget"}], "match": ["*"]}, "mutually exclusive"),
        ({"compare": ["regions"]}, "must be one or more of"),
        ({"wait_timeout": 0}, "wait_timeout is 0"),
        ({"wait_sleep": -1}, "wait_sleep is -1"),
        ({"rate_limit": 0}, "rate_limit is 0"),
        ({"rate_limit": float("inf")}, "rate_limit is inf"),
        ({"wait_sleep": float("nan")}, "wait_sleep is nan"),
        ({"source": {"endpoint": "https://dev.example.com"}}, "source.training_key is missing"),
        ({"destination": {"training_key": "k"}}, "destination.endpoint is missing"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(copy, dev, prod, widget, arguments, sentence):
    sdk(prod).create_project("Other")
    prod.requests.clear()
    result = copy(**arguments)
    assert result["failed"] and sentence in result["msg"] and not result.get("changed")
    assert not writes(prod) and "ExportProject" not in operations(dev)


def test_a_refusal_holds_back_all(copy, prod, widget):
    result = copy(projects=[{"name": "Widget"}, {"name": "Nothing"}])
    assert [one["action"] for one in result["copies"]] == ["failed", "failed"]
    assert "not begun, because another copy was refused" in result["copies"][0]["error"]
    assert result["msg"].startswith("Nothing was begun: project 'Nothing'") and "'Widget'" not in result["msg"]
    assert not writes(prod)


def test_two_of_one_name_at_the_source_are_refused_with_their_ids(copy, dev, prod, widget):
    other = make_project(dev, "Widget", images=1, iterations=0)
    result = copy()
    assert widget.id in result["msg"] and other.id in result["msg"] and not writes(prod)


def test_a_failed_source_is_refused(copy, dev, prod, widget):
    dev.store.projects[widget.id].status = "Failed"
    assert "import that failed" in copy()["msg"] and not writes(prod)


def test_a_read_only_destination_is_refused(copy, prod, widget):
    sdk(prod).create_project("Other")
    prod.dr_mode = True
    prod.requests.clear()
    assert "drModeEnabled" in copy()["msg"] and not writes(prod)


def test_the_source_as_its_own_destination_is_refused(run_module, dev, widget):
    side = connection(dev)
    result = run_module(cv_project_copy, source=side, destination={**side, "endpoint": f"{side['endpoint']}/"},
                        projects=[{"name": "Widget"}])
    assert "the same resource" in result["msg"] and not writes(dev)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_wrong_key_names_its_side(copy, dev, prod, widget, side):
    resource = {"source": dev, "destination": prod}[side]
    result = copy(**{side: {**connection(resource), "training_key": "wr0ng"}})
    assert f"{side} resource" in result["msg"] and f"Check {side}.endpoint and {side}.training_key" in result["msg"]
    assert only(result)["action"] == "failed" and "not begun" in only(result)["error"] and not writes(prod)


def test_a_token_that_the_service_quotes_does_not_get_out(copy, prod, widget):
    prod.faults.add("ImportProject", status=400, code="BadRequestInvalidImportToken", message="no good: {token} {key}")
    result = copy()
    assert "BadRequestInvalidImportToken: no good: *** ***" in result["msg"]
    assert not quotes_a_link(json.dumps(result)) and result["changed"] is False


@pytest.mark.parametrize(
    "fault", [{"drop": "after"}, {"delay_after": 1.5}, {"malformed": "html"}, {"malformed": "truncated"}]
)
def test_an_import_whose_answer_was_lost_is_found_and_not_sent_again(copy, prod, widget, fault):
    prod.faults.add("ImportProject", **fault)
    result = copy(destination=connection(prod, timeout=1))
    assert only(result)["action"] == "copied"
    assert operations(prod).count("ImportProject") == 1 and names(prod) == ["Widget"]


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 503}, {"status": 500, "shape": "html"}])
def test_an_import_that_was_not_carried_out_is_sent_again(copy, prod, widget, fault):
    prod.faults.add("ImportProject", **fault)
    result = copy(destination=connection(prod, timeout=1))
    assert only(result)["action"] == "copied"
    assert operations(prod).count("ImportProject") == 2 and names(prod) == ["Widget"]


@pytest.mark.parametrize("shortest, late", [(0.5, 0.7), (1.4, 1.2)], ids=["time-out", "shortest watch"])
def test_an_import_in_doubt_is_watched_for_as_long_as_its_time_out_or_longer(
    copy, prod, widget, monkeypatch, shortest, late
):
    """The time-out is a second, and the last look comes after the watch, so that it does not matter how fast we are."""
    monkeypatch.setattr(_importing, "SHORTEST_WATCH", shortest)
    prod.faults.add("ImportProject", late=late)
    result = copy(destination=connection(prod, timeout=1))
    assert only(result)["action"] == "copied" and operations(prod).count("ImportProject") == 1


def test_an_import_that_arrives_late_is_recognised(copy, prod, widget):
    prod.import_seconds = 1
    prod.faults.add("ImportProject", late=1.3)
    result = copy(destination=connection(prod, timeout=1))
    assert only(result)["action"] == "copied" and len(only(result)["deleted"]) == 1
    assert only(result)["deleted"][0].endswith(" (1)")  # so it was sent again under the same name, with the same mark
    assert names(prod) == ["Widget"]


def test_an_import_that_stays_in_doubt_is_said_to_be(copy, prod, widget):
    prod.faults.add("ImportProject", status=503, times=None)
    result = copy(destination=connection(prod, timeout=1))
    assert "sent 3 times and did not appear" in result["msg"] and result["changed"] is True
    assert names(prod) == []
    sent = [request.at for request in prod.requests if request.operation == "ImportProject"]
    assert len(sent) == 3 and all(again - before >= 1 for before, again in pairwise(sent))


def test_a_throttled_import_is_sent_again_after_the_wait_that_is_named(copy, prod, widget, monkeypatch):
    monkeypatch.setattr(_retrying.ServiceRetry, "LONGEST_WAIT", 0.05)
    prod.faults.add("ImportProject", status=429, shape="gateway", times=2)
    assert only(copy())["action"] == "copied"
    assert operations(prod).count("ImportProject") == 3


def test_a_look_that_failed_is_shared_by_all_who_wait(copy, dev, prod):
    for number in range(6):
        make_project(dev, f"Widget {number}", images=1, iterations=0)
    prod.import_seconds = 60
    prod.faults.add("GetProjects", status=503, after=1, times=None)
    result = copy(match=["*"])
    assert len(result["copies"]) == 6 and {one["action"] for one in result["copies"]} == {"failed"}
    # One for the plan, then a look with its five retries; another one for those that came too late to share it.
    assert operations(prod).count("GetProjects") in (7, 13)


def test_a_name_that_the_service_numbers_is_given_back(copy, prod, widget, monkeypatch):
    """Whether a rename to a name that is taken is refused was never recorded."""

    update = prod.store.update

    def numbering_update(project, changes):
        if changes["name"] == "Widget" and "Widget" not in [other.name for other in prod.store.projects.values()]:
            prod.store.create("Widget", None, {})
            changes = {**changes, "name": "Widget (1)"}
        update(project, changes)

    monkeypatch.setattr(prod.store, "update", numbering_update)
    result = copy()
    assert (only(result)["action"], names(prod)) == ("unchanged", ["Widget"])


def test_a_rename_whose_answer_was_lost_is_settled(copy, prod, widget):
    prod.faults.add("UpdateProject", drop="after")
    assert only(copy())["action"] == "copied"
    assert names(prod) == ["Widget"]


def test_a_host_without_requests_is_told_as_ansible_tells_it(copy, monkeypatch):
    monkeypatch.setattr(_requests, "REQUESTS_IMPORT_ERROR", "the traceback of the import")
    assert "Failed to import the required Python library (requests)" in copy()["msg"]
