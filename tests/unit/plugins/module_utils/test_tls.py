# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, proxies and the sign-in, seen from a server that speaks TLS in front of the emulator."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy, cv_project_info
from emulated import connection

YEAR = timedelta(days=365)
SIGN_IN = ("Training-Key", "Authorization", "Proxy-Authorization")


class Server(ThreadingHTTPServer):
    """Serves within a ``with`` block; ``seen`` are the requests it got: what was asked for, and the headers."""

    daemon_threads = False  # so that closing waits for them

    def __init__(self, handler, **more):
        super().__init__(("127.0.0.1", 0), handler)
        self.seen = []
        vars(self).update(more)

    def handle_error(self, request, client_address):
        """A client that does not like the certificate goes away, which is no error here."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return super().__enter__()

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class Front(BaseHTTPRequestHandler):
    """Hands requests on to the resource behind."""

    def forward(self):
        self.server.seen.append((self.path, dict(self.headers)))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        behind = http.client.HTTPConnection(self.server.resource.endpoint.removeprefix("http://"))
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        text = answer.read()
        behind.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = forward


class Tunnels(BaseHTTPRequestHandler):
    """A proxy that opens tunnels."""

    def do_CONNECT(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.server.refusal:
            self.send_error(self.server.refusal)
            return
        host, _colon, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as behind:
            self.send_response_only(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(behind, self.connection))
            back.start()
            pump(self.connection, behind)
            back.join()
        self.close_connection = True

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        self.send_error(500)

    def log_message(self, *_of):
        pass


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(name="authority", scope="module")
def fixture_authority():
    return trustme.CA()


@pytest.fixture(name="ca_path")
def fixture_ca_path(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return str(tmp_path / "authority.pem")


@pytest.fixture(name="strange_ca_path")
def fixture_strange_ca_path(tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "strange.pem")
    return str(tmp_path / "strange.pem")


@contextmanager
def in_front_of(resource, certificate):
    """A server with that certificate; it has the endpoint of what it serves as ``endpoint``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with Server(Front, resource=resource) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.endpoint = f"https://localhost:{server.server_port}"
        yield server


@pytest.fixture(name="front")
def fixture_front(dev, authority):
    with in_front_of(dev, authority.issue_cert("localhost")) as server:
        yield server


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="info")
def fixture_info(run_module, dev):
    """Looks at dev through a server; gives the result."""

    def info(server, **options):
        return run_module(cv_project_info, **connection(dev, endpoint=server.endpoint, timeout=5, **options))

    return info


def test_a_certificate_of_a_known_authority_is_trusted(info, front, ca_path):
    assert info(front, ca_path=ca_path)["projects"] == []


def refusal_of(result):
    """Why TLS failed, where a message says so and what to do about it."""
    message = result["msg"]
    assert re.search(r"^GET /customvision/v3.3/training/projects of the resource at https://localhost:\d+ got ", message)
    assert "ca_path" in message and message.endswith(".") and "Traceback" not in json.dumps(result)
    return re.search(r"TLS failed \((.*?)\)\.", message)[1]


def test_a_certificate_of_an_unknown_authority_is_refused(info, front, strange_ca_path):
    for options in ({}, {"ca_path": strange_ca_path}):
        assert refusal_of(info(front, **options)) == "unable to get local issuer certificate"
    assert not front.seen


def test_a_certificate_for_another_host_is_refused(info, dev, authority, ca_path):
    with in_front_of(dev, authority.issue_cert("other.example.com")) as front:
        reason = refusal_of(info(front, ca_path=ca_path))
    assert reason == "hostname mismatch, certificate is not valid for 'localhost'" and not front.seen


def test_a_certificate_that_expired_is_refused(info, dev, authority, ca_path):
    now = datetime.now(timezone.utc)
    expired = authority.issue_cert("localhost", not_before=now - 2 * YEAR, not_after=now - YEAR)
    with in_front_of(dev, expired) as front:
        assert refusal_of(info(front, ca_path=ca_path)) == "certificate has expired"
    assert not front.seen


def test_a_server_without_tls_gets_no_key(info, dev):
    class Plain:
        endpoint = dev.endpoint.replace("http://127.0.0.1", "https://localhost")

    assert re.search(r"TLS failed \((wrong version number|record layer failure)\)", info(Plain)["msg"])
    assert not dev.requests


