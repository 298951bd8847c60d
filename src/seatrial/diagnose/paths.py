"""The components that a flow's probes cross, out and back, named for people, and what was seen on each way.

What is in: names of components, FlowCounts as Observations, priors, and probes that could be sent next. What is not
in: which component is at fault (localise.py) and the sentence (sentence.py).

Names: `a>b` is the way between two places, `gw:forward` a deed of the carrier, `outside to 203.0.113.9` the way of
answers to a translated flow's outer address. Small deeds are components of their own so that a fault of one of them
need not be blamed on all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.model.fleet import Fleet, Flow
from seatrial.model.observation import FlowCount, Observation

LARGE = 1280  # bytes; what every IPv6 link takes, so that an MTU hole begins above it
PRIORS = {"deed": 0.005, "tried": 0.02, "rare": 0.0005, "way": 0.001, "element": 0.002}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The components of one flow: towards the carrier and through it, on from it, and back.

    `over` is crossed both ways; `shared` are those of it that may lose one way and not the other.
    """

    start: str
    into: tuple[str, ...]
    onward: tuple[str, ...]
    back: tuple[str, ...]
    over: tuple[str, ...]
    shared: tuple[str, ...] = ()

    @property
    def out(self) -> tuple[str, ...]:
        """All of the way out."""
        return (*self.into, *self.over, *self.onward)

    @property
    def home(self) -> tuple[str, ...]:
        """All of the way back."""
        return (*self.back[:1], *self.over, *self.back[1:])


def carrier_of(fleet: Fleet, flow: Flow, carrier: str | None) -> str:
    """Who carries a flow: the host on trial where it belongs to the flow's group, else what the flow names."""
    hosts = fleet.groups[flow.by].hosts if flow.by in fleet.groups else (flow.by,)
    return carrier if carrier is not None and carrier in hosts else flow.by


def is_translated(flow: Flow, sender: str) -> bool:
    """Whether the far end sees another address than the sender's own."""
    return flow.source is not None and flow.source != sender


def ways_of(flow: Flow, by: str, translated: bool, several: bool = False, shared: Sequence[str] = ()) -> Ways:
    """The components of a flow that `by` carries; `several` when `by` translates to more than one address.

    `shared` is what flows of the same group have in common beside the carrier, such as who owns its address.
    """
    special = [f"{by}:{flow.protocol}", f"{by}:{flow.source_vantage} to {flow.to}"]
    if flow.df and flow.size > LARGE:
        special.append(f"{by}:large packets")
    # The carrier sends on what it failed to translate, so that it knows a connection says nothing of this.
    landed = [f"{by}:dnat"] if flow.lands is not None else []
    into = [f"{flow.source_vantage}>{by}", f"{by}:forward", *special]
    if translated:
        into += [f"{by}:snat", *([f"{by}:snat to {flow.source}"] if several else [])]
        first = f"{flow.to} to {flow.source}"
        middle = [f"{by}:replies", f"{by}:reply-translation"]
        middle += [f"{by}:reply-translation of {flow.source}"] if several else []
    else:
        first = f"{flow.to}>{by}"
        middle = [f"{by}:replies"]
    return Ways(
        start=f"{flow.source_vantage}:sending",
        into=tuple(into),
        onward=(*landed, f"{by}>{flow.to}"),
        back=(
            first,
            *middle,
            *(f"{name} replies" for name in (*special, *landed)),
            f"{by}>{flow.source_vantage}",
        ),
        over=(*shared, *flow.over),
        shared=tuple(shared),
    )


Shared = Mapping[str, tuple[str, ...]]


def observations(
    fleet: Fleet, counts: Sequence[FlowCount], carrier: str | None = None, shared: Shared | None = None
) -> tuple[Observation, ...]:
    """What the counts say of each way: out and back apart wherever both ends have answered.

    `shared` has, by group, what all flows that the group carries cross beside its hosts.
    """
    found: list[Observation] = []
    for one, flow, by, ways in _each(fleet, counts, carrier, shared):
        found += _of_flow(fleet, flow, one, ways, by)
    return tuple(found)


def _each(
    fleet: Fleet, counts: Sequence[FlowCount], carrier: str | None, shared: Shared | None = None
) -> list[tuple[FlowCount, Flow, str, Ways]]:
    sources: dict[str, set[str | None]] = {}
    known = [
        (one, fleet.flows[one.flow], carrier_of(fleet, fleet.flows[one.flow], carrier)) for one in counts
    ]
    for one, flow, by in known:
        if is_translated(flow, one.sender):
            sources.setdefault(by, set()).add(flow.source)
    found = []
    for one, flow, by in known:
        # Two owners need not lose anything, so a flow that passes says nothing of what the hosts share.
        common = (shared or {}).get(flow.by, ()) if one.answered < one.sent else ()
        several = len(sources.get(by, ())) > 1
        found.append((one, flow, by, ways_of(flow, by, is_translated(flow, one.sender), several, common)))
    return found


def ways_among(flows: Mapping[str, Flow], shared: Shared | None = None) -> Mapping[str, Ways]:
    """The components of flows by name, each translated where it is declared to be; none need be in the fleet."""
    sources: dict[str, set[str]] = {}
    for flow in flows.values():
        if flow.source is not None:
            sources.setdefault(flow.by, set()).add(flow.source)
    return {
        name: ways_of(
            flow,
            flow.by,
            flow.source is not None,
            len(sources.get(flow.by, ())) > 1,
            (shared or {}).get(flow.by, ()),
        )
        for name, flow in flows.items()
    }


