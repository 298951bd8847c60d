"""The journal against a real SQLite file, and its leases between real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatrial.clock import sleep_blocking
from seatrial.errors import CouldNotAct, InputError, Refused
from seatrial.journal import leases
from seatrial.journal.leases import Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'deep' / 'journal.db'}"


def test_events_come_back_in_order_and_as_they_were(tmp_path: Path) -> None:
    journal = Journal(url(tmp_path))
    first = journal.append(
        Kind.NOTE, rollout="r1", host="h", by="ann", data={"text": "ünï \u0000 code", "n": [1, 2.5, None]}
    )
    journal.append(Kind.NOTE, rollout="r2")
    journal.append(Kind.ROLLOUT_PAUSED, rollout="r1", data={"why": "lunch"})
    again = Journal(url(tmp_path)).read("r1")
    assert [event.kind for event in again] == [Kind.NOTE, Kind.ROLLOUT_PAUSED]
    assert again[0].data == first.data
    assert again[0].at.tzinfo is not None
    assert abs((again[0].at - datetime.now(UTC)).total_seconds()) < 3600
    assert [event.rollout for event in journal.read(after=first.seq)] == ["r2", "r1"]
    assert [event.kind for event in journal.read(kinds=(Kind.ROLLOUT_PAUSED,))] == [Kind.ROLLOUT_PAUSED]


def test_rollouts_are_numbered_and_no_number_is_used_twice(tmp_path: Path) -> None:
    journal = Journal(url(tmp_path))
    assert [journal.new_rollout() for _ in range(3)] == ["r1", "r2", "r3"]
    assert Journal(url(tmp_path)).new_rollout() == "r4"


def test_whoever_listens_hears_of_an_event_when_it_is_on_disk(tmp_path: Path) -> None:
    seen: list[tuple[Event, int]] = []
    other = Journal(url(tmp_path))
    journal = Journal(url(tmp_path), after_append=lambda event: seen.append((event, len(other.read("r1")))))
    journal.append(Kind.NOTE, rollout="r1")
    assert [(event.seq, visible) for event, visible in seen] == [(1, 1)]


def _hold(where: str, ready: object) -> None:
    journal = Journal(where)
    journal.take_lease("r1", Holder.here())
    ready.set()  # type: ignore[attr-defined]
    signal.pause()


def test_a_second_controller_is_refused_until_the_first_process_is_gone(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_hold, args=(url(tmp_path), ready), daemon=True)
    process.start()
    try:
        assert ready.wait(120)
        journal = Journal(url(tmp_path))
        with pytest.raises(Refused) as refused:
            journal.take_lease("r1", Holder.here())
        assert str(process.pid) in refused.value.message
        assert "status" in refused.value.hint
        assert journal.lease_holder("r1") is not None
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        # Not joined yet: a zombie holds nothing either.
        while journal.lease_holder("r1") is not None:
            process.join(0.05)
        journal.take_lease("r1", Holder.here())
        assert journal.keep_lease("r1", Holder.here())
    finally:
        process.kill()
        process.join()


def test_a_lease_that_is_lost_is_noticed_and_not_dropped_for_the_other(tmp_path: Path) -> None:
    journal = Journal(url(tmp_path))
    mine = Holder.here()
    other = Holder(holder="9.9", machine="elsewhere boot", pid=9, started="9")
    journal.take_lease("r1", other)
    assert not journal.keep_lease("r1", mine)
    journal.drop_lease("r1", mine)
    assert journal.lease_holder("r1") == other
    with pytest.raises(Refused):
        journal.take_lease("r1", mine)


def test_a_url_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Journal("not a url")
    (tmp_path / "file").write_text("no database", encoding="utf-8")
    with pytest.raises(CouldNotAct) as error:
        Journal(f"sqlite:///{tmp_path / 'file'}")
    assert error.value.hint


def test_a_holder_whose_clock_was_set_back_lives_as_long_as_it_is_heard(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    journal.take_lease("r1", replace(Holder.here(), holder="another", machine="elsewhere boot"))
    assert journal.leased() == {"r1"}
    for number in range(5):
        beat_at(tmp_path, hours=-3, milliseconds=number)
        assert journal.leased() == {"r1"}
        with pytest.raises(Refused, match="has a controller already"):
            journal.take_lease("r1", Holder.here())


def test_a_beat_of_the_future_is_one_of_the_past_when_nothing_more_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's clock was set back by hours, and the holder died with its machine."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.5)
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    journal, holder = Journal(url), replace(Holder.here(), holder="another", machine="elsewhere boot")
    journal.take_lease("r1", holder)
    beat_at(tmp_path, hours=3, milliseconds=0)
    assert journal.leased() == {"r1"}
    while journal.leased():
        sleep_blocking(0.05)
    journal.take_lease("r1", Holder.here())
    assert journal.lease_holder("r1") == Holder.here()


def beat_at(folder: Path, *, hours: float, milliseconds: int) -> None:
    """Its holder says that it lives, by a clock that is so wrong."""
    at = datetime.now(UTC) + timedelta(hours=hours, milliseconds=milliseconds)
    with sqlite3.connect(folder / "journal.db") as database:
        database.execute("UPDATE leases SET beat = ?", (at.isoformat(timespec="milliseconds"),))
