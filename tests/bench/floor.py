# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What no client can be faster than. Pure functions; seconds.

In any second a side answers ``rate`` requests, so its request number m (from 1) starts after (m - 1) // rate
seconds at the earliest.
"""

from __future__ import annotations

from service import Conditions


def bare(service: Conditions) -> float:
    """Until the last import is seen to have ended: a list, then an export and an import for each project."""
    last_export = max(service.latency, service.projects // service.rate)
    return last_export + 3 * service.latency + service.import_seconds


def verified(service: Conditions) -> float:
    """Until the last copy, compared with its source, has its name.

    That takes for each project three reads and an export at the source, and an import, three reads and a rename at
    the destination; besides a list at each side, and two more at the destination: one that shows the end of an
    import and one before the rename. Whatever may overlap is taken to.
    """
    after_the_export = 6 * service.latency + service.import_seconds  # import; look, reads, look, rename
    one_copy = 2 * service.latency  # list, reads
    last_export = 4 * service.projects // service.rate
    last_rename = (5 * service.projects + 2) // service.rate
    return max(max(one_copy, last_export) + after_the_export, last_rename + service.latency)


def fleet(service: Conditions, requests: int, copies: bool) -> float:
    """Until all destinations are done, each with a list and so many ``requests`` for each project at the one source.

    What is at the destinations may overlap; only after the last export comes what ``verified`` tells of.
    """
    last = (service.destinations * (1 + requests * service.projects) - 1) // service.rate
    return last + (6 * service.latency + service.import_seconds if copies else service.latency)
