"""Driver: what Seatrial must know of one way to move a service between peers. Pure: Commands out, answers read.

A driver is a module of this room with one class, and a line in drivers.py; its entry in the fleet file is a class in
model/mover.py. It answers four questions, all from one look: where is it (`Standing.carriers`), may it move
(`Standing.refusals`), what is next (`Standing.decide`), and has it moved (`Standing.proof`). The engine writes the intent
down, performs the Deed, and looks again; nothing is remembered between two looks but the journal's Goal, so a controller
that dies anywhere is followed by one that decides the same from the same world.

What is not in: any one driver, and doing anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a failover is for, and what the journal knows of it so far.

    `to` is the host that is to carry the service ("" for any other than `away`), `away` the one that must not carry it any
    more ("" when that does not matter), `origin` the one that carried it when the failover began ("" for none). `is_back`
    is set once it has been turned round: then `to` is where it came from. `force` is a person's reason to go without the
    peer's word, "" without one. `trial` names the trial that asks, "" for a person: what a host that has just booted does not have
    yet is waited for then, and refused otherwise. `tries` counts the deeds that came to an end since the goal was set, well or not, by name; `problem` is what the
    latest one said that did not work, `deed` the latest one's name. `seconds` is how long ago the goal was set, or the latest deed
    was over.
    """

    to: str = ""
    away: str = ""
    origin: str = ""
    is_back: bool = False
    force: str = ""
    trial: str = ""
    tries: Mapping[str, int] = field(default_factory=dict)
    deed: str = ""
    problem: str = ""
    hint: str = ""
    seconds: float = 0.0

    def met(self, carriers: frozenset[str] | None) -> bool:
        """Whether these carriers are what is wanted. UNKNOWN carriers never are."""
        if not carriers or self.away in carriers:
            return False
        return not self.to or self.to in carriers


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Steps that change the world: `on` has the Commands of each place, sent in one exec, all places at once.

    Each of them can be repeated: it looks before it acts or does the same thing again. They run on however the controller
    fares, so each one looks on the spot for what it depends on. `hurts` says that clients feel it from here on.
    """

    name: str
    on: Mapping[str, tuple[Command, ...]]
    because: str
    hurts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do yet; look again in `seconds`."""

    seconds: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The goal is met and nothing is left over (no constraint, no yield file, no half a mount)."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """No safe step is left towards this goal. The engine turns the goal round once; if it is round already, it ends stuck."""

    because: str
    hint: str


Step = Deed | Wait | Done | Stuck


class Standing(Protocol):
    """What one look at all members of a group showed, in a driver's own frozen class."""

    @property
    def carriers(self) -> frozenset[str] | None:
        """The hosts that carry the service now; empty when none does, None when it cannot be told."""
        ...

    def told(self) -> Mapping[str, Any]:
        """The facts as plain JSON, for the journal: small, and enough to say afterwards why a step was decided."""
        ...

    def refusals(self, goal: Goal) -> tuple[Result, ...]:
        """One Result for each thing that a planned move depends on; only all of them PASS lets it begin.

        Asked once, before anything is changed. What `goal.force` may overrule passes with it and says so.
        """
        ...

    def decide(self, goal: Goal) -> Step:
        """The next step towards the goal. Total: whatever was seen, and however often it is asked. UNKNOWN never promotes."""
        ...

    def proof(self, goal: Goal) -> tuple[Result, ...]:
        """One Result for each thing that must hold where the service is now: asked once the step is Done."""
        ...


class Driver(Protocol):
    """One way to move a service."""

    @property
    def name(self) -> str:
        """The word for it in the fleet file (`mover.driver`)."""
        ...

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """Safe Commands for each place that knows something (members, or a vantage that reaches an API).

        `whole` with what only `refusals` and `proof` ask for: between two deeds clients wait for every look, so without it
        a driver leaves out what costs time and `decide` does not need.
        """
        ...

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """Like `look`, and cheap enough for every turn of a trial: only what `carriers` needs."""
        ...

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> Standing:
        """What the answers to `look` mean. A place that is missing or silent is UNKNOWN. Never raises for what they say."""
        ...

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """What the answers to `glance` say of who carries the service; None when it cannot be told."""
        ...
