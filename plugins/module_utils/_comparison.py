# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a project holds, and whether a copy holds the same. Pure functions.

The service tells no version of a project: ``lastModified`` does not move when images are added or
an iteration is trained, and the counts of an export are not the lengths of the lists (recorded SDK
traffic). So what its own tests compare after an import is compared: iterations, tags, tagged images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Iteration, Json

ASPECTS = ("iterations", "tags", "tagged_images")

# A copy's trainedAt is the source's but for a millisecond (.282 became .283 in recorded SDK traffic).
SAME_TRAINING = timedelta(seconds=1)

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*Z")


@dataclass(frozen=True)
class Content:
    """What was read of a project; an aspect that was not read is None.

    ``iterations`` holds the times (UTC) of the trained ones, in order, ``tags`` the names, in order;
    ``listed`` is the list of iterations as the service gave it, also where they are not compared.
    Not ``is_settled`` is what is being trained or imported and was not waited for, as in check mode.
    """

    iterations: tuple[datetime, ...] | None = None
    tags: tuple[str, ...] | None = None
    tagged_images: int | None = None
    listed: list[Iteration] | None = field(default=None, compare=False, repr=False)
    is_settled: bool = field(default=True, compare=False)

    @property
    def is_trained(self) -> bool:
        return bool(trained_iterations(self.listed or []))

    @property
    def is_in_training(self) -> bool:
        return any(iteration.get("status") == "Training" for iteration in self.listed or [])

    def counts(self) -> dict[str, int | None]:
        return {
            "iterations": None if self.iterations is None else len(self.iterations),
            "tags": None if self.tags is None else len(self.tags),
            "tagged_images": self.tagged_images,
        }


def trained_iterations(iterations: list[Iteration]) -> tuple[datetime, ...]:
    """When the completed iterations were trained. One in training has no ``trainedAt`` at all."""
    return tuple(
        sorted(
            parse_time(iteration["trainedAt"])
            for iteration in iterations
            if iteration.get("status") == "Completed" and iteration.get("trainedAt")
        )
    )


def is_published_as(iteration: Iteration, name: str, resource_id: str) -> bool:
    """Whether an iteration bears this publish name at this prediction resource; case says nothing in an ARM id."""
    published_at = iteration.get("originalPublishResourceId") or ""
    return iteration.get("publishName") == name and published_at.casefold() == resource_id.casefold()


def tag_names(tags: list[Json]) -> tuple[str, ...]:
    return tuple(sorted(tag["name"] for tag in tags))


def differences(source: Content, copy: Content) -> list[str]:
    """What differs, a phrase each; empty where the copy equals the source in all that was read."""
    found = []
    if source.iterations is not None and copy.iterations is not None:
        found += _iteration_differences(source.iterations, copy.iterations)
    if source.tags is not None and copy.tags is not None:
        found += _tag_differences(source.tags, copy.tags)
    if source.tagged_images != copy.tagged_images:
        found.append(f"{source.tagged_images} tagged images at the source and {copy.tagged_images} in the copy")
    return found


def parse_time(text: str) -> datetime:
    """A time of the service: ``2026-11-23T19:00:36.7Z``, with none to seven fractional digits."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of the service")
    pattern = "%Y-%m-%dT%H:%M:%S.%f" if found[2] else "%Y-%m-%dT%H:%M:%S"
    return datetime.strptime(found[1] + (found[2] or ""), pattern).replace(tzinfo=timezone.utc)


def _iteration_differences(source: tuple[datetime, ...], copy: tuple[datetime, ...]) -> list[str]:
    if len(source) != len(copy):
        return [f"{len(source)} trained iterations at the source and {len(copy)} in the copy"]
    return [
        f"an iteration trained at {_text(theirs)} at the source and at {_text(ours)} in the copy"
        for theirs, ours in zip(source, copy)
        if abs(theirs - ours) >= SAME_TRAINING
    ][:1]


def _tag_differences(source: tuple[str, ...], copy: tuple[str, ...]) -> list[str]:
    found = []
    for where, names in (
        ("only at the source", set(source) - set(copy)),
        ("only in the copy", set(copy) - set(source)),
    ):
        if names:
            found.append(f"tags {where}: {', '.join(sorted(names)[:5])}{', …' if len(names) > 5 else ''}")
    return found


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
