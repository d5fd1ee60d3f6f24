# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _connection, _requests, _retrying
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import our_name
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy, cv_project_rollback
from azure.cognitiveservices.vision.customvision.training.models import Project as ProjectUpdate
from emulated import connection, names, operations, quotes_a_link, writes
from emulator import store
from emulator.samples import make_project, sdk

OLDER = "Widget (superseded 20201123T190000Z)"
OLD = "Widget (superseded 20211123T190000Z)"
WITHDRAWN = "Widget (withdrawn 20221123T190000Z)"
THREE = ["GetProjects", "UpdateProject", "UpdateProject"]


@pytest.fixture(name="rollback")
def fixture_rollback(run_module, prod):
    """Rolls Widget back at prod; what holds of every run is checked here."""

    def rollback(check_mode=False, **arguments):
        there = len(prod.store.projects)
        prod.requests.clear()
        result = run_module(cv_project_rollback, check_mode, **{"name": "Widget", **connection(prod), **arguments})
        text = json.dumps(result)
        assert "Traceback" not in text and not quotes_a_link(text)
        assert prod.training_key not in text and prod.access_token not in text
        assert {request.method for request in prod.requests} <= {"GET", "PATCH"}  # renames only
        assert len(prod.store.projects) == there
        return result

    return rollback


@pytest.fixture(name="plant")
def fixture_plant(prod):
    """Puts projects there; their ids in order."""

    def plant(*planted):
        return [sdk(prod).create_project(name).id for name in planted]

    return plant


def rename(resource, project_id, name):
    """Renames a project, as somebody else would."""
    present = sdk(resource).get_project(project_id)
    sdk(resource).update_project(project_id, ProjectUpdate(name=name, description="", settings=present.settings))


def id_of(resource, name):
    (project,) = (project for project in resource.store.projects.values() if project.name == name)
    return project.id


def warnings(result):
    """The texts of a result's warnings, which ansible-core 2.19 wraps."""
    found = result.get("warnings", [])
    return [warning if isinstance(warning, str) else warning["event"]["msg"] for warning in found]


def kinds(resource):
    """How many projects of a resource have which kind of name; None is somebody's own."""
    return Counter(getattr(our_name(name), "kind", None) for name in names(resource))


def test_the_old_copy_has_its_name_again_and_the_present_one_is_withdrawn(rollback, prod, plant):
    older, old, new = plant(OLDER, OLD, "Widget")
    result = rollback()
    assert operations(prod) == THREE
    assert result["changed"] is True and not result.get("failed") and not warnings(result)
    assert result["project"]["id"] == old == id_of(prod, "Widget")
    assert result["project"]["name"] == "Widget" and "dr_mode_enabled" in result["project"]
    assert "thumbnail_uri" not in result["project"]
    (aside,) = (name for name in names(prod) if "withdrawn" in name)
    assert result["diff"] == {
        "before": {"Widget": new, OLD: old, OLDER: older}, "after": {"Widget": old, aside: new, OLDER: older},
    }


def test_its_time_is_the_destinations(rollback, emulator, prod, plant):
    emulator.clock.advance(hours=24 * 365 * 30)
    plant(OLD, "Widget")
    rollback()
    (aside,) = (our_name(name) for name in names(prod) if "withdrawn" in name)
    assert f"{emulator.clock.now():%Y%m%d}" == aside.stamp[:8]


def test_a_second_run_changes_nothing_and_costs_one_request(rollback, prod, plant):
    _older, old, _new = plant(OLDER, OLD, "Widget")
    rollback()
    there = names(prod)
    for check_mode in (False, True):
        result = rollback(check_mode)
        assert result["changed"] is False and result["project"]["id"] == old and not warnings(result)
        assert result["diff"]["before"] == result["diff"]["after"] and len(result["diff"]["after"]) == 3
        assert operations(prod) == ["GetProjects"] and names(prod) == there


