# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steps bring publish names to what is wanted."""

from __future__ import annotations

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._publishing import (
    Step,
    Wanted,
    as_at_source,
    check_resource_id,
    foresee,
    names_given_up,
    plan,
    publications,
)
from hypothesis import given
from hypothesis import strategies as st

GROUP = "/subscriptions/0e4bb9a5/resourceGroups/vision/providers/Microsoft.CognitiveServices/accounts"
HERE, THERE = f"{GROUP}/here", f"{GROUP}/there"


def iteration(number, name=None, resource_id=HERE):
    return {
        "id": str(number),
        "name": f"Iteration {number}",
        "publishName": name,
        "originalPublishResourceId": resource_id if name else None,
    }


FREE = iteration(2)
LIVE = iteration(1, "live")
TO_2 = Wanted({"live": "2"}, HERE)


@pytest.mark.parametrize(
    "iterations, steps",
    [
        ([FREE], [Step("2", "live")]),
        ([iteration(2, "live")], []),
        ([iteration(2, "live", HERE.upper())], []),
        ([iteration(2, "live", THERE)], [Step("2"), Step("2", "live")]),
        ([iteration(2, "live", None)], [Step("2"), Step("2", "live")]),
        ([iteration(2, "beta")], [Step("2"), Step("2", "live")]),
        ([LIVE, FREE], [Step("2", "live", overwrite=True)]),
        ([iteration(1, "live", THERE), FREE], [Step("2", "live", overwrite=True)]),
        ([iteration(1, "beta"), FREE], [Step("2", "live")]),
        ([LIVE, iteration(2, "beta")], [Step("2"), Step("2", "live", overwrite=True)]),
        ([LIVE, iteration(2, "live")], [Step("1")]),
        ([{"id": "2", "name": "No such keys"}], [Step("2", "live")]),
    ],
    ids=[
        "free", "as wanted", "in another case", "elsewhere", "nobody knows where", "as something else", "moved",
        "moved from elsewhere", "beside another", "moved onto another", "of two", "bare",
    ],
)  # fmt: skip
def test_the_steps_to_publish(iterations, steps):
    assert plan(TO_2, iterations) == steps


def test_a_name_that_cannot_be_moved_in_one_step_is_taken_first():
    steps = plan(TO_2, [LIVE, iteration(2, "beta")], overwriting=False)
    assert steps == [Step("1"), Step("2"), Step("2", "live")]


@pytest.mark.parametrize(
    "iterations, steps", [([], []), ([FREE], []), ([LIVE], [Step("1")]), ([iteration(1, "Live")], [])]
)
def test_the_steps_to_publish_nothing(iterations, steps):
    assert plan(Wanted({"live": None}), iterations) == steps


def test_names_can_be_swapped():
    before = [iteration(1, "a"), iteration(2, "b")]
    wanted = Wanted({"a": "2", "b": "1"}, HERE)
    steps = plan(wanted, before)
    assert steps == [Step("2"), Step("2", "a", overwrite=True), Step("1", "b")]
    assert names_given_up(wanted, before, steps) == []


def test_a_name_that_must_go_is_told_but_not_one_that_was_to_go():
    before = [LIVE, iteration(2, "beta"), iteration(3, "old")]
    wanted = Wanted({"live": "2", "old": None}, HERE)
    assert names_given_up(wanted, before, plan(wanted, before)) == ["beta"]


@st.composite
def scenes(draw):
    """Iterations of which any are published under names of their own, and what is wanted of them."""
    number = draw(st.integers(1, 5))
    names = draw(st.permutations("abcdefg"))
    resource_ids = st.sampled_from([HERE, THERE, HERE.upper()])
    iterations = [
        iteration(index, draw(st.sampled_from([None, names[index]])), draw(resource_ids))
        for index in range(number)
    ]
    chosen = draw(st.lists(st.sampled_from("abcdefg"), unique=True, max_size=number))
    ids = draw(st.permutations([each["id"] for each in iterations]))
    wanted = {name: draw(st.sampled_from([None, iteration_id])) for name, iteration_id in zip(chosen, ids)}
    return Wanted(wanted, HERE), iterations


