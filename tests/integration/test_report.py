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
from emulated import connection, names, operations, quotes_a_link
from emulator.samples import fill, make_project, sdk, train
from reported import Page, made_up

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "roles/promote/templates/report.html.j2"
# Markup, ends of attributes and comments, entities, and what Ansible would take for a template.
HOSTILE = """</style></b><script>alert("1")</script><img src=x onerror='alert(1)'> " ' & &lt; <!-- {{ 7 * 7 }} {% if %} {#"""
# An inventory is the user's own: before 2.19 Ansible itself takes its braces for a template.
HOSTILE_HOST = """<b>"'&<i>"""


@pytest.fixture(name="promote")
def fixture_promote(play, tmp_path, emulator, dev, prod):
    """Promotes from dev to prod with a report; gives the run and the page, or None where there is none.

    Whatever happens, no secret may be on the page.
    """
    report = tmp_path / "report.html"

    def promote(*arguments, **variables):
        report.unlink(missing_ok=True)
        sides = {"promote_source": connection(dev), "promote_destination": connection(prod)}
        run = play(*arguments, **{**sides, "promote_match": "*", "promote_report": str(report), **variables})
        if not report.is_file():
            return run, None
        page = Page(report)
        assert not quotes_a_link(page.source)
        for resource in emulator.resources.values():
            assert resource.training_key not in page.source and resource.access_token not in page.source
        return run, page

    return promote


@pytest.fixture(name="promote_hosts")
def fixture_promote_hosts(play, dev, prod):
    """Promotes from dev to prod on hosts with variables of their own."""

    def promote_hosts(hosts, *arguments, **variables):
        sides = {"promote_source": connection(dev), "promote_destination": connection(prod)}
        hosts = {host: {**sides, "promote_match": "*", **given} for host, given in hosts.items()}
        return play(*arguments, hosts=hosts, promote_hosts="all", **variables)

    return promote_hosts


