# ruff: noqa: D101, D102, D103, UP041
"""An NFS server, asked over the network without a mount: python3 reads this script from stdin and installs nothing.

What is in: a connection, the procedure NULL, and for version 4 the way to a path (PUTROOTFH, LOOKUP, GETATTR), which
needs no state on the server in 4.0; a server that takes 4.1 only is asked in a session that is ended again. SPEC as
JSON in argv, one JSON document as the answer: the milliseconds of each step, and at which step and why it ended. It runs
wherever Python is 3.7 or newer. What is not in: reading or writing a file, and any judgement.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import sys
import time
from typing import Any

PROGRAM = 100003
LONGEST_ANSWER = 1 << 20
PUTROOTFH, LOOKUP, GETATTR = 24, 15, 9
EXCHANGE_ID, CREATE_SESSION, SEQUENCE, DESTROY_SESSION, DESTROY_CLIENTID = 42, 43, 53, 44, 57
DELAY, OTHER_MINOR = 10008, 10021
STATUSES = {
    1: "PERM", 2: "NOENT", 5: "IO", 10: "NXIO", 13: "ACCESS", 20: "NOTDIR", 22: "INVAL", 63: "NAMETOOLONG", 70: "STALE",
    10001: "BADHANDLE", 10006: "SERVERFAULT", 10008: "DELAY", 10013: "GRACE", 10016: "WRONGSEC", 10018: "RESOURCE",
    10019: "MOVED", 10020: "NOFILEHANDLE", 10021: "MINOR_VERS_MISMATCH", 10029: "SYMLINK",
}  # fmt: skip
ACCEPTED = {1: "no program of that number", 3: "no such procedure", 4: "garbage arguments", 5: "system error"}


class Ended(Exception):
    def __init__(self, kind: str, error: str, **more: Any) -> None:
        super().__init__(error)
        self.said = dict(more, kind=kind, error=error)


class Server:
    """One connection; every answer is waited for until the time that is left is over."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.ends = time.monotonic() + float(spec["timeout"])
        self.version = int(spec["version"])
        self.reserved = False
        self.sock = self.connected(spec["address"], int(spec["port"]))
        self.xid = random.getrandbits(31)

    def left(self) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left

    def connected(self, address: str, port: int) -> socket.socket:
        problem = OSError("the name has no address")
        for family, kind, protocol, _, where in socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM):
            sock = socket.socket(family, kind, protocol)
            try:
                self.reserved = self.bound(sock)
                sock.settimeout(self.left())
                sock.connect(where)
                return sock
            except OSError as error:
                sock.close()
                problem = error
        raise problem

    def bound(self, sock: socket.socket) -> bool:
        # An export is shown to ports below 1024 only, unless it is `insecure`; these are root's.
        for port in random.sample(range(665, 1024), 20):
            try:
                sock.bind(("", port))
                return True
            except PermissionError:
                return False
            except OSError:
                continue
        return False

    def call(self, procedure: int, arguments: bytes) -> bytes:
        self.xid = (self.xid + 1) & 0xFFFFFFFF
        head = struct.pack("!6I", self.xid, 0, 2, PROGRAM, self.version, procedure)
        message = head + (credentials() if procedure else struct.pack("!2I", 0, 0))
        message += struct.pack("!2I", 0, 0) + arguments
        self.sock.settimeout(self.left())
        self.sock.sendall(struct.pack("!I", 0x80000000 | len(message)) + message)
        while True:
            answer = self.record()
            if len(answer) < 12:
                raise Ended("strange", f"an answer of {len(answer)} bytes")
            xid, kind = struct.unpack_from("!2I", answer)
            if (xid, kind) == (self.xid, 1):
                return accepted(answer)

    def record(self) -> bytes:
        data = b""
        last = 0
        while not last:
            (mark,) = struct.unpack("!I", self.exactly(4))
            last, length = mark & 0x80000000, mark & 0x7FFFFFFF
            if len(data) + length > LONGEST_ANSWER:
                raise Ended("strange", "an answer that is no RPC")
            data += self.exactly(length)
        return data

    def exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            self.sock.settimeout(self.left())
            piece = self.sock.recv(length - len(data))
            if not piece:
                raise Ended("closed", "the server closed the connection")
            data += piece
        return data


def credentials() -> bytes:
    body = struct.pack("!I", 0) + opaque(b"seatrial") + struct.pack("!3I", os.getuid(), os.getgid(), 0)
    return struct.pack("!2I", 1, len(body)) + body


