"""Judging: what the samples of each series mean, and what all of them mean together.

What is in: the decision. What is not in: the evidence it rests on (evidence.py, counts.py).

`fail`: shown to be worse than good (E has reached the number of series over alpha: Bonferroni on e-values, so the
chance that a kernel without fault fails any of its series is at most alpha) and more than the minimum effect by the
best estimate. `pass`: shown to be less than the minimum effect worse (E of the opposite has reached 1/alpha; no price
for several series, since all of them must pass). The first that happens counts. Everything else is `unknown`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from seatrial.errors import InputError
from seatrial.model.result import Outcome, Verdict, worst
from seatrial.soak import counts, effect
from seatrial.soak.evidence import Sums, first_crossing, gather
from seatrial.soak.faults import fault, unpaired
from seatrial.soak.floor import floor_of, level, lowered, offset_of, raised
from seatrial.soak.memory import Floats
from seatrial.soak.pairs import Pairs, batches, pair
from seatrial.soak.samples import CountSeries, Series

ALPHA = 0.01
# A tenth: less is within what the layout of the same code in memory does to it (Mytkowicz et al. 2009), and it can be
# told in half an hour of samples every 5 s at the usual noise (docs/soak.md).
MIN_EFFECT = 1.1
# For counts: so many more failures of what is sent do not matter, whatever the ratio. 1 of 100,000 against 0 is none.
FLOOR = 0.005
# What is added where the arms took turns.
APART = "; the arms were measured one after the other, so what else changed in between counts as the kernel's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one series means. `at` and `since` in seconds of its clock; `effect` and `interval` are ratios to good.

    `e_value` is the largest E for "worse" until then, `e_needed` what fails, `p_value` = min(1, 1/e_value).
    """

    series: str
    outcome: Outcome
    because: str
    at: float | None = None
    effect: float | None = None
    interval: tuple[float, float] | None = None
    since: float | None = None
    e_value: float = 1.0
    e_needed: float = 100.0
    samples: int = 0

    @property
    def p_value(self) -> float:
        """Anytime-valid: the chance of so large an E at any look, if nothing is wrong, is at most that."""
        return 1.0 / self.e_value if self.e_value > 1 else 1.0


def judge(
    recorded: Sequence[Series | CountSeries],
    *,
    alpha: float = ALPHA,
    min_effect: float = MIN_EFFECT,
    matters: Mapping[str, float] = MappingProxyType({}),
    many: int = 0,
) -> list[Judgement]:
    """Judge each series; the error rate `alpha` holds for all of them together. Raises InputError.

    `matters` has, by the name of a series with *, how much more of it in its own units does not matter (floor.py). `many`
    is how many series the error rate is shared by, where there are more than are judged now.
    """
    if not 0 < alpha <= 0.5:
        raise InputError(f"alpha is {alpha:g}", hint="it is the chance of a false alarm, such as 0.01")
    if not 1 < min_effect <= 100:
        raise InputError(
            f"the minimum effect is {min_effect:g}",
            hint="it is a ratio to good, such as 1.1 for a tenth more",
        )
    needed = max(len(recorded), many) / alpha
    found = []
    for series in recorded:
        why = fault(series)
        if why is not None:
            found.append(Judgement(series=series.name, outcome=Outcome.UNKNOWN, because=why, e_needed=needed))
        elif isinstance(series, CountSeries):
            found.append(_counts(series, alpha=alpha, needed=needed, min_effect=min_effect))
        else:
            floor = floor_of(series.name, matters)
            found.append(_values(series, alpha=alpha, needed=needed, min_effect=min_effect, floor=floor))
    return found


def summary(judgements: Sequence[Judgement]) -> Verdict:
    """What all series mean together: the worst of them, and how many of each."""
    outcome = worst(one.outcome for one in judgements)
    number = {
        kind: sum(one.outcome is kind for one in judgements)
        for kind in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS)
    }
    said = ", ".join(f"{count} {kind}" for kind, count in number.items() if count)
    evidence: dict[str, Any] = {
        kind.value: [one.series for one in judgements if one.outcome is kind] for kind in number
    }
    return Verdict(outcome=outcome, because=said or "there is no series", evidence=evidence)


