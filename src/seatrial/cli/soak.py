"""`seatrial soak judge`: recorded samples of a candidate kernel against those of the good one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seatrial.cli.options import Json, console, print_json
from seatrial.errors import InputError
from seatrial.model.result import Outcome
from seatrial.model.text import safe

if TYPE_CHECKING:
    from seatrial.soak.judge import Judgement

CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3, Outcome.SKIP: 0}
STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "yellow"}


def judge(
    file: Annotated[Path, Parameter(help="CSV: series,arm,t,value[,work] or series,arm,t,failed,sent")],
    /,
    *,
    alpha: Annotated[
        float, Parameter(help="the chance of any false alarm, over all series and looks")
    ] = 0.01,
    min_effect: Annotated[float, Parameter(help="so many times good is too much")] = 1.1,
    json: Json = False,
) -> int:
    """Judge the samples in FILE: is the candidate worse than good? May be asked as often as you like while it grows.

    Exit code 0 when all series pass, 1 when one fails, 3 when none fails and one cannot be decided.
    """
    from seatrial.soak import judge as rules
    from seatrial.soak.samples import read

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}", hint="name a CSV file") from error
    judgements = rules.judge(read(data, filename=str(file)), alpha=alpha, min_effect=min_effect)
    summary = rules.summary(judgements)
    if json:
        for judgement in judgements:
            print_json(_document(judgement))
    else:
        out = console()
        width = max(len(safe(judgement.series)) for judgement in judgements)
        for judgement in judgements:
            at = "" if judgement.at is None else f"t = {judgement.at:.6g}: "
            out.print(f"{judgement.outcome:<8}", style=STYLES[judgement.outcome], end="")
            out.print(f"{safe(judgement.series):<{width}}  {safe(at + judgement.because)}", markup=False)
        out.print(f"{summary.because} of {len(judgements)} series")
    return CODES[summary.outcome]


def _document(judgement: Judgement) -> dict[str, Any]:
    """One line of the answer. What is infinite or was not found is null, since JSON has no infinity."""
    low, high = judgement.interval or (None, None)
    return {
        "series": judgement.series,
        "outcome": judgement.outcome.value,
        "at": judgement.at,
        "effect": _finite(judgement.effect),
        "because": judgement.because,
        "interval": None if judgement.interval is None else [low, _finite(high)],
        "since": judgement.since,
        "e_value": judgement.e_value,
        "e_needed": judgement.e_needed,
        "p_value": judgement.p_value,
        "samples": judgement.samples,
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
