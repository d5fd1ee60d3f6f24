#!/usr/bin/python

# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cv_project_copy
short_description: Copy Azure Custom Vision projects from one resource to another
version_added: 0.1.0
author:
  - cvops.custom_vision contributors (@cvops)
description:
  - Copies projects with their images, tags, regions and trained iterations from one Azure Custom Vision
    training resource to another, many at once; waits for the imports, compares each copy with its source,
    and only then gives it its name.
  - A copy waits under the name C(NAME (incoming TIME RUN\)). What is not whole never bears the name C(NAME).
  - A run that is cut off is finished by the next one, which finds the incoming copy and goes on with it.
  - What must yield its name is renamed. A copy that is replaced is called C(NAME (superseded TIME\)), an import that
    failed, never ends or lacks something C(NAME (failed TIME\)). Once a copy has the name, only the newest of these
    are kept. What has a published iteration is never deleted, unless O(unpublish_superseded) has it unpublished first.
extends_documentation_fragment:
  - cvops.custom_vision._connection.sides
  - cvops.custom_vision._attributes
attributes:
  check_mode:
    support: full
    details:
      - Check mode exports nothing and takes it that imports succeed. What cannot be known yet is V(none).
  diff_mode:
    support: full
    details:
      - The diff shows which names at the destination belong to which ids, before and after, and with
        O(prediction_resource_id) what is published as what in which project.
  idempotent:
    support: full
options:
  projects:
    description:
      - The projects to copy. Give these or O(match).
    type: list
    elements: dict
    suboptions:
      name:
        description: The project's name at the source. Give this or O(projects[].id).
        type: str
      id:
        description: The project's id at the source, for a name that several have.
        type: str
      destination_name:
        description: The copy's name at the destination. The name at the source if left out.
        type: str
  match:
    description:
      - Copies all projects of the source whose names match one of these case-sensitive globs (V(*), V(?), V([abc])),
        each under its own name. A pattern without wildcards is a name.
      - A pattern that finds nothing is an error. Names that this collection gave, such as those of incoming
        copies, are passed over.
    type: list
    elements: str
  state:
    description:
      - V(present) is content with a finished project of the name, whatever it holds.
      - V(latest) compares it with the source, as O(compare) says. Where they differ, a new copy is made and proven
        before it takes the name; the old one is set aside.
      - A copy that was rolled back with M(cvops.custom_vision.cv_project_rollback) and equals the source stays
        rolled back until the source is trained or changed.
    type: str
    choices: [present, latest]
    default: present
  compare:
    description:
      - What must be equal in source and copy before the copy gets its name, and with O(state=latest) for a copy to be
        left as it is.
      - V(iterations) are compared by the time of training, V(tags) by name, V(tagged_images) by their number.
        Regions that moved and images that were given other tags do not show in these.
      - An empty list gives the name without a look. O(state=latest) does not take it.
    type: list
    elements: str
    choices: [iterations, tags, tagged_images]
    default: [iterations, tags, tagged_images]
  wait:
    description:
      - Whether to wait for imports, and for a source that is in training or being imported itself.
      - Without it the task ends when the imports have started (RV(copies[].action=started)); a later run goes on.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait for each copy, counted from its import, in seconds.
      - A source that is in training or being imported itself, and an import that was there before, are waited for
        as long, each counted from the begin of the wait.
    type: int
    default: 3600
  wait_sleep:
    description: The longest interval between two looks at the destination, in seconds.
    type: float
    default: 5
  retain:
    description:
      - How many superseded copies of each name are kept, the newest. The others are deleted once a new copy has the
        name, and with O(state=latest) also where the copy is up to date.
    type: int
    default: 1
  unpublish_superseded:
    description:
      - Whether the iterations of superseded copies that are not to be kept any more are unpublished first. Otherwise
        a superseded copy with a published iteration is left, with a warning.
    type: bool
    default: false
  prediction_resource_id:
    description:
      - The whole Azure resource id of a prediction resource. When given, what is published at the source is published
        there in the copy under the same names, whether the copy is new or unchanged.
      - Iterations are matched by time of training. What is published in the copy only is left as it is,
        unless it bears a name, or is an iteration, that the source has published otherwise.
      - Falls back to the environment variable E(VISION_DESTINATION_PREDICTION_RESOURCE_ID). An empty variable counts
        as not set.
    type: str
  rate_limit:
    description:
      - How many requests a second may go to one resource. The service allows 10.
      - Requests that are sent again count. Where source and destination are the same resource, both sides share the
        limit.
    type: float
    default: 10
