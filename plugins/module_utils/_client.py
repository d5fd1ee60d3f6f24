# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service's REST calls, one method each, named as in its OpenAPI file (v3.3).

Retries, pacing and the reading of errors live here; what the calls are for does not.
"""

from __future__ import annotations

import time
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

from ansible_collections.cvops.custom_vision.plugins.module_utils import _breakdown
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import is_published_as
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import Connection
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import (
    CustomVisionError,
    Redactor,
    advice_for,
    one_line,
    read_error,
    status_phrase,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._pacing import Pace
from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import (
    AuthBase,
    HTTPAdapter,
    requests,
    urllib3,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._retrying import ServiceRetry
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Json

BASE_PATH = "/customvision/v3.3/training"
REQUESTS_PER_SECOND = 10.0  # what the service allows (its documentation: limits and quotas)
PATIENCE = 60.0  # seconds for which a resource may go on refusing with 429
CONNECTIONS = 16  # requests under way at once to one resource
READ_ONLY_SETTINGS = ("useNegativeSet", "detectionParameters")  # by the OpenAPI file
READINGS = 3  # how often a request is sent whose answer breaks off in the middle
PUBLISHINGS = 3  # how often a publishing in doubt is sent


class ResourceAuth(AuthBase):
    """Signs a request in. As requests' own kind of sign-in, no ``.netrc`` takes its place."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, request):
        if self._connection.access_token:
            request.headers["Authorization"] = f"Bearer {self._connection.access_token}"
        else:
            request.headers["Training-Key"] = self._connection.training_key
        return request


