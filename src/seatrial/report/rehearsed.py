"""A rehearsal as lines: its waves, what held it, what failed and why, and whether every promise was kept. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.model.fold import RolloutState
from seatrial.model.text import duration
from seatrial.model.trial import FINAL, State

SHOWN = 8


@dataclass(slots=True, kw_only=True)
class WaveTold:
    """One wave of a stage: when it began and ended, and how its trials did."""

    stage: str
    wave: str
    begin: datetime
    end: datetime
    ended: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "stage": self.stage,
            "wave": self.wave,
            "begin": self.begin,
            "end": self.end,
            "hosts": self.ended.total(),
            "ended": dict(self.ended),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A time in which nothing could begin, and why."""

    because: str
    begin: datetime
    seconds: float


def waves_of(events: Iterable[Event], stages: Mapping[str, str]) -> list[WaveTold]:
    """The waves in the order in which they began; `stages` says which stage a host is in."""
    found: dict[tuple[str, str], WaveTold] = {}
    wave_of: dict[str, WaveTold] = {}
    for event in events:
        if event.kind == Kind.TRIAL_BEGUN:
            key = (stages[event.host], str(event.data.get("wave", "")))
            wave = found.setdefault(key, WaveTold(stage=key[0], wave=key[1], begin=event.at, end=event.at))
            wave_of[event.host] = wave
        elif event.kind == Kind.TRIAL_MOVED and State(event.data["to"]) in FINAL and event.host in wave_of:
            wave = wave_of[event.host]
            wave.end = event.at
            wave.ended[str(event.data["to"])] += 1
    return list(found.values())


def held_of(events: Sequence[Event]) -> list[Held]:
    """The times in which nothing could begin."""
    found: list[Held] = []
    since: tuple[str, datetime] | None = None
    for event in events:
        if event.kind == Kind.ROLLOUT_HELD:
            if since is not None:
                found.append(_held(since, event.at))
            because = str(event.data.get("because", ""))
            since = (because, event.at) if because else None
    if since is not None:
        found.append(_held(since, events[-1].at))
    return found


def _held(since: tuple[str, datetime], until: datetime) -> Held:
    return Held(because=since[0], begin=since[1], seconds=(until - since[1]).total_seconds())


def wave_lines(waves: Iterable[WaveTold]) -> list[str]:
    """A table of the waves."""
    lines = [f"{'stage':<14}{'wave':<10}{'hosts':>6}  {'begins':<17}{'takes':<12}how they end"]
    for wave in waves:
        how = ", ".join(f"{number} {state}" for state, number in wave.ended.most_common())
        takes = duration((wave.end - wave.begin).total_seconds())
        hosts = wave.ended.total()
        lines.append(
            f"{wave.stage:<14}{wave.wave:<10}{hosts:>6}  {wave.begin:%Y-%m-%d %H:%M} {takes:<12}{how}"
        )
    return lines


def held_lines(held: Sequence[Held]) -> list[str]:
    """What held it longest."""
    longest = sorted(held, key=lambda one: -one.seconds)[:SHOWN]
    return [f"{duration(one.seconds):<12}from {one.begin:%Y-%m-%d %H:%M}: {one.because}" for one in longest]


def failure_lines(state: RolloutState) -> list[str]:
    """The hosts that were not blessed although they were begun, and why."""
    failed = [t for t in state.trials.values() if t.state in FINAL and t.state is not State.BLESSED]
    lines = [f"{t.host:<10}{t.state!s:<10}{t.cause or t.because}" for t in failed[:SHOWN]]
    return [*lines, f"and {len(failed) - SHOWN} more"] if len(failed) > SHOWN else lines


def ending(state: RolloutState) -> str:
    """How it ended, in one line."""
    if state.ended and state.started:
        return f"{state.outcome} after {duration((state.ended - state.started).total_seconds())}: {state.because}"
    return f"it would wait for a person: {state.held}"
