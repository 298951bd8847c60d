# ruff: noqa: D103, UP035
"""One query to Prometheus, asked from a vantage: python3 reads this script from stdin and installs nothing.

What is in: the query over HTTP or HTTPS with a token and a CA from files that stay on the vantage. An instant query's
answer is cut down to how many series there are and the lowest and highest of them with their labels. With `seconds` and
`step` in SPEC it is asked for the last so many seconds, by the server's own clock, and all series are told. It runs wherever Python is 3.7
or newer. What is not in: any judgement. Redirects are not followed, since the token is for one server alone.
"""

from __future__ import annotations

import json
import math
import sys
import urllib.parse
from typing import Any, Callable

from seatrial.onhost.rest import (
    answer_with,
    request,
)

MOST_SHOWN = 20
MOST_LABELS = 30
MOST_SERIES = 50


def query(spec: dict[str, Any]) -> dict[str, Any]:
    if not spec.get("seconds"):
        words = {"query": spec["query"], "timeout": spec["timeout"]}
        return asked(spec, "query", words, summary)
    # The server's clock, so that it does not matter how this one goes.
    told = asked(spec, "query", {"query": "time()", "timeout": spec["timeout"]}, summary)
    if "error" in told:
        return told
    now, step = float(told["highest"][0]["value"]), float(spec["step"])
    steps = math.ceil(float(spec["seconds"]) / step) - 1
    words = {
        "query": spec["query"],
        "timeout": spec["timeout"],
        "start": repr(now - steps * step),
        "end": repr(now),
        "step": repr(step),
        # What was scraped longer ago than this is no sample of now; servers that do not know it take five minutes.
        "lookback_delta": repr(2 * step),
    }
    return asked(spec, "query_range", words, lambda data: whole(data, now))


def asked(
    spec: dict[str, Any],
    what: str,
    words: dict[str, Any],
    told_by: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    answer = request(spec, "GET", "/api/v1/" + what + "?" + urllib.parse.urlencode(words))
    said = answer.said
    if not isinstance(said, dict) or said.get("status") != "success":
        why = str(said.get("error", "")) if isinstance(said, dict) else ""
        return {
            "status": answer.status,
            "error": why[:500] or "HTTP " + str(answer.status) + " without JSON",
        }
    told = told_by(said["data"])
    told["status"] = answer.status
    told["warnings"] = [str(one)[:300] for one in said.get("warnings", [])[:10]]
    return told


def whole(data: dict[str, Any], now: float) -> dict[str, Any]:
    result = data["result"] if data["resultType"] == "matrix" else []
    # What is no number (NaN, an infinity, a histogram) was not measured: it is left out, and so is a gap.
    series = [
        {
            "labels": few(one["metric"]),
            "values": [[round(t - now, 3), float(value)] for t, value in one.get("values", []) if math.isfinite(float(value))],
        }
        for one in result[:MOST_SERIES]
    ]  # fmt: skip
    return {"type": data["resultType"], "count": len(result), "series": series}


def summary(data: dict[str, Any]) -> dict[str, Any]:
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        result = [{"metric": {}, "value": result}]
    elif kind != "vector":
        return {"type": kind}
    numbers: list[Any] = []
    nans, histograms = [], 0
    for one in result:
        if "value" not in one:
            histograms += 1
            continue
        number = float(one["value"][1])
        if math.isnan(number):
            nans.append(sample(one["metric"], number))
        else:
            numbers.append((number, len(numbers), one["metric"]))
    numbers.sort()
    return {
        "type": kind,
        "count": len(result),
        "histograms": histograms,
        "nans": len(nans),
        "nan": nans[:1],
        "lowest": [sample(labels, number) for number, _, labels in numbers[:MOST_SHOWN]],
        "highest": [sample(labels, number) for number, _, labels in numbers[: -MOST_SHOWN - 1 : -1]],
    }


def sample(labels: dict[str, str], number: float) -> dict[str, Any]:
    # JSON has no infinity, so numbers travel as text.
    return {"labels": few(labels), "value": repr(number)}


def few(labels: dict[str, str]) -> dict[str, str]:
    return {str(key)[:100]: str(value)[:200] for key, value in sorted(labels.items())[:MOST_LABELS]}


def main(words: list[str]) -> dict[str, Any]:
    return query(json.loads(words[0]))


if __name__ == "__main__":
    sys.exit(answer_with(main, sys.argv[1:]))
