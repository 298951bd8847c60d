"""A rollout beside a real Alertmanager: each host's alerts are silenced while it is on trial, and not a moment of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.model.event import Kind
from seatrial.report.narrate import narrate

from .held import Held
from .monitored import Alertmanager, eventually

PAGES = ["instance=~$host(:[0-9]+)?", "alertname=HostDown"]


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path_factory.mktemp("alertmanager")).up() as made:
        yield made


def declared(alertmanager: Alertmanager) -> dict[str, dict[str, object]]:
    return {"pages": {"kind": "alertmanager", "url": alertmanager.url, "matchers": PAGES, "timeout": "60s"}}


@pytest.mark.parametrize(("scenario", "outcome"), [("good", "blessed"), ("gateway-2021", "reverted")])
async def test_a_silence_is_there_for_the_span_of_each_trial_and_goes_away(
    tmp_path: Path, alertmanager: Alertmanager, scenario: str, outcome: str
) -> None:
    held = Held(tmp_path, {}, silences=declared(alertmanager), scenario=scenario)
    seen: set[str] = set()
    before = {one["id"] for one in alertmanager.asks("silences")}

    def watch() -> None:
        def ended() -> bool:
            live = alertmanager.silences()
            assert len(live) <= 1, "one host is on trial at a time"
            seen.update(one["comment"] for one in live)
            return bool(held.state().ended)

        eventually(ended, "the rollout to end")

    state = await held.run(watch)
    assert state.outcome == outcome
    assert alertmanager.silences() == []
    tried = [host for host, trial in state.trials.items() if trial.begun]
    ours = [one for one in alertmanager.asks("silences") if one["id"] not in before]
    assert {one["comment"] for one in ours} == {f"seatrial: r1.{host} is on trial" for host in tried}
    assert seen, "at least one was seen while it was there"
    for host in tried:
        acts = [
            (event.kind, event.data.get("act") or event.data.get("to"))
            for event in held.journal.read(
                "r1", kinds=(Kind.TRIAL_INTENT, Kind.TRIAL_ACTED, Kind.TRIAL_MOVED)
            )
            if event.host == host
        ]
        said = [what for _, what in acts]
        # In the journal before it is done and after it; before the host is touched, and the last thing before its end.
        begun = acts.index((Kind.TRIAL_INTENT, "silence"))
        assert acts[begun + 1] == (Kind.TRIAL_ACTED, "silence")
        assert begun < min(said.index(what) for what in ("arm", "drained"))
        assert acts[-3:-1] == [(Kind.TRIAL_INTENT, "unsilence"), (Kind.TRIAL_ACTED, "unsilence")]
        assert said[-1] in ("blessed", "reverted")
    told = [line.text for line in narrate(held.journal.read("r1"), rollout="r1") if line.step == "alerts"]
    assert told[:2] == [
        "its alerts are silenced while it is on trial",
        "its alerts are not silenced any more",
    ]


async def test_a_host_whose_alerts_cannot_be_silenced_is_left_as_it_is(tmp_path: Path) -> None:
    away = Alertmanager(tmp_path / "alertmanager")
    held = Held(tmp_path, {}, silences=declared(away))
    state = await held.run(lambda: eventually(lambda: held.state().ended, "the end"))
    assert state.outcome == "undone"
    assert "could not be silenced: pages: " in state.because and "Connection refused" in state.because
    assert [event for event in held.events(Kind.TRIAL_INTENT) if event.data["act"] == "reboot"] == []
