# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Iterations: training and publishing."""

from __future__ import annotations

import pytest

from emulator.samples import make_project

OTHER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/other"


@pytest.fixture
def trained(dev, call):
    """The paths of two trained iterations of one project."""
    project = make_project(dev, "P", iterations=2)
    iterations = call(dev, "GET", f"/projects/{project.id}/iterations").json()
    return [f"/projects/{project.id}/iterations/{iteration['id']}" for iteration in iterations]


def publish(call, resource, path, name="live", target=None, **more):
    target = resource.prediction_resource_id if target is None else target
    return call(resource, "POST", f"{path}/publish", params={"publishName": name, "predictionId": target, **more})


def published(call, resource, path):
    iteration = call(resource, "GET", path).json()
    return iteration["publishName"], iteration["originalPublishResourceId"]


def code(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["code"]


def test_an_iteration_in_training_has_no_trained_at(dev, call, emulator):
    project = make_project(dev, "P", iterations=0)
    dev.training_seconds = 60
    begun = call(dev, "POST", f"/projects/{project.id}/train").json()
    assert (begun["name"], begun["status"], begun["domainId"]) == ("Iteration 1", "Training", None)
    assert "trainedAt" not in begun
    path = f"/projects/{project.id}/iterations"
    emulator.clock.advance(seconds=30)
    assert call(dev, "GET", path).json() == [begun]
    emulator.clock.advance(seconds=31)
    [done] = call(dev, "GET", path).json()
    assert (done["status"], done["trainedAt"]) == ("Completed", done["lastModified"])
    assert done["domainId"] == project.settings.domain_id


def test_a_project_in_training_is_not_trained_again(dev, call):
    project = make_project(dev, "P", iterations=0)
    dev.training_seconds = 60
    call(dev, "POST", f"/projects/{project.id}/train")
    assert code(call(dev, "POST", f"/projects/{project.id}/train")) == "BadRequestTrainingAlreadyInProgress"


def test_iterations_are_numbered_beyond_those_there_are(dev, call, trained):
    call(dev, "DELETE", trained[0])
    project = trained[0].rpartition("/iterations")[0]
    assert call(dev, "POST", f"{project}/train").json()["name"] == "Iteration 3"


def test_a_project_has_20_iterations_at_most(dev, call):
    project = make_project(dev, "P", iterations=20)
    answer = call(dev, "POST", f"/projects/{project.id}/train")
    assert code(answer) == "BadRequestExceedIterationPerProjectLimit"


def test_an_iteration_can_be_renamed_but_not_as_another(dev, call, trained, emulator):
    before = call(dev, "GET", trained[0]).json()
    emulator.clock.advance(hours=1)
    after = call(dev, "PATCH", trained[0], json={"name": "Best"}).json()
    assert after["name"] == "Best" and after["lastModified"] > before["lastModified"]
    assert after["trainedAt"] == before["trainedAt"]
    assert code(call(dev, "PATCH", trained[1], json={"name": "Best"})) == "BadRequestIterationNameNotUnique"
    assert code(call(dev, "PATCH", trained[1], json={})) == "BadRequestIterationName"


def test_publishing_answers_true_and_unpublishing_204(dev, call, trained):
    answer = publish(call, dev, trained[0])
    assert (answer.status_code, answer.json()) == (200, True)
    assert published(call, dev, trained[0]) == ("live", dev.prediction_resource_id)
    assert call(dev, "DELETE", f"{trained[0]}/publish").status_code == 204
    assert published(call, dev, trained[0]) == (None, None)


@pytest.mark.parametrize("target", [
    "", "other", "/subscriptions/s/resourceGroups/g", OTHER.rpartition("/")[0], OTHER + "/more", "x" + OTHER,
])
def test_the_prediction_resource_is_a_whole_arm_id(dev, call, trained, target):
    assert code(publish(call, dev, trained[0], target=target)) == "BadRequestInvalidPublishTarget"
    assert published(call, dev, trained[0]) == (None, None)


def test_an_empty_publish_name_is_refused(dev, call, trained):
    assert code(publish(call, dev, trained[0], name="")) == "BadRequestInvalidPublishName"


def test_an_iteration_in_training_cannot_be_published(dev, call, trained):
    dev.training_seconds = 60
    project, _slash, _id = trained[0].rpartition("/iterations/")
    begun = call(dev, "POST", f"{project}/train").json()
    answer = publish(call, dev, f"{project}/iterations/{begun['id']}")
    assert code(answer) == "BadRequestIterationIsNotTrained"


@pytest.mark.parametrize("overwrite", ["true", "false"])
def test_a_published_iteration_gets_no_other_name_even_with_overwrite(dev, call, trained, overwrite):
    publish(call, dev, trained[0])
    answer = publish(call, dev, trained[0], name="other", overwrite=overwrite)
    assert code(answer) == "BadRequestIterationIsPublished"
    assert published(call, dev, trained[0])[0] == "live"


def test_publishing_again_the_same_way_changes_nothing(dev, call, trained):
    publish(call, dev, trained[0])
    assert publish(call, dev, trained[0]).status_code == 200
    assert published(call, dev, trained[0]) == ("live", dev.prediction_resource_id)


def test_another_prediction_resource_for_the_same_name_takes_overwrite(dev, call, trained):
    publish(call, dev, trained[0])
    assert code(publish(call, dev, trained[0], target=OTHER)) == "BadRequestIterationIsPublished"
    assert publish(call, dev, trained[0], target=OTHER, overwrite="true").status_code == 200
    assert published(call, dev, trained[0]) == ("live", OTHER)


def test_overwrite_moves_a_publish_name_from_another_iteration(dev, call, trained):
    publish(call, dev, trained[0])
    assert code(publish(call, dev, trained[1])) == "BadRequestInvalidPublishName"
    assert publish(call, dev, trained[1], overwrite="true").json() is True
    assert published(call, dev, trained[0]) == (None, None)
    assert published(call, dev, trained[1]) == ("live", dev.prediction_resource_id)


def test_what_is_not_published_cannot_be_unpublished(dev, call, trained):
    assert code(call(dev, "DELETE", f"{trained[0]}/publish")) == "BadRequestIterationNotPublished"


def test_a_published_iteration_cannot_be_deleted(dev, call, trained):
    publish(call, dev, trained[0])
    assert code(call(dev, "DELETE", trained[0])) == "BadRequestIterationIsPublished"
    call(dev, "DELETE", f"{trained[0]}/publish")
    assert call(dev, "DELETE", trained[0]).status_code == 204
    assert call(dev, "GET", trained[0]).json()["code"] == "NotFoundIteration"
