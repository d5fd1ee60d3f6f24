# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every request meets before its operation, and every answer after it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Blueprint, Flask, Response, g, request
from werkzeug.http import http_date

from . import errors

if TYPE_CHECKING:
    from .server import Resource

# In the WSGI environment of a request: the resource it is for, set by the server.
RESOURCE = "emulator.resource"
# Set in the environment of a request that gets no answer: the server then cuts the connection.
DROP = "emulator.drop"


def here() -> Resource:
    """The resource that the present request is for."""
    return request.environ[RESOURCE]


def guard_service(blueprint: Blueprint) -> None:
    """Set up what the operations of the service have in common."""
    blueprint.before_request(_admit)
    blueprint.after_request(_release)


def guard_everything(app: Flask) -> None:
    """Set up what all answers have in common."""
    app.register_error_handler(errors.ServiceError, _refuse)
    app.register_error_handler(404, lambda _error: errors.answer("gateway", 404))
    app.after_request(_stamp)


def _admit() -> tuple | None:
    """An answer in place of the operation's, or None to go on."""
    resource = here()
    operation = request.endpoint.rpartition(".")[2]
    g.record = resource.record(operation, request.method, urlsplit(request.environ["REQUEST_URI"]).path)
    refusal = missing_length() or unauthorized(resource) or _too_many(resource, operation)
    time.sleep(resource.latency)
    return refusal or _misbehave(resource, operation) or _read_only(resource)


def missing_length() -> tuple | None:
    """A POST without Content-Length never reaches the service. Source: azure-docs#65022."""
    if request.method != "POST" or "Content-Length" in request.headers:
        return None
    # The rest of what the client sends, if any, is not to be taken for its next request.
    return errors.html_page(411), 411, {"Connection": "close"}


def unauthorized(resource: Resource) -> tuple | None:
    """The key or the bearer token is checked by the gateway."""
    if request.headers.get("Training-Key") == resource.training_key:
        return None
    if request.headers.get("Authorization") == f"Bearer {resource.access_token}":
        return None
    return errors.answer("gateway", 401)


def _too_many(resource: Resource, operation: str) -> tuple | None:
    return errors.answer("gateway", 429, operation=operation) if resource.exceeds_rate() else None


def _misbehave(resource: Resource, operation: str) -> tuple | None:
    """What a fault does before the work, or in its place."""
    g.fault = fault = resource.faults.take(operation)
    if fault is None:
        return None
    time.sleep(fault.delay)
    if fault.drop == "before":
        return "", 204
    key = request.headers.get("Training-Key") or request.headers.get("Authorization", "")
    return fault.answer(operation, request.args.get("token", ""), key)


def _read_only(resource: Resource) -> tuple | None:
    if resource.dr_mode and request.method != "GET":
        raise errors.ServiceError("ForbiddenDRModeEnabled")


def _release(response: Response) -> Response:
    """What a fault does after the work; then the answer is on record."""
    fault = g.get("fault")
    if fault is not None:
        time.sleep(fault.delay_after)
        if fault.drops:
            request.environ[DROP] = True
            return response
        if fault.malformed is not None:
            _spoil(response, fault.malformed)
    g.record.status = response.status_code
    return response


def _spoil(response: Response, how: str) -> None:
    """Turn an answer into one no client expects."""
    if how == "html":
        response.data, response.content_type = errors.html_page(200), "text/html"
    elif how == "truncated":
        response.data = response.data[:len(response.data) // 2]
    else:
        response.data = b"{}" if isinstance(json.loads(response.data or b"{}"), list) else b"[]"
    response.status_code = 200


def _refuse(error: errors.ServiceError) -> tuple:
    return errors.answer("service", error.status, error.code)


def _stamp(response: Response) -> Response:
    response.headers["apim-request-id"] = str(uuid4())
    response.headers["Date"] = http_date(here().clock.now())
    return response
