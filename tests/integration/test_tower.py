# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook runs as a job of Tower: under ansible-runner, with nothing but what a credential injects."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import jinja2.sandbox
import pytest
import yaml
from emulated import connection, names, operations, quotes_a_link, writes
from emulator.samples import make_project

ROOT = Path(__file__).resolve().parents[2]
SURVEY = yaml.safe_load((ROOT / "docs/tower/survey.yml").read_text(encoding="utf-8"))
CREDENTIAL_TYPE = yaml.safe_load((ROOT / "docs/tower/credential_type.yml").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs/tower.md").read_text(encoding="utf-8")
(OWN_PLAYBOOK,) = re.findall(r"^```yaml\n(# promote.yml\n.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def injected(**inputs):
    """The environment that Tower makes of a credential; of a field that was left blank it knows nothing."""
    assert inputs.keys() <= {field["id"] for field in CREDENTIAL_TYPE["inputs"]["fields"]}
    templates = jinja2.sandbox.ImmutableSandboxedEnvironment()
    return {
        name: templates.from_string(template).render(inputs)
        for name, template in CREDENTIAL_TYPE["injectors"]["env"].items()
    }


def sliced(hosts, number, count):
    """The hosts that Tower gives to one of several slices, which count from 1."""
    return dict(list(hosts.items())[number - 1 :: count])


@dataclass(frozen=True)
class Job:
    """A finished job: its folder, ansible-runner's word for how it ended, and the events in order."""

    folder: Path
    status: str
    events: list[dict]

    @property
    def changed(self):
        """Numbers of tasks that changed something, by host."""
        return self.events[-1]["event_data"]["changed"]

    @property
    def promoted(self):
        """What the next job of a workflow gets."""
        return self.events[-1]["event_data"]["artifact_data"]["promoted_projects"]


@pytest.fixture(name="widget", autouse=True)
def fixture_widget(dev):
    """A project of dev."""
    return make_project(dev, "Widget", images=2)


@pytest.fixture(name="sides")
def fixture_sides(dev, prod):
    """The fields of a credential with keys; no token was filled in."""
    return {
        "source_endpoint": dev.endpoint,
        "source_training_key": dev.training_key,
        "destination_endpoint": prod.endpoint,
        "destination_training_key": prod.training_key,
    }


@pytest.fixture(name="job")
def fixture_job(tmp_path, emulator, command):
    """Runs a job as Tower does; whatever happens, none of its files but one may hold a secret."""

    def job(inputs, *arguments, name="1", hosts=None, playbook="cvops.custom_vision.promote", **variables):
        folder = tmp_path / "jobs" / name
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".tree")),
            **injected(**inputs),
        }
        extra = {"promote_hosts": "all", "promote_wait_sleep": 0.05, **variables}
        for path, content in {
            "project/promote.yml": yaml.safe_load(OWN_PLAYBOOK),
            "inventory/hosts.yml": {"all": {"hosts": hosts or {"prod": {}}}},
            "env/envvars": environment,
            "env/extravars": extra,
            "env/settings": {"suppress_ansible_output": True},
        }.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(json.dumps(content), encoding="utf-8")
        bin_folder = Path(sys.executable).parent
        done = command(
            "ansible-runner", "run", str(folder), "--playbook", playbook, "--ident", "1", *arguments,
            environment={"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        )
        artifacts = folder / "artifacts/1"
        _look_for_secrets(artifacts, done.stdout, emulator)
        events = [json.loads(path.read_text(encoding="utf-8")) for path in (artifacts / "job_events").glob("*-*.json")]
        status = (artifacts / "status").read_text(encoding="utf-8")
        return Job(folder, status, sorted(events, key=lambda event: event["counter"]))

    return job


def _look_for_secrets(artifacts, output, emulator):
    kept = {path: path.read_text(encoding="utf-8") for path in artifacts.rglob("*") if path.is_file()}
    assert {"stdout", "command", "status"} <= {path.name for path in kept}
    # ansible-runner itself keeps the environment there, for its own user alone.
    command = artifacts / "command"
    assert stat.S_IMODE(command.stat().st_mode) == 0o600 and emulator["dev"].training_key in kept[command]
    text = output + "".join(kept[path] for path in kept if path != command)
    for resource in emulator.resources.values():
        assert resource.training_key not in text and resource.access_token not in text
    assert not quotes_a_link("".join(kept.values()) + output)


def test_a_job_promotes_and_hands_on_what_it_did(job, sides, prod):
    done = job(sides, promote_match="Widget", promote_projects="")
    assert done.status == "successful" and names(prod) == ["Widget"]
    (promoted,) = done.promoted
    assert promoted["id"] and promoted["endpoint"] == prod.endpoint
    assert (promoted["host"], promoted["name"], promoted["action"]) == ("prod", "Widget", "copied")


def test_the_survey_needs_no_more_answer_than_a_name(job, sides, dev, prod):
    make_project(dev, "Gadget", images=1)
    answers = {question["variable"]: question["default"] for question in SURVEY["spec"]}
    done = job(sides, **{**answers, "promote_projects": "Widget\r\n"})
    assert done.status == "successful" and names(prod) == ["Widget"]


def test_a_second_job_changes_nothing(job, sides, dev, prod):
    assert job(sides, promote_match="Widget").changed == {"prod": 1}
    dev.requests.clear()
    prod.requests.clear()
    done = job(sides, name="2", promote_match="Widget")
    assert done.status == "successful" and done.changed == {} and writes(prod) == []
    assert [project["action"] for project in done.promoted] == ["unchanged"]


def test_job_type_check_predicts_and_writes_nothing(job, sides, dev, prod):
    dev.requests.clear()
    done = job(sides, "--cmdline=--check --diff", promote_match="Widget")
    assert done.status == "successful" and done.changed == {"prod": 1}
    assert [(project["id"], project["action"]) for project in done.promoted] == [(None, "copied")]
    assert writes(dev) == writes(prod) == [] and "ExportProject" not in operations(dev)


def test_no_secret_is_kept_at_the_highest_verbosity(job, sides, dev, prod):
    sides |= {"destination_training_key": "", "destination_access_token": prod.access_token}
    done = job(sides, "-vvvvv", promote_match="Widget")
    assert done.status == "successful" and names(prod) == ["Widget"]
    assert "task path: " in (done.folder / "artifacts/1/stdout").read_text(encoding="utf-8")


def test_no_secret_is_kept_of_a_failure(job, sides, dev, prod):
    prod.faults.add("ImportProject", status=400, message="{token} {key}", times=None)
    done = job(sides, "-vvvvv", promote_match="Widget")
    assert done.status == "failed" and "ImportProject" in operations(prod)
    assert [project["action"] for project in done.promoted] == ["failed"]


def test_slices_of_a_job_share_the_hosts(job, sides, emulator, dev):
    hosts = {name: {"promote_destination": connection(emulator[name])} for name in ("prod", "west", "east")}
    of_source = {name: sides[name] for name in ("source_endpoint", "source_training_key")}
    slices = [
        job(of_source, "-vvvv", name=f"slice {number}", hosts=sliced(hosts, number, 2), promote_match="Widget")
        for number in (1, 2)
    ]
    assert [done.status for done in slices] == ["successful"] * 2
    assert [{project["host"] for project in done.promoted} for done in slices] == [{"prod", "east"}, {"west"}]
    assert all(names(emulator[name]) == ["Widget"] for name in hosts)


def test_a_project_of_ones_own_holds_the_keys_of_its_hosts(job, sides, tmp_path, emulator):
    """With the playbook of docs/tower.md. That the keys are vaulted there is Ansible's own business."""
    of_host = tmp_path / "jobs/1/project/host_vars/west.json"
    of_host.parent.mkdir(parents=True)
    of_host.write_text(json.dumps({"west_key": emulator["west"].training_key}), encoding="utf-8")
    destination = {"endpoint": emulator["west"].endpoint, "training_key": "{{ west_key }}"}
    done = job(
        sides, playbook="promote.yml", hosts={"west": {"promote_destination": destination}}, promote_match="Widget"
    )
    assert done.status == "successful" and names(emulator["west"]) == ["Widget"]
