# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cv_project_copy with ``state: latest``: what differs from its source is replaced, and yesterday's copy is kept."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from azure.cognitiveservices.vision.customvision.training.models import Project as ProjectUpdate
from ansible_collections.cvops.custom_vision.plugins.module_utils import _importing, _service, _verifier
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import our_name
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy
from emulated import begin_import, connection, incoming_name, names, operations, writes
from emulator.samples import make_project, sdk, train

READS = {"GetIterations": 1, "GetTags": 1, "GetTaggedImageCount": 1}


@pytest.fixture(name="copy")
def fixture_copy(run_module, dev, prod):
    """Copies the latest Widget from dev to prod, unless something else is asked for."""

    def copy(check_mode=False, **arguments):
        if "match" not in arguments:
            arguments.setdefault("projects", [{"name": "Widget"}])
        usual = {"source": connection(dev), "destination": connection(prod), "wait_sleep": 0.05, "rate_limit": 1000}
        result = run_module(cv_project_copy, check_mode, **{**usual, "state": "latest", **arguments})
        assert "Traceback" not in json.dumps(result)
        return result

    return copy


@pytest.fixture(name="promoted")
def fixture_promoted(copy, dev, prod, widget):
    """Widget is at prod as it is at dev; gives the project at prod."""
    copy()
    there = the(prod, "Widget")
    forget(dev, prod)
    return there


def forget(*resources):
    """What was asked for so far is not counted."""
    for resource in resources:
        resource.requests.clear()


def the(resource, name):
    """The one project of a name."""
    (project,) = [project for project in sdk(resource).get_projects() if project.name == name]
    return project


def of_kind(resource, kind):
    """The projects whose names are of a kind, the oldest first."""
    named = [(our_name(project.name), project) for project in sdk(resource).get_projects()]
    ours = [(parts.stamp, project) for parts, project in named if parts and parts.kind == kind]
    return [project for _stamp, project in sorted(ours, key=lambda pair: pair[0])]


def rename(resource, project, name):
    """Renames a project through the SDK."""
    there = sdk(resource).get_project(project.id)
    changed = ProjectUpdate(name=name, description=there.description, settings=there.settings)
    return sdk(resource).update_project(project.id, changed)


def publish(resource, project, name="live"):
    """Publishes a project's newest iteration."""
    newest = sdk(resource).get_iterations(project.id)[-1]
    sdk(resource).publish_iteration(project.id, newest.id, name, resource.prediction_resource_id)


def only(result):
    """The one copy of a result."""
    (copy,) = result["copies"]
    return copy


def warned(result):
    """The text of the warnings, whose form differs between versions of Ansible."""
    return json.dumps(result["warnings"])


def without_stamps(copy):
    """A copy of a result whose names of ours are only their kinds."""
    return {
        **{key: copy[key] for key in ("name", "action", "source", "published", "error")},
        "set_aside": [our_name(name).kind for name in copy["set_aside"]],
        "deleted": [our_name(name).kind for name in copy["deleted"]],
    }


def test_nothing_of_the_name_is_copied_at_the_cost_of_a_first_copy(copy, dev, prod, widget):
    assert only(copy())["action"] == "copied"
    assert Counter(operations(dev)) == {"GetProjects": 1, **READS, "ExportProject": 1}
    cost = Counter(operations(prod))
    assert cost.pop("GetProjects") >= 3
    assert cost == {"ImportProject": 1, **READS, "UpdateProject": 1}


def test_a_copy_that_equals_its_source_stays_at_three_requests_a_side(copy, dev, prod, promoted):
    result = copy()
    assert result["changed"] is False
    assert (only(result)["action"], only(result)["verified"]) == ("unchanged", True)
    assert only(result)["counts"] == {"iterations": 1, "tags": 2, "tagged_images": 4}
    assert only(result)["destination"]["id"] == promoted.id
    assert Counter(operations(dev)) == Counter(operations(prod)) == {"GetProjects": 1, **READS}


def test_only_what_is_compared_is_read_but_for_iterations(copy, dev, prod, promoted):
    assert only(copy(compare=["tags"]))["counts"] == {"iterations": None, "tags": 2, "tagged_images": None}
    assert Counter(operations(prod)) == {"GetProjects": 1, "GetIterations": 1, "GetTags": 1}


