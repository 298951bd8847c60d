"""Results in the formats that other programs read: JSON, JUnit, Prometheus, Nagios. Pure. Text is the command line's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from seatrial.model.result import Outcome, Result, worst
from seatrial.model.text import safe

_NAGIOS = {Outcome.PASS: (0, "OK"), Outcome.FAIL: (2, "CRITICAL"), Outcome.UNKNOWN: (3, "UNKNOWN")}


def as_document(results: Sequence[Result], *, diagnosis: str, seconds: float) -> dict[str, Any]:
    """One JSON document."""
    return {
        "outcome": str(worst(result.outcome for result in results)),
        "diagnosis": diagnosis or None,
        "seconds": round(seconds, 3),
        "results": [
            {
                "check": r.check,
                "outcome": str(r.outcome),
                "because": r.because,
                "vantage": r.vantage,
                "hint": r.hint or None,
                "seconds": round(r.seconds, 3),
                "evidence": dict(r.evidence),
            }
            for r in results
        ],
    }


def as_junit(results: Sequence[Result], *, seconds: float) -> str:
    """A JUnit test suite; UNKNOWN is an error, which no reader takes for a pass."""
    count = {outcome: sum(1 for r in results if r.outcome is outcome) for outcome in Outcome}
    cases = "".join(_case(result) for result in results)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name="seatrial" tests="{len(results)}" failures="{count[Outcome.FAIL]}" '
        f'errors="{count[Outcome.UNKNOWN]}" skipped="{count[Outcome.SKIP]}" time="{seconds:.3f}">\n{cases}</testsuite>\n'
    )


def _case(result: Result) -> str:
    head = (
        f'  <testcase classname="seatrial" name={quoteattr(safe(result.check))} time="{result.seconds:.3f}"'
    )
    tag = {Outcome.FAIL: "failure", Outcome.UNKNOWN: "error", Outcome.SKIP: "skipped"}.get(result.outcome)
    if tag is None:
        return head + "/>\n"
    said = quoteattr(safe(result.because))
    return f"{head}>\n    <{tag} message={said}>{escape(safe(result.hint))}</{tag}>\n  </testcase>\n"


def as_prometheus(results: Sequence[Result]) -> str:
    """One gauge a result and outcome, in the text format: 1 for the outcome that it has, 0 for the others."""
    lines = [
        "# HELP seatrial_check_outcome 1 for the outcome that a check had.",
        "# TYPE seatrial_check_outcome gauge",
    ]
    for result in results:
        for outcome in Outcome:
            labels = f'check="{_label(result.check)}",vantage="{_label(result.vantage)}",outcome="{outcome}"'
            lines.append(f"seatrial_check_outcome{{{labels}}} {int(result.outcome is outcome)}")
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return safe(text).replace("\\", "\\\\").replace('"', '\\"')


def as_nagios(results: Sequence[Result], *, diagnosis: str) -> tuple[int, str]:
    """The plugin's exit status and its one line with performance data."""
    code, word = _NAGIOS.get(worst(result.outcome for result in results), (3, "UNKNOWN"))
    wrong = [r for r in results if r.outcome in (Outcome.FAIL, Outcome.UNKNOWN)]
    passed = sum(1 for r in results if r.outcome is Outcome.PASS)
    said = diagnosis or "; ".join(f"{r.check}: {r.because}" for r in wrong[:3]) or "all pass"
    text = f"SEATRIAL {word} - {safe(said)} | passed={passed} wrong={len(wrong)} total={len(results)}"
    return code, text.replace("\n", " ")
