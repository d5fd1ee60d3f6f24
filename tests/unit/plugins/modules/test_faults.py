# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In doubt, never twice: each request of a copy, and whatever can go wrong with its answer.

What must come out is not listed case by case. It follows from the kind of fault, from whether the
work was done all the same, and from what the request is for: ``heals`` is the rule.
"""

from __future__ import annotations

import json
import re
import time
import typing as t
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from uuid import uuid4

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _connection, _importing, _retrying
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import our_name
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy
from emulated import connection, incoming_name, operations, quotes_a_link
from emulator import Emulator
from emulator.samples import make_project
from emulator.store import free_name

TIMEOUT = 0.2  # seconds; the option takes whole ones, which would be long for so many cases
TOO_LATE = 0.3  # seconds, longer than TIMEOUT
SENT_AGAIN = 5  # times at the most, by docs/behaviour.md

TROUBLE = "trouble"  # of the network or a server: passes, so the request is sent again
NONSENSE = "nonsense"  # 200, but not the call's result: sending it again hardly helps
REFUSAL = "refusal"  # surely not carried out, and would be refused again
GONE = "gone"  # NotFoundProject, as when another run was faster: a fresh list tells

READS = ("GetIterations", "GetProjects", "GetTaggedImageCount", "GetTags")
GROUP = "/subscriptions/1/resourceGroups/vision/providers/Microsoft.CognitiveServices/accounts"
HERE, ELSEWHERE = f"{GROUP}/here", f"{GROUP}/elsewhere"


@dataclass(frozen=True)
class Fault:
    """A fault as the emulator's README has it, its kind, and whether the work is done all the same."""

    name: str
    kind: str
    how: dict
    carried_out: bool = False
    slow: bool = False


@dataclass(frozen=True)
class Occasion:
    """What the destination holds when the run begins, what the run is asked for, and what comes of it.

    ``most`` is how many projects it may ever hold, ``at_rest`` what a run costs each side when all is done.
    """

    name: str = ""
    plant: t.Callable = lambda _scene: None
    options: dict = field(default_factory=dict)
    action: str = "copied"
    verified: bool | None = True
    most: int = 1
    at_rest: tuple = ("GetProjects",)

    @property
    def publishes(self):
        return "prediction_resource_id" in self.options


@dataclass(frozen=True)
class Place:
    """A request of a copy: that of an operation at a side, after so many were spared.

    ``provoked_by`` is a request that has to fail for it to be sent, ``requests`` how many of them may fail one after
    the other; ``faults`` names those to try, all if left out.
    """

    side: str
    operation: str
    occasion: Occasion
    spared: int = 0
    faults: tuple = ()
    provoked_by: str | None = None
    requests: int = 1

    def __str__(self):
        return f"{self.side} {self.operation}{f' after {self.spared}' if self.spared else ''}{self.occasion.name}"


def error(status, shape, **more):
    """An error that quotes the secrets which it was sent."""
    return {"status": status, "shape": shape, "message": "Sorry about {token} and {key}.", **more}


def cut(**headers):
    """An answer that promises more than it holds."""
    headers = {"Transfer-Encoding": "chunked", **headers}
    return {"status": 200, "shape": "text", "message": 'fff\r\n[{"id": "', "headers": headers}


