"""How `seatrial check` tells what it found: to people, and in the formats of programs, with or without a baseline."""

from __future__ import annotations

from typing import Literal

from seatrial.cli.follow import show_line
from seatrial.cli.options import console, print_json
from seatrial.clock import SystemClock
from seatrial.model.change import Change, Compared, Comparison
from seatrial.model.result import Outcome, Result, worst
from seatrial.model.text import duration, safe
from seatrial.perform.probe import Probed
from seatrial.report.figures import as_prometheus
from seatrial.report.formats import as_document, as_junit, as_nagios, beside, change_words
from seatrial.report.narrate import MARKS, Line

CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3, Outcome.SKIP: 0}
Format = Literal["text", "json", "junit", "prometheus", "nagios"]
# What is not worse is no red line of this change.
CHANGE_MARKS = {
    Change.WORSE: "FAIL",
    Change.FAILED_BEFORE: "as before",
    Change.MENDED: "mended",
    Change.NOT_COMPARED: "UNKNOWN",
}


def tell(probed: Probed, compared: Comparison | None, format: Format) -> int:
    """Print it; says the exit code."""
    results = compared.results if compared else probed.results
    sentence = probed.explanation.sentence if probed.explanation else ""
    code = CODES[compared.outcome if compared else worst(result.outcome for result in results)]
    match format:
        case "json":
            print_json(as_document(results, diagnosis=sentence, seconds=probed.seconds, compared=compared))
        case "junit":
            print(as_junit(results, seconds=probed.seconds, compared=compared), end="")
        case "prometheus":
            print(as_prometheus(results, compared=compared), end="")
        case "nagios":
            code, text = as_nagios(results, diagnosis=sentence, compared=compared)
            print(text)
        case "text":
            _tell_people(results, compared, sentence, probed.seconds)
    return code


def _tell_people(
    results: tuple[Result, ...], compared: Comparison | None, sentence: str, seconds: float
) -> None:
    out = console()
    if sentence:
        out.print(safe(sentence), style="bold", markup=False)
    if compared:
        out.print(safe(change_words(compared)), style="bold", markup=False)
        if compared.diagnosis:
            out.print(f"it was before: {safe(compared.diagnosis)}", markup=False)
    rows = compared.by_check if compared else {}
    gone = compared.missing if compared else ()
    width = max(len(result.check) for result in (*results, *gone)) + 2
    for result in results:
        _show(result, rows.get(result.check), width)
    for before in gone:
        mark = "UNKNOWN" if before.outcome is Outcome.PASS else "missing"
        _line(
            before.check, "", f"it is in the baseline ({before.outcome}) and was not asked", mark, (), width
        )
    if compared and compared.left_out:
        # What a filter left out on purpose is named too: it was not compared.
        names = ", ".join(before.check for before in compared.left_out)
        out.print(f"not asked this time: {safe(names)}", markup=False)
    passed = sum(1 for result in results if result.outcome is Outcome.PASS)
    out.print(f"{passed} of {len(results)} pass   {duration(seconds)}")


def _show(result: Result, row: Compared | None, width: int) -> None:
    detail = [f"hint: {result.hint}"] if result.hint and result.outcome is not Outcome.PASS else []
    mark = MARKS[result.outcome]
    if row is not None:
        mark = CHANGE_MARKS.get(row.change, mark)
        detail += [part for part in (row.note, beside(row)) if part]
    _line(result.check, result.vantage, result.because, mark, tuple(detail), width)


def _line(check: str, vantage: str, text: str, mark: str, detail: tuple[str, ...], width: int) -> None:
    show_line(
        console(),
        Line(
            at=SystemClock().now(),
            step=f"{check:<{width}}",
            text=f"{vantage:<14} {text}",
            mark=mark,
            detail=detail,
        ),
    )
