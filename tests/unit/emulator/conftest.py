# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two emulated resources, ways to call them, and a check of every answer against the OpenAPI file.

Microsoft publishes that in Azure/azure-rest-api-specs, as Custom Vision's training API v3.3. The environment variable
CUSTOM_VISION_OPENAPI says where it is; without it there is no such check, and tests of it are skipped.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import requests

from emulator import Emulator
from emulator.samples import sdk

OPENAPI = os.environ.get("CUSTOM_VISION_OPENAPI")

PREFIX = "/customvision/v3.3/training"
ANY_PREFIX = re.compile(r"^/customvision/v3\.[^/]+/training", re.IGNORECASE)

# Where recorded SDK traffic holds null although the OpenAPI file has the property as not nullable.
RECORDED_NULLS = {
    ("Project", "thumbnailUri"), ("ProjectSettings", "detectionParameters"), ("Iteration", "publishName"),
    ("Iteration", "originalPublishResourceId"), ("ImageCreateResult", "image"),
}

FORMATS = jsonschema.FormatChecker(formats=["uuid"])


@FORMATS.checks("date-time")
def _is_date(text) -> bool:
    """The service's dates: recorded ones have no, or one to three fractional digits and no trailing zero."""
    return text is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,2}[1-9])?Z", text) is not None


class OpenApi:
    """The OpenAPI file as a judge of answers. Properties it does not know are not let through."""

    def __init__(self, file: Path) -> None:
        self.document = json.loads(file.read_text(encoding="utf-8"))
        self._definitions = {
            name: _nullable_as_recorded(name, _json_schema(schema))
            for name, schema in self.document["definitions"].items()
        }
        self._routes = [
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation)
            for path, methods in self.document["paths"].items() for method, operation in methods.items()
        ]

    def operation(self, method: str, path: str) -> dict | None:
        """The operation a request is for; a path without parameters wins over one with."""
        found = [(pattern.pattern.count("[^/]+"), operation) for known, pattern, operation in self._routes
                 if known == method and pattern.fullmatch(path)]
        return min(found, key=lambda pair: pair[0])[1] if found else None

    def judge(self, answer: requests.Response) -> None:
        """Raise where an answer of the service, or an error in its shape, is not as the file has it."""
        path = ANY_PREFIX.sub("", answer.request.path_url.partition("?")[0])
        operation = self.operation(answer.request.method, path)
        if operation is None:
            return
        documented = operation["responses"].get(str(answer.status_code))
        if documented is not None and "schema" in documented:
            self.validate(answer.json(), _json_schema(documented["schema"]))
        elif documented is not None:
            assert answer.content == b"", operation["operationId"]
        else:
            assert answer.status_code >= 400 or answer.is_redirect, f"{operation['operationId']} {answer.status_code}"
            if answer.text.startswith('{"code"'):
                self.validate(answer.json(), {"$ref": "#/definitions/CustomVisionError"})

    def validate(self, instance, schema: dict) -> None:
        """Validate against a schema that may refer to the file's definitions."""
        whole = {**schema, "definitions": self._definitions}
        jsonschema.Draft7Validator(whole, format_checker=FORMATS).validate(instance)


def _json_schema(schema):
    """Swagger 2.0 as JSON schema: null where x-nullable says so, and no unknown properties."""
    if isinstance(schema, list):
        return [_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _json_schema(value) for key, value in schema.items()}
    if schema.get("x-nullable") is True and isinstance(schema.get("type"), str):
        converted = _with_null(converted)
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        converted["additionalProperties"] = False
    return converted


def _with_null(schema: dict) -> dict:
    """The same schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def _nullable_as_recorded(name: str, schema: dict) -> dict:
    """A definition with null where it was recorded."""
    for definition, field in RECORDED_NULLS:
        if definition == name:
            schema["properties"][field] = _with_null(schema["properties"][field])
    return schema


@pytest.fixture(scope="session")
def openapi():
    """The OpenAPI file; tests that need it are skipped where nobody says where it is."""
    if not OPENAPI:
        pytest.skip("CUSTOM_VISION_OPENAPI does not name the OpenAPI file")
    return OpenApi(Path(OPENAPI))


@pytest.fixture
def unchecked():
    """For tests of answers that are wrong on purpose."""


@pytest.fixture(autouse=True)
def _check_answers(request, monkeypatch):
    """Judge every answer of the service that a test gets, from the SDK or from requests."""
    if "unchecked" in request.fixturenames or not OPENAPI:
        return
    openapi = request.getfixturevalue("openapi")
    send = requests.Session.send

    def checked_send(session, prepared, **options):
        answer = send(session, prepared, **options)
        openapi.judge(answer)
        return answer

    monkeypatch.setattr(requests.Session, "send", checked_send)


@pytest.fixture
def emulator():
    """Resources where trainings end at once, and imports a minute later: tests advance the clock."""
    with Emulator(["dev", "prod"], import_seconds=60, training_seconds=0) as running:
        yield running


@pytest.fixture
def dev(emulator):
    return emulator["dev"]


@pytest.fixture
def prod(emulator):
    return emulator["prod"]


@pytest.fixture
def session():
    """One client with connections that stay open."""
    with requests.Session() as client:
        client.trust_env = False
        yield client


@pytest.fixture
def call(session):
    """Call a resource with its key: ``call(dev, "GET", "/projects")``."""
    def send(resource, method, path, headers=None, **options):
        headers = {"Training-Key": resource.training_key, **(headers or {})}
        url = resource.endpoint + PREFIX + path
        return session.request(method, url, headers=headers, timeout=30, allow_redirects=False, **options)
    return send


@pytest.fixture
def begin_copy(call):
    """Export a project and begin its import; gives the new project's JSON."""
    def begin(source, destination, project, **parameters):
        token = call(source, "GET", f"/projects/{project.id}/export").json()["token"]
        answer = call(destination, "POST", "/projects/import", params={"token": token, **parameters})
        assert answer.status_code == 200, answer.text
        return answer.json()
    return begin


@pytest.fixture
def copied(begin_copy, call, emulator):
    """Copy a project and wait for the end of it; gives the new project's JSON."""
    def copy(source, destination, project, **parameters):
        begun = begin_copy(source, destination, project, **parameters)
        emulator.clock.advance(seconds=61)
        return call(destination, "GET", f"/projects/{begun['id']}").json()
    return copy


@pytest.fixture
def client():
    """The official SDK of a resource, closed after the test."""
    opened = []

    def connect(resource):
        opened.append(sdk(resource))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
