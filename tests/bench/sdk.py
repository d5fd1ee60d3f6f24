# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same with the official SDK, in a loop."""

from __future__ import annotations

import os
import time

from azure.cognitiveservices.vision.customvision.training import CustomVisionTrainingClient
from msrest.authentication import ApiKeyCredentials

POLL = float(os.environ["BENCH_POLL"])


def client(side: str) -> CustomVisionTrainingClient:
    credentials = ApiKeyCredentials(in_headers={"Training-Key": os.environ[f"VISION_{side}_TRAINING_KEY"]})
    return CustomVisionTrainingClient(os.environ[f"VISION_{side}_TRAINING_ENDPOINT"], credentials)


def main() -> None:
    source, destination = client("SOURCE"), client("DESTINATION")
    for project in source.get_projects():
        copy = destination.import_project(source.export_project(project.id).token, project.name)
        while copy.status == "Importing":
            time.sleep(POLL)
            copy = destination.get_project(copy.id)


if __name__ == "__main__":
    main()
