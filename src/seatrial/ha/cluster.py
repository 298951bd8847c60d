"""Pacemaker's own account of its cluster, as values: `crm_mon --output-as=xml` and the constraints of the CIB. Pure.

What is in: reading both without believing them. What is not: what they mean for a move (pacemaker.py).
"""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seatrial.model.command import Output
from seatrial.model.text import safe

MOST = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One machine of the cluster, as the cluster sees it."""

    online: bool
    standby: bool = False
    maintenance: bool = False
    pending: bool = False
    unclean: bool = False

    @property
    def is_coming(self) -> bool:
        """Whether it may be on its way: what its people have not set, and what is not a fault."""
        return self.trouble in ("offline", "not in the cluster yet")

    @property
    def trouble(self) -> str:
        """Why nothing may be moved onto it, in words; "" when it may."""
        words = (
            (not self.online, "offline"),
            (self.unclean, "unclean: it waits to be fenced"),
            (self.pending, "not in the cluster yet"),
            (self.standby, "in standby"),
            (self.maintenance, "in maintenance"),
        )
        return next((word for wrong, word in words if wrong), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One primitive of what moves; `on` are the machines on which it runs, or runs promoted where that is what moves."""

    name: str
    on: frozenset[str]
    managed: bool
    blocked: bool
    failed: bool
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A constraint that a move left in the CIB: `id` begins with cli-prefer- or cli-ban-."""

    id: str
    on: str

    @property
    def is_ban(self) -> bool:
        """Whether it keeps the resource away."""
        return self.id.startswith("cli-ban-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What one member says of the cluster it is in. `failures` are failed actions: the operation and where."""

    leader: str
    has_quorum: bool
    is_kept: bool  # maintenance mode: nothing is managed
    is_stopped: bool  # stop-all-resources
    peers: Mapping[str, Peer] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    locations: tuple[Location, ...] = ()


def read_cluster(
    mon: Output | None, constraints: Output | None, resource: str, *, promoted: bool
) -> Cluster | str:
    """What a member said of the cluster and of `resource` in it, or a sentence why that is not known."""
    status = _document(mon, "crm_mon")
    if isinstance(status, str):
        return status
    rules = _document(constraints, "cibadmin")
    if isinstance(rules, str):
        return rules
    leader = status.find("./summary/current_dc")
    if leader is None or leader.get("present") != "true":
        return "the cluster has no DC yet: it cannot decide anything"
    options = status.find("./summary/cluster_options")
    found = _resource(status, resource)
    return Cluster(
        leader=_word(leader, "name"),
        has_quorum=_is(leader, "with_quorum"),
        is_kept=_is(options, "maintenance-mode"),
        is_stopped=_is(options, "stop-all-resources"),
        peers={_word(one, "name"): _peer(one) for one in status.iterfind("./nodes/node")},
        parts=() if found is None else tuple(_parts(found, promoted=promoted)),
        failures=tuple(
            (_word(one, "op_key"), _word(one, "node")) for one in status.iterfind("./failures/failure")
        ),
        locations=tuple(_locations(rules, resource)),
    )


def _document(output: Output | None, program: str) -> Xml.Element | str:
    if output is None or not output.answered:
        return f"{program} did not answer" + (f": {safe(output.problem)}" if output else "")
    if output.truncated or len(output.stdout) > MOST:
        return f"{program} said more than is read"
    # Nothing that Pacemaker writes declares entities, and what does could grow without end.
    if "<!" in output.stdout:
        return f"{program} answered in a way that is not understood"
    try:
        document = Xml.fromstring(output.stdout)  # noqa: S314 - without declarations there is nothing to expand
    except Xml.ParseError:
        last = safe(output.stderr.strip().rpartition("\n")[2][:200])
        return f"{program} ended with status {output.status}: {last}" if last else f"{program} gave no XML"
    if not output.ok:
        said = document.findtext("./status/errors/error") or f"status {output.status}"
        return f"{program}: {safe(said[:200])}"
    return document


def _resource(status: Xml.Element, resource: str) -> Xml.Element | None:
    for kind in ("group", "clone", "bundle", "resource"):
        for one in status.iterfind(f"./resources//{kind}"):
            if one.get("id") == resource:
                return one
    return None


def _parts(found: Xml.Element, *, promoted: bool) -> Iterator[Part]:
    by_name: dict[str, list[Xml.Element]] = {}
    for one in found.iter("resource"):
        by_name.setdefault(_word(one, "id"), []).append(one)
    whole = {"disabled": _is(found, "disabled")}
    for name, instances in by_name.items():
        # Master was the word for Promoted until Pacemaker 2.1.
        active = [one for one in instances if not promoted or one.get("role") in ("Promoted", "Master")]
        yield Part(
            name=name,
            on=frozenset(
                _word(there, "name") for one in active if _is(one, "active") for there in one.iterfind("node")
            ),
            managed=all(_is(one, "managed") for one in instances) and found.get("managed", "true") == "true",
            blocked=any(_is(one, "blocked") for one in instances),
            failed=any(_is(one, "failed") for one in instances),
            disabled=whole["disabled"] or any(one.get("target_role") == "Stopped" for one in instances),
        )


def _peer(one: Xml.Element) -> Peer:
    return Peer(
        online=_is(one, "online"),
        standby=_is(one, "standby") or _is(one, "standby_onfail"),
        maintenance=_is(one, "maintenance"),
        pending=_is(one, "pending"),
        unclean=_is(one, "unclean"),
    )


def _locations(rules: Xml.Element, resource: str) -> Iterator[Location]:
    for one in rules.iter("rsc_location"):
        ident = one.get("id", "")
        if one.get("rsc") == resource and ident.startswith(("cli-prefer-", "cli-ban-", "cli-standby-")):
            inside = one.find("./rule/expression")
            where = one.get("node") or ("" if inside is None else inside.get("value", ""))
            yield Location(id=safe(ident[:200]), on=safe((where or "")[:200]))


def _is(one: Xml.Element | None, key: str) -> bool:
    return one is not None and one.get(key) == "true"


def _word(one: Xml.Element, key: str) -> str:
    return safe((one.get(key) or "")[:200])
