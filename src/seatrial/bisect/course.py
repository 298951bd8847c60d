"""Where a search stands, folded from its Events. Pure. What is not in: what to do next (search.py).

Nothing else is kept anywhere: a search that was killed goes on from here, and an attempt that was begun and has no
end counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from seatrial.bisect.search import Answer, Ending, Rules, Tally, Try, next_step, shares
from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome

# A version that could not be tried so often is left out. Once may be the lab's fault.
SKIPPED_AFTER = 2
# A version below this share of being the first bad one is not worth preparing before it is wanted.
_LIKELY = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One of the versions in their order. `says` is what people know it by (its package and version)."""

    name: str
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One boot of one version and what the test said. SKIP is a version that would not boot, or that the test refused.

    `boot_seconds` is from the order to restart to a login, `seconds` all of it; `results` is what was asked, as plain
    mappings; `because` is one sentence.
    """

    version: str
    outcome: Outcome
    because: str
    at: datetime
    boot_seconds: float | None = None
    seconds: float = 0.0
    results: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A search as its Events tell it. `asked` says in words what is tested; `ground` is where, for a later process.

    `platform` says in a sentence where it ran, once it is over.
    """

    id: str
    versions: tuple[Version, ...] = ()
    rules: Rules = field(default_factory=Rules)
    asked: str = ""
    ground: Mapping[str, Any] = field(default_factory=dict)
    started: datetime | None = None
    by: str = ""
    why: str = ""
    attempts: tuple[Attempt, ...] = ()
    begun: int = 0
    trying: str = ""
    ended: datetime | None = None
    answer: Answer | None = None
    platform: str = ""
    last: int = 0

    @property
    def boots(self) -> int:
        """How many boots were begun, those that came to nothing as well."""
        return self.begun

    @property
    def seconds(self) -> float:
        """How long all attempts took together: a search that was resumed did not work in between."""
        return sum(attempt.seconds for attempt in self.attempts)

    def tallies(self) -> tuple[Tally, ...]:
        """What each version's attempts came to. UNKNOWN is no evidence."""
        return tuple(self._tally(version.name) for version in self.versions)

    def step(self) -> Try | Answer:
        """What to do next, or how it ends."""
        return next_step(self.tallies(), self.rules)

    def likely(self) -> tuple[str, ...]:
        """The versions that are likely to be tried from here on: those that may be the first bad one, or the last good."""
        share = shares(self.tallies(), self.rules)
        return tuple(
            version.name
            for place, version in enumerate(self.versions)
            if share[place] >= _LIKELY or share[place + 1] >= _LIKELY
        )

    def of(self, version: str) -> tuple[Attempt, ...]:
        """All attempts at one version."""
        return tuple(attempt for attempt in self.attempts if attempt.version == version)

    def _tally(self, version: str) -> Tally:
        outcomes = [attempt.outcome for attempt in self.of(version)]
        failed, passed = outcomes.count(Outcome.FAIL), outcomes.count(Outcome.PASS)
        # One that boots now and then is left out as well, when it mostly does not: what it said still counts.
        skipped = outcomes.count(Outcome.SKIP) >= max(SKIPPED_AFTER, failed + passed)
        return Tally(failed=failed, passed=passed, skipped=skipped)


def fold(events: Iterable[Event], *, bisect: str) -> Course:
    """Where a search stands. `events` are its own, oldest first; kinds that are not known are passed over."""
    course = Course(id=bisect)
    for event in events:
        course = advance(course, event)
    return course


def advance(course: Course, event: Event) -> Course:
    """The search after one more Event."""
    data = event.data
    course = replace(course, last=event.seq)
    match event.kind:
        case Kind.BISECT_STARTED:
            return replace(
                course,
                versions=tuple(
                    Version(name=one["name"], says=one.get("says", "")) for one in data["versions"]
                ),
                rules=Rules(**data["rules"]),
                asked=data.get("asked", ""),
                ground=data.get("ground", {}),
                started=event.at,
                by=event.by,
                why=data.get("why", ""),
            )
        case Kind.BISECT_TRYING:
            return replace(course, trying=data["version"], begun=course.begun + 1)
        case Kind.BISECT_TRIED:
            return replace(course, trying="", attempts=(*course.attempts, _attempt(event)))
        case Kind.BISECT_ENDED:
            return replace(
                course,
                ended=event.at,
                answer=_answer(course, data),
                platform=data.get("platform", ""),
            )
    return course


def ended_data(course: Course, answer: Answer, *, platform: str) -> dict[str, Any]:
    """An answer as the data of its Event: versions by name, so that it can be read without the list.

    `platform` says in a sentence where it ran.
    """
    names = [version.name for version in course.versions]
    return {
        "ending": str(answer.ending),
        "first": names[answer.first] if answer.first < len(names) else None,
        "last": names[answer.last] if answer.last < len(names) else None,
        "last_good": names[answer.last_good] if answer.last_good is not None else None,
        "confidence": answer.confidence,
        "wrong_fails": answer.wrong_fails,
        "wrong_passes": answer.wrong_passes,
        "boots": course.boots,
        "seconds": round(course.seconds, 1),
        "platform": platform,
    }


def _attempt(event: Event) -> Attempt:
    data = event.data
    return Attempt(
        version=data["version"],
        outcome=Outcome(data["outcome"]),
        because=data.get("because", ""),
        at=event.at,
        boot_seconds=data.get("boot_seconds"),
        seconds=data.get("seconds", 0.0),
        results=tuple(data.get("results", ())),
    )


def _answer(course: Course, data: Mapping[str, Any]) -> Answer:
    places = {version.name: place for place, version in enumerate(course.versions)}
    past = len(course.versions)
    return Answer(
        ending=Ending(data["ending"]),
        first=places.get(data["first"], past),
        last=places.get(data["last"], past),
        last_good=places.get(data["last_good"]),
        confidence=data["confidence"],
        wrong_fails=data["wrong_fails"],
        wrong_passes=data["wrong_passes"],
    )
