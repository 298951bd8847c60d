"""Queries to a real Prometheus that scrapes itself: plain, over TLS with its own CA, and behind a token."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.checks import registry
from seatrial.model.result import Outcome, Result

from .asked import asked, declared_as
from .served import answers, certificate, free_port, running, until

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
TOKEN = "s3cret-of-the-test"
CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: itself
    static_configs: [{{targets: ['127.0.0.1:{port}'], labels: {{site: here}}}}]
  - job_name: nobody
    static_configs: [{{targets: ['127.0.0.1:9']}}]
"""


def prometheus(folder: Path, port: int, *more: str) -> list[str]:
    (folder / "prometheus.yml").write_text(CONFIG.format(port=port))
    return [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
        *more,
    ]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with running(prometheus(tmp_path_factory.mktemp("prometheus"), port)):
        until(lambda: answers(port, "/-/ready"), "Prometheus to be ready")

        def scraped() -> bool:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/query?query=up", timeout=60
            ) as answer:
                return len(json.load(answer)["data"]["result"]) == 2

        until(scraped, "both scrapes to be done once")
        yield f"http://127.0.0.1:{port}"


async def query(url: str, query: str, **declared: Any) -> Result:
    return await asked({"kind": "prometheus", "url": url, "query": query, "timeout": "60s", **declared})


@pytest.mark.parametrize(
    ("text", "declared", "outcome", "said"),
    [
        ('up{job="itself"}', {"least": 1}, PASS, "1 series, 1.0"),
        (
            "up",
            {"least": 1},
            FAIL,
            '1 of 2 series are below 1, up{instance="127.0.0.1:9",job="nobody"} has 0.0',
        ),
        ("up", {"most": 1, "samples": 2}, PASS, "2 series, from 0.0 to 1.0"),
        ("up", {"samples": 3}, FAIL, "there are 2 series, not 3"),
        ("absent(up)", {"samples": 0}, PASS, "there is no series"),
        ("no_such_metric", {"least": 1}, UNKNOWN, "there is no series"),
        ("no_such_metric", {"least": 1, "empty": "fail"}, FAIL, "there is no series"),
        ("no_such_metric", {"least": 1, "empty": "pass"}, PASS, "there is no series"),
        ("vector(0) / 0", {"most": 1}, UNKNOWN, "1 of 1 series are no number"),
        ("1 / vector(0)", {"most": 1}, FAIL, "{} has inf"),
        ("42", {"most": 42, "least": 42}, PASS, "1 series, 42.0"),
        ("up[5m]", {"most": 1}, UNKNOWN, "up[5m] gives matrix"),
        ('"text"', {"most": 1}, UNKNOWN, "gives string"),
        ("up{", {"most": 1}, UNKNOWN, "parse error"),
        ('label_replace(vector(1), "x", "\x1b[2J", "", "")', {"most": 0}, FAIL, '{x="?[2J"} has 1.0'),
    ],
    ids=str,
)
async def test_a_query_is_judged_by_what_prometheus_says(
    url: str, text: str, declared: dict[str, Any], outcome: Outcome, said: str
) -> None:
    result = await query(url, text, **declared)
    assert result.outcome is outcome, result.because
    assert said in result.because
    assert result.because.isprintable()


async def test_the_worst_series_is_in_the_evidence_with_its_labels(url: str) -> None:
    result = await query(url, "up", least=1)
    worst = result.evidence["lowest"][0]
    assert worst == {"labels": {"__name__": "up", "instance": "127.0.0.1:9", "job": "nobody"}, "value": "0.0"}


async def test_of_very_many_series_only_the_ends_travel(url: str) -> None:
    result = await query(url, "prometheus_http_request_duration_seconds_bucket >= 0", least=1e9)
    assert result.outcome is FAIL
    assert "at least 20 of" in result.because
    assert len(result.evidence["lowest"]) == 5


async def test_a_server_that_is_not_there_is_unknown() -> None:
    result = await query("http://127.0.0.1:9/prometheus", "up", least=1)
    assert (result.outcome, "Connection refused" in result.because) == (UNKNOWN, True)
    assert result.hint


async def test_tls_with_its_own_ca_is_verified(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    (tmp_path / "web.yml").write_text(f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n")
    port = free_port()
    with running(prometheus(tmp_path, port, f"--web.config.file={tmp_path / 'web.yml'}")):
        url = f"https://127.0.0.1:{port}"
        until(lambda: answers(port, "/-/ready", cert), "Prometheus to be ready")
        result = await query(url, "vector(1)", least=1, ca_file=str(cert))
        assert result.outcome is PASS, result.because
        refused = await query(url, "vector(1)", least=1)
        assert (refused.outcome, "TLS:" in refused.because) == (UNKNOWN, True)
        assert "ca_file" in refused.hint


@pytest.fixture
def gate(url: str) -> Iterator[str]:
    """What stands in front of many a Prometheus: it lets in who has the token, and hands on to the real one."""

    class Gate(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.send_response(401)
                self.end_headers()
                return
            with urllib.request.urlopen(url + self.path.removeprefix("/behind"), timeout=60) as answer:
                self.send_response(answer.status)
                self.end_headers()
                self.wfile.write(answer.read())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/behind/"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_token_is_read_on_the_vantage_and_is_seen_nowhere(gate: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    declared = {"kind": "prometheus", "url": gate, "query": "vector(1)", "least": 1, "timeout": "60s"}
    result = await asked({**declared, "token_file": str(file)})
    assert result.outcome is PASS, result.because
    ((_, command),) = registry.ask(declared_as({**declared, "token_file": str(file)}))
    assert TOKEN not in " ".join(command.argv)
    assert TOKEN.encode() not in command.stdin
    without = await asked(declared)
    assert (without.outcome, without.hint) == (UNKNOWN, "give a token_file on the vantage")
    file.write_text("wrong")
    assert "look at the token" in (await asked({**declared, "token_file": str(file)})).hint


@pytest.mark.parametrize(
    "content", [None, b"\xff\xfe" + TOKEN.encode(), b"one\r\nX-Other: " + TOKEN.encode()]
)
async def test_a_token_file_that_cannot_be_used_is_unknown_and_not_shown(
    gate: str, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    result = await query(gate, "vector(1)", least=1, token_file=str(file))
    assert result.outcome is UNKNOWN
    assert TOKEN not in str(result)
