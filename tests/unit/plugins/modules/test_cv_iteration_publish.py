# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing against the emulator: what comes out, what it costs, and what goes wrong on the way."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import emulator.iterations
import pytest
from ansible_collections.cvops.custom_vision.plugins.modules import cv_iteration_publish
from emulated import connection, operations, quotes_a_link, writes
from emulator.faults import Fault
from emulator.samples import make_project, sdk

from soak.process import finish, make_tree, start

OTHER = "/subscriptions/1/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/other"
PUBLISHED = ["GetIterations", "PublishIteration", "GetIterations"]


@pytest.fixture(name="project")
def fixture_project(dev):
    """A project of dev with two iterations, of which the first is published as live."""
    made = make_project(dev, "Widget", images=2, iterations=2)
    project = dev.store.projects[made.id]
    put(dev, project, 0, "live")
    dev.requests.clear()
    return project


def put(dev, project, number, name, resource_id=None):
    """Publishes an iteration of the project the bare way."""
    iteration = list(project.iterations)[number]
    sdk(dev).publish_iteration(project.id, iteration, name, resource_id or dev.prediction_resource_id)
    dev.requests.clear()


def bare(dev, project):
    """Unpublishes what the project has."""
    for iteration in project.published:
        sdk(dev).unpublish_iteration(project.id, iteration.id)
    dev.requests.clear()


@pytest.fixture(name="publish")
def fixture_publish(run_module, dev, project):
    """Runs the module for the project; nothing secret may be in any result."""

    def publish(publish_name="live", check_mode=False, **arguments):
        usual = {**connection(dev), "project_id": project.id, "prediction_resource_id": dev.prediction_resource_id}
        given = {**usual, **arguments, "publish_name": publish_name}
        given = {option: value for option, value in given.items() if value is not None}
        result = run_module(cv_iteration_publish, check_mode, **given)
        text = json.dumps(result)
        assert dev.training_key not in text and not quotes_a_link(text) and "Traceback" not in text
        return result

    return publish


def published(project):
    """What the project's iterations are published as, in order."""
    return [iteration.publish_name for iteration in project.iterations.values()]


def warnings(result):
    """The texts of a result's warnings, which ansible-core 2.19 wraps."""
    return [each if isinstance(each, str) else each["event"]["msg"] for each in result.get("warnings", [])]


# --- What comes out ---------------------------------------------------------------------------------------------------


def test_a_name_that_nobody_has_is_given(publish, dev, project):
    bare(dev, project)
    result = publish()
    assert result["changed"] and not warnings(result)
    iteration = result["iteration"]
    newest = list(project.iterations)[1]
    assert (iteration["id"], iteration["name"], iteration["publish_name"]) == (newest, "Iteration 2", "live")
    assert iteration["original_publish_resource_id"] == dev.prediction_resource_id
    assert result["diff"] == {
        "before": {},
        "after": {"live": {"iteration_id": newest, "prediction_resource_id": dev.prediction_resource_id}},
    }
    assert operations(dev) == PUBLISHED


def test_a_name_is_moved_in_one_step(publish, dev, project):
    result = publish()
    assert result["changed"] and not warnings(result)
    assert published(project) == [None, "live"] and operations(dev) == PUBLISHED
    first, second = project.iterations
    assert result["diff"]["before"]["live"]["iteration_id"] == first
    assert result["diff"]["after"]["live"]["iteration_id"] == second


@pytest.mark.parametrize("spelt", [str, str.upper, lambda text: f" {text} "])
def test_what_is_so_already_costs_one_request(publish, dev, project, spelt):
    put(dev, project, 1, "beta")
    result = publish("beta", prediction_resource_id=spelt(dev.prediction_resource_id))
    assert result["changed"] is False and result["iteration"]["publish_name"] == "beta"
    assert result["diff"]["before"] == result["diff"]["after"] and len(result["diff"]["after"]) == 2
    assert operations(dev) == ["GetIterations"]


