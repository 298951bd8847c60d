"""Is the candidate worse? Seatrial's soak beside Kayenta's judge and a plain Mann-Whitney test, on made-up series.

What is in: false alarms and power with and without memory, heavy tails, a daily cycle, a trend and steps in both arms;
samples until detection; how long 1,000 recorded series take. Seatrial looks at every sample; a false alarm is any look
with E >= 1/alpha, more strictly than its verdict. The other two are re-implemented here from their documented rules
and get one look at the end, or eleven. What is not in: results on disk; the tables go to the terminal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.special import ndtri

from seatrial.model.result import Outcome
from seatrial.soak.evidence import gather, log_evidence
from seatrial.soak.judge import judge
from seatrial.soak.pairs import pair
from seatrial.soak.samples import Arm, Series, read

Floats = npt.NDArray[np.float64]
Make = Callable[[np.random.Generator, int, int], tuple[Floats, Floats]]

ALPHA = 0.01
SIGMA = 0.3
SHORT, LONG = 60, 720
CONFIDENCE, TOLERANCE = 0.98, 0.25
LOOKS = tuple(range(10, 61, 5))
WAITED = (90, 120, 240, 480)


# --- what the series are like; each gives (runs, n) for the good arm and for the candidate, alike ---


def memory(rng: np.random.Generator, runs: int, n: int, phi: float) -> Floats:
    fresh = rng.standard_normal((runs, n))
    fresh[:, 1:] *= np.sqrt(1 - phi * phi)
    made: Floats = lfilter([1.0], [1.0, -phi], fresh, axis=1)
    return made


def autoregressive(phi: float) -> Make:
    return lambda rng, runs, n: (
        np.exp(SIGMA * memory(rng, runs, n, phi)),
        np.exp(SIGMA * memory(rng, runs, n, phi)),
    )


def covered(phi: float) -> Make:
    """Half of the variance is an AR(1), the other half hides it."""

    def one(rng: np.random.Generator, runs: int, n: int) -> Floats:
        both = memory(rng, runs, n, phi) + rng.standard_normal((runs, n))
        return np.asarray(np.exp(SIGMA * both / np.sqrt(2)))

    return lambda rng, runs, n: (one(rng, runs, n), one(rng, runs, n))


def heavy(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats]:
    # The mean of a Pareto with 1.5 exists, its variance does not.
    return 1 + rng.pareto(1.5, (runs, n)), 1 + rng.pareto(1.5, (runs, n))


def additive(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats]:
    return 1 + SIGMA * rng.standard_normal((runs, n)), 1 + SIGMA * rng.standard_normal((runs, n))


def together(level: Callable[[np.random.Generator, int, int], Floats]) -> Make:
    """A level that both arms have, times noise of their own with a little memory."""

    def make(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats]:
        common = level(rng, runs, n)
        good, candidate = autoregressive(0.5)(rng, runs, n)
        return common * good, common * candidate

    return make


def cycle(rng: np.random.Generator, runs: int, n: int) -> Floats:
    phase = rng.uniform(0, 2 * np.pi, (runs, 1))
    return np.asarray(1 + 0.8 * np.sin(2 * np.pi * np.arange(n) / n + phase))


def trend(rng: np.random.Generator, runs: int, n: int) -> Floats:
    return np.asarray(1 + rng.uniform(1, 4, (runs, 1)) * np.arange(n) / n)


def steps(rng: np.random.Generator, runs: int, n: int) -> Floats:
    levels = np.exp(rng.standard_normal((runs, 6)))
    return levels[:, (np.arange(n) * 6) // n]


KINDS: dict[str, Make] = {
    "independent": autoregressive(0.0),
    "AR(1) 0.2": autoregressive(0.2),
    "AR(1) 0.3": autoregressive(0.3),
    "AR(1) 0.5": autoregressive(0.5),
    "AR(1) 0.8": autoregressive(0.8),
    "AR(1) 0.95": autoregressive(0.95),
    "heavy tails": heavy,
    "daily cycle": together(cycle),
    "trend": together(trend),
    "steps": together(steps),
    "0.8, half covered (*)": covered(0.8),
    "0.95, half covered (*)": covered(0.95),
}


# --- the judges ---


def kayenta_and_plain(good: Floats, candidate: Floats) -> tuple[bool, bool]:
    """Kayenta: the lower end of the Hodges-Lehmann interval is above a quarter of the estimate. Plain: p < alpha."""
    n, m = len(good), len(candidate)
    differences = np.sort((candidate[:, None] - good[None, :]).ravel())
    spread = np.sqrt(n * m * (n + m + 1) / 12)
    low = round(n * m / 2 - ndtri((1 + CONFIDENCE) / 2) * spread)
    u = float(np.sum(differences > 0))
    plain = (u - n * m / 2 - 0.5) / spread > ndtri(1 - ALPHA)
    if low < 1:
        return False, bool(plain)
    estimate = float(np.median(differences))
    return bool(differences[low - 1] > TOLERANCE * abs(estimate)), bool(plain)


def series(name: str, good: Floats, candidate: Floats) -> Series:
    t = np.arange(len(good), dtype=np.float64)
    return Series(name=name, good=Arm(t=t, value=good), candidate=Arm(t=t, value=candidate))


def alarmed(good: Floats, candidate: Floats) -> bool:
    """Did any look reach 1/alpha?"""
    pairs = pair(series("s", np.maximum(good, 0), np.maximum(candidate, 0)))
    found = gather([pairs.difference()], pairs.common())
    return bool(log_evidence(found.signals[0], found.weights).max() >= -np.log(ALPHA))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of the runs that were called worse, in percent."""

    kayenta: float
    kayenta_often: float
    plain: float
    plain_often: float
    ours: float


