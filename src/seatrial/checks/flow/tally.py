"""The answers of a round as FlowCounts: what was sent, what arrived and as whom, what was answered, who carried it.

What is in: reading the Outputs of one Round. What is not in: whether that is good (flows.py) and where it is lost
(the diagnose room).
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seatrial.checks.flow.round import MOST_ENTRIES, Round
from seatrial.checks.reading import Far, FarFlow, Listening, Near, NearFlow, Shape, clean, understood, why_not
from seatrial.model.command import Output
from seatrial.model.fleet import Flow
from seatrial.model.observation import FlowCount

Entry = tuple[str, str, int, str, int]
NO_PORT = {4: 8, 6: 128}


@dataclass(slots=True, kw_only=True)
class _Table:
    """A host's table of connections, or why it is not known."""

    entries: frozenset[Entry] = frozenset()
    problem: str = ""
    hint: str = ""


@dataclass(slots=True, kw_only=True)
class _Arrived:
    """How many probes of a flow arrived, and as whom; `number` is None when that cannot be said."""

    number: int | None
    sources: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    hint: str = ""


def count(asked: Round, outputs: Mapping[tuple[str, str], Output]) -> tuple[FlowCount, ...]:
    """One FlowCount a flow, in the order of the round. `outputs` has (command name, vantage) as its keys."""
    return _Tally(asked, outputs).counts()