class Client:
    """One resource. Threads may share it. Each call returns decoded JSON or raises CustomVisionError.

    ``pace`` is shared by clients of the same resource, ``patience`` is how long a 429 uses up no tries, see
    ServiceRetry. As a context it closes its connections at the end. ``may_have_written`` turns true with the first
    write that was, or may have been, carried out.
    """

    def __init__(self, connection: Connection, pace: Pace | None = None, patience: float = PATIENCE) -> None:
        self.connection = connection
        self.may_have_written = False
        self._clock_difference = timedelta(0)
        self._pace = pace or Pace(REQUESTS_PER_SECOND)
        self._redact = Redactor(connection.training_key, connection.access_token)
        self._session = requests.Session()
        self._session.auth = ResourceAuth(connection)
        # Plain http is for loopback addresses only, and no proxy is to see the key on its way there.
        self._session.trust_env = connection.endpoint.startswith("https:")
        retry = ServiceRetry.for_service(self._pace.take, patience)
        adapter = HTTPAdapter(max_retries=retry, pool_maxsize=CONNECTIONS, pool_block=True)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()

    @property
    def now(self) -> datetime:
        """The resource's own time (UTC), by the ``Date`` header of its latest answer."""
        return datetime.now(timezone.utc) + self._clock_difference

    def get_projects(self) -> list[Json]:
        """All projects: the service has no paging."""
        return self._call("GET", "/projects", _is_list_of(_is_project))

    def get_project(self, project_id: str) -> Json:
        return self._call("GET", f"/projects/{project_id}", _is_project)

    def update_project(self, project: Json, name: str) -> Json:
        """Renames a project; everything else is sent back as it was, and what the answer leaves out is as it was.

        A refusal because the name is taken may come from the same rename, sent before and
        answered into the void: the project itself tells.
        """
        body = {"name": name, **{key: project[key] for key in ("description", "settings") if key in project}}
        body["settings"] = {k: v for k, v in (body.get("settings") or {}).items() if k not in READ_ONLY_SETTINGS}
        try:
            return {**project, **self._call("PATCH", f"/projects/{project['id']}", _is_project, json=body)}
        except CustomVisionError as error:
            if error.code != "BadRequestProjectNameNotUnique":
                raise
            present = self.get_project(project["id"])
            if present["name"] != name:
                raise
            self.may_have_written = True
            return present

    def delete_project(self, project_id: str) -> bool:
        """Deletes a project; false where somebody else had done so already.

        One that is not there any more may have been deleted by the same request, sent before and answered
        into the void.
        """
        try:
            self._call("DELETE", f"/projects/{project_id}", None)
        except CustomVisionError as error:
            if error.code != "NotFoundProject":
                raise
            return error.in_doubt
        return True

    def export_project(self, project_id: str) -> Json:
        """``token`` and counts. The token lets whoever holds it import the project for 24 hours."""
        export = self._call("GET", f"/projects/{project_id}/export", _is_export)
        self._redact.add(export["token"])
        return export

    def import_project(self, token: str, name: str) -> Json:
        """The new project, importing; its name need not be the one asked for, see ``NAME (1)``."""
        self._redact.add(token)
        # Spaces as %20, as the SDK sends them: whether the service takes + for one was not recorded.
        query = urlencode({"token": token, "name": name}, quote_via=quote, safe="")
        return {"status": "Importing", **self._call("POST", "/projects/import", _is_project, params=query)}

    def get_iterations(self, project_id: str) -> list[Json]:
        return self._call("GET", f"/projects/{project_id}/iterations", _is_list_of(_is_iteration))

    def get_iteration(self, project_id: str, iteration_id: str) -> Json:
        return self._call("GET", f"/projects/{project_id}/iterations/{iteration_id}", _is_iteration)

    def publish_iteration(
        self, project_id: str, iteration_id: str, publish_name: str, prediction_id: str, overwrite: bool
    ) -> None:
        """Publishes an iteration; ``overwrite`` takes the name from whichever iteration has it.

        Twice has the effect of once. So after a failure in doubt the iteration itself tells whether it is
        published, and if it is not, the request is sent again.
        """
        query = {"publishName": publish_name, "predictionId": prediction_id, "overwrite": str(overwrite).lower()}
        path, params = _publish_path(project_id, iteration_id), urlencode(query, quote_via=quote, safe="")
        doubt = False
        for number in range(1, PUBLISHINGS + 1):
            try:
                self._call("POST", path, _is_true, params=params)
                return
            except CustomVisionError as error:
                doubt = doubt or error.in_doubt
                if doubt and is_published_as(self.get_iteration(project_id, iteration_id), publish_name, prediction_id):
                    return
                if not error.in_doubt or number == PUBLISHINGS:
                    raise
                time.sleep(ServiceRetry.BACKOFF * 2 ** (number - 1))

    def unpublish_iteration(self, project_id: str, iteration_id: str) -> bool:
        """Takes an iteration's publish name away; false where somebody else had done so already.

        One that is not published may have been unpublished by the same request, answered into the void.
        """
        try:
            self._call("DELETE", _publish_path(project_id, iteration_id), None)
        except CustomVisionError as error:
            if error.code == "BadRequestIterationNotPublished":
                return error.in_doubt
            if not error.in_doubt or self.get_iteration(project_id, iteration_id).get("publishName"):
                raise
        return True

    def get_tags(self, project_id: str) -> list[Json]:
        return self._call("GET", f"/projects/{project_id}/tags", _is_list_of(_is_named))

    def get_tagged_image_count(self, project_id: str) -> int:
        return self._call("GET", f"/projects/{project_id}/images/tagged/count", _is_count)

    def get_untagged_image_count(self, project_id: str) -> int:
        return self._call("GET", f"/projects/{project_id}/images/untagged/count", _is_count)

    def _call(self, method: str, path: str, expected: t.Callable[[t.Any], bool] | None, **request: t.Any) -> t.Any:
        """Sends one request; ``expected`` tells whether the answer's JSON is of the call's kind."""
        try:
            response = self._send(method, path, **request)
        except CustomVisionError as error:
            self._note_write(method, error.in_doubt)
            raise
        self._note_write(method, True)
        if expected is None:
            return None
        answer = _decoded(response)
        if not expected(answer):
            raise self._error(
                method, path, "answered with something else than the call's result", response, in_doubt=True
            )
        return answer

    def _send(self, method: str, path: str, **request: t.Any) -> "requests.Response":
        """A good answer, whole. ServiceRetry sees only its head: one that breaks off is asked for anew here.

        A sending that is refused is in doubt where one before it may have been carried out.
        """
        in_doubt = False
        for left in reversed(range(READINGS)):
            try:
                response = self._answer(method, path, **request)
                break
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                in_doubt = in_doubt or _breakdown.was_sent(error)
                if method == "POST" or not left or not _breakdown.broke_off(error):
                    # Without the cause: the library's text quotes the address, and with it the token.
                    raise self._broken(method, path, error, in_doubt) from None
        self._note_date(response)
        in_doubt = in_doubt or response.raw.retries.has_doubt()
        if 300 <= response.status_code < 400:
            raise self._error(method, path, "answered with a redirect, which is not followed", response, in_doubt)
        if not response.ok:
            raise self._refused(method, path, response, in_doubt)
        return response

    def _answer(self, method: str, path: str, **request: t.Any) -> "requests.Response":
        with self._pace.turn():
            return self._session.request(
                method,
                f"{self.connection.endpoint}{BASE_PATH}{path}",
                timeout=self.connection.timeout,
                # With each request, or REQUESTS_CA_BUNDLE goes before a session's setting.
                verify=self.connection.verify,
                # The key is a header of its own, which requests would send on to wherever a redirect leads.
                allow_redirects=False,
                **request,
            )

    def _note_write(self, method: str, carried_out: bool) -> None:
        if method != "GET" and carried_out:
            self.may_have_written = True

    def _note_date(self, response: "requests.Response") -> None:
        """A proxy may cut the header off; this host's own time then has to do."""
        try:
            date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        if date.tzinfo is not None:
            self._clock_difference = date - datetime.now(timezone.utc)

    def _broken(self, method: str, path: str, error: Exception, in_doubt: bool) -> CustomVisionError:
        cause = one_line(self._redact(_breakdown.describe(error, self.connection.timeout)))
        advice = f"Check {self.connection.option('endpoint')}, the network and proxies between, or run again"
        if isinstance(error, requests.exceptions.SSLError):
            option = self.connection.option
            advice = f"Check {option('endpoint')}, and name the authority of its certificate in {option('ca_path')}"
        message = f"{self._where(method, path)} got no whole answer: {cause}. {advice}."
        return CustomVisionError(message, in_doubt=in_doubt)

    def _refused(
        self, method: str, path: str, response: "requests.Response", earlier_doubt: bool
    ) -> CustomVisionError:
        status = response.status_code
        code, message = read_error(status, _decoded(response))
        # Each for itself, so that a secret in one of them does not blank the other.
        what = f"was refused with {status} {self._redact(code or status_phrase(status))}"
        if message != status_phrase(status):
            what = f"{what}: {one_line(self._redact(message))}"
        in_doubt = earlier_doubt or status >= 500 or status == 408
        return self._error(method, path, what, response, in_doubt, code)

    def _error(
        self,
        method: str,
        path: str,
        what: str,
        response: "requests.Response",
        in_doubt: bool = False,
        code: str | None = None,
    ) -> CustomVisionError:
        options = {name: self.connection.option(name) for name in ("endpoint", "training_key", "access_token")}
        used = "access_token" if self.connection.access_token else "training_key"
        status = response.status_code
        advice = advice_for(code, status, options=f"{options['endpoint']} and {options[used]}", **options)
        request_id = response.headers.get("apim-request-id")
        sentences = [f"{self._where(method, path)} {what}", advice]
        if request_id:
            request_id = one_line(self._redact(request_id), 80)
            sentences.append(f"The service knows this request as apim-request-id {request_id}")
        return CustomVisionError(". ".join(part for part in sentences if part) + ".", code, status, in_doubt)

    def _where(self, method: str, path: str) -> str:
        side = f"{self.connection.side} " if self.connection.side else ""
        return f"{method} {BASE_PATH}{path} of the {side}resource at {self.connection.endpoint}"


