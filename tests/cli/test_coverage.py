"""`seatrial check --plan` on the lab's fleet: what is pasted is taken, and then the faults can be told apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatrial.cli.check import check
from seatrial.errors import InputError
from seatrial.lab.fleet import fleet_text
from seatrial.lab.gateway import gateway_topology


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yaml"
    path.write_text(fleet_text(gateway_topology(), lambda _: {"simulated": True}), encoding="utf-8")
    return path


def planned(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert check(file=path, plan=True, json=True) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_text_names_what_looks_the_same_and_ends_with_what_can_be_pasted(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(file=lab, plan=True) == 0
    said = capsys.readouterr().out
    assert "gw-s1:reply-translation  Replies of translated flows are lost at gw-s1\n" in said
    pasted = yaml.safe_load(said[said.index("# Add to the fleet file") :])
    assert set(pasted) == {"flows", "checks"}


def test_what_is_pasted_is_taken_and_splits_what_looked_the_same(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = planned(lab, capsys)
    assert ["gw-s1:reply-translation", "gw-s1>s-vm-private"] in before["alike"]
    whole, added = yaml.safe_load(lab.read_text(encoding="utf-8")), yaml.safe_load(before["yaml"])
    for section in ("flows", "checks"):
        assert not set(whole[section]) & set(added[section])
        whole[section].update(added[section])
    lab.write_text(yaml.safe_dump(whole), encoding="utf-8")
    after = planned(lab, capsys)
    known = {name for names in before["alike"] for name in names}
    assert [names for names in after["alike"] if len(known.intersection(names)) > 1] == before["left"] == []
    assert after["unnoticed"] == []
    assert before["pairs_told"] / before["pairs"] < after["pairs_told"] / after["pairs"]


def test_the_plan_is_about_the_whole_file(lab: Path) -> None:
    with pytest.raises(InputError, match="--plan is about the whole fleet file"):
        check(file=lab, plan=True, host="gw-s1")


def test_a_file_without_flows_and_checks_has_nothing_to_plan(lab: Path) -> None:
    whole = {**yaml.safe_load(lab.read_text(encoding="utf-8")), "flows": {}, "checks": {}}
    lab.write_text(yaml.safe_dump(whole), encoding="utf-8")
    with pytest.raises(InputError, match="nothing is declared that could be asked"):
        check(file=lab, plan=True)
