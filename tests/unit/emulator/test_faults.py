# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on order: each one, how often and when it happens, and ordering by HTTP."""

from __future__ import annotations

import pytest
import requests

from emulator.samples import make_project


@pytest.fixture
def token(dev, call):
    """The token of a project with 3 tags, 10 images and 2 iterations."""
    project = make_project(dev, "P", tags=3, iterations=2, regions=True)
    return call(dev, "GET", f"/projects/{project.id}/export").json()["token"]


@pytest.fixture
def import_token(prod, call, token):
    """Import at prod."""
    def import_it():
        return call(prod, "POST", "/projects/import", params={"token": token})
    return import_it


@pytest.fixture
def waits(monkeypatch):
    """How long the resources waited, without the waiting."""
    seconds = []
    monkeypatch.setattr("emulator.gate.time.sleep", seconds.append)
    return seconds


def names(resource):
    return [project.name for project in resource.store.projects.values()]


def counts(call, resource, project):
    path = f"/projects/{project['id']}"
    found = [len(call(resource, "GET", f"{path}/{name}").json()) for name in ("tags", "iterations")]
    return (*found, call(resource, "GET", f"{path}/images/count").json())


# --- How often and when ----------------------------------------------------------------------------------------------

def test_a_fault_happens_once_unless_told_otherwise(dev, call):
    dev.faults.add("GetProjects", status=503)
    assert [call(dev, "GET", "/projects").status_code for _number in range(3)] == [503, 200, 200]


def test_a_fault_happens_so_many_times_after_so_many_requests(dev, call):
    dev.faults.add("GetProjects", status=503, times=2, after=2)
    assert [call(dev, "GET", "/projects").status_code for _number in range(5)] == [200, 200, 503, 503, 200]


def test_a_fault_can_last_for_ever_until_cleared(dev, call):
    dev.faults.add("GetProjects", status=503, times=None)
    assert {call(dev, "GET", "/projects").status_code for _number in range(5)} == {503}
    dev.faults.clear()
    assert call(dev, "GET", "/projects").status_code == 200


def test_faults_of_one_operation_happen_one_after_the_other(dev, call):
    dev.faults.add("GetProjects", status=500)
    dev.faults.add("GetProjects", status=502)
    assert [call(dev, "GET", "/projects").status_code for _number in range(3)] == [500, 502, 200]


def test_a_fault_is_of_one_operation_or_of_all(dev, call):
    dev.faults.add("GetDomains", status=503)
    assert call(dev, "GET", "/projects").status_code == 200
    assert call(dev, "GET", "/domains").status_code == 503
    dev.faults.add("*", status=503, times=2)
    assert [call(dev, "GET", path).status_code for path in ("/projects", "/domains", "/domains")] == [503, 503, 200]


def test_a_fault_is_of_one_resource(dev, prod, call):
    dev.faults.add("GetProjects", status=503)
    assert call(prod, "GET", "/projects").status_code == 200


def test_a_request_that_is_not_let_in_uses_up_no_fault(dev, call):
    dev.faults.add("GetProjects", status=503)
    assert call(dev, "GET", "/projects", headers={"Training-Key": "wrong"}).status_code == 401
    assert call(dev, "GET", "/projects").status_code == 503


@pytest.mark.parametrize("arguments, error", [
    ({"operation": "Nothing"}, ValueError), ({"operation": "*", "shape": "round"}, ValueError),
    ({"operation": "*", "drop": "never"}, ValueError), ({"operation": "*", "malformed": "yes"}, ValueError),
    ({"operation": "*", "outcome": "good"}, ValueError), ({"operation": "*", "missing": "all"}, ValueError),
    ({"operation": "*", "colour": "red"}, TypeError),
])
def test_a_fault_there_is_not_is_refused(dev, arguments, error):
    with pytest.raises(error):
        dev.faults.add(**arguments)


# --- Answers ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("status, code", [
    (400, "BadRequest"), (403, "Forbidden"), (404, "NotFound"), (409, "Conflict"), (500, "ErrorUnknown"),
])
def test_an_error_in_the_services_shape(dev, call, status, code):
    dev.faults.add("GetProjects", status=status)
    answer = call(dev, "GET", "/projects")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["apim-request-id"]


def test_an_error_of_ones_own_choice(dev, call):
    dev.faults.add("GetProjects", status=403, code="ForbiddenUser", message="Not you.", headers={"X-Reason": "r"})
    answer = call(dev, "GET", "/projects")
    assert answer.json() == {"code": "ForbiddenUser", "message": "Not you."}
    assert answer.headers["X-Reason"] == "r"


@pytest.mark.parametrize("shape, body", [
    ("gateway", {"error": {"code": "403", "message": "Access Denied"}}),
    ("old", {"statusCode": 403, "message": "Access Denied"}),
])
def test_an_error_in_a_shape_of_the_gateway(dev, call, shape, body):
    dev.faults.add("GetProjects", status=403, shape=shape, message="Access Denied")
    assert call(dev, "GET", "/projects").json() == body