def test_check_mode_writes_nothing_and_reports_what_a_run_does(rollback, prod, plant):
    plant(OLDER, OLD, "Widget")
    foreseen = rollback(check_mode=True)
    assert operations(prod) == ["GetProjects"] and OLD in names(prod)
    done = rollback()
    for result in (foreseen, done):
        result["project"].pop("last_modified")
        result["diff"]["after"] = Counter(
            (re.sub(r"withdrawn \w+", "withdrawn", name), project_id) for name, project_id in result["diff"]["after"].items()
        )
    assert {key: foreseen[key] for key in ("changed", "project", "diff")} == {
        key: done[key] for key in ("changed", "project", "diff")
    }


def test_everything_but_the_names_stays_published_iterations_too(rollback, prod):
    projects = {
        name: make_project(prod, name, images=2, description=f"of {name}").id for name in (OLD, "Widget")
    }
    client = sdk(prod)
    for number, project_id in enumerate(projects.values()):
        (iteration,) = client.get_iterations(project_id)
        client.publish_iteration(project_id, iteration.id, f"production {number}", prod.prediction_resource_id)

    def content():
        return {
            project.id: (project.description, project.settings, project.tags, project.images, project.iterations)
            for project in prod.store.projects.values()
        }

    before = content()
    assert rollback()["project"]["id"] == projects[OLD]
    assert content() == before


def test_a_promotion_after_a_rollback_can_be_rolled_back(rollback, prod, plant):
    _old, second = plant(OLD, "Widget")
    first = rollback()["project"]["id"]
    rename(prod, first, "Widget (superseded 20991123T190000Z)")
    (_third,) = plant("Widget")
    assert rollback()["project"]["id"] == first
    assert second in prod.store.projects and kinds(prod) == {None: 1, "withdrawn": 2}
    result = rollback()
    assert result["changed"] is False and result["project"]["id"] == first


def test_rolling_back_twice_within_a_second_does_not_go_back_further(rollback, emulator, prod, plant):
    now = f"{emulator.clock.now():%Y%m%dT%H%M%SZ}"
    older, old, _new = plant(OLDER, f"Widget (superseded {now})", "Widget")
    assert rollback()["project"]["id"] == old
    assert rollback()["changed"] is False
    assert id_of(prod, OLDER) == older


@pytest.mark.parametrize("planted, warning", [
    ((OLD, WITHDRAWN), None),
    ((OLDER, OLD), f"that would go back further, to {OLDER!r}"),
    ((OLD,), "that would find nothing to go back to, and fail"),
])
def test_a_name_that_nobody_has_is_given_back(rollback, prod, plant, planted, warning):
    plant(*planted)
    old = id_of(prod, OLD)
    result = rollback()
    assert result["changed"] is True and result["project"]["id"] == old
    assert operations(prod) == ["GetProjects", "UpdateProject"]
    assert [told.endswith(f"{warning}.") for told in warnings(result)] == ([True] if warning else [])


def test_a_holder_made_after_the_withdrawal_is_told_of(rollback, prod, plant):
    _withdrawn, young = plant(WITHDRAWN, "Widget")
    result = rollback()
    assert result["changed"] is False and result["project"]["id"] == young
    (warning,) = warnings(result)
    assert warning.startswith(f"project 'Widget': nothing is done, because {WITHDRAWN!r} is the newest")


@pytest.mark.parametrize("planted, message", [
    ((), "there is neither a project of this name nor a superseded copy of it: list the projects with "
         "cvops.custom_vision.cv_project_info."),
    (("Widget",), "there is no superseded copy of it to go back to."),
    ((WITHDRAWN,), "no project has this name, and there is no superseded copy to give it to: give it by hand to "
                   f"another project, such as {WITHDRAWN!r}."),
    (("Widget", "Widget", OLD), "there are 2 projects of this name: rename or delete all but one of <id>, <id>."),
    (("widget", OLD), "there is 'widget', which differs only by case or by spaces at its ends: give the name as it is "
                      "there, or rename that project."),
])
@pytest.mark.parametrize("check_mode", [False, True])
def test_where_there_is_no_way_back_nothing_is_written(rollback, prod, plant, planted, message, check_mode):
    plant(*planted)
    result = rollback(check_mode)
    assert result["failed"] and result["changed"] is False
    assert re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", result["msg"]) == f"project 'Widget': {message}"
    assert operations(prod) == ["GetProjects"]


