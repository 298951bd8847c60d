"""A round of questions to the platform: the flows from all their vantages at once, and the checks of a stage beside them.

What is in: who is asked when. What is not: the Commands (checks room), what the answers mean (checks and diagnose).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.checks import flow as flow_checks
from seatrial.checks.repeated import over_rounds
from seatrial.clock import monotonic
from seatrial.diagnose.explain import Explanation, explain
from seatrial.model.command import Bundle, Command, Output
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result, worst
from seatrial.perform.asking import PAUSE, ask_checks
from seatrial.perform.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What one round has shown. `seconds` is real time; `explanation` is None where nothing failed."""

    results: tuple[Result, ...]
    counts: tuple[FlowCount, ...]
    explanation: Explanation | None
    seconds: float

    @property
    def outcome(self) -> Outcome:
        """What all of it comes to."""
        return worst(result.outcome for result in self.results)

    @property
    def carried(self) -> tuple[int, int]:
        """How many probes the hosts asked for show that they carried, and how many were sent."""
        carried = sum(min(one.sent, sum(n or 0 for n in one.carried.values())) for one in self.counts)
        return carried, sum(one.sent for one in self.counts)


async def probe(
    world: World,
    *,
    flows: Iterable[str],
    checks: Iterable[str],
    probes: int,
    rate: int,
    max_loss: float,
    carrier: str | None = None,
    before: Mapping[str, Result] | None = None,
    rounds: int = 1,
) -> Probed:
    """Send `rounds` rounds of probes and ask the checks in each; `carrier` is the host that must have carried the flows.

    Several rounds are told as one: what each came to is in the Results, the packets of all are added up.
    """
    began = monotonic()
    flows, checks = tuple(flows), tuple(checks)
    asked: list[_Asked] = []
    for number in range(rounds):
        if number:
            # What comes and goes should have time to.
            await world.clock.sleep(PAUSE)
        asked.append(await _ask_once(world, flows, checks, probes=probes, rate=rate))
    counts, judged, checked = _summed(world, asked, max_loss=max_loss, carrier=carrier, before=before)
    failed = any(result.outcome is Outcome.FAIL for result in (*judged, *checked))
    explanation = explain(world.fleet, counts, results=checked, carrier=carrier) if failed else None
    seconds = monotonic() - began
    return Probed(results=(*judged, *checked), counts=counts, explanation=explanation, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one round came back with, before anybody judged the flows."""

    counts: tuple[FlowCount, ...]
    checked: tuple[Result, ...]


async def _ask_once(
    world: World, flows: Sequence[str], checks: Sequence[str], *, probes: int, rate: int
) -> _Asked:
    # Beside the flows, not behind them: a check that waits for its time limit must not keep the diagnosis waiting.
    asking = asyncio.ensure_future(ask_checks(world, checks))
    try:
        counts = await _flows(world, flows, probes, rate)
        checked = await asking
    finally:
        asking.cancel()
    return _Asked(counts=counts, checked=checked)


def _summed(
    world: World,
    asked: Sequence[_Asked],
    *,
    max_loss: float,
    carrier: str | None,
    before: Mapping[str, Result] | None,
) -> tuple[tuple[FlowCount, ...], tuple[Result, ...], tuple[Result, ...]]:
    """Counts, Results of flows and Results of checks, of all rounds together."""

    def judge(counts: Sequence[FlowCount]) -> tuple[Result, ...]:
        return flow_checks.judge(world.fleet, counts, max_loss=max_loss, carrier=carrier, before=before)

    counts = tuple(flow_checks.added(same) for same in zip(*(one.counts for one in asked), strict=True))
    whole = judge(counts)
    each = zip(*(judge(one.counts) for one in asked), strict=True)
    judged = tuple(over_rounds(mine, sum_) for mine, sum_ in zip(each, whole, strict=True))
    checked = tuple(over_rounds(mine) for mine in zip(*(one.checked for one in asked), strict=True))
    return counts, judged, checked


async def _flows(world: World, flows: Iterable[str], probes: int, rate: int) -> tuple[FlowCount, ...]:
    asked = flow_checks.ask(world.fleet, flows, run=secrets.token_hex(6), probes=probes, rate=rate)
    outputs: dict[tuple[str, str], Output] = {}
    # Listeners first, then all senders at once, then what arrived and who carried it, while the carriers remember.
    for phase in (asked.listen, asked.send, asked.collect + asked.carried):
        await _ask(world, phase, outputs)
    return flow_checks.count(asked, outputs)


async def _ask(world: World, bundles: Sequence[Bundle], outputs: dict[tuple[str, str], Output]) -> None:
    questions: dict[str, list[Command]] = {}
    for bundle in bundles:
        questions.setdefault(bundle.vantage, []).extend(bundle.commands)
    for place, answers in (await world.ask_all(questions)).items():
        outputs.update({(output.command.name, place): output for output in answers})
