# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images and tags: uploads, lists, counts."""

from __future__ import annotations

import base64
import hashlib

import pytest
from azure.cognitiveservices.vision.customvision.training.models import ImageRegionCreateEntry

from emulator.samples import make_project, picture

UNKNOWN_ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def path(dev, call):
    """The path of an empty project."""
    return f"/projects/{call(dev, 'POST', '/projects', params={'name': 'P'}).json()['id']}"


def add_tag(call, resource, path, name, **parameters):
    return call(resource, "POST", f"{path}/tags", params={"name": name, **parameters})


def entry(data, **more):
    return {"name": "an image", "contents": base64.b64encode(data).decode(), **more}


def send(call, resource, path, *entries, **more):
    return call(resource, "POST", f"{path}/images/files", json={"images": list(entries), **more})


def statuses(answer):
    return [image["status"] for image in answer.json()["images"]]


def test_an_image_keeps_its_size_and_checksum_but_not_its_pixels(dev, call, path):
    data = picture(1, size=(30, 20))
    answer = send(call, dev, path, entry(data))
    assert (answer.status_code, answer.json()["isBatchSuccessful"]) == (200, True)
    image = answer.json()["images"][0]["image"]
    assert (image["width"], image["height"]) == (30, 20)
    kept = next(iter(dev.store.find(path.rpartition("/")[2]).images.values()))
    assert (kept.size, kept.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_the_same_bytes_twice_are_a_duplicate_and_the_batch_no_success(dev, call, path):
    first = send(call, dev, path, entry(picture(1))).json()["images"][0]
    answer = send(call, dev, path, entry(picture(1)), entry(picture(2)))
    assert (answer.status_code, answer.json()["isBatchSuccessful"]) == (207, False)
    assert statuses(answer) == ["OKDuplicate", "OK"]
    assert answer.json()["images"][0]["image"]["id"] == first["image"]["id"]
    assert call(dev, "GET", f"{path}/images/count").json() == 2


@pytest.mark.parametrize("contents", ["", "****", base64.b64encode(b"no image").decode(), None])
def test_what_is_no_image_is_a_wrong_format(dev, call, path, contents):
    answer = send(call, dev, path, {"name": "x", "contents": contents}, entry(picture(1)))
    assert (answer.status_code, answer.json()["isBatchSuccessful"]) == (207, False)
    assert statuses(answer) == ["ErrorImageFormat", "OK"]


def test_several_files_can_be_sent_at_once_as_form_data(dev, call, path):
    files = [("imageData", (f"{number}.png", picture(number))) for number in range(3)]
    answer = call(dev, "POST", f"{path}/images", files=files)
    assert [image["sourceUrl"] for image in answer.json()["images"]] == ["0.png", "1.png", "2.png"]
    assert statuses(answer) == ["OK", "OK", "OK"]


def test_form_data_that_is_malformed_is_a_bad_request(dev, call, path):
    for content_type in ("multipart/form-data; boundary=x", "image/png"):
        answer = call(dev, "POST", f"{path}/images", data=b"junk", headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/picture", "no url", "", "{endpoint}/other"])
def test_a_url_that_cannot_be_fetched_is_an_error_of_the_source(dev, call, path, url):
    url = url.format(endpoint=dev.endpoint)
    answer = call(dev, "POST", f"{path}/images/urls", json={"images": [{"url": url}]})
    assert (answer.status_code, answer.json()["isBatchSuccessful"]) == (207, False)
    assert answer.json()["images"] == [{"sourceUrl": url, "status": "ErrorSource", "image": None}]


def test_tags_regions_and_metadata_of_a_batch_arrive(dev, call, path):
    one, two = (add_tag(call, dev, path, name).json()["id"] for name in ("one", "two"))
    box = {"tagId": two, "left": 0.25, "top": 0.5, "width": 0.125, "height": 0.25}
    answer = send(call, dev, path, entry(picture(1), regions=[box]), tagIds=[one], metadata={"line": "4"})
    image = answer.json()["images"][0]["image"]
    assert {tag["tagName"] for tag in image["tags"]} == {"one", "two"}
    assert [{key: region[key] for key in box} for region in image["regions"]] == [box]
    assert image["metadata"] == {"line": "4"}


def test_an_image_without_tags_or_regions_lacks_the_keys(dev, call, path):
    image = send(call, dev, path, entry(picture(1))).json()["images"][0]["image"]
    assert not {"tags", "regions", "metadata"} & set(image)


def test_an_unknown_tag_refuses_the_batch(dev, call, path):
    answer = send(call, dev, path, entry(picture(1), tagIds=[UNKNOWN_ID]))
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestImageTags")
    assert call(dev, "GET", f"{path}/images/count").json() == 0


@pytest.mark.parametrize("region", [
    {"tagId": UNKNOWN_ID, "left": 0, "top": 0, "width": 1, "height": 1}, {"tagId": UNKNOWN_ID, "left": 0},
    {"tagId": UNKNOWN_ID, "left": "x", "top": 0, "width": 1, "height": 1},
])
def test_a_region_that_is_malformed_or_has_no_tag_is_refused(dev, call, path, region):
    image = send(call, dev, path, entry(picture(1))).json()["images"][0]["image"]
    answer = call(dev, "POST", f"{path}/images/regions", json={"regions": [{"imageId": image["id"], **region}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestImageRegions")


def test_tagging_an_unknown_image_is_not_found(dev, call, path):
    tag = add_tag(call, dev, path, "one").json()["id"]
    answer = call(dev, "POST", f"{path}/images/tags", json={"tags": [{"imageId": UNKNOWN_ID, "tagId": tag}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFoundImage")


def test_lists_give_50_images_unless_told_otherwise_the_newest_first(dev, call):
    project = make_project(dev, "P", tags=1, images=60, iterations=0)
    tagged = f"/projects/{project.id}/images/tagged"
    oldest = [image["id"] for image in call(dev, "GET", tagged, params={"take": 60, "orderBy": "Oldest"}).json()]
    assert oldest == list(dev.store.find(project.id).images)
    newest = [image["id"] for image in call(dev, "GET", tagged).json()]
    assert newest == oldest[::-1][:50]
    assert [i["id"] for i in call(dev, "GET", tagged, params={"take": 5, "skip": 50}).json()] == oldest[::-1][50:55]


def test_a_list_gives_256_images_at_most(dev, call):
    project = make_project(dev, "P", tags=1, images=260, iterations=0)
    assert len(call(dev, "GET", f"/projects/{project.id}/images", params={"take": 1000}).json()) == 256


def test_take_is_a_number(dev, call, path):
    assert call(dev, "GET", f"{path}/images", params={"take": "all"}).json()["code"] == "BadRequest"


def test_counts_are_bare_numbers(dev, call):
    project = make_project(dev, "P", images=4, untagged=3, iterations=0)
    counts = {kind: call(dev, "GET", f"/projects/{project.id}/images{kind}/count").text.strip()
              for kind in ("", "/tagged", "/untagged")}
    assert counts == {"": "7", "/tagged": "4", "/untagged": "3"}


def test_images_are_chosen_by_tagging_and_by_any_of_the_tags(dev, call, client):
    project = make_project(dev, "P", tags=3, images=6, untagged=1, iterations=0)
    first, second, _third = (tag.id for tag in client(dev).get_tags(project.id))
    path = f"/projects/{project.id}/images"
    assert call(dev, "GET", f"{path}/tagged/count", params={"tagIds": first}).json() == 2
    assert call(dev, "GET", f"{path}/tagged/count", params={"tagIds": f"{first},{second}"}).json() == 4
    assert call(dev, "GET", f"{path}/count", params={"taggingStatus": "Untagged"}).json() == 1
    assert len(call(dev, "GET", path, params={"taggingStatus": "Tagged"}).json()) == 6
    assert len(call(dev, "GET", f"{path}/untagged").json()) == 1


def test_deleting_images_says_which_or_that_all_are_meant(dev, call):
    project = make_project(dev, "P", images=3, iterations=0)
    path = f"/projects/{project.id}/images"
    assert call(dev, "DELETE", path).json()["code"] == "BadRequestRequiredParamIsNull"
    ids = [image["id"] for image in call(dev, "GET", path).json()]
    assert call(dev, "DELETE", path, params={"imageIds": f"{ids[0]},{UNKNOWN_ID}"}).status_code == 204
    assert [image["id"] for image in call(dev, "GET", path).json()] == ids[1:]
    assert call(dev, "DELETE", path, params={"allImages": "true"}).status_code == 202
    assert call(dev, "GET", f"{path}/count").json() == 0


@pytest.mark.parametrize("name, code", [("one", "BadRequestTagNameNotUnique"), ("", "BadRequestTagName")])
def test_a_tag_has_a_name_of_its_own(dev, call, path, name, code):
    add_tag(call, dev, path, "one")
    assert add_tag(call, dev, path, name).json()["code"] == code
    other = add_tag(call, dev, path, "two").json()
    answer = call(dev, "PATCH", f"{path}/tags/{other['id']}", json={"name": name})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_patch_of_a_tag_changes_only_what_it_gives(dev, call, path):
    tag = add_tag(call, dev, path, "one", description="old", type="Negative").json()
    assert (tag["description"], tag["type"]) == ("old", "Negative")
    changed = call(dev, "PATCH", f"{path}/tags/{tag['id']}", json={"type": "Regular"}).json()
    assert changed == {**tag, "type": "Regular"}


def test_a_deleted_tag_is_taken_off_its_images(dev, call, client):
    project = make_project(dev, "P", tags=2, images=2, iterations=0, regions=True)
    tag = client(dev).get_tags(project.id)[0]
    assert call(dev, "DELETE", f"/projects/{project.id}/tags/{tag.id}").status_code == 204
    bare = call(dev, "GET", f"/projects/{project.id}/images/untagged").json()
    assert len(bare) == 1 and "regions" not in bare[0]


def test_images_are_found_by_their_ids(dev, client):
    project = make_project(dev, "P", images=3, iterations=0)
    ids = [image.id for image in client(dev).get_images(project.id)]
    found = client(dev).get_images_by_ids(project.id, image_ids=[ids[2], ids[0], UNKNOWN_ID])
    assert [image.id for image in found] == [ids[2], ids[0]]


def test_a_tag_that_is_taken_away_goes_with_its_regions(dev, client):
    project = make_project(dev, "P", tags=1, images=2, iterations=0, regions=True)
    image, other = client(dev).get_tagged_images(project.id)
    client(dev).delete_image_tags(project.id, [image.id], [image.tags[0].tag_id])
    assert client(dev).get_tagged_image_count(project.id) == 1
    (bare,) = client(dev).get_untagged_images(project.id)
    assert bare.id == image.id and not bare.regions and other.regions


def test_a_region_that_is_taken_away_takes_its_tag_unless_another_has_it(dev, client):
    project = make_project(dev, "P", tags=1, images=1, iterations=0, regions=True)
    (image,) = client(dev).get_tagged_images(project.id)
    tag_id = image.tags[0].tag_id
    box = ImageRegionCreateEntry(image_id=image.id, tag_id=tag_id, left=0.5, top=0.5, width=0.1, height=0.1)
    client(dev).create_image_regions(project.id, regions=[box])
    (image,) = client(dev).get_tagged_images(project.id)
    first, second = (region.region_id for region in image.regions)
    client(dev).delete_image_regions(project.id, [first])
    assert client(dev).get_tagged_image_count(project.id) == 1
    client(dev).delete_image_regions(project.id, [second])
    assert client(dev).get_tagged_image_count(project.id) == 0
