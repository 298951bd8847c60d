"""`seatrial soak judge` as a person and as a script starts it."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "seatrial", "soak", "judge", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def written(path: Path, *ratios: float, n: int = 720) -> str:
    dice = random.Random(1)
    rows = ["series,arm,t,value"]
    for number, ratio in enumerate(ratios, 1):
        for at in range(n):
            for arm, times in (("good", 1.0), ("candidate", ratio)):
                rows.append(f"s{number},{arm},{5 * at},{times * math.exp(dice.gauss(0, 0.3)):.6g}")
    path.write_text("\n".join(rows) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("ratios", "n", "code", "last"),
    [
        ((1.0, 1.0), 720, 0, "2 pass of 2 series"),
        ((1.0, 2.0), 720, 1, "1 fail, 1 pass of 2 series"),
        ((1.0,), 30, 3, "1 unknown of 1 series"),
        ((2.0, 1.0), 60, 1, "1 fail, 1 unknown of 2 series"),
    ],
)
def test_the_exit_code_is_that_of_the_worst_series(
    tmp_path: Path, ratios: tuple[float, ...], n: int, code: int, last: str
) -> None:
    ended = run(written(tmp_path / "samples.csv", *ratios, n=n))
    assert (ended.returncode, ended.stderr) == (code, "")
    *lines, end = ended.stdout.splitlines()
    assert end == last
    assert [line.split()[1] for line in lines] == [f"s{number}" for number in range(1, len(ratios) + 1)]
    assert all(" t = " in line for line in lines)


def test_json_is_one_object_a_series_as_the_contract_has_it(tmp_path: Path) -> None:
    ended = run(written(tmp_path / "samples.csv", 2.0, 1.0), "--json")
    assert ended.returncode == 1
    worse, fine = map(json.loads, ended.stdout.splitlines())
    assert list(worse)[:5] == ["series", "outcome", "at", "effect", "because"]
    assert (worse["series"], worse["outcome"], fine["outcome"]) == ("s1", "fail", "pass")
    assert worse["interval"][0] <= worse["effect"] <= worse["interval"][1]
    assert worse["e_value"] >= worse["e_needed"] == 200
    assert worse["p_value"] == pytest.approx(1 / worse["e_value"])
    assert (fine["since"], fine["interval"][1] <= 1.1) == (None, True)


def test_what_is_infinite_or_not_known_is_null_and_the_json_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    rows = [f"s1,{arm},{t},{failed},1" for t in range(30) for arm, failed in (("good", 0), ("candidate", 1))]
    path.write_text("\n".join(["series,arm,t,failed,sent", *rows, "s2,good,0,0,1"]) + "\n")
    ended = run(str(path), "--json")
    assert ended.returncode == 1
    failed, thin = (
        json.loads(line, parse_constant=lambda name: pytest.fail(name)) for line in ended.stdout.splitlines()
    )
    assert failed["interval"][1] is None
    assert (thin["outcome"], thin["because"]) == ("unknown", "there is no sample of candidate")
    assert (thin["at"], thin["effect"], thin["interval"]) == (None, None, None)


def test_alpha_and_the_minimum_effect_are_heard(tmp_path: Path) -> None:
    path = written(tmp_path / "samples.csv", 1.2)
    assert run(path, "--min-effect", "1.5").returncode == 0
    ended = run(path, "--alpha", "0.001", "--json")
    assert json.loads(ended.stdout)["e_needed"] == 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("missing.csv",), "cannot read missing.csv: No such file or directory"),
        (("samples.csv", "--alpha", "2"), "alpha is 2"),
        (("wrong.csv",), "wrong.csv:1: the header is a,b"),
    ],
)
def test_wrong_input_is_exit_code_two_with_a_hint(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    written(tmp_path / "samples.csv", 1.0, n=10)
    (tmp_path / "wrong.csv").write_text("a,b\n")
    ended = run(str(tmp_path / words[0]), *words[1:])
    assert ended.returncode == 2
    assert said in ended.stderr.replace(f"{tmp_path}/", "")
    assert "hint: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_name_from_a_file_cannot_move_the_terminal_s_cursor(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("series,arm,t,value\n\x1b[2Js,good,0,1\n", encoding="utf-8")
    ended = run(str(path))
    assert ended.returncode == 3
    assert "\x1b" not in ended.stdout


def test_help_does_not_load_what_only_the_judging_needs() -> None:
    program = "import sys; import seatrial.cli.main, seatrial.cli.soak; print('numpy' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == "False"
