# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _names
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, 19, 0, 36, 700000, tzinfo=timezone.utc)
KINDS = st.sampled_from([_names.FAILED, _names.SUPERSEDED, _names.WITHDRAWN])
NAMES = st.text(min_size=1)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(9000, 1, 1))


def test_an_incoming_name_is_as_the_contract_says():
    assert _names.incoming_name("Widget", NOW, "0a1b2c3d") == "Widget (incoming 20261123T190036Z 0a1b2c3d)"


def test_an_aside_name_is_as_the_contract_says():
    assert _names.aside_name("Widget", _names.FAILED, NOW, []) == "Widget (failed 20261123T190036Z)"


def test_a_second_is_added_where_the_aside_name_is_taken():
    taken = ["Widget (failed 20261123T190036Z)", "Widget (failed 20261123T190037Z)"]
    assert _names.aside_name("Widget", _names.FAILED, NOW, taken) == "Widget (failed 20261123T190038Z)"


@given(NAMES, TIMES)
def test_an_incoming_name_is_known_again(name, time):
    run = _names.new_run()
    given_name = _names.incoming_name(name, time, run)
    known = _names.our_name(given_name)
    assert (known.name, known.kind, known.run) == (name, _names.INCOMING, run)
    assert _names.our_name(f"{given_name} (1)") == known


@given(NAMES, KINDS, TIMES)
def test_an_aside_name_is_known_again(name, kind, time):
    known = _names.our_name(_names.aside_name(name, kind, time, []))
    assert (known.name, known.kind, known.run) == (name, kind, "")


@pytest.mark.parametrize(
    "name",
    [
        "Widget",
        "Widget (1)",
        "Widget (incoming)",
        "Widget (incoming 20261123T190036Z)",
        "Widget (incoming 20261123T190036Z 0A1B2C3D)",
        "Widget (incoming 20261123T190036Z 0a1b2c3)",
        "Widget (incoming 20261123T190036Z 0a1b2c3d) ",
        "Widget (incoming 20261123T190036Z 0a1b2c3d) (1) (1)",
        "Widget (incoming 20261123T190036Z 0a1b2c3d) copy",
        "Widget (failed 20261123T190036Z) (1)",
        "Widget (failed 20261123T190036Z 0a1b2c3d)",
        "Widget (failed 2026-11-23)",
        "Widget(failed 20261123T190036Z)",
        " (failed 20261123T190036Z)",
        "Widget (retired 20261123T190036Z)",
    ],
)
def test_a_name_that_does_not_match_exactly_is_somebodys_own(name):
    assert _names.our_name(name) is None


def test_runs_differ():
    assert len({_names.new_run() for _run in range(100)}) == 100


@pytest.mark.parametrize("other", ["widget", "WIDGET ", " Widget"])
def test_names_fold_that_differ_by_case_or_spaces_at_the_ends(other):
    assert _names.folded(other) == _names.folded("Widget")


def test_names_do_not_fold_that_differ_within():
    assert _names.folded("Wid get") != _names.folded("Widget")
