"""What the sampler says, as samples: rates from counters, latencies with the work behind them, gaps where there are gaps.

What is in: the answer's shape, the table of what is measured, and the arithmetic of counters that wrap or are reset by
a reboot. What is not in: running the sampler, and judging (judge.py).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

MOST_SAMPLES = 10_000
MOST_NAMES = 2_000
MOST_MESSAGES = 10
# Between samples that are further apart than so many steps something is missing, and a rate would be a guess.
GAP = 2.5
_NAME = re.compile(r"[A-Za-z0-9_./:@-]{1,200}\Z")

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One run of the sampler: which boot it was on, and the numbers of each sample at its uptime in seconds.

    `new` are the first lines that came into the kernel's log meanwhile. `whole` is false when the sampler did not say
    that it has ended: then it was cut off.
    """

    boot_id: str
    kernel: str
    cpus: int
    t: tuple[float, ...]
    values: tuple[Mapping[str, float], ...]
    whole: bool = True
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """How one series is made of the sampler's numbers. `*` in `of` is what the series' name has there as well.

    `how`: `level` as it is; `rate` of a counter each second; `per`: what was added to `of` for each that was added to
    `by`, with the rate of `by` as work; `share`: how many of `by` were `of`, as counts. More is worse, always.
    `unit` is for people. `scale` is what a value is multiplied by.
    """

    name: str
    how: str
    of: str
    by: str = ""
    unit: str = ""
    scale: float = 1.0
    says: str = ""


METRICS: tuple[Metric, ...] = (
    Metric(name="load.1", how="level", of="load.1", says="load average of one minute"),
    Metric(name="load.5", how="level", of="load.5", says="load average of five minutes"),
    Metric(name="load.15", how="level", of="load.15", says="load average of fifteen minutes"),
    Metric(name="run.queue", how="level", of="run.queue", says="threads that run or want to"),
    Metric(name="blocked", how="level", of="blocked", says="threads in uninterruptible sleep"),
    Metric(name="waiting.*", how="level", of="waiting.*", says="those among them, by name (nfsd, kworker ...)"),
    Metric(name="looked", how="level", of="looked", says="1 where it is known who waits: with thousands of processes it is looked for seldom"),
    Metric(name="context.switches", how="rate", of="context.switches", unit="/s", says="context switches"),
    Metric(name="cpu.busy", how="busy", of="cpu.idle", by="cpu.all", unit="%", scale=100.0, says="time not idle"),
    Metric(name="cpu.softirq", how="part", of="cpu.softirq", by="cpu.all", unit="%", scale=100.0, says="time in soft interrupts"),
    Metric(name="pressure.*", how="rate", of="pressure.*", unit="%", scale=1e-4, says="time in which somebody (some) or everybody (full) waited for cpu, io or memory"),
    Metric(name="disk.*.latency", how="per", of="disk.*.ms", by="disk.*.ops", unit="ms", says="reads and writes of a disk, each"),
    Metric(name="disk.*.queue", how="rate", of="disk.*.queue", scale=1e-3, says="requests of a disk that wait or are served, in the mean"),
    Metric(name="nfsd.bad", how="share", of="nfsd.bad", by="nfsd.calls", says="calls that the NFS server could not read"),
    Metric(name="nfsd.client.*.silent", how="level", of="nfsd.client.*.silent", unit="s", says="since an NFSv4 client was last heard of, by its address"),
    Metric(name="nfsd.client.*.states", how="level", of="nfsd.client.*.states", says="opens, locks and delegations that an NFSv4 client holds"),
    Metric(name="client.*.again", how="share", of="client.*.again", by="client.*.sent", says="TCP segments that were sent again to a client, by its address"),
    Metric(name="mount.*.latency", how="per", of="mount.*.ms", by="mount.*.ops", unit="ms", says="operations of an NFS mount (read, write, getattr ...), from queued to answered"),
    Metric(name="mount.*.again", how="share", of="mount.*.again", by="mount.*.ops", says="operations of an NFS mount that were sent more than once"),
    Metric(name="conntrack.insert_failed", how="rate", of="conntrack.insert_failed", unit="/s", says="connections that found no place in the table"),
    Metric(name="conntrack.drop", how="rate", of="conntrack.drop", unit="/s", says="packets dropped for want of an entry"),
    Metric(name="conntrack.early_drop", how="rate", of="conntrack.early_drop", unit="/s", says="entries dropped since the table was full"),
    Metric(name="softnet.dropped", how="share", of="softnet.dropped", by="softnet.packets", says="packets dropped before the stack saw them"),
    Metric(name="softnet.squeezed", how="rate", of="softnet.squeezed", unit="/s", says="times that soft interrupts ran out of time"),
    Metric(name="net.*.drops", how="share", of="net.*.drops", by="net.*.packets", says="packets that an interface dropped"),
    Metric(name="tcp.again", how="share", of="tcp.again", by="tcp.sent", says="TCP segments that were sent again"),
    Metric(name="kernel.warnings", how="rate", of="kernel.warnings", unit="/s", says="warnings and worse in the kernel's log"),
)  # fmt: skip
# Series that are not made of the sampler's numbers, with the name of what they are read by.
OTHERS: tuple[Metric, ...] = (
    Metric(name="load.NAME.OPERATION", how="per", of="", unit="ms", says="what a load saw of what was done: create, write, sync, read, rename, remove; connect, answer, datagram; command"),
    Metric(name="load.NAME.failed", how="share", of="", says="operations of a load that could not be done"),
    Metric(name="flow.NAME", how="share", of="", says="lost probes of a flow; always judged, where it is measured on both kernels"),
    Metric(name="rtt.NAME", how="level", of="", unit="ms", says="probes of a flow, from sent to answered"),
    Metric(name="promql.NAME", how="level", of="", says="a query of the policy's `promql`, with {labels} where it gives more than one series"),
)  # fmt: skip
_COUNTS = ("load.*.failed", "flow.*")
# Rates of work, which are no better or worse, and what load is recognised by.
WORK: Mapping[str, str] = {
    "nfsd.calls": "calls to the NFS server",
    "nfsd.read": "NFS reads",
    "nfsd.write": "NFS writes",
    "nfsd.write.bytes": "bytes written by NFS clients",
    "nfsd.read.bytes": "bytes read by NFS clients",
    "client.*.bytes": "bytes of a TCP client, both ways, by its address",
    "disk.*.ops": "reads and writes of a disk",
    "net.*.packets": "packets of an interface, both ways",
    "net.*.bytes": "bytes of an interface, both ways",
    "softnet.packets": "packets that the stack saw",
    "context.switches": "context switches",
}


