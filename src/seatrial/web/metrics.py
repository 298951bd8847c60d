"""The figures of `serve` for Prometheus: rollouts, trials, hosts, checks, drift, failovers and the journal itself.

What is in: a table of all families, and one collection of them from what the pages know. Counts are over all hosts; a series
for a host there is only while that host is on trial, and for a bounded number of them, so that ten thousand hosts cost as
much as ten. What is not: figures of a watch (report/figures.py), who may read these (guarding.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from seatrial import __version__
from seatrial.clock import Clock
from seatrial.model.finding import Severity
from seatrial.model.result import Outcome
from seatrial.model.text import safe
from seatrial.model.trial import State
from seatrial.model.trialstate import TrialState
from seatrial.web.following import Following
from seatrial.web.told import Told
from seatrial.web.views.board import kernel_of
from seatrial.web.views.drift import severities
from seatrial.web.views.failover import stuck_groups
from seatrial.web.views.guard import given_of
from seatrial.web.views.now import stages_that_wait

# Series of single hosts, of kernels and of rollouts: the most there may be of each.
MOST_ON_TRIAL = 100
MOST_KERNELS = 20
MOST_ROLLOUTS = 20
MOST_TEXT = 200
OUTCOMES = ("running", "blessed", "reverted", "refused", "undone", "stuck", "aborted")
ENDINGS = ("under way", "moved", "back", "refused", "undone", "stuck")
OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric family: `unit` is the last part of its name, as OpenMetrics wants it, "" for counts."""

    name: str
    says: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    kind: str = "gauge"


FAMILIES: tuple[Family, ...] = (
    Family(name="seatrial_build", kind="info", says="The version of Seatrial.", labels=("version",)),
    Family(name="seatrial_rollouts", says="Rollouts by how they ended.", labels=("outcome",)),
    Family(name="seatrial_rollout_trials", says="Hosts of a rollout that is not over, by the state of their trial.",
           labels=("rollout", "stage", "state")),
    Family(name="seatrial_rollout_paused", says="1 while a person has paused it.", labels=("rollout",)),
    Family(name="seatrial_rollout_held", says="1 while it waits for something, and 0 with no reason while it goes on.",
           labels=("rollout", "because")),
    Family(name="seatrial_rollout_wants_approval", says="1 while a person's approval is wanted for a stage.",
           labels=("rollout", "stage")),
    Family(name="seatrial_rollout_started_timestamp_seconds", unit="seconds", says="When it began.", labels=("rollout",)),
    Family(name="seatrial_hosts", says="Hosts of the latest rollout, by the kernel that they run as far as is known.",
           labels=("kernel",)),
    Family(name="seatrial_trials_under_way", says="Hosts on trial now."),
    Family(name="seatrial_trial_oldest_age_seconds", unit="seconds",
           says="How long ago the oldest trial under way began; 0 without any."),
    Family(name="seatrial_trial_guard_next_deadline_timestamp_seconds", unit="seconds",
           says="When the next guard sends its host back unless it is blessed; absent while none counts."),
    Family(name="seatrial_trial_state_since_timestamp_seconds", unit="seconds",
           says="Since when a host on trial is in its state.", labels=("rollout", "host", "state")),
    Family(name="seatrial_trial_guard_deadline_timestamp_seconds", unit="seconds",
           says="When a host's guard sends it back unless it is blessed.", labels=("rollout", "host")),
    Family(name="seatrial_trial_checks", says="Flows and checks of the hosts on trial, as they were asked last.",
           labels=("outcome",)),
    Family(name="seatrial_results", kind="counter", says="Answers of flows and checks since this server began.",
           labels=("purpose", "outcome")),
    Family(name="seatrial_failovers", says="The newest failovers by how they ended.", labels=("outcome",)),
    Family(name="seatrial_failover_stuck_groups", says="Groups whose newest failover is stuck."),
    Family(name="seatrial_fleet_drift_findings", says="Findings of the newest audits that nobody has accepted.",
           labels=("severity",)),
    Family(name="seatrial_fleet_drift_unknown", says="Questions of the newest audits that had no answer."),
    Family(name="seatrial_fleet_drift_hosts", says="Hosts that were audited."),
    Family(name="seatrial_fleet_drift_oldest_audit_timestamp_seconds", unit="seconds",
           says="When the host was audited whose audit is the oldest; absent without any."),
    Family(name="seatrial_kernels", says="Kernels that are remembered, by role and verdict.", labels=("verdict",)),
    Family(name="seatrial_journal_up", says="1 while the journal answers."),
    Family(name="seatrial_journal_events", kind="counter", says="The place of the newest Event."),
    Family(name="seatrial_journal_last_event_timestamp_seconds", unit="seconds", says="When the newest Event happened."),
    Family(name="seatrial_page_viewers", says="Browsers that follow live."),
)  # fmt: skip

Rows = Iterable[tuple[tuple[str, ...], float]]


