#!/usr/bin/env bash
# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs ansible-test sanity on a checkout that may be anywhere. Arguments are passed on, for example
# --test pep8 plugins/modules/cv_project_info.py
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
workspace=$(mktemp -d)
trap 'rm -rf "$workspace"' EXIT
copy=$workspace/ansible_collections/cvops/custom_vision
mkdir -p "$copy"

# ansible-test insists on this path and does not follow symbolic links, so it gets a real copy of
# what git would commit, less what has been deleted and not been committed yet.
git ls-files -z --cached --others --exclude-standard --deduplicate |
    while IFS= read -r -d '' file; do
        if [ -e "$file" ]; then
            printf '%s\0' "$file"
        fi
    done | xargs -0 cp --parents --preserve=mode,timestamps --target-directory "$copy"

# ansible-test downloads a script that installs pip into its virtual environments. Python brings a
# pip of its own, so where the script is missing this takes its place and nothing is downloaded.
python - <<'PYTHON'
import sys
from pathlib import Path
from types import SimpleNamespace

from ansible_test._internal.python_requirements import get_venv_packages

python = SimpleNamespace(version='%d.%d' % sys.version_info[:2])
name = 'get_pip_%s.py' % get_venv_packages(python)['pip'].replace('.', '_')
script = Path.home() / '.ansible' / 'test' / 'cache' / name
if not script.exists():
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text('import ensurepip\nensurepip.bootstrap()\n')
PYTHON

cd "$copy"
ansible-test sanity --venv --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@"
