# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact holds what a playbook needs, and nothing else."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {'changelogs', 'docs', 'meta', 'playbooks', 'plugins', 'roles'}
FILES = {'CHANGELOG.md', 'LICENSE', 'README.md'}
WRITTEN_BY_GALAXY = {'FILES.json', 'MANIFEST.json'}


@pytest.fixture(scope='module', name='shipped')
def shipped_fixture() -> set[PurePosixPath]:
    """The files in the artifact that make test has built."""
    (artifact,) = (ROOT / 'dist').glob('cvops-custom_vision-*.tar.gz')
    with tarfile.open(artifact) as archive:
        return {PurePosixPath(member.name) for member in archive if not member.isdir()}


def test_nothing_else_is_shipped(shipped):
    litter = {
        str(path) for path in shipped
        if path.parts[0] not in FOLDERS | FILES | WRITTEN_BY_GALAXY
        or any(part.startswith('.') or part == '__pycache__' for part in path.parts)
    }
    assert litter == set()


def test_all_of_it_is_shipped(shipped):
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', *FOLDERS, *FILES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout
    expected = {PurePosixPath(name) for name in listed.split('\0') if name and (ROOT / name).is_file()}
    assert {str(path) for path in expected - shipped} == set()


@pytest.mark.parametrize('name', sorted(FOLDERS | FILES))
def test_each_part_is_there(shipped, name):
    assert any(path.parts[0] == name for path in shipped)
