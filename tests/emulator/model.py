# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a resource holds: plain data, no behaviour beyond a look at itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Settings:
    """What a test may change while a resource runs.

    Times are seconds, ``rate_limit`` is requests a second (None: not enforced). ``latency`` is waited before each
    answer. ``dr_mode`` refuses every write.
    """

    import_seconds: float
    training_seconds: float
    project_limit: int = 100
    rate_limit: int | None = None
    latency: float = 0.0
    dr_mode: bool = False


@dataclass
class Tag:
    """A tag of a project."""

    id: str
    name: str
    description: str | None = None
    type: str = "Regular"


@dataclass(frozen=True)
class Box:
    """Where a tag was seen in an image, in fractions of its width and height."""

    tag_id: str
    left: float
    top: float
    width: float
    height: float


@dataclass
class Region:
    """A box that was added to an image."""

    id: str
    box: Box
    created: datetime


@dataclass
class Image:
    """An image without its pixels; ``tags`` maps the id of a tag to the time it was given."""

    id: str
    created: datetime
    width: int
    height: int
    size: int
    sha256: str
    tags: dict[str, datetime] = field(default_factory=dict)
    regions: list[Region] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Iteration:
    """One training; ``status`` is ``Training`` until ``training_ends``, then ``Completed``."""

    id: str
    name: str
    created: datetime
    last_modified: datetime
    status: str = "Training"
    training_ends: datetime | None = None
    trained_at: datetime | None = None
    training_type: str = "Regular"
    reserved_hours: int = 0
    domain_id: str | None = None
    classification_type: str | None = None
    publish_name: str | None = None
    publish_target: str | None = None


@dataclass
class Content:
    """What is in a project, each by its id, the oldest first."""

    tags: dict[str, Tag] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    iterations: dict[str, Iteration] = field(default_factory=dict)


@dataclass
class Step:
    """What an import has reached at a point in time."""

    at: datetime
    status: str
    content: Content


@dataclass
class Project:
    """A project; ``settings`` has the shape of ProjectSettings in the OpenAPI file.

    ``steps`` are what an import has still to go through: one without any stays as it is for ever.
    """

    id: str
    name: str
    description: str | None
    settings: dict
    created: datetime
    last_modified: datetime
    status: str = "Succeeded"
    tags: dict[str, Tag] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    iterations: dict[str, Iteration] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @property
    def trained(self) -> list[Iteration]:
        """Its finished iterations, the oldest first."""
        return [iteration for iteration in self.iterations.values() if iteration.status == "Completed"]

    @property
    def in_training(self) -> bool:
        """Whether an iteration is being trained."""
        return any(iteration.status == "Training" for iteration in self.iterations.values())

    @property
    def published(self) -> list[Iteration]:
        """Its published iterations."""
        return [iteration for iteration in self.iterations.values() if iteration.publish_name is not None]
