# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Export and import: tokens, names, time, and what a copy keeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from emulator.samples import make_project


@pytest.fixture
def project(dev):
    """1 iteration, 2 tags, 10 tagged images."""
    return make_project(dev, "P")


@pytest.fixture
def export(dev, call):
    def export_project(project):
        return call(dev, "GET", f"/projects/{project.id}/export")
    return export_project


@pytest.fixture
def token(export, project):
    return export(project).json()["token"]


@pytest.fixture
def import_token(prod, call):
    """Import at prod what a token leads to."""
    def import_it(token, **parameters):
        return call(prod, "POST", "/projects/import", params={"token": token, **parameters})
    return import_it


def gather(call, resource, project_id):
    """The lists of a project."""
    path = f"/projects/{project_id}"
    return {name: call(resource, "GET", f"{path}/{name}").json() for name in ("tags", "iterations", "images")}


# --- Export ----------------------------------------------------------------------------------------------------------

def test_the_token_is_a_signed_link_to_a_blob_of_the_source(dev, token):
    url = urlsplit(token)
    assert f"{url.scheme}://{url.netloc}" == dev.endpoint
    assert url.path.startswith("/prjexp-") and url.path.endswith("/project-export-info")
    assert list(parse_qs(url.query)) == ["sv", "sr", "sig", "se", "sp"]
    assert "&" in token and "%3D&" in token


def test_export_counts_are_not_the_lengths_of_the_lists(export, project):
    answer = export(project).json()
    assert [answer[key] for key in ("iterationCount", "tagCount", "imageCount", "regionCount")] == [2, 4, 10, 0]


def test_the_estimate_is_lower_than_the_time_an_import_takes(export, project, dev):
    assert 0 < export(project).json()["estimatedImportTimeInMS"] < dev.import_seconds * 1000


def test_a_project_in_training_cannot_be_exported(dev, call, export, project, emulator):
    dev.training_seconds = 60
    call(dev, "POST", f"/projects/{project.id}/train")
    answer = export(project)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestExportWhileTraining")
    emulator.clock.advance(seconds=61)
    assert export(project).status_code == 200


def test_a_project_that_is_being_imported_cannot_be_exported(dev, prod, call, begin_copy, project):
    copy = begin_copy(dev, prod, project)
    answer = call(prod, "GET", f"/projects/{copy['id']}/export")
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestOperationNotSupported")


def test_the_package_is_the_project_as_it_was_at_the_export(dev, prod, call, token, import_token, project, emulator):
    call(dev, "POST", f"/projects/{project.id}/tags", params={"name": "later"})
    call(dev, "PATCH", f"/projects/{project.id}", json={"name": "later", "description": "later"})
    copy = import_token(token).json()
    emulator.clock.advance(seconds=61)
    assert (copy["name"], copy["description"]) == ("P", "")
    assert len(gather(call, prod, copy["id"])["tags"]) == 2


# --- The token -------------------------------------------------------------------------------------------------------

def test_a_token_expires_exactly_24_hours_after_the_export(export, project, emulator, import_token, monkeypatch):
    exported = datetime(2030, 1, 2, 3, 4, 5, 678_000).astimezone()
    monkeypatch.setattr(emulator.clock, "now", lambda: exported)
    token = export(project).json()["token"]
    end = (exported + timedelta(hours=24)).replace(microsecond=0)
    assert parse_qs(urlsplit(token).query)["se"] == [f"{end:%Y-%m-%dT%H:%M:%SZ}"]
    monkeypatch.setattr(emulator.clock, "now", lambda: end - timedelta(milliseconds=1))
    assert import_token(token).status_code == 200
    monkeypatch.setattr(emulator.clock, "now", lambda: end)
    answer = import_token(token)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestInvalidImportToken")