@pytest.mark.parametrize("name, status, message", [
    (OLD, "Failed", f"its newest superseded copy, {OLD!r} (id <id>), is Failed and so not whole: rename or delete it "
                    "to go back to the one before it."),
    (OLD, "Importing", f"its newest superseded copy, {OLD!r} (id <id>), is Importing and so not whole: rename or "
                       "delete it to go back to the one before it."),
    ("Widget", "Importing", "what has the name (id <id>) is still being imported: run again when that has ended."),
])
def test_what_is_not_whole_is_in_the_way(rollback, prod, plant, name, status, message):
    plant(OLDER, OLD, "Widget")
    prod.store.projects[id_of(prod, name)].status = status
    result = rollback()
    assert re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", result["msg"]) == f"project 'Widget': {message}"
    assert not writes(prod)


@pytest.mark.parametrize("status, hours", [("Failed", 0), ("Importing", 25)])
def test_a_holder_that_never_will_be_whole_gives_way(rollback, emulator, prod, plant, status, hours):
    old, new = plant(OLD, "Widget")
    prod.store.projects[new].status = status
    emulator.clock.advance(hours=hours)
    assert rollback()["project"]["id"] == old


def test_a_read_only_resource_is_refused_only_where_something_would_be_written(rollback, prod, plant):
    _old, new = plant(OLD, "Widget")
    prod.dr_mode = True
    result = rollback()
    assert result["msg"] == (
        "project 'Widget': it is read-only for the time being (drModeEnabled, disaster recovery): run again later."
    )
    assert not writes(prod)
    prod.dr_mode = False
    rename(prod, id_of(prod, OLD), "Widget (withdrawn 20991123T190000Z)")
    prod.dr_mode = True
    assert rollback()["project"]["id"] == new


def test_names_of_others_are_left_alone(rollback, prod, plant):
    others = ["Widget (1)", "Widget 2", f"{OLD} (1)", "Widget (superseded)", "Other (superseded 20251123T190000Z)"]
    _old, *ids = plant(OLD, *others)
    plant("Widget")
    rollback()
    assert [prod.store.projects[one].name for one in ids] == others


# What can go wrong with one of the two renames, as the emulator's README has it; and whether the work is done.
TROUBLE = {
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "too late": {"delay_after": 1},
    "429": {"status": 429},
    "503": {"status": 503},
}
TO_STAY = {
    "302": {"redirect": "https://login.example.com/"},
    "400": {"status": 400, "shape": "service", "code": "BadRequestOfANewKind", "message": "Not with {key}."},
    "403": {"status": 403, "shape": "html"},
    "html": {"malformed": "html"},
    "truncated": {"malformed": "truncated"},
}


@pytest.fixture(name="impatient")
def fixture_impatient(monkeypatch):
    connect = _connection.connect
    monkeypatch.setattr(cv_project_rollback, "connect", lambda *of: replace(connect(*of), timeout=0.2))
    monkeypatch.setattr(_retrying.ServiceRetry, "BACKOFF", 0.001)
    monkeypatch.setattr(_retrying.ServiceRetry, "LONGEST_WAIT", 0.01)


@pytest.mark.parametrize("spared", [0, 1], ids=["first rename", "second rename"])
@pytest.mark.parametrize("fault", TROUBLE.values(), ids=TROUBLE)
def test_trouble_that_passes_is_no_trouble(rollback, prod, plant, impatient, fault, spared):
    _older, old, _new = plant(OLDER, OLD, "Widget")
    prod.faults.add("UpdateProject", after=spared, **fault)
    result = rollback()
    assert result["changed"] is True and result["project"]["id"] == old == id_of(prod, "Widget")
    assert kinds(prod) == {None: 1, "superseded": 1, "withdrawn": 1}


