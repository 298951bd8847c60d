"""The flow matrix: from which vantage to which, and on each way whether probes arrived and answers came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.model.fleet import Fleet, Flow
from seatrial.model.fold import Round, TrialState
from seatrial.web.views.words import mark_shown, plain

# The newest of these that there is, in this order.
_NEWEST = ("proof", "soak", "exercise", "baseline")
_WAYS = {"ok": ("✓", "good"), "some": ("◐", "warn"), "none": ("✗", "bad"), "?": ("?", "warn")}


def matrix(trial: TrialState, fleet: Fleet | None) -> dict[str, Any] | None:
    """The last round of flows: rows by sender, columns by receiver; None where no flow was asked.

    A cell has the flows of that pair, each with the way out and the way back: ok, some, none or ? (not known).
    """
    round_ = _failed(trial) or _latest(trial)
    if round_ is None or fleet is None:
        return None
    cells: dict[str, dict[str, list[dict[str, Any]]]] = {}
    checks = []
    for result in round_.results:
        flow = fleet.flows.get(str(result.get("check", "")))
        if flow is None:
            checks.append(_check(result))
            continue
        cells.setdefault(flow.source_vantage, {}).setdefault(flow.to, []).append(_cell(result, flow))
    receivers = list(dict.fromkeys(to for row in cells.values() for to in row))
    return {
        "purpose": round_.purpose,
        "at": round_.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "receivers": [plain(one) for one in receivers],
        "rows": [
            {"sender": plain(sender), "cells": [row.get(to, []) for to in receivers]}
            for sender, row in cells.items()
        ],
        "checks": checks,
    }


def _failed(trial: TrialState) -> Round | None:
    """Of a trial that went back, the round that spoke against the kernel is what people look for."""
    if not trial.cause:
        return None
    wrong = [trial.rounds[name] for name in ("exercise", "soak") if name in trial.rounds]
    return next((one for one in wrong if one.outcome != "pass"), None)


def _latest(trial: TrialState) -> Round | None:
    rounds = [trial.rounds[name] for name in _NEWEST if name in trial.rounds]
    return max(rounds, key=lambda one: one.at, default=None)


def _cell(result: Mapping[str, Any], flow: Flow) -> dict[str, Any]:
    seen = result.get("evidence", {})
    sent, arrived, answered = (seen.get(key) for key in ("sent", "arrived", "answered"))
    kind = f"{flow.protocol}{' large' if flow.df and flow.size > 1280 else ''}"
    return {
        "flow": plain(result.get("check", "")),
        "kind": kind + (f" {flow.port}" if flow.port else ""),
        "outcome": mark_shown(str(result.get("outcome", "unknown"))),
        "because": plain(result.get("because", "")),
        "out": _way(sent, arrived),
        "back": _way(arrived, answered),
        "sent": sent,
        "arrived": arrived,
        "answered": answered,
    }


def _way(begun: object, ended: object) -> dict[str, str]:
    """How many of those that set out came through, as a word with its mark."""
    if not isinstance(begun, int) or not isinstance(ended, int) or begun <= 0:
        return _said("?", "not known")
    if ended >= begun:
        return _said("ok", "all came through")
    if ended <= 0:
        return _said("none", "none came through")
    return _said("some", f"{ended} of {begun} came through")


def _said(word: str, text: str) -> dict[str, str]:
    mark, tone = _WAYS[word]
    return {"word": word, "mark": mark, "tone": tone, "text": text}


def _check(result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "check": plain(result.get("check", "")),
        "outcome": mark_shown(str(result.get("outcome", "unknown"))),
        "because": plain(result.get("because", "")),
        "hint": plain(result.get("hint", "")),
    }