@pytest.mark.parametrize("spoil", [
    lambda token: token.replace("sig=", "sig=x"), lambda token: token.replace("&se=20", "&se=21"),
    lambda token: token.partition("?")[0], lambda token: "", lambda token: "token",
    lambda token: token.replace("127.0.0.1:", "127.0.0.1:1"), lambda token: "http://127.0.0.1:9/" + token[-90:],
    lambda token: token.replace("prjexp-", "prjexp-0"), lambda token: token.partition("/prjexp")[0],
])
def test_a_token_that_is_tampered_with_or_leads_nowhere_is_refused(token, import_token, spoil, prod):
    answer = import_token(spoil(token))
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestInvalidImportToken")
    assert prod.store.projects == {}


@pytest.mark.parametrize("found", [b"", b"<html>", b"5", b"{}", b'["settings"]'])
def test_a_token_that_leads_to_something_else_is_refused(import_token, dev, monkeypatch, found):
    monkeypatch.setattr("emulator.transfer.fetch", lambda url: found)
    assert import_token(dev.endpoint).json()["code"] == "BadRequestInvalidImportToken"


def test_whoever_holds_the_token_can_import_again(token, import_token):
    assert [import_token(token).json()["name"] for _number in range(2)] == ["P", "P (1)"]


def test_the_destination_fetches_the_package_from_the_source(token, import_token, dev):
    dev.stop()
    answer = import_token(token)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestInvalidImportToken")


