#!/usr/bin/python

# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cv_project_rollback
short_description: Give an Azure Custom Vision project's name back to the copy that had it before
version_added: 0.1.0
author:
  - cvops.custom_vision contributors (@cvops)
description:
  - Undoes the latest promotion of a project. The newest copy that had to yield, C(NAME (superseded TIME\)), gets
    its name back, and the one that has it now is set aside as C(NAME (withdrawn TIME\)).
  - These are two renames. Nothing is deleted, and nothing is published or unpublished.
  - A run that was cut off between the two renames is finished by the next.
  - If the newest copy that was set aside is a withdrawn one and some project has the name, there is nothing to do.
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
      - The diff shows which names belong to which ids, before and after, of the project and of its superseded and
        withdrawn copies.
  idempotent:
    support: partial
    details:
      - A second run changes nothing, with one exception. If nobody had the name, and no withdrawn copy is newer than
        the other superseded ones, nothing tells the next run of this one. It would go back further, or fail if there
        is no other superseded copy. A warning says so.
options:
  name:
    description:
      - The name that the project is promoted under, exactly.
    type: str
    required: true
notes:
  - Callers address a model by the id of its project and the name that its iteration is published under. A rollback
    does not redirect them. They change the project's id back to that of the old copy, which is RV(project.id); it is
    the id that it always had.
  - The old copy's iterations are still published under the same names, unless somebody has unpublished them, for
    example by C(unpublish_superseded) of M(cvops.custom_vision.cv_project_copy). If so, publish again before callers
    change.
  - A superseded copy that is deleted cannot be gone back to. A promotion deletes those beyond the number it retains,
    unless an iteration of theirs is published.
  - The next promotion does not undo a rollback. With V(latest) as its state M(cvops.custom_vision.cv_project_copy)
    leaves a name alone, with a warning, while a withdrawn copy of it equals the source. Train or change the source to
    promote again.
  - Run it while no promotion of the same name is under way.
seealso:
  - module: cvops.custom_vision.cv_project_copy
  - module: cvops.custom_vision.cv_project_info
"""

EXAMPLES = r"""
- name: Go back to the copy before the latest promotion
  cvops.custom_vision.cv_project_rollback:
    endpoint: "{{ prod.endpoint }}"
    training_key: "{{ prod.training_key }}"
    name: Widget inspection
  register: rollback

- name: Show the id that callers use now
  ansible.builtin.debug:
    msg: "{{ rollback.project.id }}"

- name: See what going back would change, by connection variables in the environment
  cvops.custom_vision.cv_project_rollback:
    name: Shelf stock
  check_mode: true
  diff: true
"""

RETURN = r"""
project:
  description:
    - The project that has the name now, or would have it after a run without check mode, with the fields that the
      service gives, in snake_case and without the thumbnail's link.
  returned: success
  type: dict
  contains:
    id:
      description: The project's id, by which callers address its models.
      type: str
      sample: bc3f7dad-5544-468c-8573-3ef04d55463e
    name:
      description: The project's name.
      type: str
      sample: Widget inspection
    status:
      description: V(Succeeded) of an imported project.
      type: str
      sample: Succeeded
    created:
      description: When it was created.
      type: str
      sample: '2026-11-23T19:00:36.7Z'
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import (
    connect,
    connection_spec,
    hide_user_information,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import require_requests
from ansible_collections.cvops.custom_vision.plugins.module_utils._rollback import check_name, roll_back


def run(params, check_mode):
    """What the module returns; CustomVisionError where nothing could be begun."""
    check_name(params["name"])
    with Client(connect(params)) as client:
        return roll_back(client, params["name"], check_mode)


def main():
    module = AnsibleModule(
        argument_spec={**connection_spec(), "name": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    require_requests(module)
    hide_user_information(module)
    try:
        result = run(module.params, module.check_mode)
    except CustomVisionError as error:
        module.fail_json(msg=str(error), changed=False)
    for warning in result.pop("warnings"):
        module.warn(warning)
    if not module._diff:
        del result["diff"]
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
