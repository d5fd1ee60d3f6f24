# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-builder makes of the documented file all that an engine needs to build the image."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEFINITION = ROOT / "docs/tower/execution-environment.yml"


@pytest.fixture(name="context")
def fixture_context(tmp_path, command):
    """The build context, made of a folder that holds the definition and the artifact."""
    (artifact,) = (ROOT / "dist").glob("cvops-custom_vision-*.tar.gz")
    folder = tmp_path / "image"
    folder.mkdir()
    shutil.copy(DEFINITION, folder)
    shutil.copy(artifact, folder)
    done = command(
        "ansible-builder", "create", "--file", str(folder / DEFINITION.name), "--context", str(tmp_path / "context"),
        "--output-filename", "Containerfile",
    )
    assert done.returncode == 0, done.stdout
    return tmp_path / "context"


def test_the_image_installs_the_artifact(context, command, tmp_path):
    requirements = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))
    (collection,) = requirements["collections"]
    assert collection["type"] == "file"
    text = (context / "Containerfile").read_text(encoding="utf-8")
    assert "COPY _build /build" in text and "WORKDIR /build" in text
    # As the image's own command does in /build.
    done = command(
        "ansible-galaxy", "collection", "install", str(context / "_build" / collection["name"]),
        "--collections-path", str(tmp_path / "image-tree"), "--offline", "--force",
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "image-tree/ansible_collections/cvops/custom_vision/MANIFEST.json").is_file()


def test_the_image_has_a_python_that_is_new_enough(context):
    text = (context / "Containerfile").read_text(encoding="utf-8")
    (minor,) = re.findall(r'^ARG PYCMD="/usr/bin/python3\.(\d+)"$', text, re.MULTILINE)
    assert int(minor) >= 10


def test_the_image_gets_what_the_installed_collection_needs(command):
    # Where the collections are in the image, ansible-builder looks for itself.
    done = command("ansible-builder", "introspect", str(ROOT / ".tree"))
    assert done.returncode == 0, done.stdout
    found = yaml.safe_load(done.stdout[done.stdout.index("---"):])
    assert found == {"python": ["requests>=2.28  # from collection cvops.custom_vision"], "system": []}
    assert "`requests` 2.28 or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
