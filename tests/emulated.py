# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short ways to speak of an emulated resource in tests."""

from __future__ import annotations

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
