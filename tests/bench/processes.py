# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that run at once: how long they take, how much of the processors, and how much memory. Linux only."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

LOOK = 0.05  # seconds between two looks whether a command has ended
THRIFT = 10  # reading the memory of hundreds of processes takes time: so many times that is waited before the next
KIB = re.compile(r"^(VmHWM|Pss):\s+(\d+) kB$", re.MULTILINE)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What commands used: seconds until the last one ended, processor seconds of them all, and bytes of memory.

    ``largest``: the most that one process had. ``together``: the most that all had at one time; of a page that
    several share each has its part.
    """

    seconds: float
    processor: float
    largest: int
    together: int


def run(commands: list[list[str]], environment: dict[str, str], deadline: float) -> Usage:
    """Runs all commands at once; the benchmark ends where one fails or time (``time.monotonic``) is up."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        start = time.monotonic()
        processes = [
            subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
            for command in commands
        ]
        try:
            return _watch(processes, start, deadline)
        except SystemExit as stop:
            output.seek(0)
            raise SystemExit(f"{stop}\n{output.read()[-2000:]}") from None
        finally:
            _end([process for process in processes if process.returncode is None])


def end_with_jobs() -> None:
    """From now on SIGTERM ends the benchmark as a failure does: with all that it has started."""

    def stop(*_signal) -> None:
        raise SystemExit("The benchmark stops here: it was told to.")

    signal.signal(signal.SIGTERM, stop)


def _watch(processes: list[subprocess.Popen], start: float, deadline: float) -> Usage:
    """Waits for all; a SystemExit says what went wrong."""
    processor, largest, together, next_reading = 0.0, 0, 0, start
    while running := [process for process in processes if process.returncode is None]:
        time.sleep(LOOK)
        processor += sum(map(_reap, running))
        if any(process.returncode for process in running):
            raise SystemExit("The benchmark stops here: a job failed.")
        now = time.monotonic()
        if now > deadline:
            raise SystemExit("The benchmark stops here: time is up.")
        if now >= next_reading:
            most, of_all = memory(family(running))
            largest, together = max(largest, most), max(together, of_all)
            next_reading = now + THRIFT * (time.monotonic() - now)
    return Usage(time.monotonic() - start, processor, largest, together)


def _reap(process: subprocess.Popen) -> float:
    """The processor seconds of a command and all it waited for, if it has ended."""
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return 0.0
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _end(processes: list[subprocess.Popen]) -> None:
    """Ends commands and all that they have started."""
    for pid in family(processes):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for process in processes:
        process.wait()


def family(processes: list[subprocess.Popen]) -> list[int]:
    """The ids of processes, of their children, of their children, and so on."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            children.setdefault(int(_stat(folder)[1]), []).append(int(folder.name))
    found = [process.pid for process in processes]
    for member in found:
        found += children.get(member, [])
    return found


def memory(pids: list[int]) -> tuple[int, int]:
    """Bytes: the most that one of the processes ever had, and what all have now."""
    largest = together = 0
    for folder in (Path(f"/proc/{pid}") for pid in pids):
        with contextlib.suppress(OSError):
            text = "".join((folder / name).read_text(encoding="utf-8") for name in ("status", "smaps_rollup"))
            found = {key: int(value) * 1024 for key, value in KIB.findall(text)}
            largest = max(largest, found.get("VmHWM", 0))
            together += found.get("Pss", 0)
    return largest, together


def processor_seconds(pid: int) -> float:
    """What a running process has used so far."""
    return sum(map(int, _stat(Path(f"/proc/{pid}"))[11:13])) / TICKS


def _stat(folder: Path) -> list[str]:
    """The fields of a process that come after its name: its state, its parent, …"""
    return folder.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split()
