"""What a watch has seen so far: which news there are after a round, and the figures that are scraped. Pure.

What is in: the fold over rounds. News are changes; a round in which nothing changed has none. What is not: asking
(perform/watching.py), printing (the command line), and the text format of the figures (figures.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatrial.model.result import Outcome, Result, figure
from seatrial.model.text import duration
from seatrial.report.figures import Sample, labels_of, of_results
from seatrial.report.narrate import MARKS

RANKS = 3
# Rounds in time after which slowness is over: one that is on the edge would be news every time.
STEADY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One round of a watch.

    `places` are those that each of `results` needs, in the same order. `silent` has the places that did not answer,
    with what was said about it; `rested` those among them that were not asked, since they are asked ever more seldom.
    `answered` has the places that did. `components` are the explanations of what failed, the best first. `skipped`
    counts rounds that were due while the one before was running, and `broken` says what was wrong with Seatrial.
    """

    at: datetime
    seconds: float = 0.0
    results: tuple[Result, ...] = ()
    places: tuple[frozenset[str], ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)
    rested: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    components: tuple[tuple[str, ...], ...] = ()
    sentence: str = ""
    skipped: int = 0
    broken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing that changed: a line for people, and in `data` the same for programs."""

    at: datetime
    event: str
    subject: str
    text: str
    mark: str = ""
    detail: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The line as JSON."""
        return {"at": self.at, "event": self.event, "text": self.text, **self.data}


