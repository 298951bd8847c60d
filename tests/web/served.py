"""A real `seatrial serve` in a process of its own, and somebody who asks it: what the tests of the page are made of."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.checklist.told import environment
from tests.docs.pages import ROOT

# Seconds: a slow machine makes these tests slow, not red.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A server that runs."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, *, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        """One request, sent as it is written: no redirect is followed and no path is tidied."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=told)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
            return Answer(status=answer.status, headers=dict(answer.headers), body=text)

    def wish(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """A wish as a program sends it."""
        return self.ask(
            path, method="POST", body=json.dumps(dict(fields)), content_type="application/json", **headers
        )


def until(true: Callable[[], Any]) -> None:
    """Wait for a condition; the limit is only there for what never comes."""
    limit = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.1)


@contextlib.contextmanager
def serving(database: Path | str, *words: str) -> Iterator[Page]:
    """`seatrial serve` on a free port of loopback, until the block ends. `database` is SQLite's file, or a URL."""
    argv = [sys.executable, "-m", "seatrial", "serve", "--listen", "127.0.0.1:0"]
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    process = subprocess.Popen(
        [*argv, "--database", url, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**environment(), "SEATRIAL_BY": "you", "COLUMNS": "200"},
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found, said + process.stdout.read()
        yield Page(port=int(found[1]), pid=process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
