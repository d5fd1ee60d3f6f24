# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is sent again, and how long after."""

from __future__ import annotations

import random
import re
import time
import typing as t

from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import Retry, urllib3


class ServiceRetry(Retry):
    """The service's rules for urllib3's Retry.

    GET, PATCH and DELETE are sent again after a broken connection, a time-out, 429 and what a
    server or proxy answers in trouble. A POST creates something: it is sent again only where it
    surely was not carried out, which is after 429 or when no connection could be opened.

    Runs at the same time share what a resource allows, each knowing only of itself, so with many of
    them most requests are refused with 429 before they have their turn. Hence for a time a 429 uses up
    none of the tries, and the waits grow, each by chance, so that those who wait do not come back together.
    """

    LONGEST_WAIT = 30.0  # seconds between two tries, whatever an answer asks for
    BACKOFF = 0.5  # seconds; doubles with each retry, the first of which comes at once
    PATIENCE = 600.0  # seconds from the first 429 for which more of them use up no tries, at the most
    _named_wait: float | None = None
    _refused_at: float | None = None  # when the first 429 came (``time.monotonic``)
    _take_turn: t.Callable[[], t.Any]
    _patience: float

    @classmethod
    def for_service(cls, take_turn: t.Callable[[], t.Any], patience: float) -> "ServiceRetry":
        """``take_turn`` is called before a request is sent again: that one counts against the limit as any other.

        ``patience`` is how long a 429 uses up no tries; seconds, of which no more than PATIENCE count.
        """
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
        retry._take_turn, retry._patience = take_turn, min(patience, cls.PATIENCE)
        return retry

    def new(self, **changes) -> "ServiceRetry":
        retry = super().new(**changes)
        retry._take_turn, retry._patience = self._take_turn, self._patience
        return retry

    def sleep(self, response=None) -> None:
        super().sleep(response)
        self._take_turn()

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        if method == "POST":
            return bool(self.total) and status_code == 429
        return super().is_retry(method, status_code, has_retry_after)

    def increment(self, method=None, url=None, response=None, *args, **kwargs) -> "ServiceRetry":
        refused_at, spared = self._refusal(response)
        try:
            retry = super(ServiceRetry, spared).increment(method, url, response, *args, **kwargs)
        except urllib3.exceptions.MaxRetryError as error:
            # Whoever reads the error of the last try must know of the ones before.
            error.earlier_doubt = self.has_doubt()
            raise
        retry._refused_at = refused_at
        if response is not None:
            # The body is thrown away before the wait, so what it says is read now.
            retry._named_wait = named_wait(_body(response))
        return retry

    def get_retry_after(self, response) -> float | None:
        """Seconds to wait: what the header or, where it is missing, the message of a 429 asks for, or more."""
        try:
            asked = super().get_retry_after(response)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            asked = None
        if asked is None:
            asked = self._named_wait
        if asked is None:
            return None
        refusals = sum(attempt.status == 429 for attempt in self.history)
        return min(asked * random.uniform(1, max(1, refusals)), self.LONGEST_WAIT)

    def get_backoff_time(self) -> float:
        """Seconds to wait where none were asked for. Many refusals before would else double them to minutes."""
        return min(super().get_backoff_time(), self.LONGEST_WAIT)

    def has_doubt(self) -> bool:
        """True where one of the tries so far may have been carried out though it got no good answer."""
        return any(
            attempt.status == 408 or attempt.status >= 500
            if attempt.status
            else not isinstance(attempt.error, urllib3.exceptions.ConnectTimeoutError)
            for attempt in self.history
        )

    def _refusal(self, response) -> tuple[float | None, "ServiceRetry"]:
        """When the first 429 came, or None; and what counts this try, with one more to spare for a 429 in time."""
        if response is None or response.status != 429:
            return self._refused_at, self
        now = time.monotonic()
        refused_at = now if self._refused_at is None else self._refused_at
        return refused_at, self.new(total=self.total + 1) if now - refused_at < self._patience else self


def named_wait(body: bytes) -> float | None:
    """The seconds that an answer names: "Please retry after 1 second." gives 1.0."""
    found = re.search(rb"retry after (\d{1,6}) second", body, re.IGNORECASE)
    return float(found[1]) if found else None


def _body(response) -> bytes:
    try:
        return response.data or b""
    except (urllib3.exceptions.HTTPError, OSError):
        return b""  # it broke off