class Watched:
    """All that a watch knows; `interval` is in seconds."""

    def __init__(self, *, began: datetime, interval: float, version: str) -> None:
        self.began, self.interval, self.version = began, interval, version
        self.rounds = 0
        self._last: Turn | None = None
        self._results: dict[str, Result] = {}
        self._told: dict[str, Outcome] = {}
        self._asked: dict[str, datetime] = {}
        self._heard: dict[str, datetime | None] = {}
        self._silent: frozenset[str] = frozenset()
        self._named: tuple[tuple[str, ...], ...] = ()
        self._well: bool | None = None
        self._slow, self._in_time = False, 0
        self._broken = ""
        self._counts: Counter[str] = Counter()
        self._outcomes: Counter[tuple[str, str, str]] = Counter()
        self._packets: Counter[tuple[str, str, str]] = Counter()

    @property
    def outcome(self) -> Outcome | None:
        """What the last round came to; None before there was one."""
        outcomes = {result.outcome for result in self._results.values()}
        return next((one for one in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS) if one in outcomes), None)

    def feed(self, turn: Turn) -> list[News]:
        """Take a round; says what is new since the one before."""
        first = self.rounds == 0
        self.rounds += 1
        self._last = turn
        self._counts["skipped"] += turn.skipped
        self._counts["broken"] += bool(turn.broken)
        news = [*self._of_fault(turn)]
        if not turn.broken:
            news += [*self._of_places(turn), *self._of_results(turn), *self._of_diagnosis(turn)]
            self._count(turn)
            news += self._of_all(turn, first)
        return [*news, *self._of_pace(turn)]

    def _of_fault(self, turn: Turn) -> Iterator[News]:
        if turn.broken and turn.broken != self._broken:
            yield News(
                at=turn.at,
                event="broken",
                subject="watch",
                text=f"this round was not asked to its end: {turn.broken}",
                mark="UNKNOWN",
                detail=("it is a fault of Seatrial's own; the watch goes on",),
            )
        elif self._broken and not turn.broken:
            yield News(at=turn.at, event="mended", subject="watch", text="rounds end again", mark="ok")
        self._broken = turn.broken

    def _of_places(self, turn: Turn) -> Iterator[News]:
        for place in sorted(turn.silent.keys() - self._silent):
            since = self._heard.get(place)
            when = f"{since:%H:%M:%S}" if since else f"the watch began ({self.began:%H:%M:%S})"
            lost = self._unknown_for(turn, place)
            yield News(
                at=turn.at,
                event="vantage.silent",
                subject=place,
                text=f"has not answered since {when}; what needs it ({lost}) is unknown, not failed",
                mark="UNKNOWN",
                detail=(turn.silent[place],) if turn.silent[place] else (),
                data={"vantage": place, "since": since, "unknown": lost, "because": turn.silent[place]},
            )
        for place in sorted(self._silent & turn.answered):
            since = self._heard.get(place)
            after = f", after {duration((turn.at - since).total_seconds())}" if since else ""
            yield News(
                at=turn.at,
                event="vantage.back",
                subject=place,
                text=f"answers again{after}",
                mark="ok",
                data={"vantage": place, "since": since},
            )
        for place in turn.answered:
            self._heard[place] = turn.at
        for place in turn.silent:
            self._heard.setdefault(place, None)
        self._silent = frozenset(turn.silent)

    def _unknown_for(self, turn: Turn, place: str) -> int:
        pairs = zip(turn.results, turn.places, strict=True)
        return sum(1 for result, needs in pairs if place in needs and result.outcome is Outcome.UNKNOWN)

    def _of_results(self, turn: Turn) -> Iterator[News]:
        for result, needs in zip(turn.results, turn.places, strict=True):
            # The line about the silent place has said it for all that need the place.
            if result.outcome is Outcome.UNKNOWN and needs & turn.silent.keys():
                continue
            before = self._told.get(result.check)
            self._told[result.check] = result.outcome
            if result.outcome is before or (
                before is None and result.outcome in (Outcome.PASS, Outcome.SKIP)
            ):
                continue
            passes = result.outcome is Outcome.PASS
            yield News(
                at=turn.at,
                event="check",
                subject=result.check,
                text=f"{result.vantage:<14} {result.because}",
                mark=MARKS[result.outcome],
                detail=(f"hint: {result.hint}",) if result.hint and not passes else (),
                data={
                    "check": result.check,
                    "vantage": result.vantage,
                    "before": before,
                    "outcome": result.outcome,
                    "because": result.because,
                    "hint": result.hint or None,
                },
            )

    def _of_diagnosis(self, turn: Turn) -> Iterator[News]:
        if turn.components and turn.components[:1] != self._named[:1]:
            yield News(
                at=turn.at,
                event="diagnosis",
                subject="diagnosis",
                text=turn.sentence,
                data={"components": [list(some) for some in turn.components[:RANKS]]},
            )
        self._named = turn.components

    def _of_all(self, turn: Turn, first: bool) -> Iterator[News]:
        """The first round is told as a whole, and the round in which all is well again."""
        passed = sum(1 for result in turn.results if result.outcome is Outcome.PASS)
        well = all(result.outcome in (Outcome.PASS, Outcome.SKIP) for result in turn.results)
        if first or (well and self._well is False):
            yield News(
                at=turn.at,
                event="round",
                subject="first round" if first else "all is well",
                text=f"{passed} of {len(turn.results)} pass, {duration(turn.seconds)}",
                mark="ok" if well else "",
                data={"passed": passed, "total": len(turn.results), "seconds": round(turn.seconds, 3)},
            )
        self._well = well

    def _of_pace(self, turn: Turn) -> Iterator[News]:
        self._in_time = 0 if turn.skipped else self._in_time + 1
        if turn.skipped and not self._slow:
            self._slow = True
            yield News(
                at=turn.at,
                event="slow",
                subject="watch",
                text=f"the round before took longer than {self.interval:g} s: the next one begins later, and is "
                "counted as skipped",
                detail=("hint: a longer --every, or fewer flows and checks",),
                data={"skipped": turn.skipped},
            )
        elif self._slow and self._in_time >= STEADY:
            self._slow = False
            yield News(at=turn.at, event="in-time", subject="watch", text="rounds keep their time again")

    def _count(self, turn: Turn) -> None:
        self._results = {result.check: result for result in turn.results}
        for result, needs in zip(turn.results, turn.places, strict=True):
            # What passes or fails was asked, although a peer that it could do without was left in peace.
            if result.outcome is not Outcome.UNKNOWN or not needs & turn.rested:
                self._asked[result.check] = turn.at
            self._outcomes[result.check, result.vantage, result.outcome.value] += 1
            # Where an end could not be asked, a packet without an answer is no lost packet.
            if result.outcome is not Outcome.UNKNOWN:
                for kind, number in _packets(result).items():
                    self._packets[result.check, result.vantage, kind] += number

    def samples(self) -> Iterator[Sample]:
        """All figures, now."""
        yield from of_results(self._results.values())
        for result in self._results.values():
            labels = labels_of(result)
            if result.check in self._asked:
                stamp = self._asked[result.check].timestamp()
                yield "seatrial_check_last_asked_timestamp_seconds", labels, stamp
        for (check, vantage, outcome), number in self._outcomes.items():
            labels = {"check": check, "vantage": vantage, "outcome": outcome}
            yield "seatrial_check_results_total", labels, number
        for (check, vantage, kind), number in self._packets.items():
            yield f"seatrial_check_packets_{kind}_total", {"check": check, "vantage": vantage}, number
        for rank, components in enumerate(self._named[:RANKS], start=1):
            labels = {"components": ",".join(components), "rank": str(rank)}
            yield "seatrial_diagnosis_info", labels, 1.0
        for place, heard in self._heard.items():
            yield "seatrial_vantage_up", {"vantage": place}, float(place not in self._silent)
            if heard is not None:
                yield "seatrial_vantage_last_answer_timestamp_seconds", {"vantage": place}, heard.timestamp()
        yield from self._own()

    def _own(self) -> Iterator[Sample]:
        yield "seatrial_watch_rounds_total", {}, self.rounds
        yield "seatrial_watch_rounds_skipped_total", {}, self._counts["skipped"]
        yield "seatrial_watch_rounds_broken_total", {}, self._counts["broken"]
        if self._last is not None:
            yield "seatrial_watch_round_seconds", {}, self._last.seconds
            yield "seatrial_watch_last_round_timestamp_seconds", {}, self._last.at.timestamp()
        yield "seatrial_watch_interval_seconds", {}, self.interval
        yield "seatrial_watch_start_timestamp_seconds", {}, self.began.timestamp()
        yield "seatrial_build_info", {"version": self.version}, 1.0


def _packets(result: Result) -> dict[str, int]:
    for sent_as, back_as in (("asked", "answered"), ("sent", "received")):
        sent, back = figure(result, sent_as), figure(result, back_as)
        if sent is not None and back is not None:
            return {"sent": int(sent), "lost": int(max(sent - back, 0))}
    return {}