def test_the_gateway_says_why_a_key_does_not_work(dev, call):
    dev.faults.add("*", status=403, shape="gateway", code="AuthenticationTypeDisabled")
    assert call(dev, "GET", "/projects").json()["error"]["code"] == "AuthenticationTypeDisabled"


@pytest.mark.parametrize("shape, start, content_type", [
    ("html", "<!DOCTYPE html>", "text/html"), ("text", "Access Denied", "text/plain"), ("empty", "", "text/plain"),
])
def test_an_error_that_is_no_json(dev, call, shape, start, content_type):
    dev.faults.add("GetProjects", status=502, shape=shape, message="Access Denied")
    answer = call(dev, "GET", "/projects")
    assert answer.status_code == 502 and answer.text.startswith(start)
    assert (answer.text == "") == (shape == "empty")
    assert answer.headers["Content-Type"].startswith(content_type)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
def test_a_429_has_a_retry_after_only_if_asked_for(dev, call, headers):
    dev.faults.add("GetProjects", status=429, headers=headers)
    answer = call(dev, "GET", "/projects")
    assert "Please retry after 1 second." in answer.json()["error"]["message"]
    assert answer.headers.get("Retry-After") == headers.get("Retry-After")


@pytest.mark.parametrize("shape", ["service", "gateway", "old", "html", "text"])
def test_a_message_can_quote_the_token_and_the_key(prod, import_token, token, shape):
    prod.faults.add("ImportProject", status=400, shape=shape, message="with {token} by {key}")
    assert f"with {token} by {prod.training_key}" in _unescaped(import_token())


def test_a_message_can_quote_the_bearer_token(dev, session):
    dev.faults.add("GetProjects", status=403, message="by {key}")
    headers = {"Authorization": f"Bearer {dev.access_token}"}
    answer = session.get(dev.endpoint + "/customvision/v3.3/training/projects", headers=headers)
    assert answer.json()["message"] == f"by Bearer {dev.access_token}"


def _unescaped(answer):
    """The text of an answer, or the message in its JSON."""
    if "json" not in answer.headers["Content-Type"]:
        return answer.text
    body = answer.json()
    return body.get("error", body)["message"]


def test_a_redirect(dev, call):
    dev.faults.add("GetProjects", redirect="http://127.0.0.1:9/elsewhere")
    answer = call(dev, "GET", "/projects")
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")
    dev.faults.add("GetProjects", redirect="http://127.0.0.1:9/elsewhere", status=307)
    assert call(dev, "GET", "/projects").status_code == 307


def test_an_answer_of_html_after_the_work(dev, call, unchecked):
    dev.faults.add("CreateProject", malformed="html")
    answer = call(dev, "POST", "/projects", params={"name": "P"})
    assert (answer.status_code, names(dev)) == (200, ["P"])
    assert answer.headers["Content-Type"].startswith("text/html") and "<html>" in answer.text


def test_an_answer_cut_short(dev, call, unchecked):
    dev.faults.add("CreateProject", malformed="truncated")
    answer = call(dev, "POST", "/projects", params={"name": "P"})
    assert answer.status_code == 200 and answer.text.startswith('{"id":')
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_an_answer_of_another_type(dev, call, unchecked):
    dev.faults.add("*", malformed="type", times=None)
    assert call(dev, "GET", "/projects").json() == {}
    project = dev.store.create("P", None, {}).id
    assert call(dev, "GET", f"/projects/{project}").json() == []
    assert call(dev, "GET", f"/projects/{project}/images/count").json() == []
    assert call(dev, "DELETE", f"/projects/{project}").json() == []


# --- Connections and time --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("when, made", [("before", []), ("after", ["P"])])
def test_a_connection_dropped_before_or_after_the_work(dev, call, when, made):
    dev.faults.add("CreateProject", drop=when)
    with pytest.raises(requests.ConnectionError):
        call(dev, "POST", "/projects", params={"name": "P"})
    assert names(dev) == made
    assert [(record.operation, record.status) for record in dev.requests] == [("CreateProject", None)]
    assert call(dev, "GET", "/projects").status_code == 200


def test_a_delay_before_the_work(dev, call, waits):
    dev.faults.add("CreateProject", delay=30)
    call(dev, "POST", "/projects", params={"name": "P"})
    assert 30 in waits


def test_a_client_that_gives_up_meets_work_that_is_done_when_the_answer_is_late(dev, call, monkeypatch):
    done = []
    monkeypatch.setattr("emulator.gate.time.sleep", lambda seconds: seconds and done.append(names(dev)))
    dev.faults.add("CreateProject", delay_after=30)
    call(dev, "POST", "/projects", params={"name": "P"})
    dev.faults.add("CreateProject", delay=30)
    call(dev, "POST", "/projects", params={"name": "Q"})
    assert done == [["P"], ["P"]]


