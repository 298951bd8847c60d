"""Whatever goes wrong, and in whichever order: the promises are kept.."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from seatrial.model.rehearsed import RehearsedFaults

from .schedules import FAULTS, PACES, broken, rehearsed


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(pace=PACES, faults=FAULTS)
def test_no_schedule_of_faults_breaks_a_promise(pace: tuple[int, int, int], faults: RehearsedFaults) -> None:
    done = rehearsed(pace, faults)
    assert broken(done) == []
