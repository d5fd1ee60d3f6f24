# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Never a secret out of the door: keys, bearer tokens and the tokens of exports."""

from __future__ import annotations

import gc
import html
import json
import re
import socket
import sys
import threading
import traceback
from contextlib import contextmanager
from urllib.parse import quote, unquote

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _client, _importing, _retrying
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import Connection
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy, cv_project_info
from emulated import connection, names, operations, quotes_a_link
from emulator import Emulator
from emulator.samples import sdk
from requests.adapters import HTTPAdapter

# A token as the service makes it: a link that is signed with 32 bytes in base64.
SIGNATURE = "qT9+xw/ZLmB7oCkR3vYdEa5+hN2sU/8jKgPf0iQbWnM="
TOKEN = (
    "https://irisprodwu2training.blob.core.windows.net/prjexp-5f3e1c0a9b7d4e62/project-export-info"
    f"?sv=2017-04-17&sr=b&sig={quote(SIGNATURE, safe='')}&se=2026-11-24T19%3A00%3A36Z&sp=r"
)
MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def lower_hex(text):
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def cut(text, signature):
    """A text up to the middle of its signature, and from there on."""
    middle = text.index(signature) + len(signature) // 2
    return text[:middle], text[middle:]


def spellings(token):
    """How a service may quote a token: each of its parts may be encoded, and more than once."""
    once = quote(token, safe="")
    twice = quote(once, safe="")
    signature = re.search("sig=([^&]+)", token)[1]
    halves = cut(token, signature)
    halves_of_once = cut(once, quote(signature, safe=""))
    return {
        "plain": token,
        "decoded": unquote(token),
        "upper case": token.upper(),
        "percent-encoded": once,
        "percent-encoded with lower-case digits": lower_hex(once),
        "percent-encoded but for slashes": quote(token),
        "percent-encoded twice": twice,
        "percent-encoded twice with lower-case digits": lower_hex(twice),
        "percent-encoded thrice": quote(twice, safe=""),
        "as HTML": html.escape(token),
        "as HTML with numbers": token.replace("&", "&#38;"),
        "percent-encoded as HTML": html.escape(once),
        "as JSON": token.replace("&", "\\u0026"),
        "decoded, as JSON with all digits": re.sub(r"[&+/=]", lambda c: f"\\u{ord(c[0]):04X}", unquote(token)),
        "as JSON with slashes": token.replace("/", "\\/"),
        "as HTML in JSON": html.escape(token).replace("&", "\\u0026"),
        "its query": token.partition("?")[2],
        "its query, percent-encoded": quote(token.partition("?")[2], safe=""),
        "its signature": signature,
        "its signature, decoded": unquote(signature),
        "its first half": halves[0],
        "its second half": halves[1],
        "its first half, percent-encoded": halves_of_once[0],
        "its second half, percent-encoded": halves_of_once[1],
        "the request": f"/customvision/v3.3/training/projects/import?token={once}&name=Widget",
        "far behind": f"{'x' * 140} {once}",  # messages are cut
        "in two lines": f"{token[:120]}\n{token[120:]}",
    }


SPELLINGS = list(spellings(TOKEN))


def tells(text, secret):
    """Whether a text tells ten characters of a secret, however it is encoded."""
    for _layer in range(5):
        text = html.unescape(unquote(text.replace("\\\\", "\\").replace("\\u0026", "&").replace("\\/", "/")))
    text = re.sub(r"\s|\\[nrt]", "", text).casefold()
    return any(secret[start : start + 10].casefold() in text for start in range(len(secret) - 9))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whether_something_tells_a_secret_is_seen(spelling):
    """A test of ``tells``: were it blind, the others would pass in vain."""
    assert tells(json.dumps({"msg": f"bad token {spellings(TOKEN)[spelling]}!"}), SIGNATURE)


@pytest.mark.parametrize("spelling", ["plain", "upper case", "the request", "percent-encoded thrice", "its query"])
def test_whether_something_quotes_a_link_is_seen(spelling):
    """The same of ``quotes_a_link``, by which the tests of the modules and playbooks see a leak."""
    quoted = spellings(TOKEN)[spelling]
    assert quotes_a_link(json.dumps({"msg": quoted})) and quotes_a_link(quoted.replace("prjexp", "export"))


def test_nothing_is_seen_where_nothing_is_told():
    assert not quotes_a_link("a sign = an import %3D a token")
    assert not tells(f"bad token ***! {TOKEN.partition('?')[0]}?***", SIGNATURE)