FAULTS = [
    Fault("dropped before", TROUBLE, {"drop": "before"}),
    Fault("dropped after", TROUBLE, {"drop": "after"}, carried_out=True),
    Fault("too late", TROUBLE, {"delay_after": TOO_LATE}, carried_out=True, slow=True),
    Fault("broken off", TROUBLE, cut(Connection="close")),
    Fault("stalled", TROUBLE, cut(), slow=True),
    Fault("408", TROUBLE, error(408, "text")),
    Fault("429", TROUBLE, error(429, "gateway")),
    Fault("429 Retry-After 1", TROUBLE, error(429, "gateway", headers={"Retry-After": "1"})),
    Fault("429 Retry-After soon", TROUBLE, error(429, "old", headers={"Retry-After": "soon"})),
    Fault("500", TROUBLE, error(500, "service")),
    Fault("502", TROUBLE, error(502, "html")),
    Fault("503", TROUBLE, error(503, "empty")),
    Fault("504", TROUBLE, error(504, "gateway")),
    Fault("html", NONSENSE, {"malformed": "html"}, carried_out=True),
    Fault("truncated", NONSENSE, {"malformed": "truncated"}, carried_out=True),
    Fault("another type", NONSENSE, {"malformed": "type"}, carried_out=True),
    Fault("302", REFUSAL, {"redirect": "{elsewhere}"}),
    Fault("307", REFUSAL, {"redirect": "{elsewhere}", "status": 307}),
    Fault("400", REFUSAL, error(400, "service", code="BadRequestOfANewKind")),
    Fault("401", REFUSAL, error(401, "gateway")),
    Fault("403", REFUSAL, error(403, "html")),
    Fault("404", REFUSAL, error(404, "gateway")),
    Fault("NotFoundProject", GONE, error(404, "service", code="NotFoundProject")),
]

# Enough where the others would do no more than at the places before.
READING = ("dropped before", "503", "html", "NotFoundProject")
WRITING = ("dropped before", "dropped after", "429", "503", "html", "NotFoundProject")

NOTHING = Occasion()
FAILED = Occasion(
    " with a holder that failed", lambda scene: scene.plant("prod", status="Failed"), action="replaced", most=2
)
OUTDATED = Occasion(
    " with a holder that differs", lambda scene: scene.plant("prod").images.popitem(), {"state": "latest"},
    action="replaced", most=2, at_rest=READS,
)
# Two copies of earlier runs, of which one is used and the other deleted: for its run, for its age, or for being alike.
LITTER = Occasion(" with litter of a run", lambda scene: (scene.litter("0a1b2c3d"), scene.litter("0a1b2c3d")), most=2)
OLD_LITTER = Occasion(
    " with old litter", lambda scene: (scene.litter("0a1b2c3d", 25), scene.litter("ffffffff", 26).images.popitem()),
    most=2,
)
LITTER_OF_TWO = Occasion(
    " with litter of two runs", lambda scene: (scene.litter("0a1b2c3d"), scene.litter("ffffffff")), most=2
)
PUBLISHED = Occasion(
    " published", lambda scene: scene.publish_source(), {"prediction_resource_id": HERE},
    at_rest=("GetIterations", "GetProjects"),
)
PUBLISHED_ELSEWHERE = replace(
    PUBLISHED, name=" published elsewhere", action="unchanged", verified=None,
    plant=lambda scene: (scene.publish_source(), scene.publish(scene.plant("prod"), ELSEWHERE)),
)

