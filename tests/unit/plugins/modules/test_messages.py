# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read when something is wrong, word for word, with ids and addresses replaced."""

from __future__ import annotations

import re
import socket
from dataclasses import replace

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _connection, _importing
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy, cv_project_info
from emulated import connection, writes
from emulator.samples import sdk

LIST = "GET /customvision/v3.3/training/projects of the"
EXPORT = "project 'Widget': GET /customvision/v3.3/training/projects/<id>/export of the source resource at <dev>"
IMPORT = "project 'Widget': POST /customvision/v3.3/training/projects/import of the destination resource at <prod>"
REQUEST = "The service knows this request as apim-request-id <id>."

ACCESS_DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
RATE_EXCEEDED = (
    "Requests to the GetProjects Operation under Custom_Vision_Training_3.3 have exceeded rate limit of your current "
    "CustomVision.S0 pricing tier. Please retry after 1 second. Please contact Azure support service if you would like "
    "to further increase the default rate limit."
)

# What the gateway says to a principal without the role. Source: issues 3 of davrous/AzureAgentToM365 and 43 of
# microsoft/ai-agent-evals, which are about another service behind the same gateway.
LACKS = "The principal `7a3` lacks the required data action `projects/export/action` to perform `GET` operation."
LACKS_THE_ROLE = {"status": 401, "shape": "gateway", "code": "PermissionDenied", "message": LACKS}
FIREWALL = "Access denied due to Virtual Network/Firewall rules."
NO_KEYS = "Key based authentication is disabled for this resource."


def check_all(option):
    """The advice for a 403 that does not say which of its reasons it has."""
    return (
        f"The resource's firewall may not let this host in, it may have key-based authentication switched off (then "
        f"use {option}), or the identity lacks the right: exporting and importing takes the role Contributor, as "
        "Custom Vision Trainer and Custom Vision Reader can do neither."
    )


def check_role(option):
    return (
        f"The identity of {option} lacks the right: exporting and importing takes the role Contributor, as Custom "
        "Vision Trainer and Custom Vision Reader can do neither."
    )


@pytest.fixture(name="told")
def fixture_told(emulator):
    """The message of a failed task."""

    def told(result):
        assert result["failed"] and "exception" not in result
        text = result["msg"]
        for name, resource in emulator.resources.items():
            text = text.replace(resource.endpoint, f"<{name}>")
        text = re.sub(r"\d{8}T\d{6}Z", "<time>", text)
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", text)

    return told


@pytest.fixture(name="copy")
def fixture_copy(run_module, told, dev, prod, widget):
    """What a failed copy from dev to prod says."""

    def copy(source=None, destination=None, **arguments):
        result = run_module(
            cv_project_copy,
            source=connection(dev, **source or {}),
            destination=connection(prod, **destination or {}),
            **{"projects": [{"name": "Widget"}], "wait_sleep": 0.05, "rate_limit": 1000, **arguments},
        )
        return told(result)

    return copy


@pytest.fixture(name="info")
def fixture_info(run_module, told, dev):
    """What a failed look at dev says."""
    return lambda **options: told(run_module(cv_project_info, **connection(dev, **options)))


def test_a_full_resource_tells_how_many_projects_there_are_and_may_be(copy, prod):
    for name in ("One", "Two"):
        sdk(prod).create_project(name)
    prod.project_limit = 2
    assert copy() == (
        f"{IMPORT} was refused with 400 BadRequestExceedProjectLimit: The resource has as many projects as it may "
        "have. The resource is full (100 projects in tier S0, 2 in F0): delete projects that are not needed any more. "
        f"{REQUEST} It holds 2 now, incoming copies and those set aside included."
    )


def test_a_full_resource_whose_list_is_refused_too(copy, prod):
    prod.project_limit = 0
    prod.faults.add("GetProjects", after=1, times=None, status=400, shape="service")
    assert copy() == (
        f"{IMPORT} was refused with 400 BadRequestExceedProjectLimit: The resource has as many projects as it may "
        f"have. The resource is full (100 projects in tier S0, 2 in F0): delete projects that are not needed any more. "
        f"{REQUEST}"
    )


def test_where_neither_side_answers_both_are_named(copy):
    wrong = {"training_key": "wr0ng"}
    assert copy(source=wrong, destination=wrong) == " ".join(
        f"{LIST} {side} resource at <{name}> was refused with 401 Unauthorized: {ACCESS_DENIED} Check {side}.endpoint "
        f"and {side}.training_key: the key or token must belong to the resource of this endpoint. {REQUEST}"
        for side, name in (("source", "dev"), ("destination", "prod"))
    )


@pytest.mark.parametrize("side, name", [("source", "dev"), ("destination", "prod")])
@pytest.mark.parametrize("option", ["training_key", "access_token"])
def test_a_wrong_key_or_token(copy, prod, side, name, option):
    assert copy(**{side: {option: "wr0ng"}}) == (
        f"{LIST} {side} resource at <{name}> was refused with 401 Unauthorized: {ACCESS_DENIED} Check {side}.endpoint "
        f"and {side}.{option}: the key or token must belong to the resource of this endpoint. {REQUEST}"
    )
    assert not writes(prod)