@pytest.fixture(name="client")
def fixture_client(prod):
    return _client.Client(Connection(prod.endpoint, "destination", 60, True, prod.training_key))


def refusal(client):
    """What is known of an import that fails: the message, and the traceback with what led to it."""
    with pytest.raises(CustomVisionError) as caught:
        client.import_project(TOKEN, "Widget")
    return str(caught.value) + "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("part", ["message", "code"])
@pytest.mark.parametrize("shape", ["service", "gateway"])
def test_a_token_in_an_error_is_taken_out(client, prod, spelling, part, shape):
    text = f"No good: {spellings(TOKEN)[spelling]}!"
    prod.faults.add("ImportProject", status=400, shape=shape, **{part: text})
    told = refusal(client)
    assert not tells(told, SIGNATURE)
    assert told.startswith("POST /customvision/v3.3/training/projects/import of the destination resource at")
    assert "400" in told and "apim-request-id" in told


@pytest.mark.parametrize("spelling", [spelling for spelling in SPELLINGS if spelling != "in two lines"])
def test_a_token_in_the_id_of_a_request_is_taken_out(client, prod, monkeypatch, spelling):
    monkeypatch.setattr("emulator.gate.uuid4", lambda: spellings(TOKEN)[spelling])
    prod.faults.add("ImportProject", status=400)
    assert not tells(refusal(client), SIGNATURE)


@pytest.fixture(name="copy")
def fixture_copy(run_module, dev, prod, widget):
    def copy(**arguments):
        sides = {"source": connection(dev, timeout=1), "destination": connection(prod, timeout=1)}
        return run_module(cv_project_copy, **{"projects": [{"name": "Widget"}], "wait_sleep": 0.05, **sides, **arguments})

    return copy


@pytest.fixture(name="when_sent")
def fixture_when_sent(monkeypatch):
    """Has something done with each token just before it is sent; collects the tokens."""
    tokens = []
    send = _importing.Importer.send

    def prepare(act):
        def send_after(importer, token, *more):
            tokens.append(token)
            act(token)
            return send(importer, token, *more)

        monkeypatch.setattr(_importing.Importer, "send", send_after)
        return tokens

    return prepare


def signature_of(token):
    return unquote(re.search("sig=([^&]+)", token)[1])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_token_that_was_exported_is_nowhere_in_the_result(copy, prod, when_sent, spelling):
    tokens = when_sent(
        lambda token: prod.faults.add("ImportProject", status=400, message=f"No good: {spellings(token)[spelling]}!")
    )
    result = copy()
    assert result["failed"] and len(tokens) == 1
    assert not tells(json.dumps(result), signature_of(tokens[0]))


def test_a_token_in_a_projects_name_is_nowhere_in_the_result(copy, prod, when_sent, monkeypatch):
    tokens = when_sent(lambda token: monkeypatch.setattr("emulator.store.free_name", lambda *_of: token))
    result = copy()
    assert result["failed"] and names(prod) == tokens
    assert not tells(json.dumps(result), signature_of(tokens[0]))


@pytest.mark.parametrize("fault", [{}, {"status": 503}, {"drop": "before"}, {"malformed": "html"}, {"outcome": "fail"}])
@pytest.mark.parametrize("check_mode", [False, True])
def test_neither_token_nor_link_is_in_any_result(run_module, dev, prod, widget, fault, check_mode):
    prod.faults.add("ImportProject", **fault) if fault else None
    sides = {"source": connection(dev, timeout=1), "destination": connection(prod, timeout=1)}
    for _run in range(2):
        result = run_module(cv_project_copy, check_mode, **sides, projects=[{"name": "Widget"}], wait_sleep=0.05)
        text = json.dumps(result)
        assert not quotes_a_link(text) and "thumbnail" not in text
        assert dev.training_key not in text and prod.training_key not in text


def masked(arguments):
    return {key: value for key, value in arguments.items() if value == MASKED}


def test_keys_and_tokens_are_masked_where_ansible_shows_the_arguments(copy, dev, prod):
    result = copy(
        source=connection(dev, access_token=dev.access_token),
        destination=connection(prod, access_token=prod.access_token),
    )
    assert not result.get("failed")
    for side in ("source", "destination"):
        shown = result["invocation"]["module_args"][side]
        assert set(masked(shown)) == {"training_key", "access_token"}
    text = json.dumps(result)
    for secret in (dev.training_key, dev.access_token, prod.training_key, prod.access_token):
        assert secret not in text


