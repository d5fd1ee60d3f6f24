# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service's JSON is in Python."""

from __future__ import annotations

import typing as t

Json = t.Dict[str, t.Any]
Project = t.Dict[str, t.Any]  # as GetProjects has it: id, name, status, created, settings, …
Iteration = t.Dict[str, t.Any]  # as GetIterations has it: id, name, status, publishName, …
