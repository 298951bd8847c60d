"""Events of every released version are readable for ever: kept journals, and what each of them must still tell."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from seatrial.model.event import Event
from seatrial.model.fold import fold
from seatrial.report.document import document
from seatrial.report.narrate import narrate
from seatrial.report.written import as_markdown

KEPT = Path(__file__).parent / "released"
# Made by `seatrial demo --rehearse` of that version. Files are added with a release, and never changed.
TOLD = {
    "0.1.0-good": ("blessed", {"gw-s1": "blessed", "gw-p1": "blessed", "gw-p2": "blessed"}),
    "0.1.0-gateway-2021": ("reverted", {"gw-s1": "reverted", "gw-p1": "planned", "gw-p2": "planned"}),
}


def kept(name: str) -> list[Event]:
    rows = [json.loads(line) for line in (KEPT / f"{name}.jsonl").read_text().splitlines()]
    return [Event(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in rows]


def test_every_kept_journal_is_told_of() -> None:
    assert {path.stem for path in KEPT.glob("*.jsonl")} == set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_a_journal_of_a_released_version_ends_as_it_did(name: str) -> None:
    outcome, trials = TOLD[name]
    state = fold(kept(name), rollout="r1")
    assert state.outcome == outcome
    assert {trial.host: str(trial.state) for trial in state.trials.values()} == trials
    assert not any(trial.under_way for trial in state.trials.values())


@pytest.mark.parametrize("name", TOLD)
def test_a_journal_of_a_released_version_is_told_to_people(name: str) -> None:
    events = kept(name)
    assert len(narrate(events, rollout="r1")) > 8
    assert as_markdown(document(events, rollout="r1")).startswith("# Rollout r1")


@pytest.mark.parametrize("name", TOLD)
def test_a_journal_without_the_word_that_a_trial_begins_shows_it_all_the_same(name: str) -> None:
    """Versions before 0.1.0 wrote no `trial.begun`; a rollout of theirs may be under way when Seatrial is upgraded."""
    older = [event for event in kept(name) if event.kind not in ("trial.begun", "rollout.held")]
    cut = next(place for place, event in enumerate(older) if event.data.get("to") == "armed")
    state = fold(older[: cut + 1], rollout="r1")
    assert [trial.host for trial in state.trials.values() if trial.under_way] == ["gw-s1"]
    assert fold(older, rollout="r1").outcome == TOLD[name][0]
