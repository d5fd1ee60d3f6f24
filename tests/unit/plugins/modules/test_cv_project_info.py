# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import uuid

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _requests
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_info
from emulated import connection, operations, quotes_a_link, writes
from emulator.samples import make_project, sdk


@pytest.fixture(name="info")
def fixture_info(run_module):
    def info(resource, **arguments):
        return run_module(cv_project_info, **connection(resource), **arguments)

    return info


@pytest.mark.parametrize("check_mode", [False, True])
def test_all_projects_are_listed_by_one_request(info, dev, widget, check_mode):
    make_project(dev, "Other", images=1, iterations=0)
    dev.requests.clear()
    result = info(dev, check_mode=check_mode)
    assert [project["name"] for project in result["projects"]] == ["Widget", "Other"]
    assert result["changed"] is False
    assert operations(dev) == ["GetProjects"]


def test_the_services_fields_are_in_snake_case_and_data_as_it_is(info, dev, widget):
    (project,) = info(dev)["projects"]
    assert project["id"] == widget.id and project["status"] == "Succeeded"
    assert {"last_modified", "dr_mode_enabled", "created", "description"} < project.keys()
    methods = project["settings"]["image_processing_settings"]["augmentation_methods"]
    assert "horizontal flip" in methods


def test_the_thumbnails_signed_link_is_left_out(info, dev, widget):
    assert sdk(dev).get_project(widget.id).thumbnail_uri
    assert not quotes_a_link(json.dumps(info(dev, gather=["iterations", "tags", "counts"])))


def test_a_name_is_exact_and_may_be_that_of_several(info, dev, widget):
    make_project(dev, "Widget", images=1, iterations=0)
    make_project(dev, "widget", images=1, iterations=0)
    assert [project["name"] for project in info(dev, name="Widget")["projects"]] == ["Widget", "Widget"]
    assert info(dev, name="Nothing")["projects"] == []


def test_an_id_costs_one_request(info, dev, widget):
    assert info(dev, id=widget.id.upper())["projects"][0]["name"] == "Widget"
    assert operations(dev) == ["GetProject"]


def test_an_id_that_is_not_there_is_an_empty_list(info, dev):
    assert info(dev, id=str(uuid.uuid4()))["projects"] == []


def test_any_other_404_fails(info, dev):
    dev.faults.add("GetProject", status=404, code="NotFoundDomain")
    result = info(dev, id=str(uuid.uuid4()))
    assert result["failed"] and "404 NotFoundDomain" in result["msg"]


def test_what_is_gathered_is_in_each_project(info, dev, widget):
    make_project(dev, "Other", tags=1, images=2, untagged=3, iterations=2)
    first, second = info(dev, gather=["iterations", "tags", "counts"])["projects"]
    assert first["counts"] == {"iterations": 1, "tags": 2, "tagged_images": 4, "untagged_images": 0}
    assert second["counts"] == {"iterations": 2, "tags": 1, "tagged_images": 2, "untagged_images": 3}
    assert [iteration["name"] for iteration in second["iterations"]] == ["Iteration 1", "Iteration 2"]
    assert second["iterations"][0]["trained_at"].endswith("Z")
    assert [tag["name"] for tag in first["tags"]] == ["Tag 1", "Tag 2"]


def test_only_what_is_asked_for_is_gathered(info, dev, widget):
    (project,) = info(dev, gather=["tags"])["projects"]
    assert not {"iterations", "counts"} & project.keys()
    assert operations(dev) == ["GetProjects", "GetTags"]


def test_counts_cost_four_requests_and_lists_none_on_top(info, dev, widget):
    info(dev, gather=["iterations", "tags", "counts"])
    assert sorted(operations(dev)[1:]) == [
        "GetIterations", "GetTaggedImageCount", "GetTags", "GetUntaggedImageCount",
    ]


def test_a_project_that_is_deleted_before_it_is_gathered_is_left_out(info, dev, widget):
    dev.faults.add("GetTags", status=404, code="NotFoundProject")
    make_project(dev, "Other", images=1, iterations=0)
    assert [project["name"] for project in info(dev, gather=["tags"])["projects"]] == ["Other"]


