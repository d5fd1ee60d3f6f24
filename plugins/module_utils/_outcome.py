# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the copies, and its form in the module's result."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import Content
from ansible_collections.cvops.custom_vision.plugins.module_utils._publishing import publications
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import Wanted
from ansible_collections.cvops.custom_vision.plugins.module_utils._types import Iteration, Project


@dataclass
class Outcome:
    """What became of one copy; ``as_result`` is its form in the module's result."""

    wanted: Wanted
    action: str = "unchanged"
    destination: Project | None = None
    content: Content | None = None
    verified: bool | None = None
    published: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    held_back: bool = False  # not begun, because another copy was refused
    before: dict[str, t.Any] = field(default_factory=dict)  # ids by name, of what bears the name or one of ours
    after: dict[str, t.Any] = field(default_factory=dict)

    def fail(self, reason: str) -> None:
        self.action = "failed"
        self.error = f"{self.wanted.label}: {reason.rstrip('.')}."

    def warn(self, text: str) -> None:
        self.warnings.append(f"{self.wanted.label}: {text}")

    def show_publications(self, before: list[Iteration], after: list[Iteration]) -> None:
        """Takes in what the copy's iterations are published as."""
        self.published = sorted(publications(after))
        title = f"published in {self.wanted.name}"
        self.before[title], self.after[title] = publications(before), publications(after)

    def as_result(self) -> dict[str, t.Any]:
        source = self.wanted.source
        return {
            "name": self.wanted.name,
            "action": self.action,
            "source": {"id": source.get("id"), "name": source.get("name")},
            "destination": self.destination
            and {key: self.destination.get(key) for key in ("id", "name", "status", "created")},
            "counts": self.content and self.content.counts(),
            "verified": self.verified,
            "published": self.published,
            "set_aside": self.set_aside,
            "deleted": self.deleted,
            "error": self.error,
        }


def task_result(outcomes: list[Outcome], changed: bool) -> dict[str, t.Any]:
    """The result of the whole task; where a copy failed, ``msg`` names each that did and why."""
    errors = [outcome.error for outcome in outcomes if outcome.error and not outcome.held_back]
    result = {
        "failed": bool(errors),
        "changed": changed,
        "copies": [outcome.as_result() for outcome in outcomes],
        "warnings": [warning for outcome in outcomes for warning in outcome.warnings],
        "diff": {
            moment: dict(sorted(item for outcome in outcomes for item in getattr(outcome, moment).items()))
            for moment in ("before", "after")
        },
    }
    if errors:
        result["msg"] = _summary(outcomes, len(errors)) + " ".join(errors)
    return result


def nothing_begun(wanted: list[Wanted], reason: str) -> dict[str, t.Any]:
    """The result of a task that could not begin."""
    outcomes = [Outcome(copy) for copy in wanted]
    for outcome in outcomes:
        outcome.fail("not begun, for the reason that the task's message tells")
    return {**task_result(outcomes, changed=False), "failed": True, "msg": reason}


def _summary(outcomes: list[Outcome], failures: int) -> str:
    if any(outcome.held_back for outcome in outcomes):
        return "Nothing was begun: "
    return "" if len(outcomes) == 1 else f"{failures} of {len(outcomes)} copies failed: "
