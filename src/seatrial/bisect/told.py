"""A search told to people: a line a boot, how it ended, and the report for a distribution's bug tracker. Pure.

What is not in: colour, terminals, which patches are suspected (the caller hands their lines in).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from seatrial.bisect.course import Attempt, Course, Version
from seatrial.bisect.search import Answer, Ending
from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome
from seatrial.model.text import duration, safe
from seatrial.report.narrate import MARKS, Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Patches between the last good version and the first bad one, a line each; `command` prints all of them."""

    command: str = ""
    lines: tuple[str, ...] = field(default=())


def tell(event: Event, course: Course) -> list[Line]:
    """The lines that an Event adds; `course` is the search with that Event in it."""
    match event.kind:
        case Kind.BISECT_STARTED:
            first, last = course.versions[0], course.versions[-1]
            text = f"{first.name} to {last.name}   {len(course.versions)} {kinds(course)}   by {course.by}"
            why = f', "{course.why}"' if course.why else ""
            return [
                Line(at=event.at, step=f"bisect {course.id}", text=text + why),
                Line(at=event.at, step="test", text=course.asked),
            ]
        case Kind.BISECT_TRIED:
            attempt = course.attempts[-1]
            text = f"{attempt.version}   {attempt.because}"
            return [
                Line(
                    at=event.at,
                    step=f"boot {course.begun}",
                    text=text,
                    mark=MARKS[attempt.outcome],
                    seconds=attempt.seconds,
                )
            ]
        case Kind.BISECT_ENDED if course.answer is not None:
            ends_well = course.answer.ending is Ending.FOUND
            detail = tuple(part for part in (cost(course), observed(course)) if part)
            return [
                Line(
                    at=event.at,
                    step=f"bisect {course.id}",
                    text=sentence(course),
                    mark="ok" if ends_well else "UNKNOWN",
                    detail=detail,
                )
            ]
    return []


def sentence(course: Course) -> str:
    """How it ended, in a sentence or two. Raises ValueError for a search that has not."""
    answer = course.answer
    if answer is None:
        raise ValueError("the search is not over")
    names = [_named(version) for version in course.versions]
    match answer.ending:
        case Ending.FOUND:
            return f"first bad: {names[answer.first]}, last good: {names[answer.first - 1]}"
        case Ending.RANGE:
            between = ", ".join(names[answer.first : answer.last])
            return (
                f"first bad: one of {', '.join(names[answer.first : answer.last + 1])}; last good: "
                f"{names[answer.first - 1]}. What lies between could not be tried: {between}"
            )
        case Ending.GOOD_FAILS:
            return f"{names[0]} fails as well: the fault is older, or the test fails on any kernel"
        case Ending.BAD_PASSES:
            return f"{names[-1]} passes: the fault does not show here, or the test does not see it"
        case Ending.UNTRIED:
            return f"{names[answer.first]} could not be tried, and without it there is no search: {_last_words(course, answer)}"
        case Ending.UNDECIDED:
            return f"not decided after {course.boots} boots: {_undecided(names, answer)}"


def cost(course: Course) -> str:
    """What it took."""
    answer = course.answer
    sure = f"{100 * answer.confidence:.1f} % sure, " if answer and answer.confidence else ""
    tried = len({attempt.version for attempt in course.attempts})
    return f"{sure}{course.boots} boots of {tried} of {len(course.versions)} {kinds(course)}, {duration(course.seconds)}"


def kinds(course: Course) -> str:
    """What the versions are, in the plural."""
    return "kernels" if all(_version(version) for version in course.versions) else "versions"


def observed(course: Course) -> str:
    """How often the test contradicted the answer, "" where it never did or nothing was found."""
    answer = course.answer
    if answer is None or answer.ending not in (Ending.FOUND, Ending.RANGE):
        return ""
    tallies = course.tallies()
    good, bad = tallies[: answer.first], tallies[answer.last :]
    failed, passed = sum(one.failed for one in good), sum(one.passed for one in bad)
    if not failed and not passed:
        return "no boot contradicts it"
    return (
        f"{failed} of {sum(one.failed + one.passed for one in good)} boots of good ones failed, "
        f"{passed} of {sum(one.failed + one.passed for one in bad)} of bad ones passed: the test is not steady"
    )


