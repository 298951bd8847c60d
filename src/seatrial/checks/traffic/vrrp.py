"""Who of the hosts that may have it owns a virtual address? Each is asked what it has, whatever keepalived says.

What is not in: moving it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.traffic.links import ADDRESSES, Addressed, listed
from seatrial.model.check.paths import VrrpCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def places(check: VrrpCheck) -> tuple[str, ...]:
    """All that may have it."""
    return check.hosts


def commands(check: VrrpCheck) -> tuple[Command, ...]:
    """The addresses of every host."""
    argv = ("ip", "-j", "address", "show")
    one = Command(name="vrrp.addresses", argv=argv, timeout=check.timeout, limit=1 << 20, package="iproute2")
    return (one,) * len(check.hosts)


def judge(name: str, check: VrrpCheck, outputs: Sequence[Output]) -> Result:
    """PASS when exactly one of the hosts has the address; UNKNOWN when one that may have it did not answer."""
    given = [*outputs, *[None] * len(check.hosts)][: len(check.hosts)]
    answers = {host: listed(ADDRESSES, output, host) for host, output in zip(check.hosts, given, strict=True)}
    silent = {host: answer for host, answer in answers.items() if isinstance(answer, tuple)}
    at = {
        host: _interfaces(check, answer) for host, answer in answers.items() if not isinstance(answer, tuple)
    }
    owners = [host for host, names in at.items() if names]
    evidence = {"owners": {host: at[host] for host in owners}, "silent": sorted(silent)}
    where = f"{check.address} on {check.interface}" if check.interface else check.address
    seconds = max((output.seconds for output in outputs), default=0.0)
    if len(owners) > 1:
        both = "both " if len(owners) == 2 else ""
        because = f"{' and '.join(owners)} {both}have {where}"
        hint = "they do not hear each other: is the segment between them whole?"
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=seconds, evidence=evidence)
    if silent:
        why, hint = next(iter(silent.values()))
        said = (
            f"{owners[0]} has {where}, but "
            if owners
            else f"none of {', '.join(at)} has {where}, and "
            if at
            else ""
        )
        return (
            made(name, check, Outcome.UNKNOWN, said + why, hint=hint, evidence=evidence)
            if at
            else unknown(name, check, (why, hint))
        )
    if not owners:
        because = f"nobody has {where}: not {' and not '.join(check.hosts)}"
        hint = "is keepalived running there, and is one of them not yielding?"
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=seconds, evidence=evidence)
    because = f"{owners[0]} has {where}, and nobody else"
    return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)


def _interfaces(check: VrrpCheck, links: Sequence[Addressed]) -> list[str]:
    """Where a host has the address; one that the kernel found to be somebody else's already is not had."""
    wanted = ipaddress.ip_address(check.address)
    return [
        link.ifname
        for link in links
        if check.interface in (None, link.ifname)
        for one in link.addr_info
        if not one.dadfailed and _same(one.local, wanted)
    ]


def _same(text: str, wanted: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ipaddress.ip_address(text) == wanted
    except ValueError:
        return False
