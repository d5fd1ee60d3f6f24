# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service and its gateway answer when something is wrong.

An answer here is ``(body, status, headers)``, the body a dict for JSON or a text.
"""

from __future__ import annotations

from http import HTTPStatus

# Every code the emulator itself sends, all of CustomVisionErrorCodes in the OpenAPI file. The texts are ours.
MESSAGES = {
    "BadRequest": "The request is malformed.",
    "BadRequestExceedIterationPerProjectLimit": "The project has as many iterations as it may have.",
    "BadRequestExceedProjectLimit": "The resource has as many projects as it may have.",
    "BadRequestExportWhileTraining": "The project cannot be exported while it is trained.",
    "BadRequestImageRegions": "A region is malformed or its tag is unknown.",
    "BadRequestImageTags": "An image cannot be given a tag the project does not have.",
    "BadRequestInvalidIds": "An id is malformed.",
    "BadRequestInvalidImportToken": "The import token is invalid.",
    "BadRequestInvalidPublishName": "The publish name is empty or in use.",
    "BadRequestInvalidPublishTarget": "The prediction resource id is invalid.",
    "BadRequestIterationIsNotTrained": "The iteration is not trained.",
    "BadRequestIterationIsPublished": "The iteration is published.",
    "BadRequestIterationName": "The name of the iteration is invalid.",
    "BadRequestIterationNameNotUnique": "The project has another iteration of that name.",
    "BadRequestIterationNotPublished": "The iteration is not published.",
    "BadRequestOperationNotSupported": "The operation is not supported in the project's present state.",
    "BadRequestProjectName": "The name of the project is invalid.",
    "BadRequestProjectNameNotUnique": "The resource has another project of that name.",
    "BadRequestProjectUnknownClassification": "The classification type is unknown.",
    "BadRequestProjectUnknownDomain": "The domain is unknown.",
    "BadRequestRequiredParamIsNull": "A required parameter is missing.",
    "BadRequestTagName": "The name of the tag is invalid.",
    "BadRequestTagNameNotUnique": "The project has another tag of that name.",
    "BadRequestTrainingAlreadyInProgress": "The project is being trained.",
    "ErrorUnknown": "Something went wrong.",
    "Forbidden": "The operation is forbidden.",
    "ForbiddenDRModeEnabled": "The project is read-only for the time being.",
    "Conflict": "The request is in conflict with another.",
    "NotFound": "There is no such operation.",
    "NotFoundDomain": "The domain does not exist.",
    "NotFoundImage": "The image does not exist.",
    "NotFoundIteration": "The iteration does not exist.",
    "NotFoundProject": "The project does not exist.",
    "NotFoundTag": "The tag does not exist.",
}

# What a code is called by its status where nothing more is known.
GENERAL_CODES = {400: "BadRequest", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}

ACCESS_DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
# Source: reports of users. The wait stands only here where the gateway sends no Retry-After.
RATE_EXCEEDED = (
    "Requests to the {operation} Operation under Custom_Vision_Training_3.3 have exceeded rate limit of your current "
    "CustomVision.S0 pricing tier. Please retry after 1 second. Please contact Azure support service if you would "
    "like to further increase the default rate limit."
)

# What never comes from the service itself.
OF_THE_GATEWAY = (401, 429)

SHAPES = ("service", "gateway", "old", "html", "empty", "text")


class ServiceError(Exception):
    """The service refuses; ``code`` is one of MESSAGES and begins with the name of its status."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def status(self) -> int:
        """The HTTP status that belongs to the code."""
        statuses = {"BadRequest": 400, "Forbidden": 403, "NotFound": 404}
        return next(status for prefix, status in statuses.items() if self.code.startswith(prefix))


def html_page(status: int, text: str = "") -> str:
    """A page as a proxy in front of the service sends it."""
    title = f"{status} {HTTPStatus(status).phrase}"
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>"


def gateway_message(status: int, operation: str) -> str:
    """What the gateway says with a status of its own."""
    texts = {401: ACCESS_DENIED, 429: RATE_EXCEEDED.format(operation=operation)}
    return texts.get(status) or HTTPStatus(status).phrase


def answer(shape: str, status: int, code: str | None = None, message: str | None = None, operation: str = "") -> tuple:
    """An error in one of SHAPES; a code or message that is not given is the usual one for the status."""
    if shape == "service":
        code = code or GENERAL_CODES.get(status, "ErrorUnknown")
        return {"code": code, "message": message or MESSAGES.get(code, code)}, status, {}
    message = message or gateway_message(status, operation)
    if shape == "gateway":
        return {"error": {"code": code or str(status), "message": message}}, status, {}
    if shape == "old":
        return {"statusCode": status, "message": message}, status, {}
    if shape == "html":
        return html_page(status, message), status, {"Content-Type": "text/html"}
    return "" if shape == "empty" else message, status, {"Content-Type": "text/plain"}
