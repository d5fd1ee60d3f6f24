# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operations on images do to a project."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import PIL.Image

from .errors import ServiceError
from .model import Box, Image, Project, Region

# The OpenAPI file: "Maximum number of images to return. Defaults to 50, limited to 256."
MOST_TAKEN = 256


@dataclass
class Upload:
    """An image on its way in: ``data`` is None where its URL could not be fetched."""

    source: str
    data: bytes | None
    tag_ids: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


def add(project: Project, uploads: list[Upload], now: datetime) -> list[tuple[str, str, Image | None]]:
    """Add a batch; gives (source, ImageCreateStatus, image) for each. An unknown tag refuses the batch whole."""
    wanted = {tag_id for upload in uploads for tag_id in upload.tag_ids + [box.tag_id for box in upload.boxes]}
    if not wanted <= set(project.tags):
        raise ServiceError("BadRequestImageTags")
    known = {image.sha256: image for image in project.images.values()}
    results = []
    for upload in uploads:
        status, image = _create(upload, known, now)
        if status == "OK":
            project.images[image.id] = known[image.sha256] = image
        results.append((upload.source, status, image))
    return results


def _create(upload: Upload, known: dict[str, Image], now: datetime) -> tuple[str, Image | None]:
    """The status of an upload and its image, which is one of those known by their checksum or a new one."""
    if upload.data is None:
        return "ErrorSource", None
    size = _dimensions(upload.data)
    if size is None:
        return "ErrorImageFormat", None
    digest = hashlib.sha256(upload.data).hexdigest()
    if digest in known:
        return "OKDuplicate", known[digest]
    tags = dict.fromkeys(upload.tag_ids, now)
    image = Image(str(uuid4()), now, *size, len(upload.data), digest, tags, metadata=upload.metadata)
    for box in upload.boxes:
        add_region(image, box, now)
    return "OK", image


def _dimensions(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, None for what is no image. The service takes the formats the OpenAPI file names."""
    try:
        with PIL.Image.open(io.BytesIO(data), formats=("JPEG", "GIF", "PNG", "BMP")) as picture:
            return picture.size
    except (OSError, ValueError):
        return None


def add_tag(image: Image, tag_id: str, now: datetime) -> bool:
    """Give the image a tag; False if it has it."""
    if tag_id in image.tags:
        return False
    image.tags[tag_id] = now
    return True


def add_region(image: Image, box: Box, now: datetime) -> Region | None:
    """Add a region and its tag; None if the image has the same one."""
    if any(region.box == box for region in image.regions):
        return None
    add_tag(image, box.tag_id, now)
    region = Region(str(uuid4()), box, now)
    image.regions.append(region)
    return region


def take_tags(image: Image, tag_ids: list[str]) -> None:
    """Take tags away, with the regions that bear them."""
    image.tags = {tag_id: given for tag_id, given in image.tags.items() if tag_id not in tag_ids}
    image.regions = [region for region in image.regions if region.box.tag_id not in tag_ids]


def take_regions(project: Project, region_ids: list[str]) -> None:
    """Take regions away; an image keeps the tag as long as another region bears it. That is inferred."""
    for image in project.images.values():
        taken = [region.box.tag_id for region in image.regions if region.id in region_ids]
        image.regions = [region for region in image.regions if region.id not in region_ids]
        left = {region.box.tag_id for region in image.regions}
        take_tags(image, [tag_id for tag_id in taken if tag_id not in left])


def find(project: Project, image_id: str) -> Image:
    """The image of that id, or NotFoundImage."""
    if image_id not in project.images:
        raise ServiceError("NotFoundImage")
    return project.images[image_id]


def select(project: Project, tagging: str = "All", tag_ids: list[str] | None = None) -> list[Image]:
    """Images by TaggingStatus (All, Tagged, Untagged) and, if tags are given, with at least one of them.

    The oldest first. Source: OpenAPI file ("images tagged with Dog and/or Cat will be returned").
    """
    return [
        image for image in project.images.values()
        if (tagging == "All" or (tagging == "Tagged") == bool(image.tags))
        and (not tag_ids or not image.tags.keys().isdisjoint(tag_ids))
    ]


def page(images: list[Image], order: str, take: int, skip: int) -> list[Image]:
    """The part of a list that was asked for, the newest first unless ``order`` is Oldest."""
    ordered = images if order == "Oldest" else images[::-1]
    return ordered[skip:skip + min(take, MOST_TAKEN)]


def delete(project: Project, image_ids: list[str]) -> None:
    """Remove images; ids that are not there are passed over."""
    for image_id in image_ids:
        project.images.pop(image_id, None)
