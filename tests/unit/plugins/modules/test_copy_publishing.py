# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cv_project_copy with ``prediction_resource_id``: callers reach the copy under the names they reach the source."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy
from emulated import connection, operations, writes
from emulator.samples import make_project, sdk, train

READS = {"GetIterations": 1, "GetTags": 1, "GetTaggedImageCount": 1}


@pytest.fixture(name="copy")
def fixture_copy(run_module, dev, prod):
    """Copies Widget from dev to prod and publishes it there."""

    def copy(check_mode=False, **arguments):
        usual = {
            "source": connection(dev), "destination": connection(prod), "projects": [{"name": "Widget"}],
            "wait_sleep": 0.05, "rate_limit": 1000, "prediction_resource_id": prod.prediction_resource_id,
        }
        given = {name: value for name, value in {**usual, **arguments}.items() if value is not None}
        result = run_module(cv_project_copy, check_mode, **given)
        assert "Traceback" not in json.dumps(result)
        return result

    return copy


@pytest.fixture(name="live")
def fixture_live(emulator, dev, widget):
    """Of Widget's two iterations the second is published as "live"; gives Widget."""
    emulator.clock.advance(seconds=60)
    train(sdk(dev), widget)
    publish(dev, widget, "Iteration 2", "live")
    dev.requests.clear()
    return widget


def publish(resource, project, iteration_name, publish_name):
    """Publishes an iteration through the SDK."""
    iteration = iteration_of(resource, project.id, iteration_name)
    sdk(resource).publish_iteration(project.id, iteration.id, publish_name, resource.prediction_resource_id)


def iteration_of(resource, project_id, name):
    """The iteration of that name."""
    (iteration,) = [each for each in sdk(resource).get_iterations(project_id) if each.name == name]
    return iteration


def published(resource, project_id):
    """The names of iterations by what they are published as."""
    return {each.publish_name: each.name for each in sdk(resource).get_iterations(project_id) if each.publish_name}


def only(result):
    """The one copy of a result."""
    (copy,) = result["copies"]
    return copy


@pytest.mark.parametrize("state", ["present", "latest"])
def test_a_copy_is_published_as_its_source_is(copy, prod, live, state):
    result = copy(state=state)
    there = only(result)["destination"]["id"]
    assert only(result)["published"] == ["live"] and published(prod, there) == {"live": "Iteration 2"}
    at = iteration_of(prod, there, "Iteration 2")
    assert at.original_publish_resource_id == prod.prediction_resource_id
    assert result["diff"]["after"]["published in Widget"] == {
        "live": {"iteration_id": at.id, "prediction_resource_id": prod.prediction_resource_id},
    }
    assert copy(state=state)["changed"] is False


def test_publishing_costs_two_requests_more(copy, dev, prod, live):
    copy()
    assert Counter(operations(dev)) == {"GetProjects": 1, **READS, "ExportProject": 1}
    cost = Counter(operations(prod))
    cost.pop("GetProjects")
    assert cost == {"ImportProject": 1, **READS, "UpdateProject": 1, "PublishIteration": 1, "GetIterations": 2}


def test_an_unchanged_copy_costs_no_request_more_than_its_comparison(copy, dev, prod, live):
    copy()
    for state, reads in (("present", {"GetIterations": 1}), ("latest", READS)):
        dev.requests.clear(), prod.requests.clear()
        result = copy(state=state)
        assert only(result)["published"] == ["live"] and result["changed"] is False
        assert Counter(operations(dev)) == Counter(operations(prod)) == {"GetProjects": 1, **reads}


@pytest.mark.parametrize("state", ["present", "latest"])
def test_an_unchanged_copy_is_published_too_and_check_mode_foretells_it(copy, dev, prod, widget, state):
    there = only(copy())["destination"]["id"]
    publish(dev, widget, "Iteration 1", "live")
    prod.requests.clear()
    foretold = copy(check_mode=True, state=state)
    assert not writes(prod)
    result = copy(state=state)
    assert foretold["diff"] == result["diff"]
    for told in (foretold, result):
        assert (told["changed"], only(told)["action"], only(told)["published"]) == (True, "unchanged", ["live"])
    assert published(prod, there) == {"live": "Iteration 1"}


