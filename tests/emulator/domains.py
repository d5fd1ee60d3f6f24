# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domains a project can be trained for. Source: recorded SDK traffic (GetDomains, v3.4-preview)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """A domain; only compact ones can be exported to devices."""

    id: str
    name: str
    type: str = "Classification"

    @property
    def exportable(self) -> bool:
        """Whether a model of it can be exported."""
        return "(compact)" in self.name


GENERAL = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
GENERAL_DETECTION = "da2e3a8a-40a5-4171-82f4-58522f70fbc1"

DOMAINS = {domain.id: domain for domain in (
    Domain(GENERAL, "General"),
    Domain("c151d5b5-dd07-472a-acc8-15d29dea8518", "Food"),
    Domain("ca455789-012d-4b50-9fec-5bb63841c793", "Landmarks"),
    Domain("b30a91ae-e3c1-4f73-a81e-c270bff27c39", "Retail"),
    Domain("45badf75-3591-4f26-a705-45678d3e9f5f", "Adult"),
    Domain("0732100f-1a38-4e49-a514-c9b44c697ab5", "General (compact)"),
    Domain("8882951b-82cd-4c32-970b-d5f8cb8bf6d7", "Food (compact)"),
    Domain("b5cfd229-2ac7-4b2b-8d0a-2b0661344894", "Landmarks (compact)"),
    Domain("6b4faeda-8396-481b-9f8b-177b9fa3097f", "Retail (compact)"),
    Domain(GENERAL_DETECTION, "General", "ObjectDetection"),
    Domain("1d8ffafe-ec40-4fb2-8f90-72b3b6cecea4", "Logo", "ObjectDetection"),
    Domain("3780a898-81c3-4516-81ae-3a139614e1f3", "Products on Shelves", "ObjectDetection"),
    Domain("a27d5ca5-bb19-49d8-a70a-fec086c47f5b", "General (compact)", "ObjectDetection"),
    Domain("7ec2ac80-887b-48a6-8df9-8b1357765430", "General (compact) [S1]", "ObjectDetection"),
)}
