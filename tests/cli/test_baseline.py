"""`seatrial check --baseline` and `--repeat` on real traffic: three namespaces, and a router that loses what it is told to."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.report.test_formats import lint, plugin, suite
from tests.vantage.grounds import free_port

from .three import Three, seatrial


def test_repeated_rounds_tell_what_is_broken_from_what_comes_and_goes(three: Three) -> None:
    three.loses("dead", "thin", "early")
    done = three.check("--repeat", "2", "--format", "json")
    assert done.returncode == 1, done.stderr
    found = {one["check"]: one for one in json.loads(done.stdout)["results"]}
    assert {name: one["evidence"]["steady"] for name, one in found.items()} == {
        "whole": "fine",
        "dead": "broken",
        "thin": "flaky",
        "early": "flaky",
    }
    assert found["dead"]["because"].startswith("broken, failed 2 of 2 rounds: went out, never arrived")
    assert (found["thin"]["evidence"]["asked"], found["thin"]["evidence"]["lost"]) == (64, 25.0)
    assert found["early"]["evidence"]["rounds_failed"] == 1
    assert found["whole"]["because"] == "fine in 2 of 2 rounds: pass"


def test_only_what_is_worse_than_in_the_baseline_is_a_failure(three: Three) -> None:
    three.loses("thin")
    before = three.kept()
    same = three.check("--baseline", before)
    assert same.returncode == 0, same.stdout
    assert "beside before.json: 1 failed before as well" in same.stdout
    assert "; it failed before as well   as before" in same.stdout

    three.loses("thin", "dead")
    worse = three.check("--baseline", before)
    assert worse.returncode == 1, worse.stdout
    assert "beside before.json: 1 worse, 1 failed before as well" in worse.stdout
    assert "it passed before" in worse.stdout and "lost 100 %, before 0 %" in worse.stdout

    three.loses()
    mended = three.check("--baseline", before)
    assert mended.returncode == 0, mended.stdout
    assert "1 mended" in mended.stdout and "lost 0 %, before 25 %" in mended.stdout


def test_a_flow_that_failed_before_and_loses_much_more_now_is_worse(three: Three) -> None:
    three.loses("thin")
    before = three.kept()
    three.world.nft("add rule inet lossy forward udp dport 7003 drop\n")
    done = three.check("--baseline", before)
    assert done.returncode == 1, done.stdout
    assert "it failed before as well, but lost less: 25 %" in done.stdout


# --- one check here is enough for the rest ---

HERE = """\
version: 1
name: here
stages: [{{name: staging}}]
hosts: {{here: {{stage: staging, roles: [gateway], reach: {{local: true}}}}}}
vantages: {{gone: {{netns: /proc/0/ns/net}}}}
checks:
  open: {{kind: tcp, from: here, address: 127.0.0.1, port: {port}, timeout: 20s}}
  ready: {{kind: tcp, from: {place}, address: 127.0.0.1, port: {ready}, timeout: 20s}}
