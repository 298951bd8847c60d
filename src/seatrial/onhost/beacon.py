# ruff: noqa: D102, D103, SIM105, PTH123, PTH208
"""The beacon: the far end of a flow probe, which python3 reads from stdin and which installs nothing.

What is in: `listen SPEC` binds, leaves a listener in the background and returns; `collect SPEC` asks it what
arrived and ends it. SPEC is JSON in argv, the answer is one JSON document on stdout. It runs wherever Python is
3.7 or newer. Everything is bounded: sockets, bytes, probes, and a lifetime that an alarm enforces. What is not
in: any judgement, which is the work of checks/flow/judge.py.
"""

from __future__ import annotations

import errno
import json
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
    MOST_CONNECTIONS,
    MOST_ECHO,
    MOST_ORPHANS,
    MOST_PROBES,
    MOST_SOURCES,
    OVERHEAD,
    RESET,
    TCP_HEAD,
    answer_with,
    attach_filter,
    family_of,
    plain,
    raise_limit,
    read_token,
    set_df,
    tag_of,
    version_of,
)


class Arrivals:
    """What arrived of one flow: distinct probes, where they came from, how large they were."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.whole: set[int] = set()
        self.sources: dict[str, int] = {}
        self.sizes: list[int] = []
        self.problem = ""

    def note(self, seq: int, source: str, size: int, whole: bool = True) -> None:
        if len(self.seen) < MOST_PROBES and seq not in self.seen:
            self.seen.add(seq)
            key = source if source in self.sources or len(self.sources) < MOST_SOURCES else "others"
            self.sources[key] = self.sources.get(key, 0) + 1
            if size:
                self.sizes = (
                    [min(self.sizes[0], size), max(self.sizes[1], size)] if self.sizes else [size, size]
                )
        if whole and len(self.whole) < MOST_PROBES:
            self.whole.add(seq)

    def told(self) -> dict[str, Any]:
        return {
            "arrived": len(self.seen),
            "whole": len(self.whole),
            "sources": self.sources,
            "size": self.sizes,
            "problem": self.problem,
        }


class Connection:
    """One accepted TCP connection: what came is sent back, and the first bytes say whose it is."""

    def __init__(self, sock: socket.socket, peer: tuple[Any, ...], key: str) -> None:
        self.sock, self.peer, self.key = sock, peer, key
        self.head = b""
        self.got = 0
        self.pending = b""
        self.mine: tuple[int, int] | None = None


class Attempts:
    """Distinct connection attempts of one port: a SYN counts although its answer is lost and it is never accepted.

    The kernel shows an attempt to nobody before it is complete. With a raw socket every SYN is seen, and a
    retransmitted one has the same initial sequence number; without, the table of half-open connections is read
    again and again.
    """

    def __init__(self, version: int, port: int) -> None:
        self.version, self.port = version, port
        self.saw = "nothing"
        self.seen: set[tuple[str, int, int]] = set()
        self.claimed: set[tuple[str, int]] = set()

    def note(self, source: str, sport: int, isn: int) -> None:
        if len(self.seen) < MOST_PROBES:
            self.seen.add((source, sport, isn))

    def told(self) -> dict[str, Any]:
        orphans = sorted({(a, p) for a, p, _ in self.seen} - self.claimed)
        return {
            "version": self.version,
            "port": self.port,
            "saw": self.saw,
            "attempts": len(self.seen),
            "orphans": orphans[:MOST_ORPHANS],
            "more": max(len(orphans) - MOST_ORPHANS, 0),
        }


class Listener:
    """Everything that the far end holds until it is collected or its lifetime is over."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.run = str(spec["run"])
        self.tag = tag_of(self.run)
        self.lifetime = min(float(spec.get("lifetime", 60)), LIFETIME)
        self.flows: dict[str, Arrivals] = {}
        self.by_index: dict[int, Arrivals] = {}
        self.attempts: dict[str, Attempts] = {}
        self.poll = select.epoll()
        self.handlers: dict[int, Any] = {}
        self.open: dict[int, Connection] = {}
        self.bound: dict[str, str] = {}
        self.df: dict[str, bool] = {}
        self.looks: list[int] = []
        self.done = False

    def add(self, sock: socket.socket, handler: Any, *context: Any) -> None:
        sock.setblocking(False)
        self.handlers[sock.fileno()] = (sock, handler, context)
        self.poll.register(sock.fileno(), select.EPOLLIN)

    def bind_all(self, flows: list[dict[str, Any]]) -> None:
        for flow in flows:
            arrivals = self.flows[str(flow["flow"])] = Arrivals()
            self.by_index[int(flow["index"])] = arrivals
            version, protocol = version_of(flow["address"]), flow["protocol"]
            port = int(flow.get("port") or 0)
            key = f"{protocol}{version}:{port}"
            if key not in self.bound:
                self.df[key] = all(f.get("df") for f in flows if f.get("port") == flow.get("port"))
                self.bound[key] = self.try_bind(protocol, version, port, key)
            arrivals.problem = self.bound[key]

    def try_bind(self, protocol: str, version: int, port: int, key: str) -> str:
        try:
            getattr(self, "bind_" + protocol)(version, port, key)
        except PermissionError:
            return "needs CAP_NET_RAW to see pings" if protocol == "icmp" else f"needs root for port {port}"
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"{protocol} port {port} is in use"
            return f"cannot listen: {error.strerror}"
        return ""

    def bind_udp(self, version: int, port: int, key: str) -> None:
        sock = socket.socket(family_of(version), socket.SOCK_DGRAM)
        # The answer must leave from the address that was asked, which on a host with several is not the default.
        if version == 4:
            sock.setsockopt(socket.IPPROTO_IP, 8, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, 49, 1)
        set_df(sock, version, self.df[key])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("", port))
        self.add(sock, self.on_udp, version)

    def bind_tcp(self, version: int, port: int, key: str) -> None:
        sock = socket.socket(family_of(version), socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        set_df(sock, version, self.df[key])
        sock.bind(("", port))
        sock.listen(MOST_CONNECTIONS)
        self.attempts[key] = Attempts(version, port)
        self.add(sock, self.on_accept, key)

    def bind_icmp(self, version: int, port: int, key: str) -> None:
        kind = ECHO[version][0]
        sock = socket.socket(family_of(version), socket.SOCK_RAW, 1 if version == 4 else 58)
        start = [(0xB1, 0, 0, 0), (0x50, 0, 0, 0)] if version == 4 else [(0x30, 0, 0, 0)]
        attach_filter(sock, [*start, (0x15, 0, 1, kind), (0x06, 0, 0, 0x40000), (0x06, 0, 0, 0)])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.add(sock, self.on_icmp, version)

    def watch_attempts(self) -> None:
        """See connection attempts whose answer is lost, by a raw socket, or else by the half-open connections."""
        for version in sorted({a.version for a in self.attempts.values()}):
            try:
                sock = socket.socket(family_of(version), socket.SOCK_RAW, socket.IPPROTO_TCP)
                start = [(0xB1, 0, 0, 0), (0x50, 0, 0, 13)] if version == 4 else [(0x30, 0, 0, 13)]
                test = [(0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0x40000), (0x06, 0, 0, 0)]
                attach_filter(sock, start + test)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
                self.add(sock, self.on_syn, version)
                saw = "raw"
            except OSError:
                self.looks.append(version)
                saw = "table"
            for attempts in self.attempts.values():
                if attempts.version == version:
                    attempts.saw = saw

    def on_udp(self, sock: socket.socket, version: int) -> None:
        for _ in range(64):
            try:
                data, ancillary, _, peer = sock.recvmsg(65536, 256)
            except OSError:
                return
            mine = read_token(self.tag, data)
            if mine is None or mine[0] not in self.by_index:
                continue
            self.by_index[mine[0]].note(mine[1], plain(peer[0]), len(data) + OVERHEAD["udp", version])
            own = []
            for level, kind, value in ancillary:
                if version == 4 and (level, kind) == (0, 8):
                    own = [(0, 8, struct.pack("=i4s4s", 0, value[8:12], b"\0" * 4))]
                elif version == 6 and (level, kind) == (41, 50):
                    own = [(41, 50, value)]
            try:
                sock.sendmsg([data], own, 0, peer)
            except OSError as error:
                self.by_index[mine[0]].problem = f"could not answer: {error.strerror}"

    def on_icmp(self, sock: socket.socket, version: int) -> None:
        for _ in range(64):
            try:
                data, peer = sock.recvfrom(65536)
            except OSError:
                return
            start = (data[0] & 15) * 4 if version == 4 and data else 0
            mine = read_token(self.tag, data[start + 8 :])
            if mine is not None and mine[0] in self.by_index:
                size = len(data) if version == 4 else len(data) + 40
                self.by_index[mine[0]].note(mine[1], plain(peer[0]), size)

    def on_syn(self, sock: socket.socket, version: int) -> None:
        for _ in range(256):
            try:
                data, peer = sock.recvfrom(256)
            except OSError:
                return
            start = (data[0] & 15) * 4 if version == 4 and data else 0
            if len(data) < start + 20:
                continue
            sport, dport, isn = struct.unpack_from("!HHI", data, start)
            attempts = self.attempts.get(f"tcp{version}:{dport}")
            if attempts is not None:
                attempts.note(plain(peer[0]), sport, isn)

    def look_at_table(self) -> None:
        for version in self.looks:
            try:
                with open("/proc/net/tcp" if version == 4 else "/proc/net/tcp6") as table:
                    lines = [line.split()[:4] for line in table if " 03 " in line]
            except OSError:
                continue
            for _, local, remote, state in (line for line in lines if len(line) == 4):
                attempts = self.attempts.get(f"tcp{version}:{int(local.split(':')[1], 16)}")
                if attempts is not None and state == "03":
                    words = bytes.fromhex(remote.split(":")[0])
                    swapped = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
                    raw = swapped if sys.byteorder == "little" else words
                    attempts.note(socket.inet_ntop(family_of(version), raw), int(remote.split(":")[1], 16), 0)

    def on_accept(self, sock: socket.socket, key: str) -> None:
        for _ in range(64):
            try:
                made, peer = sock.accept()
            except OSError:
                return
            if len(self.open) >= MOST_CONNECTIONS:
                made.close()
                continue
            if self.attempts[key].saw == "table":
                self.attempts[key].note(plain(peer[0]), peer[1], 0)
            connection = Connection(made, peer, key)
            self.open[made.fileno()] = connection
            self.add(made, self.on_data, connection)

    def on_data(self, sock: socket.socket, connection: Connection) -> None:
        try:
            alive = self.exchange(sock, connection)
        except BlockingIOError:
            alive = True
        except OSError:
            alive = False
        if alive and connection.got <= MOST_ECHO:
            self.poll.modify(sock.fileno(), select.EPOLLOUT if connection.pending else select.EPOLLIN)
        else:
            self.drop(connection)

    def exchange(self, sock: socket.socket, connection: Connection) -> bool:
        """Send what waits, or else take what came; False when this connection is over or is not ours."""
        if connection.pending:
            connection.pending = connection.pending[sock.send(connection.pending) :]
            return True
        data = sock.recv(MOST_ECHO)
        if not data:
            return False
        connection.got += len(data)
        if connection.mine is None:
            connection.head += data[: TCP_HEAD - len(connection.head)]
            if connection.head[:8] != self.tag[: len(connection.head)]:
                return False
            if len(connection.head) < TCP_HEAD:
                return True
            connection.mine = read_token(self.tag, connection.head)
            if connection.mine is None or connection.mine[0] not in self.by_index:
                return False
            data = connection.head + data[len(data) - (connection.got - TCP_HEAD) :]
        self.note_connection(connection)
        connection.pending = data
        connection.pending = data[sock.send(data) :]
        return True

    def note_connection(self, connection: Connection) -> None:
        assert connection.mine is not None
        index, seq = connection.mine
        source = plain(connection.peer[0])
        attempts = self.attempts[connection.key]
        attempts.claimed.add((source, connection.peer[1]))
        total = struct.unpack_from("!I", connection.head, 14)[0]
        self.by_index[index].note(seq, source, 0, connection.got >= TCP_HEAD + total)

    def drop(self, connection: Connection) -> None:
        self.open.pop(connection.sock.fileno(), None)
        self.handlers.pop(connection.sock.fileno(), None)
        try:
            self.poll.unregister(connection.sock.fileno())
        except OSError:
            pass
        connection.sock.close()

    def on_control(self, sock: socket.socket) -> None:
        try:
            asker, _ = sock.accept()
        except OSError:
            return
        with asker:
            asker.settimeout(5.0)
            if not own_peer(asker):
                return
            self.look_at_table()
            flows = {name: arrivals.told() for name, arrivals in self.flows.items()}
            ports = [attempts.told() for attempts in self.attempts.values()]
            self.done = True
            self.let_go()
            try:
                asker.sendall(json.dumps({"run": self.run, "flows": flows, "ports": ports}).encode())
            except OSError:
                return  # Whoever asked is gone; the round is over all the same.

    def let_go(self) -> None:
        """Free every port before the last word is said, so that whoever hears it may bind them at once."""
        for connection in self.open.values():
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        for sock, _, _ in self.handlers.values():
            sock.close()
        self.handlers.clear()

    def serve(self) -> None:
        ends = time.monotonic() + self.lifetime
        next_look = 0.0
        while not self.done and time.monotonic() < ends:
            if self.looks and time.monotonic() >= next_look:
                self.look_at_table()
                next_look = time.monotonic() + 0.2
            for number, _ in self.poll.poll(0.1 if self.looks else min(1.0, ends - time.monotonic() + 0.01)):
                if number in self.handlers:
                    sock, handler, context = self.handlers[number]
                    handler(sock, *context)


def own_peer(sock: socket.socket) -> bool:
    """Abstract names belong to nobody, so each side looks who the other one is."""
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return uid in (0, os.getuid())


def control_name(run: str) -> str:
    return "\0seatrial-beacon-" + run


def listen(spec: dict[str, Any]) -> dict[str, Any]:
    raise_limit()
    listener = Listener(spec)
    collect(spec)  # An older listener of this very run is in the way when the question is asked again.
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(control_name(listener.run))
    control.listen(4)
    listener.add(control, listener.on_control)
    listener.bind_all(spec["flows"])
    listener.watch_attempts()
    answer = {
        "run": listener.run,
        "lifetime": listener.lifetime,
        "flows": {name: {"problem": arrivals.problem} for name, arrivals in listener.flows.items()},
    }
    first = os.fork()
    if first == 0:
        os.setsid()
        if os.fork() == 0:
            in_background(listener)
        os._exit(0)
    os.waitpid(first, 0)
    return answer


def in_background(listener: Listener) -> None:
    """Let go of all that was inherited, so that the session that started this can end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(listener.lifetime) + 2)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    keep = {0, 1, 2, listener.poll.fileno()} | set(listener.handlers)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                pass
    os.chdir("/")
    try:
        listener.serve()
    finally:
        os._exit(0)


def collect(spec: dict[str, Any]) -> dict[str, Any]:
    run = str(spec["run"])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(10.0)
        try:
            sock.connect(control_name(run))
            if not own_peer(sock):
                return {"run": run, "problem": "the listener belongs to another user"}
            parts = []
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                parts.append(part)
            answer: dict[str, Any] = json.loads(b"".join(parts))
            return answer
        except (OSError, ValueError) as error:
            return {"run": run, "problem": f"no listener of this run: {error}"}


if __name__ == "__main__":
    sys.exit(answer_with({"listen": listen, "collect": collect}, sys.argv[1:]))
