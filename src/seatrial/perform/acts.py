"""The deeds of a Trial. What is in: one function an Act, which looks before it acts and says what came of it.

What is not: when an act is due (the rollout room decides), writing it down (the engine does), and moving the service, which
is a failover of its own (moving.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from seatrial.boot import guard
from seatrial.boot.describe import describe, read_description
from seatrial.boot.guard import read_answer
from seatrial.model.command import Output
from seatrial.model.event import Kind
from seatrial.model.fold import TrialState
from seatrial.model.hostfacts import Sight
from seatrial.model.measure import BEFORE, PEER
from seatrial.model.result import Outcome, Result
from seatrial.perform import around, silencing
from seatrial.perform.look import boot_method, carriers_of, sight_of
from seatrial.perform.measuring import flow_series, stretch
from seatrial.perform.probe import Probed, probe
from seatrial.perform.world import World
from seatrial.rollout.decide import Act, Terms
from seatrial.rollout.measured import kept_good
from seatrial.rollout.silenced import span
from seatrial.soak.stretches import verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of an act. `problem` is empty when it worked; `events` are written before that is, `facts` with it."""

    problem: str = ""
    hint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[tuple[Kind, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    world: World
    trial: TrialState
    terms: Terms


async def perform(world: World, act: Act, trial: TrialState, terms: Terms) -> Report:
    """Do one act. Whatever the outside world does, the answer is a Report."""
    return await _ACTS[act](_Call(world=world, trial=trial, terms=terms))


async def _preflight(call: _Call) -> Report:
    host, terms = call.terms.host, call.terms
    method = boot_method(call.world, host)
    *outputs, described = await call.world.ask(host, *guard.look_commands(method, whole=True), describe())
    sight = guard.read_look(method, outputs)
    if sight is None:
        return _unanswered(outputs, f"{host} did not say what it runs")
    results = list(method.refusals(sight.boot, sight.boot.running, terms.candidate))
    if sight.guard.phase == "armed" and sight.guard.trial != terms.trial:
        results.append(
            Result(
                check="guard.free",
                outcome=Outcome.FAIL,
                because=f"{host} is armed for another trial, {sight.guard.trial}",
                hint="let that one end, or abort it",
            )
        )
    panic = sight.boot.kernels[terms.candidate].panic if terms.candidate in sight.boot.kernels else 0
    summary = f"way back: {sight.boot.running} is the saved default, one-shot boot works, panic={panic}"
    refused = [result for result in results if result.outcome is not Outcome.PASS]
    data = {
        "purpose": str(Act.PREFLIGHT),
        "boot_id": sight.boot.boot_id,
        "results": [_plain(result) for result in results],
        "summary": "way back" if refused else summary,
    }
    # It is remembered with the verdict; a host that does not say it is on trial all the same.
    hardware = read_description(described)
    # Behind the look and not beside it: a slow host must not take so long for both that it says neither.
    snapshots = () if refused else await around.before(call.world, call.trial, terms)
    told = ((Kind.HOST_DESCRIBED, hardware),) if hardware is not None else ()
    return Report(events=(*snapshots, *told, (Kind.RESULTS, data)))


async def _baseline(call: _Call) -> Report:
    return await _probed(call, Act.BASELINE, carrier=None)


async def _exercise(call: _Call) -> Report:
    return await _probed(call, Act.EXERCISE, carrier=call.terms.host)


async def _measure(call: _Call) -> Report:
    """A stretch of the good kernel, on the host that carries the work now."""
    group = call.world.fleet.group_of(call.terms.host)
    host = call.terms.host
    carriers = await carriers_of(call.world, call.world.fleet.groups[group]) if group else frozenset({host})
    if not carriers:
        return Report(problem="it cannot be told who carries the work", hint="it is asked again")
    # Several may carry it. Those that have the candidate already are no good kernel.
    good = sorted(carriers - call.terms.upgraded)
    if good:
        return (await _measured(call, "good", host if host in good else good[0]))[0]
    kept = kept_good(host, call.terms.earlier, call.terms.policy)
    if not kept:
        why = f"{min(carriers)} carries the work and has {call.terms.candidate} already"
        return Report(problem=f"{why}; too little of the good kernel was measured before")
    return Report(events=tuple((Kind.SAMPLES, {**one, "earlier": True}) for one in kept))


async def _measured(call: _Call, arm: str, place: str) -> tuple[Report, Probed]:
    """A stretch with a round of the flows in it; what could not be measured is a problem only when it is all."""
    measure = call.terms.policy.measure
    assert measure is not None
    at = call.world.clock.now().timestamp()
    carrier = place if arm == "candidate" else None
    found, probed = await asyncio.gather(
        stretch(call.world, place, measure), _probe(call, Act.SOAK, carrier=carrier)
    )
    found.series.update(flow_series(probed.counts, at, measure))
    if not found.boot_id:
        return Report(
            problem=f"{place} could not be measured: {'; '.join(found.problems)}", hint="it is asked again"
        ), probed
    if arm == "good" and found.kernel == call.terms.candidate:
        why = f"{place} carries the work and runs {found.kernel}, so it is no good kernel to compare with"
        return Report(problem=why), probed
    return Report(events=((Kind.SAMPLES, found.told(arm, place, at)),)), probed


async def _soak_measured(call: _Call) -> Report:
    measure, host = call.terms.policy.measure, call.terms.host
    assert measure is not None
    alone = measure.against == "both" and not call.terms.good_peers
    if alone:
        measure = measure.model_copy(update={"against": BEFORE})
    before = await sight_of(call.world, host)
    began = call.world.clock.now().timestamp()
    arms = [_measured(call, "candidate", host)]
    if PEER in measure.comparisons:
        arms.append(_peer(call))
    (report, probed), *others = await asyncio.gather(*arms)
    after = await sight_of(call.world, host)
    wrong = next((one for one in (report, *(other for other, _ in others)) if one.problem), None)
    if wrong is not None:
        return wrong
    boot_id = str(call.trial.facts.get("trial_boot_id", ""))
    # They were measured together, and what the clock said in between does not matter.
    together = (*report.events, *(event for other, _ in others for event in other.events))
    events: list[tuple[Kind, Mapping[str, Any]]] = [
        (kind, {**data, "round": began}) for kind, data in together
    ]
    if before is None or after is None or not before.boot.boot_id == after.boot.boot_id == boot_id:
        return Report(
            problem=f"{host} was not there from the first sample to the last", hint="it is asked again"
        )
    stretches = [*call.trial.samples, *(data for _, data in events)]
    kept = [one for one in stretches if one["arm"] != "candidate" or one["boot_id"] == boot_id]
    found = verdict(kept, measure)
    if alone:
        found["because"] += (
            "; no peer has the good kernel any more, so it is compared with what was before only"
        )
    events.append((Kind.VERDICT, {**found, "boot_id": boot_id}))
    return Report(events=(*events, *_told(call, Act.SOAK, probed, after)))


async def _peer(call: _Call) -> tuple[Report, Probed]:
    measure = call.terms.policy.measure
    assert measure is not None
    at = call.world.clock.now().timestamp()
    nothing = Probed(results=(), counts=(), explanation=None, seconds=0.0)
    peer = next(iter(call.terms.good_peers), "")
    if not peer:
        return Report(problem=f"{call.terms.host} has no peer on the good kernel any more"), nothing
    found = await stretch(call.world, peer, measure, beside=True)
    if not found.boot_id:
        return Report(problem=f"{peer} could not be measured: {'; '.join(found.problems)}"), nothing
    if found.kernel == call.terms.candidate:
        why = f"{peer} runs {found.kernel} itself, so it is no good kernel to compare with"
        return Report(problem=why, hint="write `against: before` into the policy's `measure`"), nothing
    return Report(events=((Kind.SAMPLES, found.told("peer", peer, at)),)), nothing


async def _soak(call: _Call) -> Report:
    if call.terms.policy.measure is not None:
        return await _soak_measured(call)
    report = await _probed(call, Act.SOAK, carrier=call.terms.host)
    # A soak is a row of rounds with a pause, not a flood.
    await call.world.clock.sleep(min(5.0, call.terms.policy.soak / 10))
    return report


async def _proof(call: _Call) -> Report:
    return await _probed(call, Act.PROOF, carrier=None)


async def _probe(call: _Call, purpose: Act, *, carrier: str | None) -> Probed:
    terms, fleet = call.terms, call.world.fleet
    return await probe(
        call.world,
        flows=fleet.flows_of(terms.host),
        checks=fleet.checks_of(fleet.hosts[terms.host].stage),
        probes=terms.policy.probes,
        rate=terms.policy.rate,
        max_loss=terms.policy.max_loss,
        carrier=carrier,
        before=_baseline_results(call.trial) if purpose in (Act.EXERCISE, Act.SOAK) else None,
    )


async def _probed(call: _Call, purpose: Act, *, carrier: str | None) -> Report:
    world, terms = call.world, call.terms
    before = await sight_of(world, terms.host)
    probed = await _probe(call, purpose, carrier=carrier)
    after = await sight_of(world, terms.host)
    if before is None or after is None or before.boot.boot_id != after.boot.boot_id:
        return Report(
            problem=f"{terms.host} was not there from the first probe to the last",
            hint="what was measured says nothing about one kernel; it is asked again",
        )
    return Report(events=_told(call, purpose, probed, after))


def _told(
    call: _Call, purpose: Act, probed: Probed, after: Sight
) -> tuple[tuple[Kind, Mapping[str, Any]], ...]:
    data = {
        "purpose": str(purpose),
        "boot_id": after.boot.boot_id,
        "kernel": after.boot.running,
        "seconds": round(probed.seconds, 2),
        "results": [_plain(result) for result in probed.results],
        "summary": _summary(call, purpose, probed),
    }
    events: list[tuple[Kind, Mapping[str, Any]]] = []
    if probed.explanation is not None:
        events.append((Kind.DIAGNOSIS, _diagnosis(probed, purpose)))
    # The results come last: they are what the next decision goes by, and it wants the diagnosis to be there.
    return (*events, (Kind.RESULTS, data))


def _summary(call: _Call, purpose: Act, probed: Probed) -> str:
    fleet = call.world.fleet
    flows = len(probed.counts)
    if not flows:
        return f"{len(probed.results)} checks"
    if purpose in (Act.EXERCISE, Act.SOAK):
        carried, sent = probed.carried
        return f"{call.terms.host} carried {carried} of {sent} probes"
    vantages = {fleet.flows[one.flow].source_vantage for one in probed.counts}
    checks = len(probed.results) - flows
    return f"{flows} flows from {len(vantages)} vantages" + (f" and {checks} checks" if checks else "")


def _diagnosis(probed: Probed, purpose: Act) -> dict[str, Any]:
    explanation = probed.explanation
    assert explanation is not None
    # What is wrong comes first; what is fine and what to ask next are notes to it.
    because, *notes = explanation.sentence.replace(". ", ".\n").split("\n")
    return {
        "purpose": str(purpose),
        "because": because,
        "notes": notes,
        "suspects": [asdict(suspect) for suspect in explanation.diagnosis.suspects],
        "next": [asdict(one) for one in explanation.diagnosis.next],
    }


def _baseline_results(trial: TrialState) -> dict[str, Result] | None:
    before = trial.rounds.get(Act.BASELINE)
    if before is None:
        return None
    return {
        str(kept["check"]): Result(
            check=str(kept["check"]), outcome=Outcome(kept["outcome"]), because=str(kept["because"])
        )
        for kept in before.results
    }


async def _arm(call: _Call) -> Report:
    host, terms = call.terms.host, call.terms
    sight = await sight_of(call.world, host)
    if sight is None:
        return Report(problem=f"{host} does not answer", hint="it is asked again")
    good = str(call.trial.facts.get("good") or sight.boot.running)
    command = guard.arm(
        trial=terms.trial, facts=sight.boot, good=good, candidate=terms.candidate, seconds=terms.policy.guard
    )
    return _guard_said((await call.world.ask(host, command))[0], host)


async def _reboot(call: _Call) -> Report:
    host, terms = call.terms.host, call.terms
    method = boot_method(call.world, host)
    sight = await sight_of(call.world, host)
    if sight is None:
        return Report(problem=f"{host} does not answer", hint="it is asked again")
    if sight.boot.boot_id != call.trial.facts.get("armed_boot_id"):
        return Report()
    if not _guards(sight, terms):
        return Report(
            problem=f"the guard of {host} is not armed any more",
            hint="nothing is rebooted without a way back",
        )
    if sight.boot.next != terms.candidate:
        entry = sight.boot.kernels[terms.candidate].entry if terms.candidate in sight.boot.kernels else None
        if entry is None:
            return Report(
                problem=f"{host} has no boot entry for {terms.candidate} any more", hint="look at update-grub"
            )
        once = (await call.world.ask(host, method.boot_once(entry)))[0]
        if not once.ok:
            return _unanswered([once], f"{host} did not take {terms.candidate} for its next boot")
        sight = await sight_of(call.world, host)
        if sight is None or sight.boot.next != terms.candidate:
            return Report(
                problem=f"{host} does not show {terms.candidate} as its next boot", hint="look at its grubenv"
            )
    asked = (await call.world.ask(host, guard.reboot()))[0]
    await call.world.places[host].fresh()
    # A connection that breaks is what a reboot looks like; whether it was one shows in the boot id.
    return Report() if asked.ok or not asked.answered else _unanswered([asked], f"{host} would not reboot")


def _guards(sight: Sight, terms: Terms) -> bool:
    return sight.guard.phase == "armed" and sight.guard.trial == terms.trial


async def _extend(call: _Call) -> Report:
    command = guard.extend(
        trial=call.terms.trial,
        boot_id=str(call.trial.facts["trial_boot_id"]),
        seconds=call.terms.policy.guard,
    )
    return _guard_said((await call.world.ask(call.terms.host, command))[0], call.terms.host)


async def _bless(call: _Call) -> Report:
    # A new connection: one that was made before could outlive what the candidate breaks for everybody else.
    await call.world.places[call.terms.host].fresh()
    command = guard.bless(
        trial=call.terms.trial, boot_id=str(call.trial.facts["trial_boot_id"]), kernel=call.terms.candidate
    )
    return _guard_said((await call.world.ask(call.terms.host, command))[0], call.terms.host)


async def _revert(call: _Call) -> Report:
    output = (await call.world.ask(call.terms.host, guard.revert(trial=call.terms.trial)))[0]
    await call.world.places[call.terms.host].fresh()
    return _guard_said(output, call.terms.host) if output.answered else Report()


async def _disarm(call: _Call) -> Report:
    output = (await call.world.ask(call.terms.host, guard.disarm(trial=call.terms.trial)))[0]
    return _guard_said(output, call.terms.host)


async def _silence(call: _Call) -> Report:
    terms = call.terms
    facts, problem, hint = await silencing.silence(
        call.world, terms.host, terms.trial, seconds=span(terms.policy)
    )
    return Report(problem=problem, hint=hint, facts=facts)


async def _unsilence(call: _Call) -> Report:
    problem, hint = await silencing.unsilence(call.world, call.terms.host, call.terms.trial)
    return Report(problem=problem, hint=hint)


def _guard_said(output: Output, host: str) -> Report:
    answer = read_answer(output)
    if answer is not None and answer.word == "done":
        return Report()
    if answer is not None:
        return Report(
            problem=f"{host}: {answer.word}: {answer.text}",
            hint="nothing was changed" if answer.word == "refused" else "",
        )
    return _unanswered([output], f"the guard of {host} gave no answer")


def _unanswered(outputs: list[Output], what: str) -> Report:
    wrong = next((output for output in outputs if not output.ok), None)
    if wrong is None:
        return Report(problem=what, hint="what it said is not what was asked for")
    return Report(problem=f"{what}: {_why([wrong])}", hint=wrong.hint)


def _why(outputs: list[Output]) -> str:
    first = outputs[0]
    said = (first.stderr.strip() or first.stdout.strip()).splitlines()
    return first.problem or (
        said[-1][:300] if said else f"{first.command.name} ended with status {first.status}"
    )


def _plain(result: Result) -> dict[str, Any]:
    plain = {one.name: getattr(result, one.name) for one in fields(result)}
    plain["outcome"] = str(result.outcome)
    return plain


_ACTS: Mapping[Act, Callable[[_Call], Awaitable[Report]]] = {
    Act.PREFLIGHT: _preflight,
    Act.BASELINE: _baseline,
    Act.MEASURE: _measure,
    Act.ARM: _arm,
    Act.REBOOT: _reboot,
    Act.EXERCISE: _exercise,
    Act.SOAK: _soak,
    Act.EXTEND: _extend,
    Act.BLESS: _bless,
    Act.REVERT: _revert,
    Act.DISARM: _disarm,
    Act.PROOF: _proof,
    Act.SILENCE: _silence,
    Act.UNSILENCE: _unsilence,
}
