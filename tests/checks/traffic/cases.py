"""What the checks of the traffic room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

TLS = {
    "kind": "tls",
    "from": "vm",
    "name": "service.example.org",
    "address": "192.0.2.80",
    "ca": "/etc/ssl/ca.pem",
}
LDAP = {"kind": "ldap", "from": "vm", "url": "ldap://192.0.2.89", "base": "dc=example,dc=org"}
SERVED = "service.example.org port 443 serves"
FIRST = "CN=service.example.org until 2026-12-22T20:04:44Z"
FOUND = "ldap://192.0.2.89: (objectClass=*) under dc=example,dc=org"

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
    "tls": TLS,
    "tls-long": {**TLS, "expires": "40d"},
    "tls-file": {**TLS, "file": "/etc/ssl/service.pem"},
    "ldap": LDAP,
    "ldap-two": {**LDAP, "least": 2},
    "ldap-value": {**LDAP, "attribute": "sn", "value": "M\u00fcller"},
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
    ("tls", ["tls-in-order"], PASS, f"{SERVED} CN=service.example.org, good for 30 days"),
    ("tls-long", ["tls-in-order"], FAIL, f"{SERVED} a certificate that is good for 30 days only"),
    (
        "tls",
        ["tls-other-name"],
        FAIL,
        f"{SERVED} a certificate for service.example.org, 127.0.0.1, not for service.example.org",
    ),
    (
        "tls",
        ["tls-unknown-authority"],
        FAIL,
        f"{SERVED} a certificate that does not verify: unable to get local issuer certificate",
    ),
    (
        "tls",
        ["tls-self-signed"],
        FAIL,
        f"{SERVED} a certificate that does not verify: self-signed certificate",
    ),
    ("tls", ["tls-expired"], FAIL, f"{SERVED} a certificate that expired at 2026-11-21T20:04:44Z"),
    ("tls", ["tls-refused"], FAIL, "service.example.org port 443 answers no TLS: Connection refused"),
    ("tls", ["tls-no-ca-file"], UNKNOWN, "vm cannot read /etc/ssl/missing.pem: No such file or directory"),
    (
        "tls-file",
        ["tls-two-certificates", "tls-file-of-the-name"],
        FAIL,
        f"{SERVED} by address {FIRST} (sha256 29293e79a264), but /etc/ssl/service.pem holds {FIRST} (sha256 aab494c72ea3)",
    ),
    (
        "tls-file",
        ["tls-two-certificates", "tls-file-of-the-address"],
        FAIL,
        f"{SERVED} by name {FIRST} (sha256 aab494c72ea3), but /etc/ssl/service.pem holds {FIRST} (sha256 29293e79a264)",
    ),
    (
        "tls-file",
        ["tls-one-certificate", "tls-file-of-the-name"],
        PASS,
        f"{SERVED} CN=service.example.org by name and by address, as /etc/ssl/service.pem, good for 30 days",
    ),
    (
        "tls-file",
        ["tls-one-certificate", "tls-file-renewed"],
        FAIL,
        f"{SERVED} by name and by address {FIRST} (sha256 aab494c72ea3), but /etc/ssl/service.pem holds "
        "CN=service.example.org until 2027-01-11T20:04:46Z (sha256 d27e351638cc)",
    ),
    (
        "tls-file",
        ["tls-one-certificate", "tls-file-missing"],
        UNKNOWN,
        f"{SERVED} a certificate that is in order, but vm cannot read /etc/ssl/service.pem: No such file or directory",
    ),
    ("ldap", ["ldap-one"], PASS, f"{FOUND}: 1 entry"),
    ("ldap-two", ["ldap-two"], PASS, f"{FOUND}: 2 entries"),
    ("ldap-two", ["ldap-one"], FAIL, f"{FOUND}: 1 entry, not 2"),
    ("ldap", ["ldap-nobody"], FAIL, f"{FOUND}: 0 entries, not 1"),
    ("ldap-value", ["ldap-attribute-base64"], PASS, f"{FOUND}: 1 entry"),
    ("ldap-value", ["ldap-attribute"], FAIL, f"{FOUND}: 1 entry, sn is Smith, not M\u00fcller"),
    ("ldap-value", ["ldap-one"], FAIL, f"{FOUND}: 1 entry, none with sn"),
    ("ldap", ["ldap-no-such-base"], FAIL, f"{FOUND}: No such object (32)"),
    ("ldap", ["ldap-wrong-password"], FAIL, f"{FOUND}: ldap_bind: Invalid credentials (49)"),
    (
        "ldap",
        ["ldap-no-password-file"],
        UNKNOWN,
        "vm could not ask: /etc/ldap/missing: No such file or directory",
    ),
    (
        "ldap",
        ["ldap-untrusted"],
        FAIL,
        f"{FOUND}: ldap_start_tls: Connect error (-11)",
    ),
    ("ldap", ["ldap-refused"], FAIL, f"{FOUND}: ldap_sasl_bind(SIMPLE): Can't contact LDAP server (-1)"),
    ("ldap", ["ldap-silent"], FAIL, f"{FOUND}: no answer in 10 s"),
]
