# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went wrong, in one sentence: the exception, the service's error shapes, advice, and no secrets."""

from __future__ import annotations

import re
import typing as t
from html import escape, unescape
from http import HTTPStatus
from urllib.parse import quote, unquote

# What to do about an error, by the service's code or by the HTTP status where there is no code.
# The codes are the OpenAPI file's; what people were told about them is in the documentation:
# limits-and-quotas, role-based-access-control and export-import of Custom Vision.
ADVICE: dict[t.Union[str, int], str] = {
    401: "Check {options}: the key or token must belong to the resource of this endpoint",
    403: (
        "The resource's firewall may not let this host in, it may have key-based authentication switched off "
        "(then use {access_token}), or the identity lacks the right: exporting and importing takes the role "
        "Contributor, as Custom Vision Trainer and Custom Vision Reader can do neither"
    ),
    404: "Check {endpoint}: it must be the endpoint of a Custom Vision training resource",
    429: "Lower the number of requests a second, or run again later",
    "AuthenticationTypeDisabled": "Key-based authentication is switched off on the resource: use {access_token}",
    "BadRequestExceedProjectLimit": (
        "The resource is full (100 projects in tier S0, 2 in F0): delete projects that are not needed any more"
    ),
    "BadRequestExportWhileTraining": "Wait for the training to end, or leave wait switched on",
    "BadRequestInvalidImportToken": "The export's token is expired or invalid: run again for a new export",
    "BadRequestInvalidPublishTarget": "Check the prediction resource's id: it must be whole, and that of a resource",
    "ForbiddenDRModeEnabled": "The resource is read-only for the time being (disaster recovery): run again later",
    "PermissionDenied": (
        "The identity of {access_token} lacks the right: exporting and importing takes the role Contributor, as "
        "Custom Vision Trainer and Custom Vision Reader can do neither"
    ),
    "NotFoundProject": "Check the id or list the projects with cvops.custom_vision.cv_project_info",
}


class CustomVisionError(Exception):
    """The one exception of this collection's utilities; its text is one sentence that holds no secret.

    ``code`` is the service's error code (``NotFoundProject``) or None, ``status`` the HTTP status
    or None, ``in_doubt`` true where a write may have been carried out all the same.
    """

    def __init__(
        self, message: str, code: str | None = None, status: int | None = None, in_doubt: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.in_doubt = in_doubt


class Refusal(CustomVisionError):
    """What was asked for cannot be; found before anything was written, it holds back the whole task."""


class Redactor:
    """Takes secrets out of texts that the service or a library wrote, however they were encoded."""

    # A signed link lets whoever holds it read the project or its images: plain, in part, or percent-encoded.
    _LINKS = (
        (re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]+"), r"\1?***"),
        (re.compile(r"https?%(?:25)*3A[^\s\"'<>]+", re.IGNORECASE), "***"),
        (re.compile(r"\bsig(?:=|%(?:25)*3D)[^\s\"'<>]+", re.IGNORECASE), "***"),
    )

    _TELLING = 12  # characters of a secret that are not to be seen together; fewer may be a word of a message

    def __init__(self, *secrets: str | None) -> None:
        self._spellings: set[str] = set()
        self._bare: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | None) -> None:
        """From now on takes ``secret`` out, also decoded, percent-encoded once or twice, or as HTML has it."""
        if secret:
            once = quote(secret, safe="")
            self._spellings |= {secret, unquote(secret), once, quote(once, safe=""), escape(secret)}
            signature = re.search(r"[?&]sig=([^&]+)", secret)
            self._bare.add(_bare(signature[1] if signature else secret))

    def __call__(self, text: str) -> str:
        for spelling in sorted(self._spellings, key=len, reverse=True):
            text = re.sub(re.escape(spelling), "***", text, flags=re.IGNORECASE)
        for link, blank in self._LINKS:
            text = link.sub(blank, text)
        return "***" if self._tells(_bare(text)) else text

    def _tells(self, text: str) -> bool:
        """True where a part of a secret is left: one that was cut, or encoded in yet another way."""
        return any(
            secret[start : start + self._TELLING] in text
            for secret in self._bare
            for start in range(len(secret) - self._TELLING + 1)
        )


def read_error(status: int, body: t.Any) -> tuple[str | None, str]:
    """The code (None where there is none) and the message of an error answer, as it came.

    ``body`` is the decoded JSON, or None where the answer was none. The service sends
    ``{"code", "message"}``, the gateway ``{"error": {"code", "message"}}`` or, in its older form,
    ``{"statusCode", "message"}``, and a proxy an HTML page (recorded traffic; azure-docs#65022).
    """
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        error = {}
    code = error.get("code")
    if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{1,80}", code):
        code = None  # the gateway's is the status once more
    message = error.get("message")
    if not isinstance(message, str) or not message.strip():
        message = status_phrase(status)
    return code, message


def status_phrase(status: int) -> str:
    """``Not Found`` for 404: the standard's own words, whatever the server wrote."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def advice_for(code: str | None, status: int, **options: str) -> str:
    """What to do about an error, or an empty string. ``options`` are the names of the options to check."""
    text = ADVICE.get(code or "") or ADVICE.get(status)
    if text is None:
        # The service's own messages say what is wrong; what is not in its shape mostly comes from elsewhere.
        text = "" if code else "Check {endpoint} and the proxies between"
    return text.format(**options)


def _bare(text: str) -> str:
    """The letters and digits of a text, whatever it is encoded in."""
    before = None
    while text != before:
        before = text
        text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), unescape(unquote(text)), flags=re.I)
    return re.sub(r"[\W_]", "", text).casefold()


def one_line(text: str, limit: int = 300) -> str:
    """A text without line breaks and final full stop, cut at ``limit`` characters.

    To be cut after secrets were taken out: half a secret would not be found.
    """
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= limit else text[: limit - 1] + "…"
