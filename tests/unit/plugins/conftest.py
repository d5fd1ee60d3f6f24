# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two emulated resources, and modules that are run in this process against them."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import parameters, warnings
from ansible.module_utils.common.text.converters import to_bytes
from ansible_collections.cvops.custom_vision.plugins.module_utils import _importing, _retrying
from emulator import Emulator
from emulator.samples import make_project
from hypothesis import HealthCheck, settings

# How fast a machine makes up examples says nothing about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.16

    @contextlib.contextmanager
    def patch_module_args(args):
        """What ansible.module_utils.testing has from 2.17 on."""
        before, basic._ANSIBLE_ARGS = basic._ANSIBLE_ARGS, to_bytes(json.dumps({"ANSIBLE_MODULE_ARGS": args}))
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = before


VARIABLES = ("TRAINING_ENDPOINT", "TRAINING_KEY", "TRAINING_ACCESS_TOKEN")


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch):
    """No connection of the caller's, no proxy, and no waiting between retries that a test need not see."""
    for side in ("VISION_", "VISION_SOURCE_", "VISION_DESTINATION_"):
        for name in VARIABLES:
            monkeypatch.delenv(f"{side}{name}", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_retrying.ServiceRetry, "BACKOFF", 0.01)
    monkeypatch.setattr(_retrying.ServiceRetry, "PATIENCE", 0)
    monkeypatch.setattr(_importing, "SHORTEST_WATCH", 0.5)


@pytest.fixture(name="emulator")
def fixture_emulator():
    with Emulator(["dev", "prod"], import_seconds=0.05, training_seconds=0) as running:
        yield running


@pytest.fixture(name="dev")
def fixture_dev(emulator):
    return emulator["dev"]


@pytest.fixture(name="prod")
def fixture_prod(emulator):
    return emulator["prod"]


@pytest.fixture(name="widget")
def fixture_widget(dev):
    """A project of dev with two tags, four images and one iteration."""
    project = make_project(dev, "Widget", images=4)
    dev.requests.clear()
    return project


@pytest.fixture(name="run_module")
def fixture_run_module(capsys):
    """Runs a module with arguments; gives its result."""

    def run(module, check_mode=False, **arguments):
        warnings._global_warnings.clear()  # of modules that ran before in this process
        given = {**arguments, "_ansible_check_mode": check_mode, "_ansible_diff": True}
        if "inject_invocation" in parameters.PASS_VARS:  # ansible-core 2.21, which shows the arguments on request only
            given["_ansible_inject_invocation"] = True
        with patch_module_args(given), pytest.raises(SystemExit):
            module.main()
        out, err = capsys.readouterr()
        assert not err
        return json.loads(out)

    return run
