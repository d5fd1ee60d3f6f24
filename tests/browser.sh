#!/usr/bin/env bash
# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Sees to it that a Chromium and its driver are there, for the tests that look at the report in a browser. Without a
# way to install them these tests are skipped, and that is no failure.
set -euo pipefail

found() {
    for name in "$@"; do
        if command -v "$name" >/dev/null; then
            return 0
        fi
    done
    return 1
}

ready() {
    found chromium chromium-browser google-chrome && found chromedriver
}

install() {
    command -v apt-get >/dev/null || return 1
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        root=(sudo -n)
    fi
    echo 'Installing chromium and chromium-driver, for the tests of the report in a browser'
    # The package lists may be old or missing, or a source of no concern may not answer.
    "${root[@]}" apt-get -qq update >/dev/null 2>&1 || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=60 install -y --no-install-recommends chromium chromium-driver >/dev/null 2>&1
}

if ! ready; then
    { install && ready; } ||
        echo 'There is no Chromium with chromedriver and none could be installed: tests in a browser are skipped.'
fi