# --- Imports ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("missing, left", [("images", (3, 2, 5)), ("tags", (2, 2, 10)), ("iterations", (3, 1, 10))])
@pytest.mark.parametrize("outcome, status", [("fail", "Failed"), ("lossy", "Succeeded")])
def test_an_import_that_fails_or_loses_something(prod, call, import_token, emulator, outcome, status, missing, left):
    prod.faults.add("ImportProject", outcome=outcome, missing=missing)
    begun = import_token().json()
    emulator.clock.advance(seconds=61)
    assert call(prod, "GET", f"/projects/{begun['id']}").json()["status"] == status
    assert counts(call, prod, begun) == left


def test_a_failed_import_lacks_images_unless_told_otherwise(prod, call, import_token, emulator):
    prod.faults.add("ImportProject", outcome="fail")
    begun = import_token().json()
    emulator.clock.advance(seconds=61)
    assert counts(call, prod, begun) == (3, 2, 5)


def test_a_lost_tag_is_lost_on_its_images_and_regions_too(prod, call, import_token, emulator):
    prod.faults.add("ImportProject", outcome="lossy", missing="tags")
    begun = import_token().json()
    emulator.clock.advance(seconds=61)
    untagged = call(prod, "GET", f"/projects/{begun['id']}/images/untagged").json()
    assert len(untagged) == 3 and not any("regions" in image for image in untagged)


def test_an_import_that_is_stuck(prod, call, import_token, emulator):
    prod.faults.add("ImportProject", outcome="stuck")
    begun = import_token().json()
    emulator.clock.advance(days=51)
    assert call(prod, "GET", f"/projects/{begun['id']}").json() == begun


def test_an_import_of_another_duration(prod, call, import_token, emulator):
    prod.faults.add("ImportProject", import_seconds=3600)
    begun = import_token().json()
    emulator.clock.advance(seconds=3590)
    assert call(prod, "GET", f"/projects/{begun['id']}").json()["status"] == "Importing"
    emulator.clock.advance(seconds=11)
    assert call(prod, "GET", f"/projects/{begun['id']}").json()["status"] == "Succeeded"


def test_counts_that_lag_behind_succeeded(prod, call, import_token, emulator):
    prod.faults.add("ImportProject", lag=30)
    begun = import_token().json()
    emulator.clock.advance(seconds=61)
    done = call(prod, "GET", f"/projects/{begun['id']}").json()
    assert (done["status"], counts(call, prod, begun)) == ("Succeeded", (3, 2, 5))
    emulator.clock.advance(seconds=30)
    assert counts(call, prod, begun) == (3, 2, 10)
    assert call(prod, "GET", f"/projects/{begun['id']}").json()["lastModified"] == done["lastModified"]


def test_an_import_that_shows_up_late_after_a_dropped_connection(prod, call, import_token, emulator):
    prod.faults.add("ImportProject", late=20)
    with pytest.raises(requests.ConnectionError):
        import_token()
    assert call(prod, "GET", "/projects").json() == []
    meanwhile = import_token().json()
    emulator.clock.advance(seconds=21)
    [first, late] = call(prod, "GET", "/projects").json()
    assert (first["id"], first["name"]) == (meanwhile["id"], "P")
    assert (late["name"], late["status"]) == ("P (1)", "Importing")
    emulator.clock.advance(seconds=60)
    assert call(prod, "GET", f"/projects/{late['id']}").json()["status"] == "Succeeded"


# --- By HTTP ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def control(session):
    """What users of the command have instead of the Python API."""
    def send(resource, method, path, key=None, **options):
        headers = {"Training-Key": key or resource.training_key}
        return session.request(method, f"{resource.endpoint}/emulator/{path}", headers=headers, **options)
    return send


def test_faults_are_ordered_and_cleared_by_http(dev, call, control):
    assert control(dev, "POST", "faults", json={"operation": "*", "status": 503, "times": None}).status_code == 204
    assert call(dev, "GET", "/projects").status_code == 503
    assert control(dev, "DELETE", "faults").status_code == 204
    assert call(dev, "GET", "/projects").status_code == 200


def test_requests_are_shown_by_http(dev, call, control):
    call(dev, "GET", "/projects")
    [shown] = control(dev, "GET", "requests").json()
    assert shown.pop("at") > 0
    assert shown == {"operation": "GetProjects", "method": "GET", "path": "/customvision/v3.3/training/projects",
                     "status": 200}


@pytest.mark.parametrize("body", [{"operation": "Nothing"}, {"operation": "*", "colour": "red"}, {}, []])
def test_a_bad_order_by_http_is_refused(dev, control, body):
    answer = control(dev, "POST", "faults", json=body)
    assert answer.status_code == 400 and answer.json()["message"]


@pytest.mark.parametrize("method, path", [("POST", "faults"), ("DELETE", "faults"), ("GET", "requests")])
def test_control_by_http_takes_the_resources_key(dev, control, method, path):
    assert control(dev, method, path, key="wrong", json={"operation": "*"}).status_code == 401