@pytest.mark.parametrize("spared", [0, 1], ids=["first rename", "second rename"])
@pytest.mark.parametrize("fault", [*TROUBLE.values(), *TO_STAY.values()], ids=[*TROUBLE, *TO_STAY])
def test_trouble_that_stays_is_told_with_what_it_left_and_the_next_run_finishes(
    rollback, prod, plant, impatient, fault, spared
):
    older, old, new = plant(OLDER, OLD, "Widget")
    prod.faults.add("UpdateProject", after=spared, times=None, **fault)
    result = rollback()
    assert result["failed"] and result["msg"].startswith("project 'Widget': PATCH ") and result["msg"].endswith(".")
    assert ".." not in result["msg"] and ". ." not in result["msg"]
    answered = [request.status for request in writes(prod)]
    assert result["changed"] is any(status in (None, 200) or status >= 500 for status in answered)
    if spared:
        aside = prod.store.projects[new].name
        assert f" Project {new} is set aside as {aside!r} and " in result["msg"]
        assert result["diff"]["after"][aside] == new and "Widget" not in result["diff"]["after"]
    assert ("run again to finish." in result["msg"]) == (result["changed"])

    prod.faults.clear()
    result = rollback()
    assert result["project"]["id"] == old == id_of(prod, "Widget")
    assert our_name(prod.store.projects[new].name).kind == "withdrawn" and id_of(prod, OLDER) == older
    assert rollback()["changed"] is False


@pytest.mark.parametrize("spared", [0, 1], ids=["first list", "list after a surprise"])
@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 503}], ids=["dropped", "503"])
def test_a_list_that_is_had_at_the_second_try_will_do(rollback, prod, plant, impatient, fault, spared):
    old, _new = plant(OLD, "Widget")
    prod.faults.add("GetProjects", after=spared, **fault)
    prod.faults.add("UpdateProject", times=spared, status=404, shape="service", code="NotFoundProject")
    result = rollback()
    assert result["changed"] is True and result["project"]["id"] == old == id_of(prod, "Widget")
    assert operations(prod).count("GetProjects") == 2 + spared


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 503}, {"malformed": "html"}])
def test_a_list_that_cannot_be_had_after_a_surprise_leaves_what_the_next_run_finishes(
    rollback, prod, plant, impatient, fault
):
    old, new = plant(OLD, "Widget")
    prod.faults.add("GetProjects", after=1, times=None, **fault)
    prod.faults.add("UpdateProject", after=1, status=404, shape="service", code="NotFoundProject")
    result = rollback()
    aside = f"Project {new} is set aside as {prod.store.projects[new].name!r}"
    assert result["failed"] and result["changed"] is True and result["msg"].startswith("project 'Widget': GET /")
    assert f". {aside} and whether another one has its name is not known: run again to finish." in result["msg"]
    prod.faults.clear()
    assert rollback()["project"]["id"] == old and rollback()["changed"] is False


@pytest.mark.parametrize("fault", [{"status": 401}, {"malformed": "html"}, {"drop": "before"}, {"status": 503}])
def test_a_list_that_cannot_be_had_is_one_sentence(rollback, prod, plant, impatient, fault):
    plant(OLD, "Widget")
    prod.faults.add("GetProjects", times=None, **fault)
    result = rollback()
    assert result["failed"] and result["changed"] is False and result["diff"] == {"before": {}, "after": {}}
    assert result["msg"].startswith("project 'Widget': GET /customvision/v3.3/training/projects of the resource at")
    assert "run again to finish" not in result["msg"]


