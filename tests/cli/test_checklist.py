"""`seatrial check --checklist` and `seatrial-checklist` as people and timers call them: processes, with their exit codes."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.checklist.told import GOLDEN, ROOT, check, ended, old
from tests.fleetfile.small import SMALL
from tests.vantage.grounds import Client, Sshd

PASSES = "- name: a\n  tests:\n    - {cmd: echo a, stdout: a}\n"
FAILS = "- name: b\n  tests:\n    - {cmd: exit 3, retcode: 0}\n"
HANGS = "- name: c\n  tests:\n    - {cmd: sleep 600, retcode: 0}\n"
TOTALS = r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: --- (passed|failed|total) tests: (\d+)$"


def totals(text: str) -> list[tuple[str, str]]:
    return re.findall(TOTALS, text, re.MULTILINE)


def counted(passed: int, failed: int) -> list[tuple[str, str]]:
    return [("passed", str(passed)), ("failed", str(failed)), ("total", str(passed + failed))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "list.yaml"


@pytest.mark.parametrize(
    ("text", "code", "passed", "failed"),
    [
        (PASSES, 0, 1, 0),
        (PASSES + FAILS, 1, 1, 1),
        (PASSES + HANGS, 3, 1, 1),
        (PASSES + FAILS + HANGS, 1, 1, 2),
        ("", 3, 0, 0),
        ("- envvars: [{A: b}]\n", 3, 0, 0),
        ("- name: a\n  tests: []\n", 0, 1, 0),
    ],
)
def test_check_has_the_exit_codes_of_seatrial(
    text: str, code: int, passed: int, failed: int, file: Path
) -> None:
    file.write_text(text)
    done = check(file, "--timeout", "0.5", cwd=file.parent)
    assert (done.returncode, totals(done.stdout)) == (code, counted(passed, failed))


@pytest.mark.parametrize("text", ["- name: a\n", "- [\n", "a: b\n", "- name: a\n  tests: [{cmd: 1}]\n"])
def test_wrong_input_names_the_file_and_the_line(text: str, file: Path) -> None:
    file.write_text(text)
    done = check(file, cwd=file.parent)
    assert done.returncode == 2 and done.stdout == ""
    assert re.search(rf"{file}:\d+:\d+: ", done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("--parallel", "0"),
        ("--parallel", "65"),
        ("--timeout", "0"),
        ("--timeout", "-1"),
        ("--timeout", "nan"),
        ("--timeout", "inf"),
        ("--flow", "x"),
        ("--host", "x"),
        ("--from", "nowhere"),
    ],
)
def test_options_that_make_no_sense_are_refused(words: tuple[str, str], file: Path) -> None:
    file.write_text(PASSES.replace("echo a", "touch ran"))
    (file.parent / "fleet.yaml").write_text(SMALL)
    done = check(file, *words, cwd=file.parent)
    assert done.returncode == 2, done.stdout + done.stderr
    assert not (file.parent / "ran").exists()


def test_options_of_a_checklist_want_one(tmp_path: Path) -> None:
    done = ended("seatrial", "check", "--parallel", "2", cwd=tmp_path)
    assert done.returncode == 2 and "--checklist" in done.stderr


def test_a_file_that_is_not_there_is_wrong_input(file: Path) -> None:
    assert check(file, cwd=file.parent).returncode == 2
    assert check(file.parent, cwd=file.parent).returncode == 2
    assert old(file, cwd=file.parent).returncode == 2


def test_the_formats(file: Path) -> None:
    file.write_text(PASSES + PASSES + FAILS)

    def said(name: str) -> str:
        done = check(file, "--format", name, cwd=file.parent)
        # A document on standard output is nothing but the document; the lines are still there to be parsed.
        assert totals(done.stdout) == [] and totals(done.stderr) == counted(2, 1)
        assert done.returncode == (2 if name == "nagios" else 1)
        return done.stdout

    document = json.loads(said("json"))
    assert document["outcome"] == "fail"
    assert [one["check"] for one in document["results"]] == ["a", "a (2)", "b"]
    assert document["results"][2]["evidence"]["cmds"][0]["retcode"] == 3
    suite = ElementTree.fromstring(said("junit"))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    figures = [line for line in said("prometheus").splitlines() if not line.startswith("#")]
    assert len(figures) == len(set(figures)) and any('check="b"' in line for line in figures)
    assert said("nagios").startswith("SEATRIAL CRITICAL - b: ")


@pytest.mark.parametrize(("format", "code"), [("json", 3), ("junit", 3), ("prometheus", 3), ("nagios", 3)])
def test_no_test_at_all_is_no_success_in_any_format(format: str, code: int, file: Path) -> None:
    file.write_text("---\n")
    assert check(file, "--format", format, cwd=file.parent).returncode == code


def test_side_by_side_is_asked_for(file: Path) -> None:
    meet = "- name: {0}\n  tests:\n    - cmd: touch {0}; until [ -e {1} ]; do sleep 0.01; done\n"
    file.write_text(meet.format("x", "y") + meet.format("y", "x"))
    assert check(file, "--parallel", "2", cwd=file.parent).returncode == 0
    (file.parent / "x").unlink()
    (file.parent / "y").unlink()
    assert check(file, "--timeout", "0.5", cwd=file.parent).returncode == 3


def test_the_process_environment_wins(file: Path) -> None:
    file.write_text(
        '- envvars: [{WHO: the file}]\n- name: a\n  tests:\n    - {cmd: "echo \'$WHO\'; printenv WHO", stdout: "me\\nme"}\n'
    )
    assert check(file, cwd=file.parent).returncode == 1
    assert check(file, cwd=file.parent, more={"WHO": "me"}).returncode == 0


# --- from a vantage ---


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Path]:
    with Sshd(tmp_path / "host").up() as sshd:
        (tmp_path / "client").mkdir()
        client = Client(tmp_path / "client")
        sshd.admit(client.key)
        client.knows(sshd)
        client.host("there", sshd)
        path = tmp_path / "fleet.yaml"
        path.write_text(
            SMALL.replace(
                "inside: {ssh: inside}", f"inside: {{ssh: there, ssh_config: {client.config}}}"
            ).replace("outside: {ssh: outside}", "outside: {local: true}")
        )
        yield path


def test_a_checklist_from_a_vantage(fleet: Path) -> None:
    home = fleet.parent / "host" / "home"
    file = fleet.parent / "list.yaml"
    file.write_text(f"- name: there\n  tests:\n    - {{cmd: echo '$HOME', stdout: {home}}}\n" + PASSES)
    for words in (
        ("--from", "inside", "-f", str(fleet)),
        ("--from", "inside", "-f", str(fleet), "--parallel", "2"),
    ):
        done = check(file, *words, cwd=fleet.parent)
        assert (done.returncode, totals(done.stdout)) == (0, counted(2, 0)), done.stdout + done.stderr
    here = check(file, "--from", "outside", "-f", str(fleet), cwd=fleet.parent)
    assert (here.returncode, totals(here.stdout)) == (1, counted(1, 1))


def test_a_vantage_that_cannot_be_reached_is_not_known(fleet: Path) -> None:
    file = fleet.parent / "list.yaml"
    file.write_text(PASSES)
    fleet.write_text(fleet.read_text().replace("ssh: there,", "ssh: elsewhere.invalid,"))
    done = check(file, "--from", "inside", "-f", str(fleet), cwd=fleet.parent)
    assert (done.returncode, totals(done.stdout)) == (3, counted(0, 1)), done.stdout + done.stderr


# --- the drop-in ---


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        (PASSES, (), 0),
        (PASSES + FAILS, (), 0),
        (PASSES + FAILS, ("--exit-code-fail",), 1),
        (PASSES, ("--exit-code-fail",), 0),
        (HANGS, ("--timeout", "0.5"), 0),
        (HANGS, ("--timeout", "0.5", "--exit-code-fail"), 1),
        ("- name: a\n", (), 1),
        ("- name: a\n  tests:\n    - retcode: 0\n", (), 1),
        ("- name: a\n  tests: [\n", (), 2),
        ("\0", (), 2),
        ("", (), 1),
    ],
)
def test_the_drop_in_has_the_exit_codes_of_the_old_tool(
    text: str, words: tuple[str, ...], code: int, file: Path
) -> None:
    file.write_text(text)
    assert old(file, *words, cwd=file.parent).returncode == code


def test_the_drop_in_takes_the_old_options(file: Path) -> None:
    file.write_text(PASSES)
    for words in (
        ("--config", "list.yaml"),
        ("--config-file", "list.yaml"),
        ("--config=list.yaml", "--debug"),
    ):
        done = ended("seatrial.cli.checklist", *words, cwd=file.parent)
        assert (done.returncode, totals(done.stdout)) == (0, counted(1, 0))
        assert ("DEBUG: " in done.stdout) == ("--debug" in words)
    file.rename(file.parent / "cmd-checklist-config.yaml")
    assert ended("seatrial.cli.checklist", cwd=file.parent).returncode == 0


def test_the_metric_is_written_whole(file: Path) -> None:
    file.write_text(PASSES + FAILS.replace("b", '"b \\"quoted\\" \\\\ \\n"', 1))
    metric = file.parent / "out.prom"
    metric.write_text("older\n")
    old_one = os.open(metric, os.O_RDONLY)
    done = old("list.yaml", "--prometheus-output-file", "out.prom", cwd=file.parent)
    assert done.returncode == 0
    first, second = metric.read_text().splitlines()
    label = r'"((?:[^"\\]|\\["\\n])*)"'
    names = ("config_file", "test_name", "test_result", "hostname", "os", "release")
    pattern = r"cmd_checklist_runner\{" + ", ".join(rf"{name}={label}" for name in names) + r"\} 1"
    one, two = re.fullmatch(pattern, first), re.fullmatch(pattern, second)
    assert one and one.groups()[:3] == (str(file), "a", "ok")
    assert two and two.groups()[:3] == (str(file), 'b \\"quoted\\" \\\\ \\n', "failed")
    assert one[4] == os.uname().nodename and one[6] == os.uname().release and one[5]
    # Who had the older file open still reads that one: it was replaced and not written over.
    assert os.pread(old_one, 100, 0) == b"older\n"
    os.close(old_one)
    assert sorted(path.name for path in file.parent.iterdir()) == ["list.yaml", "out.prom"]
    assert metric.stat().st_mode & 0o444 == 0o444


def test_a_metric_that_cannot_be_written_is_said_and_changes_no_exit_code(file: Path) -> None:
    file.write_text(PASSES)
    done = old(file, "--prometheus-output-file", "/nonexistent/out.prom", cwd=file.parent)
    assert done.returncode == 0 and "ERROR: /nonexistent/out.prom: cannot be written" in done.stdout


def test_both_programs_print_the_same_totals() -> None:
    path = GOLDEN / "old-format.yaml"
    assert totals(check(path, cwd=GOLDEN).stdout) == totals(old(path, cwd=GOLDEN).stdout) != []


def test_the_drop_in_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["seatrial-checklist"] == "seatrial.cli.checklist:main"
