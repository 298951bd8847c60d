"""Telling beside a rollout: each notice once, whoever dies or is silent, and no rollout is red or slow for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.engine import controller
from seatrial.engine.rehearsal import CANDIDATE, open_simulation, rehearsal_world
from seatrial.engine.telling import Limits, Teller, tell_rest, telling
from seatrial.fleetfile import parse
from seatrial.journal.leases import Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.fleet import Fleet
from seatrial.model.fold import fold
from tests.checklist.told import ended
from tests.engine.many import Many, controller_ended
from tests.engine.rehearsed import TEXT

from .receivers import came, hook, irc_server, until

ALL = "[started, approval, gate, held, wish, on-trial, blessed, reverting, reverted, refused, undone, stuck, ended]"
# What may take long is given long: a slow machine makes these tests slow, not red.
QUICK = Limits(poll=0.05, pauses=(0.05, 0.05), one=600.0, farewell=600.0)


def fleet_text(folder: Path, *names: str, about: str = ALL, form: str = "text") -> str:
    lines = [
        f"  {name}: {{through: webhook, url_file: {folder}/{name}, about: {about}, form: {form}}}"
        for name in names
    ]
    return TEXT + "\nnotify:\n" + "\n".join(lines) + "\n"


def rolled_out(folder: Path, text: str, scenario: str, *, ticket: str = "") -> Journal:
    """A rehearsed rollout, with its controller in this process."""
    declared = parse(text, filename="rehearsal")
    simulation = open_simulation(folder / "simulation.json", declared, scenario)
    store = Journal(f"sqlite:///{folder / 'journal.db'}")
    store.set_clock(simulation)
    hosts = tuple(declared.hosts)
    controller.start(
        store,
        declared,
        fleet_text=text,
        candidate=CANDIDATE,
        hosts=hosts,
        by="alice",
        why="security update",
        ticket=ticket,
    )
    asyncio.run(controller.run(store, rehearsal_world(declared, simulation), "r1"))
    # On a very slow machine the controller's last minute may be over before all is told.
    asyncio.run(tell_rest(store, "r1", declared, QUICK))
    return store


def on_time(text: str) -> str:
    """Without the time that stands behind what is late: a simulation has a clock of its own."""
    return re.sub(r" \(at \d{4}-\d\d-\d\d \d\d:\d\d UTC\)$", "", text)


def of_kind(store: Journal, kind: Kind) -> list[Event]:
    return store.read("r1", kinds=(kind,))


def test_a_rollout_tells_each_place_what_it_wants_to_know_in_order_and_once(tmp_path: Path) -> None:
    with hook() as one, hook() as two:
        (tmp_path / "one").write_text(one.url)
        (tmp_path / "two").write_text(two.url)
        text = fleet_text(tmp_path, "one") + fleet_text(tmp_path, "two", about="[reverted, ended]", form="sal").partition("notify:\n")[2]  # fmt: skip
        store = rolled_out(tmp_path, text, "gateway-2021", ticket="T42")
    assert one.about() == [
        ("started", None),
        ("gate", None),
        ("on-trial", "gw-s1"),
        ("reverting", "gw-s1"),
        ("reverted", "gw-s1"),
        ("ended", None),
    ]
    state = fold(store.read("r1"), rollout="r1")
    failed = (
        f"gw-s1 is back on 6.1.0-47-cloud-amd64, kernel {CANDIDATE} failed: {state.trials['gw-s1'].cause}"
    )
    over = f"rollout of kernel {CANDIDATE} ended, reverted: {state.because}"
    assert [on_time(said["text"]) for said in two.got] == [
        f"!log alice: {what} (r1) T42" for what in (failed, over)
    ]
    assert len({said["id"] for said in one.got}) == len(one.got)
    assert [said["mood"] for said in one.got][-1] == "failure"
    told = Counter(str(event.data["to"]) for event in of_kind(store, Kind.NOTICE_SENT))
    assert told == {"one": 6, "two": 2}
    assert of_kind(store, Kind.NOTICE_FAILED) == []


def test_what_cannot_be_delivered_is_tried_again_and_then_an_event_and_the_rollout_is_blessed(
    tmp_path: Path,
) -> None:
    with hook() as one:
        one.statuses = [500, 302, 503, 429, *[404] * 60]
        (tmp_path / "one").write_text(one.url)
        store = rolled_out(tmp_path, fleet_text(tmp_path, "one", about="[ended]"), "good")
    assert fold(store.read("r1"), rollout="r1").outcome == "blessed"
    (failed,) = of_kind(store, Kind.NOTICE_FAILED)
    assert failed.data["because"] in ("it answered with status 302", "it answered with status 503")
    assert failed.data["tries"] >= 2
    everything = json.dumps([dict(event.data) for event in store.read()])
    for secret in ("hunter2secret", "t0ken-that-nobody-sees", "s3cr3t"):
        assert secret not in everything
    said = ended(
        *("seatrial", "rollout", "status", "r1", "--database", f"sqlite:///{tmp_path / 'journal.db'}"),
        cwd=tmp_path,
    )
    assert said.returncode == 0
    assert "notify       one was not told of #" in said.stdout


def test_a_receiver_that_hangs_holds_up_neither_the_rollout_nor_another_receiver(tmp_path: Path) -> None:
    with hook() as dead, hook() as alive:
        dead.hang.clear()
        for name, made in (("dead", dead), ("alive", alive)):
            (tmp_path / name).write_text(made.url)
        declared = parse(fleet_text(tmp_path, "dead", "alive"), filename="f")
        store = _begun(tmp_path, declared)

        async def told() -> None:
            async with telling(store, "r1", declared, Holder.here(), QUICK):
                await came(lambda: alive.got)
                store.append(Kind.ROLLOUT_ENDED, rollout="r1", data={"outcome": "blessed"})
                await came(lambda: len(alive.got) == 2)
                assert not dead.got
                dead.hang.set()

        asyncio.run(told())
        assert alive.about() == [("started", None), ("ended", None)]
        assert dead.about() == [("started", None), ("ended", None)]


def _begun(folder: Path, declared: Fleet) -> Journal:
    store = Journal(f"sqlite:///{folder / 'journal.db'}")
    data = {"candidate": CANDIDATE, "hosts": list(declared.hosts), "fleet": TEXT}
    store.append(Kind.ROLLOUT_STARTED, rollout=store.new_rollout(), by="alice", data=data)
    return store


async def test_whoever_goes_on_tells_what_was_not_told_and_nothing_twice(tmp_path: Path) -> None:
    with hook() as one:
        (tmp_path / "one").write_text(one.url)
        declared = parse(fleet_text(tmp_path, "one"), filename="f")
        store = _begun(tmp_path, declared)
        await tell_rest(store, "r1", declared, QUICK)
        await tell_rest(store, "r1", declared, QUICK)
        held = {"because": "stage production wants a person's approval", "approves": "production", "hint": "say so"}  # fmt: skip
        store.append(Kind.ROLLOUT_HELD, rollout="r1", data=held)
        store.append(Kind.ROLLOUT_HELD, rollout="r1", data={"because": "", "hint": ""})
        await tell_rest(store, "r1", declared, QUICK)
        assert one.about() == [("started", None), ("approval", None)]
        assert one.got[1]["text"] == "r1: waits: stage production wants a person's approval; hint: say so"


async def test_of_very_many_that_wait_the_older_ones_become_one(tmp_path: Path) -> None:
    with hook() as one:
        (tmp_path / "one").write_text(one.url)
        declared = parse(fleet_text(tmp_path, "one"), filename="f")
        store = _begun(tmp_path, declared)
        for number in range(50):
            store.append(Kind.ROLLOUT_HELD, rollout="r1", data={"because": f"reason {number}", "hint": ""})
        await tell_rest(store, "r1", declared, QUICK)
        # All 51 of them: the first 32 in one, then 19.
        assert len(one.got) == QUICK.most
        assert one.got[0]["text"].startswith("r1: 32 more since ")
        assert one.got[1]["text"] == "r1: waits: reason 31"
        assert one.got[-1]["text"] == "r1: waits: reason 49"
        await tell_rest(store, "r1", declared, QUICK)
        assert len(one.got) == QUICK.most


@contextlib.contextmanager
def other_process() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "infinity"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_two_that_would_tell_do_not_both(tmp_path: Path) -> None:
    """One of them is another process, whose lease is alive; when it has gone, this one goes on."""
    with hook() as one, other_process() as other:
        (tmp_path / "one").write_text(one.url)
        declared = parse(fleet_text(tmp_path, "one"), filename="f")
        store = _begun(tmp_path, declared)
        stat = Path(f"/proc/{other.pid}/stat").read_text()
        here, started = Holder.here(), stat.rpartition(")")[2].split()[19]
        them = Holder(holder=f"{other.pid}.{started}", machine=here.machine, pid=other.pid, started=started)  # fmt: skip
        store.take_lease("tell r1", them)
        teller = Teller(store, "r1", declared.notify, here, QUICK)
        task = asyncio.create_task(teller.keep_telling())
        await asyncio.sleep(0.5)
        assert one.tries == 0
        said = ended(
            *("seatrial", "notify", "r1", "--database", f"sqlite:///{tmp_path / 'journal.db'}"),
            cwd=tmp_path,
        )
        assert said.returncode in (2, 4)
        other.kill()
        other.wait()
        await came(lambda: one.got)
        teller.finish()
        await task
        assert one.tries == 1


def test_three_workers_tell_each_notice_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hook() as one:
        monkeypatch.setenv("SEATRIAL_TEST_HOOK", one.url)
        more = f"notify:\n  all: {{through: webhook, url_env: SEATRIAL_TEST_HOOK, about: {ALL}}}\n"
        many = Many(folder=tmp_path, hosts=6, more=more)
        try:
            many.start()
            many.until(lambda: controller_ended(many.journal))
            for process in many.processes:
                process.wait()
            asyncio.run(tell_rest(many.journal, "r1", many.fleet, QUICK))
            assert one.got[-1]["about"] == "ended"
            counted = Counter(said["id"] for said in one.got)
            assert set(counted.values()) == {1}, counted
            blessed = [said["host"] for said in one.got if said["about"] == "blessed"]
            assert len(blessed) == len(set(blessed)) == 6
            sent = of_kind(many.journal, Kind.NOTICE_SENT)
            assert len(sent) == len(one.got)
        finally:
            many.close()


def test_a_whole_rollout_is_read_in_a_channel_as_an_admin_log(tmp_path: Path) -> None:
    with irc_server(tmp_path) as irc:
        (tmp_path / "log").write_text(irc.url)
        log = f"  log: {{url_file: {tmp_path}/log, about: [on-trial, reverted, ended], form: sal}}\n"
        rolled_out(tmp_path, TEXT + "\nnotify:\n" + log, "gateway-2021", ticket="T42")
        until(lambda: len(irc.said) == 3)
    texts = [on_time(text) for _, text in irc.said]
    assert texts[0] == f"!log alice: kernel {CANDIDATE} on trial on gw-s1 (r1) T42"
    assert all(text.startswith("!log alice: ") and text.endswith("(r1) T42") for text in texts)
