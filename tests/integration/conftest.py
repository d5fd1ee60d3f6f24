# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Emulated resources, and Ansible's commands run against them as a user would, with the installed artifact."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from emulated import quotes_a_link
from emulator import Emulator
from reported import Page

ROOT = Path(__file__).resolve().parents[2]
PROMOTE = "cvops.custom_vision.promote"
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=\d+ +failed=(\d+)", re.MULTILINE)
STATS = re.compile(r"^\tRUN: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """A playbook's run; ``changed`` and ``failed`` are numbers of tasks by host."""

    status: int
    output: str

    @property
    def changed(self):
        return {host: int(changed) for host, changed, _failed in RECAP.findall(self.output)}

    @property
    def failed(self):
        return {host: int(failed) for host, _changed, failed in RECAP.findall(self.output)}

    @property
    def promoted(self):
        """The statistic that the role hands on."""
        (stats,) = STATS.findall(self.output)
        return json.loads(stats)["promoted_projects"]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """A proxy would not find this machine's loopback addresses."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(name="emulator")
def fixture_emulator():
    with Emulator(["dev", "prod", "west", "east"], import_seconds=0.05, training_seconds=0) as running:
        yield running


@pytest.fixture(name="dev")
def fixture_dev(emulator):
    return emulator["dev"]


@pytest.fixture(name="prod")
def fixture_prod(emulator):
    return emulator["prod"]


@pytest.fixture(name="command")
def fixture_command(tmp_path):
    """Runs one of Ansible's commands with nothing of the caller's configuration; gives the finished process."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VISION_"))}
    variables |= {
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".tree")),
        "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        "no_proxy": "127.0.0.1",
    }

    def command(name, *arguments, stderr=subprocess.STDOUT, environment=None):
        return subprocess.run(
            [Path(sys.executable).parent / name, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, cwd=tmp_path,
            env={**variables, **(environment or {})}, encoding="utf-8", timeout=300, check=False,
        )

    return command


@pytest.fixture(name="documentation")
def fixture_documentation(command):
    """Gives a module's documentation as ansible-doc has it."""

    def documentation(module):
        done = command("ansible-doc", "--type", "module", "--json", module, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout)[module]

    return documentation


@pytest.fixture(name="play")
def fixture_play(tmp_path, emulator, command):
    """Runs a playbook, a name or a list of plays; whatever happens, no secret may be in its output."""

    def play(*arguments, playbook=PROMOTE, hosts=None, environment=None, **variables):
        inventory = tmp_path / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts or {}}}))
        # In a file, because Ansible shows its own command line at -vvvv.
        extra = tmp_path / "variables.json"
        extra.write_text(json.dumps({"promote_wait_sleep": 0.05, **variables}))
        if not isinstance(playbook, str):
            plays = tmp_path / "playbook.json"
            plays.write_text(json.dumps(playbook))
            playbook = str(plays)
        done = command(
            "ansible-playbook", "-i", str(inventory), "-e", f"@{extra}", playbook, *arguments, environment=environment
        )
        for resource in emulator.resources.values():
            assert resource.training_key not in done.stdout and resource.access_token not in done.stdout
        assert not quotes_a_link(done.stdout)
        return Run(done.returncode, done.stdout)

    return play


@pytest.fixture(name="pages_of")
def fixture_pages_of(play, tmp_path):
    """The reports of hosts whose results are made up, so that they may hold what the emulator does not do."""

    def pages_of(results, **variables):
        module = tmp_path / "library/planted"
        module.parent.mkdir()
        # A module of its own, so that Ansible treats what is in the results as it does with any module's.
        module.write_text('#!/bin/sh\n# WANT_JSON\ncat "$RESULT"\n')
        hosts = {}
        for number, (host, result) in enumerate(results.items()):
            path = tmp_path / f"result-{number}.json"
            path.write_text(json.dumps({"changed": True, **result}))
            hosts[host] = {"result": str(path), "promote_report": str(path.with_suffix(".html"))}
        run = play(
            playbook=[{"hosts": "all", "connection": "local", "gather_facts": False, "tasks": [
                {"planted": {}, "register": "promote_result", "ignore_errors": True,
                 "environment": {"RESULT": "{{ result }}"}},
                {"ansible.builtin.include_role": {"name": PROMOTE, "tasks_from": "report"}},
            ]}],
            hosts=hosts, ansible_python_interpreter=sys.executable, **variables,
        )
        assert run.status == 0, run.output
        return [Page(Path(variables["promote_report"])) for variables in hosts.values()]

    return pages_of
