# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import our_name
from ansible_collections.cvops.custom_vision.plugins.module_utils._rollback import check_name, plan_rollback
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, 19, 0, 0, tzinfo=timezone.utc)


def stamp(day):
    return f"202611{day:02}T190000Z"


def project(name, project_id=None, **fields):
    return {
        "id": project_id or f"id of {name}", "name": name, "status": "Succeeded", "created": "2026-11-01T19:00:00Z",
        **fields,
    }


def superseded(day, **fields):
    return project(f"Widget (superseded {stamp(day)})", **fields)


def withdrawn(day, **fields):
    return project(f"Widget (withdrawn {stamp(day)})", **fields)


def planned(*projects, name="Widget", now=NOW):
    return plan_rollback(name, list(projects), now)


def refusal(*projects, name="Widget"):
    with pytest.raises(CustomVisionError) as caught:
        planned(*projects, name=name)
    return str(caught.value)


def after(plan, projects):
    """The projects once the plan is carried out."""
    names = {plan.project["id"]: "Widget"}
    if plan.holder is not None:
        names[plan.holder["id"]] = plan.aside
    return [{**one, "name": names.get(one["id"], one["name"])} for one in projects]


def test_the_newest_superseded_copy_takes_the_name_and_the_holder_is_withdrawn():
    plan = planned(superseded(1), project("Widget"), superseded(3), superseded(2))
    assert plan.project == superseded(3)
    assert plan.holder == project("Widget")
    assert plan.aside == "Widget (withdrawn 20261123T190000Z)"
    assert plan.warning is None


@pytest.mark.parametrize("others", [
    [withdrawn(4)],
    [withdrawn(4), superseded(3)],
    [withdrawn(4), superseded(4)],
    [withdrawn(2), withdrawn(4), superseded(3)],
], ids=["nothing else", "an older one", "an equal time", "another withdrawn one"])
def test_there_is_nothing_to_do_after_a_rollback(others):
    assert planned(project("Widget"), *others) == (project("Widget"), None, "", None)


def test_what_a_later_promotion_superseded_is_gone_back_to():
    plan = planned(withdrawn(2), withdrawn(3), superseded(4), superseded(1), project("Widget"))
    assert (plan.project, plan.holder) == (superseded(4), project("Widget"))


@pytest.mark.parametrize("others", [[withdrawn(4)], [withdrawn(2)]])
def test_a_name_that_nobody_has_is_given_to_the_newest_superseded_copy(others):
    """With a withdrawn one that is newer a run was cut off between its two renames."""
    assert planned(superseded(3), *others) == (superseded(3), None, "", None)


@pytest.mark.parametrize("others, told", [
    ([superseded(1), superseded(3)], True),
    ([superseded(1), superseded(4), withdrawn(3)], False),
    ([superseded(3), superseded(4), withdrawn(2)], True),
    ([superseded(3), withdrawn(4)], False),
])
def test_a_name_that_nobody_had_may_leave_no_mark_for_the_next_run(others, told):
    plan = planned(*others)
    further = planned(*after(plan, others))
    assert (plan.warning is not None) == told == (further.holder is not None)
    assert not told or further.project["name"] in plan.warning


def test_a_single_superseded_copy_leaves_nothing_to_go_back_to():
    plan = planned(superseded(3))
    assert plan.project == superseded(3) and plan.warning.endswith("that would find nothing to go back to, and fail")
    assert "no superseded copy" in refusal(*after(plan, [superseded(3)]))


def test_a_holder_that_is_younger_than_the_withdrawal_is_told_of():
    young = project("Widget", created="2026-11-05T19:00:00Z")
    plan = planned(young, withdrawn(4), superseded(3))
    assert plan.holder is None and plan.project == young
    assert "made after that" in plan.warning


@pytest.mark.parametrize("created", ["2026-11-04T19:00:00.9Z", "", None])
def test_a_time_of_less_than_a_second_or_none_is_not_told_of(created):
    assert planned(project("Widget", created=created), withdrawn(4)).warning is None


@pytest.mark.parametrize("projects, sentence", [
    ([], "there is neither a project of this name nor a superseded copy of it: list the projects"),
    ([project("Widget")], "there is no superseded copy of it to go back to"),
    ([withdrawn(4)], "no project has this name, and there is no superseded copy to give it to: give it by hand"),
    ([project("Widget", "1"), project("Widget", "2"), superseded(3)], "2 projects of this name: rename or delete all"),
    ([project("Widget"), superseded(3, status="Failed")], "is Failed and so not whole: rename or delete it to go back"),
    ([project("Widget"), superseded(3, status="Importing"), superseded(2)], "is Importing and so not whole"),
    ([superseded(3, status="Failed")], "is Failed and so not whole"),
    (
        [project("Widget"), superseded(3, project_id="1"), superseded(3, project_id="2")],
        "2 projects named 'Widget (superseded 20261103T190000Z)': rename all but one of 1, 2",
    ),
    (
        [project("Widget", status="Importing", created="2026-11-23T10:00:00Z"), superseded(3)],
        "what has the name (id id of Widget) is still being imported: run again when that has ended",
    ),
    ([project("widget")], "there is 'widget', which differs only by case"),
    ([project(" Widget "), project("Widget"), superseded(3)], "there is ' Widget ', which differs only by case"),
    ([project("WIDGET"), superseded(3)], "there is 'WIDGET', which differs only by case"),
    ([project("Widget", drModeEnabled=True), superseded(3)], "it is read-only for the time being (drModeEnabled"),
    ([project("Widget"), superseded(3, drModeEnabled=True)], "it is read-only for the time being (drModeEnabled"),
])
def test_where_there_is_no_way_back_one_sentence_says_why(projects, sentence):
    assert sentence in refusal(*projects)