class _Tally:
    def __init__(self, asked: Round, outputs: Mapping[tuple[str, str], Output]) -> None:
        self.round = asked
        self.outputs = outputs
        self.near = {b.vantage: self._read(Near, "flow.send", b.vantage) for b in asked.send}
        self.listening = {b.vantage: self._read(Listening, "flow.listen", b.vantage) for b in asked.listen}
        self.far = {b.vantage: self._read(Far, "flow.collect", b.vantage) for b in asked.collect}
        self.tables = {b.vantage: self._table(b.vantage) for b in asked.carried}
        self.orphans = self._share_orphans()

    def _read(self, shape: type[Shape], name: str, place: str) -> Shape | tuple[str, str]:
        output = self.outputs.get((name, place))
        if why := why_not(output, place):
            return why
        assert output is not None
        found = understood(shape, output, place)
        if isinstance(found, str):
            return found, ""
        if getattr(found, "run", None) != self.round.run:
            return f"{place} answered for another run", ""
        return found

    def _table(self, place: str) -> _Table:
        output = self.outputs.get(("flow.carried", place))
        if why := why_not(output, place):
            return _Table(problem=why[0], hint=why[1])
        assert output is not None
        lines = output.stdout.split("\n")
        if lines[0] == "none":
            return _Table(
                problem=f"{place} does not track connections",
                hint=f"a rule with `ct state` on {place} starts it",
            )
        if lines[0] == "denied":
            return _Table(
                problem=f"{place} lets only root read its connections", hint="allow sudo for this login"
            )
        ends = [line for line in lines[-3:] if line.startswith("end ")]
        if not ends or "broken" in lines:
            return _Table(problem=f"the connections of {place} could not be read to the end")
        shown = ends[0][4:]
        if not shown.isdigit() or int(shown) > MOST_ENTRIES:
            return _Table(problem=f"{place} has more connections to these addresses than are read")
        return _Table(entries=frozenset(_entries(lines)))

    def counts(self) -> tuple[FlowCount, ...]:
        return tuple(self._count(name, flow) for name, flow in self.round.flows.items())

    def _count(self, name: str, flow: Flow) -> FlowCount:
        near = self._near_flow(name, flow)
        carried, why_carried = self._carried(name, flow, near)
        if isinstance(near, tuple):
            problem, hint = near
            return FlowCount(
                flow=name, sent=0, arrived=None, answered=0, carried=carried, problem=problem, hint=hint
            )
        arrived = self._arrived(name, flow, near)
        problem, hint = (near.problem, "") if near.problem else (arrived.problem, arrived.hint)
        if not problem:
            problem, hint = why_carried
        states = Counter(state for _, _, state, _, _ in near.probes)
        return FlowCount(
            flow=name,
            sent=states[1] + states[2] + states[3],
            arrived=arrived.number,
            answered=states[3],
            sources=arrived.sources,
            carried=carried,
            sender=_address(near.source),
            problem=problem,
            hint=hint,
            rtt_ms=tuple(rtt / 1000 for _, _, state, rtt, _ in near.probes if state == 3),
            asked=self.round.probes,
            connected=states[2] + states[3] if flow.protocol == "tcp" else 0,
            size=near.size,
            errors={clean(key, 20): number for key, number in near.errors.items()},
        )

    def _near_flow(self, name: str, flow: Flow) -> NearFlow | tuple[str, str]:
        near = self.near[flow.source_vantage]
        if isinstance(near, tuple):
            return near
        return near.flows.get(name) or (f"{flow.source_vantage} says nothing of this flow", "")

    def _far_flow(self, name: str, flow: Flow) -> FarFlow | tuple[str, str]:
        listening, far = self.listening[flow.to], self.far[flow.to]
        if isinstance(listening, tuple):
            return listening
        bound = listening.flows.get(name)
        if bound is not None and bound.problem:
            return f"{flow.to}: {bound.problem}", _advice(bound.problem)
        if isinstance(far, tuple):
            return far
        if far.problem:
            return f"{flow.to}: {far.problem}", ""
        return far.flows.get(name) or (f"{flow.to} says nothing of this flow", "")

    def _arrived(self, name: str, flow: Flow, near: NearFlow) -> _Arrived:
        far = self._far_flow(name, flow)
        if isinstance(far, tuple):
            return _Arrived(number=None, problem=far[0], hint=far[1])
        if flow.protocol != "tcp":
            return _Arrived(number=far.arrived, sources=dict(far.sources), problem=far.problem)
        tokens = far.whole if flow.df else far.arrived
        claimed = self.orphans.get(name, Counter())
        if claimed is None:
            return _Arrived(
                number=None,
                sources=dict(far.sources),
                problem=f"another flow to {flow.to} has the same port, so lost answers cannot be told apart",
                hint="give each tcp flow to this vantage a port of its own",
            )
        sources = Counter(far.sources) + claimed
        return _Arrived(number=tokens + claimed.total(), sources=dict(sources), problem=far.problem)

    def _share_orphans(self) -> dict[str, Counter[str] | None]:
        """Whose probe was a connection attempt that was never completed: the source port says it nearly always."""
        shared: dict[str, Counter[str] | None] = {}
        for place, far in self.far.items():
            for port in far.ports if isinstance(far, Far) else ():
                mine = {
                    name: flow
                    for name, flow in self.round.flows.items()
                    if (flow.to, flow.protocol, flow.port) == (place, "tcp", port.port)
                    and ipaddress.ip_address(flow.address).version == port.version
                }
                shared.update(self._share(mine, list(port.orphans)))
        return shared

    def _share(
        self, flows: Mapping[str, Flow], orphans: list[tuple[str, int]]
    ) -> dict[str, Counter[str] | None]:
        shared: dict[str, Counter[str] | None] = {}
        lacking: dict[str, int] = {}
        for name, flow in flows.items():
            near = self._near_flow(name, flow)
            ports = {row[1] for row in near.probes if row[2] == 1} if isinstance(near, NearFlow) else set()
            found = {port: source for source, port in orphans if port in ports}
            orphans = [orphan for orphan in orphans if found.get(orphan[1]) != orphan[0]]
            shared[name] = Counter(found.values())
            lacking[name] = len(ports) - len(found)
        wanting = [name for name, number in lacking.items() if number]
        # What is left came from a translation that changes ports, or from strangers: strangers are few.
        for source, number in Counter(source for source, _ in orphans).items():
            fitting = [
                name for name in wanting if self._fits(name, flows[name], source, number, lacking[name])
            ]
            if len(fitting) == 1 and (claimed := shared[fitting[0]]) is not None:
                taken = min(number, lacking[fitting[0]])
                claimed[source] += taken
                lacking[fitting[0]] -= taken
            elif len(fitting) > 1:
                shared.update(dict.fromkeys(fitting))
        return shared

    def _fits(self, name: str, flow: Flow, source: str, number: int, lacking: int) -> bool:
        near = self._near_flow(name, flow)
        sender = near.source if isinstance(near, NearFlow) else ""
        far = self._far_flow(name, flow)
        seen = far.sources if isinstance(far, FarFlow) else {}
        return source in {flow.source or sender, *seen} or 2 * number >= lacking

    def _carried(
        self, name: str, flow: Flow, near: NearFlow | tuple[str, str]
    ) -> tuple[dict[str, int | None], tuple[str, str]]:
        carried: dict[str, int | None] = {}
        why = ("", "")
        for host in self.round.carriers[name]:
            table = self.tables[host]
            if table.problem or isinstance(near, tuple):
                carried[host] = None
                why = (table.problem, table.hint)
            else:
                carried[host] = len(table.entries & frozenset(_wanted(flow, near)))
        return carried, why


def _wanted(flow: Flow, near: NearFlow) -> Iterator[Entry]:
    six = ipaddress.ip_address(flow.address).version == 6
    protocol = "icmpv6" if six and flow.protocol == "icmp" else flow.protocol
    kind = flow.port if flow.port is not None else NO_PORT[6 if six else 4]
    source = _address(near.source)
    for _, port, state, _, _ in near.probes:
        if state > 0:
            yield protocol, source, port, flow.address, kind


def _entries(lines: list[str]) -> Iterator[Entry]:
    for line in lines:
        words = line.split(" ")
        # An entry that was never hit by a packet was put there by a peer that shares its table (conntrackd).
        if len(words) == 6 and words[2].isdigit() and words[4].isdigit() and words[5] != "0":
            yield words[0], _address(words[1]), int(words[2]), _address(words[3]), int(words[4])


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _advice(problem: str) -> str:
    if "in use" in problem:
        return "give the flow a port that nothing listens on, or wait until an older round has ended"
    if "CAP_NET_RAW" in problem:
        return "allow sudo for this login, so that pings can be seen when they arrive"
    return ""
