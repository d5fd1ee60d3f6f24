# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operations on iterations do to a project: training and publishing."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from uuid import uuid4

from .errors import ServiceError
from .model import Iteration, Project

# Source: Microsoft's table of limits (20 iterations a project).
LIMIT = 20

PREDICTION_RESOURCE = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.CognitiveServices/accounts/[^/]+", re.IGNORECASE
)


def find(project: Project, iteration_id: str) -> Iteration:
    """The iteration of that id, or NotFoundIteration."""
    if iteration_id not in project.iterations:
        raise ServiceError("NotFoundIteration")
    return project.iterations[iteration_id]


def train(project: Project, training_type: str, hours: int, now: datetime, seconds: float) -> Iteration:
    """Begin a training that takes so many seconds."""
    if project.in_training:
        raise ServiceError("BadRequestTrainingAlreadyInProgress")
    if len(project.iterations) >= LIMIT:
        raise ServiceError("BadRequestExceedIterationPerProjectLimit")
    iteration = Iteration(
        str(uuid4()), _next_name(project), now, now, training_ends=now + timedelta(seconds=seconds),
        training_type=training_type, reserved_hours=hours,
    )
    project.iterations[iteration.id] = iteration
    return iteration


def _next_name(project: Project) -> str:
    """``Iteration N``, N beyond the iterations there are and any that bears the number."""
    taken = {iteration.name for iteration in project.iterations.values()}
    names = (f"Iteration {number}" for number in itertools.count(len(taken) + 1))
    return next(name for name in names if name not in taken)


def settle(project: Project, now: datetime) -> None:
    """Finish the trainings whose time is over. Source of what they change: recorded SDK traffic."""
    for iteration in project.iterations.values():
        if iteration.training_ends is not None and iteration.training_ends <= now:
            iteration.status = "Completed"
            iteration.trained_at = iteration.last_modified = iteration.training_ends
            iteration.training_ends = None
            iteration.domain_id = project.settings["domainId"]
            iteration.classification_type = project.settings["classificationType"]


def rename(project: Project, iteration: Iteration, name: str | None, now: datetime) -> None:
    """Give the iteration a name that no other one of the project has."""
    if not name or not isinstance(name, str):
        raise ServiceError("BadRequestIterationName")
    if any(other.name == name for other in project.iterations.values() if other is not iteration):
        raise ServiceError("BadRequestIterationNameNotUnique")
    iteration.name = name
    iteration.last_modified = now


def delete(project: Project, iteration: Iteration) -> None:
    """Remove an iteration that is not published."""
    if iteration.publish_name is not None:
        raise ServiceError("BadRequestIterationIsPublished")
    del project.iterations[iteration.id]


def publish(project: Project, iteration: Iteration, name: str | None, target: str | None, overwrite: bool) -> None:
    """Publish under a name at a prediction resource; ``overwrite`` takes the name from another iteration.

    Source: recorded SDK traffic and reports of users. What the service does when the same iteration is published
    again under its own name at another resource is not known: here that needs ``overwrite``.
    """
    if iteration.status != "Completed":
        raise ServiceError("BadRequestIterationIsNotTrained")
    if not name:
        raise ServiceError("BadRequestInvalidPublishName")
    if not PREDICTION_RESOURCE.fullmatch(target or ""):
        raise ServiceError("BadRequestInvalidPublishTarget")
    _check_own_publishing(iteration, name, target, overwrite)
    holders = [other for other in project.published if other.publish_name == name and other is not iteration]
    if holders and not overwrite:
        raise ServiceError("BadRequestInvalidPublishName")
    for holder in holders:
        holder.publish_name = holder.publish_target = None
    iteration.publish_name, iteration.publish_target = name, target


def _check_own_publishing(iteration: Iteration, name: str, target: str | None, overwrite: bool) -> None:
    """An iteration has one publish name at a time, which is never changed in place, ``overwrite`` or not."""
    if iteration.publish_name is None:
        return
    if iteration.publish_name != name or (iteration.publish_target != target and not overwrite):
        raise ServiceError("BadRequestIterationIsPublished")


def unpublish(iteration: Iteration) -> None:
    """Take back what publish() did."""
    if iteration.publish_name is None:
        raise ServiceError("BadRequestIterationNotPublished")
    iteration.publish_name = iteration.publish_target = None