def test_what_the_environment_trusts_counts_without_ca_path_only(info, front, monkeypatch, ca_path, strange_ca_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    assert info(front)["projects"] == []
    assert refusal_of(info(front, ca_path=strange_ca_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", strange_ca_path)
    assert refusal_of(info(front))
    assert info(front, ca_path=ca_path)["projects"] == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", None])
def test_certificates_are_not_checked_where_nobody_wants_it(info, front, monkeypatch, strange_ca_path, variable):
    if variable:
        monkeypatch.setenv(variable, strange_ca_path)
    assert info(front, validate_certs=False)["projects"] == []
    assert info(front, validate_certs=False, ca_path=strange_ca_path)["projects"] == []
    assert len(front.seen) == 2


def test_each_side_has_an_authority_of_its_own(run_module, dev, prod, widget, tmp_path):
    sides = {}
    authorities = {}
    for side in ("source", "destination"):
        authorities[side] = trustme.CA()
        authorities[side].cert_pem.write_to_path(tmp_path / f"{side}.pem")
        sides[side] = {"ca_path": str(tmp_path / f"{side}.pem")}
    with (
        in_front_of(dev, authorities["source"].issue_cert("localhost")) as source,
        in_front_of(prod, authorities["destination"].issue_cert("localhost")) as destination,
    ):
        sides["source"].update(connection(dev, endpoint=source.endpoint))
        sides["destination"].update(connection(prod, endpoint=destination.endpoint))
        arguments = {"projects": [{"name": "Widget"}], "wait_sleep": 0.05}
        assert run_module(cv_project_copy, **sides, **arguments)["copies"][0]["action"] == "copied"
        sides["source"]["ca_path"], sides["destination"]["ca_path"] = (
            sides["destination"]["ca_path"], sides["source"]["ca_path"],
        )  # fmt: skip
        result = run_module(cv_project_copy, **sides, **arguments)
    assert "TLS failed" in result["msg"] and result["changed"] is False


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"access_token": None}, {"Training-Key": "training_key"}),
        ({"training_key": None}, {"Authorization": "access_token"}),
        ({}, {"Authorization": "access_token"}),
    ],
    ids=["key", "token", "both"],
)
def test_the_sign_in(info, dev, front, ca_path, options, expected):
    given = {"access_token": dev.access_token, "training_key": dev.training_key, **options}
    given = {name: value for name, value in given.items() if value}
    if "training_key" not in given:
        given["training_key"] = None
    assert info(front, ca_path=ca_path, **given)["projects"] == []
    ((_path, headers),) = front.seen
    prefix = {"training_key": "", "access_token": "Bearer "}
    assert {name: headers[name] for name in SIGN_IN if name in headers} == {
        name: prefix[option] + getattr(dev, option) for name, option in expected.items()
    }


@pytest.fixture(name="proxy")
def fixture_proxy():
    with Server(Tunnels, refusal=None) as server:
        yield server


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used_and_sees_no_key(info, dev, front, proxy, monkeypatch, ca_path, name):
    monkeypatch.setenv(name, f"http://somebody:pa55w0rd@127.0.0.1:{proxy.server_port}")
    result = info(front, ca_path=ca_path)
    assert result["projects"] == [] and "pa55w0rd" not in json.dumps(result)
    ((target, headers),) = proxy.seen
    assert target == f"localhost:{front.server_port}"
    assert headers["Proxy-Authorization"] == f"Basic {base64.b64encode(b'somebody:pa55w0rd').decode()}"
    assert dev.training_key not in str(headers)
    ((_path, headers),) = front.seen
    assert {name for name in SIGN_IN if name in headers} == {"Training-Key"}


@pytest.mark.parametrize("exception", ["localhost", "example.com,localhost", "*"])
def test_no_proxy_is_used_for_its_exceptions(info, front, proxy, monkeypatch, ca_path, exception):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("NO_PROXY", exception)
    assert info(front, ca_path=ca_path)["projects"] == []
    assert not proxy.seen


def test_certificates_are_checked_behind_a_proxy_too(info, front, proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    assert refusal_of(info(front)) == "unable to get local issuer certificate"
    assert proxy.seen and not front.seen


@pytest.mark.parametrize("refusal", [403, 407, 502])
def test_a_proxy_that_refuses_is_one_sentence_without_its_password(info, front, proxy, monkeypatch, ca_path, refusal):
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:pa55w0rd@127.0.0.1:{proxy.server_port}")
    proxy.refusal = refusal
    result = info(front, ca_path=ca_path)
    assert re.search(rf"got no whole answer: tunnel connection failed: {refusal} .*Check endpoint, the", result["msg"])
    assert "pa55w0rd" not in json.dumps(result) and not front.seen


def test_a_proxy_that_is_not_there_is_one_sentence_without_its_password(info, front, proxy, monkeypatch, ca_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:pa55w0rd@127.0.0.1:{port}")
    result = info(front, ca_path=ca_path)
    assert "got no whole answer: connection refused. Check endpoint, the network and proxies" in result["msg"]
    assert "pa55w0rd" not in json.dumps(result) and not front.seen


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_gets_a_key_that_would_go_over_plain_http(run_module, dev, proxy, monkeypatch, name):
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
    assert run_module(cv_project_info, **connection(dev))["projects"] == []
    assert not proxy.seen
