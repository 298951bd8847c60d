"""What refuses a planned move of a pair before anything is changed: one Result for each thing that it depends on. Pure."""

from __future__ import annotations

from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.drbdnfs.steps import Pair, serves, why_not_taken
from seatrial.ha.driver import Goal
from seatrial.model.result import Outcome, Result

_BROUGHT_BY_GRACE = "they wait for the whole grace after a move, since 4.0 does not say when it has reclaimed"


def refusals(pair: Pair, goal: Goal) -> tuple[Result, ...]:
    """All PASS lets a move begin; with a person's `force` the dead peer's part of it is passed over, and says so."""
    here, there = pair.here, pair.there
    if here is None:
        hint = f"can it be reached: seatrial check --host {pair.to}"
        return (_result("answers", Outcome.UNKNOWN, f"{pair.to} does not say how it stands", hint),)
    if there is None:
        if goal.force:
            because = f"{pair.other} does not answer; a person goes on: {goal.force}"
            return (_result("answers", Outcome.PASS, because), _disk(pair, here))
        hint = "make sure that it is off, then: --force 'how you know that it is off'"
        return (_result("answers", Outcome.UNKNOWN, f"{pair.other} does not say how it stands", hint),)
    return (
        _result("answers", Outcome.PASS, f"{pair.to} and {pair.other} answer"),
        _split(pair, here, there),
        _roles(pair, here, there),
        _connected(pair, here, there, goal),
        _disks(pair, here, there),
        _link(pair, here, there, goal),
        _exports(pair, here, there),
        _identity(pair, here, there),
        _records(pair, there, goal),
        _clients(pair, there),
        _holders(pair, there),
    )


def _result(check: str, outcome: Outcome, because: str, hint: str = "") -> Result:
    return Result(
        check=f"drbd-nfs.{check}",
        outcome=outcome,
        because=because,
        hint="" if outcome is Outcome.PASS else hint,
    )


def _judged(check: str, right: bool, good: str, bad: str, hint: str) -> Result:
    return _result(check, Outcome.PASS if right else Outcome.FAIL, good if right else bad, hint)


def _split(pair: Pair, here: MemberFacts, there: MemberFacts) -> Result:
    return _judged(
        "split",
        not (here.split or there.split),
        "no split brain",
        f"{pair.mover.resource} has a split brain: both sides were written to, and they part",
        f"decide whose writes are lost; there: drbdadm connect --discard-my-data {pair.mover.resource}",
    )


def _roles(pair: Pair, here: MemberFacts, there: MemberFacts) -> Result:
    primaries = [name for name, facts in ((pair.to, here), (pair.other, there)) if facts.primary]
    if len(primaries) == 2:
        because = f"{pair.to} and {pair.other} are both primary"
        return _result("roles", Outcome.FAIL, because, "stop the service on one of them at once")
    # Nobody primary is no reason to refuse: the service is down, and this is how it comes up.
    return _result("roles", Outcome.PASS, f"{primaries[0]} is primary" if primaries else "neither is primary")


def _connected(pair: Pair, here: MemberFacts, there: MemberFacts, goal: Goal) -> Result:
    why = None
    if not (here.connected and there.connected):
        why = why_not_taken(pair, here, there)
    if why is None:
        return _result("connected", Outcome.PASS, f"{pair.mover.resource} is connected")
    if goal.force:
        return _result("connected", Outcome.PASS, f"{why[0]}; a person goes on: {goal.force}")
    return _result("connected", Outcome.FAIL, *why)


def _disk(pair: Pair, here: MemberFacts) -> Result:
    return _judged(
        "disks",
        here.disk == "UpToDate" and not here.copying,
        f"the disk of {pair.mover.resource} on {pair.to} is UpToDate",
        f"the disk of {pair.mover.resource} on {pair.to} is {here.copying or here.disk or 'not up'}",
        "a side that is not up to date cannot serve",
    )


def _disks(pair: Pair, here: MemberFacts, there: MemberFacts) -> Result:
    first = _disk(pair, here)
    if first.outcome is not Outcome.PASS:
        return first
    resource = pair.mover.resource
    # Each knows of the other only what it was told last, and a primary that takes its peer for behind sends it nothing.
    for name, facts, whose in ((pair.other, there, pair.to), (pair.to, here, pair.other)):
        if facts.connected and facts.peer_disk not in ("", "UpToDate"):
            because = f"{name} takes the disk of {resource} on {whose} for {facts.peer_disk}, whatever {whose} says of itself"
            hint = f"drbdadm disconnect {resource} and connect it again on {whose}: then they compare what they have"
            return _result("disks", Outcome.FAIL, because, hint)
    return _judged(
        "disks",
        (there.disk == "UpToDate" and not there.copying) or not there.role,
        f"{resource} is UpToDate on both sides",
        f"the disk of {resource} on {pair.other} is {there.copying or there.disk}: there would be no way back",
        "wait for the end of the copy, or mend that disk first",
    )


