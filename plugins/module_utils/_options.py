# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the copies of a task go by."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._publishing import check_resource_id

LARGEST = 1e6  # of what may be given as seconds or as requests a second


@dataclass(frozen=True)
class Options:
    """``latest`` where a copy that differs from its source is replaced; ``retain`` superseded copies are kept.

    ``prediction_resource_id`` is where the copies are published as the source is; None where they are not.
    """

    latest: bool = False
    retain: int = 1
    unpublish_superseded: bool = False
    prediction_resource_id: str | None = None


def check_options(params: dict[str, t.Any]) -> Options:
    """The options among a module's parameters; CustomVisionError where one makes no sense."""
    for option in ("wait_timeout", "wait_sleep", "rate_limit"):
        if not 0 < params[option] <= LARGEST:
            raise CustomVisionError(f"{option} is {params[option]:g}: it must be more than 0 and at most {LARGEST:.0f}")
    if params["retain"] < 0:
        raise CustomVisionError(f"retain is {params['retain']}: it must be 0 or more")
    if params["state"] == "latest" and not params["compare"]:
        raise CustomVisionError(
            "compare is empty, which leaves nothing by which to tell the latest: name an aspect, or use state=present"
        )
    resource_id = params["prediction_resource_id"]
    return Options(
        latest=params["state"] == "latest",
        retain=params["retain"],
        unpublish_superseded=params["unpublish_superseded"],
        prediction_resource_id=None
        if resource_id is None
        else check_resource_id(resource_id, "prediction_resource_id"),
    )
