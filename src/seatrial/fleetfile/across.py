"""Mistakes that take two entries to see: names that nothing has, things claimed twice, peers that are none.

What is in: rules between entries, read from the tree and not from a valid Fleet, so that one mistake hides no other.
What is not: rules that an entry can pass by itself, which are the model's, and whether a rollout would be wise, which
is the plan's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seatrial.fleetfile.mistake import Mistake, Path, Place, meant, quoted
from seatrial.fleetfile.silences import silences
from seatrial.fleetfile.tree import Item

# Words that filters and policies give a meaning of their own.
_RESERVED = frozenset({"all", "any", "none"})
_DEFAULT_POLICY = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """Every name that the file gives, whether or not its entry is right."""

    stage: tuple[str, ...]
    host: tuple[str, ...]
    group: tuple[str, ...]
    vantage: tuple[str, ...]
    flow: tuple[str, ...]
    load: tuple[str, ...]
    role: tuple[str, ...]
    site: tuple[str, ...]
    rack: tuple[str, ...]

    seen: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def of(self, kinds: Iterable[str]) -> dict[str, str]:
        """The names of these kinds, and of which kind each is."""
        # Thousands of entries ask for the same few.
        key = tuple(kinds)
        if key not in self.seen:
            self.seen[key] = {name: kind for kind in key for name in getattr(self, kind)}
        return self.seen[key]


_KINDS = ("stage", "host", "group", "vantage", "flow", "load", "role", "site", "rack")


def across(root: Item) -> Iterator[Mistake]:
    """All mistakes between entries."""
    names = _Names(
        stage=tuple(word for _, stage in _list(root, "stages") if (word := stage.word("name")) is not None),
        host=tuple(_map(root, "hosts")),
        group=tuple(_map(root, "groups")),
        vantage=tuple(_map(root, "vantages")),
        flow=tuple(_map(root, "flows")),
        load=tuple(_map(root, "loads")),
        role=tuple(
            role.value
            for host in _map(root, "hosts").values()
            for _, role in _list(host, "roles")
            if isinstance(role.value, str)
        ),
        site=_words(root, "site"),
        rack=_words(root, "rack"),
    )
    yield from _unknown_names(root, names)
    yield from _stages(root)
    yield from _hosts(root)
    yield from _shared_names(root)
    yield from _groups(root, names)
    yield from _flows(root, names)
    yield from _policies(root, names)
    yield from _queries(root, names)
    yield from _loads(root, names)
    yield from _exports(root)
    yield from silences(root)


def _map(root: Item, *path: str) -> dict[str, Item]:
    item = root.at(*path)
    return item.entries() if item else {}


def _list(root: Item, *path: str) -> list[tuple[int, Item]]:
    item = root.at(*path)
    return item.elements() if item else []


def _words(root: Item, key: str) -> tuple[str, ...]:
    return tuple(word for host in _map(root, "hosts").values() if (word := host.word(key)) is not None)


def _wrong(item: Item | None, path: Path, what: str) -> Iterator[Mistake]:
    if item is not None:
        yield Mistake(place=item.place, path=path, what=what)


def _wrong_key(root: Item, section: str, name: str, what: str) -> Iterator[Mistake]:
    entries = root.at(section)
    place: Place | None = entries.key_places.get(name) if entries else None
    if place is not None:
        yield Mistake(place=place, path=(section, name), what=what)


def _unknown_names(root: Item, names: _Names) -> Iterator[Mistake]:
    """Every key that names another entry, and the kinds of entry it may name."""
    for section, key, kinds in (
        ("hosts", "stage", ("stage",)),
        ("flows", "stage", ("stage",)),
        ("flows", "from", ("vantage", "host")),
        ("flows", "to", ("vantage", "host")),
        ("flows", "by", ("host", "group")),
        ("checks", "stage", ("stage",)),
        ("checks", "from", ("vantage", "host")),
        ("checks", "with", ("vantage", "host")),
        ("checks", "along", ("flow",)),
        ("checks", "each", ("role",)),
        ("loads", "from", ("vantage", "host")),
        ("silences", "from", ("vantage", "host")),
        ("exports", "group", ("group", "host")),
        ("exports", "from", ("vantage", "host")),
    ):
        for name, entry in _map(root, section).items():
            yield from _unknown(names, kinds, entry.at(key), (section, name, key))
    for name, group in _map(root, "groups").items():
        for number, member in _list(group, "hosts"):
            yield from _unknown(names, ("host",), member, ("groups", name, "hosts", number))
        yield from _unknown(
            names, ("vantage", "host"), group.at("mover", "from"), ("groups", name, "mover", "from")
        )
        yield from _strangers(name, group)
    for number, one in _list(root, "accepted"):
        yield from _unknown(names, ("host",), one.at("host"), ("accepted", number, "host"))
    for role in _map(root, "policies"):
        for key, kinds in (("clients", ("vantage", "host")), ("drive", ("load",))):
            for number, member in _list(root, "policies", role, "measure", key):
                yield from _unknown(names, kinds, member, ("policies", role, "measure", key, number))
    for name, blocker in _map(root, "rollout", "blockers").items():
        for key, kinds in (("stage", ("stage",)), ("from", ("vantage", "host"))):
            yield from _unknown(names, kinds, blocker.at(key), ("rollout", "blockers", name, key))
    for name, silence in _map(root, "silences").items():
        for number, member in _list(silence, "roles"):
            yield from _unknown(names, ("role",), member, ("silences", name, "roles", number))
    for key in ("windows", "freezes"):
        for number, entry in _list(root, "rollout", key):
            for place, member in _list(entry, "stages"):
                yield from _unknown(names, ("stage",), member, ("rollout", key, number, "stages", place))
    for number, budget in _list(root, "rollout", "budgets"):
        if (per := budget.word("per")) in ("role", "site", "rack"):
            for place, member in _list(budget, "only"):
                yield from _unknown(names, (per,), member, ("rollout", "budgets", number, "only", place))
    for name, check in _map(root, "checks").items():
        for number, member in _list(check, "hosts"):
            yield from _unknown(names, ("vantage", "host"), member, ("checks", name, "hosts", number))


def _strangers(name: str, group: Item) -> Iterator[Mistake]:
    """Other names that a mover has for hosts which are not in its group."""
    members = [member.value for _, member in _list(group, "hosts") if isinstance(member.value, str)]
    other = group.at("mover", "names")
    for host in other.entries() if other else ():
        if other is not None and host not in members and (place := other.key_places.get(host)) is not None:
            what = f"{quoted(host)} is not a host of group {quoted(name)}{meant(host, members)}"
            yield Mistake(place=place, path=("groups", name, "mover", "names", host), what=what)


def _unknown(names: _Names, kinds: tuple[str, ...], item: Item | None, path: Path) -> Iterator[Mistake]:
    if item is None or not isinstance(item.value, str):
        return
    word, known = item.value, names.of(kinds)
    if word in known:
        return
    what = f"{quoted(word)} is not a {' or '.join(kinds)}"
    other = names.of(kind for kind in _KINDS if kind not in kinds).get(word)
    yield from _wrong(item, path, f"{what}; it is a {other}" if other else what + meant(word, known))


def _stages(root: Item) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    lived_in = {host.word("stage") for host in _map(root, "hosts").values()}
    for number, stage in _list(root, "stages"):
        name, path = stage.word("name"), ("stages", number, "name")
        if name is None:
            continue
        if name in first:
            yield from _wrong(
                stage.at("name"), path, f"{quoted(name)} is the name of stages[{first[name]}] already"
            )
        elif name not in lived_in:
            what = f"no host is in stage {quoted(name)}, so its gate would open on nothing"
            yield from _wrong(stage.at("name"), path, what)
        first.setdefault(name, number)


def _hosts(root: Item) -> Iterator[Mistake]:
    reached: dict[tuple[str, ...], str] = {}
    for name, host in _map(root, "hosts").items():
        yield from _twice(host, "roles", ("hosts", name))
        for number, role in _list(host, "roles"):
            if role.value in (_DEFAULT_POLICY, *_RESERVED):
                yield from _wrong(
                    role,
                    ("hosts", name, "roles", number),
                    f"{quoted(role.value)} is a reserved word, not a role",
                )
        way = tuple(host.word("reach", key) or "" for key in ("ssh", "ssh_config", "netns"))
        local = host.at("reach", "local")
        if local is not None and local.value is True:
            way = ("local",)
        if any(way):
            other = reached.setdefault(way, name)
            if other != name:
                # A copied line here would reboot the wrong machine.
                what = f"the same way leads to host {quoted(other)}: two names for one machine"
                yield from _wrong(host.at("reach"), ("hosts", name, "reach"), what)


def _shared_names(root: Item) -> Iterator[Mistake]:
    """Names that could mean two things: a flow's `from` may be host or vantage, its `by` host or group."""
    for section in ("hosts", "groups", "vantages"):
        for name in _map(root, section):
            if name in _RESERVED:
                yield from _wrong_key(root, section, name, f"{quoted(name)} is a reserved word, not a name")
            elif section != "hosts" and name in _map(root, "hosts"):
                what = (
                    f"{quoted(name)} is a host already; a {section.removesuffix('s')} needs a name of its own"
                )
                yield from _wrong_key(root, section, name, what)


