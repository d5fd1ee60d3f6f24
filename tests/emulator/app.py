# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WSGI application of a resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, g, jsonify, request

from . import gate, inputs
from .routes import FETCHES, OPERATIONS, unknown

if TYPE_CHECKING:
    from .server import Resource

PREFIX = "/customvision/v3.3/training"
# The versions differ in nothing that is modelled here; recorded paths differ in case.
ANY_PREFIX = re.compile(r"^/customvision/v3\.[^/]+/training(?=/)", re.IGNORECASE)


def create_app(resource: Resource) -> Flask:
    """The WSGI application of one resource."""
    app = Flask(__name__)
    app.json.sort_keys = False
    service = Blueprint("service", __name__, url_prefix=PREFIX)
    gate.guard_service(service, resource)
    for operation, (method, path, view) in OPERATIONS.items():
        service.add_url_rule(path, operation, _serve(resource, view, FETCHES.get(operation)), methods=[method])
    anything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    service.add_url_rule("/<path:path>", "unknown", _serve(resource, unknown, None), methods=anything)
    app.register_blueprint(service)
    app.register_blueprint(_beside_the_service(resource))
    gate.guard_everything(app, resource)
    app.wsgi_app = _same_prefix(app.wsgi_app)
    return app


def _same_prefix(wsgi_app):
    """Let every version and case of the prefix lead to the same operations."""
    def adapted(environ, start_response):
        environ["PATH_INFO"] = ANY_PREFIX.sub(PREFIX, environ["PATH_INFO"])
        return wsgi_app(environ, start_response)
    return adapted


def _serve(resource: Resource, view, fetch):
    """A view that has the resource to itself while it works."""
    def serve(**ids: str):
        if fetch is not None:
            g.fetched = fetch(resource, **ids)
        with resource.store.lock:
            resource.store.settle()
            return view(resource, **ids)
    return serve


def _beside_the_service(resource: Resource) -> Blueprint:
    """What is at the resource's address but not of its service: its blobs, and faults for users of the command."""
    beside = Blueprint("beside", __name__)

    @beside.get("/prjexp-<key>/project-export-info")
    def read_export(key: str):
        link = request.args
        package = resource.store.exports.get(key, link.get("sig", ""), link.get("se", ""), resource.clock.now())
        return ("", 403) if package is None else package

    @beside.post("/emulator/faults")
    def add_fault():
        try:
            resource.faults.add(**inputs.body())
        except (TypeError, ValueError) as error:
            return {"message": str(error)}, 400
        return "", 204

    @beside.delete("/emulator/faults")
    def clear_faults():
        resource.faults.clear()
        return "", 204

    @beside.get("/emulator/requests")
    def show_requests():
        return jsonify([vars(record) for record in list(resource.requests)])

    @beside.before_request
    def check_key():
        return None if request.endpoint == "beside.read_export" else gate.unauthorized(resource)

    return beside