def _link(pair: Pair, here: MemberFacts, there: MemberFacts, goal: Goal) -> Result:
    """DRBD says Connected for a second or more after a cut, so the way itself is asked as well."""
    for name, facts in ((pair.to, here), (pair.other, there)):
        if facts.link_answers is not True and goal.force:
            break
        if facts.link_answers is None:
            because = f"{name} does not say where DRBD has its peer"
            return _result("link", Outcome.UNKNOWN, because, "drbdsetup show")
        if not facts.link_answers:
            because = f"{name} does not reach its peer at {facts.link}, the address that DRBD replicates to"
            hint = "a cut that DRBD has not noticed yet; promoting a side now would be a split brain"
            return _result("link", Outcome.FAIL, because, hint)
    return _result("link", Outcome.PASS, "each reaches the other where DRBD replicates to")


def _exports(pair: Pair, here: MemberFacts, there: MemberFacts) -> Result:
    only_here = sorted(set(here.exports) - set(there.exports))
    only_there = sorted(set(there.exports) - set(here.exports))
    if not here.exports:
        because = f"{pair.to} is configured to export nothing"
        return _result("exports", Outcome.FAIL, because, "copy /etc/exports and /etc/exports.d from the peer")
    because = ""
    if only_there:
        because = f"{pair.to} lacks an export that {pair.other} has: {only_there[0]}"
    elif only_here:
        because = f"{pair.to} has an export that {pair.other} lacks: {only_here[0]}"
    good = f"both export the same {len(here.exports)}"
    return _judged("exports", not because, good, because, "make /etc/exports and /etc/exports.d the same")


def _identity(pair: Pair, here: MemberFacts, there: MemberFacts) -> Result:
    """Scope, lease and grace are what clients know the server by; another one makes them hang or lose their locks."""
    nfs = pair.mover.nfs
    for key in ("scope", "lease-time", "grace-time"):
        mine, theirs = (here.conf or {}).get(key, ""), (there.conf or {}).get(key, "")
        if mine != theirs:
            because = f"{key} is {mine or 'not set'} in nfs.conf of {pair.to}, {theirs or 'not set'} on {pair.other}"
            return _result("identity", Outcome.FAIL, because, "make /etc/nfs.conf the same on both")
    if serves(pair.mover, there) and not nfs.units and there.lease:
        wanted = (f"{nfs.lease:.0f}", f"{nfs.grace:.0f}")
        if there.lease != wanted:
            because = (
                f"{pair.other} serves with lease and grace of {' and '.join(there.lease)} s,"
                f" and {pair.to} would with {' and '.join(wanted)} s"
            )
            return _result("identity", Outcome.FAIL, because, "write the same into the mover's `nfs`")
    if nfs.state is not None and not any(
        nfs.state.startswith(f"{volume.mount.rstrip('/')}/") for volume in pair.mover.volumes
    ):
        because = f"{nfs.state} is on no volume that moves: no client could have its locks back"
        return _result("identity", Outcome.FAIL, because, "put `state` of the mover's `nfs` on a volume")
    return _result("identity", Outcome.PASS, f"both serve as {nfs.scope}, lease {nfs.lease:.0f} s")


def _records(pair: Pair, there: MemberFacts, goal: Goal) -> Result:
    """Without the records of its clients a server lets nobody reclaim after a move."""
    if pair.mover.nfs.state is None or not serves(pair.mover, there):
        return _result("records", Outcome.PASS, "no server keeps records of its clients now")
    if there.records is False and goal.force:
        because = f"{pair.other} keeps no records of its clients; a person goes on: {goal.force}"
        return _result("records", Outcome.PASS, because)
    return _judged(
        "records",
        there.records is not False,
        f"{pair.other} keeps the records of its clients on the volume",
        f"{pair.other} keeps no records of its clients: their locks would be lost by a move",
        "is nfsdcld running there, and was it when nfsd started? or go on: --force 'who loses what'",
    )


def _clients(pair: Pair, there: MemberFacts) -> Result:
    known = [client for client in there.clients if client.status != "unconfirmed"]
    old = [client for client in known if client.minor == "0"]
    if not old:
        return _result("clients", Outcome.PASS, f"{len(known)} clients, none of NFSv4.0")
    who = ", ".join(sorted(client.address for client in old)[:5])
    if "4.0" not in pair.mover.nfs.versions:
        because = f"{len(old)} clients of NFSv4.0, which {pair.to} would not serve: {who}"
        return _result("clients", Outcome.FAIL, because, "mount with vers=4.1 there, or serve 4.0 as well")
    return _result("clients", Outcome.PASS, f"{len(old)} clients of NFSv4.0 ({who}): {_BROUGHT_BY_GRACE}")


def _holders(pair: Pair, there: MemberFacts) -> Result:
    """With `busy: stop` the listed units are stopped on the way; all else that holds a volume refuses the move."""
    blocking = [holder for holder in there.holders if not _may_stop(pair, str(holder))]
    named = ", ".join(str(holder) for holder in blocking[:5])
    return _judged(
        "holders",
        not blocking,
        f"nothing but the service holds the volumes on {pair.other}",
        f"the volumes on {pair.other} are busy: {named}",
        "end those, or unmount what is mounted there again; units may be stopped by `busy: stop` and `holders`",
    )


def _may_stop(pair: Pair, holder: str) -> bool:
    return pair.mover.busy == "stop" and any(holder.endswith(f" of {unit}") for unit in pair.mover.holders)
