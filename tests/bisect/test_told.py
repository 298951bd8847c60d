"""A search told to people: each ending in its words, and the report for the tracker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatrial.bisect.course import Course, advance, ended_data, fold
from seatrial.bisect.search import Answer, Ending, Rules
from seatrial.bisect.told import Suspects, observed, sentence, tell, tracker_report
from seatrial.model.event import Event, Kind
from seatrial.model.result import Outcome

BEGAN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VERSIONS = [
    {"name": f"6.1.0-{abi}-cloud-amd64", "says": f"linux-image-6.1.0-{abi}-cloud-amd64 6.1.{patch}-1"}
    for abi, patch in ((50, 176), (51, 177), (52, 180), (53, 187))
]


def event(seq: int, kind: Kind, data: dict[str, Any]) -> Event:
    return Event(
        seq=seq, at=BEGAN + timedelta(minutes=seq), kind=str(kind), rollout="b1", by="you", data=data
    )


def events(*tried: tuple[int, Outcome, str]) -> list[Event]:
    """A search of four versions with these attempts: place, outcome, because."""
    told = [
        event(
            1,
            Kind.BISECT_STARTED,
            {
                "versions": VERSIONS,
                "rules": {"confidence": 0.99, "flaky": 0.3, "most_boots": 50},
                "asked": "seatrial check of a-to-b",
                "ground": {},
                "why": "it stopped working",
            },
        )
    ]
    for place, outcome, because in tried:
        name = VERSIONS[place]["name"]
        told.append(event(len(told) + 1, Kind.BISECT_TRYING, {"version": name, "number": 1}))
        told.append(
            event(
                len(told) + 1,
                Kind.BISECT_TRIED,
                {"version": name, "outcome": str(outcome), "because": because, "seconds": 20.0},
            )
        )
    return told


def ended(answer: Answer, *tried: tuple[int, Outcome, str]) -> Course:
    course = fold(events(*tried), bisect="b1")
    data = ended_data(course, answer, platform="It ran on paper.")
    return advance(course, event(99, Kind.BISECT_ENDED, data))


def answer(ending: Ending, first: int, last: int) -> Answer:
    return Answer(
        ending=ending,
        first=first,
        last=last,
        last_good=first - 1 if first else None,
        confidence=0.994,
        wrong_fails=0.02,
        wrong_passes=0.03,
    )


TRIED = (
    (3, Outcome.FAIL, "a-to-b: went out, arrived, answer lost"),
    (0, Outcome.PASS, "1 pass"),
    (1, Outcome.PASS, "1 pass"),
    (2, Outcome.FAIL, "a-to-b: went out, answer \x1b[31mlost"),
)


@pytest.mark.parametrize(
    ("ending", "first", "last", "says"),
    [
        (Ending.FOUND, 2, 2, "first bad: 6.1.0-52-cloud-amd64 (6.1.180-1), last good: 6.1.0-51-cloud-amd64 (6.1.177-1)"),
        (Ending.RANGE, 1, 2, "first bad: one of 6.1.0-51-cloud-amd64 (6.1.177-1), 6.1.0-52-cloud-amd64 (6.1.180-1); last good: 6.1.0-50-cloud-amd64 (6.1.176-1). What lies between could not be tried: 6.1.0-51-cloud-amd64 (6.1.177-1)"),
        (Ending.GOOD_FAILS, 0, 0, "6.1.0-50-cloud-amd64 (6.1.176-1) fails as well: the fault is older, or the test fails on any kernel"),
        (Ending.BAD_PASSES, 4, 4, "6.1.0-53-cloud-amd64 (6.1.187-1) passes: the fault does not show here, or the test does not see it"),
        (Ending.UNDECIDED, 2, 4, "not decided after 4 boots: the first bad one is 6.1.0-52-cloud-amd64 (6.1.180-1), or a later one up to none of them is bad"),
        (Ending.UNTRIED, 3, 3, "6.1.0-53-cloud-amd64 (6.1.187-1) could not be tried, and without it there is no search: a-to-b: went out, arrived, answer lost"),
    ],
    ids=lambda value: str(value) if isinstance(value, Ending) else "",
)  # fmt: skip
def test_each_ending_has_its_words(ending: Ending, first: int, last: int, says: str) -> None:
    course = ended(answer(ending, first, last), *TRIED)
    assert course.answer is not None
    assert (course.answer.ending, course.answer.first, course.answer.last) == (ending, first, last)
    assert sentence(course) == says


def test_each_boot_is_a_line_with_its_mark_and_its_seconds() -> None:
    course, lines = Course(id="b1"), []
    for one in events(*TRIED):
        course = advance(course, one)
        lines += tell(one, course)
    assert [(line.step, line.mark) for line in lines] == [
        ("bisect b1", ""), ("test", ""), ("boot 1", "FAIL"), ("boot 2", "ok"), ("boot 3", "ok"), ("boot 4", "FAIL"),
    ]  # fmt: skip
    assert lines[2].text == "6.1.0-53-cloud-amd64   a-to-b: went out, arrived, answer lost"
    assert lines[2].seconds == 20.0
    assert course.rules == Rules(most_boots=50)


def test_what_is_made_ready_is_what_may_still_be_tried() -> None:
    names = [version["name"] for version in VERSIONS]
    assert list(fold(events(), bisect="b1").likely()) == names
    # The second one is good and the third one bad: the last one and the first one are not wanted any more.
    more = (*TRIED, *TRIED[2:], *TRIED[2:], *TRIED[2:])
    assert list(fold(events(*more), bisect="b1").likely()) == names[1:3]


def test_what_contradicts_the_answer_is_counted() -> None:
    found = answer(Ending.FOUND, 2, 2)
    assert observed(ended(found, *TRIED)) == "no boot contradicts it"
    flaky = ended(
        found, *TRIED, (2, Outcome.PASS, "1 pass"), (2, Outcome.FAIL, "no"), (1, Outcome.FAIL, "no")
    )
    assert observed(flaky) == (
        "1 of 3 boots of good ones failed, 1 of 4 of bad ones passed: the test is not steady"
    )


def test_the_report_is_a_mail_that_the_tracker_takes() -> None:
    text = tracker_report(
        ended(answer(Ending.FOUND, 2, 2), *TRIED),
        Suspects(command="seatrial suspects A B", lines=("netfilter: reset ct",)),
    )
    head, _, body = text.partition("\n\n")
    assert head == (
        "To: submit@bugs.debian.org\n"
        "Subject: linux-image-6.1.0-52-cloud-amd64: regression in 6.1.180-1: what worked with 6.1.177-1 fails"
    )
    assert body.startswith("Source: linux\nVersion: 6.1.180-1\nSeverity: normal\n\n")
    assert "    seatrial check of a-to-b\n" in body
    assert (
        "99.4 % sure, 4 boots of 4 of 4 kernels, 1 m 20 s; no boot contradicts it. It ran on paper." in body
    )
    assert "    6.1.0-52-cloud-amd64 (6.1.180-1)       0       1               0\n" in body
    assert "    netfilter: reset ct\n" in body
    assert "\x1b" not in text, "what a host said moves nobody's cursor"


def test_a_range_is_reported_as_one_and_nothing_else_is_reported() -> None:
    text = tracker_report(ended(answer(Ending.RANGE, 1, 2), *TRIED), Suspects())
    assert "is not known: 6.1.0-51-cloud-amd64 (6.1.177-1) could not be tried" in text
    with pytest.raises(ValueError, match="nothing to report"):
        tracker_report(ended(answer(Ending.GOOD_FAILS, 0, 0), *TRIED), Suspects())
