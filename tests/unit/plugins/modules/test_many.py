# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many projects at once: what they cost, and that no resource gets more requests a second than it allows."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from uuid import uuid4

import pytest
from ansible_collections.cvops.custom_vision.plugins.module_utils import _pacing
from ansible_collections.cvops.custom_vision.plugins.modules import cv_project_copy
from emulated import connection, operations

READS = ("GetIterations", "GetTags", "GetTaggedImageCount")


@pytest.fixture(name="copy")
def fixture_copy(run_module, dev, prod):
    """Copies all that is at dev to prod."""

    def copy(**arguments):
        usual = {"source": connection(dev), "destination": connection(prod), "wait_sleep": 0.5, "rate_limit": 1000}
        result = run_module(cv_project_copy, match=["*"], **{**usual, **arguments})
        assert not result.get("failed"), result["msg"]
        return result

    return copy


def multiply(resource, project, number):
    """Makes one project so many."""
    for copy in range(2, number + 1):
        another = deepcopy(resource.store.projects[project.id])
        another.id, another.name = str(uuid4()), f"Widget {copy}"
        resource.store.projects[another.id] = another


def actions(result):
    return Counter(copy["action"] for copy in result["copies"])


def cost(resource):
    """What a resource was asked since the last time, beside lists; and the lists."""
    asked = Counter(operations(resource))
    resource.requests.clear()
    return asked, asked.pop("GetProjects")


@pytest.mark.parametrize("number", [10, 100])
def test_the_cost_of_many_is_that_of_one_times_their_number(copy, dev, prod, widget, number):
    multiply(dev, widget, number)
    prod.project_limit = 2 * number + 1
    each = dict.fromkeys(READS, number)

    assert actions(copy()) == {"copied": number}
    assert cost(dev) == ({**each, "ExportProject": number}, 1)
    asked, _lists = cost(prod)
    assert asked == {**each, "ImportProject": number, "UpdateProject": number}

    assert actions(copy()) == {"unchanged": number}
    assert cost(dev) == cost(prod) == ({}, 1)

    assert actions(copy(state="latest")) == {"unchanged": number}
    assert cost(dev) == cost(prod) == (each, 1)

    for project in dev.store.projects.values():
        project.images.popitem()
    assert actions(copy(state="latest")) == {"replaced": number}
    assert cost(dev) == ({**each, "ExportProject": number}, 1)
    asked, _lists = cost(prod)
    assert asked == {**dict.fromkeys(READS, 2 * number), "ImportProject": number, "UpdateProject": 2 * number}


def test_what_a_resource_allows_is_used_and_not_exceeded(copy, dev, prod, widget, monkeypatch):
    monkeypatch.setattr(_pacing, "LONGEST_WAY", 10)  # for a machine that is busy with something else
    multiply(dev, widget, 10)
    dev.rate_limit = prod.rate_limit = 20
    assert actions(copy(rate_limit=20)) == {"copied": 10}
    for resource in (dev, prod):
        assert {request.status for request in resource.requests} == {200}


def test_imports_begin_before_all_of_the_source_is_read(copy, dev, prod, widget):
    multiply(dev, widget, 10)
    copy(rate_limit=20)
    first_import = next(request.at for request in prod.requests if request.operation == "ImportProject")
    assert sum(request.at < first_import for request in dev.requests if request.operation in READS) < 30


def test_two_sides_of_one_resource_share_what_it_allows(run_module, dev, widget):
    dev.rate_limit = 10
    result = run_module(
        cv_project_copy, source=connection(dev), destination=connection(dev),
        projects=[{"name": "Widget", "destination_name": "Gadget"}],
    )
    assert actions(result) == {"copied": 1}
    assert len(dev.requests) > 10 and all(request.status != 429 for request in dev.requests)
