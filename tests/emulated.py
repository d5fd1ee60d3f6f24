# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short ways to speak of an emulated resource in tests."""

from __future__ import annotations

import re
from datetime import timedelta

from emulator.samples import sdk


def connection(resource, **options):
    """The options of a resource."""
    return {"endpoint": resource.endpoint, "training_key": resource.training_key, **options}


def operations(resource):
    """The operations of the requests that a resource got, in order."""
    return [request.operation for request in resource.requests]


def writes(resource):
    """The requests that would have changed a resource."""
    return [request for request in resource.requests if request.method != "GET"]


def names(resource):
    """The names of a resource's projects, in order."""
    return sorted(project.name for project in sdk(resource).get_projects())


def begin_import(source, destination, project, name):
    """Imports a project the bare way, without waiting; gives the new project."""
    token = sdk(source).export_project(project.id).token
    return sdk(destination).import_project(token, name)


def incoming_name(resource, run="0a1b2c3d", **age):
    """The name of a copy of Widget that another run began to import at this moment, or so long ago: ``hours=25``."""
    return f"Widget (incoming {resource.clock.now() - timedelta(**age):%Y%m%dT%H%M%SZ} {run})"


def quotes_a_link(text):
    """Whether a text holds a part of a signed link, which is what an import token is, plain or as a request has it."""
    return re.search(r"sig(=|%(25)*3d)|prjexp", text, re.IGNORECASE) is not None
