"""Results in the formats that other programs read: JSON, JUnit, Nagios. Pure.

What is in: the three, each with a comparison with a baseline where there is one. What is not: Prometheus, which has
a file of its own (figures.py), and text, which is the command line's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from seatrial.model.change import Change, Compared, Comparison
from seatrial.model.result import Outcome, Result, figure, worst
from seatrial.model.text import safe

_NAGIOS = {Outcome.PASS: (0, "OK"), Outcome.FAIL: (2, "CRITICAL"), Outcome.UNKNOWN: (3, "UNKNOWN")}
# What a plugin's reader keeps, in bytes: a line of a kilobyte before the figures, and 8 KB in all.
NAGIOS_LINE = 900
NAGIOS_LINES = 24
NAGIOS_TEXT = 160
NAGIOS_FIGURES = 36
NAGIOS_LABEL = 60
# Round trips that are worth a word: so many times the other one, and so many milliseconds apart.
RTT_FACTOR = 2.0
RTT_LEAST = 0.5


def as_document(
    results: Sequence[Result], *, diagnosis: str, seconds: float, compared: Comparison | None = None
) -> dict[str, Any]:
    """One JSON document, which a later run takes as its baseline."""
    rows = compared.by_check if compared else {}
    document: dict[str, Any] = {
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
                **(_change_document(rows[r.check]) if compared else {}),
            }
            for r in results
        ],
    }
    if compared:
        document["baseline"] = {
            "file": compared.baseline,
            "outcome": str(compared.outcome),
            "diagnosis": compared.diagnosis or None,
            **{change.replace("-", "_"): _names(compared.of(change)) for change in Change},
            "missing": [one.check for one in compared.missing],
            "left_out": [one.check for one in compared.left_out],
        }
    return document


def _change_document(row: Compared) -> dict[str, Any]:
    before = row.before
    figures = {key: figure(before, key) for key in ("lost", "rtt_ms")} if before else {}
    told = {"outcome": str(before.outcome), "because": before.because, **figures} if before else None
    return {"change": str(row.change), "note": row.note or None, "before": told}


def _names(rows: Sequence[Compared]) -> list[str]:
    return [row.result.check for row in rows]


def asked_and_failed(result: Result) -> tuple[int, int]:
    """How often a check was asked in this run, over its retries or rounds, and how often it failed."""
    said = result.evidence
    for asked, failed in (("rounds", "rounds_failed"), ("asked", "failed")):
        if asked in said and failed in said:
            return int(said[asked]), int(said[failed])
    return 1, int(result.outcome is Outcome.FAIL)


def beside(row: Compared) -> str:
    """Loss and round trip now and before, where either is known and there is something to see; else ""."""
    if row.before is None or (row.change is Change.SAME and not _differs(row.result, row.before)):
        return ""
    parts = []
    for words, key, unit in (("lost", "lost", "%"), ("rtt", "rtt_ms", "ms")):
        now, then = figure(row.result, key), figure(row.before, key)
        if now is not None or then is not None:
            parts.append(f"{words} {_known(now, unit)}, before {_known(then, unit)}")
    return "; ".join(parts)


def _differs(result: Result, before: Result) -> bool:
    """Whether something that passes both times lost another share, or took twice or half the time."""
    slow, fast = figure(result, "rtt_ms") or 0.0, figure(before, "rtt_ms") or 0.0
    apart = max(slow, fast) > RTT_FACTOR * min(slow, fast) and abs(slow - fast) > RTT_LEAST
    return apart or figure(result, "lost") != figure(before, "lost")


def _known(value: float | None, unit: str) -> str:
    return "not known" if value is None else f"{value:.3g} {unit}"


# --- JUnit ---


def as_junit(results: Sequence[Result], *, seconds: float, compared: Comparison | None = None) -> str:
    """A JUnit test suite; UNKNOWN is an error, which no reader takes for a pass.

    With a comparison only what is worse is a failure: what failed before as well is skipped, with its reason.
    """
    cases = [_case(result, compared.by_check.get(result.check) if compared else None) for result in results]
    cases += [_missing_case(one) for one in compared.missing] if compared else []
    count = {tag: sum(1 for found, _ in cases if found == tag) for tag in ("failure", "error", "skipped")}
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name="seatrial" tests="{len(cases)}" failures="{count["failure"]}" '
        f'errors="{count["error"]}" skipped="{count["skipped"]}" time="{seconds:.3f}">\n'
        f"{''.join(text for _, text in cases)}</testsuite>\n"
    )


_TAGS = {Outcome.FAIL: "failure", Outcome.UNKNOWN: "error", Outcome.SKIP: "skipped"}


def _case(result: Result, row: Compared | None) -> tuple[str, str]:
    tag = _TAGS.get(result.outcome, "")
    if row is not None and row.change is Change.FAILED_BEFORE:
        tag = "skipped"
    elif row is not None and row.change is Change.NOT_COMPARED:
        tag = "error"
    said = f"{result.because}; {row.note}" if row and row.note else result.because
    inner = f"    <{tag} message={quoteattr(_xml(said))}>{escape(_xml(result.hint))}</{tag}>\n" if tag else ""
    lines = _case_lines(result, row)
    if lines:
        inner += f"    <system-out>{escape(_xml('; '.join(lines)))}</system-out>\n"
    head = (
        f'  <testcase classname="seatrial" name={quoteattr(_xml(result.check))} time="{result.seconds:.3f}"'
    )
    return tag, f"{head}>\n{inner}  </testcase>\n" if inner else f"{head}/>\n"


def _case_lines(result: Result, row: Compared | None) -> list[str]:
    """What the shape has no place of its own for: how often it was asked, and what it was before."""
    asked, failed = asked_and_failed(result)
    lines = [f"asked {asked} times, failed {failed}"] if asked > 1 else []
    if "steady" in result.evidence:
        lines.append(str(result.evidence["steady"]))
    elif 0 < failed < asked:
        lines.append("flaky")
    if row is not None and row.change is not Change.SAME:
        lines.append(f"{row.change}: {row.note}" if row.note else str(row.change))
    if row is not None and (figures := beside(row)):
        lines.append(figures)
    return lines


def _missing_case(before: Result) -> tuple[str, str]:
    tag = "error" if before.outcome is Outcome.PASS else "skipped"
    said = quoteattr(f"it is in the baseline ({before.outcome}) and was not asked now")
    name = quoteattr(_xml(before.check))
    return tag, (
        f'  <testcase classname="seatrial" name={name} time="0.000">\n'
        f"    <{tag} message={said}></{tag}>\n  </testcase>\n"
    )


def _xml(text: str) -> str:
    # A lone surrogate is no character of XML, and no encoder takes it.
    return safe(text).encode("utf-8", "replace").decode("utf-8")


# --- Nagios ---


def as_nagios(
    results: Sequence[Result], *, diagnosis: str, compared: Comparison | None = None
) -> tuple[int, str]:
    """The plugin's exit status and its output: a line, figures behind a bar, then a line for each that is wrong."""
    outcome = compared.outcome if compared else worst(result.outcome for result in results)
    code, word = _NAGIOS.get(outcome, (3, "UNKNOWN"))
    told = [_nagios_line(result, compared.by_check if compared else {}) for result in results]
    wrong = [line for line in told if line]
    wrong += [f"{one.check}: missing, it is in the baseline" for one in compared.missing] if compared else []
    count = {outcome: sum(1 for result in results if result.outcome is outcome) for outcome in Outcome}
    said = diagnosis or "; ".join(wrong[:3]) or "all pass"
    if compared:
        said = f"{change_words(compared)}; {said}"
    sums = (count[Outcome.PASS], count[Outcome.FAIL] + count[Outcome.UNKNOWN], len(results))
    figures = [f"{label}={number}" for label, number in zip(("passed", "wrong", "total"), sums, strict=True)]
    figures += _figures(results)
    lines = [f"SEATRIAL {word} - {plugin_text(said, NAGIOS_LINE)} | {' '.join(figures)}"]
    lines += [plugin_text(line, NAGIOS_TEXT) for line in wrong[:NAGIOS_LINES]]
    if len(wrong) > NAGIOS_LINES:
        lines.append(f"and {len(wrong) - NAGIOS_LINES} more")
    return code, "\n".join(lines)