@given(scenes(), st.booleans())
def test_after_the_steps_all_is_as_wanted_and_nothing_is_left_to_do(scene, overwriting):
    wanted, before = scene
    steps = plan(wanted, before, overwriting)
    after = foresee(wanted, before, steps)
    published = publications(after)
    for name, iteration_id in wanted.names.items():
        assert published.get(name, {}).get("iteration_id") == iteration_id
        assert iteration_id is None or published[name]["prediction_resource_id"].casefold() == HERE.casefold()
    assert plan(wanted, after, overwriting) == []
    assert len(steps) <= 3 * len(wanted.names)


@given(scenes())
def test_what_is_not_wanted_otherwise_stays(scene):
    wanted, before = scene
    after = foresee(wanted, before, plan(wanted, before))
    for old, new in zip(before, after):
        if old["publishName"] not in wanted.names and old["id"] not in wanted.names.values():
            assert new == old


@given(scenes(), st.booleans())
def test_no_step_is_one_that_the_service_refuses(scene, overwriting):
    wanted, iterations = scene
    for step in plan(wanted, iterations, overwriting):
        own = next(each for each in iterations if each["id"] == step.iteration_id)["publishName"]
        others = [each for each in iterations if each["publishName"] == step.name and each["id"] != step.iteration_id]
        if step.name is None:
            assert own is not None
        else:
            assert own is None and step.overwrite == bool(others)
        iterations = foresee(wanted, iterations, [step])


def test_a_resources_id_may_have_blanks_around_it_and_any_case():
    assert check_resource_id(f" {HERE.lower()}\n", "x") == HERE.lower()


@pytest.mark.parametrize(
    "text",
    ["", " ", "here", "https://here.cognitiveservices.azure.com", GROUP, f"{GROUP}/", f"{HERE}/", f"x{HERE}",
     f"{GROUP}/a b", HERE.replace("CognitiveServices", "Storage"),
     HERE.replace("vision", ""), HERE[1:], f"{HERE}\n{HERE}"],
)  # fmt: skip
def test_what_is_not_a_whole_id_is_refused(text):
    with pytest.raises(CustomVisionError) as caught:
        check_resource_id(text, "destination_id")
    assert str(caught.value).startswith(f"destination_id is {text!r}, which is not the whole id of a prediction ")


@given(st.integers(0, len(HERE) - len("/here")))
def test_a_truncated_id_is_refused(length):
    with pytest.raises(CustomVisionError):
        check_resource_id(HERE[:length], "x")


def trained(name, at, publish_name=None):
    return {"id": f"{name} at {at}", "name": name, "trainedAt": at, "publishName": publish_name}


def test_the_iterations_of_a_copy_are_known_by_their_time_of_training():
    source = [trained("One", "2026-11-23T19:00:00.282Z", "live"), trained("Two", "2026-11-23T19:00:05Z", "canary"),
              trained("Three", "2026-11-23T19:00:09Z"), {"id": "x", "name": "Four", "status": "Training"}]
    copy = [trained("One", "2026-11-23T18:00:00Z"), trained("One", "2026-11-23T19:00:00.283Z"),
            trained("Two", "2026-11-23T19:00:05.001Z"), trained("Three", "2026-11-23T19:00:09Z")]
    assert as_at_source(source, copy) == {
        "live": "One at 2026-11-23T19:00:00.283Z", "canary": "Two at 2026-11-23T19:00:05.001Z",
    }
    with pytest.raises(CustomVisionError, match="'Two', published as 'canary' at the source, is not in the copy"):
        as_at_source(source, copy[:2])


def test_a_time_of_training_that_is_none_is_told():
    odd = {**LIVE, "trainedAt": "soon"}
    with pytest.raises(CustomVisionError, match="an iteration's time of training is not understood: 'soon'"):
        as_at_source([odd], [odd])


def test_of_iterations_trained_within_a_second_the_name_decides():
    """By time alone A's copy would be B's, because a copy is a millisecond younger."""
    source = [trained("A", "2026-11-23T19:00:00Z", "live"), trained("B", "2026-11-23T19:00:00.001Z")]
    copy = [trained("A", "2026-11-23T19:00:00.001Z"), trained("B", "2026-11-23T19:00:00.002Z")]
    for order in ([0, 1], [1, 0]):
        assert as_at_source(source, [copy[place] for place in order]) == {"live": copy[0]["id"]}
