# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold at each write, when all is quiet again, and of all that a run says."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import ASPECTS
from ansible_collections.cvops.custom_vision.plugins.module_utils._names import (
    FAILED,
    INCOMING,
    SUPERSEDED,
    WITHDRAWN,
    our_name,
)
from emulator.store import Store
from flask import g

NEARLY = timedelta(seconds=1)  # a copied iteration is a millisecond younger than its original
PROMPTLY = 0.1  # seconds; what takes no longer is there before anybody gives up
MOST_REQUESTS = 100  # of a run for each copy
PIECE = 12  # characters of a key that are a secret already


def content(project):
    """What a project holds: by aspect, a list of (what it is called, when it was trained)."""
    tagged = [image.sha256 for image in project.images.values() if image.tags]
    return {
        "iterations": [(iteration.name, iteration.trained_at) for iteration in project.trained],
        "tags": sorted((tag.name, None) for tag in project.tags.values()),
        "tagged_images": sorted((checksum, None) for checksum in tagged),
    }


def is_finished(project):
    return project.status == "Succeeded"


class WatchedStore(Store):
    """A destination's store that puts down each write that breaks a rule.

    ``versions`` are the contents that the sources had, a list for each name of a copy; ``compared`` is what all runs
    compare.
    """

    def __init__(self, resource, versions, compared):
        super().__init__(resource.clock, resource)
        self.offences = []
        self.writes = 0  # of the present wave
        self._versions = versions
        self._compared = compared
        self._prompt = {}  # when an import arrived that was carried out at once, by its run
        # Of the present wave: its runs, the ids of the copies that got their names, names that were lost again, and
        # the ids of what was set aside.
        self._runs, self._new_holders, self._lost, self._set_aside = (), set(), set(), set()

    def begin_wave(self, runs):
        """The runs of the wave before are over."""
        self.writes = 0
        self._runs = runs
        self._new_holders.clear(), self._lost.clear(), self._set_aside.clear()

    def start_import(self, package, name, plan):
        """An import goes to an incoming name, and is not sent again while it is there."""
        ours = our_name(name)
        self._forbid(not self._is_ours(name, INCOMING), f"imported as {name!r}")
        run, sent_at = ours and ours.run, g.record.at
        self._forbid(self._prompt.get(run, sent_at) < sent_at and self._holds(run), f"sent {name!r} again")
        project = super().start_import(package, name, plan)
        self.writes += 1
        if time.monotonic() - sent_at < PROMPTLY:
            self._prompt.setdefault(run, sent_at)
        return project

    def update(self, project, changes):
        """Only a whole copy gets a name; a finished project loses it only where it is out of date.

        What is somebody's own is left alone. A copy may lose its name to a run at the same time that found it unequal (other options, a source that moved):
        no run can know what happens between its look at the names and its rename. test_race.py sees to it that there
        is no more between the two.
        """
        before = project.name
        super().update(project, changes)
        self.writes += 1
        if before == project.name:
            return
        change = f"{before!r} renamed to {project.name!r}"
        self._forbid(before not in self._versions and not self._is_ours(before, *self._renamed_kinds), change)
        if before in self._versions and is_finished(project):
            self._lost.add(before)
            is_outdated = self._has_latest and not self._equals_all_versions(project, before)
            self._forbid(not is_outdated and project.id not in self._new_holders, f"{change} though it is finished")
        if project.name in self._versions:
            self._new_holders.add(project.id)
            self._forbid(not is_finished(project), f"{change} though it is {project.status}")
            self._forbid(not self.is_whole(project), f"{change} though it is not whole")
        else:
            self._set_aside.add(project.id)
            self._forbid(not self._is_ours(project.name, *self._renamed_kinds), change)
            self._forbid(self._is_ours(project.name, SUPERSEDED) and not is_finished(project), change)

    def delete(self, project):
        """What is not needed goes once the name is held; of what was set aside the newest stay.

        An incoming copy that is not needed may be set aside by a run at the same time just before it goes.
        """
        change = f"{project.name!r} deleted"
        name = getattr(our_name(project.name), "name", None)
        has_copy = any(map(is_finished, self.called(name)))
        self._forbid(not self._is_ours(project.name, INCOMING, FAILED, SUPERSEDED, WITHDRAWN), change)
        self._forbid(project.published, f"{change} though it is published")
        self._forbid(not has_copy and name not in self._lost, f"{change} before there was a copy")
        is_kept = project in self._kept(name) and project.id not in self._set_aside
        self._forbid(is_kept, f"{change} though it is among the newest")
        super().delete(project)
        self.writes += 1

    def is_whole(self, project):
        """Whether a project equals its source, as it is or as it was, in what all runs compare."""
        versions = self._versions[project.name]
        return any(_is_equal(content(project), version, self._compared) for version in versions)

    def is_up_to_date(self, project):
        """Whether a project equals its source as it is, in all that can be compared."""
        return _is_equal(content(project), self._versions[project.name][-1], ASPECTS)

    def called(self, name):
        return [project for project in self.projects.values() if project.name == name]

    def of_kind(self, name, kind):
        """The projects whose names are of a kind of ours for a copy, the newest first."""
        found = [(our_name(project.name), project) for project in self.projects.values()]
        ours = [(parts.stamp, project) for parts, project in found if parts and parts[:2] == (name, kind)]
        return [project for _stamp, project in sorted(ours, key=lambda pair: pair[0], reverse=True)]

    def surplus(self, name, state):
        """What should be gone when a copy has its name."""
        not_needed = self.of_kind(name, INCOMING) + self.of_kind(name, FAILED)[1:]
        outdated = self.of_kind(name, SUPERSEDED)[1:] + self.of_kind(name, WITHDRAWN)[1:]
        return not_needed + (outdated if state == "latest" else [])

    @property
    def _has_latest(self):
        return any(run.state == "latest" for run in self._runs)

    @property
    def _renamed_kinds(self):
        """A run that is late may rename what another has just superseded."""
        return (INCOMING, FAILED, SUPERSEDED) if self._has_latest else (INCOMING, FAILED)

    def _kept(self, name):
        """What every run is to keep of what was set aside."""
        retain = min((run.retain for run in self._runs), default=1)
        return self.of_kind(name, FAILED)[:1] + self.of_kind(name, WITHDRAWN)[:1] + self.of_kind(name, SUPERSEDED)[:retain]

    def _equals_all_versions(self, project, name):
        """Whether a project equals its source, whenever that was read: no run can have found it out of date then."""
        return all(_is_equal(content(project), version, ASPECTS) for version in self._versions[name])

    def _is_ours(self, name, *kinds):
        ours = our_name(name)
        return ours is not None and ours.kind in kinds and ours.name in self._versions

    def _holds(self, run):
        return any((ours := our_name(project.name)) and ours.run == run for project in self.projects.values())

    def _forbid(self, wrong, offence):
        if wrong:
            self.offences.append(offence)