def read(text: str) -> Reading | str:
    """What the sampler wrote, or a sentence that says why it is not understood. A cut-off end is passed over."""
    head: Mapping[str, object] | None = None
    end: Mapping[str, object] | None = None
    t: list[float] = []
    values: list[Mapping[str, float]] = []
    for line in text.splitlines()[: MOST_SAMPLES + 2]:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if not isinstance(said, dict):
            return "the sampler said something that is no sample"
        if head is None:
            head = said
        elif "v" in said:
            at, numbers = number_of(said.get("t")), _numbers(said["v"])
            if at is None or numbers is None:
                return "the sampler said something that is no sample"
            if t and not at > t[-1]:
                return f"the host's uptime does not go forward: {at:.12g} s comes after {t[-1]:.12g} s"
            t.append(at)
            values.append(numbers)
        elif "end" in said:
            end = said
    if head is None or not isinstance(head.get("boot_id"), str) or not isinstance(head.get("kernel"), str):
        return "the sampler did not say which boot it was on"
    cpus = head.get("cpus")
    return Reading(
        boot_id=str(head["boot_id"])[:64],
        kernel=str(head["kernel"])[:100],
        cpus=cpus if isinstance(cpus, int) and 0 < cpus < 100_000 else 1,
        t=tuple(t),
        values=tuple(values),
        whole=end is not None,
        new=_lines(end.get("new") if end else None),
    )


def _lines(said: object) -> tuple[str, ...]:
    return tuple(str(line) for line in said[:MOST_MESSAGES]) if isinstance(said, list) else ()


