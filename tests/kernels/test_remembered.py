"""Which verdict on a kernel counts: trials, people, other teams, overrides, and journals of older versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from seatrial.kernels.remembered import KernelVerdict, remembered
from seatrial.model.event import Event, Kind

START = datetime(2026, 11, 1, tzinfo=UTC)
BAD = "6.1.0-56-cloud-amd64"
_SEQ = count(1)


def event(
    kind: str, day: int, data: Mapping[str, Any], *, rollout: str = "", host: str = "", by: str = ""
) -> Event:
    at = START + timedelta(days=day)
    return Event(seq=next(_SEQ), at=at, kind=kind, rollout=rollout, host=host, by=by, data=data)


def trial(day: int, to: str, cause: str = "", rollout: str = "r1", **more: Any) -> list[Event]:
    data = {"to": to, "because": f"{to} {cause}".strip(), "facts": {"cause": cause} if cause else {}, **more}
    return [
        event(Kind.ROLLOUT_STARTED, day, {"candidate": BAD, "roles": {"gw": ["gateway"]}}, rollout=rollout),
        event(Kind.TRIAL_MOVED, day, data, rollout=rollout, host="gw"),
    ]


def mark(day: int, *, good: bool = False) -> list[Event]:
    data = {"kernel": BAD, "roles": ["gateway"], "good": good, "because": "marked"}
    return [event(Kind.KERNEL_MARKED, day, data, by="ann")]


def imported(day: int, *, good: bool = False, seen: int | None = None) -> list[Event]:
    at = START + timedelta(days=day if seen is None else seen)
    row = {"kernel": BAD, "role": "gateway", "good": good, "because": "imported", "at": at.isoformat()}
    return [
        event(Kind.KERNELS_IMPORTED, day, {"signer": "net-team", "key": "k", "verdicts": [row]}, by="bob")
    ]


def override(day: int, until: int | None, roles: tuple[str, ...] = ()) -> list[Event]:
    ends = "" if until is None else (START + timedelta(days=until)).isoformat()
    data = {"kernel": BAD, "roles": list(roles), "why": "known", "until": ends}
    return [event(Kind.KERNEL_OVERRIDDEN, day, data, by="ann")]


def verdict(*some: list[Event]) -> KernelVerdict | None:
    return remembered([one for events in some for one in events]).get((BAD, "gateway"))


def refused(day: float, *some: list[Event]) -> bool:
    found = verdict(*some)
    return found is not None and found.refuses(START + timedelta(days=day))


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ([trial(1, "reverting", "failed")], True),
        ([trial(1, "reverting", "died")], True),
        ([trial(1, "reverting", "unclear")], False),
        ([trial(1, "reverting", "aborted")], False),
        ([trial(1, "blessed")], False),
        ([trial(1, "blessed"), trial(2, "reverting", "failed", "r2")], True),
        ([trial(1, "reverting", "failed"), trial(2, "blessed", "", "r2")], False),
        ([mark(1)], True),
        ([mark(1), mark(2, good=True)], False),
        ([mark(1), trial(2, "blessed")], False),
        ([imported(1)], True),
        ([imported(1, good=True)], False),
        ([trial(1, "reverting", "failed"), imported(2, good=True)], True),
        ([mark(1), imported(2, good=True)], True),
        ([trial(1, "blessed"), imported(2)], True),
        # What they saw before we blessed it does not outweigh what we saw.
        ([trial(2, "blessed"), imported(3, seen=1)], False),
        # A file cannot come from the future to stand against every blessing.
        ([imported(3, seen=9000), trial(4, "blessed")], False),
        ([imported(1), imported(2, good=True)], False),
    ],
)
def test_which_verdicts_refuse_a_kernel(some: list[list[Event]], expected: bool) -> None:
    assert refused(10, *some) is expected


@pytest.mark.parametrize(
    ("some", "day", "expected"),
    [
        ([mark(1), override(2, 5)], 3, False),
        ([mark(1), override(2, 5)], 5, True),
        ([mark(1), override(2, 5)], 6, True),
        ([mark(1), override(2, 5, ("gateway",))], 3, False),
        ([mark(1), override(2, 5, ("nfs",))], 3, True),
        ([mark(1), override(2, 9), override(3, None)], 4, True),
        ([mark(1), override(2, 3), override(3, 9)], 5, False),
        ([imported(1), override(2, 5)], 3, False),
        # A newer failure asks a person anew.
        ([mark(1), override(2, 9), trial(3, "reverting", "failed")], 4, True),
    ],
)
def test_an_override_holds_for_its_time_and_for_what_was_known(
    some: list[list[Event]], day: float, expected: bool
) -> None:
    assert refused(day, *some) is expected


def test_an_override_stays_visible_after_it_has_ended() -> None:
    found = verdict(mark(1), override(2, 3))
    assert found is not None
    assert found.override is not None
    assert (found.override.by, found.override.why) == ("ann", "known")


def test_a_verdict_says_where_it_comes_from() -> None:
    origins = [
        found.origin for some in (trial(1, "blessed"), mark(1), imported(1)) if (found := verdict(some))
    ]
    assert origins == ["rollout r1, gw", "marked by ann", "imported from net-team"]


def test_a_journal_of_an_older_version_has_verdicts_without_a_record() -> None:
    found = verdict(trial(1, "reverting", "failed"))
    assert found is not None
    assert found.record == {}
    newer = verdict(trial(1, "reverting", "failed", record={"package": "6.1.176-1"}))
    assert newer is not None
    assert newer.record["package"] == "6.1.176-1"


def test_an_event_of_a_trial_whose_beginning_is_not_there_is_passed_over() -> None:
    assert verdict(trial(1, "reverting", "failed")[1:]) is None