def called_worse(make: Make, ratio: float, *, runs: int, n: int, seed: int) -> Shares:
    """Kayenta and the plain test get SHORT samples, with one look and with LOOKS; ours gets n, with n looks."""
    rng = np.random.default_rng(seed)
    good, candidate = make(rng, runs, SHORT)
    said = []
    for one, other in zip(good, ratio * candidate, strict=True):
        looks = [kayenta_and_plain(one[:look], other[:look]) for look in LOOKS]
        either = np.any(looks, axis=0)
        said.append((looks[-1][0], either[0], looks[-1][1], either[1]))
    if n != SHORT:
        good, candidate = make(rng, runs, n)
    ours = [alarmed(one, other) for one, other in zip(good, ratio * candidate, strict=True)]
    shares = 100 * np.mean(said, axis=0)
    return Shares(
        kayenta=shares[0],
        kayenta_often=shares[1],
        plain=shares[2],
        plain_often=shares[3],
        ours=100 * float(np.mean(ours)),
    )


# --- the tables ---


def false_alarms(runs: int) -> None:
    print(
        f"\nA/A: called worse, % of {runs} runs (standard error at 1 %: {100 * np.sqrt(0.01 * 0.99 / runs):.2f})"
    )
    print(f"{'':22}{'Kayenta, 60':>20}{'Mann-Whitney, 60':>20}{f'Seatrial, {LONG}':>17}")
    print(f"{'looks':22}{'1':>10}{'11':>10}{'1':>10}{'11':>10}{'every':>17}")
    for at, (name, make) in enumerate(KINDS.items()):
        got = called_worse(make, 1.0, runs=runs, n=LONG, seed=at)
        print(
            f"{name:22}{got.kayenta:10.1f}{got.kayenta_often:10.1f}{got.plain:10.1f}{got.plain_often:10.1f}"
            f"{got.ours:17.2f}",
            flush=True,
        )
    print("(*) outside of the goal: half of the variance remembers, white noise covers it")


