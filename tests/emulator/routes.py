# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations by HTTP: one function each, named as in the OpenAPI file, and a table of them at the end."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue as Answer

from . import answers, images, inputs, iterations, tags, transfer
from .domains import DOMAINS
from .errors import ServiceError
from .images import Upload
from .model import Image, Iteration, Project, Tag
from .transfer import ImportPlan

if TYPE_CHECKING:
    from .server import Resource


def _project(resource: Resource, project_id: str) -> Project:
    return resource.store.find(inputs.one_id(project_id))


def _tag(resource: Resource, project_id: str, tag_id: str) -> tuple[Project, Tag]:
    project = _project(resource, project_id)
    return project, tags.find(project, inputs.one_id(tag_id))


def _iteration(resource: Resource, project_id: str, iteration_id: str) -> tuple[Project, Iteration]:
    project = _project(resource, project_id)
    return project, iterations.find(project, inputs.one_id(iteration_id))


# --- Domains and projects --------------------------------------------------------------------------------------------

def get_domains(_resource: Resource) -> Answer:
    return jsonify([answers.domain_json(domain) for domain in DOMAINS.values()])


def get_domain(_resource: Resource, domain_id: str) -> Answer:
    if inputs.one_id(domain_id) not in DOMAINS:
        raise ServiceError("NotFoundDomain")
    return answers.domain_json(DOMAINS[inputs.one_id(domain_id)])


def _project_json(resource: Resource, project: Project) -> dict:
    return answers.project_json(project, resource.dr_mode, resource.link)


def get_projects(resource: Resource) -> Answer:
    return jsonify([_project_json(resource, project) for project in resource.store.projects.values()])


def create_project(resource: Resource) -> Answer:
    platforms = [platform for platform in request.args.get("targetExportPlatforms", "").split(",") if platform]
    settings = {
        "domainId": request.args.get("domainId"),
        "classificationType": request.args.get("classificationType"),
        "targetExportPlatforms": platforms,
    }
    project = resource.store.create(request.args.get("name"), request.args.get("description"), settings)
    return _project_json(resource, project)


def get_project(resource: Resource, project_id: str) -> Answer:
    return _project_json(resource, _project(resource, project_id))


