"""Decide: a trial's state, what its host shows now and the terms in, the next Action out. Pure, and total.

What is in: every rule of a Trial. What is not: doing anything. A turn of the engine looks, asks here, and does what
comes back; after a crash the next turn looks again, so that the answer never depends on what a dead controller was
about to do, only on the journal and on the world. UNKNOWN never moves a trial forward.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatrial.model.fleet import Policy
from seatrial.model.fold import TrialState
from seatrial.model.hostfacts import Sight
from seatrial.model.result import Outcome
from seatrial.model.text import duration
from seatrial.model.trial import State
from seatrial.rollout.measured import hopeless, is_used_up, lacks_good, lacks_peer, longest, verdict_of

MAX_TRIES = 3
POLL = 1.0
REBOOT_ASKED = 90.0
# What is left on the guard's clock when an unclear trial is given up: time for an orderly way back.
RESERVE = 20.0


class Act(enum.StrEnum):
    """A deed in the world. Each can be repeated: it looks before it acts, or does the same thing again."""

    PREFLIGHT = "preflight"
    BASELINE = "baseline"
    MEASURE = "measure"
    DRAIN = "drain"
    ARM = "arm"
    REBOOT = "reboot"
    ATTRACT = "attract"
    EXERCISE = "exercise"
    SOAK = "soak"
    EXTEND = "extend"
    BLESS = "bless"
    REVERT = "revert"
    DISARM = "disarm"
    PROOF = "proof"
    SILENCE = "silence"
    UNSILENCE = "unsilence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Perform an act, after its intent is in the journal."""

    act: Act
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The trial has reached another state: write it down."""

    to: State
    because: str
    hint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do yet; look again in `seconds`."""

    seconds: float
    because: str


Action = Do | Move | Wait


class Cause(enum.StrEnum):
    """Why a trial reverts. FAILED and DIED are held against the kernel, the others are not."""

    FAILED = "failed"
    DIED = "died"
    UNCLEAR = "unclear"
    ABORTED = "aborted"


