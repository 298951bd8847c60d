"""Several rounds of one flow as one FlowCount, so that a loss of some percent is counted on enough packets.

What is in: adding up. What is not: what the sum means (judge.py) and whether it comes and goes (checks/repeated.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from seatrial.model.observation import FlowCount


def added(counts: Sequence[FlowCount]) -> FlowCount:
    """The sum of counts of one flow, of which there is at least one.

    Rounds in which either end could not be asked say nothing of the path: they are left out where others are whole.
    """
    whole = [one for one in counts if one.arrived is not None and one.sent] or list(counts)
    if len(whole) == 1:
        return whole[0]
    arrived = [one.arrived for one in whole]
    return replace(
        whole[0],
        sent=sum(one.sent for one in whole),
        arrived=None if None in arrived else sum(number or 0 for number in arrived),
        answered=sum(one.answered for one in whole),
        sources=_summed([one.sources for one in whole]),
        carried=_carried([one.carried for one in whole]),
        problem=next((one.problem for one in whole if one.problem), ""),
        hint=next((one.hint for one in whole if one.hint), ""),
        rtt_ms=tuple(rtt for one in whole for rtt in one.rtt_ms),
        asked=sum(one.asked for one in whole),
        connected=sum(one.connected for one in whole),
        size=max(one.size for one in whole),
        errors=_summed([one.errors for one in whole]),
    )


def _summed(several: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in several:
        total.update(one)
    return dict(total)


def _carried(several: Sequence[Mapping[str, int | None]]) -> dict[str, int | None]:
    """What each host shows to have carried; not known where one round's table could not be read."""
    hosts = dict.fromkeys(host for one in several for host in one)
    return {
        host: None
        if any(one.get(host) is None for one in several)
        else sum(one[host] or 0 for one in several)
        for host in hosts
    }
