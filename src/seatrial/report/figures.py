"""Figures in Prometheus' text format: those of one run, and those of a watch. Pure.

What is in: the table of all metrics, which docs/watch.md shows, and their exposition. What is not: who serves them
(web/figures.py), and counting over rounds (report/watched.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seatrial.model.change import Change, Comparison
from seatrial.model.result import Outcome, Result, figure
from seatrial.model.text import safe
from seatrial.report.formats import asked_and_failed

LONGEST_LABEL = 200
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric family; `only` is the one command that has it, "" for those of `check` and `watch`."""

    name: str
    kind: str
    labels: str
    says: str
    only: str = ""


def _gauge(name: str, labels: str, says: str, *, only: str = "") -> Metric:
    return Metric(name=f"seatrial_{name}", kind="gauge", labels=labels, says=says, only=only)


def _counter(name: str, labels: str, says: str) -> Metric:
    return Metric(name=f"seatrial_{name}_total", kind="counter", labels=labels, says=says, only="watch")


METRICS: tuple[Metric, ...] = (
    _gauge("check_outcome", "check, vantage, outcome", "1 for the outcome that a check or flow had."),
    _gauge("check_asked", "check, vantage", "How often it was asked in the run, over its retries or rounds."),
    _gauge("check_failed", "check, vantage", "How often it failed in the run: less than asked is flaky."),
    _gauge("check_lost_ratio", "check, vantage", "Share of its packets that were lost."),
    _gauge("check_rtt_seconds", "check, vantage", "Median round trip of its packets."),
    _gauge("check_duration_seconds", "check, vantage", "How long the asking took."),
    _gauge(
        "check_change",
        "check, vantage, change",
        "1 for what became of it since the baseline.",
        only="check --baseline",
    ),
    _gauge(
        "check_last_asked_timestamp_seconds",
        "check, vantage",
        "When it was asked last; it stands still while a place that it needs is silent.",
        only="watch",
    ),
    _counter("check_results", "check, vantage, outcome", "Rounds of the watch with this outcome."),
    _counter("check_packets_sent", "check, vantage", "Probe packets of a flow or ping."),
    _counter("check_packets_lost", "check, vantage", "Those of them that were not answered."),
    _gauge("diagnosis_info", "components, rank", "1 for what explains the failures best, now.", only="watch"),
    _gauge("vantage_up", "vantage", "1 while the place answers us.", only="watch"),
    _gauge("vantage_last_answer_timestamp_seconds", "vantage", "When the place answered last.", only="watch"),
    _counter("watch_rounds", "", "Rounds that have ended."),
    _counter("watch_rounds_skipped", "", "Rounds that were due while a slow one was still running."),
    _counter("watch_rounds_broken", "", "Rounds that ended in a fault of Seatrial's own."),
    _gauge("watch_round_seconds", "", "How long the last round took.", only="watch"),
    _gauge("watch_interval_seconds", "", "How far apart rounds are meant to begin.", only="watch"),
    _gauge("watch_last_round_timestamp_seconds", "", "When the last round ended.", only="watch"),
    _gauge("watch_start_timestamp_seconds", "", "When the watch began.", only="watch"),
    _gauge("build_info", "version", "1, with the version of Seatrial.", only="watch"),
)


def as_prometheus(results: Sequence[Result], *, compared: Comparison | None = None) -> str:
    """The figures of one run."""
    return exposed((*of_results(results), *_of_changes(compared)))


def of_results(results: Iterable[Result]) -> Iterator[Sample]:
    """The samples that Results have by themselves."""
    for result in results:
        labels = labels_of(result)
        for outcome in Outcome:
            is_so = float(result.outcome is outcome)
            yield "seatrial_check_outcome", {**labels, "outcome": outcome.value}, is_so
        asked, failed = asked_and_failed(result)
        yield "seatrial_check_asked", labels, asked
        yield "seatrial_check_failed", labels, failed
        yield "seatrial_check_duration_seconds", labels, result.seconds
        for key, name, unit in (("lost", "lost_ratio", 100.0), ("rtt_ms", "rtt_seconds", 1000.0)):
            if (value := figure(result, key)) is not None:
                yield f"seatrial_check_{name}", labels, value / unit


def _of_changes(compared: Comparison | None) -> Iterator[Sample]:
    for row in compared.rows if compared else ():
        for change in Change:
            labels = {**labels_of(row.result), "change": change.value}
            yield "seatrial_check_change", labels, float(row.change is change)
    for before in compared.missing if compared else ():
        yield "seatrial_check_change", {**labels_of(before), "change": "missing"}, 1.0


def labels_of(result: Result) -> dict[str, str]:
    """The labels that tell a check or flow from all others."""
    return {"check": result.check, "vantage": result.vantage}


def exposed(samples: Iterable[Sample]) -> str:
    """The text format of the table of all metrics of `check` and `watch`."""
    return exposed_as(METRICS, samples)


def exposed_as(metrics: Sequence[Metric], samples: Iterable[Sample]) -> str:
    """The text format: families in the order of a table, each with its help and kind, none without a sample."""
    lines: dict[str, dict[str, str]] = {metric.name: {} for metric in metrics}
    for name, labels, value in samples:
        inner = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        series = f"{name}{{{inner}}}" if inner else name
        # A series that came twice would make all of it unreadable: the first one stays.
        lines[name].setdefault(series, f"{series} {_value(value)}")
    told = []
    for metric in metrics:
        if lines[metric.name]:
            told += [f"# HELP {metric.name} {metric.says}", f"# TYPE {metric.name} {metric.kind}"]
            told += lines[metric.name].values()
    return "\n".join(told) + "\n"


def _label(text: str) -> str:
    shown = safe(text)[:LONGEST_LABEL].encode("utf-8", "replace").decode("utf-8")
    return shown.replace("\\", "\\\\").replace('"', '\\"')


def _value(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    whole = math.isfinite(value) and value == int(value)
    return str(int(value)) if whole else repr(value)
