# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the design, row by row."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _steps
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._steps import leftovers, next_step

NOW = datetime(2026, 11, 23, 19, tzinfo=timezone.utc)
INCOMING = "Widget (incoming 20261123T18{minute:02}00Z {run})"


def project(name="Widget", status="Succeeded", project_id=None, age=timedelta(minutes=1)):
    created = (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": project_id or f"id of {name}", "name": name, "status": status, "created": created}


def incoming(status="Succeeded", minute=0, run="0a1b2c3d", suffix="", age=timedelta(minutes=1)):
    return project(INCOMING.format(minute=minute, run=run) + suffix, status, age=age)


def test_nothing_of_the_name_is_imported():
    assert next_step("Widget", [project("Other")], NOW) == (_steps.IMPORT, None, None)


def test_a_finished_project_of_the_name_is_kept():
    present = project()
    assert next_step("Widget", [present, incoming()], NOW) == (_steps.KEEP, present, None)


def test_an_answer_without_a_status_is_a_finished_project():
    present = project()
    del present["status"]
    assert next_step("Widget", [present], NOW).kind == _steps.KEEP


def test_an_importing_project_of_the_name_is_waited_for():
    present = project(status="Importing", age=timedelta(hours=23, minutes=59))
    assert next_step("Widget", [present], NOW) == (_steps.WAIT, present, None)


@pytest.mark.parametrize("status, age", [("Failed", timedelta(0)), ("Importing", timedelta(hours=24))])
def test_a_failed_or_stuck_project_of_the_name_yields_to_a_new_import(status, age):
    present = project(status=status, age=age)
    assert next_step("Widget", [present], NOW) == (_steps.IMPORT, None, present)


def test_several_of_the_name_are_an_error_that_lists_their_ids():
    with pytest.raises(CustomVisionError, match="2 projects of this name.* a, b"):
        next_step("Widget", [project(project_id="a"), project(project_id="b")], NOW)


def test_an_incoming_copy_on_its_way_is_waited_for():
    copy = incoming("Importing")
    assert next_step("Widget", [copy], NOW) == (_steps.AWAIT, copy, None)


def test_an_incoming_copy_that_has_arrived_is_verified_then_takes_the_name():
    copy = incoming(suffix=" (1)")
    assert next_step("Widget", [copy], NOW) == (_steps.VERIFY, copy, None)
    assert next_step("Widget", [copy], NOW, proven={copy["id"]}) == (_steps.TAKE, copy, None)


def test_a_proven_copy_takes_the_name_from_a_failed_one():
    copy, present = incoming(), project(status="Failed")
    assert next_step("Widget", [copy, present], NOW, proven={copy["id"]}) == (_steps.TAKE, copy, present)


@pytest.mark.parametrize("status, age", [("Failed", timedelta(0)), ("Importing", timedelta(hours=24))])
def test_a_failed_or_stuck_incoming_copy_is_rejected(status, age):
    copy = incoming(status, age=age)
    assert next_step("Widget", [copy], NOW) == (_steps.REJECT, copy, None)


def test_an_incoming_copy_that_differs_is_rejected():
    copy = incoming()
    assert next_step("Widget", [copy], NOW, unfit={copy["id"]}) == (_steps.REJECT, copy, None)


def test_of_several_incoming_copies_the_one_furthest_on_its_way_goes_first():
    failed = incoming("Failed", minute=5, run="00000005")
    on_its_way = incoming("Importing", minute=4, run="00000004")
    newer = incoming(minute=3, run="00000003")
    older = incoming(minute=2, run="00000002")
    everything = [failed, on_its_way, older, newer]
    assert next_step("Widget", everything, NOW) == (_steps.VERIFY, newer, None)
    assert next_step("Widget", everything, NOW, proven={older["id"]}) == (_steps.TAKE, older, None)
    assert next_step("Widget", [failed, on_its_way], NOW) == (_steps.AWAIT, on_its_way, None)


def test_an_incoming_copy_of_another_name_is_none_of_ours():
    assert next_step("Wid", [incoming()], NOW).kind == _steps.IMPORT


def test_somebodys_own_name_with_a_number_is_none_of_ours():
    assert next_step("Widget", [project("Widget (1)")], NOW).kind == _steps.IMPORT
    assert leftovers("Widget", [project("Widget (1)"), project()], NOW, {"0a1b2c3d"}) == []


def test_incoming_copies_that_are_not_needed_are_leftovers():
    ours, ours_again = incoming("Importing"), incoming("Importing", suffix=" (1)")
    theirs = incoming(run="ffffffff")
    stuck = incoming("Importing", run="eeeeeeee", age=timedelta(days=51))
    projects = [project(), ours, ours_again, theirs, stuck]
    assert leftovers("Widget", projects, NOW, {"0a1b2c3d"}) == [ours, ours_again, stuck]
    assert leftovers("Widget", projects, NOW, {"0a1b2c3d"}, {theirs["id"]}) == [ours, ours_again, theirs, stuck]


def test_another_runs_copy_may_be_about_to_take_the_name_for_a_day():
    theirs = incoming(run="ffffffff")
    assert _steps.arrived_copies("Widget", [project(), theirs], NOW, {"0a1b2c3d"}) == [theirs]
    assert _steps.arrived_copies("Widget", [project(), theirs], NOW, {"ffffffff"}) == []
    tomorrow = NOW + timedelta(days=1)
    assert _steps.arrived_copies("Widget", [project(), theirs], tomorrow, {"0a1b2c3d"}) == []
    assert leftovers("Widget", [project(), theirs], tomorrow, {"0a1b2c3d"}) == [theirs]


def test_another_runs_import_is_left_to_it_while_it_is_on_its_way():
    assert leftovers("Widget", [project(), incoming("Importing")], NOW, {"ffffffff"}) == []


def test_the_latest_is_compared_first():
    present = project()
    assert next_step("Widget", [present, incoming()], NOW, latest=True) == (_steps.COMPARE, present, None)
    assert next_step("Widget", [present], NOW, proven={present["id"]}, latest=True) == (_steps.KEEP, present, None)
    assert next_step("Widget", [present], NOW, unfit={present["id"]}, latest=True) == (_steps.IMPORT, None, present)


def test_what_was_rolled_back_is_compared_before_anything_is_imported_the_newest_first():
    present = project()
    older, newer = (project(f"Widget (withdrawn 20261123T19000{second}Z)") for second in (1, 2))
    there, unfit = [present, older, newer], {present["id"]}
    assert next_step("Widget", there, NOW, unfit=unfit, latest=True) == (_steps.COMPARE, newer, present)
    unfit.add(newer["id"])
    assert next_step("Widget", there, NOW, unfit=unfit, latest=True) == (_steps.COMPARE, older, present)
    step = next_step("Widget", there, NOW, proven={older["id"]}, unfit=unfit, latest=True)
    assert step == (_steps.STAY, older, present)
    unfit.add(older["id"])
    assert next_step("Widget", there, NOW, unfit=unfit, latest=True) == (_steps.IMPORT, None, present)


def test_of_what_was_set_aside_the_newest_are_kept():
    first, second, third = (project(f"Widget (superseded 20261123T19000{second}Z)") for second in (1, 2, 3))
    gone, kept = (project(f"Widget (withdrawn 20261123T19000{second}Z)") for second in (1, 2))
    there = [second, gone, third, first, kept, project(), project("Shelf (superseded 20261123T190000Z)")]
    assert _steps.outdated("Widget", there, 1) == [second, first, gone]
    assert _steps.outdated("Widget", there, 0) == [third, second, first, gone]
    assert _steps.outdated("Widget", there, 5) == [gone]


def test_all_but_the_newest_failed_copy_are_leftovers():
    names = ["Widget (failed 20261123T190001Z)", "Widget (failed 20261123T190003Z)", "Widget (failed 20261123T190002Z)"]
    oldest, newest, middle = (project(name) for name in names)
    other = project("Other (failed 20261123T190001Z)")
    projects = [project(), oldest, newest, middle, other]
    assert leftovers("Widget", projects, NOW, {"0a1b2c3d"}) == [middle, oldest]