def opaque(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data + b"\0" * (-len(data) % 4)


def accepted(answer: bytes) -> bytes:
    if struct.unpack_from("!I", answer, 8)[0]:
        raise Ended("denied", "the server refuses the credentials")
    (length,) = struct.unpack_from("!I", answer, 16)
    at = 20 + length + -length % 4
    (status,) = struct.unpack_from("!I", answer, at)
    if status == 2:
        low, high = struct.unpack_from("!2I", answer, at + 4)
        raise Ended("version", f"versions {low} to {high}", low=low, high=high)
    if status:
        raise Ended("refused", ACCEPTED.get(status, f"RPC status {status}"))
    return answer[at + 4 :]


def compound(server: Server, minor: int, operations: list[bytes]) -> tuple[int, int, bytes]:
    """The status, how many operations were tried, and the results."""
    arguments = opaque(b"") + struct.pack("!2I", minor, len(operations)) + b"".join(operations)
    answer = server.call(1, arguments)
    status, length = struct.unpack_from("!2I", answer)
    at = 8 + length + -length % 4
    return status, struct.unpack_from("!I", answer, at)[0], answer[at + 4 :]


def op(number: int, arguments: bytes = b"") -> bytes:
    return struct.pack("!I", number) + arguments


def must(asked: tuple[int, int, bytes]) -> bytes:
    if asked[0]:
        raise Ended("status", STATUSES.get(asked[0], str(asked[0])), at="")
    return asked[2]


def look(server: Server, path: str) -> None:
    names = [name for name in path.split("/") if name]
    way = [op(PUTROOTFH), *(op(LOOKUP, opaque(os.fsencode(name))) for name in names)]
    # Attribute 1 is the type: whoever can tell that has reached the file system.
    way.append(op(GETATTR, struct.pack("!2I", 1, 2)))
    status, tried, _ = patiently(server, 0, way)
    if status == OTHER_MINOR:
        status, tried = look_in_session(server, way)
    if status:
        at = names[: max(min(tried, len(way)) - 1, 0)]
        raise Ended("status", STATUSES.get(status, str(status)), at="/" + "/".join(at))


def patiently(server: Server, minor: int, way: list[bytes]) -> tuple[int, int, bytes]:
    """A server that says "later" waits for something itself, such as rpc.mountd; it is asked until the time is over."""
    while True:
        answer = compound(server, minor, way)
        if answer[0] != DELAY or server.ends - time.monotonic() < 0.5:
            return answer
        time.sleep(0.3)


def look_in_session(server: Server, way: list[bytes]) -> tuple[int, int]:
    owner = os.urandom(8) + opaque(b"seatrial " + os.urandom(8).hex().encode())
    said = must(compound(server, 1, [op(EXCHANGE_ID, owner + struct.pack("!3I", 0, 0, 0))]))
    client, sequence = struct.unpack_from("!QI", said, 8)
    channel = struct.pack("!7I", 0, 65536, 65536, 4096, 64, 4, 0)
    wanted = (
        struct.pack("!Q2I", client, sequence, 0) + channel + channel + struct.pack("!3I", 0x40000000, 1, 0)
    )
    session = must(compound(server, 1, [op(CREATE_SESSION, wanted)]))[8:24]
    number = 0
    while True:
        number += 1
        turn = op(SEQUENCE, session + struct.pack("!4I", number, 0, 0, 0))
        status, tried, _ = compound(server, 1, [turn, *way])
        if status != DELAY or server.ends - time.monotonic() < 0.5:
            break
        time.sleep(0.3)
    # What is left of this client would be in the server's list until its lease is over.
    compound(server, 1, [op(DESTROY_SESSION, session)])
    compound(server, 1, [op(DESTROY_CLIENTID, struct.pack("!Q", client))])
    return status, tried - 1


def ask(spec: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"took": {}}
    server = None
    step = "connect"
    began = time.monotonic()
    try:
        server = Server(spec)
        answer["reserved"] = server.reserved
        for following in ("null", "path"):
            answer["took"][step] = round(1000 * (time.monotonic() - began), 1)
            step, began = following, time.monotonic()
            if step == "null":
                server.call(0, b"")
            elif spec.get("path"):
                look(server, spec["path"])
                answer["took"][step] = round(1000 * (time.monotonic() - began), 1)
        answer["ok"] = True
    except Ended as end:
        answer.update(end.said, step=step)
    except socket.timeout:
        answer.update(step=step, kind="silent", error="timed out")
    except (OSError, ValueError, struct.error) as error:
        said = str(getattr(error, "strerror", None) or error) or type(error).__name__
        answer.update(
            step=step,
            kind="strange" if isinstance(error, (ValueError, struct.error)) else "error",
            error=said,
        )
    finally:
        if server is not None:
            server.sock.close()
    return answer


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask(json.loads(sys.argv[1]))) + "\n")