def _is_equal(copy, version, aspects):
    return all(_are_equal(copy[aspect], version[aspect]) for aspect in aspects)


def _are_equal(some, others):
    return len(some) == len(others) and all(
        name == other and (at is None or abs(at - other_at) < NEARLY)
        for (name, at), (other, other_at) in zip(some, others)
    )


def check_copies(store, names, planted, state="present"):
    """Each copy is there once and whole, or is a finished project that was there before; nothing is beside it."""
    for name in names:
        (copy,) = store.called(name)
        assert is_finished(copy), f"{name} is {copy.status}"
        assert copy.id in planted or store.is_whole(copy), f"{name} is not whole"
        assert state == "present" or store.is_up_to_date(copy), f"{name} is out of date"
        surplus = store.surplus(name, state)
        assert all(project.published for project in surplus), [one.name for one in surplus]
    numbered = [one for one in store.projects.values() if re.search(r" \(\d+\)$", one.name) and one.name not in names]
    assert all(project.id in planted for project in numbered), [one.name for one in numbered]


def check_secrets(results, resources):
    """No key, no piece of one, and no signature of a link is in what the runs say."""
    text = json.dumps(results).lower()
    secrets = [key for resource in resources for key in (resource.training_key, resource.access_token)]
    for piece in ("sig=", "sig%3d", "sig%253d", *(key[:PIECE].lower() for key in secrets)):
        assert piece not in text, text[max(0, text.index(piece) - 300):][:600]


def check_wave(stage, results):
    """Whatever goes wrong, runs do not go on for ever, and what they say is true."""
    assert len(stage.dev.requests) + len(stage.prod.requests) <= MOST_REQUESTS * len(results) * len(stage.schedule.names)
    for result in results:
        check_result(result)
    if len(results) == 1:
        check_truth(results[0], stage.prod.store)


def check_truth(result, store):
    """What a run says was so at its end."""
    assert result["changed"] or not store.writes
    for copy in result["copies"]:
        if copy["action"] not in ("started", "failed"):
            assert [project.id for project in store.called(copy["name"])] == [copy["destination"]["id"]]


def check_result(result):
    """What a run says fits together."""
    assert result["failed"] == ("msg" in result)
    assert result["failed"] == (any(copy["error"] for copy in result["copies"]) or not result["copies"])
    for copy in result["copies"]:
        there = copy["destination"] and (copy["destination"]["name"], copy["destination"]["status"])
        assert (copy["error"] is None) == (copy["action"] != "failed")
        assert there == (copy["name"], "Succeeded") or copy["action"] in ("started", "failed")
        assert result["changed"] or not (copy["action"] in ("copied", "replaced") or copy["set_aside"] or copy["deleted"])


def foretold(copy):
    """What check mode tells of a copy; a name that is given only when it is needed counts by its kind."""
    kinds = {name: our_name(name).kind for name in copy["set_aside"]}
    return copy["name"], copy["action"], sorted(kinds.values()), sorted(kinds.get(one, one) for one in copy["deleted"])
