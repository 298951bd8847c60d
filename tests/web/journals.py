"""Journals for the page to show: rehearsed stories, and one whose hosts say hostile things."""

from __future__ import annotations

from pathlib import Path

from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from tests.engine.rehearsed import TEXT, controlled

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J\u202e</td>{{7*7}}"


def rehearsed(folder: Path, scenario: str) -> Path:
    """The journal of a rehearsed story that has ended."""
    assert controlled(folder, scenario) == 0
    return folder / "journal.db"


def begun(path: Path, *, hosts: tuple[str, ...] = ("gw-s1", "gw-p1", "gw-p2")) -> Journal:
    """A journal with a rollout that nobody controls, by the lab's own fleet file."""
    store = Journal(f"sqlite:///{path}")
    store.append(
        Kind.ROLLOUT_STARTED,
        rollout=store.new_rollout(),
        by="test",
        data={
            "candidate": "6.1.0-56-cloud-amd64",
            "hosts": list(hosts),
            "roles": {host: ["gateway"] for host in hosts},
            "fleet": TEXT,
            "why": "security update",
        },
    )
    return store


def hostile(path: Path) -> Journal:
    """A journal in which everything that a host or a person can say is an attack."""
    store = begun(path)
    store.append(
        Kind.TRIAL_MOVED,
        rollout="r1",
        host="gw-s1",
        data={"to": "preflight", "because": HOSTILE, "hint": HOSTILE, "facts": {"good": HOSTILE}},
    )
    result = {"check": HOSTILE, "outcome": "fail", "because": HOSTILE, "hint": HOSTILE, "evidence": {}}
    store.append(
        Kind.DIAGNOSIS,
        rollout="r1",
        host="gw-s1",
        data={
            "purpose": "exercise",
            "because": HOSTILE,
            "notes": [HOSTILE],
            "suspects": [
                {
                    "components": [HOSTILE],
                    "same_evidence": [[HOSTILE]],
                    "probability": 0.5,
                    "because": HOSTILE,
                }
            ],
        },
    )
    store.append(
        Kind.RESULTS,
        rollout="r1",
        host="gw-s1",
        data={"purpose": "exercise", "boot_id": "b", "seconds": 1.0, "results": [result], "summary": HOSTILE},
    )
    store.append(Kind.NOTE, rollout="r1", by=HOSTILE, data={"text": HOSTILE})
    store.append(Kind.ROLLOUT_HELD, rollout="r1", data={"because": HOSTILE, "hint": HOSTILE})
    suspect = {"subject": HOSTILE, "version": HOSTILE, "because": [HOSTILE], "reverted_in": HOSTILE}
    found = {"suspects": [suspect], "examined": 3, "old": HOSTILE, "new": HOSTILE, "changelog": HOSTILE}
    store.append(Kind.SUSPECTS, rollout="r1", host="gw-s1", data=found)
    changed = {"place": HOSTILE, "since": 0.0, "changes": [{"sentence": HOSTILE}], "unread": ""}
    store.append(Kind.CHANGED, rollout="r1", host="gw-s1", data=changed)
    store.append(Kind.HOST_DESCRIBED, rollout="r1", host="gw-s1", data={"product": HOSTILE, "cpu": HOSTILE})
    keys = ("name", "what", "because", "fix", "instead", "accepted", "when")
    finding = {**dict.fromkeys(keys, HOSTILE), "severity": HOSTILE}
    for kind in (Kind.SLOT_GRANTED, Kind.SLOT_WISHED, Kind.SLOT_UNPROVEN):
        store.append(kind, rollout="", host=HOSTILE[:40], data={"group": HOSTILE, "because": HOSTILE})
    store.append(Kind.SLOT_REFUSED, rollout="", host=HOSTILE[:39], data={"because": HOSTILE})
    audit = {
        "findings": [finding],
        "unread": [{"name": HOSTILE, "because": HOSTILE, "hint": HOSTILE}],
        "asked": 2,
    }
    store.append(Kind.DRIFT_AUDITED, rollout="", host=HOSTILE[:40], data=audit)
    failover = store.new_failover()
    words = ("group", "driver", "to", "away", "origin", "why", "force", "trial", "fleet")
    store.append(Kind.FAILOVER_STARTED, rollout=failover, by=HOSTILE, data=dict.fromkeys(words, HOSTILE))
    deed = {"deed": HOSTILE, "on": [HOSTILE], "because": HOSTILE, "hurts": True}
    store.append(Kind.FAILOVER_INTENT, rollout=failover, data=deed)
    steps = {HOSTILE: [{"name": HOSTILE, "ms": 200, "status": 1, "said": HOSTILE}]}
    failed = {"deed": HOSTILE, "problem": HOSTILE, "hint": HOSTILE, "seconds": 1.0, "steps": steps}
    store.append(Kind.FAILOVER_FAILED, rollout=failover, data=failed)
    ended = {"outcome": HOSTILE, "because": HOSTILE, "hint": HOSTILE}
    store.append(Kind.FAILOVER_ENDED, rollout=failover, data=ended)
    store.append(Kind.ROLLOUT_PAUSED, rollout="r1", by=HOSTILE, data={"why": HOSTILE})
    return store


