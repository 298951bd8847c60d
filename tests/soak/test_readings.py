"""What the sampler says becomes rates and latencies; counters that wrap, gaps and garbage become nothing, never zeroes."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.soak.readings import METRICS, WORK, is_count, rates, read, samples

HEAD = {"boot_id": "b", "kernel": "k", "cpus": 2, "t": 100.0}


def text(*values: dict[str, Any], start: float = 100.0, every: float = 1.0) -> str:
    rows = [{"t": start + number * every, "v": one} for number, one in enumerate(values)]
    return "\n".join(json.dumps(one) for one in [HEAD, *rows, {"end": 1.0, "cpu": 0.1}])


def series(*values: dict[str, Any], wanted: str = "*", every: float = 1.0) -> dict[str, Any]:
    reading = read(text(*values, every=every))
    assert not isinstance(reading, str), reading
    return samples(reading, [wanted], every=1.0)


def test_a_latency_has_the_rate_of_work_beside_it() -> None:
    disk = [{"disk.vda.ms": 10.0, "disk.vda.ops": 5.0}, {"disk.vda.ms": 40.0, "disk.vda.ops": 15.0}]
    assert series(*disk)["disk.vda.latency"] == ((101.0, 3.0, 10.0),)


def test_no_work_is_no_latency_and_not_zero() -> None:
    disk = [{"disk.vda.ms": 10.0, "disk.vda.ops": 5.0}] * 3
    assert "disk.vda.latency" not in series(*disk)


def test_a_counter_that_goes_back_is_a_gap() -> None:
    found = series(*({"context.switches": value} for value in (10.0, 30.0, 5.0, 25.0)))
    assert found["context.switches"] == ((101.0, 20.0), (103.0, 20.0))


def test_a_missing_sample_is_a_gap() -> None:
    found = series({"context.switches": 1.0}, {"context.switches": 9.0}, every=5.0)
    assert found == {}
    levels = series({"load.1": 1.0}, {}, {"load.1": 2.0}, wanted="load.1")
    assert levels["load.1"] == ((100.0, 1.0), (102.0, 2.0))


def test_nobody_waits_only_where_it_is_known_that_nobody_is_blocked() -> None:
    known = series({"blocked": 0.0}, {"blocked": 2.0, "waiting.nfsd": 2.0}, wanted="waiting.*")
    assert known["waiting.nfsd"] == ((100.0, 0.0), (101.0, 2.0))
    seldom = series(
        {"blocked": 3.0},
        {"blocked": 2.0, "looked": 1.0},
        {"blocked": 1.0, "waiting.nfsd": 1.0},
        wanted="waiting.*",
    )
    assert seldom["waiting.nfsd"] == ((101.0, 0.0), (102.0, 1.0)), "not looked for is not nobody"
    unknown = series({}, {"blocked": 2.0, "waiting.nfsd": 2.0}, wanted="waiting.*")
    assert unknown["waiting.nfsd"] == ((101.0, 2.0),)


def test_shares_are_counts_with_what_was_sent() -> None:
    found = series({"tcp.again": 5.0, "tcp.sent": 100.0}, {"tcp.again": 7.0, "tcp.sent": 150.0})
    assert found["tcp.again"] == ((101.0, 2.0, 50.0),)
    assert is_count("tcp.again") and is_count("net.eth0.drops") and not is_count("load.1")


def test_busy_time_is_what_is_left_of_idle_time() -> None:
    found = series({"cpu.idle": 0.0, "cpu.all": 0.0}, {"cpu.idle": 150.0, "cpu.all": 200.0})
    assert found["cpu.busy"] == ((101.0, 25.0),)


def test_names_say_which_disk_and_which_mount() -> None:
    at = {
        "disk.vda.ops": 0.0,
        "disk.vda.ms": 0.0,
        "mount./srv/a.write.ops": 0.0,
        "mount./srv/a.write.ms": 0.0,
    }
    then = dict.fromkeys(at, 10.0)
    assert set(series(at, then)) == {"disk.vda.latency", "mount./srv/a.write.latency"}


def test_work_is_a_rate() -> None:
    reading = read(text({"nfsd.calls": 0.0}, {"nfsd.calls": 50.0}))
    assert not isinstance(reading, str)
    assert rates(reading, "nfsd.calls", every=1.0) == ((101.0, 50.0),)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "did not say which boot"),
        ("[]", "no sample"),
        ("{}\n", "did not say which boot"),
        (f'{json.dumps(HEAD)}\n{{"t": "x", "v": {{}}}}', "no sample"),
        (f'{json.dumps(HEAD)}\n{{"t": 2, "v": {{}}}}\n{{"t": 1, "v": {{}}}}', "does not go forward"),
        (f'{json.dumps(HEAD)}\n{{"t": NaN, "v": {{}}}}', "no sample"),
        (f'{json.dumps(HEAD)}\n{{"t": 1, "v": []}}', "no sample"),
    ],
)
def test_what_is_not_understood_is_said(said: str, why: str) -> None:
    found = read(said)
    assert isinstance(found, str) and why in found


def test_numbers_that_are_none_are_left_out() -> None:
    found = read(text({"load.1": float("nan"), "load.5": True, "bad name": 1.0, "load.15": 3.0}))
    assert not isinstance(found, str)
    assert found.values == ({"load.15": 3.0},)


@given(st.text(max_size=200))
def test_any_text_is_read_or_explained(said: str) -> None:
    read(said)
    read(json.dumps(HEAD) + "\n" + said)


def test_the_real_sampler_is_understood_and_every_metric_has_numbers_that_it_knows() -> None:
    script = resources.files("seatrial").joinpath("onhost/sampler.py").read_text()
    argv = [sys.executable, "-", json.dumps({"seconds": 1.0, "every": 0.25})]
    done = subprocess.run(argv, input=script, capture_output=True, text=True, check=True, timeout=120)
    reading = read(done.stdout)
    assert not isinstance(reading, str), reading
    assert len(reading.t) >= 2
    found = samples(reading, ["*"], every=0.25)
    assert {"load.1", "run.queue", "blocked", "context.switches", "cpu.busy"} <= set(found)
    for metric in METRICS:
        stem = metric.of.split("*")[-1].strip(".") or metric.of.split(".")[0]
        assert stem.split(".")[-1] in script, f"nobody reads {metric.of}"
    for name in WORK:
        assert name.split(".")[-1] in script, f"nobody reads {name}"


def test_every_series_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "soak.md").read_text()
    names = [metric.name for metric in METRICS] + list(WORK)
    assert [name for name in names if f"| `{name}` |" not in page] == []
