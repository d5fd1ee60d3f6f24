# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sample projects."""

from __future__ import annotations

import pytest

from emulator.domains import GENERAL, GENERAL_DETECTION
from emulator.samples import fill, make_project, picture


def test_pictures_differ():
    assert len({picture(number) for number in range(300)}) == 300


@pytest.mark.parametrize("wanted", [
    {"tags": 2, "images": 10, "iterations": 1}, {"tags": 1, "images": 0, "iterations": 0},
    {"tags": 4, "images": 130, "iterations": 3},
])
def test_a_project_has_what_was_asked_for(dev, client, wanted):
    project = make_project(dev, "P", **wanted)
    here = client(dev)
    assert len(here.get_tags(project.id)) == wanted["tags"]
    assert here.get_tagged_image_count(project.id) == wanted["images"]
    assert [i.status for i in here.get_iterations(project.id)] == ["Completed"] * wanted["iterations"]


def test_the_demonstration_has_three_different_projects(dev, client):
    fill(dev)
    here = client(dev)
    projects = {project.name: project for project in here.get_projects()}
    assert list(projects) == ["Widget inspection", "Shelf stock", "Returned parts"]
    widgets, shelf, parts = projects.values()
    assert (widgets.settings.domain_id, widgets.settings.classification_type) == (GENERAL, "Multiclass")
    assert [i.publish_name for i in here.get_iterations(widgets.id)] == [None, "production"]
    assert shelf.settings.domain_id == GENERAL_DETECTION
    assert all(image.regions for image in here.get_images(shelf.id))
    assert parts.settings.classification_type == "Multilabel"
    assert here.get_untagged_image_count(parts.id) == 5