@pytest.mark.parametrize(
    "side, operation, fault, message",
    [
        (
            "prod",
            "GetProjects",
            {"status": 403, "shape": "gateway", "code": "AuthenticationTypeDisabled", "message": NO_KEYS},
            f"{LIST} destination resource at <prod> was refused with 403 AuthenticationTypeDisabled: {NO_KEYS} "
            f"Key-based authentication is switched off on the resource: use destination.access_token. {REQUEST}",
        ),
        (
            "dev",
            "GetProjects",
            {"status": 403, "shape": "gateway", "message": FIREWALL},
            f"{LIST} source resource at <dev> was refused with 403 Forbidden: {FIREWALL} "
            f"{check_all('source.access_token')} {REQUEST}",
        ),
        (
            "dev",
            "ExportProject",
            {"status": 403, "shape": "service"},
            f"{EXPORT} was refused with 403 Forbidden: The operation is forbidden. "
            f"{check_all('source.access_token')} {REQUEST}",
        ),
        (
            "prod",
            "ImportProject",
            {"status": 403, "shape": "html"},
            f"{IMPORT} was refused with 403 Forbidden. {check_all('destination.access_token')} {REQUEST} A resource "
            "that is full (100 projects in tier S0, 2 in F0) may answer so too. It holds 0 now, incoming copies and "
            "those set aside included.",
        ),
        (
            "dev",
            "ExportProject",
            LACKS_THE_ROLE,
            f"{EXPORT} was refused with 401 PermissionDenied: {LACKS} {check_role('source.access_token')} {REQUEST}",
        ),
        (
            "prod",
            "ImportProject",
            LACKS_THE_ROLE,
            f"{IMPORT} was refused with 401 PermissionDenied: {LACKS} "
            f"{check_role('destination.access_token')} {REQUEST}",
        ),
        (
            "prod",
            "ImportProject",
            {"status": 403, "shape": "service", "code": "ForbiddenDRModeEnabled"},
            f"{IMPORT} was refused with 403 ForbiddenDRModeEnabled: The project is read-only for the time being. The "
            f"resource is read-only for the time being (disaster recovery): run again later. {REQUEST}",
        ),
        (
            "prod",
            "ImportProject",
            {"status": 400, "shape": "service", "code": "BadRequestInvalidImportToken"},
            f"{IMPORT} was refused with 400 BadRequestInvalidImportToken: The import token is invalid. The export's "
            f"token is expired or invalid: run again for a new export. {REQUEST}",
        ),
        (
            "prod",
            "ImportProject",
            {"status": 400, "shape": "service", "code": "BadRequestOfANewKind", "message": "Not today."},
            f"{IMPORT} was refused with 400 BadRequestOfANewKind: Not today. {REQUEST}",
        ),
    ],
    ids=[
        "keys are switched off", "firewall", "403 at the export", "403 at the import", "no role at the export",
        "no role at the import", "read-only", "invalid token", "unknown",
    ],
)  # fmt: skip
def test_what_is_refused(copy, emulator, side, operation, fault, message):
    emulator[side].faults.add(operation, **fault)
    assert copy() == message


def test_an_export_that_expires_before_its_import(copy, emulator, monkeypatch):
    send = _importing.Importer.send

    def send_late(*arguments):
        emulator.clock.advance(hours=25)
        return send(*arguments)

    monkeypatch.setattr(_importing.Importer, "send", send_late)
    assert copy() == (
        f"{IMPORT} was refused with 400 BadRequestInvalidImportToken: The import token is invalid. The export's token "
        f"is expired or invalid: run again for a new export. {REQUEST}"
    )


@pytest.mark.parametrize(
    "arguments, end",
    [
        ({"wait": False}, ", and wait is off: run again later, or switch it on."),
        ({"wait_timeout": 1}, " after 1 seconds (wait_timeout): run again to go on with it."),
    ],
    ids=["without waiting", "for too long"],
)
def test_a_source_in_training(copy, dev, widget, arguments, end):
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    assert copy(**arguments) == (
        f"{EXPORT} was refused with 400 BadRequestExportWhileTraining: The project cannot be exported while it is "
        f"trained. Wait for the training to end, or leave wait switched on. {REQUEST} It is still in training{end}"
    )


def test_an_import_that_never_appears(copy, prod, monkeypatch):
    monkeypatch.setattr(_importing, "SHORTEST_WATCH", 0.1)
    connect = _connection.connect
    monkeypatch.setattr(cv_project_copy, "connect", lambda *of: replace(connect(*of), timeout=0.2))
    prod.faults.add("ImportProject", status=503, shape="service", times=None)
    assert copy() == (
        f"{IMPORT} was refused with 503 ErrorUnknown: Something went wrong. {REQUEST} The import was sent 3 times and "
        "did not appear: run again later."
    )


