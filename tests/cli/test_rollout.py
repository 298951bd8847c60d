"""What people wish of a rollout, by the verbs that they type: skip, force, an abort that holds and the later one, incidents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatrial.cli.main import app
from seatrial.engine import controller, light
from seatrial.engine.rehearsal import CANDIDATE, GOOD, rehearsal_fleet, rehearsal_world
from seatrial.engine.turns import Turns
from seatrial.errors import InputError, Refused, SeatrialError
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.model.fold import RolloutState
from seatrial.model.trial import State
from seatrial.vantage.simulation import Simulation

HOSTS = ("gw-s1", "gw-p1", "gw-p2")


class Desk:
    """A person at a terminal, and a journal in which rollout r1 has begun on simulated hosts."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], **pace: Any) -> None:
        self.database = f"sqlite:///{folder / 'journal.db'}"
        self.capsys = capsys
        declared = yaml.safe_load(rehearsal_fleet(approval=False))
        declared["rollout"] = pace
        self.text = yaml.safe_dump(declared)
        self.fleet = parse(self.text, filename="fleet.yaml")
        self.after: Callable[[Event], None] = lambda event: None
        self.journal = Journal(self.database, after_append=lambda event: self.after(event))
        controller.start(
            self.journal,
            self.fleet,
            fleet_text=self.text,
            candidate=CANDIDATE,
            hosts=HOSTS,
            by="kim",
            why="",
        )
        self.simulation = Simulation.create(None, self.fleet, good=GOOD, candidate=CANDIDATE, faults=())

    def types(self, *words: str) -> str:
        """What is printed; the exit code is 0."""
        self.capsys.readouterr()
        assert app([*words, "--database", self.database], result_action="return_value") == 0
        return self.capsys.readouterr().out

    def refused(self, error: type[SeatrialError], *words: str) -> str:
        """The one clear error, with its hint."""
        before = len(self.journal.read())
        with pytest.raises(error) as caught:
            app([*words, "--database", self.database], result_action="return_value")
        assert caught.value.hint
        assert len(self.journal.read()) == before, "nothing was written"
        return f"{caught.value.message} {caught.value.hint}"

    def events(self, *kinds: Kind) -> list[Event]:
        return self.journal.read("r1", kinds=kinds)

    def state(self) -> RolloutState:
        return controller.state_of(self.journal, "r1")

    def carry_out(self) -> RolloutState:
        turns = Turns(rehearsal_world(self.fleet, self.simulation), self.journal, "r1")
        asyncio.run(light.run(turns))
        return self.state()


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("SEATRIAL_BY", "robin")
    return Desk(tmp_path, capsys)


# --- skip ---


def test_a_host_that_is_skipped_is_left_out_and_the_rollout_ends_without_it(desk: Desk) -> None:
    words = (
        "rollout",
        "skip",
        "r1",
        "--host",
        "gw-s1",
        "--why",
        "its disk is being replaced",
        "--ticket",
        "T1",
    )
    told = desk.types(*words)
    assert "r1: gw-s1 is skipped" in told and "seatrial rollout resume r1" in told
    (event,) = desk.events(Kind.HOST_SKIPPED)
    assert (event.host, event.by) == ("gw-s1", "robin")
    assert event.data == {"why": "its disk is being replaced", "ticket": "T1"}
    assert "is skipped, so it cannot be left out any more" in desk.refused(Refused, *words)
    state = desk.carry_out()
    assert state.outcome == "blessed"
    assert desk.simulation.hosts["gw-s1"].running == GOOD
    assert {h: str(t.state) for h, t in state.trials.items()} == {
        "gw-s1": "planned", "gw-p1": "blessed", "gw-p2": "blessed",
    }  # fmt: skip


def test_what_cannot_be_skipped_is_refused_with_what_can_be_done(desk: Desk) -> None:
    assert "there is no host 'gw-x' in rollout r1" in desk.refused(
        InputError, "rollout", "skip", "--host", "gw-x"
    )
    assert "there is no rollout 'r9'" in desk.refused(InputError, "rollout", "skip", "r9", "--host", "gw-s1")
    desk.journal.append(Kind.TRIAL_BEGUN, rollout="r1", host="gw-s1", data={"wave": "canary"})
    desk.journal.append(Kind.TRIAL_INTENT, rollout="r1", host="gw-s1", data={"act": "preflight"})
    told = desk.refused(Refused, "rollout", "skip", "--host", "gw-s1")
    assert "gw-s1 is planned, so it cannot be left out any more" in told
    assert "seatrial rollout abort" in told
    desk.carry_out()
    assert "r1 is over: blessed" in desk.refused(Refused, "rollout", "skip", "--host", "gw-p1")


