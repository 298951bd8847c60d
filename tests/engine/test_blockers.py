"""Blockers that are real: a real Prometheus finds something, its real Alertmanager tells, and the rollout waits until it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.engine import incidents
from seatrial.model.event import Kind
from seatrial.report.narrate import narrate

from .held import Held
from .monitored import Alertmanager, Exporter, eventually, exporter, prometheus


@pytest.fixture(scope="module")
def lossy() -> Iterator[Exporter]:
    with exporter() as server:
        yield server


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with Alertmanager(tmp_path_factory.mktemp("alertmanager")).up() as made:
        yield made


@pytest.fixture(scope="module")
def port(
    tmp_path_factory: pytest.TempPathFactory, alertmanager: Alertmanager, lossy: Exporter
) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, alertmanager=alertmanager.port, scraped=lossy.server_port) as port:
        eventually(lambda: "Watchdog" in alertmanager.firing(), "the first alert")
        yield port


async def test_a_firing_alert_of_a_real_prometheus_blocks_and_when_it_ends_the_rollout_goes_on(
    tmp_path: Path, alertmanager: Alertmanager, port: int, lossy: Exporter
) -> None:
    lossy.loss = 0.5
    await asyncio.to_thread(eventually, lambda: "Loss" in alertmanager.firing(), "the alert")
    paging = {"kind": "alerts", "url": alertmanager.url, "matchers": ["severity=page"]}
    query = {"kind": "prometheus", "url": f"http://127.0.0.1:{port}", "query": "loss_ratio", "most": 0.1}
    held = Held(tmp_path, {"paging": {**paging, "watchdog": ["alertname=Watchdog"]}, "loss": query})

    def mend() -> None:
        held.waits_for("paging", "loss")
        assert held.events(Kind.TRIAL_BEGUN) == []
        lossy.loss = 0.0
        eventually(lambda: held.events(Kind.TRIAL_BEGUN), "a trial to begin")

    state = await held.run(mend)
    assert state.outcome == "blessed"
    first, *rest = held.events(Kind.ROLLOUT_HELD)
    assert first.data["blockers"] == {"paging": "fail", "loss": "fail"}
    assert "blocker paging: 1 alert fires: Loss on " in first.data["because"]
    assert "packets are lost" in first.data["because"]
    assert "blocker loss: loss_ratio: 1 of 1 series is above 0.1" in first.data["because"]
    assert "rollout force r1 --host HOST" in first.data["hint"]
    # One of them may go before the other does; that it went on is the last word.
    assert rest[-1].data["because"] == "" and len(rest) <= 2
    assert state.held == "" and state.blockers == {}
    told = [line for line in narrate(held.journal.read("r1"), rollout="r1") if line.step == "waits"]
    assert told[0].text == first.data["because"] and told[-1].text == "goes on"


async def test_a_blocker_that_cannot_be_read_opens_nothing_until_it_can(tmp_path: Path) -> None:
    away = Alertmanager(tmp_path / "alertmanager")
    held = Held(tmp_path, {"paging": {"kind": "alerts", "url": away.url, "matchers": ["severity=page"]}})

    def start_it() -> None:
        held.waits_for("paging")
        assert held.state().blockers == {"paging": "unknown"}
        assert "it is not known" in held.state().held and "Connection refused" in held.state().held
        assert held.events(Kind.TRIAL_BEGUN) == []
        with away.up():
            eventually(lambda: held.state().ended, "the rollout to end")

    assert (await held.run(start_it)).outcome == "blessed"


async def test_a_lock_file_a_command_and_an_incident_hold_until_a_person_takes_them_away(
    tmp_path: Path,
) -> None:
    lock, open_one = tmp_path / "stop", tmp_path / "incident"
    lock.write_text("kim moves the storage\n")
    open_one.write_text("")
    held = Held(
        tmp_path,
        {
            "lock": {"kind": "absent", "path": str(lock)},
            "incidents": {"kind": "command", "argv": ["test", "!", "-e", str(open_one)]},
        },
    )
    name = incidents.open_incident(held.journal, by="kim", why="the line is slow", ticket="T1")

    def take_away() -> None:
        eventually(lambda: "incident i1 is open" in held.state().held, "the incident to hold")
        incidents.close_incident(held.journal, name, by="kim")
        held.waits_for("lock", "incidents")
        assert "kim moves the storage" in held.state().held
        lock.unlink()
        held.waits_for("incidents")
        open_one.unlink()
        eventually(lambda: held.events(Kind.TRIAL_BEGUN), "a trial to begin")

    assert (await held.run(take_away)).outcome == "blessed"
