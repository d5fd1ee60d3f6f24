# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command: serves resources until it is stopped."""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from .server import Emulator


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    options = parse(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: stop.set())
    with Emulator(options.resources, options.import_seconds, options.training_seconds) as emulator:
        if options.samples:
            # Only this needs the official SDK.
            from .samples import fill
            fill(emulator[options.samples])
        text = json.dumps({name: resource.describe() for name, resource in emulator.resources.items()}, indent=2)
        if options.describe:
            write_private(options.describe, text)
        else:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        stop.wait()
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options, or argparse's sentence about what is wrong with them and exit code 2."""
    parser = argparse.ArgumentParser(prog="emulator", description="Serve emulated Custom Vision resources.")
    parser.add_argument("--resources", type=names, required=True, metavar="NAME[,NAME...]", help="what to serve")
    parser.add_argument("--describe", type=Path, metavar="FILE", help="where to write addresses and keys, as JSON")
    parser.add_argument("--samples", metavar="NAME", help="the resource to fill with sample projects")
    parser.add_argument("--import-seconds", type=seconds, default=3.0, metavar="SECONDS", help="time an import takes")
    parser.add_argument("--training-seconds", type=seconds, default=0.5, metavar="SECONDS", help="time of a training")
    options = parser.parse_args(arguments)
    if options.samples and options.samples not in options.resources:
        parser.error(f"argument --samples: there is no resource {options.samples}")
    if options.describe and not options.describe.parent.is_dir():
        parser.error(f"argument --describe: there is no folder {options.describe.parent}")
    return options


def names(text: str) -> list[str]:
    """Names with commas between them, each once."""
    found = text.split(",")
    if not all(found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of different names")
    return found


def seconds(text: str) -> float:
    """A time that comes to an end."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a time in seconds")
    return value


def write_private(path: Path, text: str) -> None:
    """Write a file that holds secrets: whole or not at all, for nobody else to read."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.replace(temporary, path)
