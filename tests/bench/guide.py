# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's sequence, as a short script does it: list, then export, import and wait, one project after the other."""

from __future__ import annotations

import os
import time

import requests

POLL = float(os.environ["BENCH_POLL"])


def resource(side: str) -> tuple[str, requests.Session]:
    """The address of a resource's API and a session that is signed in."""
    session = requests.Session()
    session.headers["Training-Key"] = os.environ[f"VISION_{side}_TRAINING_KEY"]
    return os.environ[f"VISION_{side}_TRAINING_ENDPOINT"] + "/customvision/v3.3/training/projects", session


def call(session: requests.Session, method: str, url: str, **options) -> dict | list:
    answer = session.request(method, url, timeout=60, **options)
    answer.raise_for_status()
    return answer.json()


def main() -> None:
    source, reader = resource("SOURCE")
    destination, writer = resource("DESTINATION")
    for project in call(reader, "GET", source):
        token = call(reader, "GET", f"{source}/{project['id']}/export")["token"]
        copy = call(writer, "POST", f"{destination}/import", params={"token": token, "name": project["name"]})
        while copy["status"] == "Importing":
            time.sleep(POLL)
            copy = call(writer, "GET", f"{destination}/{copy['id']}")


if __name__ == "__main__":
    main()
