"""A real Prometheus with a rule, the real Alertmanager that it tells, and one figure that a test sets; all on loopback."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seatrial.clock import monotonic, sleep_blocking
from tests.checks.platform.served import answers, free_port, running, until

PATIENCE = 180.0
ALERTMANAGER = """\
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""
PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
scrape_configs: [{{job_name: gateway, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]
"""
RULES = """\
groups:
  - name: all
    rules:
      - {alert: Watchdog, expr: 'vector(1)'}
      - {alert: Loss, expr: 'loss_ratio > 0.1', labels: {severity: page}, annotations: {summary: packets are lost}}
"""


class Exporter(http.server.ThreadingHTTPServer):
    """One figure."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Figures)
        self.loss = 0.0


class _Figures(http.server.BaseHTTPRequestHandler):
    server: Exporter

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(f"loss_ratio {self.server.loss}\n".encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def exporter() -> Iterator[Exporter]:
    server = Exporter()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Alertmanager:
    """A real one, without a cluster; what it is told and what it says."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder, self.port = folder, port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(exist_ok=True)
        (folder / "alertmanager.yml").write_text(ALERTMANAGER)

    @contextlib.contextmanager
    def up(self) -> Iterator[Alertmanager]:
        argv = [
            "prometheus-alertmanager",
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        with running(argv):
            until(lambda: answers(self.port, "/-/ready"), "Alertmanager to be ready")
            yield self

    def asks(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v2/{path}", timeout=60) as answer:
            return json.load(answer)

    def told(self, **labels: str) -> None:
        """An alert fires."""
        data = json.dumps([{"labels": labels, "annotations": {"summary": "told by a test"}}]).encode()
        head = {"Content-Type": "application/json"}
        urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/api/v2/alerts", data=data, headers=head), timeout=60
        ).close()

    def silences(self, *states: str) -> list[dict[str, Any]]:
        return [
            one
            for one in self.asks("silences")
            if one["status"]["state"] in (states or ("active", "pending"))
        ]

    def firing(self) -> set[str]:
        return {one["labels"]["alertname"] for one in self.asks("alerts?silenced=false&inhibited=false")}


@contextlib.contextmanager
def prometheus(folder: Path, *, alertmanager: int, scraped: int) -> Iterator[int]:
    """A real one that judges a rule each second and tells an Alertmanager; its port."""
    folder.mkdir(exist_ok=True)
    port, rules = free_port(), folder / "rules.yml"
    rules.write_text(RULES)
    text = PROMETHEUS.format(rules=rules, alertmanager=alertmanager, exporter=scraped)
    (folder / "prometheus.yml").write_text(text)
    argv = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        # Else an alert that has ended is told of minutes later.
        "--rules.alert.resend-delay=1s",
        "--log.level=error",
    ]
    with running(argv):
        until(lambda: answers(port, "/-/ready"), "Prometheus to be ready")
        yield port


def eventually(wanted: Any, what: str) -> None:
    end = monotonic() + PATIENCE
    while not wanted():
        assert monotonic() < end, f"waited {PATIENCE:g} s for: {what}"
        sleep_blocking(0.1)
