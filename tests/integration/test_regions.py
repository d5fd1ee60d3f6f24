# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example with a host for each region runs as it stands, but for the addresses and the vault that users make."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from emulated import names, operations
from emulator.samples import fill

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/regions"
PROMOTED = ["Shelf stock", "Widget inspection"]


@pytest.fixture(name="regions")
def fixture_regions(emulator):
    """The resource of each host of the example, in the order of its inventory."""
    hosts = yaml.safe_load((EXAMPLE / "inventory.yml").read_text())["all"]["children"]["regions"]["hosts"]
    return dict(zip(hosts, (emulator[name] for name in ("prod", "west", "east")), strict=True))


@pytest.fixture(name="rollout")
def fixture_rollout(play, command, tmp_path, dev, regions):
    """Runs the playbook with the example's inventory, a vault, and an inventory whose emulated addresses go before."""
    fill(dev)
    folder = tmp_path / "regions"
    shutil.copytree(EXAMPLE, folder)
    keys = {name: region.training_key for name, region in regions.items()}
    vault, password = folder / "group_vars/regions/vault.yml", tmp_path / "password"
    vault.write_text(json.dumps({"source_key": dev.training_key, "region_keys": keys}))
    password.write_text("a password\n")
    assert command("ansible-vault", "encrypt", "--vault-password-file", password, vault).returncode == 0
    assert vault.read_text().startswith("$ANSIBLE_VAULT")

    def rollout(*arguments, down=()):
        endpoints = {name: region.endpoint for name, region in regions.items()}
        endpoints |= {name: "http://127.0.0.1:1" for name in down}  # nothing listens there
        addresses = tmp_path / "addresses/hosts.json"
        addresses.parent.mkdir(exist_ok=True)
        addresses.write_text(json.dumps({"regions": {
            "hosts": {name: {"region_endpoint": endpoint} for name, endpoint in endpoints.items()},
            "vars": {"source_endpoint": dev.endpoint},
        }}))
        return play(
            "-i", str(folder / "inventory.yml"), "-i", str(addresses), "--vault-password-file", str(password),
            *arguments, promote_hosts="regions",
        )

    return rollout


def rows(run):
    """Of the statistic each host with the names of its projects."""
    return {
        host: sorted(row["name"] for row in run.promoted if row["host"] == host)
        for host in {row["host"] for row in run.promoted}
    }


def test_all_regions_get_the_projects_and_again_nothing(rollout, regions):
    first, second = rollout("--forks", "3"), rollout("-vvvv")
    assert first.status == 0 and first.changed == dict.fromkeys(regions, 1)
    assert rows(first) == dict.fromkeys(regions, PROMOTED)
    assert {row["endpoint"] for row in first.promoted} == {region.endpoint for region in regions.values()}
    assert [names(region) for region in regions.values()] == [PROMOTED] * 3
    assert second.status == 0 and second.changed == dict.fromkeys(regions, 0)
    assert rows(second) == rows(first)


def test_a_region_that_is_down_fails_alone_and_catches_up(rollout, regions):
    run = rollout(down=["eastus"])
    assert run.status != 0 and run.failed == {"westeurope": 0, "eastus": 1, "southeastasia": 0}
    assert rows(run) == {"westeurope": PROMOTED, "southeastasia": PROMOTED}
    assert names(regions["eastus"]) == []
    again = rollout()
    assert again.status == 0 and again.changed == {"westeurope": 0, "eastus": 1, "southeastasia": 0}


@pytest.mark.parametrize("down", [["westeurope"], []], ids=["canary down", "canary up"])
def test_the_canary_decides_about_the_others(rollout, regions, down):
    run = rollout("-e", f"@{EXAMPLE / 'canary.yml'}", down=down)
    assert bool(run.status) == bool(down)
    assert set(run.failed) == set(down or regions)
    others = [regions["eastus"], regions["southeastasia"]]
    if down:
        assert not any(operations(region) for region in regions.values())
        assert '"promoted_projects": []' in run.output
    else:
        canary = max(request.at for request in regions["westeurope"].requests)
        assert canary < min(request.at for region in others for request in region.requests)
        assert rows(run) == dict.fromkeys(regions, PROMOTED)
