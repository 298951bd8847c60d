"""Each kind of mistake alone: what is made wrong in the small fleet, and the one line that must come of it."""

from __future__ import annotations

import pytest

from .small import SMALL, lines_of, with_edits

YAML = [
    ("port: 7001", "port: 7001\n    port: 7002", "f:35:5: flows.staging-out.port: is written twice, the first time in line 34"),
    ("name: small", "name: no", "f:2:7: name: text is wanted: YAML reads no as false, write it in quotes"),
    ("name: small", "name: on", "f:2:7: name: text is wanted: YAML reads on as true, write it in quotes"),
    ("name: small", "name: true", "f:2:7: name: text is wanted, and true is true or false: write it in quotes"),
    ("name: small", "name: 12", "f:2:7: name: text is wanted, and 12 is a number: write it in quotes"),
    ("name: small", "name: 1:30", "f:2:7: name: YAML reads 1:30 as a number to the base of sixty: write a duration such as 90s, or use quotes"),
    ("timeout: 5s", "timeout: 12:30:00", "f:50:14: checks.portal.timeout: YAML reads 12:30:00 as a number to the base of sixty: write a duration such as 90s, or use quotes"),
    ("timeout: 5s", "timeout: 1:30.5", "f:50:14: checks.portal.timeout: YAML reads 1:30.5 as a number to the base of sixty: write a duration such as 90s, or use quotes"),
    ("port: 7001", "port: 0443", "f:34:11: flows.staging-out.port: YAML reads 0443 as 291, in octal: write 443, or use quotes"),
    ("port: 7001", "port: " + "9" * 5000, f"f:34:11: flows.staging-out.port: {'9' * 59}… is too large a number"),
    ("port: 7001", "port: !!int seven", "f:34:11: flows.staging-out.port: 'seven' is not a whole number"),
    ("name: small", "name: !secret small", "f:2:7: name: the tag '!secret' is not known here: leave it out"),
    ("[lan, wan]", "!!set [lan, wan]", "f:44:11: flows.out.over: the tag 'tag:yaml.org,2002:set' is not known here: leave it out"),
    ("  inside: {ssh", "  no: {ssh: x}\n  inside: {ssh", "f:25:3: vantages.no: YAML reads this key as false: write it in quotes"),
    ("  inside: {ssh", "  12: {ssh: x}\n  inside: {ssh", "f:25:3: vantages.12: YAML reads this key as 12: write it in quotes"),
    ("  inside: {ssh", "  ?\n  : {ssh: x}\n  inside: {ssh", "f:25:4: vantages.'': YAML reads this key as nothing: write it in quotes"),
    ("  inside: {ssh", "  ? [a, b]\n  : {ssh: x}\n  inside: {ssh", "f:25:5: vantages: a key is a word, not a list or a mapping"),
    ("  inside: {ssh", "  <<: 5\n  inside: {ssh", "f:25:7: vantages: << takes a mapping, or a list of mappings, that stands elsewhere in the file"),
    ("name: small", "name: *nobody", "f:2:7: name: *nobody is used and no &nobody comes before it"),
    ("over: [lan, wan]", "over: &o [lan, *o]", "f:44:20: flows.out.over[1]: *o is used inside itself: it has no end"),
    ("policies:", "---\npolicies:", "f:55:1: a second document begins here: one is wanted"),
]  # fmt: skip

SYNTAX = [
    ("    gate: approval", "\tgate: approval", "f:6:1: a tab is used to indent: YAML wants spaces"),
    ("    gate: approval", "   \tgate: approval", "f:6:4: a tab is used to indent: YAML wants spaces"),
    ("name: small", "name: small: very", "f:2:12: a ': ' is not expected here: the text wants quotes, or the line above is indented otherwise"),
    ("    gate: approval", "   gate: approval", "f:6:4: this does not fit the list above: look at the indentation"),
    ("  - name: production", " - name: production", "f:5:2: this does not fit the lines above: look at the indentation"),
    ("name: small", "name: @small", "f:2:7: a value cannot begin with '@': write it in quotes"),
    ("name: small", "name: `small`", "f:2:7: a value cannot begin with '`': write it in quotes"),
    ("name: small", "name: %small", "f:2:7: a value cannot begin with '%': write it in quotes"),
    ("{guard: 10m}", "{guard: 10m", "f:57:1: a ',' or '}' is missing (what is read here begins in line 56)"),
    ("[lan, wan]", "[lan, wan", "f:45:7: a ',' or ']' is missing (what is read here begins in line 44)"),
    ("name: small", "name: 'small", "f:57:1: a quote is not closed (what is read here begins in line 2)"),
    ("name: small", 'name: "sm\\all\\q"', "f:2:14: a backslash in double quotes begins an escape: use single quotes"),
    ("name: small", "name: sm\x07all", "f:2:9: a control character (U+0007) is not allowed in YAML"),
    ("name: small", "name: sm\ud800all", "f:2:9: this character is half of one: save the file as UTF-8"),
    ("version: 1", "%YAML 2.0\n---\nversion: 1", "f:1:1: YAML 1.1 is wanted: leave the %YAML line out"),
]  # fmt: skip