def test_an_iteration_in_training_has_no_trained_at(emulator, info, dev, widget):
    dev.training_seconds = 60
    sdk(dev).train_project(widget.id)
    (project,) = info(dev, gather=["iterations"])["projects"]
    assert "trained_at" not in project["iterations"][1]


def test_the_token_takes_the_keys_place(run_module, dev, widget):
    result = run_module(
        cv_project_info, endpoint=dev.endpoint, training_key="wrong", access_token=dev.access_token
    )
    assert len(result["projects"]) == 1


def test_the_connection_comes_from_the_environment(run_module, monkeypatch, dev, widget):
    monkeypatch.setenv("VISION_TRAINING_ENDPOINT", dev.endpoint)
    monkeypatch.setenv("VISION_TRAINING_KEY", dev.training_key)
    monkeypatch.setenv("VISION_TRAINING_ACCESS_TOKEN", "")
    result = run_module(cv_project_info)
    assert len(result["projects"]) == 1
    assert dev.training_key not in json.dumps(result)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"id": "bc3f"}, "id is 'bc3f', which is not an id"),
        ({"id": str(uuid.uuid4()), "name": "Widget"}, "mutually exclusive"),
        ({"gather": ["images"]}, "must be one or more of: iterations, tags, counts"),
        ({"training_key": ""}, "training_key is given but empty"),
        ({"name": " "}, "name is given but empty"),
        ({"endpoint": "http://dev.example.com"}, "endpoint is plain http"),
        ({"timeout": 0}, "timeout is 0"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(run_module, dev, arguments, sentence):
    result = run_module(cv_project_info, **{**connection(dev), **arguments})
    assert result["failed"] and sentence in result["msg"]
    assert not dev.requests


def test_a_wrong_key_is_one_sentence_with_advice_and_the_request_id(run_module, dev):
    result = run_module(cv_project_info, endpoint=dev.endpoint, training_key="0123456789abcdef")
    assert result["failed"] and "Traceback" not in json.dumps(result)
    for part in ("401", "Access denied", "Check endpoint and training_key", "apim-request-id", dev.endpoint):
        assert part in result["msg"]
    assert "0123456789abcdef" not in json.dumps(result)


def test_html_in_place_of_an_answer_is_one_sentence(info, dev):
    dev.faults.add("GetProjects", malformed="html", times=None)
    result = info(dev)
    assert "something else than the call's result" in result["msg"]


@pytest.mark.parametrize("times", [1, None], ids=["once", "for ever"])
@pytest.mark.parametrize(
    "fault", [{"drop": "before"}, {"status": 503}, {"malformed": "html"}], ids=["dropped", "503", "html"]
)
@pytest.mark.parametrize("operation", ["GetProject", "GetUntaggedImageCount"])
def test_trouble_that_passes_is_none_and_any_other_is_one_sentence(info, dev, widget, operation, fault, times):
    dev.faults.add(operation, times=times, **fault)
    result = info(dev, id=widget.id, gather=["counts"])
    assert operation in operations(dev)
    if times and "malformed" not in fault:
        (project,) = result["projects"]
        assert project["name"] == "Widget" and project["counts"]["untagged_images"] == 0
    else:
        assert result["failed"] and re.fullmatch(r"GET /\S+ of the resource at [^\n]+\.", result["msg"])
        assert "projects" not in result and not result.get("changed")


def test_an_endpoint_where_nothing_listens_is_one_sentence(run_module, dev, emulator):
    endpoint = dev.endpoint
    dev.stop()
    result = run_module(cv_project_info, endpoint=endpoint, training_key="k3y")
    assert "connection refused" in result["msg"] and "Check endpoint" in result["msg"]


def test_a_host_without_requests_is_told_as_ansible_tells_it(run_module, monkeypatch, dev):
    monkeypatch.setattr(_requests, "REQUESTS_IMPORT_ERROR", "the traceback of the import")
    result = run_module(cv_project_info, **connection(dev))
    assert "Failed to import the required Python library (requests)" in result["msg"]


def test_nothing_is_written(info, dev, widget):
    info(dev, gather=["iterations", "tags", "counts"])
    assert not writes(dev)
