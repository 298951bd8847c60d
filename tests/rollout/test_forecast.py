"""How long a plan takes and why a host's turn comes when it does: the same rules, run ahead on paper, with a fixed seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatrial.cli.ahead import duration_document, duration_lines, explained_document, explained_lines
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.rollout.forecast import Forecast, forecast
from seatrial.rollout.holding import what_holds
from seatrial.rollout.lengths import FEW, Lengths, Past, past_of

from .fleets import small

# A Monday.
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
STAGES = {"staging": 1, "production": 5}


def past(seconds: float, *, role: str = "cache", soak: float = 0.0) -> Past:
    phases = {"preparation": seconds, "reboot": seconds, "flows": seconds, "soak": soak}
    return Past(roles=frozenset({role}), seconds=phases)


def ahead(fleet: Fleet, *trials: Past, **more: Any) -> Forecast:
    lengths = Lengths(fleet=fleet, past=trials or (past(20.0),))
    return forecast(fleet, lengths, hosts=tuple(fleet.hosts), begin=NOW, **more)


def test_one_host_after_the_other_takes_as_long_as_all_together() -> None:
    found = ahead(small(stages=STAGES))
    assert found.ends is not None and found.ends.low == found.ends.median == found.ends.high == 6 * 60.0
    assert found.basis == "phases as long as those of 1 trial in this journal that ended blessed"


@pytest.mark.parametrize(
    ("pace", "minutes"),
    [
        ({"canaries": 0, "at_once": 5}, 2),
        ({"canaries": 1, "at_once": 5}, 3),
        ({"canaries": 1, "waves": (2, 9), "at_once": 5}, 4),
        ({"canaries": 0, "at_once": 5, "budgets": ({"per": "rack", "most": 1},)}, 3),
        ({"canaries": 0, "at_once": 5, "evidence": {"settled": 3600.0}}, 62),
    ],
)
def test_waves_budgets_and_evidence_are_counted_in(pace: dict[str, Any], minutes: float) -> None:
    found = ahead(small(stages=STAGES, **pace))
    assert found.ends is not None and found.ends.median == minutes * 60.0


def test_windows_and_freezes_are_counted_in() -> None:
    windows = ({"days": ("mon", "tue"), "from": "09:00", "until": "09:02"},)
    freezes = ({"from": "2026-01-06", "until": "2026-01-07", "why": "holidays"},)
    # Two of six each time: today, the Monday after, since Tuesday is frozen, and the day behind that.
    found = ahead(small(stages=STAGES, windows=windows, freezes=freezes))
    assert found.ends is not None
    days, rest = divmod(found.ends.median, 86400.0)
    assert (days, rest) == (8, 3600.0 + 120.0)


def test_the_spread_is_that_of_the_past_and_the_same_each_time() -> None:
    trials = [past(seconds) for seconds in (10.0, 20.0, 90.0)]
    found = ahead(small(stages={"production": 4}), *trials)
    again = ahead(small(stages={"production": 4}), *trials)
    assert found == again
    assert found.ends is not None and found.ends.low < found.ends.median < found.ends.high
    assert found.ends.low >= 4 * 30.0 and found.ends.high <= 4 * 270.0
    assert found.runs == 100


def test_without_a_past_the_limits_of_the_file_say_how_long_and_it_is_told() -> None:
    fleet = small(stages=STAGES)
    found = forecast(fleet, Lengths(fleet=fleet), hosts=tuple(fleet.hosts), begin=NOW)
    assert "no trial has ended blessed in this journal yet" in found.basis
    policy = fleet.policy_of("staging-1")
    assert found.ends is not None
    assert found.ends.high <= 6 * (120.0 + policy.reboot + policy.guard)
    assert "the limit" in duration_lines(found, NOW)[1] or "of its limit" in duration_lines(found, NOW)[1]


def test_the_soak_lasts_as_long_as_the_policy_wants_whatever_the_past_was() -> None:
    fleet = small(stages={"production": 1})
    longer = fleet.policy_of("production-1").model_copy(update={"soak": 7200.0})
    fleet = fleet.model_copy(update={"policies": {"default": longer}})
    lengths = Lengths(fleet=fleet, past=(past(20.0, soak=30.0),))
    assert lengths.usual("production-1") == 60.0 + 7200.0
    assert lengths.drawn("production-1", random.Random(1)) == 60.0 + 7200.0


def test_trials_of_the_same_role_count_where_there_are_a_few_and_all_where_not() -> None:
    fleet = small(stages={"production": 1})
    others = (past(1000.0, role="gateway"),) * 5
    few = Lengths(fleet=fleet, past=(*others, past(20.0)))
    assert few.usual("production-1") == 3000.0
    enough = Lengths(fleet=fleet, past=(*others, *(past(20.0),) * FEW))
    assert enough.usual("production-1") == 60.0


def events(*, ends: str = "blessed", backwards: bool = False) -> list[Event]:
    at = NOW
    found: list[Event] = []

    def note(kind: Kind, seconds: float, host: str = "h", **data: Any) -> None:
        nonlocal at
        at += timedelta(seconds=seconds)
        found.append(Event(seq=len(found) + 1, at=at, kind=kind, rollout="r1", host=host, data=data))

    note(Kind.ROLLOUT_STARTED, 0, host="", roles={"h": ["cache"]}, hosts=["h"])
    note(Kind.TRIAL_BEGUN, 500, wave="canary")
    for to, seconds in (("preflight", 5), ("drained", 5), ("armed", 1), ("rebooting", 1)):
        note(Kind.TRIAL_MOVED, seconds, to=to)
    note(Kind.TRIAL_MOVED, -300 if backwards else 42, to="on-trial")
    if ends == "blessed":
        for to, seconds in (("exercised", 7), ("soaking", 0), ("blessed", 60)):
            note(Kind.TRIAL_MOVED, seconds, to=to)
    else:
        note(Kind.TRIAL_MOVED, 7, to="reverting")
        note(Kind.TRIAL_MOVED, 90, to=ends)
    return found


def test_the_phases_of_a_blessed_trial_are_read_from_its_events() -> None:
    (one,) = past_of(events())
    assert one.roles == {"cache"}
    assert one.seconds == {"preparation": 11.0, "reboot": 43.0, "flows": 7.0, "soak": 60.0}
    assert past_of(events(ends="reverted")) == ()
    assert past_of(events(backwards=True)) == (), "a clock that was set back says nothing"


# --- why there and then ---

PAIR = {"pair": ("production-1", "production-2")}
FULL: dict[str, Any] = {
    "canaries": 1,
    "waves": (2,),
    "at_once": 2,
    "budgets": ({"per": "rack", "most": 1},),
    "windows": ({"from": "09:00", "until": "16:00", "stages": ("production",)},),
    "freezes": ({"from": "2026-12-20", "until": "2027-01-04", "why": "holidays"},),
    "evidence": {"settled": 1800.0},
    "blockers": {"paging": {"kind": "alerts", "from": "staging-1", "url": "http://a", "matchers": ("severity=page",)}},
}  # fmt: skip


def full() -> Fleet:
    return small(stages=STAGES, groups=PAIR, approval=("production",), **FULL)


def test_a_turn_says_its_wave_who_comes_before_and_what_was_waited_for() -> None:
    found = ahead(full(), carriers={"pair": frozenset({"production-1"})}, explain="production-1")
    turn = found.turn
    assert turn is not None
    assert turn.wave == "wave 1"
    # The one that carries the traffic goes after its peer.
    assert turn.before[:2] == ("staging-1", "production-2")
    told = [one.because for one in turn.stood]
    assert told[0].startswith("stage staging comes first")
    assert any("gate of production: the newest host of staging was blessed" in one for one in told)
    assert any(one.startswith("outside of its windows") for one in told)
    assert any("canary is under way" in one for one in told)
    assert turn.stood[0].begin == 0.0
    assert all(one.until > one.begin for one in turn.stood)
    assert turn.stood[-1].until == turn.begins.median == 3600.0 + 60.0


def test_hosts_of_one_wave_are_beside_each_other() -> None:
    found = ahead(small(stages={"production": 4}, canaries=0, at_once=3), explain="production-1")
    assert found.turn is not None
    assert found.turn.beside == ("production-2", "production-3") and found.turn.before == ()
    assert found.turn.stood == ()


def test_all_that_could_hold_it_is_listed() -> None:
    told = "\n".join(what_holds(full(), "production-1", NOW))
    for part in (
        "stage production wants a person's approval",
        "all trials of staging must have ended, the newest for 30 m",
        "never while production-2 is on trial, silent, or waits for a person",
        "at most 1 of 2 hosts of rack production-r1 away, whatever for",
        "within every day 09:00 to 16:00 UTC",
        "not from 2026-12-20 to 2027-01-04 UTC: holidays",
        "while paging passes (blockers)",
        "never after 1 trial ended other than blessed",
        "now: outside of its windows",
    ):
        assert part in told, told


def test_a_plan_that_would_never_end_says_what_it_would_wait_for() -> None:
    found = ahead(small(stages=STAGES, evidence={"blessed": 7}), explain="production-1")
    assert found.ends is None and found.turn is None
    assert "staging has 1 blessed hosts, and 7 are wanted" in found.never
    assert "it would not end" in duration_lines(found, NOW)[0]
    assert "its turn never comes" in "\n".join(explained_lines(found, full(), "production-1", NOW))


def test_as_json_it_says_the_same() -> None:
    fleet = full()
    found = ahead(fleet, carriers={"pair": frozenset({"production-1"})}, explain="production-1")
    length = duration_document(found)
    assert set(length["seconds"]) == {"p10", "median", "p90"} and length["runs"] == found.runs
    told = explained_document(found, fleet, "production-1", NOW)
    assert (told["host"], told["stage"], told["wave"]) == ("production-1", "production", "wave 1")
    assert told["peers"] == ["production-2"] and told["waits"][0]["from_seconds"] == 0.0
    assert told["would_hold"]
    lines = explained_lines(found, fleet, "production-1", NOW)
    assert lines[1].startswith("production-1   stage production, wave 1: begins after 1 h 01 m")


def test_a_host_that_is_down_keeps_its_peer_back_and_it_is_told() -> None:
    found = ahead(
        full(), carriers={"pair": frozenset({"production-1"})}, down=("production-1",), explain="production-2"
    )
    assert found.turn is None
    assert found.never