FINDINGS = [
    {
        "host": "gw-p1",
        "name": "kernel-not-booted",
        "severity": "danger",
        "when": "boot",
        "what": "kernel",
        "because": "the next boot takes 6.1.0-56-cloud-amd64, which is remembered as bad",
        "fix": "grub-set-default 6.1.0-47-cloud-amd64",
        "instead": "bless it first: seatrial rollout start",
        "accepted": None,
    },
    {
        "host": "gw-p1",
        "name": "sysctl-by-hand",
        "severity": "warning",
        "when": "boot",
        "what": "net.ipv4.ip_forward",
        "because": "net.ipv4.ip_forward is 1, and nothing sets it at boot",
        "fix": "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/60-forward.conf",
        "instead": None,
        "accepted": None,
    },
    {
        "host": "gw-p1",
        "name": "console-speed",
        "severity": "note",
        "when": "now",
        "what": "ttyS0",
        "because": "the console speaks 9600 baud",
        "fix": "set console=ttyS0,115200",
        "instead": None,
        "accepted": "olga, until 2027-01-01: known",
    },
]


def audited(store: Journal, host: str = "gw-p1") -> None:
    """An audit of one host, as `seatrial drift --keep` writes it down."""
    unread = [
        {"host": host, "name": "certificates", "because": "openssl is missing", "hint": "apt install openssl"}
    ]
    store.append(
        Kind.DRIFT_AUDITED, rollout="", host=host, data={"findings": FINDINGS, "unread": unread, "asked": 51}
    )


def moved(store: Journal, *, ending: str = "moved") -> str:
    """A failover outside of any rollout, by hand of a person, with its steps and its proof."""
    name = store.new_failover()

    def told(kind: Kind, **data: object) -> None:
        store.append(kind, rollout=name, by="olga", data=data)

    result = {"check": "peer", "outcome": "pass", "because": "nfs-2 is connected and up to date", "hint": ""}
    told(
        Kind.FAILOVER_STARTED,
        group="nfs",
        driver="drbd-nfs",
        to="nfs-2",
        away="nfs-1",
        origin="nfs-1",
        why="a disk of nfs-1 is slow",
        force="",
        trial="",
        fleet=TEXT,
    )
    told(Kind.RESULTS, purpose="preflight", seconds=1.0, results=[result])
    told(
        Kind.FAILOVER_INTENT,
        deed="hand-over",
        on=["nfs-1", "nfs-2"],
        because="it is there",
        hurts=True,
        seen={},
    )
    steps = {
        "nfs-1": [{"name": "address", "ms": 40, "status": 0, "said": ""}, {"name": "unmount", "ms": 310, "status": 0, "said": ""}],
        "nfs-2": [{"name": "promote", "ms": 900, "status": 0, "said": ""}],
    }  # fmt: skip
    if ending == "moved":
        told(Kind.FAILOVER_ACTED, deed="hand-over", seconds=1.4, steps=steps)
        proof = {"check": "clients", "outcome": "pass", "because": "4 of 4 clients went on, the longest after 2.1 s", "hint": ""}  # fmt: skip
        told(Kind.RESULTS, purpose="proof", seconds=0.4, results=[proof])
        told(
            Kind.FAILOVER_ENDED, outcome="moved", because="nfs-2 carries it, and all clients went on", hint=""
        )
    else:
        told(Kind.FAILOVER_FAILED, deed="hand-over", problem="unmount: target is busy", hint="who: fuser", seconds=9.0, steps=steps)  # fmt: skip
        told(Kind.FAILOVER_ENDED, outcome="stuck", because="nobody serves nfs", hint="look at nfs-1 now")
    return name