def _values(series: Series, *, alpha: float, needed: float, min_effect: float, floor: float) -> Judgement:
    offset = offset_of(floor, min_effect)
    pairs = pair(raised(series, offset))
    why = unpaired(series, pairs)
    if why is not None:
        return Judgement(series=series.name, outcome=Outcome.UNKNOWN, because=why, e_needed=needed)
    worse, common = pairs.difference(), pairs.common()
    signals = [worse, -pairs.difference(min_effect)]
    views = [gather(signals, common, work) for work in _excuses(pairs)]
    passed, e_fine = first_crossing(
        views[0].signals[1],
        views[0].weights,
        threshold=-math.log(alpha),
        allowed=np.ones(len(pairs.t), dtype=np.bool_),
    )
    last = len(pairs.t) if passed is None else passed + 1
    # Looked at in two ways, either may say so by chance: together they need twice the evidence.
    found = [
        # Under the first model, without memory, the sign is that of the plain mean: the best estimate is above.
        first_crossing(
            view.signals[0],
            view.weights,
            threshold=math.log(len(views) * needed),
            allowed=view.signals[1].along[0] <= 0,
            last=last,
        )
        for view in views
    ]
    chosen = min(range(len(views)), key=lambda at: last if found[at][0] is None else found[at][0] or 0)
    failed, e_worse = found[chosen]
    up, weights = views[chosen].signals[0], views[chosen].weights
    look = failed if failed is not None else last - 1
    under = min_effect if failed is None and passed is not None else None
    told = _how_much(pairs, up, weights, look, alpha=alpha, over=failed is not None, under=under)
    center, low, high = (lowered(one, offset, level(series)) for one in told)
    e_value = float(np.exp(min(700.0, e_worse[: look + 1].max()))) / len(views)
    outcome = Outcome.FAIL if failed is not None else Outcome.UNKNOWN if passed is None else Outcome.PASS
    began = float(pairs.t[effect.since(worse[: look + 1])]) if failed is not None else None
    because = _sentence(
        outcome, center, (low, high), alpha=alpha, enough=_enough(min_effect, floor), count=look + 1
    )
    if outcome is Outcome.FAIL:
        because += f"; since t = {began:.6g}; e-value {e_value:.3g} of {needed:.6g}"
    elif outcome is Outcome.UNKNOWN:
        best = float(np.exp(min(700.0, e_fine.max())))
        because += f"; e-value {e_value:.3g} of {needed:.6g} for worse, {best:.3g} of {1 / alpha:.6g} for less than that"
    return Judgement(
        series=series.name,
        outcome=outcome,
        because=because + _apart(pairs),
        at=float(pairs.t[look]),
        effect=center,
        interval=(low, high),
        since=began,
        e_value=e_value,
        e_needed=needed,
        samples=look + 1,
    )


def _how_much(
    pairs: Pairs, up: Sums, weights: Floats, look: int, *, alpha: float, over: bool, under: float | None
) -> tuple[float, float, float]:
    """The ratio to good and its bounds. What the verdict refutes is refuted, also if an earlier look did so."""
    center = effect.ratio(pairs, look)
    low, high = effect.interval(pairs, up, weights, look, alpha=alpha, center=center)
    return center, max(low, 1.0) if over else low, high if under is None else min(high, under)


def _excuses(pairs: Pairs) -> list[Floats | None]:
    """The rates of work that may excuse a difference: both ways, and only where the candidate did more than good.

    More work may be what made it slower, and less work what made it quicker. But less work never makes it slower: a slow
    disk lets its clients do less, and that must not excuse the disk.
    """
    if pairs.work is None or not (pairs.work < 0).any():
        return [pairs.work]
    more = np.maximum(pairs.work, 0.0)
    return [pairs.work, more if more.any() else None]


