"""The operator's own commands and monitoring plugins, run for real on this machine, and what is read out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seatrial.checks import registry
from seatrial.checks.platform.nagios import told
from seatrial.model.command import Output, Trouble
from seatrial.model.result import Outcome, Result

from .asked import asked, declared_as

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
PLUGINS = "/usr/lib/nagios/plugins"
GOLDEN = Path(__file__).parent / "golden"


async def command(**declared: Any) -> Result:
    return await asked({"kind": "command", "timeout": "60s", **declared})


async def plugin(*argv: str, **declared: Any) -> Result:
    return await asked(
        {"kind": "nagios", "timeout": "60s", "argv": [f"{PLUGINS}/{argv[0]}", *argv[1:]], **declared}
    )


@pytest.mark.parametrize(
    ("declared", "outcome"),
    [
        ({"argv": ["true"]}, PASS),
        ({"argv": ["false"]}, FAIL),
        ({"argv": ["false"], "status": 1}, PASS),
        ({"shell": "exit 7", "status": None}, PASS),
        ({"argv": ["printf", "%s", "$HOME; rm"], "stdout": {"equals": "$HOME; rm"}}, PASS),
        ({"shell": "echo one; echo two >&2", "stdout": {"equals": "one"}, "stderr": {"equals": "two"}}, PASS),
        ({"shell": "echo one; echo two", "stdout": {"matches": ["^two$", "^o"]}}, PASS),
        ({"shell": "echo one; echo two", "stdout": {"matches": ["^one two$"]}}, FAIL),
        ({"shell": "echo one", "stdout": {"lacks": ["one"]}}, FAIL),
        ({"shell": "printf '\\377\\033[2J'", "stdout": {"equals": "fine"}}, FAIL),
        ({"argv": ["/no/such/program"]}, UNKNOWN),
        ({"argv": ["no-such-program-anywhere"]}, UNKNOWN),
        ({"shell": "no-such-program-anywhere"}, UNKNOWN),
        ({"shell": "exit 127", "status": 127}, PASS),
        ({"argv": ["sleep", "600"], "timeout": "200ms"}, UNKNOWN),
        ({"shell": "yes", "timeout": "2s"}, UNKNOWN),
        ({"shell": "yes | head -c 5000000", "stdout": {"lacks": ["no"]}}, UNKNOWN),
    ],
    ids=str,
)
async def test_a_command_is_judged_by_what_it_really_said(declared: dict[str, Any], outcome: Outcome) -> None:
    result = await command(**declared)
    assert result.outcome is outcome, result.because
    assert result.because.isprintable()
    if outcome is UNKNOWN:
        assert result.hint


def test_what_writes_is_not_safe_and_everything_else_is() -> None:
    def safe(**more: Any) -> bool:
        check = declared_as({"kind": "command", "argv": ["touch", "x"], **more})
        return registry.ask(check)[0][1].safe

    assert safe()
    assert not safe(writes=True)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({}, "either argv or shell"),
        ({"argv": ["a"], "shell": "a"}, "either argv or shell"),
        ({"argv": ["-a"]}, "the first word is the program"),
        ({"argv": ["a\0b"]}, "pattern"),
        ({"argv": ["a"], "stdout": {"matches": ["(a"]}}, "missing "),
        ({"argv": ["a"], "stdout": {"matches": ["(a)\\1"]}}, "invalid escape sequence"),
    ],
    ids=str,
)
def test_a_declaration_that_cannot_work_is_refused(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        declared_as({"kind": "command", **declared})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("declared", "subject"),
    [
        ({"argv": ["/usr/sbin/ip", "route"]}, "the command ip on here"),
        ({"shell": "A=${A-1}; export A\nB=2 systemctl --failed"}, "the command systemctl on here"),
        ({"shell": "A=1"}, "the command sh on here"),
    ],
    ids=str,
)
def test_a_failure_is_blamed_on_the_program_of_the_command(declared: dict[str, Any], subject: str) -> None:
    assert declared_as({"kind": "command", **declared}).subjects == ("here", subject)


@pytest.mark.parametrize(
    ("argv", "outcome", "state"),
    [
        (("check_dummy", "0"), PASS, "ok"),
        (("check_dummy", "1"), FAIL, "warning"),
        (("check_dummy", "2"), FAIL, "critical"),
        (("check_dummy", "3"), UNKNOWN, "unknown"),
        (("check_disk", "-w", "0%", "-c", "0%", "-p", "/"), PASS, "ok"),
        (("check_disk", "-w", "100%", "-c", "100%", "-p", "/"), FAIL, "critical"),
        (("check_procs", "-c", "1:"), PASS, "ok"),
        (("check_tcp", "-H", "127.0.0.1", "-p", "9", "-t", "10"), FAIL, "critical"),
        (("check_disk", "--no-such-option"), UNKNOWN, "unknown"),
    ],
    ids=str,
)
async def test_a_real_plugin_is_judged_by_its_exit_code(
    argv: tuple[str, ...], outcome: Outcome, state: str
) -> None:
    result = await plugin(*argv)
    assert (result.outcome, result.evidence["state"]) == (outcome, state), result.because


async def test_a_warning_passes_where_the_check_says_so() -> None:
    assert (await plugin("check_dummy", "1", "it is late", warning="pass")).outcome is PASS
    assert (await plugin("check_dummy", "2", "it is late", warning="pass")).outcome is FAIL


async def test_the_figures_of_a_real_plugin_are_evidence() -> None:
    result = await plugin("check_procs", "-w", "1:", "-c", "1:")
    (figure,) = result.evidence["perfdata"]
    assert figure["label"] == "procs"
    assert figure["value"] >= 1
    assert (figure["warn"], figure["crit"], figure["min"]) == ("1:", "1:", "0")
    assert result.evidence["perfdata_unread"] == 0


async def test_a_plugin_that_is_missing_says_which_package_has_it() -> None:
    result = await asked({"kind": "nagios", "argv": ["check_swap_of_nowhere"]})
    assert (result.outcome, result.hint) == (UNKNOWN, "apt install monitoring-plugins-basic")
    own = await asked({"kind": "nagios", "argv": ["/opt/plugins/mine.sh"]})
    assert own.outcome is UNKNOWN
    assert "/opt/plugins/mine.sh" in own.because


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text().partition("--- stdout\n")[2].rpartition("--- stderr\n")[0]


def test_figures_of_captured_plugins_are_read_whole() -> None:
    said, figures, unread = told(golden("nagios-disk-two"))
    assert said.startswith("DISK OK")
    assert [(one["label"], one["unit"], one["max"]) for one in figures] == [
        ("/dev/shm", "B", "25275924480"),
        ("/", "B", "270552530944"),
    ]
    assert told(golden("nagios-load"))[1][2]["crit"] == "2000.000"
    assert [one["unit"] for one in told(golden("nagios-ping"))[1]] == ["ms", "%"]
    assert unread == 0


def test_figures_come_with_quoted_labels_ranges_and_on_later_lines() -> None:
    text = (
        "FINE | 'the ''first'' one'=1.5s;@10:20;~:30;0;100 b=U 'two words'=-2c\n"
        "text that goes on\n"
        "and on | c=3;5\n"
        "d=4%\n"
    )
    said, figures, unread = told(text)
    assert said == "FINE"
    assert figures == [
        {"label": "the 'first' one", "value": 1.5, "unit": "s", "warn": "@10:20", "crit": "~:30", "min": "0", "max": "100"},
        {"label": "b", "value": None, "unit": ""},
        {"label": "two words", "value": -2.0, "unit": "c"},
        {"label": "c", "value": 3.0, "unit": "", "warn": "5"},
        {"label": "d", "value": 4.0, "unit": "%"},
    ]  # fmt: skip
    assert unread == 0


@pytest.mark.parametrize(
    ("figures", "read", "unread"),
    [
        ("a=1,5s b=2", ["b"], 1),
        ("=1 a= b=2;;;; c", ["b"], 3),
        ("a=1e999 b=2", ["b"], 1),
        ("'open=1 b=2", ["b"], 1),
        ("a=\x1b[2J b=2", ["b"], 1),
        (" ".join(f"n{number}=1" for number in range(500)), [f"n{number}" for number in range(100)], 0),
        ("'" * 5000, [], 1),
    ],
    ids=range(7),
)
def test_figures_that_are_none_cost_themselves_alone(figures: str, read: list[str], unread: int) -> None:
    _, found, left = told("OK | " + figures)
    assert ([one["label"] for one in found], left) == (read, unread)


def test_a_plugin_that_the_machine_did_not_run_is_unknown() -> None:
    check = declared_as({"kind": "nagios", "argv": ["/x"]})
    ((_, asked_for),) = registry.ask(check)
    gone = Output(command=asked_for, status=None, trouble=Trouble.LOST, problem="the connection was lost")
    assert registry.judge("p", check, [gone]).outcome is UNKNOWN