ENTRY = [
    ("version: 1", "version: 2", "f:1:10: version: 1 is wanted, not 2"),
    ("version: 1", "version: '1'", "f:1:10: version: 1 is wanted, not '1'"),
    ("version: 1\n", "", "f:1:1: version: is missing"),
    ("name: small", "nome: small\nname: small", "f:2:1: nome: is not a key of the fleet file; did you mean 'name'?"),
    ("name: small", "name: ''", "f:2:7: name: '' is not a name: letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit"),
    ("name: small", "name: a b", "f:2:7: name: 'a b' is not a name: letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit"),
    ("  inside: {ssh", "  '': {ssh: x}\n  inside: {ssh", "f:25:3: vantages.'': '' is not a name: letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit"),
    ("gate: approval", "gate: aproval", "f:6:11: stages[1].gate: 'aproval' is not one of evidence, approval; did you mean 'approval'?"),
    ("gate: approval", "gate: no", "f:6:11: stages[1].gate: evidence or approval is wanted: YAML reads no as false, write it in quotes"),
    ("roles: [gateway]\n    reach: {ssh: gw-p1}", "roles: []\n    reach: {ssh: gw-p1}", "f:14:12: hosts.gw-p1.roles: is empty: at least one is wanted"),
    ("roles: [gateway]\n    reach: {ssh: gw-p1}", "roles: gateway\n    reach: {ssh: gw-p1}", "f:14:12: hosts.gw-p1.roles: a list is wanted, not 'gateway'"),
    ("roles: [gateway]\n    reach: {ssh: gw-p1}", "roles:\n    reach: {ssh: gw-p1}", "f:14:11: hosts.gw-p1.roles: has no value"),
    ("    roles: [gateway]\n    reach: {ssh: gw-p1}", "    reach: {ssh: gw-p1}", "f:12:3: hosts.gw-p1.roles: is missing"),
    ("reach: {ssh: gw-p1}", "reach: {}", "f:15:12: hosts.gw-p1.reach: one of ssh, local, netns and simulated is wanted"),
    ("reach: {ssh: gw-p1}", "reach: gw-p1", "f:15:12: hosts.gw-p1.reach: a mapping of keys and values is wanted, not 'gw-p1'"),
    ("reach: {ssh: gw-p1}", "reach: {ssh: gw-p1, local: true}", "f:15:32: hosts.gw-p1.reach.local: only one of ssh, local, netns and simulated is wanted, and ssh is given"),
    ("reach: {ssh: gw-p1}", "reach: {netns: x, ssh_config: y}", "f:15:35: hosts.gw-p1.reach.ssh_config: goes with ssh only"),
    ("reach: {ssh: gw-p1}", "reach: {ssh: x, userns: /proc/1/ns/user}", "f:15:29: hosts.gw-p1.reach.userns: goes with netns only"),
    ("reach: {ssh: gw-p1}", "reach: {ssh: -oProxyCommand=x}", "f:15:18: hosts.gw-p1.reach.ssh: '-oProxyCommand=x' is not right: one word that does not begin with '-' is wanted"),
    ("{address: 192.0.2.1}", "{address: 192.0.2.1, yield_file: yield}", "f:23:45: groups.gw-p.mover.yield_file: 'yield' is not right: an absolute path without spaces is wanted"),
    ("{address: 192.0.2.1}", "{driver: by-hand, address: 192.0.2.1}", "f:23:21: groups.gw-p.mover.driver: 'by-hand' is not a driver; there is keepalived, drbd-nfs, pacemaker, drbd-reactor, kubernetes, openstack, command and none"),
    ("hosts: [gw-p1, gw-p2]", "hosts: [gw-p1]", "f:22:12: groups.gw-p.hosts: at least 2 are wanted"),
    ("protocol: tcp", "protocol: tpc", "f:33:15: flows.staging-out.protocol: 'tpc' is not one of tcp, udp, icmp; did you mean 'tcp'?"),
    ("port: 7001", "port: 70000", "f:34:11: flows.staging-out.port: at most 65535 is wanted, not 70000"),
    ("port: 7001", "port: '7001'", "f:34:11: flows.staging-out.port: a whole number is wanted, not '7001'"),
    ("port: 7001", "port: 7001.5", "f:34:11: flows.staging-out.port: a whole number is wanted, not 7001.5"),
    ("port: 7001", "port: yes", "f:34:11: flows.staging-out.port: a whole number is wanted, not yes"),
    ("    port: 7001\n", "", "f:28:3: flows.staging-out.port: tcp and udp need a port, icmp has none"),
    ("protocol: tcp", "protocol: icmp", "f:34:11: flows.staging-out.port: tcp and udp need a port, icmp has none"),
    ("port: 7001", "port: 7001\n    df: 1", "f:35:9: flows.staging-out.df: true or false is wanted, not 1"),
    ("to: outside", "to: inside", "f:31:9: flows.staging-out.to: the flow ends where it begins"),
    ("port: 7001", "port: 7001\n    lands: 198.51.100.7", "f:35:12: flows.staging-out.lands: that is where it is sent to, so nothing is translated: leave it out"),
    ("from: inside", "source_vantage: inside\n    from: inside", "f:30:5: flows.staging-out.source_vantage: is not a key of a flow; did you mean 'source'?"),
    ("address: 198.51.100.7", "address: 198.51.100.256", "f:32:14: flows.staging-out.address: '198.51.100.256' is not right: an IPv4 or IPv6 address is wanted"),
    ("address: 198.51.100.7", "address: 12345", "f:32:14: flows.staging-out.address: 12345 is not right: an IPv4 or IPv6 address is wanted"),
    ("address: 198.51.100.7", "address: 0.0.0.0", "f:32:14: flows.staging-out.address: '0.0.0.0' is not right: the address of one machine is wanted"),
    ("kind: ping", "kind: pnig", "f:52:11: checks.answers.kind: 'pnig' is not a kind of check; did you mean 'ping'?"),
    ("    kind: ping\n", "", "f:51:3: checks.answers.kind: is missing: it says what is asked"),
    ("kind: ping", "kind: [ping]", "f:52:11: checks.answers.kind: text is wanted, not a list"),
    ("kind: ping", "kind: ping\n    port: 7", "f:53:5: checks.answers.port: is not a key of a ping check; there is stage, from, each, timeout, retries, along, over, kind, address, count, max_loss, max_ms, size and df"),
    ("kind: ping", "kind: ping\n    cuont: 7", "f:53:5: checks.answers.cuont: is not a key of a ping check; did you mean 'count'?"),
    ("kind: ping", "kind: ping\n    max_loss: .nan", "f:53:15: checks.answers.max_loss: a finite number is wanted, not .nan"),
    ("kind: ping", "kind: ping\n    max_loss: 101", "f:53:15: checks.answers.max_loss: at most 100 is wanted, not 101"),
    ("url: https:", "url: ftp:", "f:49:10: checks.portal.url: 'ftp://portal.example.org/' is not right: an address that begins with http:// or https:// is wanted"),
    ("timeout: 5s", "timeout: soon", "f:50:14: checks.portal.timeout: 'soon' is not right: a duration such as 90s, 10m or 1h30m is wanted"),
    ("timeout: 5s", "timeout: .inf", "f:50:14: checks.portal.timeout: a finite number is wanted, not .inf"),
    ("timeout: 5s", "timeout: 31d", "f:50:14: checks.portal.timeout: at most 30d is wanted, not '31d'"),
    ("guard: 10m", "guard: 5s", "f:56:20: policies.gateway.guard: at least 30s is wanted, not '5s'"),
]  # fmt: skip

