# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP library, or the knowledge that this host lacks it."""

from __future__ import annotations

import traceback
import typing as t

from ansible.module_utils.basic import missing_required_lib

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

REQUESTS_IMPORT_ERROR: str | None = None
try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.auth import AuthBase
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
    requests = urllib3 = HTTPAdapter = None  # type: ignore[assignment,misc]
    AuthBase = Retry = object  # type: ignore[assignment,misc]

__all__ = ["AuthBase", "HTTPAdapter", "Retry", "require_requests", "requests", "urllib3"]


def require_requests(module: "AnsibleModule") -> None:
    """Fails in Ansible's usual words where the host lacks ``requests``."""
    if REQUESTS_IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