def rebooting(store: Journal) -> None:
    """Hosts that reboot by themselves: one is away, one is back and not proven, one is told to wait."""

    def told(kind: Kind, host: str, **data: object) -> None:
        store.append(kind, rollout="", host=host, by="fleetlock", data={"group": "workers", **data})

    told(Kind.SLOT_GRANTED, "w3", because="a slot is free")
    told(Kind.SLOT_GRANTED, "w1", because="a slot is free")
    told(Kind.SLOT_WISHED, "w1")
    told(Kind.SLOT_UNPROVEN, "w1", because="portal: status 502", hint="look at its log")
    told(Kind.SLOT_REFUSED, "w2", reason="peer_unverified", because="w1 is back and not proven yet")


def busy(path: Path) -> Journal:
    """A night on which a lot goes on: a rollout with two hosts on trial that waits, a stuck failover, drift, reboots."""
    store = begun(path)
    for host, way in (
        ("gw-s1", ("preflight", "drained", "armed", "rebooting", "on-trial")),
        ("gw-p1", ("preflight",)),
    ):
        store.append(Kind.TRIAL_BEGUN, rollout="r1", host=host, data={"wave": "canaries", "because": "first"})
        for to in way:
            facts = {"good": "6.1.0-47-cloud-amd64", "deadline": 600.0, "trial_boot_id": "b"}
            store.append(Kind.TRIAL_MOVED, rollout="r1", host=host, data={"to": to, "because": f"{to} it is", "facts": facts})  # fmt: skip
    result = {"check": "s-private-to-outside-tcp", "outcome": "pass", "because": "fine", "hint": "", "evidence": {"sent": 8, "arrived": 8, "answered": 8}}  # fmt: skip
    store.append(Kind.RESULTS, rollout="r1", host="gw-s1", data={"purpose": "exercise", "boot_id": "b", "seconds": 2.0, "results": [result]})  # fmt: skip
    store.append(
        Kind.ROLLOUT_HELD,
        rollout="r1",
        data={"because": "the window opens at 22:00", "hint": "or force a host"},
    )
    store.append(Kind.NOTE, rollout="r1", by="olga", data={"text": "the switch in rack 7 was rebooted"})
    store.append(Kind.NOTE, rollout="", by="olga", data={"text": "called the provider"})
    audited(store)
    rebooting(store)
    moved(store)
    moved(store, ending="stuck")
    store.append(
        Kind.KERNEL_MARKED,
        rollout="",
        by="olga",
        data={
            "kernel": "6.1.0-50-cloud-amd64",
            "roles": ["gateway"],
            "good": False,
            "because": "it loses packets",
        },
    )
    until = {"kernel": "6.1.0-50-cloud-amd64", "roles": [], "why": "to measure it once", "until": "2099-01-01T00:00:00Z"}  # fmt: skip
    store.append(Kind.KERNEL_OVERRIDDEN, rollout="", by="vera", data=until)
    return store
