"""Which way would the kernel send? It is asked as it would decide for a packet now, rules and VRFs included.

What is not in: whether anybody answers on that way.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean
from seatrial.checks.traffic.links import ROUTES, listed
from seatrial.model.check.paths import RouteCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

# What the kernel answers where there is no way, by the kind of the route that says so.
NO_WAY = {
    "Network is unreachable": "there is no route",
    "No route to host": "the route says unreachable",
    "Permission denied": "the route says prohibited",
    "Invalid argument": "the route is a black hole, or the source is not the host's",
}


def commands(check: RouteCheck) -> tuple[Command, ...]:
    """One question to the kernel."""
    argv = (
        *("ip", "-j", "route", "get", check.address),
        *(("from", check.source) if check.source else ()),
        *(("vrf", check.vrf) if check.vrf else ()),
    )
    return (Command(name="route.get", argv=argv, timeout=check.timeout, package="iproute2"),)


def judge(name: str, check: RouteCheck, outputs: Sequence[Output]) -> Result:
    """PASS when there is a way, by the next hop, the interface and the own address that are wanted."""
    output = outputs[0] if outputs else None
    asked = f"{check.source_vantage} to {check.address}" + (f" in {check.vrf}" if check.vrf else "")
    if output is not None and output.answered and not output.ok and (none := _no_way(check, output)):
        evidence = {"said": clean(output.stderr)}
        return made(name, check, Outcome.FAIL, f"{asked}: {none}", seconds=output.seconds, evidence=evidence)
    answer = listed(ROUTES, output, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    assert output is not None
    if len(answer) != 1 or not _same(answer[0].dst, check.address):
        return unknown(name, check, (f"{check.source_vantage} answers for another address", ""))
    route = answer[0]
    hop = route.gateway or clean(str((route.via or {}).get("host", "")))
    own = route.prefsrc or ("" if route.source == "::" else route.source)
    evidence = {"via": hop, "interface": route.dev, "own": own, "table": route.table, "type": route.type}
    said = f"{f'by {hop}' if hop else 'directly'} on {route.dev or 'nothing'}{f' from {own}' if own else ''}"
    wanted = []
    if check.via and not any(_same(hop, one) for one in check.via):
        wanted.append(f"by {' or '.join(check.via)}")
    if check.interface is not None and route.dev != check.interface:
        wanted.append(f"on {check.interface}")
    if check.own is not None and not _same(own, check.own):
        wanted.append(f"from {check.own}")
    outcome = Outcome.FAIL if wanted else Outcome.PASS
    because = f"{asked}: {said}" + (f", not {' '.join(wanted)}" if wanted else "")
    return made(name, check, outcome, because, seconds=output.seconds, evidence=evidence)


def _no_way(check: RouteCheck, output: Output) -> str:
    said = output.stderr.strip().removeprefix("RTNETLINK answers: ")
    if check.vrf and "Invalid VRF" in said:
        return f"there is no VRF {check.vrf}"
    return NO_WAY.get(said, "")


def _same(text: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(text) == ipaddress.ip_address(address)
    except ValueError:
        return False
