"""What is worth telling somebody, in which words: the sentence of the time line, and a line of an admin log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from seatrial.model.event import Event, Kind
from seatrial.report.announced import Announcer, Notice

NOW = datetime(2026, 11, 24, 17, 2, tzinfo=UTC)
STARTED = {"candidate": "6.1.0-56", "hosts": ["gw-s1", "gw-p1"], "roles": {}, "ticket": "T42"}


def told(*events: tuple[Kind, str, str, Mapping[str, Any]]) -> list[Notice]:
    announcer = Announcer("r1")
    first = (Kind.ROLLOUT_STARTED, "", "alice", STARTED)
    made = [
        Event(seq=number, at=NOW, kind=str(kind), rollout="r1", host=host, by=by, data=data)
        for number, (kind, host, by, data) in enumerate((first, *events), start=1)
    ]
    return [notice for event in made if (notice := announcer.feed(event))]


def moves(host: str, *states: str, because: str = "") -> list[tuple[Kind, str, str, Mapping[str, Any]]]:
    return [(Kind.TRIAL_MOVED, host, "seatrial", {"to": to, "because": because}) for to in states]


WAY = ("preflight", "drained", "armed", "rebooting", "on-trial")


def test_a_host_on_trial_is_a_line_of_the_admin_log_with_who_began_it_and_the_ticket() -> None:
    notice = told(*moves("gw-s1", *WAY))[-1]
    assert notice.sal == "!log alice: kernel 6.1.0-56 on trial on gw-s1 (r1) T42"
    assert (notice.about, notice.host, notice.id) == ("on-trial", "gw-s1", "r1/6")


def test_of_a_wish_it_is_the_person_who_decided_and_their_ticket_is_the_one_from_then_on() -> None:
    approved = (Kind.STAGE_APPROVED, "", "bob", {"stage": "production", "why": "looks good", "ticket": "T43"})
    notices = told(approved, *moves("gw-p1", *WAY))
    assert notices[1].sal == "!log bob: approved stage production for kernel 6.1.0-56: looks good (r1) T43"
    assert notices[1].text == 'r1: production: approved by bob (T43), "looks good"'
    assert notices[-1].sal == "!log alice: kernel 6.1.0-56 on trial on gw-p1 (r1) T43"


def test_an_approval_that_is_wanted_is_told_apart_from_all_else_that_is_waited_for() -> None:
    wanted = {"because": "stage production wants a person's approval", "hint": "seatrial rollout approve r1", "approves": "production"}  # fmt: skip
    frozen = {"because": "freeze: holidays", "hint": "", "approves": ""}
    on = {"because": "", "hint": "", "approves": ""}
    notices = told(*((Kind.ROLLOUT_HELD, "", "seatrial", data) for data in (wanted, on, frozen)))[1:]
    assert [notice.about for notice in notices] == ["approval", "held"]
    assert notices[0].text == (
        "r1: waits: stage production wants a person's approval; hint: seatrial rollout approve r1"
    )
    assert notices[0].mood == "warning"


def test_what_went_wrong_is_said_with_its_reason_and_what_to_do() -> None:
    stuck = (Kind.TRIAL_MOVED, "gw-s1", "seatrial", {"to": "stuck", "because": "it is silent", "hint": "go there"})  # fmt: skip
    ended = (Kind.ROLLOUT_ENDED, "", "seatrial", {"outcome": "stuck", "because": "gw-s1: it is silent"})
    notices = told(*moves("gw-s1", *WAY[:4]), stuck, ended)
    assert [notice.about for notice in notices] == ["started", "stuck", "ended"]
    assert notices[1].text == "r1 gw-s1: stuck: it is silent; hint: go there"
    assert {notice.mood for notice in notices[1:]} == {"failure"}
    assert notices[2].sal == (
        "!log alice: rollout of kernel 6.1.0-56 ended, stuck: gw-s1: it is silent (r1) T42"
    )


def test_hostile_text_stays_one_line_without_control_characters_and_an_end() -> None:
    hostile = "\x1b[2J\r\n!log mallory: all is well\u202e" + "x" * 5000
    (_, notice) = told(*moves("gw-s1", "refused", because=hostile))
    for line in (notice.text, notice.sal):
        assert line.isprintable() and len(line) <= 380
    assert notice.sal.startswith("!log alice: kernel 6.1.0-56 refused on gw-s1: ")


def test_most_of_what_happens_is_no_news() -> None:
    quiet: list[tuple[Kind, str, str, Mapping[str, Any]]] = [
        (Kind.CONTROLLER_TOOK, "", "seatrial", {"pid": 1, "machine": "m"}),
        (Kind.TRIAL_BEGUN, "gw-s1", "seatrial", {"wave": "canary"}),
        (Kind.TRIAL_INTENT, "gw-s1", "seatrial", {"act": "arm"}),
        (Kind.NOTICE_FAILED, "", "seatrial", {"to": "ops", "of": 1, "because": "it hangs"}),
        (Kind.NOTE, "", "alice", {"text": "lunch"}),
    ]
    assert [notice.about for notice in told(*quiet)] == ["started"]
