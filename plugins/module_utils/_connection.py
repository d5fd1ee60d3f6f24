# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to one resource: its argument spec, flat or nested, and its check."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

LONGEST_TIMEOUT = 86400
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def filled_environment(name: str) -> str:
    """A fallback that takes an empty variable as not set.

    Ansible Tower injects every field of a credential, those left blank as an empty string, which
    ``env_fallback`` would take for a value.
    """
    value = os.environ.get(name)
    if not value:
        raise AnsibleFallbackNotFound
    return value


def connection_spec(prefix: str = "VISION_") -> dict[str, t.Any]:
    """The options of one resource; the fallbacks are ``<prefix>TRAINING_ENDPOINT`` and so on."""
    return {
        "endpoint": {"type": "str", "fallback": (filled_environment, [f"{prefix}TRAINING_ENDPOINT"])},
        "training_key": {
            "type": "str",
            "no_log": True,
            "fallback": (filled_environment, [f"{prefix}TRAINING_KEY"]),
        },
        "access_token": {
            "type": "str",
            "no_log": True,
            "fallback": (filled_environment, [f"{prefix}TRAINING_ACCESS_TOKEN"]),
        },
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout": {"type": "int", "default": 60},
    }


def nested_connection_spec(side: str) -> dict[str, t.Any]:
    """The options of one resource as suboptions of ``source`` or ``destination``.

    ``apply_defaults`` and no ``required``, or the fallbacks inside would never be asked.
    """
    return {"type": "dict", "apply_defaults": True, "options": connection_spec(f"VISION_{side.upper()}_")}


@dataclass(frozen=True)
class Connection:
    """A checked connection. ``side`` is ``source``, ``destination`` or, for a flat one, empty."""

    endpoint: str
    side: str
    timeout: int
    verify: bool | str
    training_key: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)

    def option(self, name: str) -> str:
        """The full name of an option, for messages: ``destination.training_key``."""
        return _option(self.side, name)

    @property
    def address(self) -> tuple[str | None, int, str]:
        """Host, port and path: equal where two endpoints are spelt differently but are the same."""
        parts = urlsplit(self.endpoint)
        return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.path


def connect(params: dict[str, t.Any], side: str = "") -> Connection:
    """Checks the options of one resource; a CustomVisionError says which one is wrong and why."""
    for name in ("endpoint", "training_key", "access_token", "ca_path"):
        if params[name] is not None and not params[name].strip():
            raise CustomVisionError(f"{_option(side, name)} is given but empty: fill it in, or leave it out")
    if not 0 < params["timeout"] <= LONGEST_TIMEOUT:
        raise CustomVisionError(
            f"{_option(side, 'timeout')} is {params['timeout']}: it must be from 1 to {LONGEST_TIMEOUT} seconds"
        )
    return Connection(
        endpoint=_endpoint(params["endpoint"], side),
        side=side,
        timeout=params["timeout"],
        verify=_verify(params["validate_certs"], params["ca_path"], side),
        **_credential(params, side),
    )


def hide_user_information(module: "AnsibleModule") -> None:
    """A password in an endpoint is refused; Ansible is not to show it among the arguments either."""
    for params in (module.params, module.params.get("source"), module.params.get("destination")):
        found = re.search(r"//(.+)@", (params or {}).get("endpoint") or "")
        if found:
            module.no_log_values.add(found[1])


def _option(side: str, name: str) -> str:
    return f"{side}.{name}" if side else name


def _variable(side: str, name: str) -> str:
    return "_".join(part for part in ("VISION", side.upper(), "TRAINING", name) if part)


def _endpoint(text: str | None, side: str) -> str:
    option = _option(side, "endpoint")
    if text is None:
        raise CustomVisionError(
            f"{option} is missing: give the resource's endpoint, such as "
            f"https://NAME.cognitiveservices.azure.com, or set {_variable(side, 'ENDPOINT')}"
        )
    try:
        parts = urlsplit(text.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or not host or not _HOST.fullmatch(host) or parts.scheme not in ("http", "https"):
        raise CustomVisionError(
            f"{option} is not a web address: give one such as https://NAME.cognitiveservices.azure.com"
        )
    # The text itself is not quoted in what follows: it may hold a password.
    if "@" in parts.netloc:
        raise CustomVisionError(f"{option} holds user information: give the key or token in its own option")
    if parts.query or parts.fragment:
        raise CustomVisionError(f"{option} holds a query or a fragment: give the address alone")
    if "customvision" in parts.path.lower():
        raise CustomVisionError(f"{option} holds the path of a call: give it only as far as the host")
    if parts.scheme == "http" and not _is_loopback(host):
        raise CustomVisionError(f"{option} is plain http, which would show the key to the network: use https")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _credential(params: dict[str, t.Any], side: str) -> dict[str, str]:
    """The token where both are given: a token is what a resource without keys takes."""
    for name in ("access_token", "training_key"):
        secret = params[name]
        if secret is None:
            continue
        if not secret.isascii() or not secret.isprintable() or secret != secret.strip():
            raise CustomVisionError(
                f"{_option(side, name)} holds white space at its ends or characters that no key has "
                "(a line break at the end of a file is a usual one): give the key alone"
            )
        return {name: secret}
    raise CustomVisionError(
        f"{_option(side, 'training_key')} is missing: give the resource's training key or "
        f"{_option(side, 'access_token')}, or set {_variable(side, 'KEY')}"
    )


def _verify(validate_certs: bool, ca_path: str | None, side: str) -> bool | str:
    if not validate_certs:
        return False
    if ca_path is None:
        return True
    if not os.path.exists(ca_path):
        raise CustomVisionError(
            f"{_option(side, 'ca_path')} names {ca_path}, which is not there: "
            "give a file or directory of certificates on the host that runs the module"
        )
    return ca_path
