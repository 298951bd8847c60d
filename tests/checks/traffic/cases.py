"""What the checks of the traffic room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

LARGE = {"kind": "ping", "from": "vm", "address": "198.51.100.9", "size": 1500, "df": True}
DNS = {"kind": "dns", "from": "vm", "server": "192.0.2.53", "name": "www.example.org"}
BOTH = "www.example.org A at 192.0.2.53: 192.0.2.80, 192.0.2.81"
TLS = {
    "kind": "tls",
    "from": "vm",
    "name": "service.example.org",
    "address": "192.0.2.80",
    "ca": "/etc/ssl/ca.pem",
}
LDAP = {"kind": "ldap", "from": "vm", "url": "ldap://192.0.2.89", "base": "dc=example,dc=org"}
VRF = {"kind": "vrf", "from": "vm", "vrf": "vrf-gw", "interfaces": ("lan0", "wan0"), "table": 100}
ROUTE = {
    "kind": "route",
    "from": "vm",
    "address": "198.51.100.7",
    "vrf": "vrf-gw",
    "via": ("192.0.2.129",),
    "interface": "lan0",
}
ENTRY = {
    "protocol": "tcp",
    "address": "203.0.113.158",
    "port": 80,
    "source": "192.0.2.138",
    "translated": "203.0.113.137",
}
WAY = "vm to 198.51.100.7 in vrf-gw"
KNOWN = "vm knows 1 connection tcp from 192.0.2.138 to 203.0.113.158 port 80"
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
    "ping-late": {"kind": "ping", "from": "vm", "address": "198.51.100.9", "max_ms": 0.05},
    "ping-large": LARGE,
    "ping-large-six": {**LARGE, "address": "2001:db8:2::9"},
    "tcp-late": {"kind": "tcp", "from": "vm", "address": "db", "port": 5432, "max_ms": 5.0},
    "http-one": {"kind": "http", "from": "vm", "url": "http://web/", "address": "192.0.2.80", "max_ms": 20.0},
    "dns-zone": {**DNS, "authoritative": True},
    "dns-recursive": {**DNS, "recursive": True},
    "dns-serial": {**DNS, "name": "example.org", "type": "SOA", "same_as": ("192.0.2.54",)},
    "tls": TLS,
    "tls-long": {**TLS, "expires": "40d"},
    "tls-file": {**TLS, "file": "/etc/ssl/service.pem"},
    "ldap": LDAP,
    "ldap-two": {**LDAP, "least": 2},
    "ldap-value": {**LDAP, "attribute": "sn", "value": "M\u00fcller"},
    "vrrp": {"kind": "vrrp", "hosts": ("vm", "gw-p2"), "address": "203.0.113.137"},
    "vrf": VRF,
    "vrf-other-table": {**VRF, "table": 200},
    "route": ROUTE,
    "route-six": {**ROUTE, "address": "2001:db8:9::7", "via": ("2001:db8::1",), "own": "2001:db8::2"},
    "route-out": {**ROUTE, "address": "203.0.113.148", "via": (), "interface": "wan0"},
    "conntrack": {"kind": "conntrack", "from": "vm"},
    "conntrack-full": {"kind": "conntrack", "from": "vm", "most": 20.0},
    "conntrack-entry": {"kind": "conntrack", "from": "vm", "entry": ENTRY},
    "conntrack-other": {
        "kind": "conntrack",
        "from": "vm",
        "entry": {**ENTRY, "translated": "203.0.113.9"},
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
    ("ldap", ["ldap-no-program"], UNKNOWN, "vm has no ldapsearch"),
    ("ldap", ["ldap-silent"], FAIL, f"{FOUND}: no answer in 10 s"),
    ("vrrp", ["vrrp-owner", "vrrp-standby"], PASS, "vm has 203.0.113.137, and nobody else"),
    ("vrrp", ["vrrp-standby", "vrrp-owner"], PASS, "gw-p2 has 203.0.113.137, and nobody else"),
    ("vrrp", ["vrrp-owner", "vrrp-second-owner"], FAIL, "vm and gw-p2 both have 203.0.113.137"),
    (
        "vrrp",
        ["vrrp-standby", "vrrp-standby"],
        FAIL,
        "nobody has 203.0.113.137: not vm and not gw-p2",
    ),
    ("vrf", ["vrf-fine"], PASS, "lan0, wan0 are in vrf-gw, table 100"),
    ("vrf-other-table", ["vrf-fine"], FAIL, "vm: vrf-gw has table 100, not 200"),
    ("vrf", ["vrf-down"], FAIL, "vm: vrf-gw is down; wan0 is in no VRF, not in vrf-gw"),
    ("vrf", ["vrf-in-another"], FAIL, "vm: wan0 is in vrf-other, not in vrf-gw"),
    ("vrf", ["vrf-in-none"], FAIL, "vm: wan0 is in no VRF, not in vrf-gw"),
    ("vrf", ["vrf-interface-down"], FAIL, "vm: lan0 is down"),
    ("route", ["route-by-hop"], PASS, f"{WAY}: by 192.0.2.129 on lan0 from 192.0.2.130"),
    ("route", ["route-from-source"], PASS, f"{WAY}: by 192.0.2.129 on lan0 from 192.0.2.130"),
    (
        "route-six",
        ["route-six"],
        PASS,
        "vm to 2001:db8:9::7 in vrf-gw: by 2001:db8::1 on lan0 from 2001:db8::2",
    ),
    (
        "route-out",
        ["route-direct"],
        PASS,
        "vm to 203.0.113.148 in vrf-gw: directly on wan0 from 203.0.113.130",
    ),
    ("route", ["route-direct"], UNKNOWN, "vm answers for another address"),
    ("route", ["route-none"], FAIL, f"{WAY}: there is no route"),
    ("route", ["route-no-vrf"], FAIL, f"{WAY}: there is no VRF vrf-gw"),
    ("route", ["route-unreachable"], FAIL, f"{WAY}: the route says unreachable"),
    ("route", ["route-prohibited"], FAIL, f"{WAY}: the route says prohibited"),
    (
        "route",
        ["route-black-hole"],
        FAIL,
        f"{WAY}: the route is a black hole, or the source is not the host's",
    ),
    (
        "conntrack",
        ["conntrack-use", "conntrack-counters"],
        PASS,
        "vm knows 862 of 3072 connections (28 %)",
    ),
    (
        "conntrack-full",
        ["conntrack-use", "conntrack-counters"],
        FAIL,
        "vm knows 862 of 3072 connections (28 %), more than 20 %",
    ),
    (
        "conntrack",
        ["conntrack-no-table", "conntrack-counters"],
        UNKNOWN,
        "vm keeps no table of connections",
    ),
    (
        "conntrack-entry",
        ["conntrack-use", "conntrack-counters", "conntrack-one"],
        PASS,
        f"{KNOWN}, translated to 203.0.113.137",
    ),
    (
        "conntrack-other",
        ["conntrack-use", "conntrack-counters", "conntrack-one"],
        FAIL,
        f"{KNOWN}, but answers go to 203.0.113.137, not to 203.0.113.9",
    ),
    (
        "conntrack-entry",
        ["conntrack-use", "conntrack-counters", "conntrack-no-entry"],
        FAIL,
        "vm knows no connection tcp from 192.0.2.138 to 203.0.113.158 port 80",
    ),
    (
        "ping-late",
        ["ping-each-six"],
        FAIL,
        "198.51.100.9 answered 3 of 3, but only after 0.089 ms (median), more than 0.05 ms",
    ),
    (
        "ping-late",
        ["ping-answered"],
        FAIL,
        "198.51.100.9 answered 3 of 3, but only after 0.113 ms (median), more than 0.05 ms",
    ),
    (
        "ping-large",
        ["ping-each", "ping-large"],
        PASS,
        "198.51.100.9 answered 3 of 3, and 3 of 3 of 1500 bytes with DF",
    ),
    (
        "ping-large",
        ["ping-each", "ping-large-lost"],
        FAIL,
        "198.51.100.9 answered 3 of 3, but only 0 of 3 of 1500 bytes with DF (mtu 1400)",
    ),
    (
        "ping-large",
        ["ping-each", "ping-large-does-not-leave"],
        FAIL,
        "198.51.100.9 answered 3 of 3, but only 0 of 3 of 1500 bytes with DF (mtu 1400)",
    ),
    (
        "ping-large-six",
        ["ping-each-six", "ping-large-lost-six"],
        FAIL,
        "2001:db8:2::9 answered 3 of 3, but only 0 of 3 of 1500 bytes with DF (mtu 1400)",
    ),
    ("ping-large", ["ping-silent", "ping-silent"], FAIL, "198.51.100.9 answered 0 of 3"),
    (
        "tcp-late",
        ["tcp-accepted"],
        FAIL,
        "db port 5432 accepts connections, but only after 5.9 ms (median), more than 5 ms",
    ),
    (
        "http-one",
        ["http-found"],
        FAIL,
        "http://web/ on 192.0.2.80 answers 200, but only after 33.7 ms (median), more than 20 ms",
    ),
    ("dns-zone", ["dns-authoritative"], PASS, BOTH),
    (
        "dns-zone",
        ["dns-recursive"],
        FAIL,
        "www.example.org A at 192.0.2.53: 192.0.2.81, 192.0.2.80, but the server does not answer for the zone itself",
    ),
    ("dns-recursive", ["dns-recursive"], PASS, "www.example.org A at 192.0.2.53: 192.0.2.81, 192.0.2.80"),
    ("dns-recursive", ["dns-authoritative"], FAIL, f"{BOTH}, but the server does not ask others"),
    (
        "dns-recursive",
        ["dns-recursive-refuses"],
        FAIL,
        "www.example.org A at 192.0.2.53: REFUSED with 0 records",
    ),
    (
        "dns-serial",
        ["dns-serial-7", "dns-serial-7"],
        PASS,
        "example.org SOA at 192.0.2.53: ns.example.org. hostmaster.example.org. 7 1200 180 1209600 600, "
        "as at 192.0.2.54",
    ),
    (
        "dns-serial",
        ["dns-serial-7", "dns-serial-6"],
        FAIL,
        "example.org SOA at 192.0.2.53: serial 7, but 192.0.2.54 has serial 6",
    ),
    (
        "dns-serial",
        ["dns-serial-7", "dns-silent"],
        FAIL,
        "example.org SOA at 192.0.2.53: serial 7, but 192.0.2.54 has no answer: timed out",
    ),
]