def test_a_promotion_is_told(promote, dev, prod):
    fill(dev)
    run, page = promote()
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert "<h1>3 projects promoted</h1>" in page.source and "✓ Succeeded" in page.text
    for text in (dev.endpoint, prod.endpoint, "Host localhost", "Wanted state latest"):
        assert text in page.text
    for project in sdk(prod).get_projects():
        assert project.id in page.text and project.name in page.text
    assert re.search(r"Widget inspection ✓ Copied 2 3 24 ✓ yes – Source id [0-9a-f-]{36} Destination id", page.text)
    assert re.search(r"Created \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page.text)
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC<', page.source)
    assert "Copied new at the destination 3 Altogether projects 3" in page.text
    assert "went wrong" not in page.text and "Warnings" not in page.text
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert page.text.endswith(f"Written by the Ansible collection cvops.custom_vision {version}.")


def test_a_second_run_still_changes_nothing_and_costs_no_further_request(promote, dev, prod):
    make_project(dev, "Widget", images=2)
    promote()
    dev.requests.clear()
    prod.requests.clear()
    run, page = promote("--diff", promote_state="present")
    assert run.status == 0 and run.changed == {"localhost": 0} and "<html" not in run.output
    assert operations(dev) == operations(prod) == ["GetProjects"]
    assert "<h1>1 project unchanged</h1>" in page.source and "– – – not compared" in page.text


def test_it_says_why_a_copy_stays_rolled_back(promote, play, dev, prod):
    project = make_project(dev, "Widget", images=2)
    promote()
    train(sdk(dev), project)
    promote()
    play(playbook="cvops.custom_vision.rollback", promote_destination=connection(prod), promote_projects="Widget")
    run, page = promote()
    assert run.status == 0 and run.changed == {"localhost": 0}
    assert "<h1>1 project unchanged</h1>" in page.source and "✓ Succeeded There is a warning, see below." in page.text
    assert re.search(
        r" Warnings project 'Widget': it stays as it is, because 'Widget \(withdrawn \w+\)' equals the source and was "
        r"rolled back on purpose: train or change the source to promote it again Totals ", page.text,
    )


def test_check_mode_writes_no_page(promote, dev, tmp_path):
    make_project(dev, "Widget", images=2)
    run, page = promote("--check", promote_report=str(tmp_path / "new/report.html"))
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert page is None and not (tmp_path / "new").exists()


def test_without_a_path_there_is_no_page(promote_hosts):
    hosts = {"empty": {"promote_report": ""}, "blank": {"promote_report": " "}, "left-out": {}}
    run = promote_hosts(hosts, promote_match="Nothing")
    assert run.failed == dict.fromkeys(hosts, 1) and "Write the report" not in run.output
    assert "could not be written: " not in run.output


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


def test_a_failure_before_any_of_the_named_copies_is_told(promote, prod):
    prod.faults.add("GetProjects", times=None, status=401, shape="gateway")
    run, page = promote(promote_match=[], promote_projects=["Gadget", "Widget"])
    assert run.status != 0
    rows = [(project["name"], project["id"], project["action"]) for project in run.promoted]
    assert rows == [("Gadget", None, "failed"), ("Widget", None, "failed")]
    assert "<h1>2 projects failed</h1>" in page.source
    assert re.search(
        "What went wrong GET [^ ]* of the destination resource at [^ ]* was refused with 401 Unauthorized: .* "
        "Gadget project 'Gadget': not begun, .* Widget project 'Widget': not begun, .* Totals", page.text,
    )


def test_an_endpoint_that_may_hold_a_password_is_not_shown(promote_hosts, dev, tmp_path):
    endpoints = {
        "user": "https://user:SECRET@vision.example.com", "query": "https://vision.example.com/?key=SECRET",
        "path": "https://vision.example.com/SECRET/@vision", "text": "SECRET",
    }
    hosts = {
        host: dict.fromkeys(("promote_source", "promote_destination"), {**connection(dev), "endpoint": endpoint})
        for host, endpoint in endpoints.items()
    }
    promote_hosts(hosts, promote_report=f"{tmp_path}/{{{{ inventory_hostname }}}}.html")
    hidden = "not shown, because it is not a plain address"
    for host in hosts:
        assert f"From {hidden} To {hidden} " in Page(tmp_path / f"{host}.html").text
    assert "SECRET" not in (tmp_path / "user.html").read_text(encoding="utf-8")


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


def test_each_host_has_a_page(promote_hosts, tmp_path, dev, emulator):
    make_project(dev, "Widget", images=2)
    hosts = {side: {"promote_destination": connection(emulator[side])} for side in ("west", "east")}
    run = promote_hosts(hosts, promote_report=f"{tmp_path}/reports/{{{{ inventory_hostname }}}}.html")
    assert run.status == 0
    for side in hosts:
        text = Page(tmp_path / "reports" / f"{side}.html").text
        assert f"To {emulator[side].endpoint}" in text and f"Host {side}" in text


def test_where_the_page_goes(promote_hosts, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o1777)
    (tmp_path / "other").mkdir()
    paths = {"relative": "some/new/folders/page.html", "inside": f"{folder}/page.html", "folder": f"{folder}",
             "slash": f"{tmp_path}/other/", "new": f"{tmp_path}/new/"}
    run = promote_hosts({host: {"promote_report": path} for host, path in paths.items()}, promote_match="Nothing")
    assert run.failed == dict.fromkeys(paths, 1) and "could not be written: " not in run.output
    where = {"relative": "some/new/folders/page.html", "inside": "folder/page.html", "folder": "folder/report.html",
             "slash": "other/report.html", "new": "new/report.html"}
    for host, path in where.items():
        assert f"Host {host} " in Page(tmp_path / path).text
        # All may read it.
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o644
    # A folder that was there keeps its mode.
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777


def test_a_path_that_cannot_be_written_fails_after_the_copying_and_does_not_hide_that_this_failed(
    promote_hosts, dev, prod, tmp_path,
):
    make_project(dev, "Widget", images=2)
    (tmp_path / "file").touch()
    run = promote_hosts({
        "copies": {"promote_report": f"{tmp_path}/file/page.html"},
        "fails": {"promote_report": f"{tmp_path}/file/new/page.html", "promote_match": "Nothing"},
    })
    assert run.status != 0 and run.failed == {"copies": 1, "fails": 1} and run.changed == {"copies": 1, "fails": 0}
    actions = {project["host"]: project["action"] for project in run.promoted}
    assert actions == {"copies": "copied", "fails": "failed"} and names(prod) == ["Widget"]
    assert f'"msg": "The report {tmp_path}/file/page.html could not be written: ' in run.output
    assert re.search(rf'"msg": "[^"]*Nothing[^"]* The report {tmp_path}/file/new/page.html could not be', run.output)


def test_everything_of_a_copy_is_told(pages_of):
    failed = made_up("Failed", action="failed", destination=None, counts=None, verified=None, published=[],
                     set_aside=[], deleted=[], error="Error 12")
    (page,) = pages_of({"localhost": {
        "failed": True, "msg": "1 of 2 copies failed: Error 12", "copies": [made_up(), failed],
        "warnings": ["Warning 1", "Warning 2"],
    }})
    assert "<h1>1 project promoted, 1 failed</h1>" in page.source
    assert "What went wrong Failed 1 Error 12 Warnings Warning 1 Warning 2 Totals" in page.text
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
        return {"failed": True, "msg": f"{text} 14", "copies": [made_up(text), bad], "warnings": [f"{text} 13"]}

    def outline(page):
        return [(tag, attributes) for tag, attributes in page.outline if tag != "time"]

    tame, hostile, tame_and_empty, hostile_and_empty = pages_of({
        "tame": result("Tame"), HOSTILE_HOST: result(HOSTILE),
        "empty": {"failed": True, "msg": "Tame", "copies": []},
        f"{HOSTILE_HOST} too": {"failed": True, "msg": HOSTILE, "copies": []},
    })
    assert outline(hostile) == outline(tame) and outline(hostile_and_empty) == outline(tame_and_empty)
    # The fifth is the name again.
    shown = {*range(1, 14)} - {5}
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