def tracker_report(course: Course, suspects: Suspects) -> str:
    """The report as a mail to submit@bugs.debian.org, for a search that found a version or a range.

    Raises ValueError for a search that found neither.
    """
    answer = course.answer
    if answer is None or answer.ending not in (Ending.FOUND, Ending.RANGE):
        raise ValueError("there is nothing to report")
    bad, good = course.versions[answer.last], course.versions[answer.first - 1]
    failing = next((one for one in reversed(course.of(bad.name)) if one.outcome is Outcome.FAIL), None)
    parts = [
        _head(bad, good),
        f"{_named(bad)} fails what {_named(good)} passes. The test:\n\n    {safe(course.asked)}",
        f"What it said on {bad.name}:\n\n    {safe(failing.because)}" if failing else "",
        _range_note(course, answer),
        f"Found by booting: {cost(course)}; {observed(course)}. {safe(course.platform)}",
        _table(course),
        _suspected(suspects, good, bad),
        "Found with Seatrial (seatrial bisect).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(bad: Version, good: Version) -> str:
    package, version = _package(bad), _version(bad)
    if not version:
        return f"Subject: regression: {bad.name} fails what {good.name} passes"
    return (
        f"To: submit@bugs.debian.org\n"
        f"Subject: {package}: regression in {version}: what worked with {_version(good)} fails\n\n"
        f"Source: linux\nVersion: {version}\nSeverity: normal"
    )


def _range_note(course: Course, answer: Answer) -> str:
    if answer.ending is not Ending.RANGE:
        return ""
    between = ", ".join(_named(version) for version in course.versions[answer.first : answer.last])
    return f"Which of them is the first bad one is not known: {between} could not be tried."


def _table(course: Course) -> str:
    names = [_named(version) for version in course.versions]
    wide = max(len(name) for name in names)
    rows = [f"    {'':<{wide}}  passed  failed  would not boot"]
    for version, name in zip(course.versions, names, strict=True):
        outcomes = [attempt.outcome for attempt in course.of(version.name)]
        if not outcomes:
            rows.append(f"    {name:<{wide}}  not tried")
            continue
        counts = (outcomes.count(kind) for kind in (Outcome.PASS, Outcome.FAIL, Outcome.SKIP))
        passed, failed, skipped = counts
        rows.append(f"    {name:<{wide}}  {passed:>6}  {failed:>6}  {skipped:>14}".rstrip())
    return "\n".join(rows)


def _suspected(suspects: Suspects, good: Version, bad: Version) -> str:
    if suspects.lines:
        listed = "\n".join(f"    {safe(line)}" for line in suspects.lines)
        return f"Of what changed between the two, these patches come first to mind ({suspects.command}):\n\n{listed}"
    return f"What changed between {good.name} and {bad.name}: {suspects.command}" if suspects.command else ""


def _undecided(names: Sequence[str], answer: Answer) -> str:
    said = [*(f"the first bad one is {name}" for name in names), "none of them is bad"]
    said[0] = f"{names[0]} is bad already"
    if answer.first == answer.last:
        return f"{said[answer.first]} is no more than {100 * answer.confidence:.0f} % sure"
    last = said[answer.last].removeprefix("the first bad one is ")
    return f"{said[answer.first]}, or a later one up to {last}"


def _last_words(course: Course, answer: Answer) -> str:
    tried: tuple[Attempt, ...] = course.of(course.versions[answer.first].name)
    return tried[-1].because if tried else "nothing was tried"


def _named(version: Version) -> str:
    shown = _version(version) or version.says
    return safe(f"{version.name} ({shown})" if shown else version.name)


def _package(version: Version) -> str:
    return version.says.partition(" ")[0]


def _version(version: Version) -> str:
    """The package's version, of `says` that is a package and its version."""
    package, _, shown = version.says.partition(" ")
    return shown if package.startswith("linux-image-") else ""