ACROSS = [
    ("stage: staging", "stage: stagin", [
        "f:4:11: stages[0].name: no host is in stage 'staging', so its gate would open on nothing",
        "f:9:12: hosts.gw-s1.stage: 'stagin' is not a stage; did you mean 'staging'?",
    ]),
    ("  - name: production", "  - name: staging", [
        "f:5:11: stages[1].name: 'staging' is the name of stages[0] already",
        "f:13:12: hosts.gw-p1.stage: 'production' is not a stage; there is staging",
        "f:17:12: hosts.gw-p2.stage: 'production' is not a stage; there is staging",
        "f:37:12: flows.out.stage: 'production' is not a stage; there is staging",
    ]),
    ("reach: {ssh: gw-p2}", "reach: {ssh: gw-p1}", ["f:19:12: hosts.gw-p2.reach: the same way leads to host 'gw-p1': two names for one machine"]),
    ("roles: [gateway]", "roles: [gateway, gateway]", ["f:10:22: hosts.gw-s1.roles[1]: 'gateway' is listed twice"]),
    ("roles: [gateway]", "roles: [gateway, default]", ["f:10:22: hosts.gw-s1.roles[1]: 'default' is a reserved word, not a role"]),
    ("[gw-p1, gw-p2]", "[gw-p1, gw-p3]", ["f:22:20: groups.gw-p.hosts[1]: 'gw-p3' is not a host; did you mean 'gw-p2'?"]),
    ("[gw-p1, gw-p2]", "[gw-p1, gw-p2, outside]", ["f:22:27: groups.gw-p.hosts[2]: 'outside' is not a host; it is a vantage"]),
    ("[gw-p1, gw-p2]", "[gw-p1, gw-p1]", ["f:22:20: groups.gw-p.hosts[1]: 'gw-p1' is listed twice"]),
    ("[gw-p1, gw-p2]", "[gw-p1, gw-p2, gw-s1]", [
        "f:22:27: groups.gw-p.hosts[2]: 'gw-s1' is in stage 'staging', 'gw-p1' in 'production': peers share a stage",
        "f:43:9: flows.out.by: 'gw-p' is in stage 'staging', and the flow in 'production'",
    ]),
    ("vantages:", "  gw-q:\n    hosts: [gw-p1, gw-p2]\n    mover: {address: 192.0.2.1}\nvantages:", [
        "f:25:13: groups.gw-q.hosts[0]: 'gw-p1' is in group 'gw-p' already",
        "f:25:20: groups.gw-q.hosts[1]: 'gw-p2' is in group 'gw-p' already",
        "f:26:22: groups.gw-q.mover.address: 192.0.2.1 is the address of group 'gw-p' already",
    ]),
    ("  inside: {ssh", "  gw-p1: {ssh: x}\n  inside: {ssh", ["f:25:3: vantages.gw-p1: 'gw-p1' is a host already; a vantage needs a name of its own"]),
    ("  inside: {ssh", "  all: {ssh: x}\n  inside: {ssh", ["f:25:3: vantages.all: 'all' is a reserved word, not a name"]),
    ("from: inside", "from: insid", ["f:30:11: flows.staging-out.from: 'insid' is not a vantage or host; did you mean 'inside'?"]),
    ("to: outside", "to: gw-p", ["f:31:9: flows.staging-out.to: 'gw-p' is not a vantage or host; it is a group"]),
    ("stage: staging\n    from", "stage: productoin\n    from", ["f:29:12: flows.staging-out.stage: 'productoin' is not a stage; did you mean 'production'?"]),
    ("by: gw-s1", "by: gw_s1", ["f:35:9: flows.staging-out.by: 'gw_s1' is not a host or group; did you mean 'gw-s1'?"]),
    ("by: gw-s1", "by: outside", ["f:35:9: flows.staging-out.by: 'outside' is not a host or group; it is a vantage"]),
    ("by: gw-s1", "by: gw-p", ["f:35:9: flows.staging-out.by: 'gw-p' is in stage 'production', and the flow in 'staging'"]),
    ("protocol: udp", "protocol: tcp", ["f:36:3: flows.out: flow 'staging-out' has the same from, to, protocol and port: the far end could not tell them apart"]),
    ("[lan, wan]", "[lan, lan]", ["f:44:17: flows.out.over[1]: 'lan' is listed twice"]),
    ("from: outside", "from: outsid", ["f:48:11: checks.portal.from: 'outsid' is not a vantage or host; did you mean 'outside'?"]),
    ("kind: http", "kind: http\n    stage: production2", ["f:48:12: checks.portal.stage: 'production2' is not a stage; did you mean 'production'?"]),
    ("policies:", "loads:\n  x: {kind: flows, from: inside, along: [out, outt], port: 7001}\npolicies:", [
        "f:56:47: loads.x.along[1]: 'outt' is not a flow; did you mean 'out'?",
        "f:56:60: loads.x.port: flow 'out' is probed at that port of 'outside'",
    ]),
    ("policies:", "loads:\n  x: {kind: flows, from: outside, along: [out], port: 7009}\npolicies:", ["f:56:43: loads.x.along[0]: 'out' begins at 'inside', and the load at 'outside'"]),
    ("policies:", "loads:\n  x: {kind: flows, from: inside, along: [out], port: 7009, rate: 400, hold: 60s}\npolicies:", ["f:56:77: loads.x.hold: times rate is 24000 connections at a time, more than 3000"]),
    ("policies:", "loads:\n  x: {kind: nfs, from: inside, address: 192.0.2.9, path: /srv}\npolicies:", ["f:56:24: loads.x.from: 'inside' is another machine: a load of this kind needs a vantage that is local or a netns"]),
    ("policies:\n", "policies:\n  default: {measure: {promql: {q: {from: insid, url: 'http://x', query: up, hosts: {gw-s2: x}}}}}\n", [
        "f:56:42: policies.default.measure.promql.q.from: 'insid' is not a vantage or host; did you mean 'inside'?",
        "f:56:92: policies.default.measure.promql.q.hosts.gw-s2: 'gw-s2' is not a host; did you mean 'gw-s1'?",
    ]),
    ("policies:\n", "policies:\n  default: {measure: {against: peer, series: [x], clients: [inside]}}\n", ["f:56:60: policies.default.measure.clients: are the clients of the candidate, not of its peer: write `against: before` or `both`"]),
    ("policies:\n", "policies:\n  default: {measure: {against: peer, promql: {q: {from: inside, url: 'http://x', query: up}}}}\n", ["f:56:46: policies.default.measure.promql: q does not say $host, so it would say the same of the candidate and of its peer"]),
    ("policies:\n", "policies:\n  default: {measure: {least: 2m}}\n", ["f:56:13: policies.default.measure.series: is empty, and there is no promql either: then nothing would be measured"]),
    ("  gateway: {guard", "  gatewai: {guard", ["f:56:3: policies.gatewai: no host has the role 'gatewai'; did you mean 'gateway'?"]),
]  # fmt: skip


