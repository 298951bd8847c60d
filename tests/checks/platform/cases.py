"""What the checks of the platform room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

DISK = "/usr/lib/nagios/plugins/check_disk"

CHECKS: dict[str, dict[str, Any]] = {
    "command": {
        "kind": "command",
        "from": "vm",
        "argv": ("ip", "route", "get", "127.0.0.1"),
        "stdout": {
            "contains": ("dev lo",),
            "matches": ("src 127(\\.[0-9]+){3}\\b",),
            "lacks": ("unreachable",),
        },
    },
    "command-shell": {
        "kind": "command",
        "from": "vm",
        "shell": "ip -j route show table 4242",
        "stdout": {"equals": "[ ]"},
        "stderr": {"equals": ""},
    },
    "nagios": {"kind": "nagios", "from": "vm", "argv": (DISK, "-w", "1%", "-p", "/dev/shm")},
    "nagios-mild": {
        "kind": "nagios",
        "from": "vm",
        "argv": ("/usr/lib/nagios/plugins/check_dummy", "1"),
        "warning": "pass",
    },
    "prometheus": {
        "kind": "prometheus",
        "from": "vm",
        "url": "http://127.0.0.1:9090",
        "query": "up",
        "least": 1.0,
    },
    "prometheus-most": {
        "kind": "prometheus",
        "from": "vm",
        "url": "http://127.0.0.1:9090/",
        "query": "errors",
        "most": 42.0,
        "empty": "fail",
        "token_file": "/etc/seatrial/no-such-token",
    },
    "alerts": {
        "kind": "alerts",
        "from": "vm",
        "url": "http://127.0.0.1:9093",
        "matchers": ('severity="page"',),
    },
    "alerts-watched": {
        "kind": "alerts",
        "from": "vm",
        "url": "http://127.0.0.1:9093",
        "matchers": ("severity=ticket",),
        "watchdog": ('alertname="Watchdog"',),
    },
    "absent": {"kind": "absent", "from": "vm", "path": "/tmp/seatrial-lock/stop"},
    "kubernetes": {"kind": "kubernetes", "from": "vm"},
    "kubernetes-some": {"kind": "kubernetes", "from": "vm", "nodes": ("w1",), "kernel": "6.1.0-47-amd64"},
    "openstack-servers": {"kind": "openstack", "from": "vm", "cloud": "test", "ask": "servers"},
    "openstack-agents": {
        "kind": "openstack",
        "from": "vm",
        "cloud": "test",
        "ask": "agents",
        "binary": "neutron-l3-agent",
    },
    "openstack-services": {"kind": "openstack", "from": "vm", "cloud": "test", "ask": "services"},
}

# The check, one file for each of its Commands, and the Result.
CASES: list[tuple[str, list[str], Outcome, str]] = [
    (
        "alerts",
        ["alerts-firing"],
        FAIL,
        "1 alert fires: Slow on gw-p1:9100 since 2026-11-24T17:33:20.185Z (it is slow)",
    ),
    ("alerts", ["alerts-quiet"], PASS, 'no alert fires that fits severity="page"'),
    (
        "alerts",
        ["alerts-bad-matcher"],
        UNKNOWN,
        'http://127.0.0.1:9093 does not say which alerts fire: matcher value contains unescaped double quote: "page',
    ),
    (
        "alerts",
        ["alerts-nobody"],
        UNKNOWN,
        "http://127.0.0.1:9093 does not say which alerts fire: Connection refused",
    ),
    (
        "alerts-watched",
        ["alerts-no-watchdog"],
        UNKNOWN,
        'http://127.0.0.1:9093 has no alert alertname="Watchdog", which should always fire',
    ),
    (
        "absent",
        ["absent-there"],
        FAIL,
        "/tmp/seatrial-lock/stop is there on vm: storage is being moved, ask kim",
    ),
    ("absent", ["absent-away"], PASS, "/tmp/seatrial-lock/stop is not there"),
    (
        "absent",
        ["absent-no-folder"],
        UNKNOWN,
        "vm: file.absent ended with status 3: sh: 1: cd: can't cd to /tmp/seatrial-lock",
    ),
    (
        "absent",
        ["absent-not-allowed"],
        UNKNOWN,
        "vm: file.absent ended with status 3: sh: 1: cd: can't cd to /tmp/seatrial-lock",
    ),
    ("command", ["command-ip-route"], PASS, "ip route get 127.0.0.1 ended with status 0"),
    (
        "command",
        ["command-getent"],
        FAIL,
        "ip route get 127.0.0.1: stdout is '127.0.0.1 STREAM 127.0.0.1 127.0.0.1 DGRAM 127.0.0.1 RAW', without"
        " 'dev lo'; stdout is '127.0.0.1 STREAM 127.0.0.1 127.0.0.1 DGRAM 127.0.0.1 RAW', and no line fits"
        " 'src 127(\\\\.[0-9]+){3}\\\\b'",
    ),
    (
        "command-shell",
        ["command-no-route-table"],
        FAIL,
        "ip -j route show table 4242: status 2, not 0 (Dump terminated); stdout is '[', not '[ ]'; stderr is"
        " 'Error: ipv4: FIB table does not exist. Dump terminated', not ''",
    ),
    ("command-shell", ["command-shell-not-found"], UNKNOWN, "vm: /bin/sh: 1: no-such-program: not found"),
    ("command-shell", ["command-not-executable"], UNKNOWN, "vm: /bin/sh: 1: /etc/passwd: Permission denied"),
    ("nagios", ["nagios-disk-fine"], PASS, "DISK OK - free space: /dev/shm 24104MiB (99% inode=99%);"),
    (
        "nagios",
        ["nagios-disk-two"],
        PASS,
        "DISK OK - free space: /dev/shm 24104MiB (99% inode=99%); / 71894MiB (69% inode=95%);",
    ),
    ("nagios", ["nagios-disk-full"], FAIL, "DISK CRITICAL - free space: /dev/shm 24104MiB (99% inode=99%);"),
    ("nagios", ["nagios-tcp-refused"], FAIL, "connect to address 127.0.0.1 and port 9: Connection refused"),
    ("nagios", ["nagios-dummy-warning"], FAIL, "WARNING: it is late"),
    ("nagios", ["nagios-dummy-unknown"], UNKNOWN, "UNKNOWN"),
    ("nagios", ["nagios-bad-words"], UNKNOWN, "Unknown argument"),
    (
        "nagios",
        ["nagios-killed"],
        UNKNOWN,
        "check_disk ended with status 137, which is none of a plugin: it said nothing",
    ),
    ("nagios-mild", ["nagios-dummy-warning"], PASS, "WARNING: it is late"),
    ("nagios-mild", ["nagios-dummy-ok"], PASS, "OK: all is fine"),
    ("prometheus", ["prometheus-one"], PASS, "up: 1 series, 1.0"),
    (
        "prometheus",
        ["prometheus-up"],
        FAIL,
        'up: 1 of 2 series are below 1, up{instance="127.0.0.1:9",job="nobody"} has 0.0',
    ),
    ("prometheus", ["prometheus-empty"], UNKNOWN, "up: there is no series"),
    ("prometheus", ["prometheus-inf"], PASS, "up: 1 series, inf"),
    ("prometheus", ["prometheus-nan"], UNKNOWN, "up: 1 of 1 series are no number"),
    ("prometheus", ["prometheus-matrix"], UNKNOWN, "up gives matrix, not one number for each series"),
    (
        "prometheus",
        ["prometheus-parse-error"],
        UNKNOWN,
        'http://127.0.0.1:9090 does not answer up: invalid parameter "query": 1:4: parse error: unexpected end of input'
        " inside braces",
    ),
    (
        "prometheus",
        ["prometheus-refused"],
        UNKNOWN,
        "http://127.0.0.1:9090 does not answer up: Connection refused",
    ),
    ("prometheus-most", ["prometheus-scalar"], PASS, "errors: 1 series, 42.0"),
    ("prometheus-most", ["prometheus-inf"], FAIL, "errors: 1 of 1 series is above 42, {} has inf"),
    (
        "prometheus-most",
        ["prometheus-many"],
        FAIL,
        'errors: 10 of 30 series are above 42, prometheus_http_request_duration_seconds_bucket{handler="/api/v1/query",'
        'instance="127.0.0.1:9090",job="itself",le="8",site="here"} has 109.0',
    ),
    ("prometheus-most", ["prometheus-empty"], FAIL, "errors: there is no series"),
    (
        "prometheus-most",
        ["prometheus-no-token-file"],
        UNKNOWN,
        "http://127.0.0.1:9090/ does not answer errors: /etc/seatrial/no-such-token: No such file or directory",
    ),
    # What the scripts say with the real client libraries. Keystone 30 and Nova 34 answered where the file names them;
    # the others were answered by the servers of apis.py.
    ("kubernetes", ["kubernetes-two-ready"], PASS, "2 nodes are ready; no new pods on w2"),
    (
        "kubernetes",
        ["kubernetes-not-ready"],
        FAIL,
        "w2 is not ready: container runtime is down; w3 has MemoryPressure",
    ),
    ("kubernetes", ["kubernetes-no-login"], UNKNOWN, "kubernetes of vm does not answer: Unauthorized"),
    ("kubernetes", ["kubernetes-no-library"], UNKNOWN, "vm has no Python library kubernetes"),
    ("kubernetes-some", ["kubernetes-two-ready"], FAIL, "w1 runs 6.1.0-56-amd64, not 6.1.0-47-amd64"),
    (
        "openstack-servers",
        ["openstack-nova-servers"],
        FAIL,
        "web-3 on compute-2 is ERROR (No valid host was found.); web-2 on compute-1 is SHUTOFF",
    ),
    ("openstack-servers", ["openstack-nova-no-servers"], UNKNOWN, "cloud test lists no servers"),
    (
        "openstack-servers",
        ["openstack-keystone-no-login"],
        UNKNOWN,
        "cloud test does not answer: The request you have made requires authentication. (HTTP 401)"
        " (Request-ID: req-3f591f0a-21b5-4c92-877e-64160d679d67)",
    ),
    (
        "openstack-agents",
        ["openstack-agents"],
        FAIL,
        "neutron-l3-agent on gw-2 is dead (last heard of at 2026-01-01 00:00:00)",
    ),
    ("openstack-agents", ["openstack-no-library"], UNKNOWN, "vm has no Python library openstack"),
    (
        "openstack-services",
        ["openstack-nova-services"],
        FAIL,
        "nova-compute on compute-2 is down; switched off: nova-compute on compute-3",
    ),
    (
        "openstack-services",
        ["openstack-nova-not-allowed"],
        UNKNOWN,
        "cloud test does not answer: ForbiddenException: 403: Client Error for url:"
        " http://127.0.0.1:8774/v2.1/os-services, Policy doesn't allow os_compute_api:os-services:list to be performed.",
    ),
    (
        "openstack-services",
        ["openstack-no-cloud"],
        UNKNOWN,
        "cloud test does not answer: Cloud no-such was not found.",
    ),
]