def _nagios_line(result: Result, rows: Mapping[str, Compared]) -> str:
    row = rows.get(result.check)
    notes = "; ".join(part for part in (row.note, beside(row)) if part) if row else ""
    note = f" ({notes})" if notes else ""
    mended = row is not None and row.change is Change.MENDED
    if result.outcome not in (Outcome.FAIL, Outcome.UNKNOWN) and not mended:
        return ""
    return f"{result.check}: {result.because}{note}"


def change_words(compared: Comparison) -> str:
    """What has changed since the baseline, counted."""
    counts = [
        (len(compared.of(Change.WORSE)), "worse"),
        (len(compared.of(Change.FAILED_BEFORE)), "failed before as well"),
        (len(compared.of(Change.MENDED)), "mended"),
        (len(compared.of(Change.NOT_COMPARED)), "not compared"),
        (len(compared.of(Change.NEW)), "new"),
        (len(compared.missing), "missing"),
    ]
    words = ", ".join(f"{number} {what}" for number, what in counts if number)
    return f"beside {compared.baseline}: {words or 'nothing has changed'}"


def _figures(results: Sequence[Result]) -> list[str]:
    """Loss and round trip of each, with the label in quotes as names may hold what ends one."""
    figures: dict[str, str] = {}
    for result in results:
        name = plugin_text(result.check.replace("'", "").replace("=", ""), NAGIOS_LABEL)
        for key, unit, bounds in (("lost", "%", ";;;0;100"), ("rtt_ms", "ms", "")):
            if (value := figure(result, key)) is not None:
                label = f"'{name} {key.removesuffix('_ms')}'"
                # Two names that are cut to one would be one series to a reader.
                figures.setdefault(label, f"{label}={_plain(value)}{unit}{bounds}")
    return list(figures.values())[:NAGIOS_FIGURES]


def _plain(value: float) -> str:
    # Digits and a point are all that a plugin's number may have: no exponent.
    return f"{value:.3f}".rstrip("0").rstrip(".")


def plugin_text(text: str, longest: int) -> str:
    """Text as a plugin may print it: bounded in bytes, and without the bar that would begin its figures."""
    shown = safe(text).replace("|", "/").encode("utf-8", "replace")
    cut = shown if len(shown) <= longest else shown[: longest - 3] + b"..."
    return cut.decode("utf-8", "ignore")
