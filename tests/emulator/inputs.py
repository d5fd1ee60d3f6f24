# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the requests of the service bring, checked as the service checks it."""

from __future__ import annotations

from uuid import UUID

from flask import request
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from .errors import ServiceError
from .model import Box


def one_id(text: str) -> str:
    """An id in its usual form, or BadRequestInvalidIds."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError) as error:
        raise ServiceError("BadRequestInvalidIds") from error


def ids(name: str) -> list[str]:
    """A query parameter of ids with commas between them."""
    return [one_id(text) for text in request.args.get(name, "").split(",") if text]


def flag(name: str) -> bool:
    """A query parameter that is true or false, false where it is missing."""
    return request.args.get(name, "").lower() == "true"


def number(name: str, default: int) -> int:
    """A query parameter that is a count."""
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise ServiceError("BadRequest")
    return int(text)


def body() -> dict:
    """The JSON object that was sent, or BadRequest."""
    sent = request.get_json(force=True, silent=True)
    if not isinstance(sent, dict):
        raise ServiceError("BadRequest")
    return sent


def box(entry: dict) -> Box:
    """A region as the client sends it, or BadRequestImageRegions."""
    try:
        return Box(one_id(entry["tagId"]), *(float(entry[side]) for side in ("left", "top", "width", "height")))
    except (KeyError, TypeError, ValueError) as error:
        raise ServiceError("BadRequestImageRegions") from error


def parts() -> list[tuple[str, bytes]]:
    """The parts of multipart/form-data, as (file name, data), or BadRequest.

    The SDK gives an image no file name where its caller has none; Flask would take such a part for text and decode it.
    """
    boundary = request.mimetype_params.get("boundary", "")
    try:
        return _split_parts(request.get_data(), boundary.encode())
    except ValueError as error:
        raise ServiceError("BadRequest") from error


def _split_parts(data: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """Multipart data by werkzeug's parser, which raises ValueError where it is malformed."""
    decoder = MultipartDecoder(boundary)
    decoder.receive_data(data)
    decoder.receive_data(None)  # the end
    found = []
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, (Field, File)):
            found.append((getattr(event, "filename", None) or "", bytearray()))
        elif isinstance(event, Data):
            found[-1][1].extend(event.data)
    return [(name, bytes(part)) for name, part in found]
