"""What the checks of the traffic room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {
    "ping": {"kind": "ping", "from": "vm", "address": "192.0.2.9"},
    "ping-lenient": {"kind": "ping", "from": "vm", "address": "192.0.2.9", "max_loss": 30.0},
    "tcp": {"kind": "tcp", "from": "vm", "address": "db", "port": 5432},
    "http": {"kind": "http", "from": "vm", "url": "http://web/", "contains": "sea"},
    "dns": {"kind": "dns", "from": "vm", "server": "192.0.2.53", "name": "www.example.org"},
    "dns-other": {
        "kind": "dns",
        "from": "vm",
        "server": "192.0.2.53",
        "name": "www.example.org",
        "expect": "192.0.2.81",
    },
}

# The check, one file for each of its Commands, and the Result.
CASES: list[tuple[str, list[str], Outcome, str]] = [
    ("ping", ["ping-answered"], PASS, "192.0.2.9 answered 3 of 3"),
    ("ping", ["ping-six"], PASS, "192.0.2.9 answered 3 of 3"),
    ("ping", ["ping-partly"], FAIL, "192.0.2.9 answered 7 of 10"),
    ("ping-lenient", ["ping-partly"], PASS, "192.0.2.9 answered 7 of 10"),
    ("ping", ["ping-silent"], FAIL, "192.0.2.9 answered 0 of 3"),
    ("ping", ["ping-no-route"], FAIL, "192.0.2.9: ping: connect: Network is unreachable"),
    ("tcp", ["tcp-accepted"], PASS, "db port 5432 accepts connections"),
    ("tcp", ["tcp-refused"], FAIL, "db port 5432 accepts no connection: Connection refused"),
    ("tcp", ["tcp-silent"], FAIL, "db port 5432 accepts no connection: timed out"),
    ("tcp", ["tcp-no-route"], FAIL, "db port 5432 accepts no connection: Network is unreachable"),
    (
        "tcp",
        ["tcp-unknown-name"],
        FAIL,
        "db port 5432 accepts no connection: Temporary failure in name resolution",
    ),
    ("http", ["http-found"], PASS, "http://web/ answers 200"),
    ("http", ["http-without"], FAIL, "http://web/ answers 200 without 'sea'"),
    ("http", ["http-missing"], FAIL, "http://web/ answers 404, not 200"),
    ("http", ["http-refused"], FAIL, "http://web/ does not answer: Connection refused"),
    ("http", ["http-tls-to-plain"], FAIL, "http://web/ does not answer: TLS: WRONG_VERSION_NUMBER"),
    ("dns", ["dns-a"], PASS, "www.example.org A at 192.0.2.53: 192.0.2.80"),
    ("dns", ["dns-aaaa"], PASS, "www.example.org A at 192.0.2.53: 2001:db8::80"),
    ("dns", ["dns-mx"], PASS, "www.example.org A at 192.0.2.53: 10 mail.example.org."),
    ("dns", ["dns-txt"], PASS, "www.example.org A at 192.0.2.53: hello sea"),
    ("dns", ["dns-ns"], PASS, "www.example.org A at 192.0.2.53: ns.example.org."),
    ("dns", ["dns-no-name"], FAIL, "www.example.org A at 192.0.2.53: NXDOMAIN with 0 records"),
    ("dns", ["dns-no-record"], FAIL, "www.example.org A at 192.0.2.53: NOERROR with 0 records"),
    ("dns", ["dns-server-refuses"], FAIL, "www.example.org A at 192.0.2.53: REFUSED with 0 records"),
    ("dns", ["dns-refused"], FAIL, "www.example.org A at 192.0.2.53: no answer: Connection refused"),
    ("dns", ["dns-silent"], FAIL, "www.example.org A at 192.0.2.53: no answer: timed out"),
    ("dns-other", ["dns-a"], FAIL, "www.example.org A at 192.0.2.53: 192.0.2.80, not 192.0.2.81"),
]