def samples(reading: Reading, wanted: Sequence[str], *, every: float) -> dict[str, tuple[Row, ...]]:
    """The samples of the series whose names match one of `wanted` (with `*`), by name.

    A row is (t, value), (t, value, work) for latencies or (t, failed, sent) for shares; t is the host's uptime. What
    could not be read has no row.
    """
    found: dict[str, tuple[Row, ...]] = {}
    for metric in METRICS:
        for name, of, by in _names(metric, reading):
            if any(fnmatchcase(name, pattern) for pattern in wanted):
                rows = tuple(_rows(metric, reading, of, by, every))
                if rows:
                    found[name] = rows
    return found


def rates(reading: Reading, name: str, *, every: float) -> tuple[Row, ...]:
    """The rate of one of the sampler's counters, such as those of WORK, as rows of (t, value)."""
    return tuple((t, more / step) for t, (more, step) in _added(reading, name, every).items())


def is_count(name: str) -> bool:
    """Whether the rows of a series are (t, failed, sent)."""
    patterns = (*_COUNTS, *(metric.name for metric in METRICS if metric.how == "share"))
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _names(metric: Metric, reading: Reading) -> Iterator[tuple[str, str, str]]:
    """The series that a metric makes of a reading: its name, and the two numbers that it is made of."""
    if "*" not in metric.of:
        yield metric.name, metric.of, metric.by
        return
    before, _, after = metric.of.partition("*")
    seen = dict.fromkeys(name for values in reading.values for name in values)
    for name in seen:
        if name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after):
            middle = name[len(before) : len(name) - len(after)]
            yield metric.name.replace("*", middle), name, metric.by.replace("*", middle)


def _rows(metric: Metric, reading: Reading, of: str, by: str, every: float) -> Iterator[Row]:
    if metric.how == "level":
        for t, values in zip(reading.t, reading.values, strict=True):
            # Whom nobody saw waiting did not wait, where it was looked for.
            looked = of.startswith("waiting.") and ("looked" in values or values.get("blocked") == 0.0)
            value = values.get(of, 0.0 if looked else None)
            if value is not None:
                yield t, value * metric.scale
        return
    added = _added(reading, of, every)
    if metric.how == "rate":
        yield from ((t, more / step * metric.scale) for t, (more, step) in added.items())
        return
    for t, (below, step) in _added(reading, by, every).items():
        if t not in added or below <= 0:
            continue
        more = added[t][0]
        if metric.how == "per":
            yield t, more / below * metric.scale, below / step
        elif metric.how == "share":
            yield t, min(more, below), below
        else:
            part = min(more / below, 1.0)
            yield t, (1 - part if metric.how == "busy" else part) * metric.scale


def _added(reading: Reading, name: str, every: float) -> dict[float, tuple[float, float]]:
    """What was added to a counter until each sample, and in how many seconds.

    Samples before which it was not read, went back, or too much time had passed are left out.
    """
    found: dict[float, tuple[float, float]] = {}
    for number in range(1, len(reading.t)):
        step = reading.t[number] - reading.t[number - 1]
        old, new = reading.values[number - 1].get(name), reading.values[number].get(name)
        if old is not None and new is not None and new >= old and step <= GAP * every:
            found[reading.t[number]] = (new - old, step)
    return found


def _numbers(said: object) -> Mapping[str, float] | None:
    if not isinstance(said, dict) or len(said) > MOST_NAMES:
        return None
    known = ((name, number_of(value)) for name, value in said.items() if _NAME.match(str(name)))
    return {str(name): value for name, value in known if value is not None}


def number_of(value: object) -> float | None:
    """What a host said where a number is wanted, or None; NaN and infinities are none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def unit_of(series: str) -> str:
    """The unit of a series of a soak, as people write it; "" for a plain number or one not known here."""
    plain = series.rpartition(":")[2]
    # What a load says of itself (loads.py) is how long an operation took.
    if plain.startswith("load.") and plain.count(".") == 2:
        return "ms"
    return next((metric.unit for metric in METRICS if fnmatchcase(plain, metric.name)), "")
