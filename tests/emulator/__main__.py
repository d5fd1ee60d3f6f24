# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets ``python tests/emulator`` run the emulator."""

from __future__ import annotations

import sys
from pathlib import Path

# Run by its path, Python looks for modules in this folder; the package is found from the one above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from emulator.cli import main  # noqa: E402

sys.exit(main())
