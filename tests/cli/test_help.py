"""`--help` of every verb: the quick one is the real one, and it has examples that can be typed."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cyclopts import App
from rich.console import Console

from seatrial.cli.examples import EXAMPLES
from seatrial.cli.main import app
from seatrial.cli.quick import wants_help_only

from .test_bad_input import ROOT


def verbs(here: App, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in list(here):
        if not name.startswith("-"):
            yield (*above, name)
            yield from verbs(here[name], (*above, name))


VERBS = [(), *verbs(app)]
# One process for all of them: each verb's module is loaded with stand-ins below it, as it is for one.
QUICK = """
import io, json, sys
from rich.console import Console
from seatrial.cli.main import app
from seatrial.cli.quick import stand_ins
told = {}
with stand_ins():
    for verb in json.load(sys.stdin):
        out = io.StringIO()
        app.help_print(verb, console=Console(file=out, width=100))
        told[" ".join(verb)] = out.getvalue()
real = [name for name in sys.modules if name.startswith("seatrial.") and getattr(sys.modules[name], "__file__", None)]
heavy = sorted(name for name in HEAVY if getattr(sys.modules.get(name), "__file__", None))
print(json.dumps({"told": told, "real": real, "heavy": heavy}))
"""
# Each of them takes as long to load as all the rest of a help.
HEAVY = (
    "PIL", "apprise", "asyncssh", "cryptography", "dbos", "jinja2", "numpy", "prometheus_client", "pydantic", "re2",
    "requests", "scipy", "sqlalchemy", "starlette", "uvicorn", "yaml",
)  # fmt: skip


def real(verb: tuple[str, ...]) -> str:
    out = io.StringIO()
    app.help_print(list(verb), console=Console(file=out, width=100))
    return out.getvalue()


def test_the_quick_help_of_every_verb_is_the_real_one() -> None:
    import json

    ended = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {HEAVY!r}{QUICK}"],
        input=json.dumps(VERBS),
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert len(said["told"]) > 40
    different = {verb for verb in VERBS if said["told"][" ".join(verb)] != real(verb)}
    assert different == set()
    below = [
        name
        for name in said["real"]
        if not name.startswith(("seatrial.cli", "seatrial.bisect"))
        and name not in ("seatrial.errors", "seatrial.clock")
    ]
    assert below == [], "help waits for these"
    assert said["heavy"] == [], "help waits for these"


@pytest.mark.parametrize(
    ("words", "only"),
    [
        (["--help"], True),
        (["check", "--help"], True),
        (["lab", "run", "-h"], True),
        (["lab", "run", "gw1", "ls", "--help"], False),
        (["lab", "run", "gw1", "--", "ls", "--help"], False),
        (["check", "--help", "--json"], False),
        (["no-such-verb", "--help"], False),
        (["check"], False),
        ([], False),
    ],
)
def test_only_verbs_and_then_help_is_help_only(words: list[str], only: bool) -> None:
    assert wants_help_only(words) is only


def has_verbs(verb: tuple[str, ...]) -> bool:
    return any(other[: len(verb)] == verb and len(other) > len(verb) for other in VERBS)


def test_every_verb_has_an_example_and_no_example_is_of_a_verb_that_is_gone() -> None:
    wanted = {
        " ".join(verb) for verb in VERBS if verb and (not has_verbs(verb) or " ".join(verb) in EXAMPLES)
    }
    assert set(EXAMPLES) == wanted


@pytest.mark.parametrize("verb", EXAMPLES)
def test_an_example_is_of_its_verb_is_shown_and_can_be_typed(verb: str) -> None:
    shown = " ".join(real(tuple(verb.split())).split())
    for example in EXAMPLES[verb]:
        program, *words = shlex.split(example)
        assert program == "seatrial" and words[: len(verb.split())] == verb.split()
        assert " ".join(example.split()) in shown
        command, bound, *_ = app.parse_args(words, exit_on_error=False, print_error=False)
        assert command.__module__.startswith("seatrial.cli.") and bound is not None
