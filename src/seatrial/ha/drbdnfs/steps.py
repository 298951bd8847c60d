"""What a move of a pair does next: the facts of both hosts and the goal in, one step out. Pure, and total.

The rules, from the strictest: nothing is done while a batch of before still runs anywhere; nothing is promoted while the other
side is primary or may be, which only its own word, DRBD's word over a live connection, or a person's can rule out; and nothing is
promoted whose data may be older than the other side's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seatrial.ha.drbdnfs import batches
from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.driver import Deed, Done, Goal, Step, Stuck, Wait
from seatrial.model.command import Command
from seatrial.model.mover import DrbdNfsMover

MAX_TRIES = 2
# How long a host that says nothing, or a link that is not there, is waited for before it is an obstacle.
PATIENCE = 20.0
_LOOK_AGAIN = 0.5
_MASK = ~1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two hosts as a goal sees them: `to` is to serve, `other` is its peer; None where one did not answer."""

    mover: DrbdNfsMover
    to: str
    other: str
    here: MemberFacts | None
    there: MemberFacts | None


def serves(mover: DrbdNfsMover, facts: MemberFacts | None) -> bool:
    """Whether all of the service is on a host."""
    return (
        facts is not None
        and facts.primary
        and facts.address
        and all(volume.mount in facts.mounted for volume in mover.volumes)
        and ((facts.threads > 0 and not facts.stopping) or bool(mover.nfs.units))
        and all((facts.units or {}).get(unit) == "active" for unit in mover.nfs.units)
    )


def pair_of(mover: DrbdNfsMover, members: Mapping[str, MemberFacts | None], goal: Goal) -> Pair:
    """Which of the two is to serve."""
    first, second = members
    to = goal.to or (second if goal.away == first else first)
    other = second if to == first else first
    return Pair(mover=mover, to=to, other=other, here=members[to], there=members[other])


def decide(pair: Pair, goal: Goal) -> Step:
    """The next step towards `pair.to` serving and nothing of the service being left on the other."""
    here, there = pair.here, pair.there
    if here is None:
        return _patient(
            goal, f"{pair.to} does not answer", f"can it be reached: seatrial check --host {pair.to}"
        )
    if here.batch or (there is not None and there.batch):
        where = pair.to if here.batch else pair.other
        return Wait(seconds=_LOOK_AGAIN, because=f"a batch of a failover still runs on {where}")
    if here.split or (there is not None and there.split):
        return Stuck(
            because=f"{pair.mover.resource} has a split brain: both sides were written to",
            hint="decide whose writes are lost, and drbdadm connect --discard-my-data there",
        )
    if here.primary and there is not None and there.primary:
        return Stuck(
            because=f"{pair.to} and {pair.other} are both primary",
            hint="stop the service on one of them at once; nothing here promotes or demotes one by guessing",
        )
    if serves(pair.mover, here) and (there is None or not there.active):
        return Done(because=f"{pair.to} serves {pair.mover.address.address}")
    if here.primary:
        return _finish(pair, goal, here)
    if there is not None and there.primary:
        return _hand_over(pair, goal, here, there)
    return _promote(pair, goal, here)


def _finish(pair: Pair, goal: Goal, here: MemberFacts) -> Step:
    """It is primary already: what is left of the service on the other side goes, and what is missing here comes."""
    on = {pair.to: (batches.take(pair.mover, here, "peer"),)}
    there = pair.there
    if there is not None and there.active:
        on[pair.other] = (batches.give(pair.mover, there),)
    if serves(pair.mover, here):
        del on[pair.to]
    return _deed(
        goal,
        "finish",
        on,
        f"{pair.to} is primary, and the service is not whole there",
    )


def _hand_over(pair: Pair, goal: Goal, here: MemberFacts, there: MemberFacts) -> Step:
    if (why := why_not_taken(pair, here, there)) is not None:
        # Nothing is given away that cannot be taken; what is being connected or copied is waited for.
        return _patient(goal, *why)
    on = {
        pair.other: (batches.give(pair.mover, there),),
        # At the same time: it prepares itself, and waits on the spot for the other side to be secondary.
        pair.to: (batches.take(pair.mover, here, "peer"),),
    }
    return _deed(goal, "hand-over", on, f"{pair.other} gives, {pair.to} takes")


def why_not_taken(pair: Pair, here: MemberFacts, there: MemberFacts | None) -> tuple[str, str] | None:
    """Why `to` could not take what the other side gives, in a sentence and a hint; None when it could."""
    resource = pair.mover.resource
    if not here.role:
        return f"{resource} is not up on {pair.to}", f"drbdadm up {resource}"
    if not here.connected or (there is not None and not there.connected):
        at, facts = (pair.to, here) if not here.connected else (pair.other, there or here)
        because = f"{resource} on {at} is not connected ({facts.connection or 'down'})"
        return because, "is the way of the replication open, and DRBD up on both sides?"
    if here.disk != "UpToDate" or here.copying:
        state = here.copying or here.disk
        return (
            f"the disk of {resource} on {pair.to} is not up to date ({state})",
            "wait for the end of the copy",
        )
    if not here.quorum:
        return (
            f"{resource} on {pair.to} stands still without a quorum",
            "drbdsetup status says who is missing",
        )
    return None


