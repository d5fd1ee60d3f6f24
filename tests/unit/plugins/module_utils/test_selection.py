# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import (
    Wanted,
    check_id,
    refuse,
    wanted_entries,
    wanted_matches,
)

ID = "bc3f7dad-5544-468c-8573-3ef04d55463e"
OTHER_ID = "64b822c5-8082-4b36-a426-27225f4aa18c"


def project(name="Widget", project_id=ID, **fields):
    return {"id": project_id, "name": name, "status": "Succeeded", **fields}


def entry(name=None, project_id=None, destination_name=None):
    return {"name": name, "id": project_id, "destination_name": destination_name}


def refusals(wanted, destination=(), same_resource=False):
    return [copy.refusal for copy in refuse(wanted, list(destination), same_resource)]


def test_a_project_is_found_by_name_and_by_id_and_keeps_its_name():
    source = [project("Other", OTHER_ID), project()]
    assert wanted_entries([entry("Widget"), entry(project_id=OTHER_ID.upper())], source) == [
        Wanted("Widget", source[1]),
        Wanted("Other", source[0]),
    ]


def test_a_project_gets_its_destination_name():
    assert wanted_entries([entry("Widget", destination_name="Widget (EU)")], [project()])[0].name == "Widget (EU)"


def test_names_are_case_sensitive():
    (copy,) = wanted_entries([entry("widget")], [project()])
    assert "no project of this name" in copy.refusal and copy.label == "project 'widget'"


def test_an_unknown_id_is_refused():
    (copy,) = wanted_entries([entry(project_id=OTHER_ID)], [project()])
    assert "no project of this id" in copy.refusal and OTHER_ID in copy.label


def test_a_malformed_id_is_an_error():
    with pytest.raises(CustomVisionError, match="'bc3f', which is not an id"):
        check_id("bc3f", "id")


def test_two_of_one_name_at_the_source_are_refused_with_their_ids():
    source = [project(), project(project_id=OTHER_ID)]
    for (copy,) in (wanted_entries([entry("Widget")], source), wanted_matches(["Widget"], source)[:1]):
        assert ID in copy.refusal and OTHER_ID in copy.refusal
    assert wanted_entries([entry(project_id=ID)], source)[0].refusal is None


def test_globs_find_names_in_the_sources_order_each_once():
    source = [project(name) for name in ("Widget B", "Widget A", "widget c", "Shelf")]
    copies = wanted_matches(["Widget*", "*A", "Shel[f]"], source)
    assert [copy.name for copy in copies] == ["Widget B", "Widget A", "Shelf"]


def test_a_glob_that_finds_nothing_is_refused():
    copies = wanted_matches(["Widget", "Nothing*"], [project()])
    assert [copy.refusal for copy in copies] == [None, "the source has no project whose name matches this"]


def test_globs_pass_over_names_of_ours():
    ours = ["Widget (incoming 20261123T190036Z 0a1b2c3d)", "Widget (failed 20261123T190036Z)"]
    source = [project(name) for name in ("Widget", *ours)]
    assert [copy.name for copy in wanted_matches(["*"], source)] == ["Widget"]


def test_a_wish_that_can_be_is_not_refused():
    assert refusals([Wanted("Widget", project())], [project("Other", OTHER_ID)]) == [None]


@pytest.mark.parametrize("second", ["Widget", "widget", "Widget "])
def test_two_copies_to_one_destination_name_are_refused(second):
    both = refusals([Wanted("Widget", project()), Wanted(second, project("Other", OTHER_ID))])
    assert all("would get the same name" in refusal for refusal in both)


@pytest.mark.parametrize("present", ["widget", "Widget ", " WIDGET"])
def test_a_name_that_differs_from_one_there_only_by_case_or_spaces_is_refused(present):
    (refusal,) = refusals([Wanted("Widget", project())], [project(present, OTHER_ID)])
    assert repr(present) in refusal and "only by case" in refusal


@pytest.mark.parametrize(
    "name",
    ["X (incoming 20261123T190036Z 0a1b2c3d)", "X (superseded 20261123T190036Z)", "X (withdrawn 20261123T190036Z)"],
)
def test_a_name_of_one_of_our_patterns_is_refused(name):
    assert "pattern" in refusals([Wanted(name, project())])[0]


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_destination_name_is_refused(name):
    assert "empty" in refusals([Wanted(name, project())])[0]


def test_the_source_as_its_own_destination_is_refused_without_another_name():
    assert "same resource" in refusals([Wanted("Widget", project())], same_resource=True)[0]
    assert "same resource" in refusals([Wanted("Widget", project())], [project()])[0]
    assert refusals([Wanted("Copy", project())], [project()], same_resource=True) == [None]


def test_a_source_that_failed_is_refused():
    (refusal,) = refusals([Wanted("Widget", project(status="Failed"))])
    assert "failed" in refusal and ID in refusal


def test_a_refusal_that_is_there_already_stays():
    assert refusals([Wanted("Widget", {}, "no")]) == ["no"]
