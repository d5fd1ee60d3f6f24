# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against the emulator: what is sent again, what counts as written, what errors say."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _client
from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import Connection
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._pacing import Pace
from ansible_collections.cvops.custom_vision.plugins.module_utils._retrying import ServiceRetry, named_wait
from emulated import operations
from emulator.samples import sdk


def client_of(resource, rate=1000, patience=60, **options):
    usual = {"endpoint": resource.endpoint, "side": "destination", "timeout": 5, "verify": True}
    return Client(Connection(**{**usual, "training_key": resource.training_key, **options}), Pace(rate), patience)


@pytest.fixture(name="client")
def fixture_client(prod):
    return client_of(prod)


@pytest.fixture(name="project")
def fixture_project(client, prod):
    return client.get_project(sdk(prod).create_project("Widget").id)


@pytest.mark.parametrize(
    "body, seconds",
    [
        (b"... pricing tier. Please retry after 1 second.", 1.0),
        (b"Please retry after 26 seconds.", 26.0),
        (b"try again later", None),
        (b"", None),
    ],
)
def test_the_wait_that_a_message_names(body, seconds):
    assert named_wait(body) == seconds


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 503}, {"status": 429, "shape": "gateway"}])
def test_reading_is_tried_again(client, prod, fault, monkeypatch):
    prod.faults.add("GetProjects", times=2, **fault)
    assert client.get_projects() == []
    assert operations(prod) == ["GetProjects"] * 3 and not client.may_have_written


def test_what_is_sent_again_waits_for_its_turn_too(prod):
    """Or requests that were refused for their number would be sent in the same number again."""
    prod.faults.add("GetProjects", status=503, times=2)
    client = client_of(prod, rate=2)
    client.get_projects(), client.get_projects()
    moments = [request.at for request in prod.requests]
    assert len(moments) == 4
    assert all(later - earlier >= 0.99 for earlier, later in zip(moments, moments[2:]))


def test_trying_again_comes_to_an_end(client, prod):
    prod.faults.add("GetProjects", status=503, times=None)
    with pytest.raises(CustomVisionError, match="503"):
        client.get_projects()
    assert len(prod.requests) == 6


@pytest.fixture(name="patient")
def fixture_patient(monkeypatch):
    monkeypatch.setattr(ServiceRetry, "PATIENCE", 60)
    monkeypatch.setattr(ServiceRetry, "LONGEST_WAIT", 0.01)


@pytest.mark.parametrize("call", [
    lambda client, project: client.get_projects(),
    lambda client, project: client.update_project(project, "Other"),
    lambda client, project: client.delete_project(project["id"]),
], ids=["read", "rename", "delete"])
@pytest.mark.usefixtures("patient")
def test_refusals_for_the_rate_use_up_no_tries(client, prod, project, call):
    prod.requests.clear()
    prod.faults.add("*", status=429, times=20)
    prod.faults.add("*", status=503, times=5)
    call(client, project)
    assert len(prod.requests) == 26


@pytest.mark.usefixtures("patient")
def test_an_import_that_is_refused_for_the_rate_is_sent_once_it_is_let_in(client, dev, prod):
    token = sdk(dev).export_project(sdk(dev).create_project("Widget").id).token
    prod.faults.add("ImportProject", status=429, times=20)
    client.import_project(token, "Widget")
    assert operations(prod) == ["ImportProject"] * 21 and len(prod.store.projects) == 1


@pytest.mark.usefixtures("patient")
def test_patience_with_refusals_for_the_rate_comes_to_an_end(prod):
    client = client_of(prod, patience=0.2)
    prod.faults.add("GetProjects", status=429, times=None)
    with pytest.raises(CustomVisionError, match="429") as caught:
        client.get_projects()
    # Each wait is at most a hundredth of a second.
    assert len(prod.requests) > 6 and not caught.value.in_doubt


@pytest.mark.parametrize("odd", [
    {"publishName": {}}, {"originalPublishResourceId": 5}, {"status": 1}, {"trainedAt": []},
], ids=str)
def test_an_iteration_of_another_kind_is_no_answer(client, odd):
    assert not _client._is_iteration({"id": "1", "name": "Iteration 1", **odd})
    assert _client._is_iteration({"id": "1", "name": "Iteration 1", **dict.fromkeys(odd)})


@pytest.mark.parametrize("odd", [{"settings": "x"}, {"status": 5}], ids=str)
def test_a_project_of_another_kind_is_no_answer(prod, client, odd):
    made = sdk(prod).create_project("Widget")
    vars(prod.store.projects[made.id]).update(odd)
    with pytest.raises(CustomVisionError, match="answered with something else than the call's result"):
        client.get_projects()


def test_what_the_answer_to_a_rename_leaves_out_is_as_it_was(prod, client, monkeypatch):
    sdk(prod).create_project("Widget")
    (project,) = client.get_projects()
    monkeypatch.setattr(client, "_call", lambda *_call, **_request: {"id": project["id"], "name": "Gadget"})
    assert client.update_project(project, "Gadget") == {**project, "name": "Gadget"}


def test_many_at_once_get_their_turn_at_a_resource_that_lets_few_in(prod, monkeypatch):
    """Each client stands for a process that paces only itself; the waits are a tenth of the service's."""
    monkeypatch.setattr(ServiceRetry, "PATIENCE", 60)
    monkeypatch.setattr(ServiceRetry, "LONGEST_WAIT", 0.3)
    prod.rate_limit = 50
    clients = [client_of(prod) for _number in range(20)]
    with ThreadPoolExecutor(max_workers=100) as pool:
        answers = list(pool.map(lambda number: clients[number % 20].get_projects(), range(200)))
    assert answers == [[]] * 200
    assert sum(request.status == 200 for request in prod.requests) == 200 < len(prod.requests)


