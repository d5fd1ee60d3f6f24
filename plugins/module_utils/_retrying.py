# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is sent again, and how long after."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import Retry, urllib3


class ServiceRetry(Retry):
    """The service's rules for urllib3's Retry.

    GET, PATCH and DELETE are sent again after a broken connection, a time-out, 429 and what a
    server or proxy answers in trouble. A POST creates something: it is sent again only where it
    surely was not carried out, which is after 429 or when no connection could be opened.
    """

    LONGEST_WAIT = 30.0  # seconds that an answer may ask for
    BACKOFF = 0.5  # seconds; doubles with each retry, the first of which comes at once
    _named_wait: float | None = None
    _take_turn: t.Callable[[], t.Any]

    @classmethod
    def for_service(cls, take_turn: t.Callable[[], t.Any]) -> "ServiceRetry":
        """``take_turn`` is called before a request is sent again: that one counts against the limit as any other."""
        retry = cls(
            total=5,
            connect=3,
            other=0,
            redirect=0,
            backoff_factor=cls.BACKOFF,
            status_forcelist=(408, 429, 500, 502, 503, 504),
            allowed_methods=("GET", "PATCH", "DELETE"),
            raise_on_status=False,
        )
        retry._take_turn = take_turn
        return retry

    def new(self, **changes) -> "ServiceRetry":
        retry = super().new(**changes)
        retry._take_turn = self._take_turn
        return retry

    def sleep(self, response=None) -> None:
        super().sleep(response)
        self._take_turn()

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        if method == "POST":
            return bool(self.total) and status_code == 429
        return super().is_retry(method, status_code, has_retry_after)

    def increment(self, method=None, url=None, response=None, *args, **kwargs) -> "ServiceRetry":
        try:
            retry = super().increment(method, url, response, *args, **kwargs)
        except urllib3.exceptions.MaxRetryError as error:
            # Whoever reads the error of the last try must know of the ones before.
            error.earlier_doubt = self.has_doubt()
            raise
        if response is not None:
            # The body is thrown away before the wait, so what it says is read now.
            retry._named_wait = named_wait(_body(response))
        return retry

    def get_retry_after(self, response) -> float | None:
        """Seconds to wait: by the header or, where it is missing, by the message of a 429."""
        try:
            asked = super().get_retry_after(response)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            asked = None
        if asked is None:
            asked = self._named_wait
        return None if asked is None else min(asked, self.LONGEST_WAIT)

    def has_doubt(self) -> bool:
        """True where one of the tries so far may have been carried out though it got no good answer."""
        return any(
            attempt.status == 408 or attempt.status >= 500
            if attempt.status
            else not isinstance(attempt.error, urllib3.exceptions.ConnectTimeoutError)
            for attempt in self.history
        )


def named_wait(body: bytes) -> float | None:
    """The seconds that an answer names: "Please retry after 1 second." gives 1.0."""
    found = re.search(rb"retry after (\d{1,6}) second", body, re.IGNORECASE)
    return float(found[1]) if found else None


def _body(response) -> bytes:
    try:
        return response.data or b""
    except (urllib3.exceptions.HTTPError, OSError):
        return b""  # it broke off
