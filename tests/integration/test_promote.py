# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role and the playbook promote, from the installed artifact and with nothing but Ansible's own commands."""

from __future__ import annotations

import pytest
from emulated import connection, names, operations, writes
from emulator.samples import fill, make_project, sdk, train


@pytest.fixture(name="widget", autouse=True)
def fixture_widget(dev):
    """A project of dev."""
    return make_project(dev, "Widget", images=2)


@pytest.fixture(name="promote")
def fixture_promote(play, dev, prod):
    """Promotes from dev to prod, unless another destination is given."""

    def promote(*arguments, **variables):
        sides = {"promote_source": connection(dev), "promote_destination": connection(prod)}
        return play(*arguments, **{**sides, **variables})

    return promote


@pytest.fixture(name="promote_to")
def fixture_promote_to(play, dev):
    """Promotes Widget from dev to one destination a host, in the order of the hosts."""

    def promote_to(destinations, **variables):
        hosts = {name: {"promote_destination": destination} for name, destination in destinations.items()}
        given = {"promote_hosts": "all", "promote_source": connection(dev), "promote_match": "Widget"}
        return play(hosts=hosts, **given, **variables)

    return promote_to


def content(resource):
    """What the official SDK sees in each project of a resource, by the project's name."""
    client = sdk(resource)
    return {
        project.name: {
            "tagged images": client.get_tagged_image_count(project.id),
            "untagged images": client.get_untagged_image_count(project.id),
            "tags": sorted(tag.name for tag in client.get_tags(project.id)),
            "iterations": [iteration.name for iteration in client.get_iterations(project.id)],
            "regions": sorted(
                (region.tag_name, region.left, region.top, region.width, region.height)
                for image in client.get_tagged_images(project.id, take=256)
                for region in image.regions or []
            ),
        }
        for project in client.get_projects()
    }


def test_prod_holds_what_dev_holds(promote, dev, prod):
    fill(dev)
    run = promote(promote_match="*")
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert content(prod) == content(dev)
    assert {name for name, held in content(prod).items() if held["regions"]} == {"Shelf stock"}


@pytest.mark.parametrize("state, cost", [
    ("present", ["GetProjects"]),
    ("latest", ["GetProjects", "GetIterations", "GetTags", "GetTaggedImageCount"]),
])
def test_a_second_run_changes_nothing_and_costs_what_it_must_read(promote, dev, prod, state, cost):
    assert promote(promote_match="Widget").changed == {"localhost": 1}
    dev.requests.clear()
    prod.requests.clear()
    run = promote(promote_match="Widget", promote_state=state)
    assert run.status == 0 and run.changed == {"localhost": 0}
    assert operations(dev) == operations(prod) == cost
    assert [project["action"] for project in run.promoted] == ["unchanged"]


def test_check_mode_predicts_and_writes_nothing(promote, dev, prod):
    dev.requests.clear()
    run = promote("--check", "--diff", promote_match="Widget")
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert '+    "Widget": "(new)"' in run.output
    predicted = {"name": "Widget", "id": None, "action": "copied", "published": []}
    assert run.promoted == [{"host": "localhost", "endpoint": prod.endpoint, **predicted}]
    assert writes(prod) == writes(dev) == [] and "ExportProject" not in operations(dev)


def test_projects_are_given_as_a_list(promote, dev, widget, prod):
    make_project(dev, "Gadget", images=1)
    projects = [{"id": widget.id}, {"name": "Widget", "destination_name": "Widget (EU)"}, "Gadget"]
    run = promote(promote_projects=projects)
    assert run.status == 0 and names(prod) == ["Gadget", "Widget", "Widget (EU)"]