def _groups(root: Item, names: _Names) -> Iterator[Mistake]:
    member_of: dict[str, str] = {}
    address_of: dict[str, str] = {}
    for name, group in _map(root, "groups").items():
        yield from _twice(group, "hosts", ("groups", name))
        lead: tuple[str, str] | None = None
        for number, member in _list(group, "hosts"):
            host, path = member.value, ("groups", name, "hosts", number)
            if not isinstance(host, str):
                continue
            if (other := member_of.setdefault(host, name)) != name:
                yield from _wrong(member, path, f"{quoted(host)} is in group {quoted(other)} already")
            stage = root.word("hosts", host, "stage")
            if stage is None or stage not in names.stage:
                continue
            lead = lead or (host, stage)
            if stage != lead[1]:
                what = f"{quoted(host)} is in stage {quoted(stage)}, {quoted(lead[0])} in {quoted(lead[1])}: peers share a stage"
                yield from _wrong(member, path, what)
        for path_of in (("mover", "address"), ("mover", "address", "address")):
            address = group.word(*path_of) or ""
            if address and (other := address_of.setdefault(address, name)) != name:
                what = f"{address} is the address of group {quoted(other)} already"
                yield from _wrong(group.at(*path_of), ("groups", name, *path_of), what)


def _flows(root: Item, names: _Names) -> Iterator[Mistake]:
    seen: dict[tuple[object, ...], str] = {}
    for name, flow in _map(root, "flows").items():
        yield from _twice(flow, "over", ("flows", name))
        yield from _carrier_stage(root, names, name, flow)
        ends: tuple[str, ...] = ("from", "to", "protocol", "port")
        # Echo requests carry their own mark; what tells two icmp flows apart may be where and how they are sent.
        if flow.word("protocol") == "icmp":
            ends = ("from", "to", "protocol", "address", "size", "df")
        same = tuple(item.value if (item := flow.at(key)) else None for key in ends)
        if None in same[:3] or any(isinstance(value, dict | tuple) for value in same):
            continue
        if (other := seen.setdefault(same, name)) != name:
            what = f"flow {quoted(other)} has the same {', '.join(ends[:-1])} and {ends[-1]}: the far end could not tell them apart"
            yield from _wrong_key(root, "flows", name, what)