NOT_BEGUN = "project 'Widget': not begun, for the reason that the task's message tells."
FIRST_LISTS = [Place("dev", "GetProjects", NOTHING), Place("prod", "GetProjects", NOTHING)]
AFTER_THE_NAME = [
    Place("prod", "GetIterations", LITTER, spared=1),  # whether the litter is published
    Place("prod", "GetProject", LITTER, faults=READING),  # whether it still has its name
    Place("prod", "DeleteProject", LITTER),
    Place("prod", "DeleteProject", OLD_LITTER, faults=WRITING),
    Place("prod", "GetIterations", LITTER_OF_TWO, spared=1, faults=READING),  # what has the name holds the same
    Place("prod", "GetTags", LITTER_OF_TWO, spared=2, faults=READING),  # as the litter
]
PLACES = [
    *FIRST_LISTS,
    Place("dev", "GetIterations", NOTHING),
    Place("dev", "GetTags", NOTHING),
    Place("dev", "GetTaggedImageCount", NOTHING),
    Place("dev", "ExportProject", NOTHING),
    Place("prod", "ImportProject", NOTHING),
    Place("prod", "GetProjects", NOTHING, spared=1),  # to see whether the import has ended
    Place("prod", "GetIterations", NOTHING),
    Place("prod", "GetTags", NOTHING),
    Place("prod", "GetTaggedImageCount", NOTHING),
    Place("prod", "UpdateProject", NOTHING),
    Place("prod", "UpdateProject", FAILED),
    Place("prod", "UpdateProject", FAILED, spared=1),  # nobody has the name then
    Place("prod", "GetIterations", OUTDATED, faults=READING),
    Place("prod", "GetTags", OUTDATED, faults=READING),
    Place("prod", "GetTaggedImageCount", OUTDATED, faults=READING),
    Place("prod", "UpdateProject", OUTDATED, faults=WRITING),
    Place("prod", "UpdateProject", OUTDATED, spared=1, faults=WRITING),
    *AFTER_THE_NAME,
    Place("prod", "PublishIteration", PUBLISHED, faults=WRITING),
    Place("prod", "GetIteration", PUBLISHED, faults=READING, provoked_by="PublishIteration"),
    Place("prod", "GetIterations", PUBLISHED, spared=1, faults=READING, requests=2),  # what is published then
    Place("prod", "UnpublishIteration", PUBLISHED_ELSEWHERE, faults=WRITING),
    Place("prod", "PublishIteration", PUBLISHED_ELSEWHERE, faults=WRITING, requests=2),  # or what yielded put back
]


def heals(place, fault, for_ever):
    """Whether the run ends as if there were no fault."""
    if place.operation in ("ImportProject", "PublishIteration", "UnpublishIteration") and fault.carried_out:
        return True  # it is looked for, and it is there
    if place.operation == "DeleteProject" and fault.kind == NONSENSE:
        return True  # it has no result that could be wrong
    if place in AFTER_THE_NAME and fault.kind == GONE:
        return True  # what is gone is as good as deleted
    if for_ever or place.occasion.publishes and fault.kind == GONE:
        return False  # a copy that is deleted while it is published is gone
    return fault.kind in (TROUBLE, GONE)


def is_case(place, fault, for_ever):
    if place.faults and fault.name not in place.faults:
        return False
    if (place.operation, fault.name) == ("GetTaggedImageCount", "truncated"):
        return False  # half of a number is a number
    if place.operation == "GetProjects" and fault.kind == GONE:
        return False  # it does not ask for a project
    return for_ever or fault.kind in (TROUBLE, GONE)  # what is not sent again cannot tell once from for ever


CASES = [
    pytest.param(place, fault, for_ever, id=f"{place}: {fault.name}, {'for ever' if for_ever else 'once'}")
    for place in PLACES
    for fault in FAULTS
    for for_ever in (False, True)
    if is_case(place, fault, for_ever)
]


@pytest.fixture(name="emulator", scope="module")
def fixture_emulator():
    """One for all cases, because each starts from what ``scene`` puts there."""
    with Emulator(["dev", "prod", "elsewhere"], import_seconds=0, training_seconds=0) as running:
        yield running


@pytest.fixture(name="sample", scope="module")
def fixture_sample(emulator):
    made = make_project(emulator["dev"], "Widget", images=2)
    return emulator["dev"].store.projects.pop(made.id)


@pytest.fixture(name="scene")
def fixture_scene(emulator, sample, run_module, monkeypatch):
    monkeypatch.setattr(_retrying.ServiceRetry, "BACKOFF", 0.001)
    monkeypatch.setattr(_retrying.ServiceRetry, "LONGEST_WAIT", 0.01)
    for resource in emulator.resources.values():
        resource.store.projects.clear(), resource.faults.clear(), resource.requests.clear()
    scene = Scene(emulator, sample, run_module, monkeypatch)
    scene.plant("dev", "Widget")
    return scene


