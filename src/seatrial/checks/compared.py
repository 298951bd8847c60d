"""A run beside an earlier one: what is worse, what failed before as well, what is mended, what nobody can say.

What is in: comparing Results with those of a baseline, which the flows of a trial and `check --baseline` share. What
is not in: reading the baseline's file (report/baseline.py) and telling of it (report/formats.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from seatrial.model.change import Change, Compared, Comparison
from seatrial.model.result import Outcome, Result, figure

# Standard errors of a difference of two shares beyond which it is no chance: about one in two thousand, one-sided.
NO_CHANCE = 3.29


def remembered(result: Result, before: Result | None) -> Result:
    """The Result in words that know what it was before: what failed before as well is said to be so."""
    if before is None:
        return result
    because = result.because
    if result.outcome is Outcome.FAIL and before.outcome is Outcome.FAIL:
        because += "; it failed before as well"
    return replace(result, because=because, evidence={**result.evidence, "before": before.outcome.value})


def compare(
    results: Sequence[Result],
    before: Mapping[str, Result],
    *,
    baseline: str,
    diagnosis: str = "",
    unasked: Collection[str] = (),
) -> Comparison:
    """The Results beside those of the baseline, by check, whose names are unique.

    `baseline` is what people call it, `diagnosis` is its sentence, and `unasked` names what this run was told not to
    ask: only the rest is missed.
    """
    asked = {result.check for result in results}
    gone = [result for name, result in before.items() if name not in asked]
    return Comparison(
        baseline=baseline,
        diagnosis=diagnosis,
        rows=tuple(_compared(result, before.get(result.check)) for result in results),
        missing=tuple(result for result in gone if result.check not in unasked),
        left_out=tuple(result for result in gone if result.check in unasked),
    )


def _compared(result: Result, before: Result | None) -> Compared:
    change, note = _change(result, before)
    worse = change is Change.WORSE
    # What is worse did fail before in one case, and then its own note says how much less.
    told = result if worse or before is None else remembered(result, before)
    return Compared(result=told, before=before, change=change, note=note)


def _change(result: Result, before: Result | None) -> tuple[Change, str]:
    now = result.outcome
    if before is None:
        if now in (Outcome.PASS, Outcome.SKIP):
            return Change.NEW, "it is not in the baseline"
        return Change.NOT_COMPARED, "it is not in the baseline, so nobody can say whether it is worse"
    then = before.outcome
    if now is Outcome.FAIL and then is Outcome.PASS:
        return Change.WORSE, "it passed before"
    if now is Outcome.FAIL and then is Outcome.FAIL:
        if _loses_more(result, before):
            return Change.WORSE, f"it failed before as well, but lost less{_percent(before)}"
        return Change.FAILED_BEFORE, ""
    if now is Outcome.PASS and then is Outcome.FAIL:
        return Change.MENDED, f"before, {before.because}"
    if now is Outcome.PASS or now is then is Outcome.SKIP:
        return Change.SAME, "" if then is now else "it was not known before"
    if now is Outcome.FAIL:
        return Change.NOT_COMPARED, "it was not known before, so nobody can say whether it is worse"
    known = {Outcome.PASS: "it passed before", Outcome.FAIL: "it failed before"}.get(
        then, "nor was it before"
    )
    return Change.NOT_COMPARED, f"it is not known now; {known}"


def _loses_more(result: Result, before: Result) -> bool:
    """Whether more of the packets is lost than chance explains (two shares, pooled, corrected for small numbers)."""
    now, then = _lost_and_sent(result), _lost_and_sent(before)
    if now is None or then is None:
        return False
    (lost, sent), (lost_then, sent_then) = now, then
    pooled = (lost + lost_then) / (sent + sent_then)
    error = math.sqrt(pooled * (1 - pooled) * (1 / sent + 1 / sent_then))
    more = lost / sent - lost_then / sent_then - (1 / sent + 1 / sent_then) / 2
    return more > NO_CHANCE * error


def _lost_and_sent(result: Result) -> tuple[float, float] | None:
    """Packets lost and sent: flows say `asked` and `answered`, pings `sent` and `received`."""
    for sent_as, back_as in (("asked", "answered"), ("sent", "received")):
        sent, back = figure(result, sent_as), figure(result, back_as)
        if sent is not None and back is not None and sent >= 1:
            return max(sent - back, 0.0), sent
    return None


def _percent(before: Result) -> str:
    lost = figure(before, "lost")
    return "" if lost is None else f": {lost:.3g} %"
