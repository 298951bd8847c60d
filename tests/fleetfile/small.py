"""A small fleet file that is right, for tests that make one thing in it wrong."""

from __future__ import annotations

from seatrial.fleetfile import examine

SMALL = """\
version: 1
name: small
stages:
  - name: staging
  - name: production
    gate: approval
hosts:
  gw-s1:
    stage: staging
    roles: [gateway]
    reach: {ssh: gw-s1}
  gw-p1:
    stage: production
    roles: [gateway]
    reach: {ssh: gw-p1}
  gw-p2:
    stage: production
    roles: [gateway]
    reach: {ssh: gw-p2}
groups:
  gw-p:
    hosts: [gw-p1, gw-p2]
    mover: {address: 192.0.2.1}
vantages:
  inside: {ssh: inside}
  outside: {ssh: outside}
flows:
  staging-out:
    stage: staging
    from: inside
    to: outside
    address: 198.51.100.7
    protocol: tcp
    port: 7001
    by: gw-s1
  out:
    stage: production
    from: inside
    to: outside
    address: 198.51.100.7
    protocol: udp
    port: 7001
    by: gw-p
    over: [lan, wan]
checks:
  portal:
    kind: http
    from: outside
    url: https://portal.example.org/
    timeout: 5s
  answers:
    kind: ping
    from: inside
    address: 192.0.2.1
policies:
  gateway: {guard: 10m}
"""


def with_edits(*edits: tuple[str, str]) -> str:
    """The small fleet with each first text replaced by the second, once; a text that is not there is an error."""
    text = SMALL
    for old, new in edits:
        assert old in text, f"{old!r} is not in the small fleet"
        text = text.replace(old, new, 1)
    return text


def lines_of(text: str) -> list[str]:
    """All mistakes of a text, as lines of a file called f."""
    return [mistake.line("f") for mistake in examine(text)[1]]
