"""Every check against captured outputs of the real tools: `golden/` has them, as status, stdout and stderr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from seatrial.checks import registry
from seatrial.checks.dmesg import level
from seatrial.model.command import Output, Trouble
from seatrial.model.fleet import Check
from seatrial.model.result import Outcome

GOLDEN = Path(__file__).parent / "golden"
PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {
    "ping": {"kind": "ping", "from": "vm", "address": "192.0.2.9"},
    "ping-lenient": {"kind": "ping", "from": "vm", "address": "192.0.2.9", "max_loss": 30.0},
    "tcp": {"kind": "tcp", "from": "vm", "address": "db", "port": 5432},
    "http": {"kind": "http", "from": "vm", "url": "http://web/", "contains": "sea"},
    "dns": {"kind": "dns", "from": "vm", "server": "192.0.2.53", "name": "www.example.org"},
    "dns-other": {
        "kind": "dns",
        "from": "vm",
        "server": "192.0.2.53",
        "name": "www.example.org",
        "expect": "192.0.2.81",
    },
    "unit": {"kind": "unit", "from": "vm", "unit": "some.service"},
    "kernel": {"kind": "kernel", "from": "vm"},
    "dmesg": {"kind": "dmesg", "from": "vm"},
}

CASES = [
    ("ping", ["ping-answered"], PASS, "192.0.2.9 answered 3 of 3"),
    ("ping", ["ping-six"], PASS, "192.0.2.9 answered 3 of 3"),
    ("ping", ["ping-partly"], FAIL, "192.0.2.9 answered 7 of 10"),
    ("ping-lenient", ["ping-partly"], PASS, "192.0.2.9 answered 7 of 10"),
    ("ping", ["ping-silent"], FAIL, "192.0.2.9 answered 0 of 3"),
    ("ping", ["ping-no-route"], FAIL, "192.0.2.9: ping: connect: Network is unreachable"),
    ("tcp", ["tcp-accepted"], PASS, "db port 5432 accepts connections"),
    ("tcp", ["tcp-refused"], FAIL, "db port 5432 accepts no connection: Connection refused"),
    ("tcp", ["tcp-silent"], FAIL, "db port 5432 accepts no connection: timed out"),
    ("tcp", ["tcp-no-route"], FAIL, "db port 5432 accepts no connection: Network is unreachable"),
    (
        "tcp",
        ["tcp-unknown-name"],
        FAIL,
        "db port 5432 accepts no connection: Temporary failure in name resolution",
    ),
    ("http", ["http-found"], PASS, "http://web/ answers 200"),
    ("http", ["http-without"], FAIL, "http://web/ answers 200 without 'sea'"),
    ("http", ["http-missing"], FAIL, "http://web/ answers 404, not 200"),
    ("http", ["http-refused"], FAIL, "http://web/ does not answer: Connection refused"),
    ("http", ["http-tls-to-plain"], FAIL, "http://web/ does not answer: TLS: WRONG_VERSION_NUMBER"),
    ("dns", ["dns-a"], PASS, "www.example.org A at 192.0.2.53: 192.0.2.80"),
    ("dns", ["dns-aaaa"], PASS, "www.example.org A at 192.0.2.53: 2001:db8::80"),
    ("dns", ["dns-mx"], PASS, "www.example.org A at 192.0.2.53: 10 mail.example.org."),
    ("dns", ["dns-txt"], PASS, "www.example.org A at 192.0.2.53: hello sea"),
    ("dns", ["dns-ns"], PASS, "www.example.org A at 192.0.2.53: ns.example.org."),
    ("dns", ["dns-no-name"], FAIL, "www.example.org A at 192.0.2.53: NXDOMAIN with 0 records"),
    ("dns", ["dns-no-record"], FAIL, "www.example.org A at 192.0.2.53: NOERROR with 0 records"),
    ("dns", ["dns-server-refuses"], FAIL, "www.example.org A at 192.0.2.53: REFUSED with 0 records"),
    ("dns", ["dns-refused"], FAIL, "www.example.org A at 192.0.2.53: no answer: Connection refused"),
    ("dns", ["dns-silent"], FAIL, "www.example.org A at 192.0.2.53: no answer: timed out"),
    ("dns-other", ["dns-a"], FAIL, "www.example.org A at 192.0.2.53: 192.0.2.80, not 192.0.2.81"),
    ("unit", ["unit-fine"], PASS, "some.service is active (running)"),
    ("unit", ["unit-oneshot"], PASS, "some.service is active (exited)"),
    ("unit", ["unit-failing"], FAIL, "some.service is failed (failed), result exit-code, restarted 3 times"),
    ("unit", ["unit-not-found"], FAIL, "some.service is not-found"),
    ("unit", ["unit-masked"], FAIL, "some.service is masked"),
    (
        "unit",
        ["unit-no-systemd"],
        UNKNOWN,
        "vm: unit.show ended with status 1: Failed to connect to bus: Host is down",
    ),
    (
        "kernel",
        ["kernel-running-56", "kernel-installed", "kernel-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed; set for the next boot: gnulinux-advanced-1>gnulinux-6.1.0-56",
    ),
    (
        "kernel",
        ["kernel-running-56", "kernel-installed", "kernel-no-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed",
    ),
    (
        "kernel",
        ["kernel-running", "kernel-installed", "kernel-no-grubenv"],
        FAIL,
        "6.18.44-fc-v657 runs, but /boot has no such kernel",
    ),
    ("dmesg", ["dmesg-boot-47", "dmesg-boot-47"], PASS, "no warning that the boot before had not"),
    (
        "dmesg",
        ["dmesg-boot-56", "dmesg-boot-47"],
        PASS,
        "3 new warnings: cblist_init_generic: Setting shift to 0 and lim to 1 rcu_task_cpu_ids=1.",
    ),
    ("dmesg", ["dmesg-boot-56", "dmesg-no-boot-before"], UNKNOWN, "vm has no messages of the boot before"),
]


def golden(name: str, command: Any) -> Output:
    head, _, rest = (GOLDEN / f"{name}.txt").read_text().partition("--- stdout\n")
    stdout, _, stderr = rest.rpartition("--- stderr\n")
    return Output(
        command=command, status=int(head.removeprefix("status: ")), stdout=stdout, stderr=stderr, seconds=0.5
    )


def check_of(name: str) -> Check:
    check: Check = TypeAdapter(Check).validate_python(CHECKS[name])
    return check


@pytest.mark.parametrize(("name", "files", "outcome", "because"), CASES, ids=lambda value: str(value)[:40])
def test_each_captured_answer_is_read_for_what_it_says(
    name: str, files: list[str], outcome: Outcome, because: str
) -> None:
    check = check_of(name)
    commands = registry.ask(name, check)
    assert len(commands) == len(files)
    outputs = [golden(file, command) for file, command in zip(files, commands, strict=True)]
    result = registry.judge(name, check, outputs)
    assert (result.outcome, result.because) == (outcome, because)
    assert (result.check, result.vantage) == (name, "vm")


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("trouble", Trouble)
def test_no_answer_is_unknown_and_never_a_failure(name: str, trouble: Trouble) -> None:
    check = check_of(name)
    outputs = [
        Output(command=command, status=None, trouble=trouble, problem="it \x1b[31mbroke", hint="mend it")
        for command in registry.ask(name, check)
    ]
    result = registry.judge(name, check, outputs)
    assert result.outcome is UNKNOWN
    assert result.hint
    assert "\x1b" not in result.because + result.hint
    assert registry.judge(name, check, []).outcome is UNKNOWN


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "stdout",
    [
        "",
        "\x1b[2J\x00\ufffd",
        "{}",
        "[]",
        "null",
        '{"error": "\\u001b[31m"}',
        '{"status": -1}',
        "x" * 100_000,
        "=" * 500,
    ],
    ids=range(9),
)
def test_hostile_answers_pass_nothing_and_move_no_cursor(name: str, stdout: str) -> None:
    check = check_of(name)
    commands = registry.ask(name, check)
    result = registry.judge(
        name, check, [Output(command=c, status=0, stdout=stdout, stderr=stdout) for c in commands]
    )
    assert result.outcome is not PASS or name == "dmesg"
    assert str(result.because).isprintable()
    assert len(result.because) < 1500


@pytest.mark.parametrize(
    "line",
    [
        "BUG: kernel NULL pointer dereference, address: 0000000000000008",
        "Oops: 0000 [#1] PREEMPT SMP NOPTI",
        "Call Trace:",
        "INFO: task nfsd:1234 blocked for more than 120 seconds.",
        "pcieport 0000:00:1c.5: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
        "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:45]",
        "mce: [Hardware Error]: Machine check events logged",
    ],
)
def test_grave_messages_that_are_new_fail(line: str) -> None:
    check = check_of("dmesg")
    now, before = registry.ask("dmesg", check)
    known = "cblist_init_generic: Setting shift to 1\n"
    result = registry.judge(
        "dmesg",
        check,
        [
            Output(command=now, status=0, stdout=known + line + "\n"),
            Output(command=before, status=0, stdout=known),
        ],
    )
    assert (result.outcome, result.because) == (FAIL, f"new at this boot: {line}")
    both = [Output(command=c, status=0, stdout=line) for c in (now, before)]
    assert registry.judge("dmesg", check, both).outcome is PASS


def test_two_boots_of_one_kernel_say_the_same_but_for_numbers() -> None:
    first, again = (
        {level(line) for line in (GOLDEN / name).read_text().splitlines()}
        for name in ("dmesg-boot-47.txt", "dmesg-boot-47-again.txt")
    )
    assert len(again - first) <= 2
