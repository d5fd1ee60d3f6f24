# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The projects of one resource, and what the operations on projects do to them."""

from __future__ import annotations

import itertools
import threading
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from . import iterations
from .clock import Clock
from .domains import DOMAINS, GENERAL
from .errors import ServiceError
from .model import Project, Settings
from .transfer import Exports, ImportPlan, pack

CLASSIFICATION_TYPES = ("Multiclass", "Multilabel")

# Source: recorded SDK traffic (CreateProject).
AUGMENTATION_METHODS = ("rotation", "scaling", "translation", "horizontal flip", "equalize", "solarize", "padtosquare")

# What a PATCH may change of the settings; the OpenAPI file has the others read-only.
WRITABLE_SETTINGS = ("domainId", "classificationType", "targetExportPlatforms", "imageProcessingSettings")


@dataclass(frozen=True)
class LateImport:
    """An import that was cut off and is carried out later all the same."""

    at: datetime
    package: dict
    name: str | None
    plan: ImportPlan


class Store:
    """The state of one resource. Hold ``lock`` and call settle() before anything else."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.lock = threading.RLock()
        self.projects: dict[str, Project] = {}
        self.exports = Exports()
        self._clock = clock
        self._settings = settings
        self._late: list[LateImport] = []

    def settle(self) -> None:
        """Bring everything up to the present: time passes when somebody looks."""
        now = self._clock.now()
        for late in [late for late in self._late if late.at <= now]:
            self._late.remove(late)
            self._begin_import(late.package, late.name, late.plan, late.at)
        for project in self.projects.values():
            _proceed(project, now)
            iterations.settle(project, now)

    def find(self, project_id: str) -> Project:
        """The project of that id, or NotFoundProject."""
        if project_id not in self.projects:
            raise ServiceError("NotFoundProject")
        return self.projects[project_id]

    def create(self, name: str | None, description: str | None, settings: dict) -> Project:
        """A new, empty project. The name may be taken: names are no keys."""
        if not name:
            raise ServiceError("BadRequestProjectName")
        self._check_limit()
        return self._add(name, description, new_settings(settings), self._clock.now())

    def update(self, project: Project, changes: dict) -> None:
        """Take over what a PATCH gives; what it leaves out stays."""
        if "name" in changes:
            self._check_rename(project, changes["name"])
        settings = changed_settings(project.settings, changes.get("settings") or {})
        project.name = changes.get("name", project.name)
        project.description = changes.get("description", project.description)
        project.settings = settings
        project.last_modified = self._clock.now()

    def _check_rename(self, project: Project, name: str | None) -> None:
        """A PATCH to a name that is taken is refused. Inferred from the error's name, never recorded."""
        if not name or not isinstance(name, str):
            raise ServiceError("BadRequestProjectName")
        if any(other.name == name for other in self.projects.values() if other is not project):
            raise ServiceError("BadRequestProjectNameNotUnique")

    def delete(self, project: Project) -> None:
        """Remove a project that has nothing published. Source: Microsoft's documentation."""
        if project.published:
            raise ServiceError("BadRequestIterationIsPublished")
        del self.projects[project.id]

    def export(self, project: Project) -> tuple[dict, str]:
        """A snapshot of the project; gives the package, and the path and query it is read from."""
        if project.status == "Importing":
            raise ServiceError("BadRequestOperationNotSupported")
        if project.in_training:
            raise ServiceError("BadRequestExportWhileTraining")
        package = deepcopy(pack(project))
        return package, self.exports.add(package, self._clock.now())

    def start_import(self, package: dict, name: str | None, plan: ImportPlan) -> Project:
        """Begin an import; without a name the copy takes that of its source."""
        self._check_limit()
        return self._begin_import(package, name, plan, self._clock.now())

    def import_late(self, seconds: float, package: dict, name: str | None, plan: ImportPlan) -> None:
        """Begin an import so many seconds from now."""
        self._late.append(LateImport(self._clock.now() + timedelta(seconds=seconds), package, name, plan))

    def _begin_import(self, package: dict, name: str | None, plan: ImportPlan, now: datetime) -> Project:
        taken = {project.name for project in self.projects.values()}
        project = self._add(
            free_name(name or package["name"], taken), package["description"] or "", deepcopy(package["settings"]), now
        )
        project.status = "Importing"
        project.steps = plan.steps(package, now)
        return project

    def _check_limit(self) -> None:
        if len(self.projects) >= self._settings.project_limit:
            raise ServiceError("BadRequestExceedProjectLimit")

    def _add(self, name: str, description: str | None, settings: dict, now: datetime) -> Project:
        project = Project(str(uuid4()), name, description, settings, now, now)
        self.projects[project.id] = project
        return project


def _proceed(project: Project, now: datetime) -> None:
    """Take the steps of an import that are due. Source of what they change: recorded SDK traffic."""
    while project.steps and project.steps[0].at <= now:
        step = project.steps.pop(0)
        if project.status == "Importing":
            project.status = step.status
            project.last_modified = step.at
            project.settings["detectionParameters"] = project.settings["detectionParameters"] or ""
        project.tags, project.images = step.content.tags, step.content.images
        project.iterations = step.content.iterations


def free_name(name: str, taken: set[str]) -> str:
    """The name, or `NAME (1)`, `NAME (2)`... if it is taken. Source: recorded SDK traffic (ImportProject)."""
    if name not in taken:
        return name
    return next(f"{name} ({number})" for number in itertools.count(1) if f"{name} ({number})" not in taken)


def new_settings(given: dict) -> dict:
    """The settings of a new project: those given, by their names in the OpenAPI file, and the service's defaults."""
    settings = {
        "domainId": GENERAL,
        "classificationType": None,
        "targetExportPlatforms": [],
        "useNegativeSet": True,
        "detectionParameters": None,
        "imageProcessingSettings": {"augmentationMethods": dict.fromkeys(AUGMENTATION_METHODS, True)},
    }
    settings = changed_settings(settings, given)
    if DOMAINS[settings["domainId"]].type == "Classification":
        settings["classificationType"] = settings["classificationType"] or "Multilabel"
    return settings


def changed_settings(settings: dict, given: dict) -> dict:
    """The settings with those given in place of their own; an unknown domain or classification is refused."""
    changes = {key: given[key] for key in WRITABLE_SETTINGS if given.get(key) is not None}
    if changes.get("domainId", GENERAL) not in DOMAINS:
        raise ServiceError("BadRequestProjectUnknownDomain")
    if changes.get("classificationType", "Multilabel") not in CLASSIFICATION_TYPES:
        raise ServiceError("BadRequestProjectUnknownClassification")
    return {**settings, **changes}
