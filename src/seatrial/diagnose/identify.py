"""Which faults the declared probes could tell apart, before anything is asked.

What is in: flows and checks as Probes, what each fault would show, classes of faults that show the same, and how many
pairs of faults do. What is not in: which probes to add (propose.py), words, and anything that was really seen.

A Probe is a row of stages in the order in which a packet crosses them, each with components. A fault that loses
everything shows itself at the first stage that crosses it and hides what comes behind. So a flow tells apart what it
crosses before its carrier, behind it and on the way back, and a check tells nothing but whether it passes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.diagnose.answers import called, owners_among, path_of
from seatrial.diagnose.paths import Ways, ways_among
from seatrial.diagnose.sentence import meaning
from seatrial.model.fleet import Fleet

MOST_PAIRED = 300  # classes; beyond, the pairs are not looked at

Shown = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A flow or a check by name, and the components of each stage, in order."""

    name: str
    stages: tuple[tuple[str, ...], ...]

    @property
    def components(self) -> frozenset[str]:
        """All that it crosses."""
        return frozenset(itertools.chain.from_iterable(self.stages))


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What Probes could tell of single faults, and of pairs, where a fault loses everything.

    `classes` are the faults that look the same, the largest class first; `least` is how many Probes cross the component
    that is crossed least. `pairs` is how many pairs of classes there are, `told` how many of them look like no other
    pair and no single fault; both are None where there are too many to look at.
    """

    classes: tuple[tuple[str, ...], ...]
    least: int
    told: int | None
    pairs: int | None

    @property
    def components(self) -> int:
        """How many there are."""
        return sum(len(one) for one in self.classes)

    @property
    def alike(self) -> tuple[tuple[str, ...], ...]:
        """The classes of more than one."""
        return tuple(one for one in self.classes if len(one) > 1)

    @property
    def identifiability(self) -> int:
        """How many faults at once are always told from any others, up to 2; as deTector (Peng et al. 2017) counts."""
        if self.alike or not self.classes:
            return 0
        return 2 if self.pairs is not None and self.told == self.pairs else 1


def probes_of(fleet: Fleet) -> tuple[Probe, ...]:
    """All flows and checks that the fleet declares."""
    owners = owners_among(fleet, fleet.checks.values())
    flows = [
        Probe(name=name, stages=stages_of(ways)) for name, ways in ways_among(fleet.flows, owners).items()
    ]
    checks = [
        Probe(name=name, stages=(path_of(fleet, check, owners=owners),))
        for name, check in fleet.checks.items()
    ]
    return (*flows, *checks)


def meanings_of(fleet: Fleet) -> Mapping[str, str]:
    """For each component in words what its fault does."""
    ways = {name for probe in probes_of(fleet) if probe.name in fleet.flows for name in probe.components}
    about = {name for check in fleet.checks.values() for name in (*check.over, *check.subjects)}
    return {
        **{name: f"{called(name)} fails" for name in (*about, *fleet.hosts)},
        **{name: meaning(name) for name in ways},
    }


def stages_of(ways: Ways) -> tuple[tuple[str, ...], ...]:
    """The stages of a flow: sending, the way to its carrier and through it, the way on, the way back."""
    return ((ways.start,), (*ways.into, *ways.over), ways.onward, ways.home)


def stage_of(probe: Probe) -> Mapping[str, int]:
    """For each component the stage at which its fault would show."""
    found: dict[str, int] = {}
    for number, components in enumerate(probe.stages):
        for name in components:
            found.setdefault(name, number)
    return found


def shown(probes: Sequence[Probe]) -> Mapping[str, Shown]:
    """For each component what its fault alone would show: pairs of a Probe's number and its stage."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, probe in enumerate(probes):
        for name, stage in stage_of(probe).items():
            found.setdefault(name, []).append((number, stage))
    return {name: tuple(marks) for name, marks in found.items()}


def together(faults: Iterable[Shown]) -> Shown:
    """What several faults at once would show: of each Probe the first stage that any of them spoils."""
    first: dict[int, int] = {}
    for number, stage in itertools.chain.from_iterable(faults):
        first[number] = min(stage, first.get(number, stage))
    return tuple(sorted(first.items()))


def coverage(probes: Sequence[Probe]) -> Coverage:
    """What these Probes could tell."""
    marks = shown(probes)
    groups: dict[Shown, list[str]] = {}
    for name in sorted(marks):
        groups.setdefault(marks[name], []).append(name)
    told, pairs = _pairs(list(groups))
    return Coverage(
        classes=tuple(sorted((tuple(names) for names in groups.values()), key=lambda one: (-len(one), one))),
        least=min((len(one) for one in groups), default=0),
        told=told,
        pairs=pairs,
    )


def _pairs(singles: Sequence[Shown]) -> tuple[int | None, int | None]:
    if len(singles) > MOST_PAIRED:
        return None, None
    seen: dict[Shown, int] = dict.fromkeys(singles, 1)
    for pair in itertools.combinations(singles, 2):
        mark = together(pair)
        seen[mark] = seen.get(mark, 0) + 1
    told = sum(1 for pair in itertools.combinations(singles, 2) if seen[together(pair)] == 1)
    return told, len(singles) * (len(singles) - 1) // 2