@pytest.mark.parametrize("variable, text", [
    ("promote_projects", "Gadget [a]\n\n  Widget \n"),
    ("promote_match", "\n Gadget* \r\nW?dget\n"),
])
def test_a_survey_gives_a_text_with_lines_and_leaves_the_other_one_blank(promote, dev, prod, variable, text):
    make_project(dev, "Gadget [a]", images=1)
    make_project(dev, "Other", images=1)
    run = promote(**{"promote_projects": "", "promote_match": "", variable: text})
    assert run.status == 0 and names(prod) == ["Gadget [a]", "Widget"]


def test_the_latest_model_replaces_the_one_before_and_is_published(promote, dev, prod, widget):
    newest = {"promote_match": "Widget", "promote_prediction_resource_id": prod.prediction_resource_id}
    first = promote(**newest)
    iteration = train(sdk(dev), widget)
    sdk(dev).publish_iteration(widget.id, iteration.id, "live", dev.prediction_resource_id)
    foreseen, second, third = promote("--check", **newest), promote(**newest), promote(**newest)
    assert [list(run.changed.values()) for run in (first, foreseen, second, third)] == [[1], [1], [1], [0]]
    (before,), (after,) = first.promoted, second.promoted
    assert (after["action"], after["published"]) == ("replaced", ["live"]) and after["id"] != before["id"]
    assert third.promoted == [{**after, "action": "unchanged"}]
    there = {project.name: project.id for project in sdk(prod).get_projects()}
    assert there.pop("Widget") == after["id"] and list(there.values()) == [before["id"]]


def test_blanks_of_a_survey_count_as_not_given(promote, prod):
    blank = {"promote_projects": None, "promote_prediction_resource_id": "", "promote_unpublish_superseded": "false"}
    run = promote(promote_match="Widget", promote_retain="1", **blank)
    assert run.status == 0 and names(prod) == ["Widget"]


@pytest.mark.parametrize("variables", [
    {},
    {"promote_projects": " \n", "promote_match": ""},
    {"promote_projects": [{"name": "Widget"}], "promote_match": ["Widget"]},
], ids=["neither", "blanks", "both"])
def test_one_way_to_say_what_to_promote_is_needed(promote, dev, variables):
    dev.requests.clear()
    run = promote(**variables)
    assert run.status != 0 and '"Give promote_projects or promote_match, and not both."' in run.output
    assert dev.requests == []


def test_the_environment_is_enough_and_its_blanks_do_not_count(play, dev, prod):
    run = play(promote_match="Widget", environment={
        "VISION_SOURCE_TRAINING_ENDPOINT": dev.endpoint,
        "VISION_SOURCE_TRAINING_KEY": dev.training_key,
        "VISION_SOURCE_TRAINING_ACCESS_TOKEN": "",
        "VISION_DESTINATION_TRAINING_ENDPOINT": prod.endpoint,
        "VISION_DESTINATION_TRAINING_KEY": "",
        "VISION_DESTINATION_TRAINING_ACCESS_TOKEN": prod.access_token,
    })
    assert run.status == 0 and names(prod) == ["Widget"]
    assert [project["endpoint"] for project in run.promoted] == [prod.endpoint]


def test_each_part_of_a_connection_may_come_from_elsewhere(promote, dev, prod):
    run = promote(
        promote_match="Widget",
        promote_source={"endpoint": dev.endpoint},
        promote_destination={"training_key": prod.training_key},
        environment={
            "VISION_SOURCE_TRAINING_KEY": dev.training_key,
            "VISION_DESTINATION_TRAINING_ENDPOINT": prod.endpoint,
        },
    )
    assert run.status == 0 and names(prod) == ["Widget"]
    assert [project["endpoint"] for project in run.promoted] == [prod.endpoint]


def test_a_failure_fails_the_host_and_what_was_done_is_handed_on_all_the_same(promote, dev, prod):
    make_project(dev, "Gadget", images=1)
    dev.faults.add("ExportProject", status=403)
    run = promote(promote_match="*")
    assert run.status != 0 and run.failed == {"localhost": 1}
    assert '"msg": "1 of 2 copies failed: project ' in run.output
    (copy,) = sdk(prod).get_projects()
    assert {project["name"] for project in run.promoted} == {"Gadget", "Widget"}
    assert {project["action"]: project["id"] for project in run.promoted} == {"copied": copy.id, "failed": None}


