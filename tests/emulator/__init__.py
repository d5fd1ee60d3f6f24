# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Custom Vision's training service on one machine, for tests, benchmarks and demonstrations."""

from __future__ import annotations

from .server import Emulator

__all__ = ["Emulator"]
