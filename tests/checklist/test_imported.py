"""A checklist as checks of a fleet: what they become, and that they say the same of this machine as the checklist does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from seatrial.checklist.imported import from_checklist
from seatrial.checklist.reading import parse
from seatrial.checks import registry
from seatrial.fleetfile import examine
from seatrial.fleetfile.imported import Imported, written
from seatrial.model.result import Outcome
from seatrial.vantage.local import LocalVantage

from ..fleetfile.small import SMALL

NAME = "it's a } brace"
LIST = Path(__file__).parents[1] / "fleetfile" / "imported" / "list.yaml"


def imported(text: str) -> Imported:
    return from_checklist(parse(text, filename="list.yaml"), filename="list.yaml", vantage="inside")


def section(text: str) -> str:
    before, _, after = SMALL.partition("checks:\n")
    return before + written(imported(text)) + after[after.index("policies:") :]


async def outcomes(text: str) -> list[Outcome]:
    fleet, mistakes = examine(section(text))
    assert fleet is not None, mistakes
    here = LocalVantage("inside", places=asyncio.Semaphore(1))
    results = []
    for name, check in fleet.checks.items():
        outputs = await here.run([command for _, command in registry.ask(check)])
        results.append(registry.judge(name, check, outputs).outcome)
    return results


async def test_a_whole_list_is_taken_by_a_fleet_and_what_is_not_is_told() -> None:
    text = LIST.read_text()
    assert examine(section(text))[1] == ()
    assert [f"{remark.place.line} {remark.what}" for remark in imported(text).left_out] == [
        "20 words 4",
        "22 nothing",
    ]
    assert [remark.what for remark in imported(text).changed] == ["commands", "envvars", "words"]


async def test_variables_are_filled_in_as_the_old_tool_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY", raising=False)
    monkeypatch.delenv("WORDS", raising=False)
    text = LIST.read_text().replace("ping -c1 -W2 $GATEWAY >/dev/null", "'true'")
    assert await outcomes(text) == [Outcome.PASS] * 4


@pytest.mark.parametrize(
    ("cmd", "outcome"),
    [
        ({"cmd": "true"}, Outcome.PASS),
        ({"cmd": "false"}, Outcome.PASS),
        ({"cmd": "false", "retcode": 0}, Outcome.FAIL),
        ({"cmd": "exit 3", "retcode": 3}, Outcome.PASS),
        ({"cmd": "kill -15 $$", "retcode": -15}, Outcome.PASS),
        ({"cmd": "echo '  a  '", "stdout": "a"}, Outcome.PASS),
        ({"cmd": "echo a >&2", "stdout": "", "stderr": "a"}, Outcome.PASS),
        ({"cmd": "echo a", "stdout": ""}, Outcome.FAIL),
        ({"cmd": "printenv NAME", "stdout": NAME}, Outcome.PASS),
        ({"cmd": 'echo "$NAME"', "stdout": NAME}, Outcome.PASS),
        ({"cmd": "echo $UNKNOWN_TO_ALL end", "stdout": "end"}, Outcome.PASS),
    ],
    ids=str,
)
async def test_each_command_means_what_it_meant(cmd: dict[str, str], outcome: Outcome) -> None:
    # JSON is YAML.
    text = json.dumps([{"envvars": [{"NAME": NAME}]}, {"name": "t", "tests": [cmd]}])
    assert await outcomes(text) == [outcome]
