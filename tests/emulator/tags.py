# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operations on tags do to a project."""

from __future__ import annotations

from uuid import uuid4

from .errors import ServiceError
from .model import Project, Tag


def find(project: Project, tag_id: str) -> Tag:
    """The tag of that id, or NotFoundTag."""
    if tag_id not in project.tags:
        raise ServiceError("NotFoundTag")
    return project.tags[tag_id]


def _check_name(project: Project, name: str | None, own: Tag | None = None) -> str:
    """The name, if it is one and no other tag of the project has it."""
    if not name or not isinstance(name, str):
        raise ServiceError("BadRequestTagName")
    if any(tag.name == name for tag in project.tags.values() if tag is not own):
        raise ServiceError("BadRequestTagNameNotUnique")
    return name


def create(project: Project, name: str | None, description: str | None, kind: str | None) -> Tag:
    """A new tag; ``kind`` is Regular unless given."""
    tag = Tag(str(uuid4()), _check_name(project, name), description, kind or "Regular")
    project.tags[tag.id] = tag
    return tag


def update(project: Project, tag: Tag, changes: dict) -> None:
    """Take over what a PATCH gives; what it leaves out stays."""
    if "name" in changes:
        tag.name = _check_name(project, changes["name"], own=tag)
    tag.description = changes.get("description", tag.description)
    tag.type = changes.get("type", tag.type)


def delete(project: Project, tag: Tag) -> None:
    """Remove the tag, and from the images it was given to."""
    del project.tags[tag.id]
    for image in project.images.values():
        image.tags.pop(tag.id, None)
        image.regions = [region for region in image.regions if region.box.tag_id != tag.id]