def test_a_key_and_a_token_are_masked_in_a_flat_connection(run_module, dev, widget):
    result = run_module(cv_project_info, **connection(dev, access_token=dev.access_token))
    assert set(masked(result["invocation"]["module_args"])) == {"training_key", "access_token"}
    assert dev.training_key not in json.dumps(result) and dev.access_token not in json.dumps(result)


def test_keys_from_the_environment_are_masked_as_well(run_module, monkeypatch, dev, prod, widget):
    for side, resource in (("SOURCE", dev), ("DESTINATION", prod)):
        monkeypatch.setenv(f"VISION_{side}_TRAINING_ENDPOINT", resource.endpoint)
        monkeypatch.setenv(f"VISION_{side}_TRAINING_KEY", resource.training_key)
    prod.faults.add("ImportProject", status=400, message="{key}")
    result = run_module(cv_project_copy, projects=[{"name": "Widget"}])
    assert result["failed"]
    assert dev.training_key not in json.dumps(result) and prod.training_key not in json.dumps(result)


@pytest.mark.parametrize("option", ["training_key", "access_token"])
@pytest.mark.parametrize("part", ["message", "code"])
@pytest.mark.parametrize("encoded", [str, str.upper, lambda key: quote(key).replace("-", "%2D"), lambda key: key[:20]])
def test_a_key_that_the_service_quotes_is_taken_out(run_module, dev, option, part, encoded):
    secret = getattr(dev, option)
    dev.faults.add("GetProjects", status=401, shape="gateway", **{part: f"Bad key {encoded(secret)}."})
    result = run_module(cv_project_info, endpoint=dev.endpoint, **{option: secret})
    assert result["failed"] and not tells(json.dumps(result), secret)


@pytest.mark.parametrize("key", ["abc\r\nX-Other: 1", "abcdefgh12345\n", " abcdefgh12345", "abcdefgh\x0012345", "k\u00e9y-abcdef"])
def test_a_key_with_characters_that_none_has_is_refused_and_not_shown(copy, dev, prod, key):
    result = copy(destination={"endpoint": prod.endpoint, "training_key": key})
    assert result["msg"].startswith("destination.training_key holds white space")
    assert not tells(json.dumps(result), "abcdefgh12345") and "X-Other" not in json.dumps(result)
    assert not dev.requests and not prod.requests


def test_user_information_in_an_endpoint_is_refused_and_not_shown(copy, dev, prod):
    endpoint = prod.endpoint.replace("://", "://somebody:pa55w0rd-0f-theirs@")
    result = copy(destination={"endpoint": endpoint, "training_key": prod.training_key})
    assert result["msg"] == "destination.endpoint holds user information: give the key or token in its own option"
    assert not dev.requests and not prod.requests
    assert "pa55w0rd" not in json.dumps(result)


@pytest.mark.parametrize("host", ["prod.example.com", "10.0.0.1", "127.0.0.1.example.com", "0.0.0.0", "169.254.169.254"])
def test_no_key_goes_over_plain_http_to_another_host(copy, dev, monkeypatch, host):
    def not_here(*address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket, "getaddrinfo", not_here)
    monkeypatch.setattr(socket.socket, "connect", not_here)
    result = copy(destination={"endpoint": f"http://{host}", "training_key": "k3y"})
    assert "destination.endpoint is plain http" in result["msg"] and not dev.requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("side, operation", [("dev", "GetProjects"), ("dev", "ExportProject"), ("prod", "ImportProject")])
def test_redirects_are_not_followed(copy, emulator, side, operation, status):
    with Emulator(["elsewhere"]) as other:
        elsewhere = other["elsewhere"]
        target = f"{elsewhere.endpoint}/customvision/v3.3/training/projects"
        emulator[side].faults.add(operation, redirect=target, status=status, times=None)
        result = copy()
        assert "answered with a redirect, which is not followed" in result["msg"]
        assert not elsewhere.requests and operations(emulator[side]).count(operation) == 1
        assert elsewhere.endpoint not in json.dumps(result)


@pytest.mark.parametrize("option, header", [("training_key", "Training-Key"), ("access_token", "Authorization")])
def test_a_netrc_does_not_sign_in(run_module, monkeypatch, tmp_path, dev, option, header):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password pa55w0rd\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    sent = []
    send = HTTPAdapter.send

    def watch(adapter, request, **options):
        sent.append(request.headers)
        return send(adapter, request, **options)

    monkeypatch.setattr(HTTPAdapter, "send", watch)
    result = run_module(cv_project_info, endpoint=dev.endpoint, **{option: getattr(dev, option)})
    assert result["projects"] == []
    (headers,) = sent
    expected = {"training_key": dev.training_key, "access_token": f"Bearer {dev.access_token}"}
    assert {name: headers[name] for name in ("Training-Key", "Authorization") if name in headers} == {
        header: expected[option]
    }


