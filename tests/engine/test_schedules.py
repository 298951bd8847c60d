"""Whatever goes wrong, and in whichever order: the promises are kept; and where a rule is missing it is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from seatrial.model.rehearsed import RehearsedFaults
from seatrial.model.trial import State
from seatrial.model.trialstate import TrialState
from seatrial.perform import acts
from seatrial.rollout import decide
from seatrial.rollout.tally import Tally
from seatrial.vantage.simulation import Simulation

from .machine import Schedule
from .schedules import FAULTS, PACES, broken, rehearsed


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(pace=PACES, faults=FAULTS)
def test_no_schedule_of_faults_breaks_a_promise(pace: tuple[int, int, int], faults: RehearsedFaults) -> None:
    done = rehearsed(pace, faults)
    assert broken(done) == []


def test_no_schedule_of_faults_and_wishes_breaks_a_promise_at_any_step() -> None:
    run_state_machine_as_test(
        Schedule,
        settings=settings(
            max_examples=200,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def _forget_peers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tally, "is_busy", lambda self, peers: False)
    patch.setattr(
        Tally,
        "idle",
        lambda self, stage: ((keys, iter(some)) for keys, some in self.stages[stage].left.items()),
    )


def _forget_budgets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tally, "full", lambda self, budgets, keys, more: "")


def _bless_unseen(patch: pytest.MonkeyPatch) -> None:
    """That it came up is taken for evidence."""
    patch.setattr(
        decide, "_on_trial", lambda trial, seen, terms: decide.Move(to=State.EXERCISED, because="it is up")
    )


def _change_the_default(patch: pytest.MonkeyPatch) -> None:
    """The candidate becomes the default with its first boot."""
    reboot = Simulation.reboot

    def rebooted(self: Simulation, name: str, *, at: float | None = None) -> None:
        host = self.hosts[name]
        host.default = host.next or host.default
        reboot(self, name, at=at)

    patch.setattr(Simulation, "reboot", rebooted)


def _arm_nothing(patch: pytest.MonkeyPatch) -> None:
    """The reboot does not wait for a guard."""
    patch.setattr(
        decide,
        "_drained",
        lambda trial, seen, terms: decide.Move(
            to=State.ARMED,
            because="nobody looked",
            facts={"armed_boot_id": seen.sight.boot.boot_id if seen.sight else ""},
        ),
    )
    patch.setattr(acts, "_guards", lambda sight, terms: True)


def _wait_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Who does not come back is waited for without an end."""
    rebooting = decide._rebooting

    def patient(
        trial: TrialState, seen: decide.Seen, terms: decide.Terms
    ) -> decide.Do | decide.Move | decide.Wait:
        found = rebooting(trial, seen, terms)
        return decide.Wait(seconds=3600.0, because="") if seen.sight is None else found

    patch.setattr(decide, "_rebooting", patient)


MUTANTS = [
    (_forget_peers, "was begun while its peer"),
    (_forget_budgets, "away, and"),
    (_bless_unseen, "blessed without evidence"),
    (_change_the_default, "is not its default any more"),
    (_arm_nothing, "without a guard"),
    (_wait_for_ever, "never ended"),
]


@pytest.mark.parametrize(("forget", "says"), MUTANTS)
def test_a_rule_that_is_missing_is_found(
    forget: Callable[[pytest.MonkeyPatch], None], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(monkeypatch)
    with pytest.raises(AssertionError, match=says):
        run_state_machine_as_test(
            Schedule,
            settings=settings(
                max_examples=500,
                stateful_step_count=20,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
