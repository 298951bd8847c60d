# ruff: noqa: D103, UP041
"""Small questions to a service, asked from a vantage: python3 reads this script from stdin and installs nothing.

What is in: `tcp`, `http` and `dns`, each with a SPEC as JSON in argv and one JSON document as its answer, and `many`,
which takes a list of [verb, SPEC], asks all of them at the same time and answers with a list in their order. They are
asked with Python's standard library because python3 is needed for the flows anyway, while curl and dig are missing
on a minimal Debian. It runs wherever Python is 3.7 or newer. What is not in: any judgement.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from typing import Any

MOST_BODY = 1 << 20
MOST_AT_ONCE = 32
TYPES = {"A": 1, "NS": 2, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def tcp(spec: dict[str, Any]) -> dict[str, Any]:
    with socket.create_connection((spec["address"], int(spec["port"])), float(spec["timeout"])) as sock:
        return {"connected": True, "peer": sock.getpeername()[0], "source": sock.getsockname()[0]}


def http_(spec: dict[str, Any]) -> dict[str, Any]:
    """One GET. Redirects are answers like any other, so that the status that is wanted can be one."""
    parts = urllib.parse.urlsplit(spec["url"])
    timeout = float(spec["timeout"])
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    elif parts.scheme == "http":
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    else:
        return {"error": "neither http nor https: " + parts.scheme}
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    connection.request(
        "GET", path, headers={"User-Agent": "seatrial", "Accept": "*/*", "Connection": "close"}
    )
    answer = connection.getresponse()
    body = answer.read(MOST_BODY)
    wanted = spec.get("contains")
    found = None if wanted is None else wanted.encode() in body
    return {"status": answer.status, "reason": answer.reason, "bytes": len(body), "contains": found}


def dns(spec: dict[str, Any]) -> dict[str, Any]:
    """One question over UDP, and over TCP when the answer is cut."""
    ident, kind = struct.unpack("!H", os.urandom(2))[0], TYPES[spec["type"]]
    labels = [part.encode("idna") for part in spec["name"].rstrip(".").split(".") if part]
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    question = struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", kind, 1)
    data = ask_udp(spec["server"], question, float(spec["timeout"]))
    if data[2] & 2:
        data = ask_tcp(spec["server"], question, float(spec["timeout"]))
    flags, questions, answers = struct.unpack_from("!HHH", data, 2)
    at = 12
    for _ in range(questions):
        at = read_name(data, at)[1] + 4
    records = []
    for _ in range(min(answers, 100)):
        at = read_name(data, at)[1]
        found, _, _, length = struct.unpack_from("!HHIH", data, at)
        if found == kind:
            records.append(show(data, at + 10, length, kind))
        at += 10 + length
    return {"code": CODES.get(flags & 15, str(flags & 15)), "records": records}


def ask_udp(server: str, question: bytes, timeout: float) -> bytes:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((server, 53))
        ends = time.monotonic() + timeout
        for turn in range(3):
            # A lost datagram is not a dead server, so the question is put again.
            sock.send(question)
            sock.settimeout(max((ends - time.monotonic()) / (3 - turn), 0.05))
            try:
                while True:
                    data = sock.recv(65536)
                    if len(data) >= 12 and data[:2] == question[:2]:
                        return data
            except socket.timeout:
                continue
    raise socket.timeout("timed out")


def ask_tcp(server: str, question: bytes, timeout: float) -> bytes:
    with socket.create_connection((server, 53), timeout) as sock, sock.makefile("rb") as stream:
        sock.sendall(struct.pack("!H", len(question)) + question)
        return stream.read(struct.unpack("!H", stream.read(2))[0])


def read_name(data: bytes, at: int) -> tuple[str, int]:
    """A name and where it ends; pointers only ever lead backwards, so that there is no endless one."""
    labels: list[str] = []
    end, limit = 0, at
    while data[at]:
        if data[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from("!H", data, at)[0] & 0x3FFF
            if at >= limit:
                raise ValueError("a name that leads nowhere")
            limit = at
        else:
            labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii", "replace"))
            at += 1 + data[at]
    return ".".join(labels) + ".", end or at + 1


def show(data: bytes, at: int, length: int, kind: int) -> str:
    if kind in (1, 28):
        return socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data[at : at + length])
    if kind == 15:
        return str(struct.unpack_from("!H", data, at)[0]) + " " + read_name(data, at + 2)[0]
    if kind == 16:
        parts, end = [], at + length
        while at < end:
            parts.append(data[at + 1 : at + 1 + data[at]].decode("utf-8", "replace"))
            at += 1 + data[at]
        return "".join(parts)
    if kind == 6:
        first, after = read_name(data, at)
        second, after = read_name(data, after)
        return " ".join([first, second, *(str(n) for n in struct.unpack_from("!5I", data, after))])
    return read_name(data, at)[0]


def ask(verb: str, spec: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        answer = VERBS[verb](spec)
    except ssl.SSLError as error:
        answer = {"error": "TLS: " + str(getattr(error, "verify_message", "") or error.reason or error)}
    except socket.timeout:
        answer = {"error": "timed out"}
    except (OSError, http.client.HTTPException, ValueError, IndexError, struct.error) as error:
        answer = {"error": str(getattr(error, "strerror", None) or error) or type(error).__name__}
    answer["seconds"] = round(time.monotonic() - began, 4)
    return answer


def ask_many(questions: list[list[Any]]) -> list[dict[str, Any]]:
    """All at the same time: one that waits for its time limit must not keep the others waiting."""
    answers: list[dict[str, Any]] = [{} for _ in questions]
    room = threading.Semaphore(MOST_AT_ONCE)

    def one(number: int) -> None:
        with room:
            answers[number] = ask(*questions[number])

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


VERBS = {"tcp": tcp, "http": http_, "dns": dns}


def main(words: list[str]) -> int:
    verb, spec = words[0], json.loads(words[1])
    answer: Any = ask_many(spec) if verb == "many" else ask(verb, spec)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
