# ruff: noqa: D103, UP041
"""Small questions to a service, asked from a vantage: python3 reads this script from stdin and installs nothing.

What is in: `tcp`, `http`, `dns`, `tls` and `certificate` (a file), each with a SPEC as JSON in argv and one JSON document
as its answer, and `many`, which takes a list of [verb, SPEC], asks all of them at the same time and answers with a list
in their order. They are asked with Python's standard library because python3 is needed for the flows anyway, while
curl, dig and openssl are missing on a minimal Debian. It runs wherever Python is 3.7 or newer. What is not in: any
judgement.
"""

from __future__ import annotations

import calendar
import hashlib
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
from pathlib import Path
from typing import Any

MOST_BODY = 1 << 20
MOST_AT_ONCE = 32
MORE_TIME = 5.0  # seconds on top of a question's own limit, which bounds each of its steps
MOST_FILE = 1 << 20
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def tcp(spec: dict[str, Any]) -> dict[str, Any]:
    with socket.create_connection((spec["address"], int(spec["port"])), float(spec["timeout"])) as sock:
        return {"connected": True, "peer": sock.getpeername()[0], "source": sock.getsockname()[0]}


def http_(spec: dict[str, Any]) -> dict[str, Any]:
    """One GET. Redirects are answers like any other, so that the status that is wanted can be one."""
    parts = urllib.parse.urlsplit(spec["url"])
    secure, timeout, host = parts.scheme == "https", float(spec["timeout"]), parts.hostname or ""
    if not secure and parts.scheme != "http":
        return {"error": "neither http nor https: " + parts.scheme}
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, parts.port, timeout=timeout)
    # The connection is made here, so that one machine behind a name can be asked by its address.
    where = (spec.get("address") or host, parts.port or (443 if secure else 80))
    with socket.create_connection(where, timeout) as plain:
        connection.sock = plain
        if secure:
            context = without_looking() if spec.get("insecure") else trusting(spec, True)
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        headers = {"User-Agent": "seatrial", "Accept": "*/*", "Connection": "close"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read(MOST_BODY)
        connection.close()
    wanted = spec.get("contains")
    found = None if wanted is None else wanted.encode() in body
    return {"status": answer.status, "reason": answer.reason, "bytes": len(body), "contains": found}


def dns(spec: dict[str, Any]) -> dict[str, Any]:
    """One question over UDP, and over TCP when the answer is cut or TCP is wanted."""
    ident, kind = struct.unpack("!H", os.urandom(2))[0], TYPES[spec["type"]]
    labels = [part.encode("idna") for part in spec["name"].rstrip(".").split(".") if part]
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    flags = 0x0100 if spec.get("recurse", True) else 0
    question = struct.pack("!HHHHHH", ident, flags, 1, 0, 0, 0) + name + struct.pack("!HH", kind, 1)
    where, timeout, tcp = (spec["server"], int(spec.get("port", 53))), float(spec["timeout"]), spec.get("tcp")
    data = b"" if tcp else ask_udp(where, question, timeout)
    if tcp or data[2] & 2:
        data = ask_tcp(where, question, timeout)
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
    code = CODES.get(flags & 15, str(flags & 15))
    return {"code": code, "records": records, "aa": bool(flags & 0x0400), "ra": bool(flags & 0x0080)}


def ask_udp(where: tuple[str, int], question: bytes, timeout: float) -> bytes:
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(where)
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


def ask_tcp(where: tuple[str, int], question: bytes, timeout: float) -> bytes:
    with socket.create_connection(where, timeout) as sock, sock.makefile("rb") as stream:
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


def tls(spec: dict[str, Any]) -> dict[str, Any]:
    """What is served, for each way of asking: by name (the server is told it) and by address (it is told none)."""
    ends = time.monotonic() + float(spec["timeout"])
    served: list[dict[str, Any]] = []
    for way, name in spec["ways"]:
        try:
            served.append(dict(serve(spec, name, ends), way=way))
        except (OSError, ValueError, IndexError, struct.error) as error:
            served.append({"way": way, "error": words_of(error), "unreadable": isinstance(error, Unreadable)})
    return {"served": served}


def serve(spec: dict[str, Any], name: str, ends: float) -> dict[str, Any]:
    """One way. A certificate that does not verify is fetched again without looking, since it is wanted all the more."""
    try:
        return dict(shake(spec, trusting(spec, True), name, ends), trusted=True, named=True, why="")
    except ssl.SSLCertVerificationError as error:
        seen = shake(spec, without_looking(), name, ends)
        # Where the chain is broken OpenSSL does not come to the name, so that is not known.
        why, named = error.verify_message, False if error.verify_code in (62, 64) else None
    trusted = False
    if named is False:
        # OpenSSL looks at the name before the dates and the signatures, so they have to be asked about by themselves.
        try:
            shake(spec, trusting(spec, False), name, ends)
            trusted = True
        except ssl.SSLCertVerificationError as error:
            why = error.verify_message
    return dict(seen, trusted=trusted, named=named, why=why)


class Unreadable(ValueError):
    """A file of the asking side is at fault, which says nothing of the server."""


def trusting(spec: dict[str, Any], named: bool) -> ssl.SSLContext:
    # Not create_default_context: what it is strict about differs between versions of Python.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = named
    if spec.get("ca"):
        try:
            context.load_verify_locations(spec["ca"])
        except OSError as error:
            raise Unreadable(spec["ca"] + ": " + words_of(error)) from None
    else:
        context.load_default_certs()
    return context


def without_looking() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shake(spec: dict[str, Any], context: ssl.SSLContext, name: str, ends: float) -> dict[str, Any]:
    left = max(ends - time.monotonic(), 0.05)
    with socket.create_connection((spec["address"], int(spec["port"])), left) as plain:
        START.get(spec.get("starttls") or "", bool)(plain)
        # An address as server_hostname is verified and not sent, which is what a client that knows no name does.
        with context.wrap_socket(plain, server_hostname=name) as secure:
            found = certificate_of(secure.getpeercert(True) or b"")
            return dict(found, version=secure.version(), peer=secure.getpeername()[0])


def start_ldap(sock: socket.socket) -> None:
    sock.sendall(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037")
    said = sock.recv(4096)
    at = said.find(b"\x0a\x01")
    if not said or at < 0 or said[at + 2 : at + 3] != b"\0":
        raise ValueError("the server does not take StartTLS")


def start_postgres(sock: socket.socket) -> None:
    sock.sendall(struct.pack("!II", 8, 80877103))
    if sock.recv(1) != b"S":
        raise ValueError("the server does not take SSLRequest")


START = {"ldap": start_ldap, "postgres": start_postgres}


def certificate(spec: dict[str, Any]) -> dict[str, Any]:
    """The first certificate of a file, which is the one that a server sends for itself."""
    with Path(spec["file"]).open("rb") as file:
        data = file.read(MOST_FILE)
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    if begin in data:
        text = data[data.index(begin) : data.index(end, data.index(begin)) + len(end)]
        data = ssl.PEM_cert_to_DER_cert(text.decode("ascii"))
    return {"held": certificate_of(data)}


def part(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, first byte and end of one value of DER."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length > 127:
        start += length & 127
        length = int.from_bytes(data[at + 2 : start], "big")
    if start + length > len(data):
        raise ValueError("no certificate")
    return tag, start, start + length


def parts(data: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    found = []
    while at < end:
        found.append(part(data, at))
        at = found[-1][2]
    return found


def certificate_of(data: bytes) -> dict[str, Any]:
    """Python reads certificates only when they verify, and those that do not are the ones to be told about."""
    tag, start, end = part(data, 0)
    if tag != 48:
        raise ValueError("no certificate")
    data = data[:end]
    fields = parts(data, *parts(data, start, end)[0][1:])
    if fields[0][0] == 0xA0:
        fields = fields[1:]
    begins, until = (moment(data[a:b]) for _, a, b in parts(data, *fields[3][1:])[:2])
    return {
        "subject": distinguished(data, fields[4]),
        "issuer": distinguished(data, fields[2]),
        "begins": stamp(begins),
        "until": stamp(until),
        "left": round(until - time.time()),
        "names": alternative(data, fields),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def moment(text: bytes) -> int:
    digits = text.decode("ascii").rstrip("Z")
    if len(digits) == 12:
        digits = ("20" if digits < "50" else "19") + digits
    # Not strptime, whose first use from several threads at once is a bug of older Pythons.
    return calendar.timegm((int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, 14, 2)), 0, 0, 0))


def stamp(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def distinguished(data: bytes, field: tuple[int, int, int]) -> str:
    known = {b"\x55\x04\x03": "CN", b"\x55\x04\x0a": "O", b"\x55\x04\x0b": "OU"}
    said = []
    for _, a, b in parts(data, *field[1:])[:20]:
        for _, c, d in parts(data, a, b)[:5]:
            (_, e, f), (tag, g, h) = parts(data, c, d)[:2]
            if data[e:f] in known:
                text = data[g:h].decode("utf-16-be" if tag == 30 else "utf-8", "replace")
                said.append(known[data[e:f]] + "=" + text)
    return ", ".join(said)


def alternative(data: bytes, fields: list[tuple[int, int, int]]) -> list[str]:
    names: list[str] = []
    for extensions in [start for tag, start, _ in fields if tag == 0xA3][:1]:
        for _, c, d in parts(data, *part(data, extensions)[1:]):
            whole = parts(data, c, d)
            if data[whole[0][1] : whole[0][2]] != b"\x55\x1d\x11":
                continue
            for tag, e, f in parts(data, *part(data, whole[-1][1])[1:]):
                if tag == 0x82:
                    names.append(data[e:f].decode("ascii", "replace"))
                elif tag == 0x87 and f - e in (4, 16):
                    family = socket.AF_INET if f - e == 4 else socket.AF_INET6
                    names.append(socket.inet_ntop(family, data[e:f]))
    return names[:50]


def words_of(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return "TLS: " + str(getattr(error, "verify_message", "") or error.reason or error)
    if isinstance(error, socket.timeout):
        return "timed out"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def ask(verb: str, spec: dict[str, Any]) -> dict[str, Any]:
    """One question, or the same one several times for its median time; the first that goes wrong is the answer."""
    answer: dict[str, Any] = {}
    taken: list[float] = []
    for _ in range(int(spec.get("times", 1))):
        began = time.monotonic()
        try:
            answer = VERBS[verb](spec)
        except (OSError, http.client.HTTPException, ValueError, IndexError, struct.error) as error:
            answer = {"error": words_of(error), "unreadable": isinstance(error, Unreadable)}
        taken.append(time.monotonic() - began)
        if "error" in answer:
            break
    answer["seconds"] = round(sorted(taken)[len(taken) // 2], 6)
    return answer


def within(verb: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The answer if there is one in time: a server that says a byte now and then would be listened to without end."""
    box: list[dict[str, Any]] = []
    # A daemon, so that this program can end while that one still listens.
    asking = threading.Thread(target=lambda: box.append(ask(verb, spec)), daemon=True)
    longest = float(spec.get("timeout", 10.0)) * int(spec.get("times", 1)) + MORE_TIME
    asking.start()
    asking.join(longest)
    return box[0] if box else {"error": "timed out", "seconds": longest}


def ask_many(questions: list[list[Any]]) -> list[dict[str, Any]]:
    """All at the same time: one that waits for its time limit must not keep the others waiting."""
    answers: list[dict[str, Any]] = [{} for _ in questions]
    room = threading.Semaphore(MOST_AT_ONCE)

    def one(number: int) -> None:
        with room:
            answers[number] = within(*questions[number])

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


VERBS = {"tcp": tcp, "http": http_, "dns": dns, "tls": tls, "certificate": certificate}


def main(words: list[str]) -> int:
    verb, spec = words[0], json.loads(words[1])
    answer: Any = ask_many(spec) if verb == "many" else within(verb, spec)
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
