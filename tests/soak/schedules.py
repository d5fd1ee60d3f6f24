# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules: what the destination holds before, which runs there are, and what goes wrong while they run."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.cvops.custom_vision.plugins.module_utils._comparison import ASPECTS
from emulator.faults import DROPS, MALFORMED
from emulator.transfer import MISSING, OUTCOMES
from hypothesis import strategies as st

TIMEOUT = 0.1  # seconds, of a request while things go wrong
TOO_LONG = 0.13  # a delay after which the client has given up, but still looks for what became of an import

# At the source, in order of creation. None may be a trap: for a URL, or for a look at brackets.
NAMES = ("Widget", "Widget (1)", "Größe 100 % & mehr?", "Shelf (incoming)")

READS = ("GetProjects", "GetProject", "GetIterations", "GetTags", "GetTaggedImageCount")
OPERATIONS = {
    "source": ("ExportProject", *READS, "*"),
    # What writes goes wrong as often as what reads.
    "destination": (*("ImportProject", "UpdateProject", "DeleteProject") * 2, *READS, "*"),
}
CODES = (
    (400, "BadRequestExceedProjectLimit"),
    (400, "BadRequestExportWhileTraining"),
    (400, "BadRequestInvalidImportToken"),
    (400, "BadRequestProjectNameNotUnique"),
    (403, "ForbiddenDRModeEnabled"),
    (404, "NotFoundProject"),
)


@dataclass(frozen=True)
class Trouble:
    """A fault of one side, see the emulator's README."""

    side: str
    operation: str
    fault: dict


@dataclass(frozen=True)
class Run:
    """The options of one run, and how many seconds after the others of its wave it starts."""

    credential: str
    state: str
    compare: tuple[str, ...]
    retain: int
    unpublish_superseded: bool
    wait: bool
    wait_timeout: float
    start_after: float


@dataclass(frozen=True)
class Wave:
    """Runs at the same time, and what happens meanwhile.

    ``trained`` are the projects that are trained at the source soon after they started, ``advance`` is what the clock
    jumps ahead after them, in seconds.
    """

    runs: tuple[Run, ...]
    troubles: tuple[Trouble, ...]
    trained: tuple[str, ...]
    advance: int


@dataclass(frozen=True)
class Litter:
    """A project that the destination holds before the first run.

    ``name`` is the copy's, ``form`` makes the litter's own of it. It is an import of that project (``same``) or of
    another one and ends with ``outcome``; ``old`` is a day old, ``published`` has a published iteration.
    """

    name: str
    form: str
    same: bool
    outcome: str | None
    old: bool
    published: bool

    @property
    def full_name(self) -> str:
        return self.form.format(self.name)


@dataclass(frozen=True)
class Schedule:
    """A whole story: all runs are to copy ``names``; ``state`` is that of the runs after it, when all is calm."""

    names: tuple[str, ...]
    state: str
    litter: tuple[Litter, ...]
    waves: tuple[Wave, ...]

    @property
    def compared(self) -> set[str]:
        """What every run compares, so what any copy must be equal in."""
        return set(ASPECTS).intersection(*(run.compare for wave in self.waves for run in wave.runs))


def _tuples(elements, smallest, largest, **options):
    return st.lists(elements, min_size=smallest, max_size=largest, **options).map(tuple)


# Padding of many lengths, so that whatever cuts a message off cuts it off within the secret too.
_MESSAGES = st.builds("{}{}".format, st.one_of(st.just(""), st.integers(200, 300).map("x".__mul__)),
                      st.sampled_from(["{token} {key}", "{key} {token}"]))