def exposed(following: Following, clock: Clock, accept: str) -> tuple[bytes, str]:
    """All figures, and their media type: OpenMetrics for whoever accepts it, else the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Collected(following, clock.now()))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Collected(Collector):
    """The figures at one moment."""

    def __init__(self, following: Following, now: datetime) -> None:
        self._following = following
        self._now = now

    def describe(self) -> Iterator[Metric]:
        """The families are known beforehand, so nothing is collected in order to register."""
        for family in FAMILIES:
            yield _family(family, ())

    def collect(self) -> Iterator[Metric]:
        """Every family, in the order of the table."""
        figures = _figures(self._following, self._now)
        for family in FAMILIES:
            yield _family(family, figures.get(family.name, ()))


def _family(family: Family, rows: Rows) -> Metric:
    made: GaugeMetricFamily | CounterMetricFamily
    if family.kind == "info":
        return InfoMetricFamily(family.name, family.says, value={"version": __version__})
    if family.kind == "counter":
        made = CounterMetricFamily(family.name, family.says, labels=family.labels)
    else:
        made = GaugeMetricFamily(family.name, family.says, labels=family.labels, unit=family.unit)
    for labels, value in rows:
        made.add_metric([safe(label)[:MOST_TEXT] for label in labels], value)
    return made


def _figures(following: Following, now: datetime) -> dict[str, Rows]:
    with following.lock:
        heads = list(following.heads.values())
        running = following.running[-MOST_ROLLOUTS:]
        moved = list(following.failovers.values())
        audits = list(following.audits.values())
        counted = dict(following.counted)
    ended = Counter(head.state.outcome or "running" for head in heads)
    endings = Counter(one.outcome or "under way" for one in moved)
    verdicts = Counter("good" if one.good else "bad" for one in following.verdicts.values())
    unknown = sum(1 for one in audits for some in one.data.get("unread", ()) if not some.get("skipped"))
    oldest = min((one.at for one in audits), default=None)
    return {
        "seatrial_rollouts": _counts(ended, OUTCOMES),
        **_of_rollouts(running),
        "seatrial_hosts": _kernels(following.latest),
        **_of_trials(
            [(told, one) for told in running for one in told.state.trials.values() if one.under_way], now
        ),
        "seatrial_results": [(key, float(number)) for key, number in sorted(counted.items())],
        "seatrial_failovers": _counts(endings, ENDINGS),
        "seatrial_failover_stuck_groups": [((), float(len(stuck_groups(moved))))],
        "seatrial_fleet_drift_findings": _counts(Counter(severities(following)), tuple(map(str, Severity))),
        "seatrial_fleet_drift_unknown": [((), float(unknown))],
        "seatrial_fleet_drift_hosts": [((), float(len(audits)))],
        "seatrial_fleet_drift_oldest_audit_timestamp_seconds": [((), oldest.timestamp())] if oldest else [],
        "seatrial_kernels": _counts(verdicts, ("good", "bad")),
        "seatrial_journal_up": [((), 0.0 if following.problem else 1.0)],
        "seatrial_journal_events": [((), float(following.seq))],
        "seatrial_journal_last_event_timestamp_seconds": [((), following.at)] if following.seq else [],
        "seatrial_page_viewers": [((), float(following.viewers))],
    }


def _counts(counted: Counter[str], words: tuple[str, ...]) -> Rows:
    """Every word, also with 0, so that a series is there before it is needed."""
    return [((word,), float(counted[word])) for word in words]


def _of_rollouts(running: list[Told]) -> dict[str, Rows]:
    trials: list[tuple[tuple[str, ...], float]] = []
    for told in running:
        fleet = told.fleet
        counted = Counter(
            (fleet.hosts[one.host].stage if fleet and one.host in fleet.hosts else "", str(one.state))
            for one in told.state.trials.values()
        )
        stages = dict.fromkeys(stage for stage, _ in counted)
        trials += [
            ((told.state.id, stage, str(state)), float(counted[stage, str(state)]))
            for stage in stages
            for state in State
        ]
    return {
        "seatrial_rollout_trials": trials,
        "seatrial_rollout_paused": [((one.state.id,), float(one.state.is_paused)) for one in running],
        "seatrial_rollout_held": [
            ((one.state.id, one.state.held), float(bool(one.state.held))) for one in running
        ],
        "seatrial_rollout_wants_approval": [
            ((one.state.id, stage), 1.0) for one in running for stage in stages_that_wait(one)
        ],
        "seatrial_rollout_started_timestamp_seconds": [
            ((one.state.id,), one.state.started.timestamp()) for one in running if one.state.started
        ],
    }


def _kernels(told: Told | None) -> Rows:
    if told is None:
        return []
    trials = told.state.trials.values()
    counted = Counter(kernel_of(one, told.state.candidate) or "unknown" for one in trials)
    first = counted.most_common(MOST_KERNELS)
    rest = sum(counted.values()) - sum(number for _, number in first)
    return [((kernel,), float(number)) for kernel, number in [*first, *([(OTHER, rest)] if rest else [])]]


def _of_trials(going: list[tuple[Told, TrialState]], now: datetime) -> dict[str, Rows]:
    deadlines = sorted(
        (given[0].timestamp() + given[1], told.state.id, one.host)
        for told, one in going
        if (given := given_of(one)) is not None
    )
    # What has been in its state the longest is what a person asks about.
    longest = sorted(going, key=lambda pair: pair[1].since or now)[:MOST_ON_TRIAL]
    begun = [one.begun or one.since for _, one in going if one.begun or one.since]
    age = max(((now - at).total_seconds() for at in begun if at), default=0.0)
    asked: Counter[str] = Counter()
    for _, one in going:
        last = max(one.rounds.values(), key=lambda round_: round_.at, default=None)
        asked.update(str(result.get("outcome")) for result in (last.results if last else ()))
    return {
        "seatrial_trials_under_way": [((), float(len(going)))],
        "seatrial_trial_oldest_age_seconds": [((), max(age, 0.0))],
        "seatrial_trial_guard_next_deadline_timestamp_seconds": [((), at) for at, _, _ in deadlines[:1]],
        "seatrial_trial_state_since_timestamp_seconds": [
            ((told.state.id, one.host, str(one.state)), one.since.timestamp())
            for told, one in longest
            if one.since
        ],
        "seatrial_trial_guard_deadline_timestamp_seconds": [
            ((name, host), at) for at, name, host in deadlines[:MOST_ON_TRIAL]
        ],
        "seatrial_trial_checks": _counts(asked, tuple(map(str, Outcome))),
    }