def ways_to(fleet: Fleet, start: str, address: str, carrier: str | None = None) -> tuple[str, ...]:
    """The way of a question from `start` to an address that a carrier itself has; () where no carrier has it.

    Known are the address of a group, and those that flows are translated to.
    """
    carried = [(flow, carrier_of(fleet, flow, carrier)) for flow in fleet.flows.values()]
    # Answers to a translated flow take this very way, so that goes before what else is known of the address.
    for flow, by in carried:
        if (start, address) == (flow.to, flow.source):
            return (f"{start} to {address}", f"{by}>{start}")
    for flow, by in carried:
        group = fleet.groups.get(flow.by)
        owned = {flow.source, *(group.mover.addresses if group else ())}
        if start in (flow.source_vantage, flow.to) and address in owned:
            return (f"{start}>{by}", f"{by}>{start}")
    return ()


def _carried(fleet: Fleet, one: FlowCount, by: str) -> int | None:
    """How many `by` knows to have sent on; of a group all hosts together, where all of them could be asked."""
    hosts = fleet.groups[by].hosts if by in fleet.groups else (by,)
    known = [one.carried.get(host) for host in hosts]
    return None if None in known else sum(count or 0 for count in known)


def _of_flow(fleet: Fleet, flow: Flow, one: FlowCount, ways: Ways, by: str) -> list[Observation]:
    found: list[Observation] = []
    if one.asked > one.sent and one.errors:
        found.append(_seen(one.flow, "sending", (ways.start,), one.asked, one.sent))
    if one.sent == 0:
        return found
    if one.arrived is None:
        # A beacon that could not be asked was perhaps never there: then a lost answer says nothing.
        if one.answered:
            found.append(_seen(one.flow, "both", (*ways.out, *ways.home), one.sent, one.answered))
        return found
    out, back = one.sent - one.arrived, one.arrived - one.answered
    carried = _carried(fleet, one, by)
    if carried and carried > one.arrived:
        # The carrier knows a connection only when it has sent it on: the loss is behind it.
        shown = min(carried, one.sent)
        into = (*ways.into, *ways.over) if shown < one.sent else ways.into
        found.append(_seen(one.flow, "carried", into, one.sent, shown))
        found.append(_seen(one.flow, "out", (*ways.over, *ways.onward), shown, one.arrived))
    else:
        found.append(_seen(one.flow, "out", _either(ways.out, ways, out, back), one.sent, one.arrived))
    if one.arrived:
        home = _either(ways.home, ways, back, out)
        if flow.protocol == "tcp" and 0 < one.answered < one.arrived:
            # TCP sends again what is lost on the way out, and the answer is then late: that counts as arrived.
            home = (*ways.out, *home)
        found.append(_seen(one.flow, "back", home, one.arrived, one.answered))
        wrong = sum(n for source, n in one.sources.items() if source != (flow.source or one.sender))
        if wrong and (flow.source or one.sender):
            snat = tuple(name for name in ways.into if ":snat" in name) or (f"{by}:forward",)
            found.append(_seen(one.flow, "source", snat, one.arrived, one.arrived - wrong))
    return found


def _either(path: tuple[str, ...], ways: Ways, here: int, there: int) -> tuple[str, ...]:
    """The path without what may lose one way alone, where all of the loss is on the other way.

    A host that answers for an address beside its owner takes what is sent to it; what comes from there gets through.
    """
    return path if here or not there else tuple(name for name in path if name not in ways.shared)


def _seen(flow: str, way: str, path: tuple[str, ...], sent: int, through: int) -> Observation:
    return Observation(id=f"{flow}:{way}", path=path, sent=sent, lost=min(max(sent - through, 0), sent))


def priors(fleet: Fleet, seen: Sequence[Observation], carrier: str | None = None) -> Mapping[str, float]:
    """How probable a fault is before anything was seen: what was just changed is suspected first."""
    places = {*fleet.hosts, *fleet.groups}
    elements = {name for flow in fleet.flows.values() for name in flow.over}
    kinds = {}
    # What only checks cross is no way and no deed; what is expected of it is said in answers.py.
    of_flows = {component for one in seen if not one.id.endswith(":check") for component in one.path}
    for name in of_flows:
        owner, _, deed = name.partition(":")
        if name in elements:
            kind = "element"
        elif not deed:
            kind = "way"
        elif (
            owner not in places
            or deed.split(" ")[0] in ("tcp", "udp", "icmp")
            or " of " in deed
            or " to " in deed
        ):
            kind = "rare"
        else:
            kind = "tried" if owner == carrier else "deed"
        kinds[name] = PRIORS[kind]
    return kinds


def could_ask(
    fleet: Fleet, counts: Sequence[FlowCount], carrier: str | None = None
) -> Mapping[tuple[str, ...], str]:
    """Probes that the fleet's vantages could send beside the flows, as path and in words."""
    found: dict[tuple[str, ...], str] = {}
    for one, flow, by, ways in _each(fleet, counts, carrier):
        if is_translated(flow, one.sender):
            found[(ways.back[0],)] = f"{flow.to} to {by}'s own outer address {flow.source}"
        found[(f"{flow.to}>{by}", f"{by}>{flow.to}")] = f"{flow.to} to {by} itself"
        found[(f"{flow.source_vantage}>{by}", f"{by}>{flow.source_vantage}")] = (
            f"{flow.source_vantage} to {by} itself"
        )
    return found