@pytest.fixture(name="meanwhile")
def fixture_meanwhile(prod, monkeypatch):
    """Has something done just before the rename of that number; whatever that asks for is not counted."""

    def meanwhile(number, act):
        update = store.Store.update
        renames = []

        def update_after(self, project, changes):
            renames.append(project.id)
            if len(renames) == number:
                act()
            if project.id not in prod.store.projects:
                raise store.ServiceError("NotFoundProject")
            update(self, project, changes)

        monkeypatch.setattr(store.Store, "update", update_after)

    return meanwhile


def test_another_rollback_at_the_same_time_does_no_harm(rollback, prod, plant, meanwhile):
    _older, old, new = plant(OLDER, OLD, "Widget")

    def roll_back():
        prod.store.projects[new].name = "Widget (withdrawn 20991123T190000Z)"
        prod.store.projects[old].name = "Widget"

    meanwhile(1, roll_back)
    assert rollback()["project"]["id"] == old
    assert kinds(prod) == {None: 1, "superseded": 1, "withdrawn": 1}
    assert rollback()["changed"] is False


def test_a_promotion_that_takes_the_name_in_between_is_told_of(rollback, prod, plant, meanwhile):
    _old, new, newest = plant(OLD, "Widget", "Widget 2")
    meanwhile(2, lambda: setattr(prod.store.projects[newest], "name", "Widget"))
    result = rollback()
    assert result["failed"] and result["changed"] is True
    aside = prod.store.projects[new].name
    assert result["msg"] == (
        f"project 'Widget': somebody else gave the name to project {newest} before {OLD!r} could have it: "
        f"rename by hand to go back all the same. Project {new} is set aside as {aside!r}."
    )
    assert id_of(prod, "Widget") == newest


def test_a_superseded_copy_that_is_deleted_in_between_is_passed_over(run_module, prod, plant, meanwhile):
    older, old, _new = plant(OLDER, OLD, "Widget")
    meanwhile(2, lambda: prod.store.projects.pop(old))
    result = run_module(cv_project_rollback, name="Widget", **connection(prod))
    assert result["project"]["id"] == older and kinds(prod) == {None: 1, "withdrawn": 1}


def test_the_last_superseded_copy_that_is_deleted_in_between_is_told_of(run_module, prod, plant, meanwhile):
    old, new = plant(OLD, "Widget")
    meanwhile(2, lambda: prod.store.projects.pop(old))
    result = run_module(cv_project_rollback, name="Widget", **connection(prod))
    aside = prod.store.projects[new].name
    assert result["msg"] == (
        "project 'Widget': no project has this name, and there is no superseded copy to give it to: give it by hand "
        f"to another project, such as {aside!r}. Project {new} is set aside as {aside!r} and nobody has its name."
    )


def test_a_holder_that_is_deleted_in_between_leaves_the_name_free(run_module, prod, plant, meanwhile):
    old, new = plant(OLD, "Widget")
    meanwhile(1, lambda: prod.store.projects.pop(new))
    result = run_module(cv_project_rollback, name="Widget", **connection(prod))
    assert result["project"]["id"] == old and names(prod) == ["Widget"]


def test_somebody_who_is_always_faster_is_given_way_to(rollback, prod, plant):
    plant(OLD, "Widget")
    prod.faults.add("UpdateProject", times=None, status=400, shape="service", code="BadRequestProjectNameNotUnique")
    result = rollback()
    assert result["failed"] and "BadRequestProjectNameNotUnique" in result["msg"]
    assert operations(prod).count("GetProjects") == 4 and names(prod) == ["Widget", OLD]


@pytest.fixture(name="numbering")
def fixture_numbering(monkeypatch):
    """Taken names get a number at a rename, too."""

    def number(self, project, name):
        taken = {other.name for other in self.projects.values() if other is not project}
        self.numbered = store.free_name(name, taken)

    update = store.Store.update

    def numbered_update(self, project, changes):
        update(self, project, changes)
        project.name = self.numbered

    monkeypatch.setattr(store.Store, "_check_rename", number)
    monkeypatch.setattr(store.Store, "update", numbered_update)


