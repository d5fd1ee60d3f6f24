# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules support, described once."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change, without writing.
  diff_mode:
    description: Tells what changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
      - This assumes that nobody else changed the resources in between.
"""

    # For modules that only read; together with the fragment above
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads, and reads the same in check mode.
  diff_mode:
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    support: full
    details:
      - This module does not change anything.
"""

    # For modules of the action group
    ACTIONGROUP_RESOURCE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/cvops.custom_vision.resource) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - cvops.custom_vision.resource
"""