_STATUSES = st.fixed_dictionaries(
    {"status": st.sampled_from([400, 401, 403, 404, 408, 409, 411, 429, 500, 502, 503, 504])},
    optional={
        "shape": st.sampled_from(["service", "gateway", "old", "html", "empty", "text"]),
        "message": _MESSAGES,
        "headers": st.sampled_from([{"Retry-After": "1"}, {"Retry-After": "soon"}]),
    },
)
_REFUSALS = st.sampled_from(CODES).flatmap(
    lambda refusal: st.fixed_dictionaries({"status": st.just(refusal[0]), "code": st.just(refusal[1])},
                                          optional={"message": _MESSAGES})
)
_ANSWERS = st.one_of(
    _STATUSES,
    _REFUSALS,
    st.sampled_from([302, 307]).map(lambda status: {"redirect": "http://127.0.0.1:9/?sig=secret", "status": status}),
    st.sampled_from(DROPS).map(lambda drop: {"drop": drop}),
    st.sampled_from(MALFORMED).map(lambda malformed: {"malformed": malformed}),
    st.sampled_from([0.02, TOO_LONG]).map(lambda delay: {"delay": delay}),
    st.sampled_from([0.02, TOO_LONG]).map(lambda delay: {"delay_after": delay}),
)
_IMPORTS = st.one_of(
    st.builds(lambda outcome, missing: {"outcome": outcome, "missing": missing},
              st.sampled_from(OUTCOMES), st.sampled_from(MISSING)),
    st.builds(lambda lag, missing: {"lag": lag, "missing": missing},
              st.sampled_from([0.02, 0.1, 3600.0]), st.sampled_from(MISSING)),
    st.sampled_from([0.0, 0.1, 7200.0]).map(lambda seconds: {"import_seconds": seconds}),
    st.sampled_from([0.05, 0.15, 3600.0]).map(lambda late: {"late": late}),
)
_SOME_IMPORTS = st.one_of(_IMPORTS, st.builds(lambda first, second: {**first, **second}, _IMPORTS, _ANSWERS), _ANSWERS)
_WHEN = st.fixed_dictionaries({
    "after": st.sampled_from([0, 0, 0, 1, 2, 4]),
    "times": st.sampled_from([1, 1, 2, 3, 8, None]),
})


def _of(side, operation):
    what = _SOME_IMPORTS if operation == "ImportProject" else _ANSWERS
    return st.builds(lambda fault, when: Trouble(side, operation, {**fault, **when}), what, _WHEN)


_TROUBLES = st.sampled_from([(side, operation) for side, all_of in OPERATIONS.items() for operation in all_of]).flatmap(
    lambda pair: _of(*pair)
)
_COMPARES = st.sampled_from([ASPECTS, ASPECTS, ASPECTS, ASPECTS, (), ("tags",), ("iterations", "tagged_images")])
_STATES = st.sampled_from(["present", "latest"])
_RUNS = st.builds(
    # An empty comparison is for present only.
    lambda state, compare, **others: Run(state=state if compare else "present", compare=compare, **others),
    credential=st.sampled_from(["training_key", "access_token"]),
    state=_STATES,
    compare=_COMPARES,
    retain=st.sampled_from([1, 1, 0, 2]),
    unpublish_superseded=st.booleans(),
    wait=st.sampled_from([True, True, True, False]),
    wait_timeout=st.sampled_from([0.2, 0.05]),
    start_after=st.sampled_from([0.0, 0.01, 0.05, 0.1]),
)
_FORMS = (
    *("{}",) * 3,
    "{} (incoming 20201123T190000Z 0a1b2c3d)",
    "{} (incoming 20201123T190000Z 0a1b2c3d) (1)",
    "{} (incoming 20201124T190000Z 00000000)",
    "{} (failed 20201123T190000Z)",
    "{} (failed 20201124T190000Z)",
)
_SET_ASIDE = (
    "{} (superseded 20201123T190000Z)",
    "{} (superseded 20201124T190000Z)",
    "{} (withdrawn 20201123T190000Z)",
    "{} (withdrawn 20201124T190000Z)",
)
_SOMEBODYS_OWN = ("{} (7)", "{} (failed)")
# How many runs there are at a time.
_SHAPES = ((2,), (1, 1), (3,), (1, 2), (2, 1), (1, 1, 1), (4,), (2, 2), (1, 3))


def _litter(names):
    return st.builds(
        Litter,
        name=st.sampled_from(names),
        form=st.sampled_from(_FORMS + _SET_ASIDE + _SOMEBODYS_OWN),
        same=st.booleans(),
        outcome=st.sampled_from([None, "fail", *OUTCOMES]),
        old=st.sampled_from([True, True, False]),
        published=st.booleans(),
    )


def _waves(names, runs):
    return st.builds(
        Wave,
        runs=_tuples(_RUNS, runs, runs),
        troubles=_tuples(_TROUBLES, 0, 4),
        trained=_tuples(st.sampled_from(names), 0, 1),
        advance=st.sampled_from([0, 0, 30, 25 * 3600]),
    )


def _of_names(names):
    return st.builds(
        Schedule,
        names=st.just(names),
        state=_STATES,
        litter=_tuples(_litter(names), 0, 4, unique_by=lambda litter: litter.full_name),
        waves=st.sampled_from(_SHAPES).flatmap(lambda shape: st.tuples(*(_waves(names, runs) for runs in shape))),
    )


SCHEDULES = st.integers(1, len(NAMES)).map(lambda number: NAMES[:number]).flatmap(_of_names)
