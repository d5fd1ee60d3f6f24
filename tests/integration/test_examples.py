# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented examples run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from emulated import connection, names, operations
from emulator.samples import fill, sdk

CONNECTION = ("TRAINING_ENDPOINT", "TRAINING_KEY")
ROLE_README = Path(__file__).resolve().parents[2] / "roles/promote/README.md"


@pytest.fixture(name="resources")
def fixture_resources(dev, prod):
    """Variables and environment variables as the examples take them to be."""
    fill(dev)
    dev.requests.clear()
    environment = {}
    for prefix, resource in {"VISION": dev, "VISION_SOURCE": dev, "VISION_DESTINATION": prod}.items():
        environment[f"{prefix}_TRAINING_ENDPOINT"] = resource.endpoint
        environment[f"{prefix}_TRAINING_KEY"] = resource.training_key
    environment["VISION_PREDICTION_RESOURCE_ID"] = dev.prediction_resource_id
    return {
        "dev": connection(dev), "prod": connection(prod), "environment": environment,
        "prod_prediction_resource_id": prod.prediction_resource_id,
        "dev_prediction_resource_id": dev.prediction_resource_id,
    }


@pytest.fixture(name="play_tasks")
def fixture_play_tasks(play):
    def play_tasks(tasks, module_defaults=None, **variables):
        on_localhost = {"hosts": "localhost", "gather_facts": False, "module_defaults": module_defaults or {}}
        return play(playbook=[{**on_localhost, "tasks": tasks}], **variables)

    return play_tasks


@pytest.mark.parametrize("module", ["cv_project_info", "cv_project_copy", "cv_iteration_publish"])
def test_the_examples_of_a_module(documentation, play_tasks, resources, dev, prod, module):
    examples = yaml.safe_load(documentation(f"cvops.custom_vision.{module}")["examples"])
    assert len(examples) > 1
    run = play_tasks(examples, **resources)
    assert run.status == 0, run.output
    assert ("Shelf stock (EU)" in names(prod)) == (module == "cv_project_copy")
    publishings = [operation for operation in operations(dev) if operation.endswith("lishIteration")]
    assert (publishings == ["PublishIteration", "UnpublishIteration"]) == (module == "cv_iteration_publish")


def test_the_examples_of_a_rollback(documentation, play_tasks, resources, prod):
    """Where all but the connection is as after a promotion; the environment is the destination's."""
    for name in ("Widget inspection", "Shelf stock"):
        sdk(prod).create_project(name)
        sdk(prod).create_project(f"{name} (superseded 20261123T190000Z)")
    environment = {f"VISION_{name}": resources["environment"][f"VISION_DESTINATION_{name}"] for name in CONNECTION}
    examples = yaml.safe_load(documentation("cvops.custom_vision.cv_project_rollback")["examples"])
    run = play_tasks(examples, prod=resources["prod"], environment=environment)
    assert run.status == 0, run.output
    there = names(prod)
    assert there[:2] == ["Shelf stock", "Shelf stock (superseded 20261123T190000Z)"]
    assert there[2] == "Widget inspection" and there[3].startswith("Widget inspection (withdrawn ")


def test_the_example_of_the_role(play, resources, prod):
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", ROLE_README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    run = play(playbook=yaml.safe_load(example), **resources)
    assert run.status == 0 and names(prod) == ["Widget inspection"]


def test_module_defaults_for_the_group_give_the_connection(play_tasks, resources, dev):
    publishing = {
        "project_name": "Widget inspection", "publish_name": "production",
        "prediction_resource_id": resources["dev_prediction_resource_id"],
    }
    run = play_tasks(
        [
            {"cvops.custom_vision.cv_project_info": {}},
            {"cvops.custom_vision.cv_iteration_publish": publishing},
            {"cvops.custom_vision.cv_project_rollback": {"name": "Nothing"}, "ignore_errors": True},
        ],
        module_defaults={"group/cvops.custom_vision.resource": connection(dev)},
    )
    assert run.status == 0 and operations(dev) == ["GetProjects", "GetProjects", "GetIterations", "GetProjects"]