@dataclass
class Scene:
    """Runs the copy of Widget and checks what holds of every run."""

    emulator: Emulator
    sample: object
    run_module: object
    monkeypatch: pytest.MonkeyPatch

    def plant(self, side, name="Widget", status="Succeeded"):
        project = replace(deepcopy(self.sample), id=str(uuid4()), name=name, status=status)
        self.emulator[side].store.projects[project.id] = project
        return project

    def litter(self, run, hours=0):
        """Plants a copy that a run imported so long ago."""
        name = incoming_name(self.emulator["prod"], run, hours=hours)
        return self.plant("prod", free_name(name, set(self.names())))

    def publish_source(self):
        (project,) = self.emulator["dev"].store.projects.values()
        self.publish(project, HERE)

    def publish(self, project, resource_id):
        (iteration,) = project.iterations.values()
        iteration.publish_name, iteration.publish_target = "live", resource_id

    def names(self):
        """What prod holds, but for what was set aside because it failed or was replaced."""
        names = (project.name for project in self.emulator["prod"].store.projects.values())
        return sorted(name for name in names if getattr(our_name(name), "kind", None) not in ("failed", "superseded"))

    def be_impatient(self, impatient):
        timeout = {"timeout": TIMEOUT} if impatient else {}
        connect = _connection.connect
        self.monkeypatch.setattr(cv_project_copy, "connect", lambda *of: replace(connect(*of), **timeout))
        self.monkeypatch.setattr(_importing, "SHORTEST_WATCH", TIMEOUT)

    def run(self, **options):
        dev, prod, elsewhere = self.emulator.resources.values()
        dev.requests.clear(), prod.requests.clear()
        result = self.run_module(
            cv_project_copy, source=connection(dev), destination=connection(prod), projects=[{"name": "Widget"}],
            wait_sleep=0.02, rate_limit=1000, **options,
        )
        text = json.dumps(result)
        assert "Traceback" not in text
        assert dev.training_key not in text and prod.training_key not in text
        assert not quotes_a_link(text)
        assert not elsewhere.requests
        assert result["changed"] is may_have_written(prod)
        assert self.names().count("Widget") <= 1
        assert all(name == "Widget" or our_name(name) for name in self.names())
        return result


def may_have_written(resource):
    """Whether a write was carried out, or answered so that nobody can tell."""
    return any(
        request.method != "GET" and (request.status in (None, 200, 204, 408) or request.status >= 500)
        for request in resource.requests
    )


def is_well_formed(text):
    """In one line, whole, and without the marks of parts that were put together carelessly."""
    return text.startswith(("project ", "GET ")) and text.endswith(".") and not re.search(
        r"\n|\.\.|\. \.|  |: \.|None|<|Error\b", text
    )