def test_json_of_a_wish_is_where_the_rollout_stands(desk: Desk) -> None:
    document = json.loads(desk.types("rollout", "skip", "--host", "gw-p2", "--json"))
    assert document["rollout"] == "r1" and document["controller"] is False
    assert {one["host"]: one["state"] for one in document["trials"]}["gw-p2"] == "skipped"


# --- force ---


def test_a_host_that_is_forced_begins_in_spite_of_an_incident_and_of_the_stage_before(desk: Desk) -> None:
    desk.types("incident", "open", "--why", "the storage is slow")
    told = desk.types("rollout", "force", "--host", "gw-p2", "--why", "it crashes daily anyway")
    assert "gw-p2 is forced" in told
    again = desk.refused(Refused, "rollout", "force", "--host", "gw-p2", "--why", "really")
    assert "gw-p2 is forced already" in again
    waiting: list[dict[str, Any]] = []

    def when_it_is_over(event: Event) -> None:
        if event.kind == Kind.TRIAL_MOVED and event.data["to"] == "blessed" and not waiting:
            waiting.append(json.loads(desk.types("rollout", "status", "r1", "--json")))
            desk.types("incident", "close", "i1")

    desk.after = when_it_is_over
    state = desk.carry_out()
    first = desk.events(Kind.TRIAL_BEGUN)[0]
    assert (first.host, first.data["wave"]) == ("gw-p2", "forced")
    assert {one["host"]: one["state"] for one in waiting[0]["trials"]} == {
        "gw-s1": "planned", "gw-p1": "planned", "gw-p2": "blessed",
    }  # fmt: skip
    assert "the storage is slow" in waiting[0]["waits_for"] and waiting[0]["blockers"] == {}
    assert state.outcome == "blessed"


def test_a_stage_that_is_forced_is_entered_without_its_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_BY", "robin")
    desk = Desk(tmp_path, capsys, evidence={"blessed": 5})
    words = ("rollout", "force", "r1", "--stage", "production", "--why", "there is one staging host only")
    assert "production is forced" in desk.types(*words, "--ticket", "T7")
    assert "stage production of r1 is forced already" in desk.refused(Refused, *words)
    state = desk.carry_out()
    assert state.outcome == "blessed"
    assert (
        state.approvals[0].forced and state.approvals[0].ticket == "T7" and state.approvals[0].by == "robin"
    )
    opened = {e.data["stage"]: e.data["because"] for e in desk.events(Kind.GATE_OPENED)}
    assert opened["production"] == "a person forced it"


def test_without_the_evidence_and_without_force_the_gate_stays_shut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path, capsys, evidence={"blessed": 5})
    told: list[str] = []

    def gives_up(event: Event) -> None:
        if event.kind == Kind.ROLLOUT_HELD and event.data["because"]:
            told.append(desk.types("rollout", "status"))
            desk.types("rollout", "abort", "--mode", "finish", "--why", "there is one staging host only")

    desk.after = gives_up
    state = desk.carry_out()
    assert state.outcome == "aborted"
    assert [event.host for event in desk.events(Kind.TRIAL_BEGUN)] == ["gw-s1"]
    assert "staging has 1 blessed hosts, and 5 are wanted" in told[0]
    assert "rollout force r1 --stage production" in told[0]


@pytest.mark.parametrize(
    "words",
    [
        ("--why", "because"),
        ("--host", "gw-s1"),
        ("--stage", "production"),
        ("--host", "gw-s1", "--stage", "production", "--why", "both"),
    ],
)
def test_force_wants_one_host_or_one_stage_and_a_reason(desk: Desk, words: tuple[str, ...]) -> None:
    assert "a host or a stage is wanted, and why" in desk.refused(InputError, "rollout", "force", *words)


def test_force_of_what_is_not_there_says_what_is(desk: Desk) -> None:
    said = desk.refused(InputError, "rollout", "force", "--stage", "prod", "--why", "x")
    assert "'prod' is not a stage of r1" in said and "staging, production" in said
    assert "there is no host 'gw-x' in rollout r1" in desk.refused(
        InputError, "rollout", "force", "--host", "gw-x", "--why", "x"
    )


# --- abort --mode hold, and a later one ---


