#!/usr/bin/python

# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cv_project_info
short_description: List the projects of an Azure Custom Vision resource
version_added: 0.1.0
author:
  - cvops.custom_vision contributors (@cvops)
description:
  - Lists the projects of an Azure Custom Vision training resource, all of them or those of one name or id.
  - On request, each project's iterations, tags and counts are gathered too.
extends_documentation_fragment:
  - cvops.custom_vision._connection
  - cvops.custom_vision._attributes
  - cvops.custom_vision._attributes.info_module
  - cvops.custom_vision._attributes.actiongroup_resource
options:
  name:
    description:
      - Only the projects of exactly this name. Names are not unique, so it can be several.
    type: str
  id:
    description:
      - Only the project of this id.
    type: str
  gather:
    description:
      - What else to gather of each project. V(iterations) and V(tags) cost one request each for each project,
        V(counts) costs four, which include those two.
    type: list
    elements: str
    choices: [iterations, tags, counts]
    default: []
seealso:
  - module: cvops.custom_vision.cv_project_copy
  - module: cvops.custom_vision.cv_project_rollback
"""

EXAMPLES = r"""
- name: List the projects of the dev resource
  cvops.custom_vision.cv_project_info:
    endpoint: "{{ dev.endpoint }}"
    training_key: "{{ dev.training_key }}"
  register: dev_projects

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ dev_projects.projects | map(attribute='name') | list }}"

- name: Look at one project and what it holds, by connection variables in the environment
  cvops.custom_vision.cv_project_info:
    name: Widget inspection
    gather: [iterations, counts]
  register: widgets

- name: Stop unless it was trained
  ansible.builtin.assert:
    that: widgets.projects[0].iterations | selectattr('trained_at', 'defined') | length > 0
"""

RETURN = r"""
projects:
  description:
    - The projects, with the fields that the service gives, in snake_case; empty where there is none.
    - Keys that are data, those of C(augmentation_methods), are as they are. The thumbnail's link is left
      out, because it is signed and differs each time.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The project's id, by which callers of its models address it.
      type: str
      sample: bc3f7dad-5544-468c-8573-3ef04d55463e
    name:
      description: The project's name.
      type: str
      sample: Widget inspection
    description:
      description: The project's description.
      type: str
      sample: Is the widget whole?
    status:
      description: V(Succeeded), or of an imported project V(Importing) or V(Failed).
      type: str
      sample: Succeeded
    created:
      description: When it was created.
      type: str
      sample: '2026-11-23T19:00:36.7Z'
    last_modified:
      description: When its settings were changed or its import ended. Neither images nor training move it.
      type: str
      sample: '2026-11-23T19:00:36.7Z'
    dr_mode_enabled:
      description: Whether the project is read-only for the time being.
      type: bool
      sample: false
    settings:
      description: Domain, type of classification and so on.
      type: dict
      sample:
        domain_id: ee85a74c-405e-4adc-bb47-ffa8ca0c9f31
        classification_type: Multiclass
    iterations:
      description: The iterations with the service's fields. One in training has no C(trained_at).
      returned: when O(gather) holds V(iterations)
      type: list
      elements: dict
      sample:
        - id: fe1e83c4-6f50-4899-9544-6bb08cf0e15a
          name: Iteration 1
          status: Completed
          trained_at: '2026-11-23T19:04:02.117Z'
          publish_name: production
    tags:
      description: The tags with the service's fields.
      returned: when O(gather) holds V(tags)
      type: list
      elements: dict
      sample:
        - id: 9e27bc1b-7ae7-4e3b-a4e5-36153479dc01
          name: whole
          image_count: 12
    counts:
      description: How much the project holds.
      returned: when O(gather) holds V(counts)
      type: dict
      contains:
        iterations:
          description: The number of iterations, those in training included.
          type: int
          sample: 1
        tags:
          description: The number of tags.
          type: int
          sample: 2
        tagged_images:
          description: The number of tagged images.
          type: int
          sample: 24
        untagged_images:
          description: The number of images without a tag.
          type: int
          sample: 3
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import (
    connect,
    connection_spec,
    hide_user_information,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._information import GATHER, describe_all, find_projects
from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import require_requests
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import check_id


def run(params):
    """The projects asked for; CustomVisionError where they cannot be had."""
    project_id = None if params["id"] is None else check_id(params["id"], "id")
    with Client(connect(params)) as client:
        projects = find_projects(client, params["name"], project_id)
        return describe_all(client, projects, params["gather"])


def main():
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "name": {"type": "str"},
            "id": {"type": "str"},
            "gather": {"type": "list", "elements": "str", "choices": list(GATHER), "default": []},
        },
        mutually_exclusive=[("name", "id")],
        supports_check_mode=True,
    )
    require_requests(module)
    hide_user_information(module)
    try:
        projects = run(module.params)
    except CustomVisionError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, projects=projects)


if __name__ == "__main__":
    main()