def _sentence(
    outcome: Outcome,
    center: float,
    bounds: tuple[float, float],
    *,
    alpha: float,
    enough: str,
    count: int,
) -> str:
    sure = f"{100 * (1 - alpha):.6g} % sure of either at any time"
    between = f"{_times(center)} the good kernel's (at least {_times(bounds[0])}, at most {_times(bounds[1])}, {sure})"
    if outcome is Outcome.FAIL:
        return f"{between} after {count} pairs of samples"
    if outcome is Outcome.PASS:
        return f"less than {enough}: {between} after {count} pairs of samples"
    return f"{count} pairs of samples do not decide whether it is {enough} or more: {between}"


def _enough(min_effect: float, floor: float) -> str:
    return f"{min_effect:g}x" + (f" and {floor:g}" if floor else "")


def _times(ratio: float) -> str:
    # Three digits, and no more than the number has: beyond a factor of 100 nobody reads them.
    return f"{ratio:.3g}x" if ratio < effect.BEYOND else f"more than {effect.BEYOND:g}x"


def _apart(pairs: Pairs) -> str:
    return "" if pairs.together else APART


def _counts(series: CountSeries, *, alpha: float, needed: float, min_effect: float) -> Judgement:
    t, failed, sent = batches(series.good, series.candidate)
    if not len(t):
        because = "the arms never sent anything in the same stretch of time"
        return Judgement(series=series.name, outcome=Outcome.UNKNOWN, because=because, e_needed=needed)
    evidence = counts.log_evidence(failed, sent)
    lost, tried = np.cumsum(failed, axis=0), np.cumsum(sent, axis=0)
    share = lost / tried
    # Half of alpha for either arm's bound.
    low_good, high_good = counts.bounds(lost[:, 0], tried[:, 0], alpha / 2)
    low, high = counts.bounds(lost[:, 1], tried[:, 1], alpha / 2)
    fine = high < np.maximum(min_effect * low_good, low_good + FLOOR)
    bad = (np.maximum.accumulate(evidence) >= math.log(needed)) & (share[:, 1] > min_effect * share[:, 0])
    outcome, look = Outcome.UNKNOWN, len(t) - 1
    decided = np.flatnonzero(bad | fine)
    if len(decided):
        look = int(decided[0])
        outcome = Outcome.FAIL if bad[look] else Outcome.PASS
    center = float(counts.ratio(lost[[look]], tried[[look]])[0])
    bounds = (float(low[look] / high_good[look]), _over(float(high[look]), float(low_good[look])))
    e_value = float(np.exp(min(700.0, evidence[: look + 1].max())))
    numbers = " against ".join(f"{lost[look, side]:.0f} of {tried[look, side]:.0f}" for side in (1, 0))
    at_most = f"at most {100 * high[look]:.2g} % of the candidate's, at least {100 * low_good[look]:.2g} % of good's"
    sure = f"{100 * (1 - alpha):.6g} % sure at any time"
    if outcome is Outcome.FAIL:
        because = f"{numbers} failed; e-value {e_value:.3g} of {needed:.6g}"
    elif outcome is Outcome.PASS:
        because = f"{numbers} failed: {at_most} ({sure})"
    else:
        because = f"{numbers} failed, which does not decide: {at_most} ({sure}); e-value {e_value:.3g} of {needed:.6g}"
    began = float(t[_onset(failed, sent)]) if outcome is Outcome.FAIL else None
    return Judgement(
        series=series.name, outcome=outcome, because=because, at=float(t[look]), effect=center, interval=bounds,
        since=began, e_value=e_value, e_needed=needed, samples=look + 1,
    )  # fmt: skip


def _over(one: float, other: float) -> float:
    return one / other if other > 0 else math.inf


def _onset(failed: Floats, sent: Floats) -> int:
    """The batch from which on the candidate's excess over good's share fits best."""
    return effect.since(failed[:, 1] / sent[:, 1] - failed[:, 0] / sent[:, 0])