def test_a_project_found_by_name_costs_one_more(publish, dev):
    assert publish(project_id=None, project_name="Widget", iteration_name="Iteration 1")["changed"] is False
    assert operations(dev) == ["GetProjects", "GetIterations"]


@pytest.mark.parametrize("arguments", [{}, {"iteration_name": "Iteration 1"}, {"publish_name": "beta"}])
def test_twice_changes_nothing_the_second_time(publish, dev, arguments):
    first = publish(**arguments)
    dev.requests.clear()
    second = publish(**arguments)
    assert second["changed"] is False and second["iteration"] == first["iteration"]
    assert operations(dev) == ["GetIterations"] and not warnings(second)


def test_a_name_that_must_yield_is_told(publish, dev, project):
    put(dev, project, 1, "beta")
    result = publish("live")
    assert published(project) == [None, "live"]
    assert operations(dev) == ["GetIterations", "UnpublishIteration", "PublishIteration", "GetIterations"]
    assert warnings(result) == [
        "Nothing is published as 'beta' any more: it was the publish name of 'Iteration 2', and an iteration can have "
        "only one at a time."
    ]


def test_another_prediction_resource_takes_a_new_publishing(publish, dev, project):
    result = publish(iteration_name="Iteration 1", prediction_resource_id=OTHER)
    assert result["changed"] and result["iteration"]["original_publish_resource_id"] == OTHER
    assert operations(dev) == ["GetIterations", "UnpublishIteration", "PublishIteration", "GetIterations"]
    assert published(project) == ["live", None] and not warnings(result)


@pytest.mark.parametrize("restriction", [{}, {"iteration_name": "Iteration 1"}, "id"])
def test_a_name_is_taken_away(publish, dev, project, restriction):
    if restriction == "id":
        restriction = {"iteration_id": next(iter(project.iterations)).upper()}
    result = publish(state="absent", prediction_resource_id=None, **restriction)
    assert result["changed"] and published(project) == [None, None] and not warnings(result)
    assert result["iteration"]["name"] == "Iteration 1" and result["iteration"]["publish_name"] is None
    assert list(result["diff"]["before"]) == ["live"] and result["diff"]["after"] == {}
    assert operations(dev) == ["GetIterations", "UnpublishIteration", "GetIterations"]
    assert publish(state="absent", **restriction)["changed"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        {"publish_name": "beta"}, {"publish_name": "Live"}, {"iteration_name": "Iteration 2"},
        {"iteration_name": "Iteration 9"}, {"iteration_id": str(uuid.uuid4())},
    ],
)  # fmt: skip
def test_what_is_not_there_need_not_be_taken_away(publish, dev, project, arguments):
    result = publish(**{"state": "absent", "prediction_resource_id": None, **arguments})
    assert (result["changed"], result["iteration"]) == (False, None)
    assert operations(dev) == ["GetIterations"] and published(project) == ["live", None]


def test_an_unusual_name_arrives_as_it_is(publish, project):
    name = "Prüfung 1/2 & more + 100%?"
    assert publish(name)["iteration"]["publish_name"] == name
    assert published(project) == ["live", name]


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"publish_name": "beta"}, {"iteration_name": "Iteration 1"}, {"state": "absent"},
        {"state": "absent", "publish_name": "beta"}, {"iteration_name": "Iteration 1", "publish_name": "beta"},
        {"iteration_name": "Iteration 1", "prediction_resource_id": OTHER},
    ],
)  # fmt: skip
def test_check_mode_tells_what_a_run_does_and_writes_nothing(publish, dev, project, arguments):
    foreseen = publish(check_mode=True, **arguments)
    assert not writes(dev) and operations(dev) == ["GetIterations"] and published(project) == ["live", None]
    done = publish(**arguments)
    assert {key: done[key] for key in ("changed", "diff", "iteration")} == {
        key: foreseen[key] for key in ("changed", "diff", "iteration")
    }
    assert [each.replace("would be", "is") for each in warnings(foreseen)] == warnings(done)


