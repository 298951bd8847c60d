# ruff: noqa: D102, D103
"""Load along flows: connections and datagrams, each new, sent back by a beacon at the far end and then closed.

What is in: `send SPEC` with SPEC as JSON: `run` as the beacons know it, `flows` (index, protocol, address, port), `rate`
a second for all together, `size` in bytes, `hold` in seconds, `seconds`. It prints one JSON line a second, as load.py
does. It ends by itself after `seconds`, and as soon as nobody listens any more: a controller that is gone must not leave
work behind. It runs wherever Python is 3.7 or newer. What is not in: any judgement.
"""

from __future__ import annotations

import collections
import json
import os
import select
import socket
import struct
import sys
import time
from typing import Any

from seatrial.onhost.wire import (
    TCP_HEAD,
    family_of,
    raise_limit,
    token_of,
    version_of,
)

LONGEST = 600.0
WAIT = 2.0
MOST_DATAGRAM = 1400


class Meter:
    """What was done since it was last asked: for each operation how often, ms in all, the longest, failures."""

    def __init__(self) -> None:
        self.done: dict[str, list[float]] = {}
        self.problem = ""

    def add(self, name: str, took: float) -> None:
        row = self.done.setdefault(name, [0, 0.0, 0.0, 0])
        row[0] += 1
        row[1] += took * 1000
        row[2] = max(row[2], took * 1000)

    def fail(self, name: str, why: str) -> None:
        self.done.setdefault(name, [0, 0.0, 0.0, 0])[3] += 1
        self.problem = why[:200]

    def take(self) -> str:
        done = {key: [row[0], round(row[1], 3), round(row[2], 3), row[3]] for key, row in self.done.items()}
        said = {"t": round(time.monotonic(), 3), "done": done, "problem": self.problem}
        self.done, self.problem = {}, ""
        return json.dumps(said, separators=(",", ":"))


class Piece:
    """One connection or datagram. `doing` is what is waited for: connect, answer or datagram."""

    def __init__(self, sock: socket.socket, doing: str, payload: bytes, to: str) -> None:
        self.sock, self.doing, self.payload, self.to = sock, doing, payload, to
        self.began = time.monotonic()
        self.due = self.began + WAIT
        self.got = self.sent = 0
        self.over = False


class Sender:
    """Begins so many a second, one flow after the other; what could not be begun in time is not made up for."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.run, self.flows = str(spec["run"]), list(spec["flows"])
        self.gap = 1.0 / min(max(float(spec["rate"]), 0.01), 2000.0)
        self.size, self.hold = int(spec["size"]), min(max(float(spec["hold"]), 0.0), 60.0)
        self.seconds = min(max(float(spec["seconds"]), 0.0), LONGEST)
        self.number = 0
        self.meter = Meter()
        self.poll = select.epoll()
        self.open: dict[int, Piece] = {}
        self.waiting: collections.deque[Piece] = collections.deque()
        self.held: collections.deque[tuple[float, socket.socket]] = collections.deque()
        self.room = raise_limit()

    def go(self) -> None:
        at = time.monotonic()
        ends, say = at + self.seconds, at + 1.0
        while True:
            now = time.monotonic()
            if now >= ends and not self.open:
                break
            if now < ends and now >= at:
                self.begin()
                at = max(at + self.gap, now)
            if now >= say:
                print(self.meter.take(), flush=True)
                say += 1.0
            self.expire(now)
            until = min(at if now < ends else say, say, ends if now < ends else say)
            for number, _ in self.poll.poll(max(min(until - time.monotonic(), 0.05), 0.0)):
                if number in self.open:
                    self.ready(self.open[number])
        print(self.meter.take(), flush=True)

    def begin(self) -> None:
        if len(self.open) + len(self.held) >= self.room:
            self.meter.problem = "there are no more sockets"
            return
        flow = self.flows[self.number % len(self.flows)]
        self.number += 1
        token = token_of(self.run, int(flow["index"]), self.number)
        version, tcp = version_of(flow["address"]), flow["protocol"] == "tcp"
        sock = socket.socket(family_of(version), socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        sock.setblocking(False)
        if tcp:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            body = max(self.size - TCP_HEAD, 0)
            payload = token + struct.pack("!I", body) + b"\0" * body
        else:
            payload = token.ljust(min(self.size, MOST_DATAGRAM), b"\0")
        piece = Piece(sock, "connect" if tcp else "datagram", payload, str(flow["address"]))
        self.open[sock.fileno()] = piece
        self.waiting.append(piece)
        self.poll.register(sock.fileno(), select.EPOLLOUT | select.EPOLLIN if tcp else select.EPOLLIN)
        try:
            sock.connect((flow["address"], int(flow["port"])))
            if not tcp:
                sock.send(payload)
        except BlockingIOError:
            pass
        except OSError as error:
            self.end(piece, error)

    def ready(self, piece: Piece) -> None:
        try:
            if piece.doing == "connect":
                problem = piece.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if problem:
                    raise OSError(problem, os.strerror(problem))
                now = time.monotonic()
                self.meter.add("connect", now - piece.began)
                # From here on the answer is waited for, with a time of its own.
                piece.doing, piece.began, piece.due = "answer", now, now + WAIT
                self.waiting.append(piece)
            if piece.doing == "answer" and piece.sent < len(piece.payload):
                piece.sent += piece.sock.send(piece.payload[piece.sent :])
                if piece.sent == len(piece.payload):
                    self.poll.modify(piece.sock.fileno(), select.EPOLLIN)
            data = piece.sock.recv(65536)
            if not data:
                raise OSError(104, "closed by the far end")
            piece.got += len(data)
            if piece.got >= len(piece.payload):
                self.meter.add(piece.doing, time.monotonic() - piece.began)
                self.end(piece, None)
        except BlockingIOError:
            pass
        except OSError as error:
            self.end(piece, error)

    def end(self, piece: Piece, error: OSError | None) -> None:
        if error is not None:
            self.meter.fail(piece.doing, piece.to + ": " + piece.doing + ": " + str(error.strerror or error))
        piece.over = True
        self.open.pop(piece.sock.fileno(), None)
        self.poll.unregister(piece.sock.fileno())
        if error is None and piece.doing == "answer" and self.hold:
            self.held.append((time.monotonic() + self.hold, piece.sock))
        else:
            piece.sock.close()

    def expire(self, now: float) -> None:
        # A connection is in line twice, for each of the two things that are waited for.
        while self.waiting and (self.waiting[0].over or self.waiting[0].due <= now):
            piece = self.waiting.popleft()
            if not piece.over and piece.due <= now:
                self.end(piece, OSError(110, "no answer within %g s" % WAIT))  # noqa: UP031
        while self.held and self.held[0][0] <= now:
            self.held.popleft()[1].close()


def main(words: list[str]) -> int:
    try:
        Sender(json.loads(words[1])).go()
    except BrokenPipeError:
        # Whoever asked for the work is gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
