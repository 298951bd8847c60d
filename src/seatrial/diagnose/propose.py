"""Which probes to add so that more faults can be told apart: flows and checks that the fleet's vantages could send.

What is in: what could be sent, and a greedy choice of the fewest. What is not in: what the present probes can tell
(identify.py), and fleet.yaml (the caller writes it).

What could be sent is made of what is declared: a flow from every vantage that sends one to every vantage where one
arrives, in every protocol and size, with the addresses and the translation that others have there; an echo to the
addresses that a carrier itself has; an echo to every machine that a check asks a service of; the units of every
host; and who owns a group's address. Elements that only a proposed probe would cross are not counted as gained.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.diagnose.answers import path_of
from seatrial.diagnose.identify import Probe, Shown, probes_of, shown, stage_of, stages_of
from seatrial.diagnose.paths import LARGE, ways_among
from seatrial.model.check import Check
from seatrial.model.check.host import UnitCheck
from seatrial.model.check.paths import VrrpCheck
from seatrial.model.check.traffic import PingCheck
from seatrial.model.fleet import Fleet, Flow

MOST_ADDED = 12
MOST_COULD = 5000
FIRST_PORT = 7001
KINDS: Mapping[str, Mapping[str, Any]] = {
    "tcp": {"protocol": "tcp"},
    "udp": {"protocol": "udp"},
    "icmp": {"protocol": "icmp"},
    "large": {"protocol": "udp", "size": 1500, "df": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A probe to add, and what it does: the classes it splits, each in its parts, and what nothing crossed before."""

    name: str
    declared: Flow | Check
    splits: tuple[tuple[tuple[str, ...], ...], ...]
    notices: tuple[str, ...]

    @property
    def is_flow(self) -> bool:
        """Whether it goes under `flows`, not `checks`."""
        return isinstance(self.declared, Flow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to add, in the order of what it gains; `unnoticed` is what no present probe crosses, `left` what is still alike."""

    additions: tuple[Addition, ...]
    unnoticed: tuple[str, ...]
    left: tuple[tuple[str, ...], ...]


def propose(fleet: Fleet, most: int = MOST_ADDED) -> Proposal:
    """The fewest probes that tell apart what can be told apart, found greedily; at most `most`."""
    present = probes_of(fleet)
    could = _could_send(fleet)
    classes = _Classes(shown(present))
    unnoticed = classes.know(_could_notice(fleet, could))
    added: list[Addition] = []
    while len(added) < most and could:
        gains = [classes.gain(probe) for _, probe in could]
        best = max(range(len(could)), key=lambda place: gains[place])
        if gains[best] <= 0:
            break
        declared, probe = could.pop(best)
        splits, notices = classes.add(probe)
        added.append(Addition(name=probe.name, declared=declared, splits=splits, notices=notices))
    return Proposal(additions=tuple(added), unnoticed=unnoticed, left=classes.alike())


class _Classes:
    """Components by what their faults would show, refined by one Probe after the other."""

    def __init__(self, marks: Mapping[str, Shown]) -> None:
        numbers: dict[Shown, int] = {}
        self.of = {name: numbers.setdefault(mark, len(numbers)) for name, mark in marks.items()}
        self.unnoticed: set[str] = set()
        self.last = len(numbers)

    def know(self, names: Iterable[str]) -> tuple[str, ...]:
        """Take in what could be noticed, and say what of it is not."""
        self.unnoticed = {name for name in names if name not in self.of}
        return tuple(sorted(self.unnoticed))

    def _parts(self, probe: Probe) -> dict[int, dict[int | None, list[str]]]:
        """The classes that the Probe crosses, each by the stage at which its members would show."""
        stages = stage_of(probe)
        crossed = {self.of[name] for name in stages if name in self.of}
        parts: dict[int, dict[int | None, list[str]]] = {}
        for name, number in sorted(self.of.items()):
            if number in crossed:
                parts.setdefault(number, {}).setdefault(stages.get(name), []).append(name)
        return parts

    def gain(self, probe: Probe) -> int:
        """How many classes more there would be, and how many components more would be noticed."""
        noticed = self.unnoticed & probe.components
        fresh = {stage_of(probe)[name] for name in noticed}
        return sum(len(parts) - 1 for parts in self._parts(probe).values()) + len(noticed) + len(fresh)

    def add(self, probe: Probe) -> tuple[tuple[tuple[tuple[str, ...], ...], ...], tuple[str, ...]]:
        """Split, and say what was split into what, and what is noticed now."""
        splits = []
        for parts in self._parts(probe).values():
            if len(parts) < 2:
                continue
            splits.append(tuple(tuple(names) for names in sorted(parts.values())))
            for names in list(parts.values())[1:]:
                self._number(names)
        noticed = self.unnoticed & probe.components
        stages = stage_of(probe)
        for stage in sorted({stages[name] for name in noticed}):
            self._number(name for name in noticed if stages[name] == stage)
        self.unnoticed -= noticed
        return tuple(splits), tuple(sorted(noticed))

    def _number(self, names: Iterable[str]) -> None:
        self.of.update(dict.fromkeys(names, self.last))
        self.last += 1

    def alike(self) -> tuple[tuple[str, ...], ...]:
        """The classes of more than one, the largest first."""
        groups: dict[int, list[str]] = {}
        for name, number in sorted(self.of.items()):
            groups.setdefault(number, []).append(name)
        found = (tuple(names) for names in groups.values() if len(names) > 1)
        return tuple(sorted(found, key=lambda one: (-len(one), one)))


def _could_notice(fleet: Fleet, could: Sequence[tuple[Flow | Check, Probe]]) -> Iterable[str]:
    """The components whose faults somebody would suffer from: hosts, ways and deeds of their carriers, owners.

    Rules for what one place sends to another are left out: they matter for flows that are promised.
    """
    yield from fleet.hosts
    for declared, probe in could:
        if isinstance(declared, Flow):
            yield from (name for name in probe.components if " to " not in name)
        elif isinstance(declared, VrrpCheck):
            yield declared.subjects[-1]


def _could_send(fleet: Fleet) -> list[tuple[Flow | Check, Probe]]:
    taken = {*fleet.flows, *fleet.checks}
    flows: dict[str, Flow] = {}
    for name, flow in itertools.islice(_flows(fleet), MOST_COULD):
        flows[_free(name, {*taken, *flows})] = flow
    # All flows at once, since what is translated to is a component of its own where there are several.
    ways = ways_among({**fleet.flows, **flows})
    found: list[tuple[Flow | Check, Probe]] = [
        (flow, Probe(name=name, stages=stages_of(ways[name]))) for name, flow in flows.items()
    ]
    taken |= set(flows)
    for name, check in _checks(fleet):
        free = _free(name, taken)
        taken.add(free)
        found.append((check, Probe(name=free, stages=(path_of(fleet, check),))))
    return found


def _free(name: str, taken: set[str]) -> str:
    short = name[:58]
    numbered = (f"{short}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain((short,), numbered) if one not in taken)


def _flows(fleet: Fleet) -> Iterable[tuple[str, Flow]]:
    declared = list(fleet.flows.values())
    ports = {flow.port for flow in declared}
    free = (port for port in range(FIRST_PORT, 65536) if port not in ports)
    places = dict.fromkeys((flow.stage, flow.by) for flow in declared)
    for stage, by in places:
        here = [flow for flow in declared if (flow.stage, flow.by) == (stage, by)]
        starts = dict.fromkeys(flow.source_vantage for flow in here)
        ends = dict.fromkeys((flow.to, flow.address, flow.lands) for flow in here)
        for start, (end, address, lands) in itertools.product(starts, ends):
            if start == end or (given := _as_others(here, start, end, address)) is None:
                continue
            for kind, keys in KINDS.items():
                if _is_there(here, start, address, keys):
                    continue
                port = {} if kind == "icmp" else {"port": next(free, 65535)}
                flow = Flow.model_validate(
                    {
                        "stage": stage, "from": start, "to": end, "address": address, "by": by,
                        **keys, **port, **given, **({"lands": lands} if lands else {}),
                    }
                )  # fmt: skip
                yield f"{start}-to-{end}-{kind}", flow


def _is_there(here: Sequence[Flow], start: str, address: str, keys: Mapping[str, Any]) -> bool:
    large = keys.get("size", 0) > LARGE
    return any(
        (flow.source_vantage, flow.address, flow.protocol) == (start, address, keys["protocol"])
        and (flow.df and flow.size > LARGE) == large
        for flow in here
    )


def _as_others(here: Sequence[Flow], start: str, end: str, address: str) -> dict[str, Any] | None:
    """The translation and the elements that a flow would have, as others from there do; None where they differ."""
    same = [flow for flow in here if (flow.source_vantage, flow.address) == (start, address)]
    mine = same or [flow for flow in here if flow.source_vantage == start]
    theirs = same or [flow for flow in here if flow.address == address]
    sources = {flow.source for flow in mine}
    if len(sources) != 1 or not theirs:
        return None
    over = dict.fromkeys(
        name for flows in (mine, theirs) for name in flows[0].over if all(name in flow.over for flow in flows)
    )
    source = next(iter(sources))
    return {**({"source": source} if source else {}), **({"over": tuple(over)} if over else {})}


def _checks(fleet: Fleet) -> Iterable[tuple[str, Check]]:
    asked = {
        (check.source_vantage, check.subjects[0]) for check in fleet.checks.values() if check.kind == "ping"
    }
    for stage, start, address in dict.fromkeys((*_own_addresses(fleet), *_machines(fleet))):
        if (start, address) not in asked:
            keys = {"kind": "ping", "from": start, "address": address, **({"stage": stage} if stage else {})}
            yield f"{start}-ping-{address}".replace(":", "-"), PingCheck.model_validate(keys)
    for name, host in fleet.hosts.items():
        keys = {"kind": "unit", "from": name, "stage": host.stage, "failed": "none"}
        yield f"{name}-units", UnitCheck.model_validate(keys)
    watched = {check.address for check in fleet.checks.values() if isinstance(check, VrrpCheck)}
    for name, group in fleet.groups.items():
        for number, address in enumerate(group.mover.addresses, 1):
            if address in watched:
                continue
            first = group.hosts[0]
            keys = {"kind": "vrrp", "from": first, "stage": fleet.hosts[first].stage, "address": address}
            yield (
                f"{name}-owner{number if number > 1 else ''}",
                VrrpCheck.model_validate({**keys, "hosts": group.hosts}),
            )


def _own_addresses(fleet: Fleet) -> Iterable[tuple[str | None, str, str]]:
    """The addresses that carriers have, as far as the fleet says, from both sides."""
    for flow in fleet.flows.values():
        if flow.source is not None:
            yield flow.stage, flow.to, flow.source
            yield flow.stage, flow.source_vantage, flow.source
        if (group := fleet.groups.get(flow.by)) is not None:
            for address in group.mover.addresses:
                yield flow.stage, flow.source_vantage, address


def _machines(fleet: Fleet) -> Iterable[tuple[str | None, str, str]]:
    """Machines that a check asks a service of, from where it asks."""
    for check in fleet.checks.values():
        machine = check.subjects[0]
        if len(check.subjects) > 1 and _is_address(machine):
            yield check.stage, check.source_vantage, machine


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
