# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as a process of its own, as Ansible runs it on a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

MODULE = "from ansible_collections.cvops.custom_vision.plugins.modules.{} import main; main()"
CHECKOUT = Path(__file__).parents[2]


def make_tree(folder):
    """A folder from which this checkout can be imported by its full name."""
    collections = folder / "ansible_collections" / "cvops"
    collections.mkdir(parents=True)
    (collections / "custom_vision").symlink_to(CHECKOUT)
    return folder


def start(tree, module="cv_project_copy"):
    """A process that waits for its arguments."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", MODULE.format(module)], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )


def finish(process, arguments):
    """Gives the process its arguments and waits for its end; its result, or None where it was killed."""
    output, errors = process.communicate(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    if process.returncode < 0:
        return None
    assert not errors, errors
    return json.loads(output)