def test_a_number_behind_the_name_is_no_success(rollback, prod, plant, numbering, meanwhile):
    old, new, newest = plant(OLD, "Widget", "Widget 2")
    meanwhile(2, lambda: setattr(prod.store.projects[newest], "name", "Widget"))
    result = rollback()
    assert result["failed"] and f"somebody else gave the name to project {newest}" in result["msg"]
    assert id_of(prod, OLD) == old and id_of(prod, "Widget") == newest
    assert our_name(prod.store.projects[new].name).kind == "withdrawn"


def test_a_number_behind_the_name_of_what_is_set_aside_is_taken_off(
    rollback, emulator, prod, plant, numbering, meanwhile
):
    """Who has that name was withdrawn in the same second by another run, so there is nothing more to do."""
    _old, new, *others = plant(OLD, "Widget", *(f"Other {number}" for number in range(10)))

    def take_the_name():
        for number, other in enumerate(others):
            at = emulator.clock.now() + timedelta(seconds=number - 3)
            prod.store.projects[other].name = f"Widget (withdrawn {at:%Y%m%dT%H%M%SZ})"

    meanwhile(1, take_the_name)
    result = rollback()
    assert result["changed"] is True and result["project"]["id"] == new == id_of(prod, "Widget")
    assert operations(prod)[:4] == [*THREE, "GetProjects"]
    assert not any(name.endswith(" (1)") for name in names(prod))


@pytest.mark.parametrize("arguments, sentence", [
    ({"name": " "}, "name is empty: give the name that the models are promoted under"),
    ({"name": OLD}, f"name is {OLD!r}, which this collection gave to a copy that waits, failed or was set aside: "
                    "give the name alone, 'Widget'"),
    ({"training_key": ""}, "training_key is given but empty"),
    ({"endpoint": "http://prod.example.com"}, "endpoint is plain http"),
])
def test_bad_input_is_refused_before_anything_is_sent(rollback, prod, plant, arguments, sentence):
    plant(OLD, "Widget")
    result = rollback(**arguments)
    assert result["failed"] and sentence in result["msg"] and not prod.requests


def test_the_connection_comes_from_the_environment(run_module, monkeypatch, prod, plant):
    plant(OLD, "Widget")
    monkeypatch.setenv("VISION_TRAINING_ENDPOINT", prod.endpoint)
    monkeypatch.setenv("VISION_TRAINING_KEY", "")
    monkeypatch.setenv("VISION_TRAINING_ACCESS_TOKEN", prod.access_token)
    result = run_module(cv_project_rollback, name="Widget")
    assert result["changed"] is True and prod.access_token not in json.dumps(result)


def test_a_host_without_requests_is_told_as_ansible_tells_it(rollback, monkeypatch):
    monkeypatch.setattr(_requests, "REQUESTS_IMPORT_ERROR", "the traceback of the import")
    assert "Failed to import the required Python library (requests)" in rollback()["msg"]


def test_the_next_promotion_leaves_what_was_rolled_back_until_the_source_moves(
    rollback, run_module, emulator, dev, prod, widget
):
    def promote():
        result = run_module(
            cv_project_copy, source=connection(dev), destination=connection(prod), projects=[{"name": "Widget"}],
            state="latest", wait_sleep=0.05, rate_limit=1000,
        )
        (copy,) = result["copies"]
        return copy["action"], copy["destination"]["id"]

    _action, first = promote()
    sdk(dev).train_project(widget.id)
    action, second = promote()
    assert action == "replaced" and rollback()["project"]["id"] == first
    assert promote() == ("unchanged", first) and second in prod.store.projects
    emulator.clock.advance(seconds=2)  # the names tell times by the second
    sdk(dev).train_project(widget.id)
    action, third = promote()
    assert action == "replaced" and third not in (first, second)
    assert rollback()["project"]["id"] == first and rollback()["changed"] is False
