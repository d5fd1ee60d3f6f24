# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it means that a request got no whole answer.

The library's own texts are never quoted: they hold the address, and with it an export's token.
"""

from __future__ import annotations

from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import requests, urllib3


def describe(error: Exception, timeout: int) -> str:
    """Why there was no answer, in words of our own."""
    causes = list(_causes(error))
    late = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
    refused = urllib3.exceptions.NewConnectionError  # a kind of time-out to urllib3
    if any(isinstance(cause, late) and not isinstance(cause, refused) for cause in causes):
        return f"it took longer than {timeout} seconds"
    root = causes[-1]
    if isinstance(error, requests.exceptions.SSLError):
        reason = getattr(root, "verify_message", "") or getattr(root, "reason", None) or type(root).__name__
        return f"TLS failed ({str(reason).replace('_', ' ').rstrip('.').lower()})"
    if isinstance(root, OSError) and root.strerror:
        return root.strerror.lower()
    if isinstance(root, OSError) and root.args and not isinstance(root, (ConnectionError, requests.RequestException)):
        return str(root).lower()  # of a proxy's refusal, or of a missing file
    return f"the connection broke ({type(root).__name__})"


def was_sent(error: Exception) -> bool:
    """False where a request surely did not leave, because no connection could be opened, in any try."""
    last = error.args[0] if error.args else None
    if not isinstance(last, urllib3.exceptions.MaxRetryError):
        return not isinstance(error, requests.ConnectTimeout)
    if getattr(last, "earlier_doubt", False):
        return True
    reason = last.reason
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason = reason.original_error
    return not isinstance(reason, urllib3.exceptions.ConnectTimeoutError)


def broke_off(error: Exception) -> bool:
    """True where an answer had begun: urllib3 sends again what got none, but does not see the rest of one."""
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return True
    return bool(error.args) and isinstance(error.args[0], urllib3.exceptions.ReadTimeoutError)


def _causes(error: BaseException | None):
    """An exception and what lies beneath it, the outermost first."""
    while error is not None:
        yield error
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((argument for argument in error.args if isinstance(argument, BaseException)), None)
        error = inner or error.__cause__ or error.__context__
