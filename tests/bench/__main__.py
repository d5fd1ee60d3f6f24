# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python tests/bench``: measures the module against other ways to copy projects, on the emulated service."""

from __future__ import annotations

import argparse
from pathlib import Path

import report
import startup
from contestants import idle, race
from page import DOCS
from service import IMPORT_SECONDS, Conditions


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the module against other ways to do it.")
    parser.add_argument("--projects", default="1,10,100", help="how many to copy, with commas between")
    parser.add_argument("--import-seconds", type=float, default=IMPORT_SECONDS, help="what an import takes")
    parser.add_argument("--repetitions", type=int, default=3, help="of the module's runs with up to ten projects")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of performance.md, to which it is written")
    options = parser.parse_args()
    measured = []
    for projects in map(int, options.projects.split(",")):
        conditions = Conditions(projects, options.import_seconds)
        measured += race(conditions, options.repetitions if projects <= 10 else 1)
    at_rest = idle(Conditions(10, import_seconds=0.1), 2 * options.repetitions + 1)
    report.write(options.docs, measured, at_rest, startup.measure())


if __name__ == "__main__":
    main()
