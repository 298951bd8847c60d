"""Are interfaces in their VRF, and is it up? Outside of it their traffic takes the routes of another table.

What is not in: the routes in it, which `route` asks about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seatrial.checks.asked import made, unknown
from seatrial.checks.traffic.links import LINKS, Link, listed
from seatrial.model.check.paths import VrfCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result


def commands(check: VrfCheck) -> tuple[Command, ...]:
    """All links with their details."""
    argv = ("ip", "-j", "-d", "link", "show")
    return (Command(name="vrf.links", argv=argv, timeout=check.timeout, limit=1 << 20, package="iproute2"),)


def judge(name: str, check: VrfCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the VRF is up with its table and every interface is up and in it."""
    output = outputs[0] if outputs else None
    answer = listed(LINKS, output, check.source_vantage)
    if isinstance(answer, tuple):
        return unknown(name, check, answer)
    assert output is not None
    links = {link.ifname: link for link in answer}
    if "lo" not in links:
        # Every network namespace has one, so without it this is no list of links.
        return unknown(name, check, (f"{check.source_vantage} names no interface", ""))
    vrf = links.get(check.vrf)
    table = vrf.linkinfo.info_data.table if vrf and vrf.linkinfo and vrf.linkinfo.info_data else None
    evidence = {
        "table": table,
        "state": vrf.operstate if vrf else None,
        "masters": {one: links[one].master for one in check.interfaces if one in links},
    }
    wrong = [*_of_the_vrf(check, vrf, table), *_of_interfaces(check, links)]
    if wrong:
        because = f"{check.source_vantage}: {'; '.join(wrong)}"
        return made(name, check, Outcome.FAIL, because, seconds=output.seconds, evidence=evidence)
    verb = "is" if len(check.interfaces) == 1 else "are"
    because = f"{', '.join(check.interfaces)} {verb} in {check.vrf}, table {table}"
    return made(name, check, Outcome.PASS, because, seconds=output.seconds, evidence=evidence)


def _of_the_vrf(check: VrfCheck, vrf: Link | None, table: int | None) -> list[str]:
    if vrf is None:
        return [f"there is no {check.vrf}"]
    if vrf.linkinfo is None or vrf.linkinfo.info_kind != "vrf":
        return [f"{check.vrf} is no VRF"]
    wrong = [] if "UP" in vrf.flags else [f"{check.vrf} is down"]
    if check.table is not None and table != check.table:
        wrong.append(f"{check.vrf} has table {table}, not {check.table}")
    return wrong


def _of_interfaces(check: VrfCheck, links: Mapping[str, Link]) -> list[str]:
    wrong = []
    for one in check.interfaces:
        link = links.get(one)
        if link is None:
            wrong.append(f"there is no {one}")
        elif link.master != check.vrf:
            wrong.append(f"{one} is in {link.master or 'no VRF'}, not in {check.vrf}")
        elif "UP" not in link.flags:
            wrong.append(f"{one} is down")
    return wrong
