# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the parts of `make test`, two at a time, each to its end, and sums them up."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed


def run(command: list[str], part: str) -> tuple[str, bool, float, str]:
    """Run one part with its output held back, so that two parts' lines do not mix."""
    start = time.monotonic()
    done = subprocess.run(
        [*command, part],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, 'NO_COLOR': '1'}, text=True, errors='replace', check=False,
    )
    return part, done.returncode == 0, time.monotonic() - start, done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--command', type=shlex.split, required=True, help='what runs a part, given its name')
    parser.add_argument('parts', nargs='+')
    args = parser.parse_args()

    results = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in as_completed([pool.submit(run, args.command, part) for part in args.parts]):
            part, passed, seconds, output = future.result()
            results[part] = (passed, seconds)
            print(f'===== {part} =====\n{output}', flush=True)

    for part in args.parts:
        passed, seconds = results[part]
        print(f'{"ok  " if passed else "FAIL"} {part:<12} {seconds:4.0f} s')
    failed = sum(not passed for passed, _seconds in results.values())
    print(f'{len(results) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
