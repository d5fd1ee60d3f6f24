# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WSGI application, one for all resources: which of them a request is for is in its WSGI environment."""

from __future__ import annotations

import re

from flask import Blueprint, Flask, g, jsonify, request
from flask.typing import ResponseReturnValue as Answer

from . import gate, inputs
from .gate import here
from .routes import FETCHES, OPERATIONS, unknown

PREFIX = "/customvision/v3.3/training"
# The versions differ in nothing that is modelled here; recorded paths differ in case.
ANY_PREFIX = re.compile(r"^/customvision/v3\.[^/]+/training(?=/)", re.IGNORECASE)


# --- The service -----------------------------------------------------------------------------------------------------

service = Blueprint("service", __name__, url_prefix=PREFIX)
gate.guard_service(service)


def _serve(view, fetch=None):
    """A view that has the resource to itself while it works."""
    def serve(**ids: str) -> Answer:
        resource = here()
        if fetch is not None:
            g.fetched = fetch(resource, **ids)
        with resource.store.lock:
            resource.store.settle()
            return view(resource, **ids)
    return serve


for _operation, (_method, _path, _view) in OPERATIONS.items():
    service.add_url_rule(_path, _operation, _serve(_view, FETCHES.get(_operation)), methods=[_method])
service.add_url_rule(
    "/<path:path>", "unknown", _serve(unknown), methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
)


# --- Beside the service: its blobs, and what users of the command have instead of the Python API ---------------------

beside = Blueprint("beside", __name__)


@beside.before_request
def check_key() -> Answer | None:
    return None if request.endpoint == "beside.read_export" else gate.unauthorized(here())


@beside.get("/prjexp-<key>/project-export-info")
def read_export(key: str) -> Answer:
    link = request.args
    package = here().store.exports.get(key, link.get("sig", ""), link.get("se", ""), here().clock.now())
    return ("", 403) if package is None else package


@beside.post("/emulator/faults")
def add_fault() -> Answer:
    try:
        here().faults.add(**inputs.body())
    except (TypeError, ValueError) as error:
        return {"message": str(error)}, 400
    return "", 204


@beside.delete("/emulator/faults")
def clear_faults() -> Answer:
    here().faults.clear()
    return "", 204


@beside.get("/emulator/requests")
def show_requests() -> Answer:
    return jsonify([vars(record) for record in list(here().requests)])


# --- The application -------------------------------------------------------------------------------------------------

def create_app() -> Flask:
    """The application of all resources."""
    app = Flask(__name__)
    app.json.sort_keys = False
    app.register_blueprint(service)
    app.register_blueprint(beside)
    gate.guard_everything(app)
    app.wsgi_app = _same_prefix(app.wsgi_app)
    return app


def _same_prefix(wsgi_app):
    """Let every version and case of the prefix lead to the same operations."""
    def adapted(environ, start_response):
        environ["PATH_INFO"] = ANY_PREFIX.sub(PREFIX, environ["PATH_INFO"])
        return wsgi_app(environ, start_response)
    return adapted


APP = create_app()
