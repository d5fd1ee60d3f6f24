# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In doubt, never twice; and never a secret out of the door: whatever goes wrong, the next calm run mends it."""

from __future__ import annotations

from collections import Counter

from emulated import operations
from hypothesis import given

from soak.rules import check_copies, check_secrets, check_wave, foretold
from soak.schedules import SCHEDULES
from soak.stage import Stage

COMPARED = ("GetIterations", "GetTags", "GetTaggedImageCount")


def test_whatever_goes_wrong_a_calm_run_mends_it(soak, emulator, projects):
    """A schedule that fails is printed; play() plays it again."""

    @soak
    @given(schedule=SCHEDULES)
    def play_on_a_stage(schedule):
        play(Stage(emulator, projects, schedule))

    play_on_a_stage()


def play(stage):
    """A schedule from its first run to the calm after it."""
    for wave in stage.schedule.waves:
        check_wave(stage, stage.play(wave))
    stage.calm_down()
    check_a_run_that_mends(stage)
    check_a_run_with_nothing_to_do(stage)
    check_secrets(stage.results, [stage.dev, stage.prod])
    assert not stage.prod.store.offences, stage.prod.store.offences


def check_a_run_that_mends(stage):
    """Check mode foretells it, and then all is there."""
    foreseen = stage.promote(check_mode=True)
    assert not stage.prod.store.writes
    done = stage.promote()
    check_wave(stage, [done])
    assert not done["failed"], done["msg"]
    assert done["changed"] == foreseen["changed"] == bool(stage.prod.store.writes)
    assert [foretold(copy) for copy in foreseen["copies"]] == [foretold(copy) for copy in done["copies"]]
    check_copies(stage.prod.store, stage.schedule.names, stage.planted, stage.schedule.state)


def check_a_run_with_nothing_to_do(stage):
    """It reads what it must compare, and once more what is left only because it is published."""
    result = stage.promote()
    assert (result["failed"], result["changed"]) == (False, False)
    names, state = stage.schedule.names, stage.schedule.state
    cost = Counter({"GetProjects": 1})
    if state == "latest":
        cost.update(dict.fromkeys(COMPARED, len(names)))
    assert Counter(operations(stage.dev)) == cost
    left = [project for name in names for project in stage.prod.store.surplus(name, state)]
    here = Counter(operations(stage.prod))
    # A list that was asked for before a comparison is too old for a deletion.
    assert here.pop("GetProjects") <= (1 if state == "present" else 1 + len(left))
    del cost["GetProjects"]
    assert here == cost + Counter(GetIterations=len(left))
