# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects: names, changes, dates, limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import requests

from emulator.domains import GENERAL, GENERAL_DETECTION
from emulator.samples import make_project, picture


def create(call, resource, name, **parameters):
    answer = call(resource, "POST", "/projects", params={"name": name, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(call, resource):
    return call(resource, "GET", "/projects").json()


def test_domains_have_their_well_known_ids(dev, call):
    domains = {(d["name"], d["type"]): d["id"] for d in call(dev, "GET", "/domains").json()}
    assert domains["General", "Classification"] == "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
    assert domains["General", "ObjectDetection"] == "da2e3a8a-40a5-4171-82f4-58522f70fbc1"
    assert len(set(domains.values())) == len(domains) == 14


def test_a_new_project_has_the_services_defaults(dev, call):
    project = create(call, dev, "P")
    assert project["status"] == "Succeeded"
    assert project["created"] == project["lastModified"]
    assert (project["description"], project["thumbnailUri"]) == (None, None)
    settings = project["settings"]
    assert (settings["domainId"], settings["classificationType"]) == (GENERAL, "Multilabel")
    assert settings["detectionParameters"] is None
    assert settings["imageProcessingSettings"]["augmentationMethods"]["horizontal flip"] is True


@pytest.mark.parametrize("domain, given, kept", [
    (GENERAL, "Multiclass", "Multiclass"), (GENERAL, None, "Multilabel"), (GENERAL_DETECTION, None, None),
])
def test_the_classification_type_is_that_given_or_multilabel_and_none_for_object_detection(
        dev, call, domain, given, kept):
    project = create(call, dev, "P", domainId=domain, classificationType=given)
    assert (project["settings"]["domainId"], project["settings"]["classificationType"]) == (domain, kept)


def test_a_name_can_be_created_twice_because_names_are_not_unique_keys(dev, call):
    ids = {create(call, dev, "P")["id"], create(call, dev, "P")["id"]}
    assert len(ids) == 2
    assert [project["name"] for project in listed(call, dev)] == ["P", "P"]


def test_renaming_onto_a_taken_name_is_refused(dev, call):
    create(call, dev, "taken")
    project = create(call, dev, "free")
    answer = call(dev, "PATCH", f"/projects/{project['id']}", json={"name": "taken"})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestProjectNameNotUnique")
    assert [p["name"] for p in listed(call, dev)] == ["taken", "free"]


def test_renaming_to_the_present_name_is_fine(dev, call):
    project = create(call, dev, "P")
    assert call(dev, "PATCH", f"/projects/{project['id']}", json={"name": "P"}).status_code == 200


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_name_that_is_none_is_refused(dev, call, name):
    project = create(call, dev, "P")
    answer = call(dev, "PATCH", f"/projects/{project['id']}", json={"name": name})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestProjectName")
    assert call(dev, "POST", "/projects", params={"name": ""}).json()["code"] == "BadRequestProjectName"


def test_a_patch_changes_only_what_it_gives(dev, call):
    project = create(call, dev, "P", description="old", classificationType="Multiclass")
    methods = {"augmentationMethods": {"horizontal flip": False, "scaling": True}}
    path = f"/projects/{project['id']}"
    call(dev, "PATCH", path, json={"settings": {"imageProcessingSettings": methods}})
    changed = call(dev, "PATCH", path, json={"name": "Q"}).json()
    assert (changed["name"], changed["description"]) == ("Q", "old")
    assert changed["settings"] == {**project["settings"], "imageProcessingSettings": methods}


def test_a_refused_patch_changes_nothing(dev, call):
    project = create(call, dev, "P")
    bad = {"name": "Q", "settings": {"domainId": "11111111-2222-3333-4444-555555555555"}}
    answer = call(dev, "PATCH", f"/projects/{project['id']}", json=bad)
    assert answer.json()["code"] == "BadRequestProjectUnknownDomain"
    assert listed(call, dev)[0] == project


@pytest.mark.parametrize("parameters, code", [
    ({"domainId": "11111111-2222-3333-4444-555555555555"}, "BadRequestProjectUnknownDomain"),
    ({"classificationType": "Other"}, "BadRequestProjectUnknownClassification"),
])
def test_unknown_settings_are_refused(dev, call, parameters, code):
    answer = call(dev, "POST", "/projects", params={"name": "P", **parameters})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_patch_moves_last_modified_and_leaves_created(dev, call, emulator):
    project = create(call, dev, "P")
    emulator.clock.advance(hours=1)
    changed = call(dev, "PATCH", f"/projects/{project['id']}", json={"description": "new"}).json()
    assert changed["created"] == project["created"]
    moved = datetime.fromisoformat(changed["lastModified"]) - datetime.fromisoformat(project["lastModified"])
    assert moved >= timedelta(hours=1)


def test_last_modified_does_not_move_with_images_training_or_publishing(dev, call, client, emulator):
    project = make_project(dev, "P", iterations=0)
    before = call(dev, "GET", f"/projects/{project.id}").json()["lastModified"]
    emulator.clock.advance(hours=1)
    here = client(dev)
    here.create_images_from_data(project.id, picture(500))
    iteration = here.train_project(project.id)
    here.publish_iteration(project.id, iteration.id, "live", dev.prediction_resource_id)
    assert call(dev, "GET", f"/projects/{project.id}").json()["lastModified"] == before


def test_the_list_comes_whole_there_is_no_paging(dev, call):
    for number in range(60):
        create(call, dev, f"P{number}")
    assert len(call(dev, "GET", "/projects", params={"take": 10, "skip": 10}).json()) == 60


def test_the_thumbnail_is_a_fresh_signed_link_at_each_get_where_there_is_an_image(dev, call):
    project = make_project(dev, "P", images=1, tags=1, iterations=0)
    links = [call(dev, "GET", f"/projects/{project.id}").json()["thumbnailUri"] for _number in range(2)]
    assert links[0] != links[1]
    assert all("sig=" in link and "se=" in link for link in links)


def test_no_more_projects_than_the_limit(dev, call):
    dev.project_limit = 2
    create(call, dev, "one")
    create(call, dev, "two")
    answer = call(dev, "POST", "/projects", params={"name": "three"})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestExceedProjectLimit")
    assert len(listed(call, dev)) == 2


def test_the_limit_holds_for_clients_that_come_all_at_once(dev):
    dev.project_limit = 10
    url = f"{dev.endpoint}/customvision/v3.3/training/projects?name=P"
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _number: requests.post(url, headers={"Training-Key": dev.training_key}),
                                range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [400] * 10
    assert len(dev.store.projects) == 10
    assert len(dev.requests) == 20


def test_the_limit_is_100_unless_set(dev):
    assert dev.project_limit == 100


def test_a_project_with_a_published_iteration_cannot_be_deleted(dev, call, client):
    project = make_project(dev, "P")
    iteration = client(dev).get_iterations(project.id)[0]
    client(dev).publish_iteration(project.id, iteration.id, "live", dev.prediction_resource_id)
    answer = call(dev, "DELETE", f"/projects/{project.id}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequestIterationIsPublished")
    client(dev).unpublish_iteration(project.id, iteration.id)
    assert call(dev, "DELETE", f"/projects/{project.id}").status_code == 204
    assert call(dev, "DELETE", f"/projects/{project.id}").json()["code"] == "NotFoundProject"


@pytest.mark.parametrize("status", ["Importing", "Failed"])
def test_a_test_can_plant_a_project_that_stays_as_it_is(dev, call, emulator, status):
    project = create(call, dev, "P")
    dev.store.projects[project["id"]].status = status
    emulator.clock.advance(days=51)
    assert listed(call, dev)[0]["status"] == status
