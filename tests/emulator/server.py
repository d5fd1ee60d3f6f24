# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resources that answer by HTTP on this machine."""

from __future__ import annotations

import base64
import io
import secrets
import socket
import threading
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from uuid import uuid4

from werkzeug.serving import WSGIRequestHandler, make_server

from .app import APP
from .clock import Clock, timestamp
from .faults import Faults
from .gate import DROP, RESOURCE
from .model import Settings
from .routes import OPERATIONS
from .store import Store
from .transfer import TOKEN_LIFE, blob_query

HOST = "127.0.0.1"


@dataclass
class Request:
    """A request on record; ``at`` is monotonic seconds, ``status`` None where the connection was dropped."""

    operation: str
    method: str
    path: str
    at: float
    status: int | None = None


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with connections that stay open, as the service has them; werkzeug's own handler closes each."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes: together with delayed acknowledgements that would cost 40 ms an answer.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        environ[RESOURCE] = self.server.resource
        # The body is read whole: what an operation leaves of it would be taken for the next request.
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        head: list = []
        with closing(self.server.app(environ, lambda *started: head.extend(started))) as chunks:
            body = b"".join(chunks)
        if environ.get(DROP):
            self.close_connection = True
            return
        status, headers = head
        code, _space, phrase = status.partition(" ")
        # Not send_response(): that adds a Date of the real clock, and a line to the log.
        self.send_response_only(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Resource(Settings):
    """One emulated resource: its address and keys, its state, and what a test may do to it."""

    def __init__(self, name: str, clock: Clock, import_seconds: float, training_seconds: float) -> None:
        super().__init__(import_seconds, training_seconds)
        self.name = name
        self.clock = clock
        self.training_key = secrets.token_hex(16)
        self.access_token = secrets.token_urlsafe(48)
        self.prediction_resource_id = (
            f"/subscriptions/{uuid4()}/resourceGroups/emulator/providers/Microsoft.CognitiveServices"
            f"/accounts/{name}-prediction"
        )
        self.requests: list[Request] = []
        self.faults = Faults(OPERATIONS)
        self.store = Store(clock, self)
        self._recent: deque[float] = deque()
        self._recent_lock = threading.Lock()
        self._server = make_server(HOST, 0, APP, threaded=True, request_handler=Handler)
        self._server.resource = self
        self._server.connections = set()
        # The interval, in seconds, is what stopping takes.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.endpoint = f"http://{HOST}:{self._server.port}"

    def start(self) -> None:
        """Serve at the endpoint, which is on a free port of the loopback interface."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and cut what connections are open."""
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client was faster

    def describe(self) -> dict[str, str]:
        """What a client needs to know."""
        return {
            "endpoint": self.endpoint,
            "training_key": self.training_key,
            "access_token": self.access_token,
            "prediction_resource_id": self.prediction_resource_id,
        }

    def record(self, operation: str, method: str, path: str) -> Request:
        """Put a request on record."""
        request = Request(operation, method, path, time.monotonic())
        self.requests.append(request)
        return request

    def exceeds_rate(self) -> bool:
        """Whether the request of this moment is one too many in a second; those refused do not count."""
        if self.rate_limit is None:
            return False
        now = time.monotonic()
        with self._recent_lock:
            while self._recent and now - self._recent[0] >= 1:
                self._recent.popleft()
            if len(self._recent) >= self.rate_limit:
                return True
            self._recent.append(now)
            return False

    def link(self, path: str) -> str:
        """A fresh link to an image, signed for 24 hours. It leads nowhere: pixels are not kept."""
        expires = timestamp((self.clock.now() + TOKEN_LIFE).replace(microsecond=0))
        signature = base64.b64encode(secrets.token_bytes(32)).decode()
        return f"{self.endpoint}{path}?{blob_query(signature, expires)}"


class Emulator:
    """Several resources with one clock; serves them within a ``with`` block.

    ``import_seconds`` and ``training_seconds`` are what an import and a training take, in emulated time.
    """

    def __init__(self, names: list[str], import_seconds: float = 0.05, training_seconds: float = 0.05) -> None:
        self.clock = Clock()
        self.resources = {name: Resource(name, self.clock, import_seconds, training_seconds) for name in names}

    def __getitem__(self, name: str) -> Resource:
        return self.resources[name]

    def __enter__(self) -> Emulator:
        for resource in self.resources.values():
            resource.start()
        return self

    def __exit__(self, *_error) -> None:
        for resource in self.resources.values():
            resource.stop()