"""


class Here:
    """A fleet of this machine alone, with two ports that are asked for."""

    def __init__(self, room: Path, ready: int) -> None:
        self.room, self.ready, self.port = room, ready, free_port()
        self.write()

    def write(self, place: str = "here", less: bool = False) -> None:
        text = HERE.format(port=self.port, place=place, ready=self.ready)
        lines = text.splitlines(keepends=True)
        (self.room / "fleet.yaml").write_text("".join(lines[:-1] if less else lines))

    def baseline(self, **outcomes: str) -> str:
        results = [{"check": name, "outcome": outcome} for name, outcome in outcomes.items()]
        (self.room / "before.json").write_text(json.dumps({"results": results}))
        return "before.json"

    def check(self, *words: str) -> subprocess.CompletedProcess[str]:
        return seatrial(self.room, "check", *words)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield Here(tmp_path, listener.getsockname()[1])


def test_a_pass_that_nobody_can_ask_now_is_not_found_out(here: Here) -> None:
    here.write(place="gone")
    done = here.check("--baseline", here.baseline(open="fail", ready="pass"))
    assert done.returncode == 3, done.stdout
    assert "it is not known now; it passed before" in done.stdout


def test_what_only_one_side_has_is_named(here: Here) -> None:
    new = here.check("--baseline", here.baseline(open="fail"))
    assert new.returncode == 0 and "1 new" in new.stdout and "not in the baseline" in new.stdout
    missing = here.check("--baseline", here.baseline(open="fail", ready="pass", old="pass"))
    assert missing.returncode == 3 and "1 missing" in missing.stdout and "was not asked" in missing.stdout
    failed = here.check("--baseline", here.baseline(open="fail", ready="pass", old="fail"))
    assert failed.returncode == 0 and "1 missing" in failed.stdout
    here.write(less=True)
    fewer = here.check("--baseline", here.baseline(open="fail", ready="pass"))
    assert fewer.returncode == 3 and "ready" in fewer.stdout


def test_what_a_filter_leaves_out_is_named_and_does_not_count(here: Here) -> None:
    here.write(place="gone")
    done = here.check("--baseline", here.baseline(open="fail", ready="pass"), "--from", "here")
    assert done.returncode == 0 and "not asked this time: ready" in done.stdout


def test_every_format_knows_the_baseline(here: Here) -> None:
    baseline = here.baseline(open="pass", ready="fail", old="pass")

    def said(name: str, code: int = 1) -> str:
        done = here.check("--baseline", baseline, "--format", name)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    document: dict[str, Any] = json.loads(said("json"))
    assert document["baseline"]["worse"] == ["open"] and document["baseline"]["mended"] == ["ready"]
    assert document["baseline"]["missing"] == ["old"] and document["baseline"]["outcome"] == "fail"
    assert document["results"][0]["change"] == "worse"
    found = suite(said("junit"))
    assert isinstance(found, ElementTree.Element)
    assert [(one.get("name"), one[0].tag) for one in found] == [
        ("open", "failure"),
        ("ready", "system-out"),
        ("old", "error"),
    ]
    figures = said("prometheus")
    assert (
        lint(figures) == ""
        and 'seatrial_check_change{check="open",vantage="here",change="worse"} 1' in figures
    )
    assert plugin(said("nagios", 2).rstrip("\n"))[0].startswith(
        "SEATRIAL CRITICAL - beside before.json: 1 worse"
    )


def test_what_a_baseline_run_printed_is_a_baseline(here: Here) -> None:
    first = here.check("--baseline", here.baseline(open="fail", ready="pass"), "--json")
    (here.room / "next.json").write_text(first.stdout)
    done = here.check("--baseline", "next.json")
    assert done.returncode == 0 and "1 failed before as well" in done.stdout


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"results": []}', '{"results": [{"check": 1}]}', "\0"]
)
def test_a_bad_baseline_is_one_error_before_anything_is_asked(text: str, here: Here) -> None:
    (here.room / "before.json").write_text(text)
    done = here.check("--baseline", "before.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("seatrial: before.json: ") and "hint: a baseline is what" in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--baseline", "nothing.json"), "there is no such file"),
        (("--baseline", "."), "is a directory"),
        (("--baseline", "/dev/zero"), "too large"),
        (("--repeat", "0"), "--repeat 0"),
        (("--repeat", "100000"), "--repeat 100000"),
        (("--repeat", "2", "--checklist", "fleet.yaml"), "not for a checklist"),
        (("--baseline", "x", "--checklist", "fleet.yaml"), "not for a checklist"),
    ],
)
def test_options_that_make_no_sense_are_refused(words: tuple[str, ...], what: str, here: Here) -> None:
    done = here.check(*words)
    assert done.returncode == 2 and what in done.stderr and "hint: " in done.stderr