def update_project(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    resource.store.update(project, inputs.body())
    return _project_json(resource, project)


def delete_project(resource: Resource, project_id: str) -> Answer:
    resource.store.delete(_project(resource, project_id))
    return "", 204


def export_project(resource: Resource, project_id: str) -> Answer:
    package, path = resource.store.export(_project(resource, project_id))
    return answers.export_json(package, resource.endpoint + path, resource.import_seconds)


def fetch_package(_resource: Resource) -> dict | None:
    return transfer.read_package(transfer.fetch(request.args.get("token", "")))


def import_project(resource: Resource) -> Answer:
    if g.fetched is None:
        raise ServiceError("BadRequestInvalidImportToken")
    seconds, name = resource.import_seconds, request.args.get("name")
    plan = g.fault.plan(seconds) if g.fault else ImportPlan(seconds)
    if g.fault and g.fault.late is not None:
        resource.store.import_late(g.fault.late, g.fetched, name, plan)
        return "", 204
    return _project_json(resource, resource.store.start_import(g.fetched, name, plan))


# --- Tags ------------------------------------------------------------------------------------------------------------

def get_tags(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    return jsonify([answers.tag_json(project, tag) for tag in project.tags.values()])


def create_tag(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    tag = tags.create(project, request.args.get("name"), request.args.get("description"), request.args.get("type"))
    return answers.tag_json(project, tag)


def get_tag(resource: Resource, project_id: str, tag_id: str) -> Answer:
    return answers.tag_json(*_tag(resource, project_id, tag_id))


def update_tag(resource: Resource, project_id: str, tag_id: str) -> Answer:
    project, tag = _tag(resource, project_id, tag_id)
    tags.update(project, tag, inputs.body())
    return answers.tag_json(project, tag)


def delete_tag(resource: Resource, project_id: str, tag_id: str) -> Answer:
    tags.delete(*_tag(resource, project_id, tag_id))
    return "", 204


# --- Images ----------------------------------------------------------------------------------------------------------

def _add_images(resource: Resource, project_id: str, uploads: list[Upload]) -> Answer:
    project = _project(resource, project_id)
    results = images.add(project, uploads, resource.clock.now())
    return answers.summary_json(project, results, resource.link)


def create_images_from_data(resource: Resource, project_id: str) -> Answer:
    uploads = [Upload(name, data, inputs.ids("tagIds")) for name, data in inputs.parts()]
    return _add_images(resource, project_id, uploads)


def _decoded(contents: str | None) -> bytes:
    """Base64, or nothing: then it is no image, which the answer says."""
    try:
        return base64.b64decode(contents, validate=True)
    except (binascii.Error, TypeError):
        return b""


def _upload(entry: dict, source: str, data: bytes | None) -> Upload:
    """An entry of a batch with what the batch gives to all."""
    batch = inputs.body()
    tag_ids = [inputs.one_id(tag_id) for tag_id in (batch.get("tagIds") or []) + (entry.get("tagIds") or [])]
    return Upload(source, data, tag_ids, [inputs.box(region) for region in entry.get("regions") or []],
                  batch.get("metadata") or {})


def create_images_from_files(resource: Resource, project_id: str) -> Answer:
    entries = inputs.body().get("images") or []
    uploads = [_upload(entry, entry.get("name") or "", _decoded(entry.get("contents"))) for entry in entries]
    return _add_images(resource, project_id, uploads)


def fetch_images(_resource: Resource, **_ids_in_path: str) -> list[bytes | None]:
    return [transfer.fetch(entry.get("url") or "") for entry in inputs.body().get("images") or []]


def create_images_from_urls(resource: Resource, project_id: str) -> Answer:
    pairs = zip(inputs.body().get("images") or [], g.fetched)
    return _add_images(resource, project_id, [_upload(entry, entry.get("url") or "", data) for entry, data in pairs])


def _images_page(resource: Resource, project_id: str, tagging: str) -> Answer:
    project = _project(resource, project_id)
    chosen = images.select(project, tagging, inputs.ids("tagIds"))
    order = request.args.get("orderBy", "Newest")
    shown = images.page(chosen, order, inputs.number("take", 50), inputs.number("skip", 0))
    return jsonify([answers.image_json(project, image, resource.link) for image in shown])


def get_images(resource: Resource, project_id: str) -> Answer:
    return _images_page(resource, project_id, request.args.get("taggingStatus", "All"))


def get_images_by_ids(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    chosen = [project.images[image_id] for image_id in inputs.ids("imageIds") if image_id in project.images]
    return jsonify([answers.image_json(project, image, resource.link) for image in chosen])


def get_tagged_images(resource: Resource, project_id: str) -> Answer:
    return _images_page(resource, project_id, "Tagged")


def get_untagged_images(resource: Resource, project_id: str) -> Answer:
    return _images_page(resource, project_id, "Untagged")


def _count(resource: Resource, project_id: str, tagging: str) -> Answer:
    return jsonify(len(images.select(_project(resource, project_id), tagging, inputs.ids("tagIds"))))


def get_image_count(resource: Resource, project_id: str) -> Answer:
    return _count(resource, project_id, request.args.get("taggingStatus", "All"))


def get_tagged_image_count(resource: Resource, project_id: str) -> Answer:
    return _count(resource, project_id, "Tagged")


def get_untagged_image_count(resource: Resource, project_id: str) -> Answer:
    return _count(resource, project_id, "Untagged")


def _image(project: Project, entry: dict) -> Image:
    """The image that an entry of a batch is about."""
    return images.find(project, inputs.one_id(entry.get("imageId")))


def create_image_tags(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    pairs = [
        (_image(project, entry), tags.find(project, inputs.one_id(entry.get("tagId"))))
        for entry in inputs.body().get("tags") or []
    ]
    answer = {"created": [], "duplicated": [], "exceeded": []}
    for image, tag in pairs:
        outcome = "created" if images.add_tag(image, tag.id, resource.clock.now()) else "duplicated"
        answer[outcome].append({"imageId": image.id, "tagId": tag.id})
    return answer


def create_image_regions(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    pairs = [(_image(project, entry), inputs.box(entry)) for entry in inputs.body().get("regions") or []]
    if any(box.tag_id not in project.tags for _image, box in pairs):
        raise ServiceError("BadRequestImageRegions")
    answer = {"created": [], "duplicated": [], "exceeded": []}
    for image, box in pairs:
        region = images.add_region(image, box, resource.clock.now())
        shown = answers.region_json(project, region) if region else answers.box_json(box)
        answer["created" if region else "duplicated"].append({"imageId": image.id, **shown})
    return answer


def delete_image_tags(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    for image_id in inputs.ids("imageIds"):
        images.take_tags(images.find(project, image_id), inputs.ids("tagIds"))
    return "", 204


def delete_image_regions(resource: Resource, project_id: str) -> Answer:
    images.take_regions(_project(resource, project_id), inputs.ids("regionIds"))
    return "", 204


def delete_images(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    everything = inputs.flag("allImages")
    if not everything and not inputs.ids("imageIds"):
        raise ServiceError("BadRequestRequiredParamIsNull")
    images.delete(project, list(project.images) if everything else inputs.ids("imageIds"))
    # The OpenAPI file: with either of these flags "images are being deleted", which 202 says.
    return "", 202 if everything or inputs.flag("allIterations") else 204


# --- Iterations ------------------------------------------------------------------------------------------------------

def train_project(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    iteration = iterations.train(
        project, request.args.get("trainingType", "Regular"), inputs.number("reservedBudgetInHours", 0),
        resource.clock.now(), resource.training_seconds,
    )
    return answers.iteration_json(project, iteration)


def get_iterations(resource: Resource, project_id: str) -> Answer:
    project = _project(resource, project_id)
    return jsonify([answers.iteration_json(project, iteration) for iteration in project.iterations.values()])


def get_iteration(resource: Resource, project_id: str, iteration_id: str) -> Answer:
    return answers.iteration_json(*_iteration(resource, project_id, iteration_id))


def update_iteration(resource: Resource, project_id: str, iteration_id: str) -> Answer:
    project, iteration = _iteration(resource, project_id, iteration_id)
    iterations.rename(project, iteration, inputs.body().get("name"), resource.clock.now())
    return answers.iteration_json(project, iteration)


def delete_iteration(resource: Resource, project_id: str, iteration_id: str) -> Answer:
    iterations.delete(*_iteration(resource, project_id, iteration_id))
    return "", 204


def publish_iteration(resource: Resource, project_id: str, iteration_id: str) -> Answer:
    project, iteration = _iteration(resource, project_id, iteration_id)
    name, target = request.args.get("publishName"), request.args.get("predictionId")
    iterations.publish(project, iteration, name, target, inputs.flag("overwrite"))
    return jsonify(True)


def unpublish_iteration(resource: Resource, project_id: str, iteration_id: str) -> Answer:
    iterations.unpublish(_iteration(resource, project_id, iteration_id)[1])
    return "", 204


def unknown(_resource: Resource, **_path: str) -> Answer:
    raise ServiceError("NotFound")


# --- The tables ------------------------------------------------------------------------------------------------------

PROJECT = "/projects/<project_id>"
TAG = PROJECT + "/tags/<tag_id>"
ITERATION = PROJECT + "/iterations/<iteration_id>"

OPERATIONS = {
    "GetDomains": ("GET", "/domains", get_domains),
    "GetDomain": ("GET", "/domains/<domain_id>", get_domain),
    "GetProjects": ("GET", "/projects", get_projects),
    "CreateProject": ("POST", "/projects", create_project),
    "GetProject": ("GET", PROJECT, get_project),
    "UpdateProject": ("PATCH", PROJECT, update_project),
    "DeleteProject": ("DELETE", PROJECT, delete_project),
    "ExportProject": ("GET", PROJECT + "/export", export_project),
    "ImportProject": ("POST", "/projects/import", import_project),
    "GetTags": ("GET", PROJECT + "/tags", get_tags),
    "CreateTag": ("POST", PROJECT + "/tags", create_tag),
    "GetTag": ("GET", TAG, get_tag),
    "UpdateTag": ("PATCH", TAG, update_tag),
    "DeleteTag": ("DELETE", TAG, delete_tag),
    "CreateImagesFromData": ("POST", PROJECT + "/images", create_images_from_data),
    "CreateImagesFromFiles": ("POST", PROJECT + "/images/files", create_images_from_files),
    "CreateImagesFromUrls": ("POST", PROJECT + "/images/urls", create_images_from_urls),
    "GetImages": ("GET", PROJECT + "/images", get_images),
    "GetImagesByIds": ("GET", PROJECT + "/images/id", get_images_by_ids),
    "GetTaggedImages": ("GET", PROJECT + "/images/tagged", get_tagged_images),
    "GetUntaggedImages": ("GET", PROJECT + "/images/untagged", get_untagged_images),
    "GetImageCount": ("GET", PROJECT + "/images/count", get_image_count),
    "GetTaggedImageCount": ("GET", PROJECT + "/images/tagged/count", get_tagged_image_count),
    "GetUntaggedImageCount": ("GET", PROJECT + "/images/untagged/count", get_untagged_image_count),
    "CreateImageTags": ("POST", PROJECT + "/images/tags", create_image_tags),
    "CreateImageRegions": ("POST", PROJECT + "/images/regions", create_image_regions),
    "DeleteImageTags": ("DELETE", PROJECT + "/images/tags", delete_image_tags),
    "DeleteImageRegions": ("DELETE", PROJECT + "/images/regions", delete_image_regions),
    "DeleteImages": ("DELETE", PROJECT + "/images", delete_images),
    "TrainProject": ("POST", PROJECT + "/train", train_project),
    "GetIterations": ("GET", PROJECT + "/iterations", get_iterations),
    "GetIteration": ("GET", ITERATION, get_iteration),
    "UpdateIteration": ("PATCH", ITERATION, update_iteration),
    "DeleteIteration": ("DELETE", ITERATION, delete_iteration),
    "PublishIteration": ("POST", ITERATION + "/publish", publish_iteration),
    "UnpublishIteration": ("DELETE", ITERATION + "/publish", unpublish_iteration),
}

# What an operation fetches by HTTP before it takes the lock: the other end may be this very resource.
FETCHES = {"ImportProject": fetch_package, "CreateImagesFromUrls": fetch_images}
