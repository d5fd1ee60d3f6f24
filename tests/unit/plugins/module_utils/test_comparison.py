# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _comparison
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import Content, differences
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def content(iterations=(NOON,), tags=("bad", "good"), tagged_images=10):
    return Content(tuple(iterations), tuple(tags), tagged_images)


@pytest.mark.parametrize(
    "text, microsecond",
    [
        ("2026-11-23T19:00:36Z", 0),
        ("2026-11-23T19:00:36.7Z", 700000),
        ("2026-11-23T19:00:36.28Z", 280000),
        ("2026-11-23T19:00:36.282Z", 282000),
        ("2026-11-23T19:00:36.2821234Z", 282123),
    ],
)
def test_a_time_has_any_number_of_fractional_digits(text, microsecond):
    assert _comparison.parse_time(text) == datetime(2026, 11, 23, 19, 0, 36, microsecond, timezone.utc)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-23", "2026-11-23T19:00:36", "2026-13-23T19:00:36Z"])
def test_what_is_no_time_is_said_to_be_none(text):
    with pytest.raises(ValueError):
        _comparison.parse_time(text)


def test_an_iteration_in_training_does_not_count():
    iterations = [
        {"id": "1", "name": "Iteration 1", "status": "Completed", "trainedAt": "2026-11-23T12:00:00Z"},
        {"id": "2", "name": "Iteration 2", "status": "Training"},
        {"id": "3", "name": "Iteration 3", "status": "Failed", "trainedAt": "2026-11-23T12:00:00Z"},
    ]
    assert _comparison.trained_iterations(iterations) == (NOON,)


def test_iterations_are_in_order_of_training_and_tags_in_order_of_name():
    iterations = [
        {"status": "Completed", "trainedAt": "2026-11-23T12:00:00.1Z"},
        {"status": "Completed", "trainedAt": "2026-11-23T12:00:00Z"},
    ]
    assert _comparison.trained_iterations(iterations) == (NOON, NOON + timedelta(milliseconds=100))
    assert _comparison.tag_names([{"name": "good"}, {"name": "bad"}]) == ("bad", "good")


def test_equal_content_does_not_differ():
    assert differences(content(), content()) == []


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)), max_size=20))
def test_a_copy_is_equal_though_its_iterations_are_a_millisecond_off(times):
    """However close the times are to a turn of the second: truncating would flap."""
    source = sorted(time.replace(tzinfo=timezone.utc) for time in times)
    copy = [time + timedelta(milliseconds=1) for time in source]
    assert differences(content(source), content(copy)) == []


def test_a_second_between_two_trainings_is_a_difference():
    assert differences(content([NOON]), content([NOON + timedelta(milliseconds=999)])) == []
    assert differences(content([NOON]), content([NOON + timedelta(seconds=1)])) == [
        "an iteration trained at 2026-11-23T12:00:00.000Z at the source and at 2026-11-23T12:00:01.000Z in the copy"
    ]


def test_a_missing_iteration_is_a_difference():
    assert differences(content([NOON, NOON + timedelta(hours=1)]), content([NOON])) == [
        "2 trained iterations at the source and 1 in the copy"
    ]


def test_tags_that_differ_are_named():
    assert differences(content(tags=["bad", "good"]), content(tags=["Good", "bad"])) == [
        "tags only at the source: good",
        "tags only in the copy: Good",
    ]


def test_many_tags_that_differ_are_named_in_part():
    assert differences(content(tags="abcdefg"), content(tags=[])) == ["tags only at the source: a, b, c, d, e, …"]


def test_a_lost_image_is_a_difference():
    assert differences(content(tagged_images=10), content(tagged_images=9)) == [
        "10 tagged images at the source and 9 in the copy"
    ]


def test_what_was_not_read_is_not_compared():
    assert differences(Content(tags=("a",)), Content(tags=("a",))) == []


def test_counts_are_null_for_what_was_not_read():
    assert content().counts() == {"iterations": 1, "tags": 2, "tagged_images": 10}
    assert Content().counts() == {"iterations": None, "tags": None, "tagged_images": None}