@contextmanager
def peer(behave):
    """A listener that does something with its first connections; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    accepted, _address = listener.accept()
                except OSError:
                    return
                with accepted:
                    accepted.recv(65536)
                    behave(accepted)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def answers(text):
    return lambda accepted: accepted.sendall(text)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"

NO_ANSWERS = {
    "closed": lambda _accepted: None,
    "not HTTP": answers(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "half a head": answers(b"HTTP/1.1 200"),
    "half a body": answers(HEAD + b"\r\n[{"),
    "not what its encoding says": answers(HEAD + b"Content-Encoding: gzip\r\n\r\n0123456789"),
    "a chunk of no size": answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "too many headers": answers(HEAD + b"X: y\r\n" * 200 + b"\r\n0123456789"),
    "too long a header": answers(HEAD + b"X: " + b"y" * 70000 + b"\r\n\r\n0123456789"),
    "an odd length": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n01234"),
    "an odd date": answers(HEAD + b"Date: Mon, 01 Jan 99999999999999999999 00:00:00 GMT\r\n\r\n0123456789"),
    "an odd redirect": answers(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"),
    "an odd wait": answers(
        b"HTTP/1.1 429 Wait\r\nRetry-After: Mon, 01 Jan 99999 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
    ),
    "a wait without end": answers(
        b"HTTP/1.1 429 Wait\r\nRetry-After: " + b"9" * 5000 + b"\r\nContent-Length: 0\r\n\r\n"
    ),
    "early closed": lambda accepted: accepted.shutdown(socket.SHUT_RDWR),
    "silent": lambda accepted: accepted.settimeout(1.5) or accepted.recv(1),
}  # fmt: skip


# At an odd length urllib3 leaves a socket behind.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("behave", NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_failure_of_the_network_tells_a_token(monkeypatch, behave, scheme):
    monkeypatch.setattr(_retrying.ServiceRetry, "LONGEST_WAIT", 0.01)
    with peer(behave) as address:
        told = refusal(_client.Client(Connection(f"{scheme}://{address}", "", 1, False, "k3y-0123456789")))
    assert not tells(told, SIGNATURE) and "k3y-" not in told and "token=" not in told
    gc.collect()


def test_no_failure_to_connect_tells_a_token(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = refusal(_client.Client(Connection(f"http://127.0.0.1:{port}", "", 1, True, "k3y-0123456789")))
    assert "connection refused" in told and not tells(told, SIGNATURE) and "token=" not in told

    def find_nothing(*_of, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_nothing)
    told = refusal(_client.Client(Connection("https://nothing.example.com", "", 1, True, "k3y-0123456789")))
    assert "name or service not known" in told and not tells(told, SIGNATURE) and "token=" not in told


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"status": 400, "message": "{token} {key}"}, {"malformed": "html"}])
def test_a_traceback_that_was_asked_for_holds_no_secret(copy, prod, when_sent, monkeypatch, fault):
    """By -vvv in ansible-core 2.16, by DISPLAY_TRACEBACK in later ones."""
    if kept := sys.modules.get("ansible.module_utils._internal._traceback"):
        monkeypatch.setattr(kept, "_module_tracebacks_enabled_events", None)  # as in a process of its own
    tokens = when_sent(lambda _token: prod.faults.add("ImportProject", times=None, **fault))
    monkeypatch.setattr(_importing, "SENDINGS", 1)
    result = copy(_ansible_verbosity=3, _ansible_tracebacks_for=["error"])
    text = json.dumps(result)
    assert not tells(text, signature_of(tokens[0])) and prod.training_key not in text


def test_links_to_pictures_are_left_out_of_information(run_module, dev, widget):
    result = run_module(cv_project_info, **connection(dev), gather=["iterations", "tags", "counts"])
    assert result["projects"][0]["counts"]["tagged_images"] == 4
    assert not quotes_a_link(json.dumps(result)) and "thumbnail" not in json.dumps(result).casefold()
    assert sdk(dev).get_project(widget.id).thumbnail_uri  # there would be one


def test_secrets_are_not_in_what_a_debugger_shows(dev):
    assert dev.training_key not in repr(Connection(dev.endpoint, "", 60, True, dev.training_key))
    assert dev.access_token not in repr(Connection(dev.endpoint, "", 60, True, None, dev.access_token))
