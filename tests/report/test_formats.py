"""The formats are what their readers take: JUnit's shape, a Nagios plugin's rules, Prometheus' own linter, JSON."""

from __future__ import annotations

import json
import re
import subprocess
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.checklist.telling import told_apart
from seatrial.checks.compared import compare
from seatrial.checks.repeated import over_rounds, several
from seatrial.model.change import Comparison
from seatrial.model.result import Outcome, Result, worst
from seatrial.report.figures import METRICS, as_prometheus
from seatrial.report.formats import as_document, as_junit, as_nagios, beside
from tests.vantage.grounds import program

P, F, U, S = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.SKIP

# What the schema of Jenkins' xUnit plugin (junit-10.xsd) lets stand where; pytest's own reports are held to it too.
MAY_HAVE = {
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
    "testcase": {"name", "classname", "time", "group"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}  # fmt: skip
INSIDE = {
    "testsuite": {"testcase", "properties", "system-out", "system-err"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
}
FIGURE = re.compile(r"(?:'[^'=|]+'|[^ '=|]+)=-?[0-9.]+(?:us|ms|s|%|B|KB|MB|GB|TB|c)?(?:;[0-9.:@~]*){0,4}")


def one(check: str, outcome: Outcome, because: str = "", **evidence: object) -> Result:
    return Result(
        check=check,
        outcome=outcome,
        because=because or f"said {outcome}",
        vantage="vm",
        hint="look" if outcome is not P else "",
        evidence=evidence,
        seconds=0.25,
    )


FLAKY = several([one("flaky", F, lost=50.0, rtt_ms=1.5), one("flaky", P)])
ROUNDS = over_rounds([one("rounds", F), one("rounds", P), one("rounds", P)])
RESULTS = (
    one("a", P, lost=0.0, rtt_ms=0.00001),
    one("b", F, "it | is <wrong> & \"so\" 'too'"),
    one("c", U),
    one("d", S),
    FLAKY,
    ROUNDS,
)


def compared(results: tuple[Result, ...] = RESULTS) -> Comparison:
    before = {"a": one("a", F), "b": one("b", F), "flaky": one("flaky", P), "gone": one("gone", P)}
    return compare(results, before, baseline="before.json")


def suite(text: str) -> ElementTree.Element:
    found = ElementTree.fromstring(text)
    assert found.tag == "testsuite"
    for element in found.iter():
        assert set(element.attrib) <= MAY_HAVE[element.tag], element.tag
        assert {child.tag for child in element} <= INSIDE.get(element.tag, set()), element.tag
    assert re.fullmatch(r"\d+\.\d{3}", found.attrib["time"])
    cases = list(found)
    names = [(case.get("classname"), case.attrib["name"]) for case in cases]
    assert len(names) == len(set(names)), "a reader would take two of one name for one"
    counted = {tag: sum(1 for case in cases if case.find(tag) is not None) for tag in MAY_HAVE}
    assert found.attrib["tests"] == str(len(cases))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert found.attrib[attribute] == str(counted[tag])
    return found


def said(found: ElementTree.Element, name: str) -> tuple[str, str, str]:
    """What stands in a case: its tag, the message, and system-out."""
    case = next(case for case in found if case.get("name") == name)
    verdict = next((child for child in case if child.tag != "system-out"), None)
    return (
        verdict.tag if verdict is not None else "",
        verdict.attrib["message"] if verdict is not None else "",
        case.findtext("system-out", ""),
    )


def test_junit_has_its_shape_and_hides_no_retry() -> None:
    found = suite(as_junit(RESULTS, seconds=1234.5))
    assert said(found, "a") == ("", "", "")
    assert said(found, "b") == ("failure", "it | is <wrong> & \"so\" 'too'", "")
    assert said(found, "c")[0] == "error" and said(found, "d")[0] == "skipped"
    assert said(found, "flaky")[2] == "asked 2 times, failed 1; flaky"
    assert said(found, "rounds")[2] == "asked 3 times, failed 1; flaky"


def test_junit_beside_a_baseline_fails_for_what_is_worse_only() -> None:
    found = suite(as_junit(compared().results, seconds=1.0, compared=compared()))
    assert said(found, "a")[2].startswith("mended: before, said fail; lost 0 %, before not known")
    assert said(found, "b")[0] == "skipped" and "failed before as well" in said(found, "b")[1]
    assert said(found, "flaky")[0] == "failure" and "worse: it passed before" in said(found, "flaky")[2]
    assert said(found, "c")[0] == "error"
    assert said(found, "gone")[0] == "error" and "not asked" in said(found, "gone")[1]


def plugin(text: str) -> tuple[str, list[str], list[str]]:
    """The first line, the figures and the further lines, held to the rules for plugins."""
    first, *more = text.split("\n")
    assert text.isprintable() or all(line.isprintable() for line in (first, *more))
    assert first.count("|") == 1 and not any("|" in line for line in more)
    line, _, figures = first.partition(" | ")
    rest = FIGURE.sub("", figures).strip()
    assert rest == "", f"no figure: {rest}"
    labels = [figure.partition("=")[0] for figure in FIGURE.findall(figures)]
    assert len(labels) == len(set(labels))
    assert len(line.encode()) < 1024 and len(text.encode()) < 8192
    return line, FIGURE.findall(figures), more


def test_nagios_has_one_line_its_figures_and_the_rest_below() -> None:
    code, text = as_nagios(RESULTS, diagnosis="")
    line, figures, more = plugin(text)
    assert code == 2 and line.startswith("SEATRIAL CRITICAL - b: it / is <wrong>")
    assert figures[:3] == ["passed=1", "wrong=4", "total=6"]
    assert "'a lost'=0%;;;0;100" in figures and "'flaky rtt'=1.5ms" in figures
    assert [part.partition(":")[0] for part in more] == ["b", "c", "flaky", "rounds"]


def test_nagios_beside_a_baseline_counts_what_is_worse_only() -> None:
    found = compared()
    code, text = as_nagios(found.results, diagnosis="", compared=found)
    line = plugin(text)[0]
    assert code == 2
    assert (
        "beside before.json: 1 worse, 1 failed before as well, 1 mended, 2 not compared, 1 new, 1 missing"
        in line
    )
    results = (one("b", F),)
    same = compare(results, {"b": one("b", F)}, baseline="before.json")
    code, text = as_nagios(same.results, diagnosis="", compared=same)
    assert code == 0 and plugin(text)[0].startswith(
        "SEATRIAL OK - beside before.json: 1 failed before as well"
    )


def test_nagios_of_very_much_stays_readable() -> None:
    many = tuple(one(f"check {number}", F, "é" * 3000, lost=1.0, rtt_ms=2.0) for number in range(500))
    line, _, more = plugin(as_nagios(many, diagnosis="")[1])
    assert line.endswith("...") and more[-1] == "and 476 more"


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (one("a", P, lost=0, rtt_ms=None), one("a", F, lost=40.0, rtt_ms=1.25), "lost 40 %, before 0 %; rtt 1.25 ms, before not known"),
        (one("a", P, lost=0.0, rtt_ms=1.0), one("a", P, lost=0.0, rtt_ms=1.4), ""),
        (one("a", P, lost=0.0, rtt_ms=0.1), one("a", P, lost=0.0, rtt_ms=0.3), ""),
        (one("a", P, lost=0.0, rtt_ms=1.0), one("a", P, lost=0.0, rtt_ms=31.0), "lost 0 %, before 0 %; rtt 31 ms, before 1 ms"),
        (one("a", P, lost=0.0), one("a", P, lost=2.5), "lost 2.5 %, before 0 %"),
        (one("a", P), one("a", F), ""),
    ],
)  # fmt: skip
def test_the_numbers_of_both_stand_beside_each_other(before: Result, now: Result, said: str) -> None:
    found = compare([now], {"a": before}, baseline="b")
    assert beside(found.rows[0]) == said
    if said:
        assert said in as_junit([now], seconds=1.0, compared=found)


