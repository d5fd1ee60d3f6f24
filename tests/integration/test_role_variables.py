# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables are documented, have the defaults that are documented, and are the module's options."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[2] / "roles/promote"
SIDES = ["promote_source", "promote_destination"]
# The role also takes a text for these, and something empty as nothing.
LENIENT = {"promote_projects", "promote_match"}
# What the role does around the module.
OWN = {"promote_report"}


def load(path):
    return yaml.safe_load((ROLE / path).read_text(encoding="utf-8"))


@pytest.fixture(name="variables")
def fixture_variables():
    return load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def shape(options):
    """What decides which values options take, with that of their suboptions."""
    return {
        name: {key: option.get(key) for key in ("type", "elements", "choices", "default")}
        | {"options": shape(option.get("options") or option.get("suboptions") or {})}
        for name, option in options.items()
    }


def test_the_defaults_are_those_that_are_documented(variables):
    documented = {name: option["default"] for name, option in variables.items() if "default" in option}
    assert load("defaults/main.yml") == documented


def test_the_variables_are_the_modules_options(variables, documentation):
    options = documentation("cvops.custom_vision.cv_project_copy")["doc"]["options"]
    # Without waiting there would be nothing to hand on.
    module = {f"promote_{name}": option for name, option in options.items() if name != "wait"}
    assert variables.keys() - OWN == module.keys()
    compared = module.keys() - LENIENT
    module["promote_state"] = {**module["promote_state"], "default": "latest"}  # a promotion is done when prod has it
    assert {name: shape(variables)[name] for name in compared} == {name: shape(module)[name] for name in compared}


@pytest.mark.parametrize("side", SIDES)
def test_secrets_are_marked(variables, side):
    marked = {name for name, option in variables[side]["options"].items() if option.get("no_log")}
    assert marked == {"training_key", "access_token"}


def test_the_readme_names_all_variables(variables):
    readme = (ROLE / "README.md").read_text(encoding="utf-8")
    assert [name for name in variables if f"`{name}`" not in readme] == []
