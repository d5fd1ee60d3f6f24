# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes from one resource to another: packages, the tokens that lead to them, and how an import proceeds."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

import requests
from itsdangerous import Signer

from .clock import timestamp
from .model import Box, Content, Image, Iteration, Project, Region, Step, Tag

TOKEN_LIFE = timedelta(hours=24)
FETCH_TIMEOUT = 10  # seconds

MISSING = ("images", "tags", "iterations")
OUTCOMES = ("fail", "stuck", "lossy")


def blob_query(signature: str, expires: str) -> str:
    """The query of a read link to a blob, as the service writes it. Source: recorded SDK traffic."""
    return f"sv=2017-04-17&sr=b&sig={quote(signature, safe='')}&se={quote(expires, safe='')}&sp=r"


class Exports:
    """The packages a resource has exported, each behind a signed path that expires."""

    def __init__(self) -> None:
        self._signer = Signer(secrets.token_hex(), digest_method=hashlib.sha256)
        self._packages: dict[str, tuple[dict, datetime]] = {}

    def add(self, package: dict, now: datetime) -> str:
        """Keep a package; gives the path and query that read it until 24 hours from now."""
        key = uuid4().hex
        end = (now + TOKEN_LIFE).replace(microsecond=0)
        self._packages[key] = package, end
        expires = timestamp(end)
        # Padded, so that the link holds a %3D as the service's does.
        signature = self._signer.get_signature(f"{key}|{expires}").decode() + "="
        return f"/prjexp-{key}/project-export-info?{blob_query(signature, expires)}"

    def get(self, key: str, signature: str, expires: str, now: datetime) -> dict | None:
        """The package; None where the link is not one of ours, or expired."""
        if not self._signer.verify_signature(f"{key}|{expires}", signature.rstrip("=")):
            return None
        package, end = self._packages[key]
        return package if now < end else None


def fetch(url: str) -> bytes | None:
    """What a URL leads to; None if it leads nowhere."""
    with requests.Session() as session:
        # No proxy: what is fetched is mostly another resource on this machine.
        session.trust_env = False
        try:
            answer = session.get(url, timeout=FETCH_TIMEOUT)
        except requests.RequestException:
            return None
    return answer.content if answer.ok else None


def read_package(data: bytes | None) -> dict | None:
    """The package in what was fetched; None if it is none."""
    try:
        package = json.loads(data or b"")
    except ValueError:
        return None
    return package if isinstance(package, dict) and "settings" in package else None


def pack(project: Project) -> dict:
    """A snapshot of a project as JSON. Only trained iterations go along, without their publishing."""
    return {
        "name": project.name,
        "description": project.description,
        "settings": project.settings,
        "tags": [asdict(tag) for tag in project.tags.values()],
        "images": [
            {"width": image.width, "height": image.height, "size": image.size, "sha256": image.sha256,
             "metadata": image.metadata, "tags": list(image.tags),
             "boxes": [asdict(region.box) for region in image.regions]}
            for image in project.images.values()
        ],
        "iterations": [
            {"name": iteration.name, "trained_at": iteration.trained_at.isoformat(),
             "training_type": iteration.training_type, "reserved_hours": iteration.reserved_hours,
             "domain_id": iteration.domain_id, "classification_type": iteration.classification_type}
            for iteration in project.trained
        ],
    }


def unpack(package: dict, now: datetime) -> Content:
    """What pack() packed, under new ids."""
    new_ids = {tag["id"]: str(uuid4()) for tag in package["tags"]}
    tags = [Tag(**{**tag, "id": new_ids[tag["id"]]}) for tag in package["tags"]]
    images = [_unpack_image(image, new_ids, now) for image in package["images"]]
    iterations = [_unpack_iteration(iteration, now) for iteration in package["iterations"]]
    return Content(*({item.id: item for item in items} for items in (tags, images, iterations)))


def _unpack_image(packed: dict, new_ids: dict[str, str], now: datetime) -> Image:
    boxes = [Box(**{**box, "tag_id": new_ids[box["tag_id"]]}) for box in packed["boxes"]]
    return Image(
        str(uuid4()), now, packed["width"], packed["height"], packed["size"], packed["sha256"],
        tags={new_ids[tag_id]: now for tag_id in packed["tags"]},
        regions=[Region(str(uuid4()), box, now) for box in boxes],
        metadata=packed["metadata"],
    )


def _unpack_iteration(packed: dict, now: datetime) -> Iteration:
    """A copied iteration is a millisecond younger than its original. Source: recorded SDK traffic."""
    trained_at = datetime.fromisoformat(packed["trained_at"]) + timedelta(milliseconds=1)
    return Iteration(str(uuid4()), created=now, last_modified=now, status="Completed",
                     **{**packed, "trained_at": trained_at})


@dataclass(frozen=True)
class ImportPlan:
    """How an import goes: whole after so many seconds, unless a fault wants it otherwise.

    ``outcome``: None, or one of OUTCOMES; ``missing``: which of MISSING a copy that is not whole lacks; ``lag``:
    seconds from ``Succeeded`` until the copy is whole.
    """

    seconds: float
    outcome: str | None = None
    missing: str = "images"
    lag: float = 0.0

    def steps(self, package: dict, now: datetime) -> list[Step]:
        """What the import goes through from now on."""
        if self.outcome == "stuck":
            return []
        whole = unpack(package, now)
        part = without(whole, self.missing)
        end = now + timedelta(seconds=self.seconds)
        if self.outcome == "fail":
            return [Step(end, "Failed", part)]
        if self.outcome == "lossy":
            return [Step(end, "Succeeded", part)]
        if self.lag:
            return [Step(end, "Succeeded", part), Step(end + timedelta(seconds=self.lag), "Succeeded", whole)]
        return [Step(end, "Succeeded", whole)]


def without(content: Content, missing: str) -> Content:
    """The same without the newer half of its images, its newest tag or its newest iteration."""
    if missing == "images":
        return replace(content, images=dict(list(content.images.items())[:len(content.images) // 2]))
    if missing == "iterations":
        return replace(content, iterations=dict(list(content.iterations.items())[:-1]))
    kept = dict(list(content.tags.items())[:-1])
    images = {image.id: _with_tags(image, kept) for image in content.images.values()}
    return replace(content, tags=kept, images=images)


def _with_tags(image: Image, kept: dict[str, Tag]) -> Image:
    """The image with no other tags than those."""
    return replace(
        image,
        tags={tag_id: given for tag_id, given in image.tags.items() if tag_id in kept},
        regions=[region for region in image.regions if region.box.tag_id in kept],
    )