def test_a_proxy_is_not_asked_for_a_package_on_this_machine(token, import_token, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert import_token(token).status_code == 200


def test_fetching_the_package_is_not_on_record_as_a_request(token, import_token, dev):
    dev.requests.clear()
    assert import_token(token).status_code == 200
    assert dev.requests == []


# --- Names -----------------------------------------------------------------------------------------------------------

def test_a_copy_takes_the_sources_name_unless_given_one(dev, prod, begin_copy, project):
    assert begin_copy(dev, prod, project)["name"] == "P"
    assert begin_copy(dev, prod, project, name="Q")["name"] == "Q"


@pytest.mark.parametrize("parameters, name", [({}, "P"), ({"name": "Q"}, "Q")])
def test_an_import_under_a_taken_name_gets_a_number(dev, prod, begin_copy, project, parameters, name):
    names = [begin_copy(dev, prod, project, **parameters)["name"] for _number in range(3)]
    assert names == [name, f"{name} (1)", f"{name} (2)"]


def test_a_project_can_be_copied_within_its_resource(dev, copied, project):
    assert copied(dev, dev, project)["name"] == "P (1)"


# --- Time ------------------------------------------------------------------------------------------------------------

def test_an_import_takes_its_time_and_is_empty_until_it_ends(dev, prod, call, begin_copy, project, emulator):
    begun = begin_copy(dev, prod, project)
    assert (begun["status"], begun["created"]) == ("Importing", begun["lastModified"])
    emulator.clock.advance(seconds=30)
    assert call(prod, "GET", f"/projects/{begun['id']}").json() == begun
    assert gather(call, prod, begun["id"]) == {"tags": [], "iterations": [], "images": []}
    emulator.clock.advance(seconds=31)
    done = call(prod, "GET", f"/projects/{begun['id']}").json()
    assert (done["status"], done["created"]) == ("Succeeded", begun["created"])
    took = datetime.fromisoformat(done["lastModified"]) - datetime.fromisoformat(done["created"])
    assert took == timedelta(seconds=60)
    assert [len(items) for items in gather(call, prod, begun["id"]).values()] == [2, 1, 10]


def test_an_import_that_takes_no_time_is_done_at_the_next_look(
        dev, prod, call, begin_copy, project, emulator, monkeypatch):
    now = emulator.clock.now()
    monkeypatch.setattr(emulator.clock, "now", lambda: now)
    prod.import_seconds = 0
    begun = begin_copy(dev, prod, project)
    assert begun["status"] == "Importing"
    assert call(prod, "GET", f"/projects/{begun['id']}").json()["status"] == "Succeeded"
    assert call(prod, "GET", f"/projects/{begun['id']}/images/count").json() == 10


def test_the_project_limit_holds_for_imports(prod, call, token, import_token):
    prod.project_limit = 1
    assert import_token(token).status_code == 200
    answer = import_token(token)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestExceedProjectLimit")


# --- What a copy keeps -----------------------------------------------------------------------------------------------

def test_a_copy_has_the_same_tags_images_and_regions_under_new_ids(dev, prod, call, copied):
    project = make_project(dev, "Shelf", tags=3, images=5, untagged=2, regions=True)
    copy = copied(dev, prod, project)
    before, after = gather(call, dev, project.id), gather(call, prod, copy["id"])
    assert copy["id"] != project.id
    for name, items in before.items():
        assert not {item["id"] for item in items} & {item["id"] for item in after[name]}, name
    assert [(tag["name"], tag["imageCount"]) for tag in before["tags"]] == [
        (tag["name"], tag["imageCount"]) for tag in after["tags"]]
    assert [boxes(image) for image in before["images"]] == [boxes(image) for image in after["images"]]


def boxes(image):
    """The regions of an image, each with the name of its tag."""
    return [(region["tagName"], region["left"], region["top"], region["width"], region["height"])
            for region in image.get("regions", [])]


def test_iterations_keep_their_names_and_trained_at_but_for_a_millisecond(dev, prod, call, copied, client):
    project = make_project(dev, "P", iterations=2)
    client(dev).update_iteration(project.id, client(dev).get_iterations(project.id)[0].id, "First")
    before = gather(call, dev, project.id)["iterations"]
    after = gather(call, prod, copied(dev, prod, project)["id"])["iterations"]
    assert [i["name"] for i in after] == ["First", "Iteration 2"]
    assert [i["status"] for i in after] == ["Completed", "Completed"]
    shifts = [datetime.fromisoformat(new["trainedAt"]) - datetime.fromisoformat(old["trainedAt"])
              for old, new in zip(before, after)]
    assert shifts == [timedelta(milliseconds=1)] * 2


def test_publishing_is_not_copied(dev, prod, call, copied, client, project):
    iteration = client(dev).get_iterations(project.id)[0]
    client(dev).publish_iteration(project.id, iteration.id, "live", dev.prediction_resource_id)
    [copy] = gather(call, prod, copied(dev, prod, project)["id"])["iterations"]
    assert (copy["publishName"], copy["originalPublishResourceId"]) == (None, None)


def test_null_descriptions_and_detection_parameters_come_back_empty(dev, prod, call, copied, project):
    source = call(dev, "GET", f"/projects/{project.id}").json()
    assert (source["description"], source["settings"]["detectionParameters"]) == (None, None)
    copy = copied(dev, prod, project)
    assert (copy["description"], copy["settings"]["detectionParameters"]) == ("", "")


def test_detection_parameters_are_copied_where_there_are_some(dev, prod, copied, project):
    dev.store.projects[project.id].settings["detectionParameters"] = "some"
    assert copied(dev, prod, project)["settings"]["detectionParameters"] == "some"


def test_augmentation_methods_are_copied_as_they_are(dev, prod, call, copied, project):
    settings = {"imageProcessingSettings": {"augmentationMethods": {"horizontal flip": False, "my own": True}}}
    call(dev, "PATCH", f"/projects/{project.id}", json={"settings": settings})
    assert copied(dev, prod, project)["settings"]["imageProcessingSettings"] == settings["imageProcessingSettings"]


def test_a_copy_and_its_source_change_apart(dev, prod, call, copied, project):
    copy = copied(dev, prod, project)
    call(prod, "PATCH", f"/projects/{copy['id']}", json={"settings": {"targetExportPlatforms": ["ONNX"]}})
    assert call(dev, "GET", f"/projects/{project.id}").json()["settings"]["targetExportPlatforms"] == []