def test_a_trained_source_replaces_the_copy_that_is_set_aside(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    result = copy()
    assert result["changed"] is True
    (superseded,) = of_kind(prod, "superseded")
    assert superseded.id == promoted.id
    assert only(result)["action"] == "replaced" and only(result)["set_aside"] == [superseded.name]
    assert only(result)["destination"]["id"] == the(prod, "Widget").id != promoted.id
    assert only(result)["verified"] is True and only(result)["counts"]["iterations"] == 2
    assert result["diff"]["before"] == {"Widget": promoted.id}
    assert result["diff"]["after"] == {"Widget": the(prod, "Widget").id, superseded.name: promoted.id}
    assert copy()["changed"] is False


def test_a_replacement_costs_four_requests_more_at_the_destination(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    forget(dev)
    copy()
    assert Counter(operations(dev)) == {"GetProjects": 1, **READS, "ExportProject": 1}
    cost = Counter(operations(prod))
    assert cost.pop("GetProjects") >= 3
    assert cost == {"ImportProject": 1, **{name: 2 for name in READS}, "UpdateProject": 2}


@pytest.mark.parametrize("change", ["a tag", "an image", "an iteration less"])
def test_whatever_is_compared_tells_that_a_copy_is_out_of_date(copy, emulator, dev, promoted, widget, change):
    client = sdk(dev)
    if change == "a tag":
        client.create_tag(widget.id, "New")
    elif change == "an image":
        image = client.get_tagged_images(widget.id)[0]
        client.delete_images(widget.id, [image.id])
    else:
        emulator.clock.advance(seconds=1)
        train(client, widget)
        client.delete_iteration(widget.id, client.get_iterations(widget.id)[0].id)
    assert only(copy())["action"] == "replaced"
    assert only(copy())["action"] == "unchanged"


def test_present_is_content_with_a_copy_that_is_out_of_date(copy, dev, promoted, widget):
    train(sdk(dev), widget)
    assert only(copy(state="present"))["action"] == "unchanged"


def test_check_mode_foretells_a_replacement_and_its_deletions(copy, dev, prod, promoted, widget):
    for _time in range(2):
        train(sdk(dev), widget)
        copy()
    train(sdk(dev), widget)
    forget(dev, prod)
    foretold = copy(check_mode=True)
    assert not writes(prod) and "ExportProject" not in operations(dev)
    assert foretold["changed"] is True and only(foretold)["destination"] is None
    assert without_stamps(only(foretold)) == without_stamps(only(copy()))
    assert without_stamps(only(foretold))["deleted"] == ["superseded"]


@pytest.mark.parametrize("retain", [0, 1, 2])
def test_so_many_superseded_copies_are_retained_the_newest(copy, emulator, dev, prod, promoted, widget, retain):
    old = [promoted.id]
    for _time in range(3):
        train(sdk(dev), widget)
        emulator.clock.advance(seconds=2)
        old.append(only(copy(retain=retain))["destination"]["id"])
    assert [project.id for project in of_kind(prod, "superseded")] == old[:-1][3 - retain:]


def test_a_smaller_retain_deletes_without_a_replacement(copy, emulator, dev, prod, promoted, widget):
    for _time in range(3):
        train(sdk(dev), widget)
        copy(retain=3)
    assert without_stamps(only(copy(check_mode=True)))["deleted"] == ["superseded", "superseded"]
    result = copy()
    assert (only(result)["action"], result["changed"]) == ("unchanged", True)
    assert len(of_kind(prod, "superseded")) == 1


def test_present_deletes_no_superseded_copy_where_it_does_nothing(copy, dev, prod, promoted, widget):
    for _time in range(2):
        train(sdk(dev), widget)
        copy(retain=2)
    assert copy(state="present", retain=0)["changed"] is False
    assert len(of_kind(prod, "superseded")) == 2


def test_a_published_superseded_copy_is_left_with_a_warning(copy, dev, prod, promoted, widget):
    publish(prod, promoted)
    train(sdk(dev), widget)
    result = copy(retain=0)
    (superseded,) = of_kind(prod, "superseded")
    assert superseded.id == promoted.id and only(result)["deleted"] == []
    assert superseded.name in warned(result) and "published" in warned(result)


def test_a_published_superseded_copy_is_unpublished_first_if_asked_to(copy, dev, prod, promoted, widget):
    publish(prod, promoted)
    train(sdk(dev), widget)
    foretold = copy(check_mode=True, retain=0, unpublish_superseded=True)
    assert without_stamps(only(foretold))["deleted"] == ["superseded"]
    assert sdk(prod).get_iterations(promoted.id)[0].publish_name == "live"
    result = copy(retain=0, unpublish_superseded=True)
    assert len(only(result)["deleted"]) == 1 and names(prod) == ["Widget"]


def test_a_retained_superseded_copy_stays_published(copy, dev, prod, promoted, widget):
    publish(prod, promoted)
    train(sdk(dev), widget)
    copy(unpublish_superseded=True)
    assert sdk(prod).get_iterations(promoted.id)[0].publish_name == "live"


def test_an_unpublished_copy_whose_deletion_was_cut_off_is_deleted_by_the_next_run(copy, dev, prod, promoted, widget):
    publish(prod, promoted)
    train(sdk(dev), widget)
    prod.faults.add("DeleteProject", status=400, times=None)
    assert "could not be deleted" in warned(copy(retain=0, unpublish_superseded=True))
    prod.faults.clear()
    assert len(only(copy(retain=0))["deleted"]) == 1


def test_what_was_rolled_back_stays_so_until_the_source_changes(copy, emulator, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    newer = only(copy())["destination"]["id"]
    rename(prod, the(prod, "Widget"), "Widget (withdrawn 20261123T190500Z)")
    rename(prod, promoted, "Widget")
    for check_mode in (True, False):
        result = copy(check_mode)
        assert (result["changed"], only(result)["action"]) == (False, "unchanged")
        assert only(result)["destination"]["id"] == promoted.id and only(result)["verified"] is False
        assert len(result["warnings"]) == 1 and "rolled back on purpose" in warned(result)
        assert "'Widget (withdrawn 20261123T190500Z)'" in warned(result)
    train(sdk(dev), widget)
    result = copy()
    assert only(result)["action"] == "replaced" and not result.get("warnings")
    assert the(prod, "Widget (withdrawn 20261123T190500Z)").id == newer


@pytest.fixture(name="end_imports_after")
def fixture_end_imports_after(emulator, monkeypatch):
    """Has all imports end as soon as this run has sent its own."""

    def end_imports_after():
        send = _importing.Importer.send

        def send_and_wait(*of):
            sent = send(*of)
            emulator.clock.advance(seconds=61)
            return sent

        monkeypatch.setattr(_importing.Importer, "send", send_and_wait)

    return end_imports_after


@pytest.mark.parametrize("importing", [False, True], ids=["finished", "importing when first seen"])
def test_of_withdrawn_copies_the_newest_is_kept(
    copy, emulator, dev, prod, promoted, widget, end_imports_after, importing
):
    """Each is compared once: long finished or not, it is not waited for, and so does not lag behind either."""
    prod.import_seconds = 60
    for minute in (1, 3, 2):
        begin_import(dev, prod, widget, f"Widget (withdrawn 20261123T190{minute}00Z)")
    if not importing:
        emulator.clock.advance(seconds=61)
    train(sdk(dev), widget)
    end_imports_after()
    forget(prod)
    assert len(only(copy(wait_timeout=10))["deleted"]) == 2
    assert [project.name for project in of_kind(prod, "withdrawn")] == ["Widget (withdrawn 20261123T190300Z)"]
    # The present copy, the three, the new one, and whether anything is published in the two that are deleted.
    assert operations(prod).count("GetIterations") == 1 + 3 + 1 + 2


def test_a_rollback_that_was_cut_off_is_not_undone(copy, dev, prod, promoted, widget):
    rename(prod, promoted, "Widget (withdrawn 20261123T190500Z)")
    forget(prod)
    result = copy()
    assert result["failed"] and "cv_project_rollback" in result["msg"] and not writes(prod)


def test_an_incoming_copy_of_an_earlier_run_replaces_an_old_one(copy, emulator, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    assert only(copy(wait=False))["action"] == "started"
    assert the(prod, "Widget").id == promoted.id
    emulator.clock.advance(seconds=60)
    forget(dev, prod)
    assert only(copy())["action"] == "replaced"
    assert "ImportProject" not in operations(prod)
    assert of_kind(prod, "superseded")[0].id == promoted.id


def test_a_copy_that_fails_leaves_the_old_one_its_name(copy, dev, prod, promoted, widget):
    train(sdk(dev), widget)
    prod.faults.add("ImportProject", outcome="lossy")
    result = copy(wait_timeout=1)
    assert only(result)["action"] == "failed" and the(prod, "Widget").id == promoted.id
    assert only(copy())["action"] == "replaced"


def test_an_importing_project_of_the_name_is_waited_for_and_then_compared(copy, emulator, dev, prod, widget):
    prod.import_seconds = 0.3
    arriving = begin_import(dev, prod, widget, "Widget")
    result = copy()
    assert (only(result)["action"], only(result)["verified"]) == ("waited", True)
    prod.import_seconds = 0.3
    sdk(prod).delete_project(arriving.id)
    begin_import(dev, prod, make_project(dev, "Other", images=1), "Widget")
    assert only(copy(wait_timeout=1))["action"] == "replaced"


def test_a_source_in_training_is_waited_for(copy, dev, prod, promoted, widget):
    dev.training_seconds = 0.5
    sdk(dev).train_project(widget.id)
    assert only(copy())["counts"]["iterations"] == 2


def test_check_mode_takes_it_that_a_training_changes_the_source(copy, dev, prod, promoted, widget):
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    assert only(copy(check_mode=True))["action"] == "replaced"


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_source_in_training_is_an_error_without_waiting(copy, dev, prod, promoted, widget, check_mode):
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    forget(prod)
    assert "still in training, and wait is off" in copy(check_mode, wait=False)["msg"] and not writes(prod)


def test_a_source_that_lost_its_training_is_refused_and_holds_back_all(copy, dev, prod, promoted, widget):
    sdk(dev).delete_iteration(widget.id, sdk(dev).get_iterations(widget.id)[0].id)
    make_project(dev, "Other", images=1)
    forget(prod)
    for check_mode in (True, False):
        result = copy(check_mode, match=["*"])
        assert "no trained iteration" in result["msg"] and promoted.id in result["msg"]
        assert result["msg"].startswith("Nothing was begun") and [one["action"] for one in result["copies"]] == ["failed"] * 2
    assert not writes(prod)


def test_a_source_without_training_may_replace_a_copy_without(copy, dev, prod):
    bare = make_project(dev, "Widget", images=2, iterations=0)
    copy()
    sdk(dev).create_tag(bare.id, "New")
    assert only(copy())["action"] == "replaced"


def test_a_read_only_destination_is_refused_only_where_something_would_be_replaced(copy, dev, prod, promoted, widget):
    prod.dr_mode = True
    assert only(copy())["action"] == "unchanged"
    train(sdk(dev), widget)
    assert "drModeEnabled" in copy()["msg"]


def test_what_cannot_be_compared_does_not_hold_back_the_others(copy, dev, prod, promoted, widget):
    other = make_project(dev, "Other", images=1)
    copy(match=["*"])
    train(sdk(dev), other)
    prod.faults.add("GetTags", status=400, shape="service")
    result = copy(match=["*"])
    assert result["failed"] and sorted(one["action"] for one in result["copies"]) in (
        ["failed", "replaced"], ["failed", "unchanged"],
    )


@pytest.mark.parametrize("arguments, sentence", [
    ({"compare": []}, "compare is empty"),
    ({"retain": -1}, "retain is -1"),
])
def test_bad_input(copy, prod, widget, arguments, sentence):
    assert sentence in copy(**arguments)["msg"] and not prod.requests


def test_a_run_that_dies_between_the_renames_is_finished_by_the_next(copy, dev, prod, promoted, widget, monkeypatch):
    train(sdk(dev), widget)
    prod.faults.add("UpdateProject", after=1, status=400, shape="service", times=None)
    assert copy()["failed"] and "Widget" not in names(prod)
    prod.faults.clear()
    forget(prod)
    result = copy()
    assert only(result)["action"] == "copied" and "ImportProject" not in operations(prod)
    assert of_kind(prod, "superseded")[0].id == promoted.id


@pytest.mark.parametrize("hours", [0, 25])
def test_what_another_run_named_meanwhile_is_not_deleted(copy, dev, prod, promoted, widget, monkeypatch, hours):
    """An incoming copy of the list at the start may have the name by the time the comparison is over."""
    incoming = begin_import(dev, prod, widget, incoming_name(prod, hours=hours))
    wait_for_end(prod, incoming)
    compare = _verifier.Verifier.compare

    def compare_slowly(*arguments, **options):
        decided = compare(*arguments, **options)
        if the(prod, "Widget").id == promoted.id:
            rename(prod, promoted, "Widget (superseded 20261123T190100Z)")
            rename(prod, incoming, "Widget")
        return decided

    monkeypatch.setattr(_verifier.Verifier, "compare", compare_slowly)
    assert only(copy())["destination"]["id"] == incoming.id == the(prod, "Widget").id


@pytest.mark.parametrize("name, state", [
    (incoming_name, "present"), (lambda prod: incoming_name(prod, hours=25), "present"),
    (lambda _prod: "Widget (superseded 20261123T190000Z)", "latest"),
], ids=["incoming", "incoming for a day", "superseded"])
def test_what_another_run_names_just_before_it_is_deleted_stays(copy, dev, prod, promoted, widget, monkeypatch, name, state):
    """Another run takes the name with an incoming copy, or goes back to a superseded one (found by random schedules)."""
    doomed = begin_import(dev, prod, widget, name(prod))
    wait_for_end(prod, doomed)
    is_published = _service.Service.is_published

    def is_published_slowly(service, project):
        found = is_published(service, project)
        rename(prod, promoted, "Widget (withdrawn 20261123T190100Z)")
        rename(prod, doomed, "Widget")
        return found

    monkeypatch.setattr(_service.Service, "is_published", is_published_slowly)
    result = copy(state=state, retain=0)
    assert the(prod, "Widget").id == doomed.id and only(result)["deleted"] == []


def wait_for_end(resource, project):
    """Until an import is over."""
    while sdk(resource).get_project(project.id).status == "Importing":
        pass
