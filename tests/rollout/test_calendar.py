"""When trials may begin, on the clocks of other zones, over midnight, and where clocks are changed."""

from __future__ import annotations

from datetime import datetime

import pytest

from seatrial.model.pace import Pace
from seatrial.rollout.calendar import opens_at, shut_because

OFFICE = {"days": ("mon", "tue", "wed", "thu"), "begin": "09:00", "until": "16:00", "zone": "Europe/Berlin"}
NIGHT = {"days": ("fri",), "begin": "22:00", "until": "04:00", "zone": "America/New_York"}
LOST_HOUR = {"begin": "02:30", "until": "03:30", "zone": "Europe/Berlin"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "moment", "open_"),
    [
        (OFFICE, "2026-01-01T08:00+00:00", True),
        (OFFICE, "2026-01-01T07:59+00:00", False),
        (OFFICE, "2026-01-01T14:59+00:00", True),
        (OFFICE, "2026-01-01T15:00+00:00", False),
        (OFFICE, "2026-07-02T07:00+00:00", True),
        (OFFICE, "2026-01-02T10:00+00:00", False),
        (NIGHT, "2026-01-03T03:00+00:00", True),
        (NIGHT, "2026-01-03T08:59+00:00", True),
        (NIGHT, "2026-01-03T09:00+00:00", False),
        (NIGHT, "2026-01-02T05:00+00:00", False),
        (LOST_HOUR, "2026-03-29T00:59+00:00", False),
        (LOST_HOUR, "2026-03-29T01:10+00:00", True),
        (LOST_HOUR, "2026-03-29T01:30+00:00", False),
    ],
)
def test_a_window_is_open_by_the_clocks_of_its_zone(
    window: dict[str, object], moment: str, open_: bool
) -> None:
    assert (shut_because(Pace.model_validate({"windows": (window,)}), "s", at(moment)) == "") is open_


def test_a_freeze_shuts_a_window_and_says_why_and_until_when() -> None:
    freeze = {"begin": "2026-01-01", "until": "2026-01-05T12:00", "zone": "Europe/Berlin", "why": "holidays"}
    pace = Pace.model_validate({"windows": (OFFICE,), "freezes": (freeze,)})
    because = shut_because(pace, "s", at("2026-01-01T09:00+00:00"))
    assert "holidays" in because and "2026-01-05 12:00" in because
    assert opens_at(pace, "s", at("2026-01-01T09:00+00:00")) == at("2026-01-05T11:00+00:00")


def test_what_is_for_other_stages_shuts_nothing() -> None:
    freeze = {"begin": "2026-01-01", "until": "2027-01-01", "why": "audit", "stages": ("production",)}
    pace = Pace.model_validate({"windows": ({**OFFICE, "stages": ("production",)},), "freezes": (freeze,)})
    assert shut_because(pace, "staging", at("2026-01-03T03:00+00:00")) == ""
    assert shut_because(pace, "production", at("2026-01-03T03:00+00:00"))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-01-01T03:00+00:00", "2026-01-01T08:00+00:00"),
        ("2026-01-01T15:00+00:00", "2026-01-05T08:00+00:00"),
        ("2026-01-01T10:00+00:00", "2026-01-01T10:00+00:00"),
    ],
)
def test_it_is_said_when_a_window_opens_again(now: str, opens: str) -> None:
    assert opens_at(Pace.model_validate({"windows": (OFFICE,)}), "s", at(now)) == at(opens)


def test_there_may_be_no_opening_at_all() -> None:
    freeze = {"begin": "2026-01-01", "until": "2030-01-01", "why": "end of the line"}
    pace = Pace.model_validate({"windows": (OFFICE,), "freezes": (freeze,)})
    # The windows that are looked at end long before the freeze does; its end is no time of an open window.
    assert opens_at(pace, "s", at("2026-01-01T09:00+00:00")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"windows": ({"zone": "Europe/Nowhere"},)},
        {"windows": ({"zone": "../etc/passwd"},)},
        {"windows": ({"begin": "25:00"},)},
        {"windows": ({"begin": "09:00", "until": "09:00"},)},
        {"freezes": ({"begin": "2026-01-05", "until": "2026-01-01", "why": "w"},)},
        {"freezes": ({"begin": "soon", "until": "2026-01-01", "why": "w"},)},
        {"budgets": ({"per": "role"},)},
        {"budgets": ({"per": "role", "most": 1, "percent": 5},)},
        {"evidence": {"settled": "2h", "oldest": "1h"}},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Pace.model_validate(wrong)
