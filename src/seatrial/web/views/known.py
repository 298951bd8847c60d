"""What is known of kernels: good or bad for which role, from which trial, person or file, and whether it is overridden."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from seatrial.clock import Clock
from seatrial.kernels.remembered import KernelVerdict
from seatrial.web.following import Following
from seatrial.web.views.words import moment, outcome_shown, plain

MOST = 500


def kernels(following: Following, clock: Clock, most: int = MOST) -> dict[str, Any]:
    """What is remembered, the newest first."""
    verdicts = sorted(following.verdicts.values(), key=lambda one: one.at, reverse=True)
    now = clock.now()
    return {
        "kernels": [_verdict(one, now) for one in verdicts[:most]],
        "more": max(len(verdicts) - most, 0),
        "problem": plain(following.problem),
        "seq": following.seq,
    }


def _verdict(one: KernelVerdict, now: datetime) -> Mapping[str, Any]:
    hardware = one.record.get("hardware", {})
    machine = (one.record.get("package"), hardware.get("product"), hardware.get("cpu"))
    return {
        "kernel": plain(one.kernel),
        "role": plain(one.role),
        "good": one.good,
        "shown": outcome_shown("blessed" if one.good else "reverted")
        | {"word": "good" if one.good else "bad"},
        "because": plain(one.because),
        "origin": plain(one.origin),
        "source": plain(one.source),
        "by": plain(one.by),
        # A name in another team's file is a rollout of theirs.
        "rollout": "" if one.source else one.rollout,
        "host": plain(one.host),
        "machine": [plain(part) for part in machine if part],
        "at": moment(one.at),
        "refuses": one.refuses(now),
        "override": _override(one, now),
    }


def _override(one: KernelVerdict, now: datetime) -> dict[str, Any] | None:
    if one.override is None or one.good:
        return None
    said = one.override
    return {
        "by": plain(said.by),
        "why": plain(said.why),
        "until": moment(said.until),
        "holds": said.holds(now),
    }
