#!/usr/bin/python

# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cv_iteration_publish
short_description: Publish an iteration of an Azure Custom Vision project
version_added: 0.1.0
author:
  - cvops.custom_vision contributors (@cvops)
description:
  - Publishes a trained iteration of a project under a name, by which callers of a prediction resource then
    reach it; moves the name there from another iteration; or takes the name away.
  - Nothing is done where the iteration bears the name at this prediction resource already.
  - A name moves from one iteration to another in one step. An iteration that is published under another name,
    or at another prediction resource, must be unpublished first; for a moment it then has no name.
    If the service refuses the rest, it is published again as before. A run that dies in between is finished by
    the next one.
extends_documentation_fragment:
  - cvops.custom_vision._connection
  - cvops.custom_vision._attributes
  - cvops.custom_vision._attributes.actiongroup_resource
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff shows all publish names of the project with their iterations and prediction resources.
  idempotent:
    support: full
    details:
      - Without O(iteration_id) and O(iteration_name) a project that was trained in between has another newest
        iteration, to which the name moves.
options:
  project_id:
    description:
      - The project's id. Give this or O(project_name); it spares a request.
    type: str
  project_name:
    description:
      - The project's name. It is an error if none or several have it.
    type: str
  iteration_id:
    description:
      - The iteration's id. Give this or O(iteration_name), or neither for the iteration that was trained last.
      - With O(state=absent) the name is taken away only where this iteration bears it.
    type: str
  iteration_name:
    description:
      - The iteration's name within the project, as O(iteration_id) is its id.
    type: str
  publish_name:
    description:
      - The name that callers of the prediction resource use for the model.
    type: str
    required: true
  prediction_resource_id:
    description:
      - The whole id of the prediction resource within Azure, C(/subscriptions/SUBSCRIPTION/resourceGroups/GROUP)
        and then C(/providers/Microsoft.CognitiveServices/accounts/NAME). Case makes no difference.
      - It takes this for O(state=present); for O(state=absent) it is not looked at.
      - Falls back to the environment variable E(VISION_PREDICTION_RESOURCE_ID). An empty variable counts as not set.
    type: str
  state:
    description:
      - V(present) publishes the iteration under the name, V(absent) takes the name from whichever iteration bears it.
    type: str
    choices: [present, absent]
    default: present
notes:
  - A project with a published iteration cannot be deleted.
  - Nothing of this was tried against the real service. It was built by its documentation and recorded traffic.
    That a name moves in one step is the least certain of it; where the service refuses, its present bearer is
    unpublished first.
seealso:
  - module: cvops.custom_vision.cv_project_info
  - module: cvops.custom_vision.cv_project_copy
"""

EXAMPLES = r"""
- name: Publish the iteration that was trained last
  cvops.custom_vision.cv_iteration_publish:
    endpoint: "{{ dev.endpoint }}"
    training_key: "{{ dev.training_key }}"
    project_name: Widget inspection
    publish_name: production
    prediction_resource_id: "{{ dev_prediction_resource_id }}"
  register: published

- name: Show what answers predictions now
  ansible.builtin.debug:
    msg: "{{ published.iteration.name }}, trained at {{ published.iteration.trained_at }}"

- name: Go back to an earlier iteration, by connection variables in the environment
  cvops.custom_vision.cv_iteration_publish:
    project_name: Widget inspection
    iteration_name: Iteration 1
    publish_name: production

- name: Publish nothing under this name any more
  cvops.custom_vision.cv_iteration_publish:
    project_name: Widget inspection
    publish_name: production
    state: absent
"""

RETURN = r"""
changed:
  description: True exactly if something was, or may have been, written.
  returned: always
  type: bool
  sample: true
diff:
  description: The project's publish names, before and after, each with the ids of iteration and prediction resource.
  returned: success, in diff mode
  type: dict
  sample:
    before: {}
    after:
      production:
        iteration_id: fe1e83c4-6f50-4899-9544-6bb08cf0e15a
        prediction_resource_id: "/subscriptions/0e4bb9a5-50f5-4b3c-9a2d-7a1e3c5d9f10/resourceGroups/vision/providers/\
          Microsoft.CognitiveServices/accounts/prod-prediction"
iteration:
  description:
    - The iteration, with the fields that the service gives, in snake_case, as read after the change; in check mode
      as it would be.
    - With O(state=absent) the iteration that bore the name, V(none) where nothing did.
  returned: success
  type: dict
  contains:
    id:
      description: The iteration's id.
      type: str
      sample: fe1e83c4-6f50-4899-9544-6bb08cf0e15a
    name:
      description: The iteration's name.
      type: str
      sample: Iteration 2
    status:
      description: V(Completed), or what else the service says.
      type: str
      sample: Completed
    trained_at:
      description: When its training ended.
      type: str
      sample: '2026-11-23T19:04:02.117Z'
    publish_name:
      description: The name under which it is published, V(none) where it is not.
      type: str
      sample: production
    original_publish_resource_id:
      description: The id of the prediction resource at which it is published, V(none) where it is not.
      type: str
      sample: "/subscriptions/0e4bb9a5-50f5-4b3c-9a2d-7a1e3c5d9f10/resourceGroups/vision/providers/\
        Microsoft.CognitiveServices/accounts/prod-prediction"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import (
    connect,
    connection_spec,
    filled_environment,
    hide_user_information,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._iterations import bring_about, check_options
from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import require_requests


def argument_spec():
    return {
        **connection_spec(),
        "project_id": {"type": "str"},
        "project_name": {"type": "str"},
        "iteration_id": {"type": "str"},
        "iteration_name": {"type": "str"},
        "publish_name": {"type": "str", "required": True},
        "prediction_resource_id": {
            "type": "str",
            "fallback": (filled_environment, ["VISION_PREDICTION_RESOURCE_ID"]),
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def run(params, check_mode):
    """What the module returns, with ``msg`` where it failed; CustomVisionError where nothing could be begun."""
    options = check_options(params)
    with Client(connect(params)) as client:
        try:
            return bring_about(client, options, check_mode)
        except CustomVisionError as error:
            return {"msg": str(error), "changed": client.may_have_written}


def main():
    module = AnsibleModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[("project_id", "project_name"), ("iteration_id", "iteration_name")],
        required_one_of=[("project_id", "project_name")],
        supports_check_mode=True,
    )
    require_requests(module)
    hide_user_information(module)
    try:
        result = run(module.params, module.check_mode)
    except CustomVisionError as error:
        module.fail_json(msg=str(error), changed=False)
    if "msg" in result:
        module.fail_json(**result)
    for warning in result.pop("warnings"):
        module.warn(warning)
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
