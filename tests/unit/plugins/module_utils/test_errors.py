# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from urllib.parse import quote

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import Redactor, one_line, read_error

SIGNED = "https://irisprod.blob.core.windows.net/prjexp-1/project-export-info?sv=1&sr=b&sig=aB%2Bc%3D&se=2026&sp=r"


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (404, {"code": "NotFoundProject", "message": "Project\n not found."}, ("NotFoundProject", "Project\n not found.")),
        (401, {"error": {"code": "401", "message": "Access denied."}}, (None, "Access denied.")),
        (401, {"statusCode": 401, "message": "Access denied."}, (None, "Access denied.")),
        (411, None, (None, "Length Required")),
        (500, ["unexpected"], (None, "Internal Server Error")),
        (400, {"error": "unexpected"}, (None, "Bad Request")),
        (400, {"code": "https://x", "message": "m"}, (None, "m")),
        (400, {"code": 7, "message": {"unexpected": 1}}, (None, "Bad Request")),
        (799, None, (None, "unknown status")),
    ],
)
def test_every_shape_of_error_is_read(status, body, expected):
    assert read_error(status, body) == expected


def test_a_message_becomes_one_line_and_is_cut():
    assert one_line(" Project\n not  found. ") == "Project not found"
    assert len(one_line("x" * 9999)) == 300


@pytest.mark.parametrize("spelling", [SIGNED, quote(SIGNED, safe=""), quote(quote(SIGNED, safe=""), safe="")])
def test_a_token_is_taken_out_however_it_is_encoded(spelling):
    redact = Redactor()
    redact.add(SIGNED)
    for text in (f"bad token {spelling}!", f"bad token {spelling.lower()}!"):
        assert redact(text) == "bad token ***!"


def test_a_signed_link_is_cut_before_its_query_though_nobody_told():
    assert redact_unknown(f'see "{SIGNED}" there') == (
        'see "https://irisprod.blob.core.windows.net/prjexp-1/project-export-info?***" there'
    )


def test_a_key_is_taken_out():
    assert Redactor("k3y", None)("the key K3Y is wrong") == "the key *** is wrong"


@pytest.mark.parametrize("key", ["source-training-key", "dev-key-00000001"])
def test_a_word_of_a_key_does_not_blank_a_message(key):
    text = "BadRequestExportWhileTraining: the project 00000001-aaaa-4bbb-8ccc-123456789012 is in training"
    assert Redactor(key)(text) == text


def redact_unknown(text):
    return Redactor()(text)
