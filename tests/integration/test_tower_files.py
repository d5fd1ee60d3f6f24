# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for Tower fit the role, the modules and the rules of Tower's API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


CREDENTIAL_TYPE = read("docs/tower/credential_type.yml")
SURVEY = read("docs/tower/survey.yml")
OPTIONS = read("roles/promote/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
DEFAULTS = read("roles/promote/defaults/main.yml")
ANSWERS = {"textarea": str, "multiplechoice": str, "integer": int}


def test_the_credential_type_injects_what_the_modules_read():
    sides = {
        f"VISION_{side}_TRAINING_{what}"
        for side in ("SOURCE", "DESTINATION")
        for what in ("ENDPOINT", "KEY", "ACCESS_TOKEN")
    }
    # Variables that begin with ANSIBLE_ are refused by Tower.
    assert CREDENTIAL_TYPE["injectors"] == {"env": CREDENTIAL_TYPE["injectors"]["env"]}
    assert CREDENTIAL_TYPE["injectors"]["env"].keys() == sides | {"VISION_DESTINATION_PREDICTION_RESOURCE_ID"}


def test_each_field_of_the_credential_goes_into_one_variable():
    fields = {field["id"]: field for field in CREDENTIAL_TYPE["inputs"]["fields"]}
    injected = {name: re.fullmatch(r"{{ (\w+) }}", text)[1]
                for name, text in CREDENTIAL_TYPE["injectors"]["env"].items()}  # fmt: skip
    assert sorted(injected.values()) == sorted(fields)
    for name, field in injected.items():
        secret = name.endswith(("_KEY", "_ACCESS_TOKEN"))
        assert fields[field].get("secret", False) == secret
        assert field == name.removeprefix("VISION_").lower().replace("_training_endpoint", "_endpoint").replace(
            "_training_access_token", "_access_token"
        )
    assert set(CREDENTIAL_TYPE["inputs"]["required"]) <= fields.keys()


@pytest.mark.parametrize("question", SURVEY["spec"], ids=lambda question: question["variable"])
def test_a_question_asks_for_a_variable_of_the_role(question):
    variable = question["variable"]
    assert variable in OPTIONS
    # A survey says the same as the role says without one.
    assert str(question["default"]) == ("" if DEFAULTS[variable] == [] else str(DEFAULTS[variable]).lower())
    if "choices" in OPTIONS[variable]:
        assert sorted(question["choices"]) == sorted(OPTIONS[variable]["choices"])


@pytest.mark.parametrize("question", SURVEY["spec"], ids=lambda question: question["variable"])
def test_a_question_is_one_that_tower_takes(question):
    kind = ANSWERS[question["type"]]
    assert isinstance(question["default"], kind) and isinstance(question["required"], bool)
    assert question["question_name"]
    if question["type"] == "multiplechoice":
        assert {type(choice) for choice in question["choices"]} == {str} and question["default"] in question["choices"]
    else:
        size = question["default"] if kind is int else len(question["default"])
        assert question["min"] <= size <= question["max"]
    # The role takes a blank text as not given, and nothing else.
    assert question["required"] == (question["type"] != "textarea")


def test_no_variable_is_asked_for_twice():
    assert SURVEY["name"] and SURVEY["description"]
    variables = [question["variable"] for question in SURVEY["spec"]]
    assert len(set(variables)) == len(variables)