class HeldByHand:
    """A person who holds what is on trial and, after the guard was extended a few times, says what becomes of it."""

    def __init__(self, desk: Desk, then: str) -> None:
        self.desk, self.then = desk, then
        self.extended = 0
        self.said: list[str] = []

    def sees(self, event: Event) -> None:
        if event.kind == Kind.TRIAL_MOVED and event.data["to"] == "on-trial":
            words = ["rollout", "abort", "r1", "--mode", "hold", "--why", "let me look", "--ticket", "T2"]
            self.said.append(self.desk.types(*words))
        if event.kind == Kind.TRIAL_ACTED and event.data["act"] == "extend":
            self.extended += 1
            if self.extended == 3:
                words = ["rollout", "abort", "r1", "--mode", self.then, "--why", "seen enough"]
                self.said.append(self.desk.types(*words))


@pytest.mark.parametrize(
    ("then", "ends", "runs"),
    [("revert", State.REVERTED, GOOD), ("finish", State.BLESSED, CANDIDATE)],
)
def test_what_is_held_stays_on_the_candidate_until_a_later_abort_says_what_becomes_of_it(
    desk: Desk, then: str, ends: State, runs: str
) -> None:
    person = HeldByHand(desk, then)
    desk.after = person.sees
    state = desk.carry_out()
    assert person.extended >= 3
    first, second = person.said
    assert "stays on the candidate until: seatrial rollout abort --mode revert" in first
    assert second.startswith("r1: aborted: ")
    assert [event.data["mode"] for event in desk.events(Kind.ROLLOUT_ABORTED)] == ["hold", then]
    assert state.outcome == "aborted"
    (tried,) = [trial for trial in state.trials.values() if trial.begun]
    assert tried.state is ends
    assert desk.simulation.hosts[tried.host].running == runs
    assert [t.host for t in state.trials.values() if t.state is State.PLANNED], "nothing else began"
    # While it was held nothing judged it and nothing rebooted it.
    seqs = [event.seq for event in desk.events(Kind.ROLLOUT_ABORTED)]
    between = [e for e in desk.journal.read("r1") if seqs[0] < e.seq < seqs[1]]
    assert {e.data.get("act") for e in between if e.kind == Kind.TRIAL_INTENT} == {"extend"}


def test_the_same_abort_twice_is_refused_and_another_mode_is_not(desk: Desk) -> None:
    desk.types("rollout", "abort", "--mode", "hold", "--why", "x")
    said = desk.refused(Refused, "rollout", "abort", "--mode", "hold")
    assert "r1 is aborted already" in said
    desk.types("rollout", "abort", "--mode", "revert", "--why", "y")
    assert desk.state().abort_mode == "revert"


# --- incidents ---


def test_an_incident_that_a_person_opens_holds_every_rollout_until_it_is_closed(desk: Desk) -> None:
    assert desk.types("incident") == "no incident is open\n"
    told = desk.types("incident", "open", "--why", "the storage is slow", "--ticket", "T3")
    assert told == "incident i1 is open: nothing begins until: seatrial incident close i1\n"
    listed = desk.types("incident")
    assert listed.startswith("incident i1 is open since ") and "by robin (T3): the storage is slow" in listed
    assert json.loads(desk.types("incident", "--json"))["incidents"][0]["name"] == "i1"
    told_then: list[str] = []

    def mends(event: Event) -> None:
        if event.kind == Kind.ROLLOUT_HELD and event.data["because"]:
            assert not desk.events(Kind.TRIAL_BEGUN)
            told_then.append(desk.types("rollout", "status"))
            assert desk.types("incident", "close", "i1") == "incident i1 is closed\n"

    desk.after = mends
    assert desk.carry_out().outcome == "blessed"
    assert "the storage is slow" in told_then[0] and "seatrial incident close" in told_then[0]


def test_incidents_want_a_reason_and_a_name_that_is_open(desk: Desk) -> None:
    assert "a reason is wanted" in desk.refused(InputError, "incident", "open")
    assert "there is no incident 'i7'" in desk.refused(InputError, "incident", "close", "i7")
    assert json.loads(desk.types("incident", "open", "--why", "a", "--json")) == {"incident": "i1"}
    assert "incident i2" in desk.types("incident", "open", "--why", "b")
    desk.types("incident", "close", "i1")
    said = desk.refused(Refused, "incident", "close", "i1")
    assert "incident i1 is closed already" in said and "open are: i2" in said
