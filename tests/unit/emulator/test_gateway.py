# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all requests have in common: paths, sign-in, headers, limits and the shapes of errors."""

from __future__ import annotations

import json
import re
import time
import uuid
from contextlib import closing
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, NotConnected

import pytest

from emulator import Emulator
from emulator.clock import timestamp

UNKNOWN_ID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("prefix", [
    "/customvision/v3.3/training", "/customvision/v3.3/Training", "/CustomVision/v3.0/TRAINING",
    "/customvision/v3.4-preview/training",
])
def test_any_version_and_any_case_of_the_path_works(dev, session, prefix):
    url = dev.endpoint + prefix + "/projects"
    assert session.get(url, headers={"Training-Key": dev.training_key}).json() == []


@pytest.mark.parametrize("method, path", [
    ("GET", "/performance"), ("GET", f"/projects/{UNKNOWN_ID}/artifacts"), ("PUT", "/projects"),
])
def test_an_operation_that_is_not_modelled_is_404_in_the_services_shape(dev, call, method, path):
    answer = call(dev, method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")


def test_a_path_beside_the_service_is_404_in_the_gateways_shape(dev, session):
    answer = session.get(dev.endpoint + "/other")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "404")


@pytest.mark.parametrize("headers", [
    {}, {"Training-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Training-Key": ""},
])
def test_a_wrong_key_is_refused_in_the_gateways_shape(dev, session, headers):
    answer = session.get(dev.endpoint + "/customvision/v3.3/training/projects", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "401"
    assert answer.json()["error"]["message"].startswith(
        "Access denied due to invalid subscription key or wrong API endpoint.")


def test_the_key_of_one_resource_does_not_open_another(dev, prod, call):
    assert call(prod, "GET", "/projects", headers={"Training-Key": dev.training_key}).status_code == 401


def test_a_bearer_token_signs_in_instead_of_the_key(dev, session):
    headers = {"Authorization": f"Bearer {dev.access_token}"}
    assert session.get(dev.endpoint + "/customvision/v3.3/training/projects", headers=headers).status_code == 200


def test_every_answer_carries_an_apim_request_id(dev, call):
    answers = [call(dev, "GET", "/projects"), call(dev, "GET", f"/projects/{UNKNOWN_ID}"),
               call(dev, "GET", "/projects", headers={"Training-Key": "wrong"})]
    ids = {str(uuid.UUID(answer.headers["apim-request-id"])) for answer in answers}
    assert len(ids) == 3


def test_the_date_header_follows_the_emulated_clock_and_there_is_one(dev, call, emulator):
    emulator.clock.advance(days=51)
    answer = call(dev, "GET", "/projects")
    assert len(answer.raw.headers.getlist("Date")) == 1
    ahead = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(timezone.utc)
    assert timedelta(days=50) < ahead < timedelta(days=52)


@pytest.fixture
def connection(dev):
    """One connection that is never opened anew, for requests as they are."""
    opened = HTTPConnection("127.0.0.1", int(dev.endpoint.rpartition(":")[2]), timeout=10)
    opened.connect()
    opened.auto_open = 0
    yield opened
    opened.close()


def send(connection, method, path, headers, body=b""):
    connection.putrequest(method, f"/customvision/v3.3/training{path}")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer, answer.read()


def test_a_post_without_a_content_length_is_answered_411_with_html(dev, connection):
    answer, page = send(connection, "POST", "/projects/import?token=x", {"Training-Key": dev.training_key})
    assert answer.status == 411
    assert answer.headers["Content-Type"].startswith("text/html") and b"<html>" in page


def test_a_post_with_a_content_length_of_0_is_let_through(dev, connection):
    headers = {"Training-Key": dev.training_key, "Content-Length": "0"}
    answer, body = send(connection, "POST", "/projects/import?token=x", headers)
    assert (answer.status, json.loads(body)["code"]) == (400, "BadRequestInvalidImportToken")


def test_a_connection_stays_open_whatever_is_answered(dev, connection):
    key = {"Training-Key": dev.training_key}
    assert send(connection, "GET", "/projects", key)[0].status == 200
    assert send(connection, "POST", "/projects", {"Content-Length": "5000"}, b"x" * 5000)[0].status == 401
    assert send(connection, "PATCH", "/nothing", {**key, "Content-Length": "5"}, b"x" * 5)[0].status == 404
    assert send(connection, "GET", "/projects", key)[0].status == 200


def test_after_the_with_block_nothing_is_served_not_even_on_open_connections():
    with Emulator(["dev"]) as emulator:
        dev = emulator["dev"]
        assert dev.name == "dev"
        port = int(dev.endpoint.rpartition(":")[2])
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        assert send(connection, "GET", "/projects", {"Training-Key": dev.training_key})[0].status == 200
        connection.auto_open = 0
    with closing(connection), pytest.raises((ConnectionError, NotConnected)):
        send(connection, "GET", "/projects", {"Training-Key": dev.training_key})
    with closing(HTTPConnection("127.0.0.1", port)) as another, pytest.raises(ConnectionRefusedError):
        another.connect()


@pytest.mark.parametrize("moment, text", [
    (datetime(2020, 2, 11, 16, 33, 36, 0), "2020-02-11T16:33:36Z"),
    (datetime(2020, 2, 11, 16, 33, 36, 700_000), "2020-02-11T16:33:36.7Z"),
    (datetime(2020, 2, 11, 16, 33, 36, 450_000), "2020-02-11T16:33:36.45Z"),
    (datetime(2020, 2, 11, 16, 33, 36, 5_000), "2020-02-11T16:33:36.005Z"),
])
def test_dates_end_in_z_with_at_most_three_digits_and_no_trailing_zeros(moment, text):
    assert timestamp(moment) == text


def test_the_clock_keeps_milliseconds(emulator):
    assert emulator.clock.now().microsecond % 1000 == 0


@pytest.mark.parametrize("path, code", [
    (f"/projects/{UNKNOWN_ID}", "NotFoundProject"),
    (f"/projects/{UNKNOWN_ID}/tags", "NotFoundProject"),
    (f"/projects/{{project}}/tags/{UNKNOWN_ID}", "NotFoundTag"),
    (f"/projects/{{project}}/iterations/{UNKNOWN_ID}", "NotFoundIteration"),
    (f"/domains/{UNKNOWN_ID}", "NotFoundDomain"),
    ("/projects/no-id", "BadRequestInvalidIds"),
    ("/projects/{project}/iterations/no-id", "BadRequestInvalidIds"),
])
def test_an_unknown_id_is_not_found_and_a_malformed_one_is_a_bad_request(dev, call, path, code):
    project = call(dev, "POST", "/projects", params={"name": "P"}).json()
    answer = call(dev, "GET", path.format(project=project["id"]))
    assert answer.json()["code"] == code
    assert answer.status_code == (404 if code.startswith("NotFound") else 400)


@pytest.mark.parametrize("body", [b"", b"no json", b"[]"])
def test_a_body_that_is_no_object_is_a_bad_request(dev, call, body):
    project = call(dev, "POST", "/projects", params={"name": "P"}).json()
    answer = call(dev, "PATCH", f"/projects/{project['id']}", data=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")


def test_more_requests_a_second_than_allowed_are_refused_with_the_wait_in_the_message(dev, call):
    dev.rate_limit = 1000
    assert call(dev, "GET", "/projects").status_code == 200
    dev.rate_limit = 0
    answer = call(dev, "GET", "/projects")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "429")
    assert "Retry-After" not in answer.headers
    message = answer.json()["error"]["message"]
    assert re.match(
        r"Requests to the GetProjects Operation under Custom_Vision_Training_3\.3 have exceeded rate limit of your "
        r"current CustomVision\.S0 pricing tier\. Please retry after 1 second\.", message)


def test_the_rate_counts_the_requests_of_the_last_second_that_were_let_through(dev, monkeypatch):
    dev.rate_limit = 2
    refused = []
    for now in (1000.0, 1000.6, 1000.7, 1000.999, 1001.0, 1001.5, 1001.6):
        monkeypatch.setattr("emulator.server.time.monotonic", lambda now=now: now)
        refused.append(dev.exceeds_rate())
    assert refused == [False, False, True, True, False, True, False]


def test_in_disaster_recovery_reads_work_and_writes_are_forbidden(dev, call):
    project = call(dev, "POST", "/projects", params={"name": "P"}).json()
    assert project["drModeEnabled"] is False
    dev.dr_mode = True
    path = f"/projects/{project['id']}"
    assert call(dev, "GET", path).json()["drModeEnabled"] is True
    for method, write in (("POST", "/projects"), ("PATCH", path), ("DELETE", path), ("POST", "/projects/import")):
        answer = call(dev, method, write, params={"name": "Q", "token": "t"}, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "ForbiddenDRModeEnabled")


def test_requests_are_on_record_in_order_without_their_query(dev, prod, call):
    call(dev, "POST", "/projects", params={"name": "P"})
    call(dev, "GET", f"/projects/{UNKNOWN_ID}")
    call(dev, "GET", "/projects", headers={"Training-Key": "wrong"})
    call(dev, "PUT", "/projects")
    shown = [(record.operation, record.method, record.status) for record in dev.requests]
    assert shown == [("CreateProject", "POST", 200), ("GetProject", "GET", 404), ("GetProjects", "GET", 401),
                     ("unknown", "PUT", 404)]
    assert dev.requests[0].path == "/customvision/v3.3/training/projects"
    assert dev.requests[0].at <= dev.requests[1].at <= time.monotonic()
    assert prod.requests == []
    dev.requests.clear()
    assert dev.requests == []


def test_latency_is_waited_before_each_answer(dev, call, monkeypatch):
    waits = []
    monkeypatch.setattr("emulator.gate.time.sleep", waits.append)
    dev.latency = 7
    call(dev, "GET", "/projects")
    assert 7 in waits
