"""The suspects drawn on the path of a flow that failed: the way out, the way back, and what stands on each.

What is in: which flow shows a suspect best, and its stations. What is not: naming suspects, which the diagnosis did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seatrial.diagnose.paths import carrier_of, ways_of
from seatrial.model.fleet import Fleet, Flow
from seatrial.model.fold import TrialState
from seatrial.web.views.words import plain

MOST_SUSPECTS = 3


def suspects(trial: TrialState, fleet: Fleet | None) -> dict[str, Any] | None:
    """What the diagnosis says, with the path that each suspect stands on; None without a diagnosis."""
    named = trial.diagnosis
    if not named:
        return None
    return {
        "because": plain(named.get("because", "")),
        "notes": [plain(note) for note in named.get("notes", ())],
        "suspects": [_suspect(one, trial, fleet) for one in list(named.get("suspects", ()))[:MOST_SUSPECTS]],
    }


def _suspect(one: Mapping[str, Any], trial: TrialState, fleet: Fleet | None) -> dict[str, Any]:
    guilty = frozenset(str(name) for name in one.get("components", ()))
    alike = frozenset(str(name) for some in one.get("same_evidence", ()) for name in some)
    return {
        "components": [plain(name) for name in sorted(guilty)],
        "cannot_tell_from": [plain(name) for name in sorted(alike - guilty)],
        "probability": one.get("probability"),
        "because": plain(one.get("because", "")),
        "path": _path(guilty, alike - guilty, trial, fleet),
    }


def _path(
    guilty: frozenset[str], alike: frozenset[str], trial: TrialState, fleet: Fleet | None
) -> dict[str, Any] | None:
    if fleet is None:
        return None
    for name, flow in _failing(trial, fleet):
        by = carrier_of(fleet, flow, trial.host)
        ways = ways_of(flow, by, flow.source is not None)
        if guilty & {*ways.out, *ways.home}:
            return {
                "flow": plain(name),
                "from": plain(flow.source_vantage),
                "by": plain(by),
                "to": plain(flow.to),
                "out": _stations(ways.out, by, guilty, alike),
                "back": _stations(ways.home, by, guilty, alike),
            }
    return None


def _failing(trial: TrialState, fleet: Fleet) -> list[tuple[str, Flow]]:
    found = []
    for purpose in ("exercise", "soak"):
        for result in trial.rounds[purpose].results if purpose in trial.rounds else ():
            name = str(result.get("check", ""))
            if result.get("outcome") == "fail" and name in fleet.flows:
                found.append((name, fleet.flows[name]))
    return found


def _stations(
    way: Sequence[str], by: str, guilty: frozenset[str], alike: frozenset[str]
) -> list[dict[str, str]]:
    """Each component of a way, in order, with the words that stand on it."""
    stations = []
    for name in way:
        is_way = ":" not in name
        says = name if is_way else name.removeprefix(f"{by}:")
        mark = "suspect" if name in guilty else "alike" if name in alike else ""
        stations.append({"kind": "way" if is_way else "deed", "says": plain(says), "mark": mark})
    return stations
