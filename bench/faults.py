"""Twelve faults of the running lab, one after the other: what is named first, and after how many seconds.

What is in: a lab of the topology `gateway-services` (or one that is up: --lab), each fault put on it, rounds of probes
and checks until one fails and is explained, the fault taken off, and rounds until all is well again; then --rounds
rounds on the healthy platform, each of them explained whether or not anything failed. What is not: results on disk; the
tables go to the terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from seatrial.cli.lab import lab_fleet
from seatrial.clock import monotonic
from seatrial.diagnose.explain import explain
from seatrial.fleetfile import parse
from seatrial.lab.faults import FAULTS, Fault
from seatrial.lab.lab import Lab
from seatrial.model.result import Outcome
from seatrial.perform.probe import Probed, probe
from seatrial.perform.world import World, open_world

MOST_ROUNDS = 20  # until a fault shows, and until the platform is well again


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of one fault. `seconds` is from the beginning of the first round that had a failing probe."""

    fault: str
    named: bool
    sentence: str
    seconds: float
    rounds: int


async def ask(world: World, probes: int) -> Probed:
    """One round of everything that the fleet declares."""
    policy = world.fleet.policies["gateway"]
    return await probe(
        world,
        flows=world.fleet.flows,
        checks=world.fleet.checks,
        probes=probes,
        rate=policy.rate,
        max_loss=policy.max_loss,
    )


async def try_fault(lab: Lab, world: World, fault: Fault, probes: int) -> Seen:
    """Put a fault on, ask until it is named, take it off, ask until all is well."""
    await lab.put(fault.name)
    first: float | None = None
    seen = None
    for number in range(1, MOST_ROUNDS + 1):
        began = monotonic()
        probed = await ask(world, probes)
        if probed.outcome is Outcome.FAIL and first is None:
            first = began
        if first is not None and probed.explanation and probed.explanation.sentence:
            said = probed.explanation
            seen = Seen(
                fault=fault.name,
                named=fault.is_named_first(said.diagnosis),
                sentence=said.sentence,
                seconds=monotonic() - first,
                rounds=number,
            )
            break
    await lab.take_off()
    for _ in range(MOST_ROUNDS):
        if (await ask(world, probes)).outcome is Outcome.PASS:
            break
    else:
        print(f"{fault.name}: not all is well after it was taken off")
    return seen or Seen(
        fault=fault.name, named=False, sentence="nothing was named", seconds=0.0, rounds=MOST_ROUNDS
    )


async def try_health(world: World, rounds: int, probes: int) -> None:
    """Ask a healthy platform so often, and count what failed, what was unknown and what was named."""
    counted: Counter[str] = Counter()
    lost = sent = 0
    seconds: list[float] = []
    for number in range(1, rounds + 1):
        probed = await ask(world, probes)
        seconds.append(probed.seconds)
        # Explained whether or not anything failed: a culprit of a healthy round would be false either way.
        said = explain(world.fleet, probed.counts, results=probed.results)
        counted["named"] += bool(said.diagnosis.suspects)
        for outcome in (Outcome.FAIL, Outcome.UNKNOWN):
            wrong = [result for result in probed.results if result.outcome is outcome]
            counted[outcome.value] += bool(wrong)
            for result in wrong:
                print(f"round {number}: {outcome.value}: {result.check}: {result.because}", flush=True)
        if said.sentence:
            print(f"round {number}: named: {said.sentence}", flush=True)
        sent += sum(one.sent for one in probed.counts)
        lost += sum(one.sent - one.answered for one in probed.counts)
        if number % 50 == 0:
            print(f"{number} rounds: {dict(counted)}", flush=True)
    print(
        f"\n{rounds} healthy rounds of {len(world.fleet.flows)} flows and {len(world.fleet.checks)} checks: "
        f"something was named in {counted['named']}, failed in {counted['FAIL']}, was not known in {counted['UNKNOWN']}; "
        f"{lost} of {sent} probes lost; {statistics.median(seconds):.1f} s a round, the longest {max(seconds):.1f} s"
    )


def tell(seen: list[Seen]) -> None:
    """The table."""
    print("\n| fault | named first | seconds | what was said |\n|---|---|---|---|")
    for one in seen:
        print(f"| `{one.fault}` | {'yes' if one.named else 'NO'} | {one.seconds:.1f} | {one.sentence} |")


async def measure(arguments: argparse.Namespace) -> int:
    lab = (
        Lab.attach(arguments.lab)
        if arguments.lab
        else await Lab.up(
            "bench",
            "gateway-services",
            progress=lambda step, _part: print(step, flush=True),
            owner_pid=os.getpid(),
        )
    )
    world = open_world(parse(lab_fleet(lab), filename="the lab's fleet"))
    seen: list[Seen] = []
    try:
        # What a first round pays for (logins, the first ARP) is no part of what is measured.
        await ask(world, arguments.probes)
        for name in arguments.fault or () if arguments.no_faults else arguments.fault or FAULTS:
            seen.append(await try_fault(lab, world, FAULTS[name], arguments.probes))
            print(f"{name}: {seen[-1].seconds:.1f} s: {seen[-1].sentence}", flush=True)
        tell(seen)
        if arguments.rounds:
            await try_health(world, arguments.rounds, arguments.healthy_probes)
    finally:
        await world.close()
        if not arguments.lab:
            await lab.down()
    return 0 if all(one.named for one in seen) else 1


@contextmanager
def short_home(wanted: bool) -> Iterator[None]:
    """A state directory with a path that is short enough for sockets, gone afterwards."""
    if not wanted:
        yield
        return
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home:
        os.environ["XDG_STATE_HOME"] = home
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--lab", help="a lab of the topology gateway-services that is up; otherwise one is booted"
    )
    parser.add_argument("--fault", nargs="*", choices=list(FAULTS), help="only these")
    parser.add_argument("--no-faults", action="store_true", help="the healthy rounds alone")
    parser.add_argument("--probes", type=int, default=32, help="for each flow and round (32)")
    parser.add_argument("--rounds", type=int, default=20, help="healthy rounds (20)")
    parser.add_argument(
        "--healthy-probes", type=int, default=16, help="for each flow of a healthy round (16)"
    )
    arguments = parser.parse_args()
    with short_home(not arguments.lab):
        return asyncio.run(measure(arguments))


if __name__ == "__main__":
    raise SystemExit(main())
