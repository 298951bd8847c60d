"""What must hold where the service is after a move: one Result for each. Pure."""

from __future__ import annotations

from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.drbdnfs.steps import Pair, serves
from seatrial.model.result import Outcome, Result


def proof(pair: Pair) -> tuple[Result, ...]:
    """The service is whole on one host, nothing of it on the other, what it exports is served, and its settings are there."""
    here, there = pair.here, pair.there
    if here is None:
        return (_result("serves", Outcome.UNKNOWN, f"{pair.to} does not answer", ""),)
    whole = serves(pair.mover, here)
    where = f"{pair.to} serves {pair.mover.address.address}"
    results = [
        _judged("serves", whole, where, f"the service is not whole on {pair.to}", "seatrial failover GROUP")
    ]
    if there is not None:
        because = f"nothing of the service is left on {pair.other}"
        left = f"something of the service is left on {pair.other}"
        results.append(_judged("alone", not there.active, because, left, "seatrial failover GROUP"))
    if pair.mover.nfs.state is not None:
        because = f"the records of the clients are kept on {pair.to}"
        left = f"no records of the clients are kept on {pair.to}: no lock outlives the next move"
        results.append(
            _judged("records", here.records is not False, because, left, "is nfsdcld running there?")
        )
    return (*results, _served(pair, here), *_wants(pair, here))


def _result(check: str, outcome: Outcome, because: str, hint: str) -> Result:
    return Result(
        check=f"drbd-nfs.{check}",
        outcome=outcome,
        because=because,
        hint="" if outcome is Outcome.PASS else hint,
    )


def _judged(check: str, right: bool, good: str, bad: str, hint: str) -> Result:
    return _result(check, Outcome.PASS if right else Outcome.FAIL, good if right else bad, hint)


def _served(pair: Pair, here: MemberFacts) -> Result:
    configured = {line.split(" ")[0].strip('"') for line in here.exports}
    missing = sorted(configured - set(here.served))
    return _judged(
        "exports",
        not missing,
        f"{pair.to} serves all of its {len(configured)} exports",
        f"{pair.to} does not serve {', '.join(missing[:5])}",
        f"exportfs -ra on {pair.to} says why",
    )


def _wants(pair: Pair, here: MemberFacts) -> list[Result]:
    wants, seen = pair.mover.wants, here.wants or {}
    wanted = {f"sysctl {name}": value for name, value in wants.sysctls.items()}
    wanted |= {f"scheduler {device}": value for device, value in wants.schedulers.items()}
    results = [
        _judged(
            "wants",
            seen.get(of) == value,
            f"{of} is {value}",
            f"{of} is {seen.get(of) or 'not there'} on {pair.to}, not {value}",
            "it is put there by a move; something else sets it as well",
        )
        for of, value in wanted.items()
    ]
    for interface, words in wants.shaping.items():
        said = seen.get(f"shaping {interface}", "").split()
        # What tc shows is more than what it was told: the kind of the discipline is what can be compared.
        kind = next((word for word in words if word not in ("handle",) and not word.endswith(":")), "")
        results.append(
            _judged(
                "wants",
                kind in said,
                f"{interface} is shaped by {kind}",
                f"{interface} on {pair.to} is not shaped by {kind}",
                "tc qdisc show",
            )
        )
    return results