def _decoded(response: "requests.Response") -> t.Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _publish_path(project_id: str, iteration_id: str) -> str:
    return f"/projects/{project_id}/iterations/{iteration_id}/publish"


def _is_named(answer: t.Any) -> bool:
    return isinstance(answer, dict) and all(isinstance(answer.get(key), str) for key in ("id", "name"))


def _is_project(answer: t.Any) -> bool:
    return _is_named(answer) and _has_texts(answer, "status") and isinstance(answer.get("settings") or {}, dict)


def _is_iteration(answer: t.Any) -> bool:
    """Down to what this collection goes by; ``trainedAt`` is read later."""
    return _is_named(answer) and _has_texts(
        answer, "status", "trainedAt", "publishName", "originalPublishResourceId"
    )


def _has_texts(answer: Json, *keys: str) -> bool:
    """Whether these are texts where they are there."""
    return all(isinstance(answer.get(key), (str, type(None))) for key in keys)


def _is_list_of(is_item: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    return lambda answer: isinstance(answer, list) and all(map(is_item, answer))


def _is_export(answer: t.Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("token"), str) and bool(answer["token"])


def _is_true(answer: t.Any) -> bool:
    return answer is True


def _is_count(answer: t.Any) -> bool:
    return isinstance(answer, int) and not isinstance(answer, bool)
