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
# zsh completes on a terminal only, so it is given one and asked for its list.
ZSH = """
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell 'fpath=('"$1"' $fpath); PROMPT=; autoload -Uz compinit; compinit -u -D; LISTMAX=1000; unsetopt beep; print ready''!'
while zpty -r shell line; do [[ $line = *ready!* ]] && break; done
zpty -n -w shell $'seatrial {begun}\\t\\t'
said=
zmodload zsh/datetime
end=$((EPOCHSECONDS + 60))
while (( EPOCHSECONDS < end )); do
    zpty -rt shell line && said+=$line || sleep 0.05
    [[ $said = *{wanted}* ]] && break
done
print -r -- "$said"
zpty -d shell
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


@pytest.mark.parametrize(
    ("begun", "wanted"), [("roll", "rollout"), ("rollout app", "approve"), ("check --forma", "--format")]
)
def test_a_real_zsh_completes(begun: str, wanted: str) -> None:
    said = run(
        "zsh",
        "-f",
        "-c",
        ZSH.format(begun=begun, wanted=wanted),
        "zsh",
        str(PACKAGING / "completion"),
        TERM="dumb",
    )
    assert wanted in said


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