def test_the_modules_result_is_there_also_after_a_failure(play, dev, prod):
    run = play(
        playbook=[{
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [{
                "block": [{"ansible.builtin.include_role": {"name": "cvops.custom_vision.promote"}}],
                "rescue": [{"ansible.builtin.debug": {"msg": "The copy {{ promote_result.copies[0].action }}"}}],
            }],
        }],
        promote_source=connection(dev), promote_destination=connection(prod), promote_match="Nothing",
    )
    assert run.status == 0 and "The copy failed" in run.output


def test_one_destination_that_is_down_does_not_hold_back_the_others(promote_to, emulator):
    west, east = emulator["west"], emulator["east"]
    nothing_listens = {"endpoint": "http://127.0.0.1:1", "training_key": "0" * 32}
    run = promote_to({"west": connection(west), "down": nothing_listens, "east": connection(east)})
    assert run.status != 0 and run.failed == {"west": 0, "down": 1, "east": 0}
    assert names(west) == names(east) == ["Widget"]
    assert sorted((project["host"], project["endpoint"], project["action"]) for project in run.promoted) == [
        ("east", east.endpoint, "copied"), ("west", west.endpoint, "copied"),
    ]


def test_what_may_be_a_password_in_an_endpoint_is_not_handed_on(play, dev):
    endpoints = {
        "user": "https://user:SECRET@vision.example.com", "slash": "https://user:SEC/SECRET@vision.example.com",
        "query": "https://vision.example.com?key=SECRET", "fragment": "https://vision.example.com#SECRET",
    }
    run = play(
        promote_hosts="all", promote_source=connection(dev), promote_projects="Widget",
        hosts={host: {"promote_destination": {"endpoint": endpoint, "training_key": "0" * 32}}
               for host, endpoint in endpoints.items()},
    )
    assert run.failed == dict.fromkeys(endpoints, 1) and "SECRET" not in run.output
    assert {project["host"]: project["endpoint"] for project in run.promoted} == dict.fromkeys(
        endpoints, "https://vision.example.com"
    )


@pytest.mark.parametrize("variables, promoted", [
    ({"promote_serial": 2, "promote_max_fail_percentage": ""}, ["Widget"]),
    ({"promote_serial": 2, "promote_max_fail_percentage": 0}, []),
], ids=["goes on", "stops"])
def test_a_rollout_in_batches_stops_where_it_is_told_to(promote_to, emulator, variables, promoted):
    west, east = emulator["west"], emulator["east"]
    wrong_key = connection(emulator["prod"], training_key="0" * 32)
    run = promote_to({"locked": wrong_key, "west": connection(west), "east": connection(east)}, **variables)
    assert run.status != 0 and names(west) == ["Widget"]
    assert names(east) == promoted
    assert [project["host"] for project in run.promoted] == ["west", "east"][:1 + len(promoted)]


def test_the_modules_python_can_be_chosen(promote):
    assert "/no/such/python" in promote(promote_match="Widget", promote_python_interpreter="/no/such/python").output


@pytest.mark.parametrize("variables", [
    {},
    {"promote_destination": {"training_key": "SECRET", "misspelt": "SECRET"}},
    {"promote_destination": "training_key=SECRET"},
    {"promote_state": "no such state"},
], ids=["a success", "a misspelt option", "a text", "a wrong choice"])
def test_no_secret_is_in_the_most_verbose_output(promote, prod, variables):
    # That no key and no token is in it is checked for each run.
    run = promote("-vvvv", "--diff", promote_match="Widget", **variables)
    assert bool(run.status) == bool(variables)
    assert "SECRET" not in run.output
