# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that results are written to."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = "performance.md"
END = "<!-- end of what make bench writes -->"


def put(docs: Path, start: str, parts: list[str]) -> None:
    """Replaces what an earlier run wrote between a start and the next END, and prints it."""
    page = docs / PAGE
    before, rest = page.read_text(encoding="utf-8").split(start)
    after = rest.split(END, maxsplit=1)[1]
    written = "\n\n".join([machine(), *parts])
    page.write_text(f"{before}{start}\n\n{written}\n\n{END}{after}", encoding="utf-8")
    print(f"\n{written}\n")


def machine() -> str:
    """What was measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "requests"))
    return f"Measured on {os.cpu_count()} cores, Python {platform.python_version()}, {packages}."


def table(columns: tuple[str, ...], words: int, rows: Iterable[Iterable]) -> str:
    """A table; the first ``words`` columns are words, the others numbers."""
    alignment = ["---"] * words + ["--:"] * (len(columns) - words)
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (columns, alignment, *rows))
