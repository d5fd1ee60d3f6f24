# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/tower/setup.yml makes with the real awx.awx what Tower needs; skipped where that collection is not installed.

It is no dependency. To run these, name a folder that holds it, beside this collection:
``make ANSIBLE_COLLECTIONS_PATH=$PWD/.tree:FOLDER integration``.
"""

from __future__ import annotations

import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".tree")).split(os.pathsep)
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

pytestmark = pytest.mark.skipif(
    not any((Path(folder) / "ansible_collections/awx/awx").is_dir() for folder in FOLDERS),
    reason="awx.awx is not installed",
)


class _Api(BaseHTTPRequestHandler):
    """As much of Tower's API as awx.awx needs to make things: /api/v2/KIND/[ID/[RELATED/]].

    Lists know the query's fields alone, and a related list the ids that were posted to it.
    """

    def do_GET(self):
        address = urlsplit(self.path)
        kind, *rest = address.path.removeprefix("/api/v2/").strip("/").split("/")
        if len(rest) == 1:
            self._answer(200, self.server.items[kind][int(rest[0])])
        elif rest and rest[1] == "survey_spec":
            self._answer(200, self.server.related.get(address.path, [{}])[-1])
        elif rest:
            self._answer_list([{"id": posted["id"]} for posted in self.server.related.get(address.path, [])])
        else:
            wanted = dict(parse_qsl(address.query))
            kinds = ["job_templates"] if kind == "unified_job_templates" else [kind]
            self._answer_list([
                item for kind in kinds for item in self.server.items.get(kind, {}).values()
                if all(str(item.get(name)) == value for name, value in wanted.items() if name != "type")
            ])

    def do_POST(self):
        path = urlsplit(self.path).path
        kind, *rest = path.removeprefix("/api/v2/").strip("/").split("/")
        if rest and rest[1] == "create_approval_template":
            made = self._make("workflow_approval_templates", self._sent())
            self.server.items[kind][int(rest[0])]["related"]["unified_job_template"] = made["url"]
            self._answer(201, made)
        elif rest:
            self.server.related.setdefault(path, []).append(self._sent())
            self._answer(200 if rest[1] == "survey_spec" else 204, {} if rest[1] == "survey_spec" else None)
        else:
            self._answer(201, self._make(kind, self._sent()))

    def do_PATCH(self):
        kind, number = urlsplit(self.path).path.removeprefix("/api/v2/").strip("/").split("/")
        self.server.items[kind][int(number)].update(self._sent())
        self._answer(200, self.server.items[kind][int(number)])

    def log_message(self, *_of):
        pass

    def _make(self, kind, fields):
        of_kind = self.server.items.setdefault(kind, {})
        number = len(of_kind) + 1
        url = f"/api/v2/{kind}/{number}/"
        related = {"survey_spec": f"{url}survey_spec/"}
        of_kind[number] = {
            "type": kind, "scm_revision": "", "summary_fields": {}, **fields,
            "id": number, "url": url, "related": related,
        }  # fmt: skip
        return of_kind[number]

    def _sent(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer_list(self, items):
        self._answer(200, {"count": len(items), "next": None, "results": items})

    def _answer(self, status, content):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(name="tower")
def fixture_tower():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.items = {"organizations": {1: {"id": 1, "name": "Default", "type": "organization"}}}
    server.related = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(name="set_up")
def fixture_set_up(tower, command, tmp_path):
    def set_up(*arguments, **variables):
        settings = tmp_path / "settings.yml"
        inputs = {"source_endpoint": "https://dev.example.com", "source_training_key": KEY}
        given = {"tower_image": "registry.example.com/custom-vision-ee:0.1.0", "tower_credential_inputs": inputs}
        # `!unsafe` as docs/tower.md has it: a text with braces reaches Tower as it is.
        settings.write_text(yaml.safe_dump({**given, **variables}).replace("'{{", "!unsafe '{{"), encoding="utf-8")
        done = command(
            "ansible-playbook", str(ROOT / "docs/tower/setup.yml"), "-e", f"@{settings}", "-vvv", *arguments,
            environment={
                "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(FOLDERS),
                "CONTROLLER_HOST": f"http://127.0.0.1:{tower.server_port}",
                "CONTROLLER_OAUTH_TOKEN": "t0k3n-of-tower",
            },
        )
        assert KEY not in done.stdout and "t0k3n-of-tower" not in done.stdout
        return done

    return set_up


def of(tower, kind):
    return {item.get("name", item.get("identifier")): item for item in tower.items[kind].values()}


def test_tower_gets_what_the_files_say(set_up, tower):
    destination = {"endpoint": "https://west.example.com", "training_key": "{{ west_key }}"}
    done = set_up(tower_destinations={"prod": {}, "west": destination})
    assert done.returncode == 0, done.stdout
    (kind,) = of(tower, "credential_types").values()
    written = yaml.safe_load((ROOT / "docs/tower/credential_type.yml").read_text(encoding="utf-8"))
    assert (kind["inputs"], kind["injectors"]) == (written["inputs"], written["injectors"])
    (credential,) = of(tower, "credentials").values()
    assert credential["inputs"]["source_training_key"] == KEY and credential["credential_type"] == kind["id"]
    hosts = {name: json.loads(host["variables"]) for name, host in of(tower, "hosts").items()}
    assert hosts == {"prod": {}, "west": {"promote_destination": destination}}
    (template,) = of(tower, "job_templates").values()
    assert template["playbook"] == "playbooks/promote.yml" and (ROOT / template["playbook"]).is_file()
    assert json.loads(template["extra_vars"]) == {"promote_hosts": "all"}
    assert tower.related[f"{template['url']}credentials/"] == [{"id": credential["id"]}]
    survey = yaml.safe_load((ROOT / "docs/tower/survey.yml").read_text(encoding="utf-8"))
    assert tower.related[f"{template['url']}survey_spec/"] == [survey]
    (workflow,) = of(tower, "workflow_job_templates").values()
    assert tower.related[f"{workflow['url']}survey_spec/"] == [survey]
    nodes = of(tower, "workflow_job_template_nodes")
    assert [nodes[name].get("job_type") for name in ("check", "approve", "promote")] == ["check", None, "run"]
    for before, after in (("check", "approve"), ("approve", "promote")):
        assert tower.related[f"{nodes[before]['url']}success_nodes/"] == [{"id": nodes[after]["id"]}]


def test_a_second_run_changes_nothing(set_up):
    """But for the credential in a real Tower, which does not tell its secrets as this API does."""
    assert set_up().returncode == 0
    done = set_up()
    assert done.returncode == 0 and re.search(r" changed=0 .* failed=0 ", done.stdout), done.stdout


def test_what_must_be_given_is_named(set_up, tower):
    done = set_up("-e", '{"tower_credential_inputs": null}')
    assert done.returncode != 0 and "Give tower_image" in done.stdout and "credential_types" not in tower.items