def _carrier_stage(root: Item, names: _Names, name: str, flow: Item) -> Iterator[Mistake]:
    by, stage = flow.word("by"), flow.word("stage")
    # A stage that is not one was told about already, where it stands.
    if by is None or stage not in names.stage:
        return
    members = [
        member.value for _, member in _list(root, "groups", by, "hosts") if isinstance(member.value, str)
    ]
    for host in members or [by]:
        other = root.word("hosts", host, "stage")
        if other in names.stage and other != stage:
            what = f"{quoted(by)} is in stage {quoted(other)}, and the flow in {quoted(stage)}"
            yield from _wrong(flow.at("by"), ("flows", name, "by"), what)
            return


def _policies(root: Item, names: _Names) -> Iterator[Mistake]:
    for role in _map(root, "policies"):
        if role != _DEFAULT_POLICY and role not in names.role:
            what = f"no host has the role {quoted(role)}{meant(role, (*names.role, _DEFAULT_POLICY))}"
            yield from _wrong_key(root, "policies", role, what)


def _exports(root: Item) -> Iterator[Mistake]:
    written: dict[tuple[str, str], str] = {}
    for name, entry in _map(root, "exports").items():
        # Of two that wrote the same file each would take away what the other one added.
        place = (entry.word("group") or "", entry.word("into") or "")
        if (other := written.setdefault(place, name)) != name:
            what = f"exports {quoted(other)} are written into the same file of {place[0]}: give one of them an `into`"
            yield from _wrong_key(root, "exports", name, what)


