"""`seatrial watch` as a service runs it: a real Prometheus scrapes it, a real vantage dies and comes back, signals end it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.clock import monotonic, sleep_blocking
from tests.checklist.told import environment
from tests.docs.pages import ROOT
from tests.report.test_formats import lint
from tests.vantage.grounds import Client, Sshd, free_port, program, running

from .three import Three

# Seconds: a slow machine makes these tests slow, not red.
PATIENCE = 180.0

FLEET = """\
version: 1
name: here
stages: [{{name: staging}}]
hosts: {{here: {{stage: staging, roles: [gateway], reach: {{local: true}}}}}}
vantages:
{vantages}
checks:
  ready: {{kind: tcp, from: here, address: 127.0.0.1, port: {port}, timeout: 20s}}
  answers: {{kind: ping, from: here, address: 127.0.0.1}}
{checks}
"""
THERE = "  there: {kind: tcp, from: there, address: 127.0.0.1, port: %d, timeout: 20s}"


def until(wanted: Callable[[], object], what: str) -> None:
    end = monotonic() + PATIENCE
    while not wanted():
        assert monotonic() < end, f"waited {PATIENCE:g} s for: {what}"
        sleep_blocking(0.1)


class Service:
    """A port that something listens on, or not."""

    def __init__(self) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port: int = self.sock.getsockname()[1]

    def dies(self) -> None:
        self.sock.close()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.dies()


class Watch:
    """A watch that runs: its lines as objects, and its figures."""

    def __init__(self, room: Path, *words: str, fleet: str = "") -> None:
        if fleet:
            (room / "fleet.yaml").write_text(fleet)
        self.out = room / "out"
        self.argv = [sys.executable, "-m", "seatrial", "watch", "--json", *words]
        self.room = room

    @contextlib.contextmanager
    def up(self) -> Iterator[Watch]:
        with (
            self.out.open("wb") as out,
            running(
                self.argv, cwd=self.room, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            ) as self.process,
        ):
            until(lambda: self.process.poll() is not None or self.events("began"), "the first line")
            yield self

    def lines(self) -> list[dict[str, Any]]:
        whole = self.out.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def events(self, *names: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] in names]

    def hears(self, event: str, **wanted: object) -> dict[str, Any]:
        """The first line about something; it is waited for."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.events(event) if wanted.items() <= one.items()]

        until(
            lambda: found() or self.process.poll() is not None, f"{event} {wanted} in {self.out.read_text()}"
        )
        assert found(), self.out.read_text()
        return found()[0]

    @property
    def url(self) -> str:
        return str(self.events("began")[0]["figures"])

    def figures(self) -> str:
        with urllib.request.urlopen(self.url, timeout=PATIENCE) as answer:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            return str(answer.read().decode())

    def figure(self, series: str) -> float | None:
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.figures(), re.MULTILINE)
        return float(found[1]) if found else None

    def ends(self, with_signal: signal.Signals) -> int:
        self.process.send_signal(with_signal)
        return int(self.process.wait(timeout=PATIENCE))


@pytest.fixture
def watch(tmp_path: Path, service: Service) -> Watch:
    fleet = FLEET.format(port=service.port, vantages="  {}", checks="")
    return Watch(tmp_path, "--every", "1s", "--listen", "127.0.0.1:0", fleet=fleet)


PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: seatrial
    static_configs: [{{targets: ["{address}"]}}]
