"""Rehearsals: each fault shows as what it is, the same seed tells the same story, and mistakes in the file are told."""

from __future__ import annotations

import pytest

from seatrial.engine.rehearse import read_faults
from seatrial.errors import InputError
from seatrial.model.rehearsed import RehearsedFaults
from seatrial.model.trial import State

from .schedules import FLEETS, broken, rehearsed

PACE = (3, 8, 2)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("does-not-come-back", State.STUCK),
        ("comes-back-late", State.BLESSED),
        ("wrong-kernel", State.REVERTED),
        ("panic", State.REVERTED),
        ("dead-network", State.REVERTED),
        ("answers-lost", State.REVERTED),
        ("disk-full", State.REFUSED),
        ("unreachable", State.REFUSED),
    ],
)
def test_each_fault_ends_the_trial_of_its_host_as_it_should(fault: str, state: State) -> None:
    faults = RehearsedFaults.model_validate({"faults": ({"kind": fault, "hosts": ("h6",), "late": 60.0},)})
    done = rehearsed(PACE, faults)
    assert done.state.trials["h6"].state is state
    assert {trial.state for host, trial in done.state.trials.items() if host != "h6"} == {State.BLESSED}
    assert broken(done) == []


def test_the_same_seed_tells_the_same_story() -> None:
    faults = RehearsedFaults.model_validate({"seed": 3, "faults": ({"kind": "panic", "percent": 30.0},)})
    stories = [
        [(event.at, event.kind, event.host) for event in rehearsed(PACE, faults).events] for _ in range(2)
    ]
    assert stories[0] == stories[1]


def test_a_controller_that_is_killed_changes_no_ending() -> None:
    killed = rehearsed(
        PACE, RehearsedFaults.model_validate({"faults": ({"kind": "controller-killed", "at": (30.0, 90.0)},)})
    )
    assert killed.killed == 2
    assert {trial.state for trial in killed.state.trials.values()} == {State.BLESSED}
    assert broken(killed) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faults: [{kind: explodes, hosts: [h1]}]", "faults.0.kind"),
        ("faults: [{kind: panic}]", "wants either hosts or percent"),
        ("faults: [{kind: panic, hosts: [h99]}]", "the fleet has no 'h99'"),
        ("faults: [{kind: cut-off-rack, rack: r9}]", "the fleet has no 'r9'"),
        ("faults: [", "f: "),
        ("faults: [{kind: controller-killed}]", "wants at"),
    ],
)
def test_a_mistake_in_the_faults_is_told(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_faults(text, filename="f", fleet=FLEETS[PACE])
    assert says in caught.value.message
    assert caught.value.hint