@pytest.mark.parametrize("fields", [
    {"status": "Failed"},
    {"status": "Importing", "created": "2026-11-20T19:00:00Z"},
], ids=["failed", "stuck"])
def test_a_holder_that_never_will_be_whole_gives_way(fields):
    assert planned(project("Widget", **fields), superseded(3)).holder["status"] == fields["status"]


@pytest.mark.parametrize("projects", [
    [project("Widget", drModeEnabled=True), withdrawn(4)],
    [project("Widget"), project("widget"), withdrawn(4)],
    [project("Widget"), superseded(3, status="Failed"), withdrawn(4)],
], ids=["read-only", "a variant", "an unfinished older copy"])
def test_with_nothing_to_do_nothing_is_in_the_way(projects):
    assert planned(*projects).holder is None


@pytest.mark.parametrize("other", [
    "widget (superseded 20261103T190000Z)",
    "Widget (superseded 20261103T190000Z) (1)",
    "Widget (superseded 20261399T190000Z)",
    "Widget (Superseded 20261103T190000Z)",
    "Widget (superseded)",
    "Other (superseded 20261103T190000Z)",
    "Widget (failed 20261103T190000Z)",
    "Widget (incoming 20261103T190000Z 0a1b2c3d)",
])
def test_what_is_named_otherwise_is_not_gone_back_to(other):
    assert "no superseded copy of it" in refusal(project("Widget"), project(other))


def test_a_time_that_is_taken_is_counted_up():
    plan = planned(project("Widget"), superseded(3), now=datetime(2026, 11, 3, 19, 0, 0, tzinfo=timezone.utc))
    assert plan.aside == "Widget (withdrawn 20261103T190000Z)"
    somebodys = project("Widget (withdrawn 20261123T190000Z)")
    late = project("Widget (superseded 20261123T190001Z)")
    plan = planned(project("Widget"), somebodys, late, now=NOW + timedelta(seconds=1))
    assert plan.aside == "Widget (withdrawn 20261123T190001Z)"


def test_a_clock_that_is_slow_does_not_let_the_next_run_go_back_further():
    projects = [project("Widget"), superseded(20), superseded(19)]
    plan = planned(*projects, now=datetime(2026, 11, 2, tzinfo=timezone.utc))
    assert plan.aside == "Widget (withdrawn 20261120T190000Z)"
    assert planned(*after(plan, projects)).holder is None


@pytest.mark.parametrize("name, sentence", [
    ("", "name is empty"),
    (" ", "name is empty"),
    ("Widget (superseded 20261103T190000Z)", "give the name alone, 'Widget'"),
    ("Widget (incoming 20261103T190000Z 0a1b2c3d)", "give the name alone, 'Widget'"),
])
def test_a_name_that_is_none_is_refused(name, sentence):
    with pytest.raises(CustomVisionError, match="^name is") as caught:
        check_name(name)
    assert sentence in str(caught.value)


def test_a_name_that_only_resembles_ours_is_taken():
    check_name("Widget (superseded)")


PLACES = st.lists(
    st.one_of(
        st.just("Widget"),
        st.sampled_from(["widget", "Other", "Widget (1)", "Widget (superseded 20269999T999999Z)"]),
        st.builds(
            "Widget ({} {})".format,
            st.sampled_from(["superseded", "withdrawn", "failed"]),
            # Around NOW, so that what is set aside meets names that are taken.
            st.integers(-2, 3).map(lambda seconds: f"{NOW + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}"),
        ),
    ),
    max_size=6,
)
STATUSES = st.sampled_from(["Succeeded", "Succeeded", "Succeeded", "Failed", "Importing", None])


@given(PLACES, st.lists(STATUSES, min_size=6, max_size=6))
def test_whatever_is_there_a_plan_holds_what_it_promises(names, statuses):
    """Nothing but a superseded copy and the holder moves, and the next run does no more, or it was told of."""
    projects = [
        project(name, str(number), status=status) for number, (name, status) in enumerate(zip(names, statuses))
    ]
    try:
        plan = planned(*projects)
    except CustomVisionError as error:
        assert "\n" not in str(error) and not str(error).endswith(".")
        return
    ended = after(plan, projects)
    assert [one["id"] for one in ended if one["name"] == "Widget"] == [plan.project["id"]]
    moved = [(old["name"], new["name"]) for old, new in zip(projects, ended) if old["name"] != new["name"]]
    assert len(moved) == (plan.holder is not None) + (plan.project["name"] != "Widget") <= 2
    for old, new in moved:
        kinds = (getattr(our_name(old), "kind", None), getattr(our_name(new), "kind", None))
        assert kinds in (("superseded", None), (None, "withdrawn"))
        assert new == "Widget" or new not in names
    if plan.holder is not None or plan.warning is None:
        again = plan_rollback("Widget", ended, NOW + timedelta(days=1))
        assert again.project["id"] == plan.project["id"] and again.holder is None


@given(PLACES)
def test_a_run_that_is_cut_off_is_finished_by_the_next(names):
    projects = [project(name, str(number)) for number, name in enumerate(names)]
    try:
        plan = planned(*projects)
    except CustomVisionError:
        return
    if plan.holder is None:
        return
    halfway = [{**one, "name": plan.aside} if one["id"] == plan.holder["id"] else one for one in projects]
    rest = plan_rollback("Widget", halfway, NOW)
    assert (rest.project["id"], rest.holder, rest.warning) == (plan.project["id"], None, None)