def lint(text: str) -> str:
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode or done.stderr else ""


def test_prometheus_own_linter_finds_nothing_to_say() -> None:
    assert lint(as_prometheus(RESULTS)) == ""
    text = as_prometheus(compared().results, compared=compared())
    assert lint(text) == ""
    assert 'seatrial_check_asked{check="flaky",vantage="vm"} 2' in text
    assert 'seatrial_check_failed{check="flaky",vantage="vm"} 1' in text
    assert 'seatrial_check_change{check="b",vantage="vm",change="failed-before"} 1' in text


def test_the_linter_does_complain_about_what_is_wrong() -> None:
    assert "error while linting" in lint('a{b="c"} 1\na{b="c"} 1\na{b="c} 1\n')


def test_names_that_no_format_likes_are_taken_by_all() -> None:
    nasty = told_apart(
        [one(name, F, name) for name in ("a|b", "a'b=c", 'q"q\\', "\x1b[2J\n", "\ud800", "", "é", "é")]
    )
    suite(as_junit(nasty, seconds=0.0))
    plugin(as_nagios(nasty, diagnosis="")[1])
    assert lint(as_prometheus(nasty)) == ""
    assert json.loads(json.dumps(as_document(nasty, diagnosis="", seconds=0.0)))["outcome"] == "fail"


results = st.lists(
    st.builds(
        Result,
        check=st.text(max_size=12),
        outcome=st.sampled_from(Outcome),
        because=st.text(max_size=40),
        hint=st.text(max_size=10),
        vantage=st.text(max_size=5),
        evidence=st.fixed_dictionaries(
            {"lost": st.none() | st.floats() | st.integers(), "rtt_ms": st.none() | st.floats() | st.text()}
        ),
        seconds=st.floats(0, 1000),
    ),
    min_size=1,
    max_size=4,
).map(told_apart)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(results, results, st.text(max_size=30))
def test_whatever_the_results_are_the_shapes_hold(
    now: tuple[Result, ...], before: tuple[Result, ...], diagnosis: str
) -> None:
    found = compare(now, {each.check: each for each in before}, baseline="b")
    suite(as_junit(found.results, seconds=1.0, compared=found))
    code, text = as_nagios(found.results, diagnosis=diagnosis, compared=found)
    assert plugin(text)[0].startswith("SEATRIAL ") and code in (0, 2, 3)
    document = as_document(found.results, diagnosis=diagnosis, seconds=1.0, compared=found)
    assert document["outcome"] == worst(each.outcome for each in now)
    assert document["baseline"]["outcome"] == found.outcome
    lines = as_prometheus(found.results, compared=found).splitlines()
    series = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(series) == len(set(series))


def test_every_metric_has_a_name_that_says_what_it_is() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.says.endswith(".")