def test_check_mode_foretells_the_names_of_a_new_copy(copy, prod, live):
    result = copy(check_mode=True)
    assert only(result)["published"] == ["live"] and not writes(prod)


def test_a_name_moves_to_the_iteration_that_has_it_at_the_source(copy, dev, prod, live):
    there = only(copy())["destination"]["id"]
    sdk(dev).unpublish_iteration(live.id, iteration_of(dev, live.id, "Iteration 2").id)
    publish(dev, live, "Iteration 1", "live")
    assert copy()["changed"] is True
    assert published(prod, there) == {"live": "Iteration 1"}


def test_another_name_of_an_iteration_is_given_up_with_a_warning(copy, prod, live):
    there = only(copy(prediction_resource_id=None))["destination"]["id"]
    publish(prod, sdk(prod).get_project(there), "Iteration 2", "canary")
    result = copy()
    assert published(prod, there) == {"live": "Iteration 2"} and "canary" in json.dumps(result["warnings"])


def test_what_only_the_copy_has_published_stays(copy, prod, live):
    there = only(copy(prediction_resource_id=None))["destination"]["id"]
    publish(prod, sdk(prod).get_project(there), "Iteration 1", "canary")
    assert only(copy())["published"] == ["canary", "live"]


def test_without_the_option_nothing_is_published(copy, prod, live):
    result = copy(prediction_resource_id=None)
    assert only(result)["published"] == [] and "PublishIteration" not in operations(prod)


def test_the_resource_comes_from_the_environment(copy, prod, live, monkeypatch):
    monkeypatch.setenv("VISION_DESTINATION_PREDICTION_RESOURCE_ID", prod.prediction_resource_id)
    assert only(copy(prediction_resource_id=None))["published"] == ["live"]


def test_a_replacement_is_published_and_the_superseded_copy_stays_so(copy, dev, prod, live):
    before = only(copy(state="latest"))["destination"]["id"]
    train(sdk(dev), live)
    after = only(copy(state="latest"))
    assert after["action"] == "replaced" and after["published"] == ["live"]
    assert published(prod, before) == published(prod, after["destination"]["id"]) == {"live": "Iteration 2"}


def test_an_old_copy_that_lacks_the_published_iteration_is_told(copy, dev, prod, widget):
    copy()
    train(sdk(dev), widget)
    publish(dev, widget, "Iteration 2", "live")
    result = copy()
    assert "'Iteration 2', published as 'live' at the source, is not in the copy" in result["msg"]
    assert "state=latest" in result["msg"] and only(result)["destination"]["name"] == "Widget"
    assert only(copy(state="latest"))["published"] == ["live"]


def test_a_publishing_that_fails_is_made_good_by_the_next_run(copy, dev, prod, live):
    prod.faults.add("PublishIteration", status=400, shape="service")
    make_project(dev, "Other", images=1)
    result = copy(projects=[{"name": "Widget"}, {"name": "Other"}])
    assert result["failed"] and [one["action"] for one in result["copies"]] == ["failed", "copied"]
    assert "PublishIteration" in result["msg"] or "/publish" in result["msg"]
    healed = copy()
    assert (only(healed)["action"], only(healed)["published"]) == ("unchanged", ["live"])


@pytest.mark.parametrize("text", ["prod-prediction", ""])
def test_a_resource_id_that_is_not_whole_is_refused_before_anything_is_sent(copy, dev, prod, live, text):
    result = copy(prediction_resource_id=text)
    assert f"prediction_resource_id is {text!r}" in result["msg"]
    assert not dev.requests and not prod.requests


def test_a_publishing_that_is_refused_is_told_also_where_the_iterations_cannot_be_read_afterwards(copy, prod, live):
    refusal = {"status": 400, "shape": "service", "code": "BadRequestInvalidPublishTarget"}
    prod.faults.add("PublishIteration", times=None, **refusal)
    prod.faults.add("GetIterations", after=1, status=403, shape="gateway", times=None)
    result = copy()
    assert result["failed"] and "BadRequestInvalidPublishTarget" in result["msg"]
