"""Does every series of a query keep to its bounds? What is not in: what Prometheus itself alerts on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import Field

from seatrial.checks.asked import made, unknown
from seatrial.checks.onhost import script
from seatrial.checks.reading import Said, Small, Words, clean, understood, why_not
from seatrial.model.check.platform import PrometheusCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

Number = Annotated[str, Field(pattern=r"^-?(?:[0-9]{1,25}(?:\.[0-9]{1,25})?(?:e[-+]?[0-9]{1,3})?|inf)$")]
OUTCOMES = {"pass": Outcome.PASS, "fail": Outcome.FAIL, "unknown": Outcome.UNKNOWN}
MOST_SHOWN = 5


class Sample(Said):
    """One series with its labels."""

    labels: dict[Words, Words] = Field(default_factory=dict, max_length=30)
    value: Number


class Series(Said):
    """What the script says of an answer: how many series there are, and both ends of them, the worst first."""

    error: Words = ""
    status: Small = 0
    seconds: float = 0.0
    type: Words = ""
    count: Small = 0
    nans: Small = 0
    histograms: Small = 0
    lowest: list[Sample] = Field(default_factory=list, max_length=20)
    highest: list[Sample] = Field(default_factory=list, max_length=20)
    warnings: list[Words] = Field(default_factory=list, max_length=10)


def commands(check: PrometheusCheck) -> tuple[Command, ...]:
    """One query; of the token only the name of its file travels."""
    spec = {
        "url": check.url,
        "query": check.query,
        "token_file": check.token_file,
        "ca_file": check.ca_file,
        "timeout": check.timeout,
    }
    return (
        Command(
            name="prometheus.query",
            argv=("python3", "-", json.dumps(spec, separators=(",", ":"))),
            stdin=script("prometheus"),
            timeout=check.timeout + 10.0,
            limit=1024 * 1024,
            package="python3",
        ),
    )


def judge(name: str, check: PrometheusCheck, outputs: Sequence[Output]) -> Result:
    """PASS when there are as many series as wanted and none is out of bounds; UNKNOWN for a series that is no number."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    said = understood(Series, output, check.source_vantage)
    if isinstance(said, str):
        return unknown(name, check, (said, ""))
    evidence: dict[str, Any] = {
        "query": clean(check.query),
        "series": said.count,
        "lowest": [_evidence(one) for one in said.lowest[:MOST_SHOWN]],
        "highest": [_evidence(one) for one in said.highest[:MOST_SHOWN]],
        "warnings": said.warnings,
    }
    outcome, because, hint = _judged(check, said)
    return made(name, check, outcome, because, hint=hint, seconds=said.seconds, evidence=evidence)


def _judged(check: PrometheusCheck, said: Series) -> tuple[Outcome, str, str]:
    shown = clean(check.query, 100)
    if said.error or said.status != 200:
        because = f"{check.url} does not answer {shown}: {said.error or f'HTTP {said.status}'}"
        return Outcome.UNKNOWN, because, _hint(check, said)
    if said.type not in ("vector", "scalar"):
        because = f"{shown} gives {said.type or 'nothing that is known'}, not one number for each series"
        return Outcome.UNKNOWN, because, "a range such as [5m] wants rate() or another function around it"
    if said.count == 0 and check.samples != 0:
        hint = "" if check.empty == "pass" else "try the query in Prometheus: a name or a label may be wrong"
        return OUTCOMES[check.empty], f"{shown}: there is no series", hint
    if said.nans or said.histograms or (said.count and not (said.lowest and said.highest)):
        because = f"{shown}: {said.nans + said.histograms} of {said.count} series are no number"
        return (
            Outcome.UNKNOWN,
            because,
            "a division by zero gives NaN; a histogram wants histogram_quantile()",
        )
    wrong = []
    if check.samples is not None and said.count != check.samples:
        wrong.append(f"there are {said.count} series, not {check.samples}")
    if check.most is not None:
        most = check.most
        wrong += _beyond(said, said.highest, lambda number: number > most, f"above {most:g}")
    if check.least is not None:
        least = check.least
        wrong += _beyond(said, said.lowest, lambda number: number < least, f"below {least:g}")
    if wrong:
        return Outcome.FAIL, f"{shown}: {'; '.join(wrong)}", ""
    if not said.count:
        return Outcome.PASS, f"{shown}: there is no series", ""
    low, high = said.lowest[0].value, said.highest[0].value
    many = "1 series, " if said.count == 1 else f"{said.count} series, "
    return Outcome.PASS, f"{shown}: {many}{low if low == high else f'from {low} to {high}'}", ""


def _beyond(said: Series, ordered: list[Sample], out: Callable[[float], bool], words: str) -> list[str]:
    """The sentence about the series that are out of bounds, with the worst one; nothing when there are none."""
    found = [one for one in ordered if out(float(one.value))]
    if not found:
        return []
    # Only so many are told of at each end.
    at_least = "at least " if len(found) == len(ordered) < said.count else ""
    are = "is" if said.count == 1 else "are"
    worst = f"{_labelled(found[0])} has {found[0].value}"
    return [f"{at_least}{len(found)} of {said.count} series {are} {words}, {worst}"]


def _labelled(sample: Sample) -> str:
    """The series as Prometheus writes it, within reason."""
    inner = ",".join(f'{key}="{value}"' for key, value in sample.labels.items() if key != "__name__")
    return clean(sample.labels.get("__name__", "") + "{" + inner + "}", 200)


def _evidence(sample: Sample) -> dict[str, Any]:
    return {"labels": dict(sample.labels), "value": sample.value}


def _hint(check: PrometheusCheck, said: Series) -> str:
    if said.status in (401, 403):
        return (
            "give a token_file on the vantage"
            if not check.token_file
            else f"look at the token in {check.token_file}"
        )
    if said.status in (400, 422):
        return "the query is not taken: try it in Prometheus"
    if said.error.startswith("TLS:"):
        return "name the CA of its certificate with ca_file"
    return f"look whether {check.url} is reached from {check.source_vantage}"