def _promote(pair: Pair, goal: Goal, here: MemberFacts) -> Step:
    """Nobody that answers is primary: may this side be promoted, and who says so?"""
    there = pair.there
    if not here.role or here.disk != "UpToDate" or here.copying:
        return _patient(goal, *(why_not_taken(pair, here, there) or ("", "")))
    on: dict[str, tuple[Command, ...]] = {}
    if there is not None and there.active:
        on[pair.other] = (batches.give(pair.mover, there),)
    if here.connected:
        if here.peer_role != "Secondary" and there is not None:
            # One of the two was asked a moment earlier than the other: they agree when they are asked again.
            return Wait(
                seconds=_LOOK_AGAIN, because=f"{pair.to} has not heard yet that {pair.other} is secondary"
            )
        if here.peer_role != "Secondary":
            why = (
                f"DRBD says that {pair.other} is {here.peer_role or 'unknown'}, and it does not answer itself"
            )
            return _patient(goal, why, f"log in there, or wait until it is gone: {pair.other}")
        if there is None and goal.is_back:
            # It may have been told to take, and may still be about to: DRBD knows nothing of that.
            why = f"{pair.other} does not say whether a batch of this failover still runs there"
            return _patient(goal, why, f"log in there and look at it: {pair.other}")
        on[pair.to] = (batches.take(pair.mover, here, "peer"),)
        return _deed(goal, "take", on, f"{pair.other} is secondary, says DRBD")
    if there is None:
        if goal.force:
            on[pair.to] = (batches.take(pair.mover, here, "forced"),)
            return _deed(goal, "take", on, f"a person says that {pair.other} is dead: {goal.force}")
        why = f"{pair.other} does not answer and is not connected: it may be primary, and its data newer"
        return _patient(goal, why, "make sure that it is off, then: --force 'how you know that it is off'")
    return _promote_apart(pair, goal, here, there, on)


def _promote_apart(
    pair: Pair,
    goal: Goal,
    here: MemberFacts,
    there: MemberFacts,
    on: dict[str, tuple[Command, ...]],
) -> Step:
    """Both answer, neither is primary, and the replication is cut: the other side is fenced first, if it is not newer."""
    if not is_as_new(here, there):
        if goal.force:
            on[pair.to] = (batches.take(pair.mover, here, "forced"),)
            because = f"a person says that {pair.to} may serve what it has: {goal.force}"
            return _deed(goal, "take", on, because)
        why = f"they are not connected, and the data of {pair.to} may be older than that of {pair.other}"
        return _patient(
            goal, why, "open the way of the replication; drbdadm get-gi on both says who is ahead"
        )
    if there.role and there.disk not in ("Outdated", "Inconsistent"):
        fencing = {pair.other: (batches.fence(pair.mover, there),)}
        because = f"{pair.other} is cut off, and must not be promoted while {pair.to} serves"
        return _deed(goal, "fence", fencing, because)
    on[pair.to] = (batches.take(pair.mover, here, "fenced"),)
    return _deed(goal, "take", on, f"{pair.other} is {there.disk or 'down'}")


def is_as_new(here: MemberFacts, there: MemberFacts) -> bool:
    """Whether the data here is certainly not older than there, by DRBD's generation identifiers; UNKNOWN is no.

    The lowest bit of an identifier says only that the side is primary. The same current generation is the same data; where
    the other side's current one is among our older ones, ours came after it.
    """
    mine, theirs = _generations(here), _generations(there)
    if not mine or not theirs:
        return False
    return mine[0] == theirs[0] or theirs[0] in mine[1:]


def _generations(facts: MemberFacts) -> list[int]:
    try:
        known = [int(word, 16) & _MASK for word in facts.gi]
    except ValueError:
        return []
    # A fresh disk has 4 in place of a generation, and 0 is none.
    return known if known and known[0] > 4 else []


def _deed(goal: Goal, name: str, on: Mapping[str, tuple[Command, ...]], because: str) -> Step:
    if goal.tries.get(name, 0) >= MAX_TRIES:
        return Stuck(because=goal.problem or f"{name} did not work", hint=goal.hint)
    return Deed(name=name, on=on, because=because, hurts=name != "fence")


def _patient(goal: Goal, because: str, hint: str) -> Step:
    if goal.seconds < PATIENCE:
        return Wait(seconds=_LOOK_AGAIN, because=because)
    return Stuck(because=(goal.problem and f"{goal.problem}; {because}") or because, hint=hint)
