# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service's JSON. Shapes: the OpenAPI file; where it leaves room: recorded SDK traffic.

``link`` is a function that makes a signed URL of a path.
"""

from __future__ import annotations

from collections.abc import Callable

from .clock import timestamp
from .domains import DOMAINS, Domain
from .images import select
from .model import Box, Image, Iteration, Project, Region, Tag

Link = Callable[[str], str]

EXPORT_PLATFORMS = ["CoreML", "DockerFile", "ONNX", "TensorFlow"]


def domain_json(domain: Domain) -> dict:
    """A Domain."""
    return {
        "id": domain.id, "name": domain.name, "type": domain.type, "exportable": domain.exportable, "enabled": True,
    }


def project_json(project: Project, dr_mode: bool, link: Link) -> dict:
    """A Project; its thumbnail is its first image."""
    first = next(iter(project.images.values()), None)
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "settings": project.settings,
        "created": timestamp(project.created),
        "lastModified": timestamp(project.last_modified),
        "thumbnailUri": link(_blob(project, "t", first)) if first else None,
        "drModeEnabled": dr_mode,
        "status": project.status,
    }


def export_json(package: dict, token: str, import_seconds: float) -> dict:
    """A ProjectExport.

    The counts are not the lengths of the lists, for the workspace counts as an iteration and every iteration has
    tags of its own: 1 iteration and 2 tags were recorded as 2 and 4. The estimate is low: 5.1 s were told and 14 s
    taken. Source of both: recorded SDK traffic.
    """
    snapshots = len(package["iterations"]) + 1
    return {
        "iterationCount": snapshots,
        "imageCount": len(package["images"]),
        "tagCount": len(package["tags"]) * snapshots,
        "regionCount": sum(len(image["boxes"]) for image in package["images"]),
        "estimatedImportTimeInMS": int(import_seconds * 400),
        "token": token,
    }


def tag_json(project: Project, tag: Tag) -> dict:
    """A Tag with the number of its images."""
    return {
        "id": tag.id, "name": tag.name, "description": tag.description, "type": tag.type,
        "imageCount": len(select(project, tag_ids=[tag.id])),
    }


def image_json(project: Project, image: Image, link: Link) -> dict:
    """An Image; without tags or regions it lacks the key."""
    answer = {
        "id": image.id,
        "created": timestamp(image.created),
        "width": image.width,
        "height": image.height,
        "resizedImageUri": link(_blob(project, "i", image)),
        "thumbnailUri": link(_blob(project, "t", image)),
        "originalImageUri": link(_blob(project, "i", image)),
    }
    if image.tags:
        answer["tags"] = [
            {"tagId": tag_id, "tagName": project.tags[tag_id].name, "created": timestamp(given)}
            for tag_id, given in image.tags.items()
        ]
    if image.regions:
        answer["regions"] = [region_json(project, region) for region in image.regions]
    if image.metadata:
        answer["metadata"] = image.metadata
    return answer


def region_json(project: Project, region: Region) -> dict:
    """An ImageRegion."""
    return {
        "regionId": region.id, "tagName": project.tags[region.box.tag_id].name, "created": timestamp(region.created),
        **box_json(region.box),
    }


def box_json(box: Box) -> dict:
    """The part of a region that the client sends."""
    return {"tagId": box.tag_id, "left": box.left, "top": box.top, "width": box.width, "height": box.height}


def summary_json(project: Project, results: list[tuple[str, str, Image | None]], link: Link) -> tuple[dict, int]:
    """An ImageCreateSummary and its status: 207 unless every image was created. Source: OpenAPI file."""
    successful = all(status == "OK" for _source, status, _image in results)
    entries = [
        {"sourceUrl": source, "status": status, "image": image_json(project, image, link) if image else None}
        for source, status, image in results
    ]
    return {"isBatchSuccessful": successful, "images": entries}, 200 if successful else 207


def iteration_json(project: Project, iteration: Iteration) -> dict:
    """An Iteration; in training it has no trainedAt, and no domain yet."""
    exportable = iteration.domain_id is not None and DOMAINS[iteration.domain_id].exportable
    trained = {} if iteration.trained_at is None else {"trainedAt": timestamp(iteration.trained_at)}
    return {
        "id": iteration.id,
        "name": iteration.name,
        "status": iteration.status,
        "created": timestamp(iteration.created),
        "lastModified": timestamp(iteration.last_modified),
        **trained,
        "projectId": project.id,
        "exportable": exportable,
        "exportableTo": EXPORT_PLATFORMS if exportable else [],
        "domainId": iteration.domain_id,
        "classificationType": iteration.classification_type,
        "trainingType": iteration.training_type,
        "reservedBudgetInHours": iteration.reserved_hours,
        "trainingTimeInMinutes": 1 if trained else 0,
        "publishName": iteration.publish_name,
        "originalPublishResourceId": iteration.publish_target,
    }


def _blob(project: Project, kind: str, image: Image) -> str:
    """The path of an image (i) or thumbnail (t). Source: recorded SDK traffic."""
    return f"/i-{project.id.replace('-', '')}/{kind}-{image.id.replace('-', '')}"
