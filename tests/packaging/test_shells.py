"""The manual and the completions: fresh, understood by man and by real shells, and true to the verbs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from seatrial.cli.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
BASH = """
source "$1"
COMP_WORDS=({words}) COMP_CWORD={last}
COMPREPLY=()
_seatrial
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def test_what_is_made_from_the_verbs_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("make_shell_files", ROOT / "tools" / "make_shell_files.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    stale = [name for name, make in made.FILES.items() if (PACKAGING / name).read_text() != make()]
    assert stale == [], "run `make docs`"


def run(*argv: str, **more: str) -> str:
    ended = subprocess.run(
        argv,
        env={
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "MANWIDTH": "100",
            "HOME": "/nonexistent",
            **more,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def test_man_shows_every_verb_with_its_examples() -> None:
    shown = " ".join(
        run(
            "man", "--warnings", "--no-hyphenation", "-l", str(PACKAGING / "seatrial.1"), MANPAGER="cat"
        ).split()
    )
    for verb, examples in EXAMPLES.items():
        assert f"seatrial {verb}" in shown
        for example in examples:
            assert example in shown, example


def test_mandoc_finds_nothing_worth_a_warning() -> None:
    assert run("mandoc", "-T", "lint", "-W", "warning", str(PACKAGING / "seatrial.1")) == ""


def bash(*words: str) -> set[str]:
    quoted = " ".join(f"'{word}'" for word in words)
    script = BASH.format(words=quoted, last=len(words) - 1)
    return set(
        run("bash", "--norc", "-c", script, "bash", str(PACKAGING / "completion" / "seatrial")).split()
    )


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("seatrial", "ro"), {"rollout"}),
        (("seatrial", "rollout", "st"), {"start", "status"}),
        (("seatrial", "check", "--for"), {"--format"}),
        (("seatrial", "check", "--format", ""), {"text", "json", "junit", "prometheus", "nagios"}),
        (("seatrial", "init", ""), {"ansible", "ssh-config", "kubernetes", "openstack"}),
        (("seatrial", "completion", "z"), {"zsh"}),
    ],
)
def test_a_real_bash_completes(words: tuple[str, ...], wanted: set[str]) -> None:
    assert bash(*words) == wanted


def test_a_real_zsh_takes_the_completion_for_this_program() -> None:
    """That it parses, is found by compinit, and has every verb; offering it wants a terminal."""
    file = PACKAGING / "completion" / "_seatrial"
    run("zsh", "-f", "-n", str(file))
    script = 'fpath=("$1" $fpath); autoload -Uz compinit; compinit -u -D; print -r -- "$_comps[seatrial]"'
    said = run("zsh", "-f", "-c", script, "zsh", str(file.parent), TERM="dumb")
    assert said == "_seatrial\n"
    text = file.read_text()
    assert [verb for verb in EXAMPLES if f"'{verb.split()[-1]}:" not in text] == []


@pytest.mark.parametrize(
    ("begun", "wanted"),
    [
        ("ro", {"rollout"}),
        ("rollout st", {"start", "status"}),
        ("init ", {"ansible", "ssh-config", "kubernetes", "openstack"}),
    ],
)
def test_a_real_fish_completes(begun: str, wanted: set[str], tmp_path: Path) -> None:
    script = f"source {PACKAGING / 'completion' / 'seatrial.fish'}; complete --do-complete 'seatrial {begun}'"
    said = run("fish", "--no-config", "-c", script, HOME=str(tmp_path))
    assert wanted <= {line.split("\t")[0] for line in said.splitlines()}
