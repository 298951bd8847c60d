"""A pair as a small machine: two hosts, the link between them, and every step of a batch as one that can be cut off. Pure.

It is what the rules of steps.py are explored against, through all interleavings, what a simulated pair runs on, and what a
recorded failover is compared with. What is in: what DRBD, the mounts and the server allow in which state, as it was measured
on real kernels (docs/failover.md). What is not: time, and any decision.

Data is told by generations, as DRBD does: a primary that is cut off and writes begins a new one. `older` has those that went
before. These are tuples, and not data classes, since the exploration makes hundreds of thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from seatrial.ha.drbdnfs.facts import MemberFacts

GIVE = ("nfsd", "address", "unmount", "secondary")
TAKE = ("word", "primary", "mount", "nfsd", "address")
FENCE = ("outdate",)
STEPS = {"give": GIVE, "take": TAKE, "fence": FENCE}
_FIRST = 0x1000


class Batch(NamedTuple):
    """A batch under way: which verb, on whose word it may promote, and which of its steps is next."""

    verb: str
    word: str = ""
    at: int = 0


class HostState(NamedTuple):
    """One host. `linked` is DRBD's own word on the connection, which may be older than a cut, and `hears` what it last heard
    of its peer: whether that is primary.
    """

    up: bool = True
    primary: bool = False
    mounted: bool = False
    served: bool = False
    address: bool = False
    linked: bool = True
    hears: bool = False
    outdated: bool = False
    split: bool = False
    generation: int = 1
    older: frozenset[int] = frozenset()
    batch: Batch | None = None
    failed: str = ""
    faults: frozenset[str] = frozenset()


class PairState(NamedTuple):
    """Both hosts, and whether the way of the replication is open."""

    hosts: tuple[HostState, HostState]
    link: bool = True


def served_by_first() -> PairState:
    """A healthy pair whose first host serves."""
    serving = HostState(primary=True, mounted=True, served=True, address=True)
    return PairState(hosts=(serving, HostState(hears=True)))


def with_host(pair: PairState, which: int, state: HostState) -> PairState:
    """The pair with one of the two in another state; over a live connection the other one hears of its role."""
    first, second = pair.hosts
    one, two = (state, second) if which == 0 else (first, state)
    if pair.link and one.up and two.up and one.linked and two.linked:
        one, two = one._replace(hears=two.primary), two._replace(hears=one.primary)
    return pair._replace(hosts=(one, two))


def start(pair: PairState, which: int, verb: str, word: str = "") -> PairState:
    """A batch begins on a host; one that is down or has one running does not take another."""
    here = pair.hosts[which]
    if not here.up or here.batch is not None:
        return pair
    return with_host(pair, which, here._replace(batch=Batch(verb=verb, word=word), failed=""))


def batch_steps(pair: PairState, which: int) -> Iterator[tuple[str, PairState]]:
    """What the next step of the batch on a host can come to, each with its name; nothing while it waits."""
    here = pair.hosts[which]
    if not here.up or here.batch is None:
        return
    name = STEPS[here.batch.verb][here.batch.at]
    for what, after in _step(pair, which, name):
        yield f"{here.batch.verb}.{name}{what}", after


def _step(pair: PairState, which: int, name: str) -> Iterator[tuple[str, PairState]]:
    here, there = pair.hosts[which], pair.hosts[1 - which]
    giving = here.batch is not None and here.batch.verb == "give"
    match name:
        case "nfsd":
            if giving and here.served and "nfsd-stuck" in here.faults:
                yield " fails", _fail(pair, which, "nfsd")
            else:
                yield "", _went(pair, which, here._replace(served=not giving))
        case "address":
            yield "", _went(pair, which, here._replace(address=not giving))
        case "unmount":
            if here.mounted and "busy" in here.faults:
                yield " fails", _fail(pair, which, "unmount")
            else:
                yield "", _went(pair, which, here._replace(mounted=False))
        case "secondary":
            yield "", _went(pair, which, here._replace(primary=False))
        case "word":
            yield from _word(pair, which, here)
        case "primary":
            yield from _primary(pair, which, here, there)
        case "mount":
            if not here.mounted and "no-mount" in here.faults:
                yield " fails", _fail(pair, which, "mount")
            else:
                yield "", _went(pair, which, here._replace(mounted=True))
        case "outdate":
            if here.primary:
                yield " fails", _fail(pair, which, "outdate")
            else:
                yield "", _went(pair, which, here._replace(outdated=here.outdated or not here.linked))


def _word(pair: PairState, which: int, here: HostState) -> Iterator[tuple[str, PairState]]:
    assert here.batch is not None
    if here.primary:
        yield "", _went(pair, which, here)
    elif here.outdated:
        yield " fails", _fail(pair, which, "word")
    elif here.linked:
        if not here.hears:
            yield "", _went(pair, which, here)
        else:
            yield " times out", _fail(pair, which, "word")
    elif here.batch.word == "peer":
        yield " fails", _fail(pair, which, "word")
    else:
        yield "", _went(pair, which, here)


def _primary(
    pair: PairState, which: int, here: HostState, there: HostState
) -> Iterator[tuple[str, PairState]]:
    if here.primary:
        yield "", _went(pair, which, here)
    elif here.linked and not (pair.link and there.up):
        # The peer is asked, and its answer never comes: it waits until the cut is seen, and then goes by what is known.
        return
    elif here.outdated or (here.linked and (there.primary or here.hears)):
        yield " fails", _fail(pair, which, "primary")
    else:
        yield "", _went(pair, which, here._replace(primary=True))


def _went(pair: PairState, which: int, here: HostState) -> PairState:
    """The step worked: the batch goes on, or is over."""
    assert here.batch is not None
    batch = here.batch._replace(at=here.batch.at + 1)
    over = batch.at == len(STEPS[batch.verb])
    return with_host(pair, which, here._replace(batch=None if over else batch))


def _fail(pair: PairState, which: int, name: str) -> PairState:
    return with_host(pair, which, pair.hosts[which]._replace(batch=None, failed=name))


def world_steps(pair: PairState) -> Iterator[tuple[str, PairState]]:
    """What happens by itself: a cut is seen, a cut-off primary writes, and what can be connected is."""
    for which in (0, 1):
        here, there = pair.hosts[which], pair.hosts[1 - which]
        if here.up and here.linked and not (pair.link and there.up):
            yield f"{which} sees the cut", with_host(pair, which, here._replace(linked=False))
        if here.up and here.primary and here.mounted and not here.linked and not _is_ahead(here, there):
            number = max(here.generation, there.generation) + 1
            after = here._replace(generation=number, older=here.older | {here.generation})
            yield f"{which} writes alone", with_host(pair, which, after)
    one, two = pair.hosts
    if pair.link and one.up and two.up and one.linked and two.linked:
        # What was sent into a cut that is mended before it was seen arrives after all.
        if (one.hears, two.hears) != (two.primary, one.primary):
            yield "they hear", with_host(pair, 0, one)
    elif pair.link and one.up and two.up:
        yield "they connect", _connect(pair)


def _is_ahead(here: HostState, there: HostState) -> bool:
    return there.generation != here.generation and here.generation not in there.older


def _connect(pair: PairState) -> PairState:
    one, two = pair.hosts
    same = one.generation == two.generation
    behind = one.generation in two.older
    ahead = two.generation in one.older
    if (one.primary and two.primary) or not (same or behind or ahead):
        apart = (one._replace(linked=False, split=True), two._replace(linked=False, split=True))
        return pair._replace(hosts=apart)
    newer = two if behind else one

    def after(host_state: HostState, hears: bool) -> HostState:
        return host_state._replace(
            generation=newer.generation, older=newer.older, linked=True, outdated=False, hears=hears
        )

    return pair._replace(hosts=(after(one, two.primary), after(two, one.primary)))


def crash(pair: PairState, which: int) -> PairState:
    """The host is gone, with all that it ran."""
    here = pair.hosts[which]
    return with_host(
        pair,
        which,
        here._replace(
            up=False,
            primary=False,
            mounted=False,
            served=False,
            address=False,
            linked=False,
            batch=None,
            failed="",
        ),
    )


def boot(pair: PairState, which: int) -> PairState:
    """The host comes back and stands by; its disk is as it was."""
    return with_host(pair, which, pair.hosts[which]._replace(up=True))


def facts_of(pair: PairState, which: int, *, mount: str, whole: bool = True) -> MemberFacts | None:
    """What a look at the host would show; None for one that is down. `whole` with what only `look` asks."""
    here, there = pair.hosts[which], pair.hosts[1 - which]
    if not here.up:
        return None
    peer = ("Primary" if here.hears else "Secondary") if here.linked else "Unknown"
    return MemberFacts(
        boot="boot",
        version="8.4.11",
        role="Primary" if here.primary else "Secondary",
        peer_role=peer,
        connection="Connected" if here.linked else "StandAlone" if here.split else "WFConnection",
        disk="Outdated" if here.outdated else "UpToDate",
        peer_disk="UpToDate" if here.linked else "DUnknown",
        split=here.split,
        gi=_gi(here) if whole and not here.linked else (),
        batch=here.batch is not None,
        mounted=(mount,) if here.mounted else (),
        address=here.address,
        threads=8 if here.served else 0,
        link="198.51.100.1",
        link_answers=pair.link and there.up,
    )


def _gi(here: HostState) -> tuple[str, ...]:
    """Generations as DRBD writes them: the current one with its lowest bit set while it is primary, the older ones behind."""
    mine = _FIRST + 16 * here.generation + (1 if here.primary else 0)
    return (
        f"{mine:016X}",
        "0" * 16,
        *(f"{_FIRST + 16 * one:016X}" for one in sorted(here.older, reverse=True)),
    )


def kept_pair(pair: PairState) -> dict[str, Any]:
    """A pair as plain JSON; what is under way in it is not kept, since it ends with who runs it."""
    return {
        "link": pair.link,
        "hosts": [
            {
                key: sorted(value) if isinstance(value, frozenset) else value
                for key, value in one._asdict().items()
            }
            | {"batch": None}
            for one in pair.hosts
        ],
    }


def read_pair(kept: Mapping[str, Any]) -> PairState:
    """What `kept_pair` kept."""
    one, two = (
        HostState(**{**host, "older": frozenset(host["older"]), "faults": frozenset(host["faults"])})
        for host in kept["hosts"]
    )
    return PairState(hosts=(one, two), link=bool(kept["link"]))