def powers(runs: int) -> None:
    print(f"\n1.2x called worse, % of {runs} runs, {SHORT} samples an arm for all")
    print(f"{'':22}{'Kayenta':>10}{'11 looks':>10}{'M.-W.':>10}{'11 looks':>10}{'Seatrial, every':>17}")
    rows: dict[str, Make] = {
        "independent, x": KINDS["independent"],
        "independent, + normal": additive,
        **KINDS,
    }
    for at, (name, make) in enumerate(rows.items()):
        if name == "independent":
            continue
        shifted = make
        if make is additive:
            shifted = _shifted
        ratio = 1.0 if make is additive else 1.2
        got = called_worse(shifted, ratio, runs=runs if at < 2 else runs // 4, n=SHORT, seed=100 + at)
        print(
            f"{name:22}{got.kayenta:10.1f}{got.kayenta_often:10.1f}{got.plain:10.1f}{got.plain_often:10.1f}"
            f"{got.ours:17.1f}",
            flush=True,
        )


def waiting(runs: int) -> None:
    """All three at the same series: how long until each calls it worse, and how many it calls so with nothing wrong."""
    looks = (*LOOKS, *WAITED)
    print(
        f"\nMedian samples until called worse among all {runs} runs, and % called so; the peers look at"
        f" {looks[0]}, {looks[1]}, ... {LOOKS[-1]}, {', '.join(map(str, WAITED))}, Seatrial at every sample to {looks[-1]}"
    )
    print(f"{'':12}{'':8}{'Kayenta':>16}{'Mann-Whitney':>16}{'Seatrial':>16}")
    for phi in (0.0, 0.5, 0.8):
        for ratio in (1.0, 1.1, 1.2, 1.5, 2.0, 5.0):
            good, candidate = autoregressive(phi)(np.random.default_rng(8), runs, looks[-1])
            cells = []
            first = np.array(
                [_first(one, ratio * other, looks) for one, other in zip(good, candidate, strict=True)]
            )
            for column in first.T:
                median = np.median(column)
                shown = f"{median:.0f}" if np.isfinite(median) else "-"
                cells.append(f"{shown:>8}{100 * np.mean(np.isfinite(column)):6.0f} %")
            name = "independent" if phi == 0 else f"AR(1) {phi:g}"
            print(f"{name:12}{f'{ratio:g}x':8}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def _first(good: Floats, candidate: Floats, looks: tuple[int, ...]) -> tuple[float, float, float]:
    """Samples until Kayenta, the plain test and Seatrial say so; infinity if they do not."""
    found = [np.inf, np.inf]
    for look in looks:
        if np.isfinite(found).all():
            break
        for at, said in enumerate(kayenta_and_plain(good[:look], candidate[:look])):
            if said and not np.isfinite(found[at]):
                found[at] = float(look)
    (ours,) = judge([series("s", good, candidate)])
    return found[0], found[1], float(ours.samples) if ours.outcome is Outcome.FAIL else np.inf


def _shifted(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats]:
    good, candidate = additive(rng, runs, n)
    return good, candidate + 0.2


def detection(runs: int) -> None:
    print(
        f"\nVerdicts of {runs} runs of {LONG} samples: % fail / pass / unknown, median samples to `fail` among all runs"
    )
    print(f"{'':8}{'independent':>32}{'AR(1) 0.5':>32}{'AR(1) 0.8':>32}")
    for ratio in (1.0, 1.1, 1.2, 1.5, 2.0, 5.0):
        cells = []
        for phi in (0.0, 0.5, 0.8):
            good, candidate = autoregressive(phi)(np.random.default_rng(7), runs, LONG)
            found = [
                judge([series("s", one, ratio * other)])[0]
                for one, other in zip(good, candidate, strict=True)
            ]
            share = [
                100 * np.mean([one.outcome is kind for one in found])
                for kind in (Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN)
            ]
            waited = np.median([one.samples if one.outcome is Outcome.FAIL else np.inf for one in found])
            median = f"{waited:.0f}" if np.isfinite(waited) else "-"
            cells.append(f"{share[0]:5.0f} /{share[1]:4.0f} /{share[2]:4.0f}{median:>8}")
        print(f"{f'{ratio:g}x':8}" + "".join(f"{cell:>32}" for cell in cells), flush=True)


def speed(count: int) -> None:
    rng, rows = np.random.default_rng(1), ["series,arm,t,value"]
    for number in range(count):
        phi = (0.0, 0.5, 0.8, 0.95)[number % 4]
        for arm in ("good", "candidate"):
            values = np.exp(SIGMA * memory(rng, 1, LONG, phi)[0])
            rows.extend(f"s{number},{arm},{5 * at},{value:.6g}" for at, value in enumerate(values))
    data = "\n".join(rows).encode()
    wall, cpu = time.monotonic(), time.process_time()
    recorded = read(data, filename="bench.csv")
    parsed = time.process_time() - cpu
    judge(recorded)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(
        f"\n{count} series of {LONG} samples an arm, {len(data) / 1e6:.0f} MB: CPU {cpu:.1f} s (reading {parsed:.1f} s), wall {wall:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute, a tenth of the runs")
    chosen = parser.parse_args()
    part = 10 if chosen.quick else 1
    began = time.process_time()
    speed(1000 // part)
    powers(3000 // part)
    false_alarms(2000 // part)
    detection(200 // part)
    waiting(100 // part)
    print(f"\nthe whole bench: {time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
