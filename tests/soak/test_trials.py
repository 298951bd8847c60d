"""The soak of a trial as a picture while it is measured: what is drawn before there is a verdict, and what does not count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from seatrial.fleetfile import parse
from seatrial.model.event import Event, Kind
from seatrial.model.fold import fold
from seatrial.model.measure import Measure
from seatrial.picture.sheet import described, laid_out
from seatrial.picture.values import Picture
from seatrial.soak.stretches import verdict
from seatrial.soak.trials import pictured
from tests.engine.rehearsed import MEASURED_TEXT

HOST, BEGAN, STRETCH = "gw-s1", 1_767_225_600.0, 15.0
FLEET = parse(MEASURED_TEXT, filename="rehearsal")


def measure() -> Measure:
    found = FLEET.policy_of(HOST).measure
    assert found is not None
    return found


def stretch(number: int, arm: str, *, loaded: float = STRETCH, lost: float = 0.0) -> dict[str, Any]:
    at = BEGAN + 20 * number
    rows = [[at + second, 2.0 + 0.1 * (second % 3)] for second in range(15)]
    return {
        "arm": arm,
        "place": HOST,
        "at": at,
        "boot_id": "b-candidate" if arm == "candidate" else "b-good",
        "kernel": arm,
        "seconds": STRETCH,
        "loaded": loaded,
        "series": {"disk.vda.latency": rows, "load.1": rows, "flow.a": [[at, lost, 8.0]]},
        "missing": [],
    }


def told(stretches: Sequence[dict[str, Any]], *, judged: bool = False) -> list[Event]:
    """The Events of a rollout that has measured so much, with the verdict of all of it if it was judged."""
    first = {"candidate": "candidate", "hosts": [HOST], "roles": {HOST: ["gateway"]}, "fleet": MEASURED_TEXT}
    way = ("preflight", "drained", "armed", "rebooting", "on-trial")
    moved = [{"to": to, "because": "", "facts": {"trial_boot_id": "b-candidate"}} for to in way]
    rows: list[tuple[Kind, str, dict[str, Any]]] = [(Kind.ROLLOUT_STARTED, "", first)]
    rows += [(Kind.SAMPLES, HOST, one) for one in stretches]
    if any(one["arm"] == "candidate" for one in stretches):
        rows += [(Kind.TRIAL_MOVED, HOST, one) for one in moved]
    if judged:
        rows.append((Kind.VERDICT, HOST, {**verdict(stretches, measure()), "boot_id": "b-candidate"}))
    at = datetime.fromtimestamp(BEGAN, UTC)
    return [
        Event(seq=seq, at=at, kind=kind, rollout="r1", host=host, data=data)
        for seq, (kind, host, data) in enumerate(rows, 1)
    ]


def picture_of(events: Sequence[Event], *, most: int = 4) -> Picture | None:
    return pictured(events, fold(events, rollout="r1").trials[HOST], measure(), most=most)


def curves(picture: Picture | None) -> dict[str, tuple[int, int]]:
    assert picture is not None
    # It can be drawn and be told, whatever it lacks.
    assert laid_out(picture).height > 0 and described(picture)
    return {one.name: (len(one.good.t), len(one.candidate.t)) for one in picture.panels}


GOOD = [stretch(number, "good") for number in range(3)]
SETTLING = stretch(3, "candidate", loaded=0.0)
COUNTED = stretch(4, "candidate")


def test_nothing_is_drawn_before_anything_was_measured() -> None:
    assert picture_of(told([])) is None


def test_good_is_drawn_from_its_first_stretch_on_and_nothing_that_is_only_zeros() -> None:
    one, three = picture_of(told(GOOD[:1])), picture_of(told(GOOD))
    assert curves(one) == {"load.1": (15, 0), "disk.vda.latency": (15, 0)}
    assert curves(three) == {"load.1": (45, 0), "disk.vda.latency": (45, 0)}
    assert three is not None and all(panel.outcome == "" for panel in three.panels)
    losing = picture_of(told([stretch(0, "good", lost=2.0)]))
    assert list(curves(losing)) == ["disk.vda.latency", "load.1", "flow.a"]


def test_a_panel_that_has_no_room_is_told_of() -> None:
    picture = picture_of(told(GOOD), most=1)
    assert picture is not None and len(picture.panels) == 1
    assert picture.left_out == "1 more series are measured and not shown."


@pytest.mark.parametrize("judged", [False, True])
def test_a_candidate_that_settles_is_drawn_and_it_says_that_it_does_not_count(judged: bool) -> None:
    picture = picture_of(told([*GOOD, SETTLING], judged=judged))
    assert curves(picture)["disk.vda.latency"] == (45, 15)
    assert picture is not None
    assert picture.left_out.startswith("Nothing of candidate counts yet")
    if judged:
        assert picture.panels[0].because == "no sample of candidate counts yet"


def test_what_settled_is_left_out_as_soon_as_something_counts() -> None:
    picture = picture_of(told([*GOOD, SETTLING, COUNTED], judged=True))
    assert curves(picture)["disk.vda.latency"] == (45, 15)
    assert picture is not None
    assert "1 of 5 stretches do not count" in picture.left_out
    (first, *_) = picture.panels
    assert first.candidate.t[0] == COUNTED["at"]


def test_a_good_kernel_without_enough_load_is_drawn_all_the_same() -> None:
    picture = picture_of(told([stretch(0, "good", loaded=0.0)]))
    assert curves(picture)["load.1"] == (15, 0)
    assert picture is not None and picture.left_out.startswith("Nothing of good counts yet")