def _twice(entry: Item, key: str, path: Path) -> Iterator[Mistake]:
    seen: set[str] = set()
    for number, element in _list(entry, key):
        if isinstance(element.value, str):
            if element.value in seen:
                yield from _wrong(element, (*path, key, number), f"{quoted(element.value)} is listed twice")
            seen.add(element.value)


def _queries(root: Item, names: _Names) -> Iterator[Mistake]:
    for role in _map(root, "policies"):
        for name, query in _map(root, "policies", role, "measure", "promql").items():
            path: Path = ("policies", role, "measure", "promql", name)
            yield from _unknown(names, ("vantage", "host"), query.at("from"), (*path, "from"))
            for host, called in _map(query, "hosts").items():
                if host not in names.host:
                    what = f"{quoted(host)} is not a host{meant(host, names.host)}"
                    yield from _wrong(called, (*path, "hosts", host), what)


def _loads(root: Item, names: _Names) -> Iterator[Mistake]:
    """Load goes along declared flows only: they begin where the load does, and their own probes keep their ports."""
    for name, load in _map(root, "loads").items():
        if load.word("kind") == "nfs":
            yield from _far_away(root, name, load)
        for number, member in _list(load, "along"):
            path = ("loads", name, "along", number)
            yield from _unknown(names, ("flow",), member, path)
            flow = root.at("flows", member.value) if isinstance(member.value, str) else None
            if flow is None:
                continue
            begins, source = flow.word("from"), load.word("from")
            if flow.word("protocol") == "icmp":
                yield from _wrong(
                    member, path, f"{quoted(member.value)} is icmp: load is made by tcp and udp"
                )
            if begins and source and begins != source:
                what = f"{quoted(member.value)} begins at {quoted(begins)}, and the load at {quoted(source)}"
                yield from _wrong(member, path, what)
            probed = [
                other
                for other, one in _map(root, "flows").items()
                if _shares_port(one, flow, load.at("port"))
            ]
            if probed:
                what = f"flow {quoted(probed[0])} is probed at that port of {quoted(flow.word('to') or '')}"
                yield from _wrong(load.at("port"), ("loads", name, "port"), what)


def _far_away(root: Item, name: str, load: Item) -> Iterator[Mistake]:
    place = load.word("from") or ""
    reach = root.at("vantages", place) or root.at("hosts", place, "reach")
    if reach is not None and reach.at("ssh") is not None:
        what = f"{quoted(place)} is another machine: a load of this kind needs a vantage that is local or a netns"
        yield from _wrong(load.at("from"), ("loads", name, "from"), what)


def _shares_port(one: Item, flow: Item, port: Item | None) -> bool:
    mine = one.at("port")
    there = one.word("to") == flow.word("to") and one.word("protocol") == flow.word("protocol")
    return there and mine is not None and port is not None and mine.value == port.value
