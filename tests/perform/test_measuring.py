"""A stretch is made of what the samplers really said: cut off, lost or out of time it does not count, and that is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from seatrial.clock import SystemClock
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.fleet import Fleet
from seatrial.model.measure import Measure
from seatrial.model.observation import FlowCount
from seatrial.perform.measuring import Stretch, flow_series, stretch
from seatrial.perform.world import World

FLEET = Fleet.model_validate_json(
    json.dumps(
        {
            "version": 1,
            "name": "f",
            "stages": [{"name": "s"}],
            "hosts": {"h": {"stage": "s", "roles": ["r"], "reach": {"simulated": True}}},
            "vantages": {"c1": {"simulated": True}},
        }
    )
)


class Recorded:
    """A place that answers what was recorded of a sampler."""

    def __init__(self, name: str, said: str, trouble: Trouble | None = None) -> None:
        self.name, self.said, self.trouble = name, said, trouble
        self.asked: list[Command] = []

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        self.asked += commands
        status = None if self.trouble else 0
        problem = "connection lost" if self.trouble else ""
        return [
            Output(command=one, status=status, stdout=self.said, trouble=self.trouble, problem=problem)
            for one in commands
        ]

    async def fresh(self) -> None:
        """There is no connection."""

    async def close(self) -> None:
        """There is nothing to let go of."""


def said(
    samples: int = 16, *, up: float = 500.0, whole: bool = True, jump: float = 0.0, ops: float = 50.0
) -> str:
    rows: list[Any] = [{"boot_id": "b", "kernel": "k", "cpus": 1, "t": up}]
    for number in range(samples):
        t = up + number + jump * (number >= samples // 2)
        values = {
            "disk.vda.ops": ops * number,
            "disk.vda.ms": 2 * ops * number,
            "load.1": 0.5,
            "blocked": 0.0,
        }
        rows.append({"t": t, "v": {**values, "mount./m.read.ops": number, "mount./m.read.ms": 3 * number}})
    if whole:
        rows.append({"end": up + 15, "cpu": 0.1, "new": ["nfsd: \x1b[2Jslow"]})
    return "\n".join(map(json.dumps, rows))


async def measured(host: Recorded, client: Recorded | None = None, **declared: Any) -> Stretch:
    places = {"h": host, "c1": client or Recorded("c1", said())}
    wanted = {"series": ["disk.*.latency", "c1:mount.*.latency"], "clients": ["c1"] if client else []}
    measure = Measure.model_validate_json(json.dumps({**wanted, **declared}))
    return await stretch(World(fleet=FLEET, places=places, clock=SystemClock()), "h", measure)


async def test_a_whole_stretch_under_load_counts_and_each_place_gives_what_was_asked_of_it() -> None:
    host, client = Recorded("h", said()), Recorded("c1", said())
    found = await measured(host, client, load={"of": "disk.vda.ops", "least": 40})
    assert (found.boot_id, found.loaded, found.problems) == ("b", 15.0, [])
    latencies = {name for name in found.series if name.endswith(".latency")}
    assert latencies == {"disk.vda.latency", "c1:disk.vda.latency", "c1:mount./m.read.latency"}
    # What the NFS server and the kernel's log say is root's, and only a host is asked as root.
    assert [command.root for command in (*host.asked, *client.asked)] == [True, False]
    assert found.new == ["nfsd: ?[2Jslow"]


@pytest.mark.parametrize(
    ("text", "trouble", "problem"),
    [
        (said(4, whole=False), None, "h: the sampler was cut off after 4 samples"),
        (said(4, whole=False) + '\n{"t": 50', None, "h: the sampler was cut off after 4 samples"),
        (said(jump=-60.0), None, "h: the host's uptime does not go forward: 448 s comes after 507 s"),
        (said(4, whole=False), Trouble.LOST, "h did not answer: connection lost"),
        ("", None, "h: the sampler did not say which boot it was on"),
    ],
)
async def test_a_sampler_that_dies_or_goes_back_in_time_does_not_count_and_is_told(
    text: str, trouble: Trouble | None, problem: str
) -> None:
    found = await measured(Recorded("h", text, trouble))
    assert found.loaded == 0.0
    assert found.problems == [problem]


async def test_a_clock_that_jumps_forth_in_a_stretch_is_a_gap() -> None:
    found = await measured(Recorded("h", said(jump=3600.0)))
    rows = found.series["disk.vda.latency"]
    assert len(rows) == 14, "of fifteen steps the one over the jump is no rate"
    assert {row[1] for row in rows} == {2.0}


async def test_too_little_load_and_a_fresh_boot_do_not_count() -> None:
    load = {"of": "disk.vda.ops", "least": 60}
    assert (await measured(Recorded("h", said()), load=load)).loaded == 0.0
    assert (await measured(Recorded("h", said(up=30.0)))).loaded == 0.0


async def test_a_client_that_is_lost_is_told_and_the_host_counts() -> None:
    found = await measured(Recorded("h", said()), Recorded("c1", "", Trouble.LOST))
    assert (found.loaded, found.problems) == (15.0, ["c1 did not answer: connection lost"])
    assert not any(name.startswith("c1:") for name in found.series)


def test_probes_are_counts_of_lost_ones_and_samples_of_the_round_trip() -> None:
    measure = Measure.model_validate_json('{"series": ["rtt.*"]}')
    trips = tuple(float(number) for number in range(30))
    counts = [
        FlowCount(flow="out", sent=32, arrived=32, answered=30, rtt_ms=trips),
        FlowCount(flow="few", sent=2, arrived=2, answered=2, rtt_ms=(4.0, 6.0)),
        FlowCount(flow="dead", sent=8, arrived=0, answered=0),
        FlowCount(flow="unknown", sent=0, arrived=None, answered=0),
    ]
    found = flow_series(counts, 100.0, measure)
    assert found["flow.out"] == [(100.0, 2.0, 32.0)]
    assert found["rtt.out"] == [(100.0 + number, 2 * number + 0.5) for number in range(15)]
    assert found["rtt.few"] == [(100.0, 4.0), (101.0, 6.0)]
    assert found["flow.dead"] == [(100.0, 8.0, 8.0)]
    assert set(found) == {"flow.out", "rtt.out", "flow.few", "rtt.few", "flow.dead"}