notes:
  - The service does not copy the publishing of iterations, see O(prediction_resource_id).
  - Callers address a model by its project id and publish name. A replacement has another project id, which is in
    RV(copies[].destination.id); the copy that it replaced goes on answering under its own id.
  - The identity of O(source.training_key) and O(destination.training_key) must be allowed to export and to
    import. With O(source.access_token) that takes the role Contributor.
  - Nothing of this was tried against the real service. It was built by its documentation and recorded traffic.
seealso:
  - module: cvops.custom_vision.cv_project_info
  - module: cvops.custom_vision.cv_project_rollback
  - module: cvops.custom_vision.cv_iteration_publish
  - name: Copy and move Custom Vision projects
    description: The service's own description of export and import.
    link: https://learn.microsoft.com/azure/ai-services/custom-vision-service/copy-move-projects
"""

EXAMPLES = r"""
- name: Copy two projects from dev to prod, one of them under another name
  cvops.custom_vision.cv_project_copy:
    source:
      endpoint: "{{ dev.endpoint }}"
      training_key: "{{ dev.training_key }}"
    destination:
      endpoint: "{{ prod.endpoint }}"
      training_key: "{{ prod.training_key }}"
    projects:
      - name: Widget inspection
      - name: Shelf stock
        destination_name: Shelf stock (EU)
  register: promotion

- name: Show the ids that callers need
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.destination.id }}"
  loop: "{{ promotion.copies }}"
  loop_control:
    label: "{{ item.name }}"
  when: item.destination is not none

- name: Bring prod up to date with dev, publish there what dev has published, and keep the last three copies
  cvops.custom_vision.cv_project_copy:
    source: "{{ dev }}"
    destination: "{{ prod }}"
    match: ['*']
    state: latest
    retain: 3
    unpublish_superseded: true
    prediction_resource_id: "{{ prod_prediction_resource_id }}"

- name: Copy all projects whose names begin alike, by connection variables in the environment
  cvops.custom_vision.cv_project_copy:
    match:
      - Widget*

- name: Only start the imports; a later run goes on
  cvops.custom_vision.cv_project_copy:
    source: "{{ dev }}"
    destination: "{{ prod }}"
    match: ['*']
    wait: false
"""

RETURN = r"""
changed:
  description: True exactly if something was, or may have been, written at the destination.
  returned: always
  type: bool
  sample: true
diff:
  description: The ids by name, before and after, of all that bears a wanted name or one given on its behalf.
  returned: in diff mode
  type: dict
  sample:
    before: {}
    after: {Widget inspection: 64b822c5-8082-4b36-a426-27225f4aa18c}
