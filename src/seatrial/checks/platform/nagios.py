"""What does a monitoring plugin say, by its exit code, its first line and its performance data?

The exit codes and the two formats are those of the Monitoring Plugins' guidelines. What is not in: any plugin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.platform import NagiosCheck
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.result import Outcome, Result

STATES = {0: "ok", 1: "warning", 2: "critical", 3: "unknown"}
# Where Debian's plugins are, and the package that has the most of them.
PLUGINS = re.compile(r"^(?:/usr/lib/nagios/plugins/)?check_[a-z0-9_]+$")
PACKAGE = "monitoring-plugins-basic"
MOST_FIGURES = 100
MOST_PERFDATA = 32 * 1024
FIGURE = re.compile(
    r"\s*(?:'(?P<quoted>(?:[^']|''){1,200})'|(?P<plain>[^\s='\"|]{1,200}))="
    r"(?P<value>U|-?[0-9]{1,30}(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,3})?)(?P<unit>[A-Za-z%µ°/]{0,12})"
    r"(?P<rest>(?:;[0-9eE+.:@~U-]{0,60}){0,4});?(?=\s|$)"
)


def commands(check: NagiosCheck) -> tuple[Command, ...]:
    """The plugin as it was declared."""
    package = PACKAGE if PLUGINS.match(check.argv[0]) else None
    return (
        Command(
            name="nagios.plugin", argv=check.argv, root=check.root, timeout=check.timeout, package=package
        ),
    )


def judge(name: str, check: NagiosCheck, outputs: Sequence[Output]) -> Result:
    """PASS when the plugin says OK; its WARNING is a failure unless the check takes it for a pass, UNKNOWN stays it."""
    output = outputs[0] if outputs else None
    plugin = clean(check.argv[0].rpartition("/")[2], 60)
    if output is None or not output.answered:
        return unknown(name, check, _no_answer(output, check))
    assert output.status is not None
    said, figures, unread = told(output.stdout)
    state = STATES.get(output.status)
    evidence = {"status": output.status, "state": state, "perfdata": figures, "perfdata_unread": unread}
    if state is None:
        reason = clean(output.stderr) or said or "it said nothing"
        because = f"{plugin} ended with status {output.status}, which is none of a plugin: {reason}"
        hint = f"run {output.command.paste} on {check.source_vantage} to see why"
        return made(name, check, Outcome.UNKNOWN, because, hint=clean(hint), evidence=evidence)
    because = said or f"{plugin} says {state} and nothing else"
    passes = state == "ok" or (state == "warning" and check.warning == "pass")
    if state == "unknown":
        outcome, hint = Outcome.UNKNOWN, f"run {output.command.paste} on {check.source_vantage} to see why"
    else:
        outcome, hint = Outcome.PASS if passes else Outcome.FAIL, ""
    return made(name, check, outcome, because, hint=clean(hint), seconds=output.seconds, evidence=evidence)


def _no_answer(output: Output | None, check: NagiosCheck) -> tuple[str, str]:
    place = check.source_vantage
    if output is not None and output.trouble is Trouble.NO_PROGRAM and output.command.package is None:
        return (
            f"{place} has no {clean(check.argv[0])}",
            f"install that plugin on {place}, or name it by its path",
        )
    why, hint = why_not(output, place) or (f"{place} did not answer", "")
    if output is not None and output.trouble is Trouble.TIMEOUT and not hint:
        hint = "give the check a longer timeout; the plugin has one of its own, often -t"
    return why, hint


def told(text: str) -> tuple[str, list[dict[str, Any]], int]:
    """The first line without its figures, all figures, and how many places in them were not understood.

    The first line may have figures behind a `|`. Of the lines that follow, those up to a second `|` are text, and
    what comes behind it is figures to the end.
    """
    first, _, later = text.strip().partition("\n")
    sentence, _, figures = first.partition("|")
    more = later.partition("|")[2]
    found = list(_figures(f"{figures} {more}"[:MOST_PERFDATA]))
    read = [one for one in found if one is not None]
    return clean(sentence), read[:MOST_FIGURES], len(found) - len(read)


def _figures(text: str) -> Iterator[dict[str, Any] | None]:
    at = 0
    while text[at:].strip():
        match = FIGURE.match(text, at)
        if match is None:
            # What is not understood costs one word, so that the figures behind it are read.
            yield None
            beyond = re.compile(r"\s*\S+").match(text, at)
            at = beyond.end() if beyond else len(text)
            continue
        at = match.end()
        yield _figure(match)


def _figure(match: re.Match[str]) -> dict[str, Any] | None:
    label = match["quoted"].replace("''", "'") if match["quoted"] is not None else match["plain"]
    value = None if match["value"] == "U" else float(match["value"])
    if value is not None and not math.isfinite(value):
        return None
    bounds = [*match["rest"].split(";")[1:], "", "", "", ""]
    named = zip(("warn", "crit", "min", "max"), bounds, strict=False)
    return {
        "label": clean(label, 100),
        "value": value,
        "unit": match["unit"],
        **{key: bound for key, bound in named if bound},
    }
