# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection importable by its full name wherever the checkout is.

Plugins import one another as `ansible_collections.cvops.custom_vision.plugins`, which Python finds
only under a folder of that name. ansible-test provides one; anywhere else stub packages do.
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

COLLECTION = 'ansible_collections.cvops.custom_vision'


def _register_stubs() -> None:
    """Register every package of the name that is missing; the last one is this checkout."""
    parts = COLLECTION.split('.')
    parent = None
    for depth, part in enumerate(parts, start=1):
        name = '.'.join(parts[:depth])
        try:
            package = importlib.import_module(name)
        except ImportError:
            package = types.ModuleType(name)
            package.__path__ = [str(Path(__file__).parent)] if name == COLLECTION else []
            sys.modules[name] = package
            if parent:
                setattr(parent, part, package)
        parent = package


_register_stubs()
