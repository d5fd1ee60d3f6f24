# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects to try things on, made through the official SDK as a user would make them."""

from __future__ import annotations

import io
import random
import time
from typing import TYPE_CHECKING

import PIL.Image
from azure.cognitiveservices.vision.customvision.training import CustomVisionTrainingClient
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageFileCreateBatch, ImageFileCreateEntry, Iteration, Project, Region, Tag,
)
from msrest.authentication import ApiKeyCredentials

from .domains import GENERAL, GENERAL_DETECTION

if TYPE_CHECKING:
    from .server import Resource

BATCH = 64  # Microsoft's limit for one upload
POLL = 0.02  # seconds between two looks at a training


def sdk(resource: Resource) -> CustomVisionTrainingClient:
    """The official client of a resource."""
    credentials = ApiKeyCredentials(in_headers={"Training-Key": resource.training_key})
    return CustomVisionTrainingClient(resource.endpoint, credentials)


def picture(number: int, size: tuple[int, int] = (24, 16)) -> bytes:
    """A small PNG, another one for each number."""
    color = tuple(random.Random(number).randbytes(3))
    image = PIL.Image.new("RGB", size, color)
    # A pixel each for the number's bytes, so that no two pictures are the same.
    for position, byte in enumerate(number.to_bytes(4, "big")):
        image.putpixel((position, 0), (byte, byte, byte))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def make_project(
    resource: Resource, name: str, tags: int | list[str] = 2, images: int = 10, iterations: int = 1,
    regions: bool = False, untagged: int = 0, classification_type: str | None = None, description: str | None = None,
) -> Project:
    """A project with so many tags (or tags of these names), tagged and untagged images and trained iterations.

    With ``regions`` it is for object detection and each tagged image has a region; without, each has one tag.
    """
    client = sdk(resource)
    domain = GENERAL_DETECTION if regions else GENERAL
    project = client.create_project(name, description, domain, classification_type)
    tag_names = [f"Tag {number}" for number in range(1, tags + 1)] if isinstance(tags, int) else tags
    made = [client.create_tag(project.id, tag_name) for tag_name in tag_names]
    tagged = [_entry(number, made[number % len(made)], regions) for number in range(images)]
    bare = [ImageFileCreateEntry(name=f"{number}.png", contents=picture(number))
            for number in range(images, images + untagged)]
    upload(client, project, tagged + bare)
    for _number in range(iterations):
        train(client, project)
    return project


def _entry(number: int, tag: Tag, region: bool) -> ImageFileCreateEntry:
    """An image with a tag, or with a region of it."""
    entry = ImageFileCreateEntry(name=f"{number}.png", contents=picture(number))
    if region:
        entry.regions = [Region(tag_id=tag.id, left=0.1, top=0.2, width=0.5, height=0.25 + number % 3 / 10)]
    else:
        entry.tag_ids = [tag.id]
    return entry


def upload(client: CustomVisionTrainingClient, project: Project, entries: list[ImageFileCreateEntry]) -> None:
    """Add images, in batches of the size the service takes."""
    for start in range(0, len(entries), BATCH):
        client.create_images_from_files(project.id, ImageFileCreateBatch(images=entries[start:start + BATCH]))


def train(client: CustomVisionTrainingClient, project: Project) -> Iteration:
    """Train a project and wait for the end of it."""
    iteration = client.train_project(project.id)
    while (iteration := client.get_iteration(project.id, iteration.id)).status == "Training":
        time.sleep(POLL)
    return iteration


def fill(resource: Resource) -> None:
    """The three sample projects of the demonstration."""
    widgets = make_project(
        resource, "Widget inspection", ["good", "scratched", "dented"], images=24, iterations=2,
        classification_type="Multiclass", description="Finds damaged widgets on the line",
    )
    newest = sdk(resource).get_iterations(widgets.id)[-1]
    sdk(resource).publish_iteration(widgets.id, newest.id, "production", resource.prediction_resource_id)
    make_project(resource, "Shelf stock", ["box", "bottle"], images=15, regions=True)
    make_project(
        resource, "Returned parts", ["rust", "crack"], images=12, untagged=5, classification_type="Multilabel",
        description="What customers send back",
    )
