# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator against the OpenAPI file. That all answers fit it, a fixture checks in every other test."""

from __future__ import annotations

import re

import jsonschema
import pytest

from emulator import errors
from emulator.routes import OPERATIONS


def test_operations_have_the_ids_methods_and_paths_of_the_file(openapi):
    for operation, (method, path, _view) in OPERATIONS.items():
        documented = openapi.operation(method, re.sub(r"<\w+>", "id", path))
        assert documented is not None and documented["operationId"] == operation


def test_error_codes_are_those_of_the_file(openapi):
    codes = openapi.document["definitions"]["CustomVisionError"]["properties"]["code"]["enum"]
    assert set(errors.MESSAGES) <= set(codes)


def test_every_error_code_has_a_status():
    refused = [code for code in errors.MESSAGES if code.startswith(("BadRequest", "Forbidden", "NotFound"))]
    assert {errors.ServiceError(code).status for code in refused} == {400, 403, 404}


@pytest.mark.parametrize("schema, instance", [
    ("Tag", {"name": "t", "description": None, "type": "Other"}),
    ("Tag", {"name": None, "description": None, "type": "Regular"}),
    ("Tag", {"name": "t", "description": None, "type": "Regular", "color": "red"}),
    ("Tag", {"name": "t", "description": None, "type": "Regular", "id": "no uuid"}),
    ("Iteration", {"name": "i", "created": "2020-02-11T16:33:36.70Z"}),
    ("Iteration", {"name": "i", "created": "2020-02-11T16:33:36.7"}),
    ("CustomVisionError", {"code": "Whatever", "message": "m"}),
])
def test_the_check_of_answers_finds_what_is_wrong(openapi, schema, instance):
    with pytest.raises(jsonschema.ValidationError):
        openapi.validate(instance, {"$ref": f"#/definitions/{schema}"})


def test_the_check_of_answers_is_at_work_in_tests(openapi, dev, call):
    project = call(dev, "POST", "/projects", params={"name": "P"}).json()
    dev.store.projects[project["id"]].status = "Other"
    with pytest.raises(jsonschema.ValidationError):
        call(dev, "GET", "/projects")