def test_the_small_fleet_is_right() -> None:
    assert lines_of(SMALL) == []


@pytest.mark.parametrize(("old", "new", "line"), [*YAML, *SYNTAX, *ENTRY])
def test_one_mistake_gives_one_line(old: str, new: str, line: str) -> None:
    assert lines_of(with_edits((old, new))) == [line]


@pytest.mark.parametrize(("old", "new", "lines"), ACROSS)
def test_a_mistake_between_entries_is_told_where_it_stands(old: str, new: str, lines: list[str]) -> None:
    assert lines_of(with_edits((old, new))) == lines


def test_a_default_policy_needs_no_role() -> None:
    assert lines_of(SMALL + "  default: {guard: 15m}\n") == []


def test_icmp_flows_may_differ_by_size_alone() -> None:
    flow = "    {{stage: production, from: inside, to: outside, address: 198.51.100.7, protocol: icmp, by: gw-p{}}}\n"
    small, large = "  small:\n" + flow.format(""), "  large:\n" + flow.format(", size: 1500, df: true")
    assert lines_of(with_edits(("checks:", small + large + "checks:"))) == []
    (line,) = lines_of(with_edits(("checks:", small + large + large.replace("large", "again") + "checks:")))
    assert "flows.again: flow 'large' has the same" in line


