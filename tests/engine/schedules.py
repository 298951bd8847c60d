"""Random schedules of faults, drawn by hypothesis, and what must hold after a rehearsal of each."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from seatrial.engine.rehearsal import CANDIDATE, GOOD
from seatrial.engine.rehearse import Rehearsed, rehearse
from seatrial.fleetfile import parse
from seatrial.model.fleet import Fleet
from seatrial.model.rehearsed import RehearsedFault, RehearsedFaults
from seatrial.model.trial import FINAL, State
from seatrial.vantage.simulation import SimulatedHost

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOSTS = tuple(f"h{number}" for number in range(8))
ON_HOSTS = (
    "does-not-come-back", "comes-back-late", "wrong-kernel", "panic", "dead-network", "answers-lost", "disk-full",
    "unreachable",
)  # fmt: skip


def fleet(at_once: int, max_failed: int, most: int) -> Fleet:
    """Four pairs in two racks, of which one pair moves its traffic, in two stages."""
    hosts = "\n".join(
        f"  {name}: {{stage: {'staging' if n < 2 else 'production'}, roles: [cache], rack: r{n % 2},"
        " reach: {simulated: true}}"
        for n, name in enumerate(HOSTS)
    )
    flows = "\n".join(
        f"  f-{name}: {{stage: {'staging' if n < 2 else 'production'}, from: inside, to: outside,"
        f" address: 198.51.100.7, protocol: udp, port: {2000 + n}, by: {'moved' if n in (2, 3) else name}}}"
        for n, name in enumerate(HOSTS)
        if n != 3
    )
    text = f"""version: 1
name: schedules
stages: [{{name: staging}}, {{name: production}}]
rollout:
  canaries: 1
  waves: [2, 4]
  at_once: {at_once}
  max_failed: {max_failed}
  budgets: [{{per: rack, most: {most}}}]
policies: {{cache: {{guard: 5m, reboot: 3m, probes: 8}}}}
vantages: {{inside: {{simulated: true}}, outside: {{simulated: true}}}}
groups:
  one: {{hosts: [h0, h1]}}
  moved: {{hosts: [h2, h3], mover: {{driver: keepalived, address: 192.0.2.1}}}}
  two: {{hosts: [h4, h5]}}
hosts:
{hosts}
flows:
{flows}
"""
    return parse(text, filename="schedules")


FLEETS = {
    (at_once, max_failed, most): fleet(at_once, max_failed, most)
    for at_once in (1, 3, 8)
    for max_failed in (0, 3, 8)
    for most in (1, 2)
}
_SPANS = st.tuples(st.sampled_from([0.0, 30.0, 90.0, 300.0]), st.sampled_from([20.0, 120.0, 900.0, None]))


@st.composite
def _fault(draw: st.DrawFn) -> RehearsedFault:
    kind = draw(st.sampled_from([*ON_HOSTS, "cut-off-rack", "flaky-vantage", "controller-killed"]))
    begin, lasts = draw(_SPANS)
    given: dict[str, object] = {"kind": kind, "begin": begin, "lasts": lasts}
    if kind in ON_HOSTS:
        given["hosts"] = tuple(draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=3, unique=True)))
    elif kind == "cut-off-rack":
        given["rack"] = draw(st.sampled_from(["r0", "r1"]))
    elif kind == "flaky-vantage":
        given |= {
            "vantage": draw(st.sampled_from(["inside", "outside"])),
            "percent": draw(st.sampled_from([5.0, 50.0])),
        }
    else:
        given["at"] = tuple(draw(st.lists(st.floats(1, 1500), min_size=1, max_size=4)))
    return RehearsedFault.model_validate(given)


FAULTS = st.lists(_fault(), max_size=5).map(lambda some: RehearsedFaults(faults=tuple(some)))
PACES = st.sampled_from(sorted(FLEETS))


def rehearsed(pace: tuple[int, int, int], faults: RehearsedFaults) -> Rehearsed:
    return rehearse(FLEETS[pace], faults, begin=BEGIN)


def broken(done: Rehearsed) -> list[str]:
    """Every promise that was not kept: by the journal, and by how the hosts were left."""
    found = list(done.audit.broken)
    for host, trial in done.state.trials.items():
        found += [f"{host}: {what}" for what in left(trial.state, done.platform.hosts[host])]
        if trial.under_way:
            found.append(f"{host}: its trial never ended")
    return found


def left(state: State, host: SimulatedHost) -> list[str]:
    """What is not as it should be on a host whose trial stands so."""
    if state is State.BLESSED:
        right = (host.running, host.default) == (CANDIDATE, CANDIDATE)
        return [] if right else [f"blessed, and runs {host.running} with {host.default} as default"]
    # Between the blessing on the host and its Event it is blessed already; the audit has seen with which evidence.
    found = (
        []
        if host.default == GOOD or host.guard.phase == "blessed"
        else ["the good kernel is not its default any more"]
    )
    if CANDIDATE in (host.running, host.next) and host.guard.phase not in ("armed", "blessed"):
        found.append(f"{state}, and has the candidate without a guard")
    if state in FINAL and state is not State.STUCK and (host.running, host.default) != (GOOD, GOOD):
        found.append(f"{state}, and still runs {host.running}")
    if state in FINAL and state is not State.STUCK and host.next:
        found.append(f"{state}, and its next boot takes {host.next}")
    return found
