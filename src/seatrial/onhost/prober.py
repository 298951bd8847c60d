# ruff: noqa: D102, D103, SIM105
"""The prober: the near end of a flow probe, which python3 reads from stdin and which installs nothing.

What is in: `send SPEC` sends the probes of all flows in turn and says which were answered. SPEC is JSON in argv,
the answer is one JSON document on stdout. It runs wherever Python is 3.7 or newer. Probes, rate, open sockets and
time are bounded. What is not in: any judgement, which is the work of checks/flow/judge.py.
"""

from __future__ import annotations

import collections
import errno
import os
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from seatrial.onhost.wire import (
    ECHO,
    LIFETIME,
    MOST_PROBES,
    OVERHEAD,
    RESET,
    TCP_HEAD,
    answer_with,
    echo_request,
    family_of,
    plain,
    raise_limit,
    set_df,
    token_of,
    version_of,
)


class Sending:
    """One flow as the near end sees it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.name, self.index = str(spec["flow"]), int(spec["index"])
        self.protocol, self.address = str(spec["protocol"]), str(spec["address"])
        self.port, self.df = int(spec.get("port") or 0), bool(spec.get("df"))
        self.version = version_of(self.address)
        self.overhead = OVERHEAD[self.protocol, self.version]
        least = self.overhead + (12 + TCP_HEAD if self.protocol == "tcp" else 14)
        self.size = max(int(spec["size"]), least)
        self.made = 0  # the largest IP packet that was really made, where the kernel decides
        self.count = int(spec["count"])
        self.probes: dict[int, Probe] = {}
        self.errors: dict[str, int] = {}
        self.source = ""
        self.problem = ""
        self.raw: socket.socket | None = None

    def failed(self, error: OSError) -> None:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        self.errors[name] = self.errors.get(name, 0) + 1

    def told(self) -> dict[str, Any]:
        rows = []
        for seq in sorted(self.probes):
            p = self.probes[seq]
            rows.append([seq, p.port, p.state, p.rtt, p.again])
        answer = {"source": self.source, "size": self.made or self.size, "probes": rows}
        answer.update(errors=self.errors, problem=self.problem)
        return answer


class Probe:
    """One probe. `state`: 0 never left, 1 sent, 2 connected, 3 answered; `rtt` in microseconds."""

    def __init__(self, flow: Sending, seq: int) -> None:
        self.flow, self.seq = flow, seq
        self.sock: socket.socket | None = None
        self.port = self.state = self.rtt = self.again = self.got = 0
        self.began = self.due = 0.0
        self.payload = b""


class Sender:
    """Sends the probes of all flows in turn, so that a bad minute hits every flow alike."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.run = str(spec["run"])
        self.flows = [Sending(flow) for flow in spec["flows"]]
        self.gap = 1.0 / min(max(float(spec["rate"]), 1.0), 2000.0)
        self.wait = min(max(float(spec["wait"]), 0.1), 10.0)
        most = max([flow.count for flow in self.flows] or [0])
        plan = [(f, seq) for seq in range(most) for f in self.flows if seq < f.count]
        self.plan: collections.deque[tuple[Sending, int]] = collections.deque(plan[:MOST_PROBES])
        self.waiting: collections.deque[Probe] = collections.deque()
        self.held: collections.deque[socket.socket] = collections.deque()
        self.used: set[tuple[str, int]] = set()
        self.idents: dict[int, Probe] = {}
        self.next_ident = int.from_bytes(os.urandom(2), "big")
        self.poll = select.epoll()
        self.by_number: dict[int, Any] = {}
        self.room = raise_limit()

    def go(self) -> dict[str, Any]:
        ends = time.monotonic() + LIFETIME - 10
        at = time.monotonic()
        while (self.plan or self.waiting) and time.monotonic() < ends:
            now = time.monotonic()
            if self.plan and now >= at:
                self.launch(*self.plan.popleft())
                at = max(at + self.gap, now - 5 * self.gap)
                if at <= now:
                    continue
            pause = (at if self.plan else self.waiting[0].due if self.waiting else now) - now
            for number, _ in self.poll.poll(min(max(pause, 0.0), 0.5)):
                if number in self.by_number:
                    self.ready(self.by_number[number])
            now = time.monotonic()
            while self.waiting and (self.waiting[0].state == 3 or self.waiting[0].due <= now):
                self.give_up(self.waiting.popleft())
        for sock in self.held:
            # A reset leaves no TIME_WAIT; the carrier's entries stay for 10 s, long enough to be read.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()
        unsent: dict[str, int] = {}
        for flow, _ in self.plan:
            unsent[flow.name] = unsent.get(flow.name, 0) + 1
        return {"run": self.run, "flows": {f.name: f.told() for f in self.flows}, "unsent": unsent}

    def launch(self, flow: Sending, seq: int) -> None:
        probe = flow.probes[seq] = Probe(flow, seq)
        probe.payload = token_of(self.run, flow.index, seq)
        if len(self.by_number) + len(self.held) >= self.room and self.held:
            oldest = self.held.popleft()
            oldest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            oldest.close()
        try:
            probe.began = time.monotonic()
            probe.due = probe.began + self.wait
            getattr(self, "send_" + flow.protocol)(flow, probe)
            probe.state = max(probe.state, 1)
            self.waiting.append(probe)
        except OSError as error:
            # A local firewall that drops says EPERM; only for pings can it be the right to send that lacks.
            if isinstance(error, PermissionError) and flow.protocol == "icmp" and flow.raw is None:
                flow.problem = "needs CAP_NET_RAW, or this login in net.ipv4.ping_group_range"
            flow.failed(error)
            if probe.sock is not None:
                self.forget(probe.sock).close()

    def fresh(self, flow: Sending, kind: int, protocol: int = 0) -> socket.socket:
        """A socket with a source port that this round has not had, so that each probe is a connection of its own."""
        spare = []
        for _ in range(50):
            sock = socket.socket(family_of(flow.version), kind | socket.SOCK_NONBLOCK, protocol)
            set_df(sock, flow.version, flow.df)
            sock.bind(("", 0))
            if (flow.protocol, sock.getsockname()[1]) not in self.used:
                break
            spare.append(sock)
        for other in spare:
            if other is not sock:
                other.close()
        self.used.add((flow.protocol, sock.getsockname()[1]))
        return sock

    def watch(self, probe: Probe, sock: socket.socket, events: int) -> None:
        probe.sock, probe.port = sock, sock.getsockname()[1]
        probe.flow.source = probe.flow.source or plain(sock.getsockname()[0])
        self.by_number[sock.fileno()] = probe
        self.poll.register(sock.fileno(), events)

    def forget(self, sock: socket.socket) -> socket.socket:
        if self.by_number.pop(sock.fileno(), None) is not None:
            self.poll.unregister(sock.fileno())
        return sock

    def send_udp(self, flow: Sending, probe: Probe) -> None:
        sock = probe.sock = self.fresh(flow, socket.SOCK_DGRAM)
        sock.connect((flow.address, flow.port))
        self.watch(probe, sock, select.EPOLLIN)
        probe.payload = probe.payload.ljust(flow.size - flow.overhead, b"\0")
        sock.send(probe.payload)

    def send_tcp(self, flow: Sending, probe: Probe) -> None:
        sock = probe.sock = self.fresh(flow, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        body = flow.size - flow.overhead - 12 - TCP_HEAD
        if flow.df:
            # The segment size is what was asked for, and there is more than one segment to send, so that the
            # packets have exactly this size in both directions.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, max(flow.size - flow.overhead, 88))
            body = 2 * (flow.size - flow.overhead)
        probe.payload += struct.pack("!I", body) + b"\0" * body
        try:
            sock.connect((flow.address, flow.port))
        except BlockingIOError:
            pass
        self.watch(probe, sock, select.EPOLLOUT | select.EPOLLIN)

    def send_icmp(self, flow: Sending, probe: Probe) -> None:
        probe.payload = probe.payload.ljust(flow.size - flow.overhead, b"\0")
        protocol = 1 if flow.version == 4 else 58
        if flow.raw is None and not flow.problem:
            try:
                sock = socket.socket(
                    family_of(flow.version), socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol
                )
                set_df(sock, flow.version, flow.df)
                sock.connect((flow.address, 0))
                flow.raw, flow.source = sock, plain(sock.getsockname()[0])
                self.by_number[sock.fileno()] = flow
                self.poll.register(sock.fileno(), select.EPOLLIN)
            except PermissionError:
                pass
        if flow.raw is None:
            # Without the right to a raw socket the kernel may still allow pings, one identifier a socket.
            sock = probe.sock = self.fresh(flow, socket.SOCK_DGRAM, protocol)
            sock.connect((flow.address, 0))
            self.watch(probe, sock, select.EPOLLIN)
            sock.send(echo_request(flow.version, 0, probe.seq, probe.payload))
            return
        self.next_ident = (self.next_ident + 1) & 0xFFFF
        probe.port = self.next_ident
        self.idents[probe.port] = probe
        flow.raw.send(echo_request(flow.version, probe.port, probe.seq, probe.payload))

    def ready(self, what: Any) -> None:
        if isinstance(what, Sending):
            return self.ready_raw(what)
        sock, flow = what.sock, what.flow
        try:
            if flow.protocol == "tcp":
                return self.ready_tcp(what, sock)
            data = sock.recv(65536)
            if (data[8:] if flow.protocol == "icmp" else data) == what.payload:
                self.answered(what)
                self.forget(sock).close()
        except BlockingIOError:
            return None
        except OSError as error:
            flow.failed(error)
            self.forget(sock)
            what.due = 0.0
        return None

    def ready_raw(self, flow: Sending) -> None:
        assert flow.raw is not None
        for _ in range(64):
            try:
                data = flow.raw.recv(65536)
            except BlockingIOError:
                return
            except OSError as error:
                flow.failed(error)
                continue
            start = (data[0] & 15) * 4 if flow.version == 4 and data else 0
            if len(data) < start + 8 or data[start] != ECHO[flow.version][1]:
                continue
            probe = self.idents.get(struct.unpack_from("!H", data, start + 4)[0])
            if probe is not None and data[start + 8 :] == probe.payload and probe.state != 3:
                self.answered(probe)

    def ready_tcp(self, probe: Probe, sock: socket.socket) -> None:
        if probe.state == 1:
            problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, os.strerror(problem))
            probe.state = 2
            if probe.flow.df:
                segment = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) + probe.flow.overhead
                segment += 12 if sock.getsockopt(socket.IPPROTO_TCP, 11, 104)[5] & 1 else 0
                probe.flow.made = min(probe.flow.made or segment, segment)
            sock.send(probe.payload[:TCP_HEAD])
            sock.send(probe.payload[TCP_HEAD:])
            self.poll.modify(sock.fileno(), select.EPOLLIN)
            return
        data = sock.recv(65536)
        if not data:
            raise OSError(errno.ECONNRESET, "closed")
        probe.got += len(data)
        if probe.got >= len(probe.payload):
            self.answered(probe)
            info = sock.getsockopt(socket.IPPROTO_TCP, 11, 104)
            probe.again = struct.unpack_from("=I", info, 100)[0] if len(info) >= 104 else 0
            self.held.append(self.forget(sock))

    def answered(self, probe: Probe) -> None:
        probe.state = 3
        probe.rtt = int((time.monotonic() - probe.began) * 1e6)

    def give_up(self, probe: Probe) -> None:
        if probe.sock is None or probe.state == 3:
            return
        self.forget(probe.sock)
        if probe.flow.protocol == "tcp":
            self.held.append(probe.sock)
        else:
            probe.sock.close()


def send(spec: dict[str, Any]) -> dict[str, Any]:
    signal.alarm(int(LIFETIME))
    return Sender(spec).go()


if __name__ == "__main__":
    sys.exit(answer_with({"send": send}, sys.argv[1:]))
