"""A round of questions to the platform: the flows from all their vantages at once, and the checks of a stage beside them.

What is in: who is asked when. What is not: the Commands (checks room), what the answers mean (checks and diagnose).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatrial.checks import flow as flow_checks
from seatrial.clock import monotonic
from seatrial.diagnose.explain import Explanation, explain
from seatrial.model.command import Bundle, Command, Output
from seatrial.model.observation import FlowCount
from seatrial.model.result import Outcome, Result, worst
from seatrial.perform.asking import ask_checks
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
) -> Probed:
    """Send one round of probes and ask the checks; `carrier` is the host that must have carried the flows."""
    began = monotonic()
    # Beside the flows, not behind them: a check that waits for its time limit must not keep the diagnosis waiting.
    asking = asyncio.ensure_future(ask_checks(world, tuple(checks)))
    try:
        counts = await _flows(world, flows, probes, rate)
        checked = await asking
    finally:
        asking.cancel()
    judged = flow_checks.judge(world.fleet, counts, max_loss=max_loss, carrier=carrier, before=before)
    results = (*judged, *checked)
    failed = any(result.outcome is Outcome.FAIL for result in results)
    explanation = explain(world.fleet, counts, results=checked, carrier=carrier) if failed else None
    return Probed(results=results, counts=counts, explanation=explanation, seconds=monotonic() - began)


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
