"""Failovers of the lab's pair, as their journals have them, beside the machine that the rules are explored against."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from .heard import GOLDEN
from .replayed import Seen, seen, strays

RECORD = GOLDEN / "lab-failovers.jsonl"


def looks() -> dict[str, list[Seen]]:
    """By failover, what its looks showed, in order. The record is made by `python bench/failover.py --record`."""
    found: dict[str, list[Seen]] = defaultdict(list)
    origin: dict[str, str] = {}
    for line in RECORD.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["kind"] == "failover.started":
            origin[event["rollout"]] = event["data"]["origin"]
        if "seen" in event["data"]:
            found[event["rollout"]].append(seen(event["data"]["seen"], origin[event["rollout"]]))
    return found


@pytest.mark.parametrize("failover", looks())
def test_every_look_of_a_recorded_failover_is_one_that_the_machine_allows(failover: str) -> None:
    assert strays(looks()[failover]) == []


def test_a_look_that_no_way_leads_to_is_found() -> None:
    serving, idle = (True, True, True, True, True), (False, False, False, False, True)
    both = ((True, True, True, True, True), (True, False, False, False, True))
    assert strays([(serving, idle), both]) == [((serving, idle), both)]
    assert strays([(serving, idle), (idle, serving)]) == []