def test_every_tab_is_named_at_once() -> None:
    text = with_edits(("    gate: approval", "\tgate: approval"), ("    roles:", "\troles:"))
    assert [line.split(":")[1] for line in lines_of(text)] == ["6", "10"]


PACE = """rollout:
  budgets: [{per: rack, only: [r1, r9], most: 1}]
  windows: [{days: [mon], from: "09:00", until: "16:00", zone: Europe/Berlin, stages: [prod]}]
  freezes: [{from: 2026-12-20, until: 2027-01-04, why: holidays}]
"""


def test_names_of_a_pace_are_those_of_the_fleet_and_its_times_may_be_written_plainly() -> None:
    text = with_edits(("    stage: staging\n", "    stage: staging\n    rack: r1\n")) + PACE
    first = len(text.splitlines()) - 3
    assert lines_of(text) == [
        f"f:{first + 1}:36: rollout.budgets[0].only[1]: 'r9' is not a rack; there is r1",
        f"f:{first + 2}:88: rollout.windows[0].stages[0]: 'prod' is not a stage; did you mean 'production'?",
    ]
    assert lines_of(text.replace(", r9", "").replace("[prod]", "[production]")) == []


def test_a_zone_and_a_time_that_are_none_are_told_where_they_stand() -> None:
    wrong = (
        PACE.replace("Europe/Berlin", "Europe/Berln")
        .replace("only: [r1, r9], ", "")
        .replace("[prod]", "[staging]")
    )
    lines = lines_of(with_edits() + wrong.replace('"09:00"', "soon"))
    assert [line.split(": ", 2)[1] for line in lines] == [
        "rollout.windows[0].from",
        "rollout.windows[0].zone",
    ]