# --- Which iteration --------------------------------------------------------------------------------------------------


def test_the_newest_is_the_one_trained_last_and_not_one_in_training(publish, dev, project, emulator):
    first, second = project.iterations.values()
    first.trained_at, second.trained_at = second.trained_at, first.trained_at
    emulator.clock.advance(seconds=5)
    first.trained_at = emulator.clock.now().replace(microsecond=0)  # "…:05Z" is after "…:05.7Z" as text
    dev.training_seconds = 60
    sdk(dev).train_project(project.id)
    assert publish("beta")["iteration"]["name"] == "Iteration 1"


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"iteration_name": "Iteration 9"}, "the project has no iteration named 'Iteration 9': list its iterations"),
        ({"iteration_id": str(uuid.UUID(int=1))}, "the project has no iteration of the id 00000000-0000-0000-0000-"),
        ({"iteration_name": "Iteration 3"}, "the iteration named 'Iteration 3' is Training, and only a Completed one"),
        ({"project_id": str(uuid.UUID(int=1))}, "404 NotFoundProject"),
        ({"project_id": None, "project_name": "widget"}, "there is no project named 'widget': list the projects"),
    ],
)
def test_what_cannot_be_published_is_refused(publish, dev, project, arguments, sentence):
    dev.training_seconds = 60
    sdk(dev).train_project(project.id)
    dev.requests.clear()
    result = publish(**arguments)
    assert result["failed"] and sentence in result["msg"] and result["changed"] is False
    assert not writes(dev)


def test_several_iterations_of_one_name_are_listed(publish, dev, project):
    for iteration in project.iterations.values():
        iteration.name = "Same"
    result = publish(iteration_name="Same")
    assert result["msg"] == (
        f"2 iterations of the project are named 'Same': give iteration_id, one of {', '.join(project.iterations)}"
    )
    assert publish(state="absent", iteration_name="Same")["changed"]  # only one of them bears it


def test_several_projects_of_one_name_are_listed(publish, dev, project):
    other = make_project(dev, "Widget", images=1, iterations=0)
    result = publish(project_id=None, project_name="Widget")
    assert result["msg"] == f"2 projects are named 'Widget': give project_id, one of {project.id}, {other.id}"


def test_a_project_that_was_never_trained_is_refused(publish, dev):
    other = make_project(dev, "Other", images=1, iterations=0)
    assert publish(project_id=other.id)["msg"] == (
        "the project has no trained iteration that could be published: train it first"
    )


