# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two emulated resources on which one schedule after the other is played."""

from __future__ import annotations

import dataclasses
import threading
from copy import deepcopy

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import ASPECTS
from emulator import iterations
from emulator.store import Store
from emulator.transfer import ImportPlan, pack

from soak.rules import WatchedStore, content, is_finished
from soak.running import parameters, promote, promote_at_once, wait_for_quiet
from soak.schedules import NAMES, TIMEOUT, Run

# What the runs of the calm have for options.
CALM_RUNS = {
    state: Run("training_key", state, ASPECTS, retain=1, unpublish_superseded=False, wait=True, wait_timeout=3600,
               start_after=0)
    for state in ("present", "latest")
}
IMPORT_SECONDS = 0.02
A_DAY = 25  # hours: imports are over by then, or stuck, and exports expired


class Stage:
    """The resources of one schedule, with what it wants to be there before its first run."""

    def __init__(self, emulator, projects, schedule):
        self.dev, self.prod, self.clock = emulator["dev"], emulator["prod"], emulator.clock
        self.schedule = schedule
        self.results = []
        for resource in (self.dev, self.prod):
            resource.faults.clear()
            resource.store = Store(resource.clock, resource)
        self.dev.store.projects = deepcopy(projects)
        self._sources = dict(zip(NAMES, self.dev.store.projects.values()))
        self._versions = {name: [content(self._sources[name])] for name in schedule.names}
        self.planted = self._plant()
        self._watch()

    def play(self, wave):
        """The runs of a wave and what goes wrong while they run; their results."""
        self._begin(wave.runs)
        for trouble in wave.troubles:
            {"source": self.dev, "destination": self.prod}[trouble.side].faults.add(trouble.operation, **trouble.fault)
        trainer = threading.Timer(IMPORT_SECONDS, self._train, [wave.trained])
        trainer.start()
        results = promote_at_once([self._arguments(run) for run in wave.runs])
        trainer.join()
        wait_for_quiet()
        self.clock.advance(seconds=wave.advance)
        self.results += results
        return results

    def calm_down(self):
        """Nothing goes wrong any more, and what is under way comes to its end."""
        for resource in (self.dev, self.prod):
            resource.faults.clear()
        self.clock.advance(hours=A_DAY)

    def promote(self, check_mode=False):
        """A run with all options left alone; its result."""
        self._begin([CALM_RUNS[self.schedule.state]])
        result = promote(self._parameters(state=self.schedule.state), check_mode)
        self.results.append(result)
        return result

    def _begin(self, runs):
        """What is counted is counted from now on."""
        self.prod.store.begin_wave(runs)
        self.dev.requests.clear(), self.prod.requests.clear()

    def _parameters(self, **options):
        return parameters(self.dev, self.prod, projects=[{"name": name} for name in self.schedule.names], **options)

    def _arguments(self, run):
        options = dataclasses.asdict(run)
        return {"start_after": options.pop("start_after"), "params": self._parameters(timeout=TIMEOUT, **options)}

    def _plant(self):
        """Puts the litter there, what is old first; gives the ids."""
        store = self.prod.store
        there = {litter: self._import(litter) for litter in self.schedule.litter if litter.old}
        self.clock.advance(hours=A_DAY)
        store.settle()
        there |= {litter: self._import(litter) for litter in self.schedule.litter if not litter.old}
        for litter, project in there.items():
            if litter.published and is_finished(project) and project.trained:
                project.trained[-1].publish_name = "live"
        return {project.id for project in there.values()}

    def _watch(self):
        """From now on each write at the destination is looked at."""
        projects = self.prod.store.projects
        self.prod.store = WatchedStore(self.prod, self._versions, self.schedule.compared)
        self.prod.store.projects = projects

    def _import(self, litter):
        names = list(self._sources)
        # What was rolled back and equals its source stays so, and there may be nothing else that has its name.
        is_same = litter.same and "withdrawn" not in litter.form
        source = litter.name if is_same else names[names.index(litter.name) - 1]
        plan = ImportPlan(IMPORT_SECONDS, litter.outcome)
        return self.prod.store.start_import(pack(self._sources[source]), litter.full_name, plan)

    def _train(self, names):
        """Trains projects at the source, which takes no time."""
        with self.dev.store.lock:
            for name in names:
                project = self._sources[name]
                iterations.train(project, "Regular", 0, self.clock.now(), 0)
                iterations.settle(project, self.clock.now())
                self._versions[name].append(content(project))