PROXIES = "Check endpoint and the proxies between."


@pytest.mark.parametrize(
    "fault, message",
    [
        ({"status": 400, "shape": "service"}, "was refused with 400 BadRequest: The request is malformed."),
        (
            {"status": 401, "shape": "old"},
            f"was refused with 401 Unauthorized: {ACCESS_DENIED} Check endpoint and training_key: the key or token "
            "must belong to the resource of this endpoint.",
        ),
        ({"status": 403, "shape": "text"}, f"was refused with 403 Forbidden. {check_all('access_token')}"),
        (
            {"status": 404, "shape": "gateway"},
            "was refused with 404 Not Found. Check endpoint: it must be the endpoint of a Custom Vision training "
            "resource.",
        ),
        ({"status": 407, "shape": "empty"}, f"was refused with 407 Proxy Authentication Required. {PROXIES}"),
        ({"status": 409, "shape": "service"}, "was refused with 409 Conflict: The request is in conflict with another."),
        ({"status": 411, "shape": "html"}, f"was refused with 411 Length Required. {PROXIES}"),
        (
            {"status": 429, "shape": "old"},
            f"was refused with 429 Too Many Requests: {RATE_EXCEEDED} Lower the number of requests a second, or run "
            "again later.",
        ),
        (
            {"status": 429, "shape": "empty"},
            "was refused with 429 Too Many Requests. Lower the number of requests a second, or run again later.",
        ),
        ({"status": 500, "shape": "service"}, "was refused with 500 ErrorUnknown: Something went wrong."),
        ({"status": 502, "shape": "html"}, f"was refused with 502 Bad Gateway. {PROXIES}"),
        ({"status": 503, "shape": "text"}, f"was refused with 503 Service Unavailable. {PROXIES}"),
        ({"status": 504, "shape": "gateway"}, f"was refused with 504 Gateway Timeout. {PROXIES}"),
        ({"status": 400, "shape": "text", "message": "[" * 100_000}, f"was refused with 400 Bad Request. {PROXIES}"),
        (
            {"status": 400, "shape": "gateway", "code": "Odd", "message": " Two\r\n  lines.\t"},
            "was refused with 400 Odd: Two lines.",
        ),
        ({"malformed": "html"}, f"answered with something else than the call's result. {PROXIES}"),
        ({"malformed": "truncated"}, f"answered with something else than the call's result. {PROXIES}"),
        ({"malformed": "type"}, f"answered with something else than the call's result. {PROXIES}"),
        ({"status": 200, "shape": "empty"}, f"answered with something else than the call's result. {PROXIES}"),
        (
            {"status": 200, "shape": "text", "message": "[" * 100_000},
            f"answered with something else than the call's result. {PROXIES}",
        ),
        (
            {"redirect": "https://login.example.com/?sig=1"},
            f"answered with a redirect, which is not followed. {PROXIES}",
        ),
    ],
    ids=lambda value: " ".join(str(part)[:20] for part in value.values()) if isinstance(value, dict) else "",
)
def test_every_shape_of_answer_is_one_sentence(info, dev, fault, message):
    dev.faults.add("GetProjects", times=None, **fault)
    assert info() == f"{LIST} resource at <dev> {message} {REQUEST}"


CHECK = "Check endpoint, the network and proxies between, or run again."
CHUNKED = {"status": 200, "shape": "text", "message": 'fff\r\n[{"id": "', "headers": {"Transfer-Encoding": "chunked"}}


@pytest.mark.parametrize(
    "fault, cause",
    [
        ({"drop": "before"}, "the connection broke (RemoteDisconnected)"),
        ({"delay": 0.4}, "it took longer than 0.2 seconds"),
        (CHUNKED, "it took longer than 0.2 seconds"),
        ({**CHUNKED, "headers": {**CHUNKED["headers"], "Connection": "close"}}, "the connection broke (IncompleteRead)"),
    ],
    ids=["dropped", "too late", "stalled", "broken off"],
)
def test_no_answer_is_one_sentence(info, dev, monkeypatch, fault, cause):
    connect = _connection.connect
    monkeypatch.setattr(cv_project_info, "connect", lambda *of: replace(connect(*of), timeout=0.2))
    dev.faults.add("GetProjects", times=None, **fault)
    assert info() == f"{LIST} resource at <dev> got no whole answer: {cause}. {CHECK}"


def test_no_listener_is_one_sentence(info, dev):
    dev.stop()
    assert info() == f"{LIST} resource at <dev> got no whole answer: connection refused. {CHECK}"


def test_no_such_host_is_one_sentence(info, monkeypatch):
    def find_nothing(*_of, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_nothing)
    endpoint = "https://nothing.example.com"
    assert info(endpoint=endpoint) == (
        f"{LIST} resource at {endpoint} got no whole answer: name or service not known. {CHECK}"
    )