@pytest.mark.parametrize("place, fault, for_ever", CASES)
def test_whatever_goes_wrong_one_whole_copy_is_there_in_the_end(scene, emulator, place, fault, for_ever):
    dev, prod, elsewhere = emulator.resources.values()
    occasion = place.occasion
    occasion.plant(scene)
    how = dict(fault.how)
    if "redirect" in how:
        how["redirect"] = f"{elsewhere.endpoint}/customvision/v3.3/training/projects"
    emulator[place.side].faults.add(place.operation, after=place.spared, times=None if for_ever else 1, **how)
    if place.provoked_by:
        emulator[place.side].faults.add(place.provoked_by, drop="after")
    scene.be_impatient(fault.slow or place.operation == "ImportProject")
    first = scene.run(**occasion.options)

    met = operations(emulator[place.side]).count(place.operation) - place.spared
    assert 1 <= met <= place.requests * (1 + SENT_AGAIN)
    assert len(prod.store.projects) <= occasion.most  # no import was doubled
    if heals(place, fault, for_ever) or place in AFTER_THE_NAME:
        assert not first.get("failed") and first["changed"]
        assert (first["copies"][0]["action"], first["copies"][0]["verified"]) == (occasion.action, occasion.verified)
    else:
        assert first["failed"] and is_well_formed(first["msg"])
        assert [copy["error"] for copy in first["copies"]] == [NOT_BEGUN if place in FIRST_LISTS else first["msg"]]
    if heals(place, fault, for_ever):
        assert scene.names() == ["Widget"] or fault.kind == GONE
        assert not first.get("warnings")
    elif place in AFTER_THE_NAME:
        (warning,) = warnings(first)
        assert is_well_formed(warning)
    elif occasion is PUBLISHED_ELSEWHERE:
        assert published(prod) or "It may be that nothing is published as 'live' now" in first["msg"]

    emulator[place.side].faults.clear()
    scene.be_impatient(False)
    second = scene.run(**occasion.options)
    assert not second.get("failed") and scene.names() == ["Widget"]
    (copy,) = (project for project in prod.store.projects.values() if project.name == "Widget")
    assert (copy.status, len(copy.tags), len(copy.images), len(copy.iterations)) == ("Succeeded", 2, 2, 1)
    assert published(prod) == ([("live", HERE)] if occasion.publishes else [])

    third = scene.run(**occasion.options)
    assert third["changed"] is False and third["copies"][0]["action"] == "unchanged"
    assert tuple(sorted(operations(dev))) == tuple(sorted(operations(prod))) == occasion.at_rest


def published(resource):
    """Under which names at which prediction resources the iterations of what is called Widget are published."""
    iterations = [
        each for project in resource.store.projects.values() if project.name == "Widget" for each in project.published
    ]
    return [(each.publish_name, each.publish_target) for each in iterations]


def warnings(result):
    """The texts of a result's warnings, which ansible-core 2.19 wraps."""
    return [warning if isinstance(warning, str) else warning["event"]["msg"] for warning in result["warnings"]]


def test_an_import_that_arrives_when_the_run_is_over_is_cleared_away_by_the_next(scene, emulator):
    prod = emulator["prod"]
    prod.faults.add("ImportProject", late=60)
    scene.be_impatient(True)
    assert scene.run()["copies"][0]["action"] == "copied"
    assert operations(prod).count("ImportProject") == 2 and scene.names() == ["Widget"]
    emulator.clock.advance(seconds=61)
    scene.be_impatient(False)
    result = scene.run()
    (name,) = result["copies"][0]["deleted"]
    assert our_name(name).kind == "incoming" and scene.names() == ["Widget"]
    assert scene.run()["changed"] is False


@pytest.mark.parametrize("operation", ["GetProjects", "ImportProject"])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["by the message", "by Retry-After"])
def test_the_wait_that_the_service_names_is_kept(scene, emulator, monkeypatch, operation, headers):
    monkeypatch.setattr(_retrying.ServiceRetry, "LONGEST_WAIT", 30)
    prod = emulator["prod"]
    message = "Rate limit is exceeded." if headers else None  # else the usual one: "Please retry after 1 second."
    prod.faults.add(operation, status=429, headers=headers, message=message)
    assert scene.run()["copies"][0]["action"] == "copied"
    moments = [request.at for request in prod.requests if request.operation == operation][:2]
    (wait,) = (after - before for before, after in pairwise(moments))
    assert 1 <= wait < 3


FAR_AHEAD = "Mon, 01 Jan 2029 00:00:00 GMT"


@pytest.mark.parametrize(
    "text",
    ["3600", "99999999999999999999", FAR_AHEAD, "0", "-5", "1.5", "soon", " ", "9" * 5000,
     "Mon, 01 Jan 99999 00:00:00 GMT", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"],
    ids=lambda text: text[:24],
)
def test_no_wait_is_too_long_and_no_retry_after_too_odd(scene, emulator, text):
    emulator["prod"].faults.add("GetProjects", status=429, headers={"Retry-After": text})
    begin = time.monotonic()
    assert scene.run()["copies"][0]["action"] == "copied"
    assert time.monotonic() - begin < 5
