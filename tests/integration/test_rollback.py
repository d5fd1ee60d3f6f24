# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rolls back, from the installed artifact and with nothing but Ansible's own commands."""

from __future__ import annotations

import pytest
from emulated import connection, names, writes
from emulator.samples import sdk

ROLLBACK = "cvops.custom_vision.rollback"
SUPERSEDED = "(superseded 20261123T190000Z)"


def promoted(resource, *promoted_names):
    """Leaves what a promotion leaves, a copy that had to yield beside the new one; the old copies' ids by name."""
    client = sdk(resource)
    old = {name: client.create_project(f"{name} {SUPERSEDED}").id for name in promoted_names}
    for name in promoted_names:
        client.create_project(name)
    return old


def held(resource):
    """The ids, by name, of what has a name that no rollback and no promotion gave."""
    return {project.name: project.id for project in sdk(resource).get_projects() if "(" not in project.name}


@pytest.fixture(name="rollback")
def fixture_rollback(play, prod):
    """Rolls back at prod, unless another destination is given."""

    def rollback(*arguments, **variables):
        return play(*arguments, playbook=ROLLBACK, **{"promote_destination": connection(prod), **variables})

    return rollback


def test_the_names_go_back_and_callers_are_handed_the_ids(rollback, prod):
    old = promoted(prod, "Widget", "Gadget")
    run = rollback(promote_projects=["Widget", "Gadget"])
    assert run.status == 0 and run.changed == {"localhost": 1}
    assert held(prod) == old
    assert run.promoted == [
        {
            "host": "localhost", "endpoint": prod.endpoint, "name": name, "id": old[name], "action": "rolled_back",
            "published": [],
        }
        for name in ("Widget", "Gadget")
    ]


def test_a_second_run_changes_nothing(rollback, prod):
    old = promoted(prod, "Widget")
    rollback(promote_projects="Widget")
    before = names(prod)
    run = rollback(promote_projects="Widget")
    assert run.status == 0 and run.changed == {"localhost": 0} and names(prod) == before
    assert [(project["id"], project["action"]) for project in run.promoted] == [(old["Widget"], "unchanged")]


def test_check_mode_predicts_and_writes_nothing(rollback, prod):
    old = promoted(prod, "Widget")
    prod.requests.clear()
    run = rollback("--check", "--diff", promote_projects="Widget")
    assert run.status == 0 and run.changed == {"localhost": 1} and not writes(prod)
    assert [(project["id"], project["action"]) for project in run.promoted] == [(old["Widget"], "rolled_back")]
    assert f'+    "Widget": "{old["Widget"]}"' in run.output


@pytest.mark.parametrize("projects", [
    "Gadget [a]\r\n\n  Widget \n",
    ["Gadget [a]", "Widget", "Widget"],
    [{"id": "of the source", "destination_name": "Gadget [a]"}, {"name": "Widget", "destination_name": ""}],
    [{"name": "Gadget", "destination_name": "Gadget [a]"}, "Widget"],
], ids=["a text", "names", "destination names", "mixed"])
def test_projects_are_given_as_to_the_promotion(rollback, prod, projects):
    old = promoted(prod, "Widget", "Gadget [a]")
    run = rollback(promote_projects=projects)
    assert run.status == 0 and held(prod) == old
    assert [project["name"] for project in run.promoted] == ["Gadget [a]", "Widget"]


@pytest.mark.parametrize("variables", [
    {},
    {"promote_projects": " \n"},
    {"promote_projects": {"name": "Widget"}},
    {"promote_projects": ["Widget", {"id": "of the source"}]},
    {"promote_projects": ["Widget", 5]},
], ids=["nothing", "blanks", "no list", "no name", "a number"])
def test_names_are_needed(rollback, prod, variables):
    run = rollback(**variables)
    assert run.status != 0 and '"Give promote_projects, and in each of them' in run.output
    assert not prod.requests


