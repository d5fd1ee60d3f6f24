# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a project, lived with the official SDK."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from azure.cognitiveservices.vision.customvision.training import models

from emulator.domains import GENERAL, GENERAL_DETECTION
from emulator.samples import picture


@pytest.fixture
def picture_url():
    """A web server with one picture at /picture."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/picture"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(picture(1000) if found else b"")

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/picture"
        server.shutdown()
        thread.join()


def test_classification_from_domain_to_deletion(dev, prod, client, emulator, picture_url):
    here, there = client(dev), client(prod)
    general = next(d for d in here.get_domains() if d.name == "General" and d.type == "Classification")
    assert here.get_domain(general.id).name == "General"

    project = here.create_project("Widgets", "on the line", general.id, "Multiclass", ["CoreML"])
    good, bad = here.create_tag(project.id, "good"), here.create_tag(project.id, "bad", "broken or bent")
    here.create_images_from_data(project.id, picture(1), tag_ids=[good.id])
    batch = [models.ImageFileCreateEntry(name="2", contents=picture(2), tag_ids=[bad.id])]
    here.create_images_from_files(project.id, models.ImageFileCreateBatch(images=batch))
    entry = models.ImageUrlCreateEntry(url=picture_url)
    fetched = here.create_images_from_urls(project.id, models.ImageUrlCreateBatch(images=[entry], tag_ids=[bad.id]))
    assert fetched.is_batch_successful and fetched.images[0].source_url == picture_url
    assert here.get_tagged_image_count(project.id) == 3
    assert {tag.name: tag.image_count for tag in here.get_tags(project.id)} == {"good": 1, "bad": 2}

    iteration = here.train_project(project.id)
    assert (iteration.status, iteration.trained_at) == ("Training", None)
    iteration = here.get_iteration(project.id, iteration.id)
    assert (iteration.name, iteration.status, iteration.domain_id) == ("Iteration 1", "Completed", GENERAL)
    here.update_iteration(project.id, iteration.id, "First")
    assert here.publish_iteration(project.id, iteration.id, "live", dev.prediction_resource_id) is True

    export = here.export_project(project.id)
    copy = there.import_project(export.token, name="Widgets (EU)")
    assert copy.status == "Importing"
    emulator.clock.advance(seconds=61)
    copy = there.get_project(copy.id)
    assert (copy.name, copy.status, copy.description) == ("Widgets (EU)", "Succeeded", "on the line")
    assert copy.settings.target_export_platforms == ["CoreML"]
    assert [i.name for i in there.get_iterations(copy.id)] == ["First"]
    assert there.get_tagged_image_count(copy.id) == 3

    here.unpublish_iteration(project.id, iteration.id)
    here.delete_iteration(project.id, iteration.id)
    here.delete_project(project.id)
    assert here.get_projects() == []
    assert [p.id for p in there.get_projects()] == [copy.id]


def test_object_detection_with_regions(dev, client):
    here = client(dev)
    project = here.create_project("Shelf", domain_id=GENERAL_DETECTION)
    box = here.create_tag(project.id, "box")
    uploaded = here.create_images_from_data(project.id, picture(1)).images[0].image
    assert here.get_untagged_image_count(project.id) == 1

    entry = models.ImageRegionCreateEntry(
        image_id=uploaded.id, tag_id=box.id, left=0.1, top=0.2, width=0.3, height=0.4
    )
    created = here.create_image_regions(project.id, regions=[entry]).created
    assert [(region.tag_name, region.left, region.height) for region in created] == [("box", 0.1, 0.4)]
    again = here.create_image_regions(project.id, regions=[entry])
    assert (again.created, len(again.duplicated)) == ([], 1)

    image = here.get_tagged_images(project.id)[0]
    assert [tag.tag_id for tag in image.tags] == [box.id]
    assert [region.region_id for region in image.regions] == [created[0].region_id]
    assert here.get_project(project.id).settings.classification_type is None


def test_tags_are_changed_and_deleted(dev, client):
    here = client(dev)
    project = here.create_project("Tags")
    tag = here.create_tag(project.id, "old", "before")
    here.create_images_from_data(project.id, picture(1), tag_ids=[tag.id])
    here.update_tag(project.id, tag.id, models.Tag(name="new", description="after", type="Regular"))
    changed = here.get_tag(project.id, tag.id)
    assert (changed.name, changed.description, changed.image_count) == ("new", "after", 1)
    here.delete_tag(project.id, tag.id)
    assert here.get_tags(project.id) == []
    assert here.get_untagged_image_count(project.id) == 1


def test_images_are_tagged_and_deleted(dev, client):
    here = client(dev)
    project = here.create_project("Images")
    tag = here.create_tag(project.id, "seen")
    ids = [here.create_images_from_data(project.id, picture(number)).images[0].image.id for number in range(3)]
    pairs = [models.ImageTagCreateEntry(image_id=ids[0], tag_id=tag.id)]
    assert len(here.create_image_tags(project.id, tags=pairs).created) == 1
    assert len(here.create_image_tags(project.id, tags=pairs).duplicated) == 1
    here.delete_images(project.id, image_ids=ids[:1])
    assert (here.get_tagged_image_count(project.id), here.get_image_count(project.id)) == (0, 2)
    here.delete_images(project.id, all_images=True)
    assert here.get_image_count(project.id) == 0


def test_an_sdk_whose_endpoint_ends_with_a_slash_works_too(dev, client):
    dev.endpoint += "/"
    assert client(dev).get_projects() == []
