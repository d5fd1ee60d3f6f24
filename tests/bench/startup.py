# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What starting costs: the imports of the module against those of a module that imports only ``requests``."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys

LEAST = "from ansible.module_utils.basic import AnsibleModule; import requests"
MODULE = "import ansible_collections.cvops.custom_vision.plugins.modules.cv_project_copy"
LINE = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", re.MULTILINE)
REPETITIONS = 15


def times(statement: str) -> dict[str, int]:
    """The microseconds that each import takes by itself."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        env={**os.environ, "PYTHONPATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")},
        capture_output=True, text=True, check=True,
    )
    return {name: int(own) for own, name in LINE.findall(done.stderr)}


def measure() -> dict:
    """``ratio``: all imports of the module to those of the least one, median of repeated pairs; ``ours``: the part
    of that which is the collection's own files; ``more``: the others it adds, the slowest first."""
    times(MODULE), times(LEAST)  # the first one may compile
    pairs = [(times(MODULE), times(LEAST)) for _repetition in range(REPETITIONS)]
    module, least = pairs[0]
    added = {name: statistics.median(pair[0].get(name, 0) for pair in pairs) for name in module.keys() - least.keys()}
    ours = [name for name in added if name.startswith("ansible_collections")]
    return {
        "ratio": statistics.median(sum(pair[0].values()) / sum(pair[1].values()) for pair in pairs),
        "ours": statistics.median(sum(pair[0].get(name, 0) for name in ours) / sum(pair[0].values()) for pair in pairs),
        "more": sorted(added.keys() - set(ours), key=added.get, reverse=True),
        "spent": added,
        "total": statistics.median(sum(pair[0].values()) for pair in pairs),
    }


if __name__ == "__main__":
    found = measure()
    print(f"{found['ratio']:.2f} times the imports of a module with requests alone; {found['ours']:.0%} are our files")
    for name in found["more"][:12]:
        print(f"{found['spent'][name] / found['total']:7.1%}  {name}")