# --- Input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"prediction_resource_id": "dev-prediction"}, "is 'dev-prediction', which is not the whole id"),
        ({"prediction_resource_id": OTHER.rpartition("/")[0]}, "which is not the whole id of a prediction resource"),
        ({"prediction_resource_id": ""}, "prediction_resource_id is '', which is not the whole id"),
        ({"prediction_resource_id": None}, "prediction_resource_id is missing: "),
        ({"publish_name": " "}, "publish_name is given but empty"),
        ({"publish_name": None}, "missing required arguments: publish_name"),
        ({"iteration_name": ""}, "iteration_name is given but empty"),
        ({"project_id": None, "project_name": ""}, "project_name is given but empty"),
        ({"project_id": None}, "one of the following is required: project_id, project_name"),
        ({"project_name": "Widget"}, "mutually exclusive: project_id|project_name"),
        ({"iteration_id": str(uuid.UUID(int=1)), "iteration_name": "x"}, "mutually exclusive"),
        ({"project_id": "Widget"}, "project_id is 'Widget', which is not an id: give one such as"),
        ({"iteration_id": "1/publish"}, "iteration_id is '1/publish', which is not an id: give one such as"),
        ({"state": "latest"}, "value of state must be one of: present, absent"),
        ({"training_key": None}, "training_key is missing"),
        ({"timeout": 0}, "timeout is 0"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_bad_input_is_refused_before_anything_is_sent(publish, dev, arguments, sentence, check_mode):
    result = publish(check_mode=check_mode, **arguments)
    assert result["failed"] and sentence in result["msg"]
    assert not dev.requests


def test_the_environment_gives_connection_and_prediction_resource(run_module, monkeypatch, dev, project):
    monkeypatch.setenv("VISION_TRAINING_ENDPOINT", dev.endpoint)
    monkeypatch.setenv("VISION_TRAINING_KEY", dev.training_key)
    monkeypatch.setenv("VISION_PREDICTION_RESOURCE_ID", OTHER)
    result = run_module(cv_iteration_publish, project_name="Widget", publish_name="beta")
    assert result["iteration"]["original_publish_resource_id"] == OTHER
    monkeypatch.setenv("VISION_PREDICTION_RESOURCE_ID", "")
    result = run_module(cv_iteration_publish, project_name="Widget", publish_name="beta")
    assert "or set VISION_PREDICTION_RESOURCE_ID" in result["msg"]
    result = run_module(cv_iteration_publish, project_name="Widget", publish_name="beta", state="absent")
    assert result["changed"]


# --- A service that behaves otherwise ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["BadRequestInvalidPublishName", "BadRequestIterationIsPublished"])
def test_where_overwriting_is_refused_the_bearer_is_unpublished_first(publish, dev, project, code):
    dev.faults.add("PublishIteration", status=400, code=code)
    result = publish()
    assert result["changed"] and published(project) == [None, "live"]
    assert [request.operation for request in writes(dev)] == [
        "PublishIteration", "UnpublishIteration", "PublishIteration",
    ]


def test_where_overwriting_leaves_the_name_to_both_the_other_is_unpublished(publish, dev, project, monkeypatch):
    def publish_beside(_project, iteration, name, target, _overwrite):
        iteration.publish_name, iteration.publish_target = name, target

    monkeypatch.setattr(emulator.iterations, "publish", publish_beside)
    assert publish()["changed"] and published(project) == [None, "live"]
    assert [request.operation for request in writes(dev)] == ["PublishIteration", "UnpublishIteration"]


def test_a_service_that_publishes_nothing_is_found_out(publish, dev, monkeypatch):
    monkeypatch.setattr(emulator.iterations, "publish", lambda *_of: None)
    result = publish("beta")
    assert result["failed"] and result["changed"] and "does not show what was published" in result["msg"]
    assert len(dev.requests) <= 8


def test_a_name_that_another_run_takes_in_between_is_taken_back(publish, dev, project, monkeypatch):
    bare(dev, project)
    publish_really = emulator.iterations.publish

    def be_late(its_project, iteration, *more):
        monkeypatch.setattr(emulator.iterations, "publish", publish_really)
        publish_really(its_project, next(iter(project.iterations.values())), *more)
        return publish_really(its_project, iteration, *more)

    monkeypatch.setattr(emulator.iterations, "publish", be_late)
    assert publish()["changed"] and published(project) == [None, "live"]
    assert [request.operation for request in writes(dev)] == ["PublishIteration"] * 2  # the second one overwrites


def test_a_name_that_the_service_does_not_take_is_told_at_once(publish, dev, project):
    bare(dev, project)
    dev.faults.add("PublishIteration", status=400, code="BadRequestInvalidPublishName", times=None)
    result = publish("no good")
    assert "400 BadRequestInvalidPublishName" in result["msg"] and result["changed"] is False
    assert operations(dev) == PUBLISHED


@pytest.mark.parametrize("code", ["BadRequestInvalidPublishTarget", "BadRequestInvalidPublishName"])
def test_what_was_unpublished_in_vain_is_published_again(publish, dev, project, code):
    put(dev, project, 1, "beta")
    times = 1 if code == "BadRequestInvalidPublishTarget" else 2
    dev.faults.add("PublishIteration", status=400, code=code, times=times)
    result = publish("gamma", prediction_resource_id=OTHER)
    assert result["failed"] and result["changed"] and code in result["msg"]
    assert result["msg"].endswith("What had been unpublished to make way is published again: 'beta'.")
    assert published(project) == ["live", "beta"]
    assert {iteration.publish_target for iteration in project.published} == {dev.prediction_resource_id}


def test_where_that_fails_too_it_is_told_and_the_next_run_publishes(publish, dev, project):
    dev.faults.add("PublishIteration", status=401, times=None)
    result = publish(iteration_name="Iteration 1", prediction_resource_id=OTHER)
    assert result["failed"] and result["changed"] and published(project) == [None, None]
    assert result["msg"].endswith("It may be that nothing is published as 'live' now: run again once this is mended.")
    dev.faults.clear()
    assert publish(iteration_name="Iteration 1", prediction_resource_id=OTHER)["changed"]
    assert published(project) == ["live", None]


@pytest.mark.parametrize("had, times", [(None, None), ("beta", 1)])
def test_what_did_not_yield_in_vain_is_not_put_back(publish, dev, project, had, times):
    if had:
        put(dev, project, 1, had)
    dev.faults.add("GetIterations", after=1, status=403, times=times)
    result = publish()
    assert result["failed"] and result["changed"] and published(project) == [None, "live"]
    assert result["msg"].startswith("GET ") and "published" not in result["msg"]
    assert operations(dev).count("PublishIteration") == 1


# --- Faults -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """A fault as the emulator's README has it, and whether one more try helps."""

    name: str
    how: dict
    passes: bool = True


TROUBLES = [
    Trouble("dropped before", {"drop": "before"}),
    Trouble("dropped after", {"drop": "after"}),
    Trouble("too late", {"delay_after": 1.2}),
    Trouble("408", {"status": 408, "shape": "text"}),
    Trouble("429", {"status": 429, "headers": {"Retry-After": "0"}}),
    Trouble("500", {"status": 500, "message": "Sorry about {key}."}),
    Trouble("503", {"status": 503, "shape": "html"}),
    Trouble("html", {"malformed": "html"}, passes=False),
    Trouble("another type", {"malformed": "type"}, passes=False),
    Trouble("302", {"redirect": "http://127.0.0.1:9/?sig=1"}, passes=False),
    Trouble("400", {"status": 400, "code": "BadRequestOfANewKind", "message": "Sorry about {key}."}, passes=False),
    Trouble("403", {"status": 403, "shape": "html"}, passes=False),
]


def heals(operation, trouble, for_ever):
    """Whether the run ends as if there were no fault."""
    if operation == "UnpublishIteration" and "malformed" in trouble.how:
        return True  # it has no result that could be wrong
    carried_out = trouble.how.keys() & {"drop", "delay_after", "malformed"} and trouble.how.get("drop") != "before"
    if operation != "GetIterations" and carried_out:
        return True  # the iteration tells
    return trouble.passes and not for_ever


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("operation, spared", [
    ("GetIterations", 0), ("UnpublishIteration", 0), ("PublishIteration", 0), ("GetIterations", 1),
])  # fmt: skip
def test_whatever_goes_wrong_the_name_is_there_in_the_end(publish, dev, project, operation, spared, for_ever, trouble):
    if trouble.name == "too late" and for_ever and operation == "GetIterations":
        pytest.skip("takes long, and is like the others")
    put(dev, project, 1, "beta")
    dev.faults.add(operation, after=spared, times=None if for_ever else 1, **trouble.how)
    result = publish(timeout=1)
    written = [request for request in writes(dev) if request.status in (None, 200, 204, 408) or request.status >= 500]
    assert result["changed"] is bool(written)
    if heals(operation, trouble, for_ever):
        assert not result.get("failed") and result["iteration"]["publish_name"] == "live"
        assert published(project) == [None, "live"]
    else:
        assert result["failed"] and result["msg"].startswith(("GET", "POST", "DELETE")) and result["msg"].endswith(".")
        # Either way dev has what it had, or what it is to have, or is told that it may have neither.
        assert published(project)[1] in ("beta", "live") or "nothing is published as 'beta'" in result["msg"]
    dev.faults.clear()
    assert not publish().get("failed") and published(project) == [None, "live"]
    dev.requests.clear()
    assert publish()["changed"] is False and operations(dev) == ["GetIterations"]


def test_a_doubtful_publishing_is_looked_at_before_it_is_sent_again(publish, dev):
    dev.faults.add("PublishIteration", drop="after")
    assert publish()["changed"]
    assert operations(dev) == ["GetIterations", "PublishIteration", "GetIteration", "GetIterations"]
    dev.requests.clear()
    dev.faults.add("PublishIteration", drop="before")
    publish("beta", iteration_name="Iteration 1")
    assert operations(dev) == [
        "GetIterations", "PublishIteration", "GetIteration", "PublishIteration", "GetIterations",
    ]


def test_a_publishing_is_sent_three_times_at_the_most(publish, dev):
    dev.faults.add("PublishIteration", status=503, times=None)
    result = publish("beta")
    assert result["failed"] and "503" in result["msg"] and operations(dev).count("PublishIteration") == 3


def test_an_unpublishing_whose_answer_was_lost_counts(publish, dev, project):
    dev.faults.add("UnpublishIteration", drop="after")
    assert publish(state="absent")["changed"] and published(project) == [None, None]
    assert operations(dev).count("UnpublishIteration") == 2


def test_what_somebody_else_unpublished_first_is_no_failure(publish, dev, project):
    unpublish_really = emulator.iterations.unpublish

    def be_late(iteration):
        iteration.publish_name = None
        unpublish_really(iteration)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(emulator.iterations, "unpublish", be_late)
        result = publish(state="absent")
    assert not result.get("failed") and result["changed"] is False and published(project) == [None, None]


class Kill(Fault):
    """The connection is cut because the client dies."""

    victim = None

    @property
    def drops(self):
        self.victim.kill()
        self.victim.wait()
        return True


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["UnpublishIteration", "PublishIteration"])
def test_a_run_that_is_killed_is_finished_by_the_next(publish, dev, project, tmp_path, monkeypatch, operation, when):
    put(dev, project, 1, "beta")
    process = start(make_tree(tmp_path), "cv_iteration_publish")
    kill = Kill(operation, drop=when)
    kill.victim = process
    with monkeypatch.context() as patched:
        patched.setattr(dev.faults, "take", lambda met: kill if met == operation else None)
        arguments = {"publish_name": "live", "prediction_resource_id": dev.prediction_resource_id}
        assert finish(process, {**connection(dev, project_id=project.id), **arguments}) is None
    left = {"before": "beta", "after": None} if operation == "UnpublishIteration" else {"before": None, "after": "live"}
    assert published(project)[1] == left[when]
    assert publish()["changed"] is (left[when] != "live")
    assert published(project) == [None, "live"]


# --- Secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["training_key", "access_token"])
@pytest.mark.parametrize("operation", ["GetIterations", "PublishIteration", "UnpublishIteration"])
def test_a_key_that_the_service_quotes_is_taken_out(run_module, dev, project, option, operation):
    put(dev, project, 1, "beta")
    secret = getattr(dev, option)
    dev.faults.add(operation, status=400, message=f"Bad key {secret}.")
    result = run_module(
        cv_iteration_publish, endpoint=dev.endpoint, project_id=project.id, publish_name="live",
        prediction_resource_id=OTHER, **{option: secret},
    )
    assert result["failed"] and "Bad key ***" in result["msg"] and secret not in json.dumps(result)
