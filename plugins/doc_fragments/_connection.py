# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a connection, written once for modules with one resource and for those with two."""

from __future__ import annotations

from textwrap import indent

_OPTIONS = """
endpoint:
  description:
    - The resource's endpoint, such as V(https://westeurope.api.cognitive.microsoft.com) or
      V(https://NAME.cognitiveservices.azure.com).
    - It must be C(https); plain C(http) is taken for a loopback address only. Redirects are not followed.
    - Falls back to the environment variable E({prefix}TRAINING_ENDPOINT). An empty variable counts as not set.
  type: str
training_key:
  description:
    - A training key of the resource. It takes this or O({path}access_token).
    - Falls back to the environment variable E({prefix}TRAINING_KEY).
  type: str
access_token:
  description:
    - A bearer token of Microsoft Entra ID for the audience C(https://cognitiveservices.azure.com), used
      instead of the key, also where both are given. The endpoint must then be the resource's custom subdomain.
    - It must live for as long as the task takes, waiting included; such tokens mostly live for an hour.
    - This was not tried against the real service.
    - Falls back to the environment variable E({prefix}TRAINING_ACCESS_TOKEN).
  type: str
validate_certs:
  description: Whether the endpoint's certificate is checked. Switch it off for tests only.
  type: bool
  default: true
ca_path:
  description:
    - A file or directory of certificates of authorities to trust, on the host that runs the module.
    - Without it the environment variables E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) count, then the authorities
      that come with C(requests).
  type: path
timeout:
  description: How long the resource may stay silent during a request, in seconds.
  type: int
  default: 60
"""


def _side(side: str, description: str) -> str:
    suboptions = indent(_OPTIONS.format(prefix=f"VISION_{side.upper()}_", path=f"{side}."), "    ")
    return (
        f"{side}:\n"
        f"  description:\n"
        f"    - {description}\n"
        f"    - C(module_defaults) replace this dictionary as a whole, they do not merge into it.\n"
        f"  type: dict\n"
        f"  suboptions:{suboptions}"
    )


_REQUIREMENTS = """
requirements:
  - python >= 3.10
  - requests >= 2.28
  - urllib3 >= 1.26
"""


class ModuleDocFragment:
    # Annotated, because yamllint in ansible-test expects an assignment without annotation to be of literal text.

    # One resource
    DOCUMENTATION: str = "options:" + indent(_OPTIONS.format(prefix="VISION_", path=""), "  ") + _REQUIREMENTS

    # Two resources
    SIDES: str = (
        "options:\n"
        + indent(_side("source", "The resource that the projects are copied from."), "  ")
        + indent(_side("destination", "The resource that the projects are copied to."), "  ")
        + _REQUIREMENTS
    )
