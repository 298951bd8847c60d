"""All interleavings of a pair, its batches, a controller that may die, and a few faults: breadth first, with the real rules.

A state is the pair (ha/drbdnfs/machine.py), what the controller is in the middle of, and what is in the journal. The controller
looks at one host, then at the other, decides by the rules of the product, writes the intent, starts batches one host after the
other, and waits for their end; at any of these points it may be killed, and another one goes on with the journal alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from seatrial.ha.course import Ask, End, Turn, next_in
from seatrial.ha.drbdnfs.driver import PairStanding
from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.drbdnfs.machine import (
    PairState,
    batch_steps,
    boot,
    crash,
    facts_of,
    served_by_first,
    start,
    with_host,
    world_steps,
)
from seatrial.ha.drbdnfs.steps import PATIENCE
from seatrial.ha.driver import Deed, Wait
from seatrial.model.failover import Asked, Ending, FailoverState
from seatrial.model.mover import DrbdNfsMover
from seatrial.model.result import Outcome, Result

MOUNT = "/srv/volume"
HOSTS = ("nfs-1", "nfs-2")
MOVER = DrbdNfsMover.model_validate(
    {
        "driver": "drbd-nfs",
        "resource": "tools",
        "volumes": [{"device": "/dev/drbd0", "mount": MOUNT}],
        "address": {"address": "192.0.2.10", "prefix": 24, "interface": "nfs0"},
        "nfs": {"scope": "nfs.example.test", "state": f"{MOUNT}/state"},
    },
    strict=False,
)
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_FINE = Asked(outcome=Outcome.PASS, because="", hint="", results=())


class Written(NamedTuple):
    """What the journal has of a failover from the first host to the second."""

    turns: int = 0
    changed: bool = False
    tries: tuple[tuple[str, int], ...] = ()
    problem: bool = False
    late: bool = False
    ended: str = ""


class Controller(NamedTuple):
    """What the controller is in the middle of: what it saw of the first host, what it has yet to start, what it waits for."""

    saw: tuple[MemberFacts | None] | None = None
    starting: tuple[tuple[int, str, str], ...] = ()
    waiting: tuple[int, ...] = ()
    deed: str = ""


class Whole(NamedTuple):
    """One state of everything. `mute` are hosts that the controller does not reach, `left` how many faults may still come.

    `flying` are batches that were sent and have not arrived, and may do so at any time, or never.
    """

    pair: PairState
    written: Written = Written()
    controller: Controller = Controller()
    mute: frozenset[int] = frozenset()
    flying: tuple[tuple[int, str, str], ...] = ()
    left: int = 1
    forced: str = ""


class Decided(NamedTuple):
    """What is next: wait, turn, end (and how), or a deed (and which batches, in which order)."""

    what: str
    name: str = ""
    starting: tuple[tuple[int, str, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class Explored:
    """Every state that can be reached, and from which ones it can."""

    before: dict[Whole, list[Whole]] = field(default_factory=dict)
    how: dict[Whole, tuple[Whole | None, str]] = field(default_factory=dict)

    def story(self, state: Whole) -> list[str]:
        """The steps that lead to a state, the first one first."""
        told: list[str] = []
        at: Whole | None = state
        while at is not None:
            at, step = self.how[at]
            told.append(step)
        return told[::-1]


def explore(faults: tuple[str, ...], *, left: int, forced: str = "", late: bool = True) -> Explored:
    """Every state that is reachable with at most `left` of the named faults, each at any time.

    `late`: what was sent and not heard at once may still arrive, at any later time.
    """
    first = Whole(pair=served_by_first(), left=left, forced=forced)
    found = Explored()
    found.how[first] = (None, "it begins")
    found.before[first] = []
    todo = [first]
    for state in todo:
        for step, after in moves(state, faults):
            if not late:
                after = after._replace(flying=())
            if after not in found.how:
                found.how[after] = (state, step)
                found.before[after] = []
                todo.append(after)
            found.before[after].append(state)
    return found


def moves(state: Whole, faults: tuple[str, ...]) -> Iterator[tuple[str, Whole]]:
    """Everything that can happen next."""
    for which in (0, 1):
        for step, pair in batch_steps(state.pair, which):
            yield f"{HOSTS[which]} {step}", state._replace(pair=pair)
    for step, pair in world_steps(state.pair):
        yield step, state._replace(pair=pair)
    for number, (which, verb, word) in enumerate(state.flying):
        flying = (*state.flying[:number], *state.flying[number + 1 :])
        after = state._replace(pair=start(state.pair, which, verb, word), flying=flying)
        yield f"{HOSTS[which]} hears late that it shall {verb}", after
    if not state.written.ended:
        yield from _controller_moves(state)
    if state.left and not state.written.ended:
        for fault in faults:
            if (hit := _fault(state, fault)) is not None:
                yield fault, hit._replace(left=state.left - 1)


def _fault(state: Whole, fault: str) -> Whole | None:
    pair = state.pair
    match fault.split():
        case ["kill"]:
            # The journal stays, and so does what runs on the hosts; how long it was tried begins anew for nobody.
            if state.controller == Controller():
                return None
            flying = (*state.flying, *state.controller.starting[:1])
            return state._replace(controller=Controller(), flying=flying)
        case ["cut"]:
            return state._replace(pair=pair._replace(link=False)) if pair.link else None
        case ["mend"]:
            return state._replace(pair=pair._replace(link=True)) if not pair.link else None
        case ["crash", which]:
            return state._replace(pair=crash(pair, int(which))) if pair.hosts[int(which)].up else None
        case ["boot", which]:
            return state._replace(pair=boot(pair, int(which))) if not pair.hosts[int(which)].up else None
        case ["mute", which]:
            return state._replace(mute=state.mute | {int(which)}) if int(which) not in state.mute else None
        case ["heard", which]:
            return state._replace(mute=state.mute - {int(which)}) if int(which) in state.mute else None
        case [kind, which]:
            here = pair.hosts[int(which)]
            if kind in here.faults:
                return None
            after = here._replace(faults=here.faults | {kind})
            return state._replace(pair=with_host(pair, int(which), after))
    raise ValueError(fault)


def _controller_moves(state: Whole) -> Iterator[tuple[str, Whole]]:
    controller = state.controller
    if controller.starting:
        which, verb, word = controller.starting[0]
        rest = controller._replace(starting=controller.starting[1:], waiting=(*controller.waiting, which))
        if which in state.mute:
            flying = (*state.flying, (which, verb, word))
            yield f"{HOSTS[which]} cannot be told", state._replace(flying=flying, controller=rest)
        else:
            pair = start(state.pair, which, verb, word)
            yield f"{HOSTS[which]} is told to {verb}", state._replace(pair=pair, controller=rest)
    elif controller.waiting:
        yield from _collect(state)
    elif controller.saw is None:
        yield f"looks at {HOSTS[0]}", state._replace(controller=Controller(saw=(_look(state, 0),)))
    else:
        yield from _decide(state, controller.saw[0], _look(state, 1))


def _look(state: Whole, which: int) -> MemberFacts | None:
    return None if which in state.mute else facts_of(state.pair, which, mount=MOUNT)


def _collect(state: Whole) -> Iterator[tuple[str, Whole]]:
    problem = False
    pair = state.pair
    for which in state.controller.waiting:
        here = pair.hosts[which]
        if here.batch is not None and which not in state.mute and here.up:
            return
        problem = problem or bool(here.failed) or which in state.mute or not here.up
        pair = with_host(pair, which, here._replace(failed=""))
    tries = dict(state.written.tries)
    tries[state.controller.deed] = tries.get(state.controller.deed, 0) + 1
    written = state.written._replace(problem=problem, late=False, tries=tuple(sorted(tries.items())))
    yield "the deed is over", state._replace(pair=pair, written=written, controller=Controller())


def _decide(state: Whole, one: MemberFacts | None, two: MemberFacts | None) -> Iterator[tuple[str, Whole]]:
    written = state.written
    again = state._replace(controller=Controller())
    next_one = decided(one, two, written, state.forced)
    match next_one.what:
        case "wait":
            yield "waits", again
            # What is to be seen by itself, such as a cut, is seen long before a controller gives up.
            if not any(step.endswith(("cut", "connect", "hear")) for step, _ in world_steps(state.pair)):
                yield "has waited long enough", again._replace(written=written._replace(late=True))
        case "turn":
            turned = written._replace(turns=written.turns + 1, tries=(), late=False)
            yield "turns round", again._replace(written=turned)
        case "end":
            yield f"ends {next_one.name}", again._replace(written=written._replace(ended=next_one.name))
        case "deed":
            after = written._replace(changed=True)
            told = state._replace(
                written=after, controller=Controller(starting=next_one.starting, deed=next_one.name)
            )
            yield f"decides: {next_one.name}", told


@cache
def decided(one: MemberFacts | None, two: MemberFacts | None, written: Written, forced: str) -> Decided:
    """What the product's own rules say, in a short form."""
    standing = PairStanding(mover=MOVER, members={HOSTS[0]: one, HOSTS[1]: two})
    proof = None
    back = written.turns % 2 == 1
    while True:
        state = FailoverState(
            id="f1",
            group="nfs",
            to=HOSTS[0] if back else HOSTS[1],
            wanted=HOSTS[1],
            origin=HOSTS[0],
            force="" if written.turns else forced,
            is_back=back,
            turns=written.turns,
            turned="a reason" if written.turns else "",
            since=_BEGAN,
            tries=dict(written.tries),
            problem="a problem" if written.problem else "",
            changed=written.changed,
            preflight=_FINE,
            proof=proof,
            proofs=99 if proof else 0,
        )
        now = _BEGAN + timedelta(seconds=PATIENCE + 1 if written.late else 0)
        match next_in(state, standing, now):
            case Wait():
                return Decided(what="wait")
            case Turn():
                return Decided(what="turn")
            case End() as end:
                return Decided(what="end", name=str(end.outcome))
            case Ask() as ask:
                proof = _asked(ask.results)
            case Deed() as deed:
                # The order in which the hosts are told is any: the first host is told last where it gives.
                starting = tuple(
                    (HOSTS.index(place), *_verb(commands[0].name, commands[0].argv))
                    for place, commands in sorted(deed.on.items(), reverse=not back)
                )
                return Decided(what="deed", name=deed.name, starting=starting)


def _verb(name: str, argv: tuple[str, ...]) -> tuple[str, str]:
    verb = name.removeprefix("drbd-nfs.")
    return verb, argv[-1] if verb == "take" else ""


def _asked(results: tuple[Result, ...]) -> Asked:
    failed = [result for result in results if result.outcome is not Outcome.PASS]
    # What a machine on paper does not have (exports, settings) is not what is explored here.
    failed = [result for result in failed if result.check in ("drbd-nfs.serves", "drbd-nfs.alone")]
    return Asked(outcome=Outcome.FAIL if failed else Outcome.PASS, because="", hint="", results=())


ENDINGS = frozenset(str(ending) for ending in Ending)