@pytest.mark.parametrize("operation", ["rename", "delete"])
@pytest.mark.parametrize("status", [403, 404])
def test_a_write_whose_answer_was_lost_counts_though_the_next_try_is_refused(client, prod, project, operation, status):
    call = {
        "rename": lambda: client.update_project(project, "Other"),
        "delete": lambda: client.delete_project(project["id"]),
    }
    prod.faults.add("*", drop="after")
    prod.faults.add("*", status=status, shape="gateway")
    with pytest.raises(CustomVisionError):
        call[operation]()
    assert client.may_have_written


def test_a_deletion_whose_answer_was_lost_is_one(client, prod, project):
    prod.faults.add("DeleteProject", drop="after")
    assert client.delete_project(project["id"]) is True
    assert client.may_have_written and not prod.store.projects


def test_a_deletion_that_somebody_else_was_faster_with_is_none(client, prod, project):
    sdk(prod).delete_project(project["id"])
    assert client.delete_project(project["id"]) is False
    assert not client.may_have_written


def test_a_refused_write_is_none(client, prod, project):
    prod.faults.add("UpdateProject", status=403, shape="gateway")
    with pytest.raises(CustomVisionError):
        client.update_project(project, "Other")
    assert not client.may_have_written


@pytest.mark.parametrize("call", [
    lambda client: client.get_projects(), lambda client: client.import_project("a token", "Widget"),
], ids=["read", "import"])
def test_a_connection_that_could_not_be_opened_is_tried_again(prod, monkeypatch, call):
    tries = []
    connect = socket.socket.connect

    def count(*address):
        tries.append(address)
        return connect(*address)

    prod.stop()
    monkeypatch.setattr(socket.socket, "connect", count)
    client = client_of(prod)
    with pytest.raises(CustomVisionError, match="connection refused") as caught:
        call(client)
    assert len(tries) == 4 and not caught.value.in_doubt and not client.may_have_written


def test_a_write_that_could_not_be_sent_is_none(client, prod, project):
    prod.stop()
    client = client_of(prod)
    with pytest.raises(CustomVisionError, match="connection refused"):
        client.update_project(project, "Other")
    assert not client.may_have_written


BROKEN_OFF = {
    "status": 200, "shape": "text", "message": "fff\r\n{", "headers": {"Transfer-Encoding": "chunked", "Connection": "close"},
}


@pytest.mark.parametrize("refusal", [{"redirect": "http://127.0.0.1:9/"}, {"status": 400}], ids=["redirect", "400"])
@pytest.mark.parametrize("lost", [{"drop": "after"}, BROKEN_OFF], ids=["dropped", "broken off"])
def test_a_refusal_is_in_doubt_where_an_answer_before_it_was_lost(client, prod, lost, refusal):
    sdk(prod).create_project("Widget")
    (project,) = client.get_projects()
    prod.faults.add("UpdateProject", **lost)
    prod.faults.add("UpdateProject", **refusal)
    with pytest.raises(CustomVisionError, match="answered with a redirect|was refused with 400") as caught:
        client.update_project(project, "Gadget")
    assert caught.value.in_doubt and client.may_have_written


@pytest.mark.parametrize("padding", range(0, 300, 7))
@pytest.mark.parametrize("encoded", [0, 1, 2])
def test_no_cut_lets_half_a_secret_out(client, prod, padding, encoded):
    token = "https://blob.example.com/prjexp-1/info?sv=1&sr=b&sig=aB%2BcdEFgh1jK%3D&se=2026&sp=r"
    quoted = token
    for _time in range(encoded):
        quoted = quote(quoted, safe="")
    message = f"{'x' * padding} {quoted}"
    prod.faults.add("ImportProject", status=400, code="BadRequestInvalidImportToken", message=message)
    with pytest.raises(CustomVisionError) as caught:
        client.import_project(token, "Widget")
    for part in ("aB%2B", "cdEF", "sig"):
        assert part not in str(caught.value)


def test_no_proxy_sees_a_loopback_address(prod, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert client_of(prod).get_projects() == []


def test_retries_do_not_depend_on_how_the_endpoint_is_spelt(prod):
    prod.faults.add("GetProjects", status=503)
    assert client_of(prod, endpoint=f"{prod.endpoint}/x/..").get_projects() == []


@pytest.mark.parametrize("ending", ["cut", "stall"])
def test_an_answer_that_breaks_off_is_asked_for_anew(ending):
    whole = b'{"id": "1", "name": "Widget"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(whole)
    done = threading.Event()

    def serve(listener):
        first, _address = listener.accept()
        first.recv(9999)
        first.sendall(head + whole[:5])
        if ending == "cut":
            first.close()
        second, _address = listener.accept()
        second.recv(9999)
        second.sendall(head + whole)
        done.wait(10)
        first.close()
        second.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = Client(Connection(endpoint=endpoint, side="", timeout=1, verify=True, training_key="k"))
        assert client.get_project("1")["name"] == "Widget"
        done.set()
        thread.join()


def test_a_key_in_place_of_a_code_does_not_get_out(prod):
    prod.training_key = "ThisKeyIsMadeOfLettersAlone"
    prod.faults.add("GetProjects", status=400, shape="service", code=prod.training_key, message="no good")
    with pytest.raises(CustomVisionError, match=r"was refused with 400 \*\*\*: no good"):
        client_of(prod).get_projects()
