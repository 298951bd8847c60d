"""Mistakes in a fleet file's traffic checks: each is shown at its key, in words and not as a pattern."""

from __future__ import annotations

import pytest

from ...fleetfile.small import lines_of

FLEET = """
version: 1
name: one
stages: [{name: production}]
hosts:
  gw-p1: {stage: production, roles: [gateway], reach: {local: true}}
checks:
  it: {%s}
"""


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("kind: tls, from: gw-p1", "checks.it.name: a name or an address to connect to is wanted"),
        (
            "kind: tls, from: gw-p1, name: web, file: etc/web.pem",
            "checks.it.file: 'etc/web.pem' is not right: an absolute path without spaces is wanted",
        ),
        (
            "kind: tls, from: gw-p1, name: web, file: /etc/web.pem, with: gw-p9",
            "checks.it.with: 'gw-p9' is not a vantage or host; did you mean 'gw-p1'?",
        ),
        (
            "kind: tls, from: gw-p1, name: web, expires: 5000d",
            "checks.it.expires: at most 3650d is wanted, not '5000d'",
        ),
        (
            "kind: ldap, from: gw-p1, url: 'http://web', base: dc=example",
            "checks.it.url: 'http://web' is not right: ldap://HOST, ldaps://HOST or ldapi:// is wanted, and nothing "
            "behind it",
        ),
        (
            "kind: ldap, from: gw-p1, url: 'ldap://web', base: dc=example, filter: uid=anna",
            "checks.it.filter: 'uid=anna' is not right: a filter in parentheses is wanted, such as (uid=anna)",
        ),
        (
            "kind: ldap, from: gw-p1, url: 'ldap://web', base: dc=example, attribute: 7up",
            "checks.it.attribute: '7up' is not right: the name of an attribute is wanted",
        ),
        (
            "kind: vrrp, hosts: [gw-p1, gw-p2], address: 192.0.2.1",
            "checks.it.hosts[1]: 'gw-p2' is not a vantage or host; did you mean 'gw-p1'?",
        ),
        (
            "kind: vrf, from: gw-p1, vrf: vrf-gw, interfaces: []",
            "checks.it.interfaces: is empty: at least one is wanted",
        ),
        (
            "kind: conntrack, from: gw-p1, entry: {protocol: icmp, address: 192.0.2.1, port: 7}",
            "checks.it.entry.port: goes with tcp and udp only",
        ),
    ],
)
def test_a_mistake_in_a_check_is_shown_at_its_key(check: str, said: str) -> None:
    (line,) = lines_of(FLEET % check)
    assert line.partition(": ")[2] == said
