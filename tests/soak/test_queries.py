"""Queries of a policy to a real Prometheus: a series for each label set, one name for two hosts, gaps that stay gaps."""

from __future__ import annotations

import asyncio
import http.server
import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.fleet import Fleet
from seatrial.model.measure import Query
from seatrial.perform.queried import query
from seatrial.perform.world import open_world
from seatrial.soak.queries import read_query
from tests.checks.platform.served import answers, free_port, running, until

SECONDS = 4.0
CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: itself
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
  - job_name: exporter
    static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]
"""
FLEET = Fleet.model_validate_json(
    '{"version": 1, "name": "f", "stages": [{"name": "s"}],'
    ' "hosts": {"h": {"stage": "s", "roles": ["r"], "reach": {"local": true}}}}'
)


class Exporter(http.server.ThreadingHTTPServer):
    """One gauge, which can be out of order for a while."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Metrics)
        self.broken = False
        self.asked = 0


class Metrics(http.server.BaseHTTPRequestHandler):
    server: Exporter

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(500 if self.server.broken else 200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"" if self.server.broken else b"depth 7\n")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    server = Exporter()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, exporter: Exporter) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    text = CONFIG.format(port=port, exporter=exporter.server_port)
    (folder / "prometheus.yml").write_text(text)
    argv = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with running(argv):
        until(lambda: answers(port, "/-/ready"), "Prometheus to be ready")
        until(lambda: exporter.asked > SECONDS + 2, "some seconds of samples")
        yield port


async def asked(port: int, text: str, *, seconds: float = SECONDS, **more: Any) -> tuple[dict[str, Any], str]:
    declared = {"from": "h", "url": f"http://127.0.0.1:{port}", "query": text, "step": "1s", "timeout": "60s"}
    one = Query.model_validate({**declared, "hosts": {"h": f"127.0.0.1:{port}"}, **more})
    world = open_world(FLEET)
    try:
        return await query(world, "q", one, "h", began=1000.0, seconds=seconds)
    finally:
        await world.close()


async def test_each_label_set_is_a_series_and_the_host_has_one_name_in_all(
    port: int, exporter: Exporter
) -> None:
    series, problem = await asked(port, "up")
    assert problem == ""
    mine, other = (
        'instance="$host",job="itself"',
        f'instance="127.0.0.1:{exporter.server_port}",job="exporter"',
    )
    assert set(series) == {f'promql.q{{__name__="up",{labels}}}' for labels in (mine, other)}
    for rows in series.values():
        # So many steps back from the moment at which it was asked, the newest included.
        assert [row[0] for row in rows] == [1001.0, 1002.0, 1003.0, 1004.0]
        assert {row[1] for row in rows} == {1.0}


async def test_the_host_that_is_measured_is_put_into_the_query(port: int) -> None:
    series, problem = await asked(port, 'sum(up{instance="$host"})')
    assert (set(series), problem) == ({"promql.q"}, "")


async def test_while_nothing_is_scraped_there_is_a_gap_and_no_zero(port: int, exporter: Exporter) -> None:
    def out_of_order_for_a_while() -> None:
        before = exporter.asked
        until(lambda: exporter.asked >= before + 3, "scrapes that work")
        exporter.broken = True
        until(lambda: exporter.asked >= before + 6, "scrapes that fail")
        exporter.broken = False

    (series, problem), _ = await asyncio.gather(
        asked(port, "depth", seconds=12.0), asyncio.to_thread(out_of_order_for_a_while)
    )
    assert problem == ""
    ((_, rows),) = series.items()
    assert {row[1] for row in rows} == {7.0}
    steps = [round(later[0] - row[0]) for row, later in itertools.pairwise(rows)]
    assert max(steps) >= 3, steps
    assert steps.count(1) >= 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vector(0) / 0", "there is no series of it, or none with numbers"),
        ("no_such_metric", "there is no series of it, or none with numbers"),
        ('{__name__=~".+"}', "series, more than 50"),
        ("up{", "parse error"),
        ("up[5m]", "invalid expression type"),
    ],
)
async def test_what_gives_no_numbers_is_told_and_is_no_series(port: int, text: str, said: str) -> None:
    series, problem = await asked(port, text, seconds=1.0)
    assert series == {}
    assert said in problem


def test_two_series_that_only_the_host_tells_apart_are_not_mixed() -> None:
    both = [{"labels": {"a": label}, "values": [[0, 1]]} for label in ("h", "$host")]
    said = {"status": 200, "count": 2, "series": both}
    series, problem = read_query("q", json.dumps(said), called="h", ends=0.0)
    assert series == {}
    assert "two of its series have the same labels but for the host" in problem


async def test_a_prometheus_that_is_away_is_told_with_where(port: int) -> None:
    series, problem = await asked(9, "up", seconds=1.0)
    assert series == {}
    assert problem == "the query q to http://127.0.0.1:9: Connection refused"


@pytest.mark.parametrize(
    ("host", "label", "shown"),
    [
        ("gw-p1", "gw-p1:9100", "$host:9100"),
        ("gw-p1", "gw-p10:9100", "gw-p10:9100"),
        ("gw-p1", "x-gw-p1", "x-gw-p1"),
        ("gw-p1", "gw-p1.example.org", "$host.example.org"),
    ],
)
def test_a_label_that_names_the_host_is_the_same_for_all_hosts(host: str, label: str, shown: str) -> None:
    said = {"status": 200, "count": 1, "series": [{"labels": {"i": label}, "values": [[-1, 2.5]]}]}
    series, problem = read_query("q", json.dumps(said), called=host, ends=50.0)
    assert (series, problem) == ({f'promql.q{{i="{shown}"}}': [(49.0, 2.5)]}, "")


@given(st.text(max_size=200), st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["status", "count", "series", "labels", "values", "error"]), x), max_leaves=12))  # fmt: skip
def test_any_answer_is_read_or_explained(text: str, said: Any) -> None:
    for answer in (text, json.dumps(said), json.dumps({"status": 200, "count": 1, "series": [said]})):
        series, problem = read_query("q", answer, called="h", ends=0.0)
        assert series or problem
