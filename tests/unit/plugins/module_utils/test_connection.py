# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.module_utils.basic import AnsibleFallbackNotFound
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import connect, filled_environment
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError

KEY = "0123456789abcdef"


def params(**given):
    blank = {"endpoint": "https://dev.example.com", "training_key": KEY, "access_token": None}
    return {**blank, "validate_certs": True, "ca_path": None, "timeout": 60, **given}


def refusal(side="", **given):
    with pytest.raises(CustomVisionError) as caught:
        connect(params(**given), side)
    assert KEY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "given, kept",
    [
        ("https://dev.example.com/", "https://dev.example.com"),
        (" https://DEV.example.com ", "https://DEV.example.com"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1/", "http://[::1]:1"),
        ("https://gateway.example.com/vision/", "https://gateway.example.com/vision"),
    ],
)
def test_an_endpoint_is_kept_without_what_is_too_much(given, kept):
    assert connect(params(endpoint=given)).endpoint == kept


@pytest.mark.parametrize(
    "given, complaint",
    [
        (None, "endpoint is missing.*VISION_TRAINING_ENDPOINT"),
        ("  ", "endpoint is given but empty"),
        ("dev.example.com", "not a web address"),
        ("ftp://dev.example.com", "not a web address"),
        ("https://", "not a web address"),
        ("https://dev.example.com:port", "not a web address"),
        ("https://dev example.com", "not a web address"),
        ("https://[::1", "not a web address"),
        ("http://dev.example.com", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
        ("https://me:secret@dev.example.com", "user information"),
        ("https://dev.example.com?key=1", "query"),
        ("https://dev.example.com/#x", "fragment"),
        ("https://dev.example.com/customvision/v3.3/Training/projects", "path of a call"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(given, complaint):
    assert pytest.raises(CustomVisionError, connect, params(endpoint=given)).match(complaint)
    assert "secret" not in refusal(endpoint=given)


def test_messages_name_the_option_and_the_variable_of_their_side():
    assert "destination.endpoint is missing" in refusal("destination", endpoint=None)
    assert "VISION_DESTINATION_TRAINING_ENDPOINT" in refusal("destination", endpoint=None)
    assert "VISION_SOURCE_TRAINING_KEY" in refusal("source", training_key=None)


def test_a_missing_key_is_refused():
    assert "training_key is missing" in refusal(training_key=None)


@pytest.mark.parametrize("option", ["training_key", "access_token", "ca_path"])
def test_an_option_that_is_given_but_empty_is_refused(option):
    assert f"{option} is given but empty" in refusal(**{option: ""})


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}\r\nX-Other: 1", "k\u00eby", "k\x00y"])
@pytest.mark.parametrize("option", ["training_key", "access_token"])
def test_a_key_with_characters_that_none_has_is_refused(option, key):
    assert f"{option} holds white space" in refusal(**{option: key})


def test_with_both_the_token_is_used():
    connection = connect(params(access_token="token"))
    assert (connection.access_token, connection.training_key) == ("token", None)


def test_secrets_are_not_in_the_connections_text():
    assert KEY not in repr(connect(params())) and KEY not in repr(connect(params(access_token=KEY)))


def test_certificates_are_checked_by_default_by_a_path_or_not(tmp_path):
    assert connect(params()).verify is True
    assert connect(params(ca_path=str(tmp_path))).verify == str(tmp_path)
    assert connect(params(ca_path=str(tmp_path), validate_certs=False)).verify is False


def test_certificates_that_are_not_there_are_refused(tmp_path):
    assert "ca_path names" in refusal(ca_path=str(tmp_path / "nothing.pem"))


@pytest.mark.parametrize("timeout", [0, -1, 86401])
def test_a_timeout_that_cannot_be_is_refused(timeout):
    assert "it must be from 1 to 86400 seconds" in refusal(timeout=timeout)


def test_endpoints_spelt_differently_have_one_address():
    spellings = ("https://dev.example.com", "https://DEV.example.com/", "https://dev.example.com:443")
    assert len({connect(params(endpoint=spelling)).address for spelling in spellings}) == 1


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("VISION_TRAINING_KEY", KEY)
    assert filled_environment("VISION_TRAINING_KEY") == KEY
    monkeypatch.setenv("VISION_TRAINING_KEY", "")
    with pytest.raises(AnsibleFallbackNotFound):
        filled_environment("VISION_TRAINING_KEY")
