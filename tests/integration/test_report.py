# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's report tells what was done, whatever the names are, and does nothing else."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
import yaml
from emulated import connection, names, operations
from emulator.samples import fill, make_project, sdk
from reported import Page, made_up

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "roles/promote/templates/report.html.j2"
# Markup, ends of attributes and comments, entities, and what Ansible would take for a template.
HOSTILE = """</style></b><script>alert("1")</script><img src=x onerror='alert(1)'> " ' & &lt; <!-- {{ 7 * 7 }} {% if %} {#"""
HOSTILE_HOST = """<b>"'&{{7*7}}<i>"""


@pytest.fixture(name="promote")
def fixture_promote(play, tmp_path, dev, prod):
    """Promotes from dev to prod with a report; gives the run and the page, or None where there is none."""
    report = tmp_path / "report.html"

    def promote(*arguments, **variables):
        report.unlink(missing_ok=True)
        sides = {"promote_source": connection(dev), "promote_destination": connection(prod)}
        run = play(*arguments, **{**sides, "promote_match": "*", "promote_report": str(report), **variables})
        return run, Page(report) if report.is_file() else None

    return promote


def test_a_promotion_is_told(promote, dev, prod):
    fill(dev)
    run, page = promote()
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert "<h1>3 projects promoted</h1>" in page.source and "✓ Succeeded" in page.text
    for text in (dev.endpoint, prod.endpoint, "Host localhost", "Wanted state present"):
        assert text in page.text
    for project in sdk(prod).get_projects():
        assert project.id in page.text and project.name in page.text
    assert re.search(r"Widget inspection ✓ Copied 2 3 24 ✓ yes – Source id [0-9a-f-]{36} Destination id", page.text)
    assert re.search(r"Created \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page.text)
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC<', page.source)
    assert "Copied new at the destination 3 Altogether projects 3" in page.text
    assert "went wrong" not in page.text


def test_it_names_the_version_of_the_collection(promote):
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    _run, page = promote(promote_match="Nothing")
    assert page.text.endswith(f"Written by the Ansible collection cvops.custom_vision {version}.")


def test_a_second_run_still_changes_nothing_and_costs_no_further_request(promote, dev, prod):
    make_project(dev, "Widget", images=2)
    promote()
    dev.requests.clear()
    prod.requests.clear()
    run, page = promote()
    assert run.status == 0 and run.changed == {"localhost": 0}
    assert operations(dev) == operations(prod) == ["GetProjects"]
    assert "<h1>1 project unchanged</h1>" in page.source and "– – – not compared" in page.text


def test_check_mode_writes_no_page(promote, dev, tmp_path):
    make_project(dev, "Widget", images=2)
    run, page = promote("--check", promote_report=str(tmp_path / "new/report.html"))
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert page is None and not (tmp_path / "new").exists()


@pytest.mark.parametrize("nothing", ["", " ", None])
def test_without_a_path_there_is_no_page(promote, dev, nothing):
    make_project(dev, "Widget", images=2)
    run, page = promote(promote_report=nothing)
    assert run.status == 0 and page is None


def test_the_page_is_no_part_of_the_diff(promote, dev):
    make_project(dev, "Widget", images=2)
    run, page = promote("--diff")
    assert page is not None and "<html" not in run.output


def test_one_failure_among_copies_is_told(promote, dev, prod):
    make_project(dev, "Gadget", images=1)
    make_project(dev, "Widget", images=2)
    dev.faults.add("ExportProject", status=403)
    run, page = promote()
    assert run.status != 0 and run.failed == {"localhost": 1} and '"msg": "1 of 2 copies failed: project ' in run.output
    assert "<h1>1 project promoted, 1 failed</h1>" in page.source and "✕ Failed" in page.text
    (failed,) = {"Gadget", "Widget"} - set(names(prod))
    assert f"What went wrong {failed} project '{failed}': GET" in page.text
    assert f"{failed} ✕ Failed" in page.text and "was refused with 403" in page.text
    links = [dict(attributes)["href"] for tag, attributes in page.outline if tag == "a"]
    assert links == ["#error-1"] and 'id="error-1"' in page.source


def test_a_failure_before_any_copy_is_told(promote, prod):
    prod.faults.add("GetProjects", times=None, status=401, shape="gateway")
    run, page = promote()
    assert run.status != 0 and run.promoted == []
    assert "<h1>Nothing was promoted</h1>" in page.source and "✕ Failed" in page.text
    assert "was refused with 401 Unauthorized: Access denied" in page.text
    assert prod.endpoint in page.text and "Totals" not in page.text


def test_an_endpoint_that_may_hold_a_password_is_not_shown(play, dev, tmp_path):
    endpoints = {
        "user": "https://user:SECRET@vision.example.com", "query": "https://vision.example.com/?key=SECRET",
        "path": "https://vision.example.com/SECRET/@vision", "text": "SECRET",
    }
    hosts = {
        host: dict.fromkeys(("promote_source", "promote_destination"), {**connection(dev), "endpoint": endpoint})
        for host, endpoint in endpoints.items()
    }
    play(
        hosts=hosts, promote_hosts="all", promote_match="*",
        promote_report=f"{tmp_path}/{{{{ inventory_hostname }}}}.html",
    )
    hidden = "not shown, because it is not a plain address"
    for host in hosts:
        assert f"From {hidden} To {hidden} " in Page(tmp_path / f"{host}.html").text
    assert "SECRET" not in (tmp_path / "user.html").read_text(encoding="utf-8")


def test_no_secret_is_on_the_page(promote, dev, emulator):
    make_project(dev, "Widget", images=2)
    dev.faults.add("ExportProject", status=403)
    for _failed_then_copied in range(2):
        _run, page = promote()
        assert "sig=" not in page.source
        for resource in emulator.resources.values():
            assert resource.training_key not in page.source and resource.access_token not in page.source


def test_the_environments_endpoints_are_told(play, tmp_path, dev, prod):
    make_project(dev, "Widget", images=2)
    report = tmp_path / "report.html"
    play(promote_match="*", promote_report=str(report), environment={
        "VISION_SOURCE_TRAINING_ENDPOINT": dev.endpoint,
        "VISION_SOURCE_TRAINING_KEY": dev.training_key,
        "VISION_DESTINATION_TRAINING_ENDPOINT": prod.endpoint,
        "VISION_DESTINATION_TRAINING_KEY": prod.training_key,
    })
    assert f"From {dev.endpoint} To {prod.endpoint}" in Page(report).text


def test_each_host_has_a_page(play, tmp_path, dev, emulator):
    make_project(dev, "Widget", images=2)
    hosts = {side: {"promote_destination": connection(emulator[side])} for side in ("west", "east")}
    run = play(
        hosts=hosts, promote_hosts="all", promote_source=connection(dev), promote_match="*",
        promote_report=f"{tmp_path}/reports/{{{{ inventory_hostname }}}}.html",
    )
    assert run.status == 0
    for side in hosts:
        text = Page(tmp_path / "reports" / f"{side}.html").text
        assert f"To {emulator[side].endpoint}" in text and f"Host {side}" in text


def test_a_relative_path_is_taken_from_where_ansible_was_called_and_all_may_read_the_page(promote, dev, tmp_path):
    make_project(dev, "Widget", images=2)
    run, _page = promote(promote_report="some/new/folders/report.html")
    path = tmp_path / "some/new/folders/report.html"
    assert run.status == 0 and Page(path).text
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("path", ["reports", "reports/", "reports/report.html"])
def test_a_folder_that_is_there_keeps_its_mode_and_gets_the_page(promote, tmp_path, path):
    folder = tmp_path / "reports"
    folder.mkdir()
    folder.chmod(0o1777)
    promote(promote_match="Nothing", promote_report=str(tmp_path) + "/" + path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert "1 project failed" in Page(folder / "report.html").text


@pytest.mark.parametrize("path", ["file/report.html", "file/new/report.html"])
def test_a_path_that_cannot_be_written_fails_after_the_copying(promote, dev, prod, tmp_path, path):
    make_project(dev, "Widget", images=2)
    (tmp_path / "file").touch()
    run, _page = promote(promote_report=str(tmp_path / path))
    assert run.status != 0 and run.failed == {"localhost": 1} and run.changed == {"localhost": 1}
    assert [project["action"] for project in run.promoted] == ["copied"] and names(prod) == ["Widget"]
    assert f'"msg": "The report {tmp_path / path} could not be written: ' in run.output


def test_a_path_that_cannot_be_written_does_not_hide_that_the_copying_failed(promote, tmp_path):
    (tmp_path / "file").touch()
    run, _page = promote(promote_match="Nothing", promote_report=str(tmp_path / "file/report.html"))
    assert run.status != 0 and re.search(r'"msg": "[^"]*Nothing[^"]* The report /[^"]* could not be written: ', run.output)


def test_everything_of_a_copy_is_told(pages_of):
    failed = made_up("Failed", action="failed", destination=None, counts=None, verified=None, published=[],
                     set_aside=[], deleted=[], error="Error 12")
    (page,) = pages_of({"localhost": {"failed": True, "msg": "Summary", "copies": [made_up(), failed]}})
    assert "<h1>1 project promoted, 1 failed</h1>" in page.source
    assert "What went wrong Failed 1 Error 12 Totals" in page.text
    assert (
        "Text 1 from Text 3 ✓ Replaced 2 3 24 ✓ yes Text 7, Text 8 Source id Text 2 Destination id Text 4 "
        "Created Text 6 Set aside as Text 9 Deleted Text 10, Text 11"
    ) in page.text
    assert "Failed 1 from Failed 3 ✕ Failed – – – not compared – Source id Failed 2 Destination id none yet" in page.text


def test_actions_in_the_summary_and_in_the_totals(pages_of):
    actions = ["failed", "waited", "unchanged", "copied", "unchanged", "replaced", "of a new kind"]
    (page,) = pages_of({"localhost": {"copies": [made_up(action=action) for action in actions]}})
    assert "<h1>2 projects promoted, 1 waited for, 2 unchanged, 1 failed</h1>" in page.source
    totals = re.findall(r"<dt><b>(.*?)</b>.*?</dt>\n<dd>(\d+)</dd>", page.source)
    assert totals == [
        ("Copied", "1"), ("Replaced", "1"), ("Unchanged", "2"), ("Waited for", "1"), ("Failed", "1"),
        ("of a new kind", "1"), ("Altogether", "7"),
    ]


def test_nothing_becomes_markup_or_a_template(pages_of):
    def result(text):
        bad = made_up(f"{text} a", action="failed", error=f"{text} 12")
        return {"failed": True, "msg": f"{text} 13", "copies": [made_up(text), bad]}

    def outline(page):
        return [(tag, attributes) for tag, attributes in page.outline if tag != "time"]

    tame, hostile, tame_and_empty, hostile_and_empty = pages_of({
        "tame": result("Tame"), HOSTILE_HOST: result(HOSTILE),
        "empty": {"failed": True, "msg": "Tame", "copies": []},
        f"{HOSTILE_HOST} too": {"failed": True, "msg": HOSTILE, "copies": []},
    })
    assert outline(hostile) == outline(tame) and outline(hostile_and_empty) == outline(tame_and_empty)
    # The fifth is the name again.
    shown = {*range(1, 13)} - {5}
    assert [number for number in shown if f"{HOSTILE} {number}" not in hostile.text] == []
    assert f"Host {HOSTILE_HOST}" in hostile.text and HOSTILE in hostile_and_empty.text


def test_the_template_escapes_each_value():
    template = TEMPLATE.read_text(encoding="utf-8")
    macros = "|".join(re.findall(r"{% macro (\w+)", template))
    written = re.findall(r"{{-?\s*(.*?)\s*-?}}", template, re.DOTALL)
    assert len(written) > 30
    assert [value for value in written if not re.fullmatch(rf".*\| e|({macros})\(.*\)", value, re.DOTALL)] == []


def test_the_page_needs_nothing_else_runs_nothing_and_can_be_read_aloud(pages_of):
    (page,) = pages_of({"localhost": {"copies": [made_up()]}})
    tags = [tag for tag, _attributes in page.outline]
    assert not {*tags} & {"script", "img", "iframe", "object", "embed", "form", "base"}
    attributes = [attribute for _tag, attributes in page.outline for attribute in attributes]
    assert [name for name, _value in attributes if name in {"src", "style", "action"} or name.startswith("on")] == []
    assert {value for name, value in attributes if name == "href"} == {"data:,"}
    assert "url(" not in page.source and "@import" not in page.source
    assert page.outline[0] == ("html", (("lang", "en"),))
    assert [tag for tag in tags if tag in {"h1", "h2", "h3"}] == ["h1", "h2", "h2"]
    scopes = [dict(attributes).get("scope") for tag, attributes in page.outline if tag == "th"]
    assert scopes == ["col"] * 7 + ["row"]
