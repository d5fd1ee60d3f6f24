# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of cv_project_copy in this process, one or several at once, and fast."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.cvops.custom_vision.plugins.module_utils import (
    _board,
    _copier,
    _importing,
    _retrying,
    _verifier,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy

END = 60.0  # seconds after which it is in vain to wait

# Seconds. What takes minutes against the service takes the hundredth part here.
SHORT = (
    (_board, "FIRST_INTERVAL", 0.01),
    (_retrying.ServiceRetry, "BACKOFF", 0.001),
    (_retrying.ServiceRetry, "LONGEST_WAIT", 0.01),
    (_retrying.ServiceRetry, "PATIENCE", 0.05),
    (_copier, "SETTLING", 0.04),
    (_verifier, "SETTLING", 0.04),
    (_importing, "SHORTEST_WATCH", 0.03),
)


def hurry(monkeypatch):
    """Shortens all waits that no option is for."""
    for where, name, seconds in SHORT:
        monkeypatch.setattr(where, name, seconds)


def parameters(source, destination, timeout=10.0, credential="training_key", **given):
    """The module's parameters; an option that is not given has its default. Times may be parts of a second."""
    spec = cv_project_copy.argument_spec()
    sides = {
        side: {**_defaults(spec[side]["options"]), **_connection(resource, credential), "timeout": timeout}
        for side, resource in (("source", source), ("destination", destination))
    }
    return {**_defaults(spec), "wait_sleep": 0.02, "rate_limit": 1000, **sides, **given}


def promote(params, check_mode=False, start_after=0.0):
    """One run: what the module would return. Whatever is no CustomVisionError is raised."""
    time.sleep(start_after)
    try:
        return cv_project_copy.run(params, check_mode)
    except CustomVisionError as error:
        return {"failed": True, "changed": False, "copies": [], "warnings": [], "msg": str(error)}


def promote_at_once(runs):
    """Runs that start together, each a dict of ``promote``'s arguments; their results in order."""
    gate = threading.Barrier(len(runs))

    def one(arguments):
        gate.wait()
        return promote(**arguments)

    with ThreadPoolExecutor(max_workers=len(runs)) as pool:
        return list(pool.map(one, runs))


def wait_for_quiet():
    """Until the resources have done all they were asked to, also by those who gave up on it or are dead."""
    wait_for(_is_quiet)


def _is_quiet():
    gc.collect()  # an exception may hold the frame that holds the connection on which it happened
    return not any("process_request_thread" in thread.name for thread in threading.enumerate())


def wait_for(condition):
    """Until it is so."""
    end = time.monotonic() + END
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def _defaults(spec):
    return {name: option.get("default") for name, option in spec.items()}


def _connection(resource, credential):
    return {"endpoint": resource.endpoint, credential: getattr(resource, credential)}