copies:
  description: The copies, in the order asked for; with O(match) in the order of the source.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name at the destination.
      type: str
      sample: Widget inspection
    action:
      description:
        - V(copied), also where an import of an earlier run was brought to its end.
        - V(replaced), where what had the name before was set aside.
        - V(unchanged), where what has the name is good enough, see O(state).
        - V(waited), where it only had to be waited for.
        - V(started), with O(wait=false), where an import is under way.
        - V(failed), see RV(copies[].error).
      type: str
      sample: copied
    source:
      description: The project at the source.
      type: dict
      contains:
        id:
          description: Its id.
          type: str
          sample: bc3f7dad-5544-468c-8573-3ef04d55463e
        name:
          description: Its name.
          type: str
          sample: Widget inspection
    destination:
      description: The project at the destination, V(none) where there is none yet.
      type: dict
      contains:
        id:
          description: Its id, by which callers of its models address it.
          type: str
          sample: 64b822c5-8082-4b36-a426-27225f4aa18c
        name:
          description: Its name.
          type: str
          sample: Widget inspection
        status:
          description: V(Succeeded), V(Importing) or V(Failed).
          type: str
          sample: Succeeded
        created:
          description: When it was created there.
          type: str
          sample: '2026-11-23T19:00:36.7Z'
    counts:
      description: What the copy holds, V(none) where it was not compared.
      type: dict
      contains:
        iterations:
          description: The number of trained iterations.
          type: int
          sample: 2
        tags:
          description: The number of tags.
          type: int
          sample: 2
        tagged_images:
          description: The number of tagged images.
          type: int
          sample: 24
    verified:
      description: Whether the copy was found equal to its source in this run, V(none) where it was not compared.
      type: bool
      sample: true
    published:
      description:
        - The names under which iterations of the copy are published, as far as that was looked at. It is with
          O(prediction_resource_id) or O(state=latest).
      type: list
      elements: str
      sample: []
    set_aside:
      description: The names that were given to what had to yield.
      type: list
      elements: str
      sample: ['Widget inspection (superseded 20261123T190036Z)']
    deleted:
      description: The names of what was deleted.
      type: list
      elements: str
      sample: []
    error:
      description: What went wrong, V(none) where nothing did.
      type: str
      sample: null
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cvops.custom_vision.plugins.module_utils._client import REQUESTS_PER_SECOND, Client
from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import ASPECTS
from ansible_collections.cvops.custom_vision.plugins.module_utils._connection import (
    connect,
    filled_environment,
    hide_user_information,
    nested_connection_spec,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._copier import copy_all
from ansible_collections.cvops.custom_vision.plugins.module_utils._errors import CustomVisionError
from ansible_collections.cvops.custom_vision.plugins.module_utils._options import check_options
from ansible_collections.cvops.custom_vision.plugins.module_utils._outcome import nothing_begun, task_result
from ansible_collections.cvops.custom_vision.plugins.module_utils._pacing import Pace
from ansible_collections.cvops.custom_vision.plugins.module_utils._requests import require_requests
from ansible_collections.cvops.custom_vision.plugins.module_utils._selection import (
    refuse,
    unseen_entries,
    wanted_entries,
    wanted_matches,
)
from ansible_collections.cvops.custom_vision.plugins.module_utils._service import ForeseenService, Service
from ansible_collections.cvops.custom_vision.plugins.module_utils._waiting import Waiting


def argument_spec():
    return {
        "source": nested_connection_spec("source"),
        "destination": nested_connection_spec("destination"),
        "projects": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str"}, "id": {"type": "str"}, "destination_name": {"type": "str"}},
            "mutually_exclusive": [("name", "id")],
            "required_one_of": [("name", "id")],
        },
        "match": {"type": "list", "elements": "str"},
        "state": {"type": "str", "choices": ["present", "latest"], "default": "present"},
        "compare": {"type": "list", "elements": "str", "choices": list(ASPECTS), "default": list(ASPECTS)},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 3600},
        "wait_sleep": {"type": "float", "default": 5},
        "retain": {"type": "int", "default": 1},
        "unpublish_superseded": {"type": "bool", "default": False},
        "prediction_resource_id": {
            "type": "str",
            "fallback": (filled_environment, ["VISION_DESTINATION_PREDICTION_RESOURCE_ID"]),
        },
        "rate_limit": {"type": "float", "default": REQUESTS_PER_SECOND},
    }


def run(params, check_mode):
    """What the module returns; CustomVisionError where nothing could be begun."""
    options = check_options(params)
    source, destination = (connect(params[side], side) for side in ("source", "destination"))
    is_one_resource = source.address == destination.address
    # What was begun at the source is brought to its export first, so that imports begin early.
    reading = Pace(params["rate_limit"], youngest_first=True)
    writing = reading if is_one_resource else Pace(params["rate_limit"])
    patience = params["wait_timeout"]
    with Client(source, reading, patience) as reader, Client(destination, writing, patience) as writer:
        service = (ForeseenService if check_mode else Service)(
            reader,
            writer,
            params["compare"],
            Waiting(params["wait"], params["wait_timeout"], params["wait_sleep"]),
            lists_iterations=options.latest or options.prediction_resource_id is not None,
        )
        source_projects, destination_projects = service.lists()
        if params["match"] is not None:
            wanted = wanted_matches(params["match"], source_projects)
        else:
            wanted = wanted_entries(params["projects"], source_projects)
        wanted = refuse(wanted, destination_projects, is_one_resource)
        outcomes = copy_all(service, wanted, destination_projects, options)
        return task_result(outcomes, service.changed)


def main():
    module = AnsibleModule(
        argument_spec=argument_spec(),
        mutually_exclusive=[("projects", "match")],
        required_one_of=[("projects", "match")],
        supports_check_mode=True,
    )
    require_requests(module)
    hide_user_information(module)
    try:
        result = run(module.params, module.check_mode)
    except CustomVisionError as error:
        result = nothing_begun(unseen_entries(module.params["projects"] or []), str(error))
    for warning in result.pop("warnings"):
        module.warn(warning)
    if not module._diff:
        del result["diff"]
    if result["failed"]:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