def test_one_project_that_fails_does_not_hold_back_the_others(rollback, prod):
    old = promoted(prod, "Widget", "Gadget")
    sdk(prod).create_project("Only one")
    run = rollback(promote_projects=["Widget", "Only one", "Nothing", "Gadget"])
    assert run.status != 0 and run.failed == {"localhost": 1}
    assert '"msg": "2 of 4 rollbacks failed, Only one, Nothing: project \'Only one\': there is no superseded' in run.output
    assert held(prod).items() > old.items()
    assert [project["action"] for project in run.promoted] == ["rolled_back", "failed", "failed", "rolled_back"]
    assert [project["id"] for project in run.promoted] == [old["Widget"], None, None, old["Gadget"]]


@pytest.mark.parametrize("blank", ["TRAINING_KEY", "TRAINING_ACCESS_TOKEN"])
def test_the_destinations_variables_are_enough_and_go_before_the_others(play, emulator, prod, blank):
    old = promoted(prod, "Widget")
    environment = {
        "VISION_TRAINING_ENDPOINT": emulator["dev"].endpoint,
        "VISION_TRAINING_KEY": emulator["dev"].training_key,
        "VISION_DESTINATION_TRAINING_ENDPOINT": prod.endpoint,
        "VISION_DESTINATION_TRAINING_KEY": prod.training_key,
        "VISION_DESTINATION_TRAINING_ACCESS_TOKEN": prod.access_token,
        f"VISION_DESTINATION_{blank}": "",
    }
    if blank == "TRAINING_KEY":
        del environment["VISION_TRAINING_KEY"]
    run = play("-vvvv", playbook=ROLLBACK, promote_projects="Widget", environment=environment)
    assert run.status == 0 and held(prod) == old and not emulator["dev"].requests
    assert [project["endpoint"] for project in run.promoted] == [prod.endpoint]


def test_the_modules_own_variables_are_the_last_resort(play, prod):
    old = promoted(prod, "Widget")
    run = play(playbook=ROLLBACK, promote_projects="Widget", promote_destination="", environment={
        "VISION_TRAINING_ENDPOINT": prod.endpoint, "VISION_TRAINING_KEY": prod.training_key,
    })
    assert run.status == 0 and held(prod) == old
    assert [project["endpoint"] for project in run.promoted] == [prod.endpoint]


def test_each_part_of_a_connection_may_come_from_elsewhere(rollback, prod):
    old = promoted(prod, "Widget")
    run = rollback(
        promote_projects="Widget",
        promote_destination={"training_key": prod.training_key, "timeout": 5},
        environment={"VISION_DESTINATION_TRAINING_ENDPOINT": prod.endpoint, "VISION_DESTINATION_TRAINING_KEY": "wrong"},
    )
    assert run.status == 0 and held(prod) == old


def test_the_destinations_key_goes_before_a_token_of_the_modules_own_variables(rollback, emulator, prod):
    """The promotion does not look at these variables."""
    old = promoted(prod, "Widget")
    token = {"VISION_TRAINING_ACCESS_TOKEN": emulator["dev"].access_token}
    run = rollback(promote_projects="Widget", environment=token)
    assert run.status == 0 and held(prod) == old
    run = rollback(promote_projects="Widget", promote_destination={}, environment={
        "VISION_DESTINATION_TRAINING_ENDPOINT": prod.endpoint, "VISION_DESTINATION_TRAINING_KEY": prod.training_key,
        **token,
    })
    assert run.status == 0 and run.changed == {"localhost": 0}


def test_a_token_goes_before_a_key_as_in_the_promotion(rollback, prod):
    old = promoted(prod, "Widget")
    wrong = connection(prod, training_key="wrong")
    token = {"VISION_DESTINATION_TRAINING_ACCESS_TOKEN": prod.access_token}
    run = rollback(promote_projects="Widget", promote_destination=wrong, environment=token)
    assert run.status == 0 and held(prod) == old


