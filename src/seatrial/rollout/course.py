"""The course of a rollout: which trials may begin now, when a gate opens, when it is over. Pure, like decide.

Stages go in the order of the file, each when all trials of the one before are over. Inside of a stage canaries go first,
then waves: the n-th trial that is begun belongs to the wave that n falls into, and a wave begins when all before it have
ended. Of a group the hosts that do not carry the traffic go first, and never two at once. Every no has its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heapreplace
from itertools import islice

from seatrial.model.fleet import Fleet, Stage
from seatrial.model.fold import RolloutState
from seatrial.model.pace import Pace
from seatrial.model.result import Outcome, Result
from seatrial.model.text import duration
from seatrial.model.trial import State
from seatrial.rollout.calendar import opens_at, shut_because
from seatrial.rollout.tally import Key, StageTally, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the world shows. `carriers` says for each group that was asked which hosts carry its traffic (None: unknown).

    `blockers` are the answers of the stage's blockers, None while they were not asked. `incidents` are those that
    people have opened and nobody has closed, each in one sentence.
    """

    now: datetime
    carriers: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    blockers: tuple[Result, ...] | None = None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One host that goes on trial now, in which wave, and why it may."""

    host: str
    wave: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Put these hosts on trial now."""

    starts: tuple[Start, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCarriers:
    """It must be known who carries the traffic of these groups before a host of them is chosen."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBlockers:
    """It must be known whether the blockers of a stage stand in the way before a host of it begins."""

    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """It must be known which hosts are down before a budget can be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGate:
    """The stage may be entered: write it down."""

    stage: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing begins now. `opens` is when that may be another matter, where a clock decides it.

    `blockers` are the answers that stand in the way, where that is what it is; `approves` is a stage that waits for a
    person's approval.
    """

    because: str
    hint: str = ""
    blockers: tuple[Result, ...] = ()
    opens: datetime | None = None
    waits_for_trials: bool = False
    approves: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The rollout is over."""

    outcome: str
    because: str


Step = Begin | AskCarriers | AskBlockers | Survey | OpenGate | Hold | End


def next_step(state: RolloutState, tally: Tally, fleet: Fleet, facts: Facts) -> Step:
    """What a rollout does next. `tally` is that of the trials of `state`."""
    if state.is_aborted or len(tally.failed) > fleet.rollout.max_failed:
        return _stopping(state, tally)
    stage = next((one for one in fleet.stages if tally.stages[one.name].number_left), None)
    if stage is None:
        return _under_way(tally) if tally.under_way else _finished(state, tally)
    if state.is_paused:
        return Hold(
            because=f"paused: {state.paused or 'a person said so'}",
            hint=f"seatrial rollout resume {state.id}",
        )
    if forced := _forced(tally, facts, fleet):
        return forced
    if earlier := _earlier(fleet, tally, stage):
        return earlier
    if stage.name not in state.gates:
        return _gate(state, fleet, tally, stage, facts.now)
    if because := shut_because(fleet.rollout, stage.name, facts.now):
        return Hold(because=because, hint=_force(state), opens=opens_at(fleet.rollout, stage.name, facts.now))
    if facts.incidents:
        because, hint = "; ".join(facts.incidents), "seatrial incident close NAME when it is over"
        return Hold(because=because, hint=f"{hint}; {_force(state)}")
    step = _begin(state, tally, fleet, stage, facts)
    # They are asked last: questions to other people's servers, for which there is no need while nothing would begin.
    return _unblocked(state, fleet, stage, facts, step) if isinstance(step, Begin) else step


def _unblocked(state: RolloutState, fleet: Fleet, stage: Stage, facts: Facts, begin: Begin) -> Step:
    """What begins, unless a blocker stands in the way or has not said that it does not."""
    if not fleet.rollout.blockers_of(stage.name):
        return begin
    if facts.blockers is None:
        return AskBlockers(stage=stage.name)
    standing = tuple(one for one in facts.blockers if one.outcome is not Outcome.PASS)
    if not standing:
        return begin
    hints = dict.fromkeys(one.hint for one in standing if one.hint)
    return Hold(
        because="; ".join(_blocking(one) for one in standing),
        hint="; ".join((*hints, _force(state))),
        blockers=standing,
    )


def _blocking(answer: Result) -> str:
    known = "" if answer.outcome is Outcome.FAIL else "it is not known: "
    return f"blocker {answer.check}: {known}{answer.because}"


def _force(state: RolloutState) -> str:
    return f"a person may take one host all the same: seatrial rollout force {state.id} --host HOST"


def _stopping(state: RolloutState, tally: Tally) -> Step:
    if tally.under_way:
        why = "aborted" if state.is_aborted else f"{_many(len(tally.failed), 'trial')} failed"
        return Hold(
            because=f"{why}: {_many(len(tally.under_way), 'trial')} under way must end", waits_for_trials=True
        )
    if not tally.failed:
        return End(outcome="aborted", because=state.abort or "a person said so")
    trial = state.trials[tally.failed[0]]
    stopped = state.is_aborted and trial.state in (State.UNDONE, State.REVERTED)
    outcome = "aborted" if stopped else str(trial.state)
    more = f"; and {_many(len(tally.failed) - 1, 'other')}" if len(tally.failed) > 1 else ""
    return End(outcome=outcome, because=f"{trial.host}: {trial.cause or trial.because}{more}")


def _finished(state: RolloutState, tally: Tally) -> End:
    if not tally.blessed and not tally.failed:
        return End(outcome="undone", because="every host was skipped")
    because = f"{state.candidate} is the default on {tally.blessed} of {len(state.trials)} hosts"
    if tally.failed:
        because += f"; {', '.join(tally.failed[:5])}{' and more' if len(tally.failed) > 5 else ''} failed, which was allowed"
    return End(outcome="blessed", because=because)


def _under_way(tally: Tally) -> Hold:
    return Hold(because=f"{_many(len(tally.under_way), 'trial')} under way", waits_for_trials=True)


def _forced(tally: Tally, facts: Facts, fleet: Fleet) -> Step | None:
    """Hosts that a person has asked for now; only a peer on trial or down stands in their way."""
    free = [host for host in tally.forced if not peer_against(tally, host)]
    first = next(iter(free), None)
    return Begin(starts=(Start(host=first, wave="forced", because="a person said so"),)) if first else None


def peer_against(tally: Tally, host: str) -> str:
    """Why a host may not be on trial for its peers' sake, "" when it may. Nothing overrides this."""
    if tally.is_busy(tally.peers(host)):
        return f"another host of {tally.peers(host)} is on trial"
    if one := tally.rebooting(host):
        return f"{one} reboots by itself and is not proven yet: seatrial fleetlock status"
    down = tally.down_peer(host)
    return f"its peer {down} does not answer" if down else ""


def _earlier(fleet: Fleet, tally: Tally, stage: Stage) -> Hold | None:
    for one in fleet.stages:
        if one is stage:
            return None
        if tally.stages[one.name].under_way:
            return Hold(because=f"the last trials of {one.name} must end first", waits_for_trials=True)
    return None


def _gate(state: RolloutState, fleet: Fleet, tally: Tally, stage: Stage, now: datetime) -> Step:
    number = fleet.stages.index(stage)
    if stage.gate == "approval" and stage.name not in state.approved:
        return Hold(
            because=f"stage {stage.name} wants a person's approval",
            hint=f"seatrial rollout approve {state.id} --stage {stage.name}",
            approves=stage.name,
        )
    if not number:
        return OpenGate(stage=stage.name, because="it is the first stage")
    before = fleet.stages[number - 1].name
    if stage.name in state.forced:
        return OpenGate(stage=stage.name, because="a person forced it")
    lacks, opens = _lacks(state, fleet, before, now)
    if lacks:
        hint = f"or a person takes the responsibility: seatrial rollout force {state.id} --stage {stage.name}"
        return Hold(because=f"gate of {stage.name}: {lacks}", hint=hint, opens=opens)
    blessed = [
        h for h in fleet.hosts_in(before) if h in state.trials and state.trials[h].state is State.BLESSED
    ]
    told = ", ".join(blessed[:4]) + (f" and {len(blessed) - 4} more" if len(blessed) > 4 else "")
    because = f"{before}: {told} blessed" if blessed else f"{before} has no host in this rollout"
    return OpenGate(stage=stage.name, because=because)


def _lacks(state: RolloutState, fleet: Fleet, before: str, now: datetime) -> tuple[str, datetime | None]:
    """What the evidence of the stage before lacks, and when time alone will have brought it."""
    wanted = fleet.rollout.evidence
    since = [
        trial.since
        for host in fleet.hosts_in(before)
        if (trial := state.trials.get(host)) is not None and trial.state is State.BLESSED and trial.since
    ]
    if len(since) < wanted.blessed:
        return f"{before} has {len(since)} blessed hosts, and {wanted.blessed} are wanted", None
    if not since:
        return "", None
    # Younger than nothing is what a clock that was set back makes of it, or that of another controller.
    age = max((now - max(since)).total_seconds(), 0.0)
    if age < wanted.settled:
        opens = max(since) + timedelta(seconds=wanted.settled)
        return (
            f"the newest host of {before} was blessed {duration(age)} ago, and {duration(wanted.settled)} are wanted",
            opens,
        )
    if wanted.oldest is not None and age > wanted.oldest:
        return (
            f"the evidence of {before} is {duration(age)} old, and {duration(wanted.oldest)} is the most",
            None,
        )
    return "", None


def wave_of(pace: Pace, ended: int) -> tuple[str, int]:
    """The wave of a stage of which `ended` trials are over: its name, and how many may have been begun by its end."""
    if ended < pace.canaries:
        return "canary", pace.canaries
    if not pace.waves:
        return "wave 1", 2**31
    total = pace.canaries
    for number, size in enumerate(pace.waves, start=1):
        total += size
        if ended < total:
            return f"wave {number}", total
    more = (ended - total) // pace.waves[-1] + 1
    return f"wave {len(pace.waves) + more}", total + more * pace.waves[-1]


def _begin(state: RolloutState, tally: Tally, fleet: Fleet, stage: Stage, facts: Facts) -> Step:
    pace, counts = fleet.rollout, tally.stages[stage.name]
    wave, until = wave_of(pace, counts.ended)
    room = min(pace.at_once - len(tally.under_way), until - counts.begun)
    if room <= 0:
        return _no_room(pace, tally, counts, wave, until)
    idle = any(next(peers, None) is not None for _, peers in tally.idle(stage.name))
    if idle and pace.budgets and _survey_is_old(state, pace, facts.now):
        return Survey()
    chosen = _choose(tally, fleet, stage, facts, room)
    if chosen.unknown:
        return AskCarriers(groups=chosen.unknown)
    if chosen.hosts:
        because = f"{wave} of {stage.name}"
        return Begin(starts=tuple(Start(host=host, wave=wave, because=because) for host in chosen.hosts))
    return Hold(
        because=f"{wave} of {stage.name}: {chosen.standing or _peers(tally)}",
        hint="" if tally.under_way else _force(state) if idle else _see_to(state, tally),
        waits_for_trials=bool(tally.under_way),
    )


def _peers(tally: Tally) -> str:
    stuck = f", and {', '.join(tally.stuck)} needs a person" if tally.stuck else ""
    return f"whoever is left has a peer on trial{stuck}"


def _see_to(state: RolloutState, tally: Tally) -> str:
    return f"see to it, then: seatrial rollout skip {state.id} --host {next(iter(tally.stuck), 'HOST')}"


def _no_room(pace: Pace, tally: Tally, counts: StageTally, wave: str, until: int) -> Hold:
    if len(tally.under_way) >= pace.at_once:
        because = f"{_many(len(tally.under_way), 'trial')} under way, and {pace.at_once} may be at once"
    else:
        because = f"the last {_many(until - counts.ended, 'trial')} of {wave} must end first"
    return Hold(because=because, waits_for_trials=True)


def _survey_is_old(state: RolloutState, pace: Pace, now: datetime) -> bool:
    if state.surveyed is None:
        return True
    # A clock that was set back makes an answer of the future, which says nothing about now.
    return not 0 <= (now - state.surveyed).total_seconds() <= pace.survey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Hosts that may begin; or groups of which it must be asked first who carries; or what stands in the way."""

    hosts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    standing: str = ""


def _choose(tally: Tally, fleet: Fleet, stage: Stage, facts: Facts, room: int) -> _Chosen:
    """At most `room` hosts, in the order of the rollout, one of each group, within all budgets."""
    chosen: list[str] = []
    unknown: list[str] = []
    more: Counter[Key] = Counter()
    seen: set[str] = set()
    standing = ""
    for peers in _in_order(tally, fleet, stage, more):
        if isinstance(peers, _No):
            standing = standing or peers.because
            continue
        if peers in seen:
            continue
        seen.add(peers)
        left = tally.left_of(peers)
        if len(left) > 1 and fleet.relieves(left[0]) and peers not in facts.carriers:
            unknown.append(peers)
        else:
            host = _first(left, fleet, facts.carriers)
            because = peer_against(tally, host) or tally.full(fleet.rollout.budgets, tally.keys(host), more)
            if because:
                standing = standing or because
                continue
            chosen.append(host)
            more.update(tally.keys(host))
        if len(chosen) + len(unknown) == room:
            break
    return _Chosen(hosts=tuple(chosen), unknown=tuple(unknown), standing=standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _No:
    because: str


def _in_order(tally: Tally, fleet: Fleet, stage: Stage, more: Counter[Key]) -> Iterator[str | _No]:
    """Peers of which one might begin, in the order of the rollout; a no for each kind of host whose budgets are full.

    Hosts that count for the same budgets stand or fall together, so that no budget is asked of ten thousand hosts.
    """
    # Peers may stand in several kinds, so what a kind is called decides where two have the same place.
    heap = [
        (place, peers, keys, idle)
        for keys, idle in tally.idle(stage.name)
        for place, peers in islice(idle, 1)
    ]
    heapify(heap)
    while heap:
        _, peers, keys, idle = heap[0]
        if because := tally.full(fleet.rollout.budgets, keys, more):
            heappop(heap)
            yield _No(because=because)
            continue
        yield peers
        if following := next(idle, None):
            heapreplace(heap, (*following, keys, idle))
        else:
            heappop(heap)


def why_not(state: RolloutState, tally: Tally, fleet: Fleet, facts: Facts, host: str) -> tuple[str, ...]:
    """All that stands in the way of one host's trial now; empty when it may begin with the next step."""
    trial, pace = state.trials[host], fleet.rollout
    if trial.over:
        return (f"it is over: {trial.skipped or trial.state}",)
    if trial.under_way:
        return ("it is under way",)
    stage = fleet.stage(fleet.hosts[host].stage)
    counts = tally.stages[stage.name]
    found = [f"paused: {state.paused or 'a person said so'}"] if state.is_paused else []
    found += [
        f"stage {one.name} comes first: {_many(counts.number_left + counts.under_way, 'host')} to go"
        for one in fleet.stages[: fleet.stages.index(stage)]
        if (counts := tally.stages[one.name]).number_left + counts.under_way
    ]
    counts = tally.stages[stage.name]
    if stage.gate == "approval" and stage.name not in state.approved:
        found.append(f"stage {stage.name} wants a person's approval")
    number = fleet.stages.index(stage)
    if number and stage.name not in state.gates | state.forced:
        lacks, _ = _lacks(state, fleet, fleet.stages[number - 1].name, facts.now)
        found += [f"gate of {stage.name}: {lacks}"] if lacks else []
    wave, until = wave_of(pace, counts.ended)
    before = sum(1 for other in fleet.hosts_in(stage.name) if _is_left_before(tally, state, other, host))
    if counts.begun + before >= until:
        behind = f", and {_many(before, 'host')} of {stage.name} are before it" if before else ""
        found.append(f"{wave} is under way{behind}")
    elif before or len(tally.under_way) >= pace.at_once:
        found.append(f"{_many(before, 'host')} before it, and {pace.at_once} may be on trial at once")
    found += [
        because
        for because in (peer_against(tally, host), tally.full(pace.budgets, tally.keys(host), {}))
        if because
    ]
    found += [because for because in (shut_because(pace, stage.name, facts.now),) if because]
    found += [_blocking(one) for one in facts.blockers or () if one.outcome is not Outcome.PASS]
    return (*found, *facts.incidents)


def _is_left_before(tally: Tally, state: RolloutState, other: str, host: str) -> bool:
    trial = state.trials.get(other)
    if trial is None or trial.over or trial.under_way:
        return False
    return tally.place[other] < tally.place[host]


def order(
    fleet: Fleet, hosts: tuple[str, ...], carriers: Mapping[str, frozenset[str] | None]
) -> tuple[str, ...]:
    """The order in which `hosts` would go on trial, as far as it can be said now."""
    ordered: list[str] = []
    for stage in fleet.stages:
        left = {host: None for host in fleet.hosts_in(stage.name) if host in hosts}
        of_peers: dict[str, list[str]] = {}
        for host in left:
            of_peers.setdefault(fleet.group_of(host) or host, []).append(host)
        for host in left:
            peers = of_peers[fleet.group_of(host) or host]
            first = _first(tuple(peers), fleet, carriers)
            peers.remove(first)
            ordered.append(first)
    return tuple(ordered)


def _first(left: tuple[str, ...], fleet: Fleet, carriers: Mapping[str, frozenset[str] | None]) -> str:
    resting = [host for host in left if host not in (carriers.get(fleet.group_of(host) or "") or ())]
    return (resting or left)[0]


def _many(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