def _revert(cause: Cause, because: str, **facts: Any) -> Move:
    return Move(to=State.REVERTING, because=because, facts={"cause": str(cause), **facts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look showed. `sight` is None when the host did not answer.

    `carriers` are the hosts of its group that carry the traffic: none for a host without peers, None when it cannot be
    told.
    """

    sight: Sight | None
    carriers: frozenset[str] | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the trial is about: which host, which kernel, under which policy, and whether a person said stop.

    `is_aborted`: it goes back. `is_held`: it stays where it is, on the candidate with its guard, and is not judged.
    `upgraded` are the hosts that run the candidate since their own trials of this rollout. `earlier` are the stretches
    of the good kernel that were measured for those trials. `silences` are those that are declared for the host.
    """

    trial: str
    host: str
    candidate: str
    policy: Policy
    peers: tuple[str, ...] = ()
    silences: tuple[str, ...] = ()
    upgraded: frozenset[str] = frozenset()
    earlier: tuple[Mapping[str, Any], ...] = ()
    abort: str = ""
    is_aborted: bool = False
    is_held: bool = False

    @property
    def good_peers(self) -> tuple[str, ...]:
        """The peers that may be measured as good."""
        return tuple(peer for peer in self.peers if peer not in self.upgraded)


def decide(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    """The next Action of a trial that is not over."""
    match trial.state:
        case State.PLANNED:
            return _planned(trial, seen, terms)
        case State.PREFLIGHT:
            return _preflight(trial, seen, terms)
        case State.DRAINED:
            return _drained(trial, seen, terms)
        case State.ARMED:
            return _armed(trial, seen, terms)
        case State.REBOOTING:
            return _rebooting(trial, seen, terms)
        case State.ON_TRIAL:
            return _on_trial(trial, seen, terms)
        case State.EXERCISED:
            how = "until the measurements decide" if terms.policy.measure else ""
            how = how or f"for {duration(terms.policy.soak)}"
            return Move(to=State.SOAKING, because=f"the flows go on {how}")
        case State.SOAKING:
            return _soaking(trial, seen, terms)
        case State.REVERTING:
            return _reverting(trial, seen, terms)
    raise ValueError(f"the trial of {trial.host} is over: {trial.state}")


def _elapsed(trial: TrialState, seen: Seen) -> float:
    return (seen.now - trial.since).total_seconds() if trial.since else 0.0


def _planned(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    if terms.is_aborted:
        return Move(to=State.UNDONE, because=f"aborted before anything was changed: {terms.abort}")
    checked = trial.rounds.get(Act.PREFLIGHT)
    if checked is None:
        if trial.tries.get(Act.PREFLIGHT, 0) >= MAX_TRIES and trial.intent != Act.PREFLIGHT:
            return Move(
                to=State.REFUSED,
                because=trial.problem or f"{terms.host} does not answer",
                hint=trial.problem_hint,
            )
        return Do(act=Act.PREFLIGHT)
    if checked.outcome is not Outcome.PASS:
        return Move(to=State.REFUSED, because=checked.because or "nothing was answered", hint=checked.hint)
    before = trial.rounds.get(Act.BASELINE)
    # What is not known is asked again before it is a reason to refuse.
    unknown = before is None or before.outcome is Outcome.UNKNOWN
    if unknown and trial.tries.get(Act.BASELINE, 0) < MAX_TRIES:
        return Do(act=Act.BASELINE)
    if before is None:
        return Move(
            to=State.REFUSED, because=trial.problem or "no flow could be probed", hint=trial.problem_hint
        )
    if before.outcome is not Outcome.PASS:
        return Move(
            to=State.REFUSED,
            because=f"the platform does not work before anything was changed: {before.because or 'no flow was probed'}",
            hint=before.hint or "mend it first: what fails already cannot be held against a kernel",
        )
    if why := lacks_peer(terms.policy, terms.peers, terms.good_peers):
        why = f"{terms.host} is to be measured against a peer, and {why}"
        return Move(to=State.REFUSED, because=why, hint="write `against: before` into the policy's `measure`")
    if lacks_good(trial, terms.policy):
        if why := hopeless(trial, terms.policy, trial.tries.get(Act.MEASURE, 0)):
            hint = "give it load (`drive`), or ask for less of it under `load` in the policy"
            return Move(to=State.REFUSED, because=why, hint=hint)
        return Do(act=Act.MEASURE)
    if seen.sight is None:
        return Wait(seconds=POLL, because=f"{terms.host} does not answer")
    return Move(to=State.PREFLIGHT, because="there is a way back", facts={"good": seen.sight.boot.running})


def _preflight(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    if terms.is_aborted:
        return Move(to=State.UNDONE, because=f"aborted before anything was changed: {terms.abort}")
    if not terms.peers:
        return Move(to=State.DRAINED, because="it has no peer to move traffic to")
    if seen.carriers and terms.host not in seen.carriers:
        verb = "carries" if len(seen.carriers) == 1 else "carry"
        return Move(to=State.DRAINED, because=f"{' and '.join(sorted(seen.carriers))} {verb} the traffic")
    if trial.tries.get(Act.DRAIN, 0) >= MAX_TRIES:
        return Move(
            to=State.UNDONE,
            because=f"the traffic did not leave {terms.host}: {trial.problem}",
            hint=trial.problem_hint,
        )
    if not seen.carriers and _elapsed(trial, seen) < REBOOT_ASKED:
        return Wait(seconds=POLL, because="it cannot be told who carries the traffic")
    return Do(act=Act.DRAIN)


def _drained(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    if seen.sight is None:
        return _no_answer(trial, seen, terms)
    guard = seen.sight.guard
    armed = guard.phase == "armed" and guard.trial == terms.trial
    if terms.is_aborted or trial.tries.get(Act.ARM, 0) > MAX_TRIES:
        why = (
            f"aborted: {terms.abort}"
            if terms.is_aborted
            else f"the guard could not be armed: {trial.problem}"
        )
        return _undo(trial, seen, why, trial.problem_hint)
    if armed:
        return Move(
            to=State.ARMED,
            because=f"back to {guard.good} in {duration(guard.deadline)} unless blessed",
            facts={"armed_boot_id": guard.armed_boot_id, "deadline": guard.deadline},
        )
    if trial.tries.get(Act.ARM, 0) >= MAX_TRIES:
        return _undo(trial, seen, f"the guard could not be armed: {trial.problem}", trial.problem_hint)
    return Do(act=Act.ARM)


def _armed(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    asked = trial.tries.get(Act.REBOOT, 0)
    if seen.sight is None:
        if asked:
            return Move(to=State.REBOOTING, because="it stopped answering after the reboot was asked for")
        return _no_answer(trial, seen, terms)
    if seen.sight.boot.boot_id != trial.facts.get("armed_boot_id"):
        return Move(to=State.REBOOTING, because="its boot id has changed")
    if terms.is_aborted and not asked:
        return _undo(trial, seen, f"aborted: {terms.abort}")
    if not asked:
        return Do(act=Act.REBOOT)
    since = (seen.now - trial.intent_at).total_seconds() if trial.intent_at else _elapsed(trial, seen)
    if trial.intent != Act.REBOOT and not trial.problem and since < REBOOT_ASKED * asked:
        return Wait(seconds=POLL, because="it is going down")
    if asked < MAX_TRIES:
        return Do(act=Act.REBOOT)
    return _undo(
        trial, seen, f"it did not reboot: {trial.problem or 'the request had no effect'}", trial.problem_hint
    )


def _undo(trial: TrialState, seen: Seen, because: str, hint: str = "") -> Action:
    """Take the guard and the one-shot boot away again, as long as the host still runs the kernel it had."""
    assert seen.sight is not None
    clean = seen.sight.guard.phase in ("absent", "disarmed") and seen.sight.boot.next is None
    if clean:
        return Move(to=State.UNDONE, because=because, hint=hint)
    if trial.tries.get(Act.DISARM, 0) >= MAX_TRIES:
        return Move(
            to=State.STUCK,
            because=f"{because}; and the guard could not be disarmed: {trial.problem}",
            hint=trial.problem_hint,
        )
    return Do(act=Act.DISARM)


def _no_answer(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    if _elapsed(trial, seen) < terms.policy.reboot + terms.policy.guard:
        return Wait(seconds=POLL, because=f"{terms.host} does not answer")
    return Move(
        to=State.STUCK,
        because=f"{terms.host} has not answered for {duration(_elapsed(trial, seen))}, and it was not rebooted by Seatrial",
        hint="look at its console; the good kernel is still its default",
    )


def _rebooting(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    limit = _longest_way(terms)
    if seen.sight is None:
        if _elapsed(trial, seen) < limit:
            return Wait(
                seconds=POLL,
                because=f"no answer yet; at the latest after {duration(limit)} the guard has brought it back",
            )
        return Move(
            to=State.STUCK,
            because=f"{terms.host} has not come back for {duration(_elapsed(trial, seen))}, neither on {terms.candidate} nor on the good kernel",
            hint="look at its console: firmware, hardware or a key press may hold it; the good kernel is its default",
        )
    boot = seen.sight.boot
    if boot.boot_id == trial.facts.get("armed_boot_id"):
        # It was only out of reach for a moment: nothing has been rebooted yet.
        if _elapsed(trial, seen) < REBOOT_ASKED:
            return Wait(seconds=POLL, because="it still runs the boot from before")
        if trial.tries.get(Act.REBOOT, 0) < MAX_TRIES:
            return Do(act=Act.REBOOT)
        return Move(
            to=State.STUCK,
            because="it does not reboot",
            hint="systemctl list-jobs on the host says what holds the shutdown",
        )
    if boot.running == terms.candidate:
        return Move(
            to=State.ON_TRIAL,
            because=f"{boot.running} is up, its boot id has changed",
            facts={"trial_boot_id": boot.boot_id},
        )
    report = seen.sight.guard.because
    because = f"it came back on {boot.running} by itself" + (f": {report}" if report else "")
    return _revert(Cause.DIED, because, guard_report=report)


def _lost_candidate(trial: TrialState, seen: Seen, terms: Terms) -> Action | None:
    """The rules of every state in which the candidate should be running."""
    if seen.sight is None:
        if _elapsed(trial, seen) < min(60.0, terms.policy.guard / 2):
            return Wait(seconds=POLL, because="no answer; the guard's clock runs")
        return _revert(Cause.DIED, f"{terms.host} stopped answering while on trial; its guard brings it back")
    boot = seen.sight.boot
    if boot.running != terms.candidate or boot.boot_id != trial.facts.get("trial_boot_id"):
        return _revert(
            Cause.DIED,
            f"it rebooted while on trial and runs {boot.running} now",
            guard_report=seen.sight.guard.because,
        )
    if terms.is_aborted:
        return _revert(Cause.ABORTED, f"aborted: {terms.abort}")
    if terms.is_held:
        return _held(trial, seen, terms)
    return None


def _held(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    """A person wants to look at it: the guard gets more time before its clock runs out, as often as it takes."""
    if _time_left(seen) >= max(2 * RESERVE, terms.policy.guard / 3):
        return Wait(seconds=POLL, because=f"held: {terms.abort}")
    if trial.problem:
        return _revert(Cause.ABORTED, f"it could not be held any longer: {trial.problem}")
    return Do(act=Act.EXTEND)


def _time_left(seen: Seen) -> float:
    assert seen.sight is not None
    return seen.sight.guard.deadline - seen.sight.boot.uptime


def _on_trial(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    if (lost := _lost_candidate(trial, seen, terms)) is not None:
        return lost
    done = trial.rounds.get(Act.EXERCISE)
    fresh = done is not None and done.boot_id == trial.facts.get("trial_boot_id")
    if fresh and done is not None and done.outcome is Outcome.PASS:
        return Move(to=State.EXERCISED, because=f"{terms.host} carried the traffic")
    if fresh and done is not None and done.outcome is Outcome.FAIL:
        return _revert(Cause.FAILED, str(trial.diagnosis.get("because") or done.because))
    if _time_left(seen) < RESERVE:
        why = done.because if fresh and done is not None else trial.problem or "no answer was complete"
        return _revert(
            Cause.UNCLEAR, f"the guard's time is nearly up and it is not known whether it works: {why}"
        )
    if terms.peers and terms.host not in (seen.carriers or ()):
        if trial.tries.get(Act.ATTRACT, 0) >= MAX_TRIES:
            return _revert(
                Cause.UNCLEAR,
                f"the traffic did not come to {terms.host}: {trial.problem or 'it did not move'}",
            )
        return Do(act=Act.ATTRACT)
    return Do(act=Act.EXERCISE)


def _soaking(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    if seen.sight is not None and _is_blessed(seen.sight, trial, terms):
        return Move(to=State.BLESSED, because=f"{terms.candidate} is the default now")
    if seen.sight is None and trial.tries.get(Act.BLESS, 0) and _elapsed(trial, seen) < _longest_way(terms):
        # It may have been blessed: then it must not be sent back, and only the host can say.
        return Wait(seconds=POLL, because=f"{terms.host} does not answer since its blessing")
    if (lost := _lost_candidate(trial, seen, terms)) is not None:
        return lost
    last = trial.rounds.get(Act.SOAK)
    current = last is not None and last.boot_id == trial.facts.get("trial_boot_id")
    if last is not None and current and last.outcome is Outcome.FAIL:
        return _revert(Cause.FAILED, str(trial.diagnosis.get("because") or last.because))
    measuring = terms.policy.measure is not None
    measured, why = verdict_of(trial)
    if measuring and measured is Outcome.FAIL:
        return _revert(Cause.FAILED, why)
    if trial.tries.get(Act.BLESS, 0) >= MAX_TRIES:
        return _revert(Cause.UNCLEAR, f"it could not be blessed: {trial.problem}")
    # What was seen may be older than the move to this state; no soak is over at once all the same.
    short = terms.policy.soak == 0 and not measuring
    soaked = short or _elapsed(trial, seen) >= terms.policy.soak
    proven = short or (last is not None and current and last.outcome is Outcome.PASS)
    if soaked and proven and (not measuring or measured is Outcome.PASS):
        return Do(act=Act.BLESS)
    if measuring and (is_used_up(trial, terms.policy) or _elapsed(trial, seen) >= longest(terms.policy)):
        return _revert(
            Cause.UNCLEAR, f"after {duration(_elapsed(trial, seen))} of soak it is not known: {why}"
        )
    if _time_left(seen) < max(2 * RESERVE, terms.policy.guard / 3):
        if soaked and not measuring:
            return _revert(
                Cause.UNCLEAR,
                f"the soak is over and it is not known whether it works: {last.because if last else ''}",
            )
        if trial.tries.get(Act.EXTEND, 0) < MAX_TRIES + longest(terms.policy) / 60:
            return Do(act=Act.EXTEND)
        return _revert(Cause.UNCLEAR, f"the guard would not give more time: {trial.problem}")
    return Do(act=Act.SOAK)


def _longest_way(terms: Terms) -> float:
    """Seconds after which a guard has brought a host back, whatever happened."""
    return terms.policy.guard + 2 * terms.policy.reboot


def _is_blessed(sight: Sight, trial: TrialState, terms: Terms) -> bool:
    guard = sight.guard
    return (
        guard.phase == "blessed"
        and guard.trial == terms.trial
        and guard.blessed_boot_id == trial.facts.get("trial_boot_id")
        and sight.boot.default == terms.candidate
    )


def _reverting(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    limit = _longest_way(terms)
    if seen.sight is None:
        if _elapsed(trial, seen) < limit:
            return Wait(seconds=POLL, because="it is on its way back to the good kernel")
        return Move(
            to=State.STUCK,
            because=f"{terms.host} has not come back for {duration(_elapsed(trial, seen))}",
            hint="look at its console; the good kernel is its default",
        )
    boot = seen.sight.boot
    if boot.running == terms.candidate and boot.boot_id == trial.facts.get("trial_boot_id", boot.boot_id):
        return _send_back(trial, seen, terms)
    if boot.running == terms.candidate:
        # The candidate again, in another boot: only a default that somebody changed explains it.
        if trial.tries.get(Act.REVERT, 0) < 2 * MAX_TRIES:
            return Do(act=Act.REVERT)
        return Move(
            to=State.STUCK,
            because=f"it boots {terms.candidate} again and again",
            hint="somebody made it the default: grub-editenv list",
        )
    proof = trial.rounds.get(Act.PROOF)
    if proof is None or (proof.outcome is not Outcome.PASS and trial.tries.get(Act.PROOF, 0) < MAX_TRIES):
        return Do(act=Act.PROOF)
    if proof.outcome is Outcome.PASS:
        return Move(to=State.REVERTED, because=f"{boot.running} runs again and carries the traffic")
    return Move(
        to=State.STUCK,
        because=f"{boot.running} runs again, but the traffic is not proven: {proof.because or 'nothing was answered'}",
        hint=proof.hint or "the kernel was not the only thing that changed",
    )


def _send_back(trial: TrialState, seen: Seen, terms: Terms) -> Action:
    """Traffic first, where a peer can take it; then the reboot."""
    if terms.peers and terms.host in (seen.carriers or ()) and trial.tries.get(Act.DRAIN, 0) < 1:
        return Do(act=Act.DRAIN)
    asked = trial.tries.get(Act.REVERT, 0)
    if (
        not asked
        or trial.intent == Act.REVERT
        or trial.problem
        or _elapsed(trial, seen) > REBOOT_ASKED * asked
    ):
        if asked < MAX_TRIES:
            return Do(act=Act.REVERT)
        if _elapsed(trial, seen) > terms.policy.guard + terms.policy.reboot:
            return Move(
                to=State.STUCK, because=f"it does not reboot: {trial.problem}", hint="look at its console"
            )
    return Wait(seconds=POLL, because="it is going down")