def test_what_may_be_a_password_in_an_endpoint_is_not_handed_on(play):
    endpoints = {
        "user": "https://user:SECRET@vision.example.com", "slash": "https://user:SEC/SECRET@vision.example.com",
        "query": "https://vision.example.com?key=SECRET", "fragment": "https://vision.example.com#SECRET",
    }
    run = play(
        playbook=ROLLBACK, promote_hosts="all", promote_projects="Widget",
        hosts={host: {"promote_destination": {"endpoint": endpoint, "training_key": "0" * 32}}
               for host, endpoint in endpoints.items()},
    )
    assert run.failed == dict.fromkeys(endpoints, 1) and "SECRET" not in run.output
    assert {project["host"]: project["endpoint"] for project in run.promoted} == dict.fromkeys(
        endpoints, "https://vision.example.com"
    )


def test_each_host_is_a_resource(play, emulator):
    west, east = emulator["west"], emulator["east"]
    old = {resource.endpoint: promoted(resource, "Widget") for resource in (west, east)}
    down = {"endpoint": "http://127.0.0.1:1", "training_key": "0" * 32}
    destinations = {"west": connection(west), "down": down, "east": connection(east)}
    run = play(
        playbook=ROLLBACK, promote_hosts="all", promote_projects="Widget",
        hosts={name: {"promote_destination": destination} for name, destination in destinations.items()},
    )
    assert run.status != 0 and run.failed == {"west": 0, "down": 1, "east": 0}
    assert {resource.endpoint: held(resource) for resource in (west, east)} == old
    assert sorted((project["host"], project["action"]) for project in run.promoted) == [
        ("down", "failed"), ("east", "rolled_back"), ("west", "rolled_back"),
    ]


@pytest.mark.parametrize("variables, reached", [
    ({"promote_serial": 1, "promote_max_fail_percentage": ""}, False),
    ({"promote_serial": 2, "promote_max_fail_percentage": ""}, True),
    ({"promote_serial": 2, "promote_max_fail_percentage": 0}, False),
], ids=["all of a batch", "goes on", "stops"])
def test_batches_stop_where_they_are_told_to(play, emulator, variables, reached):
    west, east = emulator["west"], emulator["east"]
    old = promoted(east, "Widget")
    promoted(west, "Widget")
    hosts = {
        "locked": {"promote_destination": connection(west, training_key="0" * 32)},
        "west": {"promote_destination": connection(west)},
        "east": {"promote_destination": connection(east)},
    }
    run = play(playbook=ROLLBACK, promote_hosts="all", promote_projects="Widget", hosts=hosts, **variables)
    assert run.status != 0 and (held(east) == old) == reached


def test_the_modules_python_can_be_chosen(rollback):
    assert "/no/such/python" in rollback(promote_projects="Widget", promote_python_interpreter="/no/such/python").output


@pytest.mark.parametrize("destination", [
    None,
    {"training_key": "SECRET", "misspelt": "SECRET"},
    "training_key=SECRET",
], ids=["a success", "a misspelt option", "a text"])
def test_no_secret_is_in_the_most_verbose_output(rollback, prod, destination):
    # That no key and no token is in it is checked for each run.
    promoted(prod, "Widget")
    given = {"promote_destination": destination} if destination else {}
    run = rollback("-vvvv", "--diff", promote_projects="Widget", **given)
    assert bool(run.status) == bool(destination) and "SECRET" not in run.output
    if destination:
        assert "promote_destination is a dictionary with any of endpoint, training_key" in run.output


def test_a_key_that_is_wrong_is_not_shown(rollback, prod):
    wrong = connection(prod, training_key="0123456789abcdef")
    run = rollback("-vvvv", promote_projects=["Widget", "Gadget"], promote_destination=wrong)
    assert run.status != 0 and "401" in run.output and "0123456789abcdef" not in run.output