"""


class Prometheus:
    """A real one, with a configuration and a database of its own."""

    def __init__(self, room: Path, scraped: str) -> None:
        self.room, self.port = room, free_port()
        room.mkdir()
        (room / "prometheus.yml").write_text(PROMETHEUS.format(address=urllib.parse.urlsplit(scraped).netloc))

    @contextlib.contextmanager
    def up(self) -> Iterator[Prometheus]:
        argv = [
            program("prometheus"),
            f"--config.file={self.room / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.room / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.room / "log").open("wb") as log, running(argv, stdout=log, stderr=log) as process:
            until(lambda: process.poll() is not None or self.ready(), "Prometheus")
            assert process.poll() is None, (self.room / "log").read_text()
            yield self

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def asks(self, question: str) -> list[dict[str, Any]]:
        """What its API answers to a query: each series with its labels and value."""
        words = urllib.parse.urlencode({"query": question})
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{words}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            found = json.load(answer)
        assert found["status"] == "success"
        return list(found["data"]["result"])


def test_a_real_prometheus_scrapes_what_is_watched(watch: Watch, service: Service, tmp_path: Path) -> None:
    with watch.up():
        assert watch.hears("round", passed=2, total=2)
        with Prometheus(tmp_path / "prometheus", watch.url).up() as prometheus:
            until(lambda: prometheus.asks('up{job="seatrial"} == 1'), "the first scrape")
            until(lambda: prometheus.asks("seatrial_watch_rounds_total >= 2"), "two rounds")
            (ready,) = prometheus.asks('seatrial_check_outcome{check="ready",outcome="pass"}')
            assert (ready["metric"]["vantage"], ready["value"][1]) == ("here", "1")
            assert prometheus.asks('seatrial_check_lost_ratio{check="answers"} == 0')
            assert prometheus.asks('seatrial_check_rtt_seconds{check="answers"} > 0')
            assert prometheus.asks("time() - seatrial_check_last_asked_timestamp_seconds < 600")
            assert prometheus.asks("seatrial_vantage_up == 1")
            service.dies()
            until(
                lambda: prometheus.asks('seatrial_check_outcome{check="ready",outcome="fail"} == 1'),
                "the failure",
            )
            until(lambda: prometheus.asks('seatrial_diagnosis_info{rank="1"} == 1'), "the diagnosis")
            (named,) = prometheus.asks('seatrial_diagnosis_info{rank="1"}')
            assert f"port {service.port}" in named["metric"]["components"]
            for question in questions():
                prometheus.asks(question)
        assert lint(watch.figures()) == ""
        assert watch.hears("check", check="ready", before="pass", outcome="fail")
        assert len(watch.events("check")) == 1, "a change is told once, not in every round"
        assert watch.ends(signal.SIGTERM) == 0


def questions() -> list[str]:
    """The questions for alerts that the page has."""
    page = (ROOT / "docs" / "watch.md").read_text()
    found = re.findall(r"^\| [^|`]+ \| `([^`]+)` \|$", page, re.MULTILINE)
    assert len(found) >= 4
    return found


def test_a_vantage_that_dies_is_told_once_and_comes_back(tmp_path: Path, service: Service) -> None:
    sshd = Sshd(tmp_path / "host")
    client = Client(tmp_path)
    sshd.admit(client.key)
    client.knows(sshd)
    client.host("there", sshd)
    fleet = FLEET.format(
        port=service.port,
        vantages=f"  there: {{ssh: there, ssh_config: {client.config}}}",
        checks=THERE % service.port,
    )
    watch = Watch(tmp_path, "--every", "1s", "--listen", "127.0.0.1:0", fleet=fleet)
    up = 'seatrial_vantage_up{vantage="there"}'
    asked = 'seatrial_check_last_asked_timestamp_seconds{check="there",vantage="there"}'
    with contextlib.ExitStack() as first:
        first.enter_context(sshd.up())
        with watch.up():
            assert watch.hears("round", passed=3, total=3)
            assert watch.figure(up) == 1
            # A session that begins while it is being killed would outlive it.
            assert sshd.process
            sshd.process.send_signal(signal.SIGSTOP)
            first.close()
            # It has been killed with every session that it had.
            gone = watch.hears("vantage.silent", vantage="there")
            assert gone["unknown"] == 1 and "is unknown, not failed" in gone["text"]
            assert watch.figure(up) == 0
            until(
                lambda: watch.figure(
                    'seatrial_check_outcome{check="there",vantage="there",outcome="unknown"}'
                ),
                "its check",
            )
            until(lambda: (watch.figure("seatrial_watch_rounds_total") or 0) >= 8, "some rounds without it")
            assert (
                watch.figure('seatrial_check_results_total{check="there",vantage="there",outcome="fail"}')
                is None
            )
            assert watch.figure('seatrial_check_outcome{check="ready",vantage="here",outcome="pass"}') == 1
            before = watch.figure(asked)
            with sshd.up():
                back = watch.hears("vantage.back", vantage="there")
                assert back["text"].startswith("answers again, after ")
                until(lambda: watch.figure(up) == 1, "the vantage")
                until(lambda: watch.figure(asked) != before, "the check")
                until(lambda: len(watch.events("round")) == 2, "all is well")
            assert watch.events("check") == [], "the line about the vantage has said it"
            assert watch.ends(signal.SIGINT) == 130


def test_flows_are_watched_packet_by_packet_and_named_when_they_are_lost(three: Three) -> None:
    three.loses("thin")
    watch = Watch(three.room, "--every", "1s", "--listen", "127.0.0.1:0")
    with watch.up():
        assert watch.hears("check", check="thin", outcome="fail")
        assert watch.hears("round", passed=3, total=4)
        until(lambda: (watch.figure("seatrial_watch_rounds_total") or 0) >= 3, "three rounds")
        text = watch.figures()
        sent, lost = (
            {name: int(number) for name, number in re.findall(pattern, text, re.MULTILINE)}
            for pattern in (
                r'^seatrial_check_packets_sent_total\{check="(\w+)",vantage="near"\} (\d+)$',
                r'^seatrial_check_packets_lost_total\{check="(\w+)",vantage="near"\} (\d+)$',
            )
        )
        assert sent["thin"] >= 96 and lost["thin"] * 4 == sent["thin"] and lost["whole"] == 0
        assert watch.figure('seatrial_check_lost_ratio{check="thin",vantage="near"}') == 0.25
        assert {watch.figure(f'seatrial_vantage_up{{vantage="{name}"}}') for name in three.places} == {1}
        three.loses("dead")
        assert watch.hears("check", check="dead", before="pass", outcome="fail")
        assert watch.hears("check", check="thin", before="fail", outcome="pass")
        three.loses()
        assert watch.hears("round", passed=4, total=4)
        assert watch.ends(signal.SIGTERM) == 0


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_at_once_also_with_a_client_connected(
    which: signal.Signals, code: int, watch: Watch
) -> None:
    with watch.up():
        address = urllib.parse.urlsplit(watch.url)
        # Half a request, and a whole one whose connection is kept.
        with (
            socket.create_connection((address.hostname, address.port)) as half,
            socket.create_connection((address.hostname, address.port)) as whole,
        ):
            half.sendall(b"GET /metrics HTTP/1.1\r\n")
            whole.sendall(f"GET /metrics HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            assert whole.recv(12) == b"HTTP/1.1 200"
            assert watch.ends(which) == code
    assert watch.events("ended")[0]["text"] == f"ended by {which.name}"


def test_a_signal_ends_it_also_while_a_command_hangs(tmp_path: Path, service: Service) -> None:
    # A listener that never answers: the question waits for its time limit.
    check = f"  hangs: {{kind: http, from: here, url: 'http://127.0.0.1:{service.port}/', timeout: 10m}}"
    fleet = FLEET.format(port=service.port, vantages="  {}", checks=check)
    watch = Watch(tmp_path, "--listen", "none", fleet=fleet)
    with watch.up():
        service.sock.accept()[0].close()
        service.sock.accept()
        assert watch.ends(signal.SIGTERM) == 0


# --- what is told on one round, and what is refused ---


def ended(room: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", "watch", *words],
        cwd=room,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_rounds_end_with_the_exit_code_of_the_last_one(watch: Watch, service: Service) -> None:
    done = ended(watch.room, "--rounds", "2", "--every", "1s", "--listen", "none")
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = done.stdout.splitlines()
    assert "0 flows and 2 checks, every 1 s; times are UTC" in first
    assert re.fullmatch(r"\d\d:\d\d:\d\d  first round  2 of 2 pass, \d+ s   ok", second)
    service.dies()
    done = ended(watch.room, "--rounds", "1", "--listen", "none")
    assert done.returncode == 1, done.stdout
    assert re.search(r"  ready .*accepts no connection: Connection refused   FAIL\n", done.stdout)


def test_a_port_that_is_taken_is_one_clear_error(watch: Watch, service: Service) -> None:
    done = ended(watch.room, "--listen", f"127.0.0.1:{service.port}")
    assert done.returncode == 4
    assert done.stderr.startswith(f"seatrial: 127.0.0.1:{service.port} is taken by another program\n  hint: ")
    assert len(done.stderr.splitlines()) == 2 and done.stdout == ""


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--listen", "0.0.0.0:0"), "can be reached from other machines"),
        (("--listen", "[::]:0"), "can be reached from other machines"),
        (("--listen", "192.0.2.1:0"), "can be reached from other machines"),
        (("--listen", "192.0.2.1:0", "--exposed"), "is no address of this machine"),
        (("--listen", ":9464"), "is no address to listen on"),
        (("--listen", "127.0.0.1"), "is no address to listen on"),
        (("--listen", "127.0.0.1:99999"), "is no address to listen on"),
        (("--listen", "example.org:80"), "is no address to listen on"),
        (("--every", "0"), "from 1 second to a day"),
        (("--every", "soon"), "a duration such as 90s"),
        (("--rounds", "0"), "at least one round"),
        (("--flow", "x"), "there is no flow 'x'"),
        (("--from", "x"), "there is no vantage 'x'"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], what: str, watch: Watch) -> None:
    done = ended(watch.room, *words)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert what in done.stderr and "hint: " in done.stderr


def test_exposed_is_served_and_other_names_are_not_answered_on_loopback(watch: Watch) -> None:
    with watch.up():
        port = urllib.parse.urlsplit(watch.url).port

        def status(host: str, path: str = "/metrics", method: str = "GET") -> int:
            url = f"http://127.0.0.1:{port}{path}"
            request = urllib.request.Request(url, headers={"Host": host}, method=method)
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code

        assert [status(host) for host in (f"127.0.0.1:{port}", "localhost", f"[::1]:{port}")] == [200] * 3
        assert [status(host) for host in ("rebound.example.org", "rebound.example.org:9464")] == [421] * 2
        assert status("127.0.0.1", "/") == 200 and status("127.0.0.1", "/other") == 404
        assert status("127.0.0.1", method="POST") == 405
        assert watch.ends(signal.SIGTERM) == 0
    watch.argv[-1] = "0.0.0.0:0"
    watch.argv.append("--exposed")
    with watch.up():
        watch.hears("began")
        assert watch.url.startswith("http://0.0.0.0:") and "seatrial_build_info" in watch.figures()
        assert watch.ends(signal.SIGTERM) == 0
