"""What the checks of the storage room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {
    "nfs": {"kind": "nfs", "from": "vm", "address": "192.0.2.9", "path": "/srv/tools/deep", "timeout": "2s"},
    "nfs-alone": {"kind": "nfs", "from": "vm", "address": "nfs.example.test", "version": 3, "timeout": "2s"},
    "share": {"kind": "share", "from": "vm", "path": "/mnt/tools", "type": "nfs4", "timeout": "5s"},
    "share-reads": {"kind": "share", "from": "vm", "path": "/mnt", "write": False, "timeout": "5s"},
    "lock": {"kind": "lock", "from": "vm", "with": "vm2", "path": "/mnt/tools", "timeout": "5s"},
    "drbd": {"kind": "drbd", "from": "vm", "resource": "tools", "role": "primary"},
    "drbd-standby": {"kind": "drbd", "from": "vm", "resource": "tools", "role": "secondary"},
    "exports": {
        "kind": "exports",
        "from": "vm",
        "paths": ("/srv/volume/tools",),
        "clients": ("192.0.2.21", "192.0.2.128/25"),
    },
    "exports-any": {"kind": "exports", "from": "vm", "paths": ("/srv/volume/other place",), "compare": False},
}

# The tables of 8.4 are real. Nobody here has a kernel with DRBD 9: drbd9-format-* are written by hand, in the format that
# its users show.
MINOR = "drbd8-minor"
OLD = ("drbd8-no-json", "drbd-journal-connected")
OLD_SPLIT = ("drbd8-no-json", "drbd-journal-split")
CONFIGURED = ("exports-configured", "exports-folder-none", "nfsd-clients")

# The check, one file for each of its Commands, and the Result.
CASES: list[tuple[str, list[str], Outcome, str]] = [
    ("nfs", ["nfs-answers"], PASS, "NFS 4 at 192.0.2.9 answers in 7 ms and has /srv/tools/deep"),
    ("nfs-alone", ["nfs-answers-without-path"], PASS, "NFS 3 at nfs.example.test answers in 2 ms"),
    ("nfs", ["nfs-no-path"], FAIL, "NFS at 192.0.2.9 has no /srv/tools/deep"),
    ("nfs", ["nfs-no-export"], FAIL, "NFS at 192.0.2.9 has no /srv/tools/deep: /srv/none is missing"),
    ("nfs", ["nfs-other-client"], FAIL, "NFS at 192.0.2.9 has no /srv/tools/deep: /srv/other is missing"),
    (
        "nfs",
        ["nfs-kerberos"],
        UNKNOWN,
        "NFS at 192.0.2.9 wants Kerberos for /srv/krb, which is not asked here",
    ),
    (
        "nfs-alone",
        ["nfs-other-version"],
        FAIL,
        "NFS at nfs.example.test does not speak version 3, only 4 to 4",
    ),
    (
        "nfs",
        ["nfs-hangs"],
        FAIL,
        "NFS at 192.0.2.9 hangs: it accepts connections, and does not answer NULL within 2 s",
    ),
    ("nfs", ["nfs-refused"], FAIL, "NFS at 192.0.2.9 accepts no connection: Connection refused"),
    (
        "nfs-alone",
        ["nfs-unknown-name"],
        FAIL,
        "NFS at nfs.example.test accepts no connection: Name or service not known",
    ),
    ("nfs", ["nfs-kernel-answers"], PASS, "NFS 4 at 192.0.2.9 answers in 60 ms and has /srv/tools/deep"),
    (
        "nfs",
        ["nfs-kernel-no-path"],
        FAIL,
        "NFS at 192.0.2.9 has no /srv/tools/deep: /srv/volume/none is missing",
    ),
    ("nfs-alone", ["nfs-kernel-three"], PASS, "NFS 3 at nfs.example.test answers in 8 ms"),
    (
        "nfs",
        ["nfs-path-hangs"],
        FAIL,
        "NFS at 192.0.2.9 hangs: it answers NULL, but says nothing of /srv/tools/deep within 2 s",
    ),
    (
        "nfs",
        ["nfs-high-port"],
        UNKNOWN,
        "NFS at 192.0.2.9 does not show /srv/volume/tools to a port above 1023, and the login may not use others",
    ),
    ("nfs", ["nfs-nothing-served"], FAIL, "NFS at 192.0.2.9 serves nothing to vm"),
    (
        "share",
        ["share-writes"],
        PASS,
        "/mnt/tools on vm (nfs4) reads and writes in 852 ms, create the longest (147 ms)",
    ),
    ("share-reads", ["share-reads"], PASS, "/mnt on vm (nfs4) reads in 88 ms, list the longest (62 ms)"),
    ("share", ["share-hangs"], FAIL, "/mnt/tools on vm: mkdir: no answer within 5 s"),
    ("share", ["share-full"], FAIL, "/mnt/tools on vm: mkdir: No space left on device"),
    ("share", ["share-read-only"], FAIL, "/mnt/tools on vm: mkdir: Read-only file system"),
    (
        "share",
        ["share-stale"],
        FAIL,
        "/mnt/tools on vm: open: the handle is stale, the server does not know it any more",
    ),
    ("share", ["share-not-mounted"], FAIL, "/mnt/tools on vm is ext4, not nfs4: it is not mounted"),
    ("share-reads", ["share-not-mounted"], FAIL, "/mnt on vm: open: No such file or directory"),
    ("share-reads", ["share-not-allowed"], FAIL, "/mnt on vm: mkdir: Permission denied"),
    (
        "lock",
        ["lock-hold-fine", "lock-want-fine"],
        PASS,
        "vm2 was refused the lock that vm had at /mnt/tools, and got it 50 ms after its release",
    ),
    (
        "lock",
        ["lock-hold-granted", "lock-want-granted"],
        FAIL,
        "vm and vm2 had the same lock at /mnt/tools at the same time",
    ),
    ("lock", ["lock-hold-held", "lock-want-held"], FAIL, "somebody has the lock at /mnt/tools already"),
    (
        "lock",
        ["lock-hold-alone", "lock-want-alone"],
        UNKNOWN,
        "vm and vm2 did not meet at /mnt/tools within 4 s",
    ),
    ("lock", ["lock-hold-fine", "share-hangs"], FAIL, "/mnt/tools on vm2: mkdir: no answer within 5 s"),
    ("lock", ["share-stale", "lock-want-alone"], FAIL, "/mnt/tools on vm: open: Stale file handle"),
    (
        "drbd",
        ["drbd8-primary", MINOR, *OLD],
        PASS,
        "tools is Primary on vm, connected and UpToDate on both sides",
    ),
    (
        "drbd-standby",
        ["drbd8-secondary", MINOR, *OLD],
        PASS,
        "tools is Secondary on vm, connected and UpToDate on both sides",
    ),
    ("drbd", ["drbd8-secondary", MINOR, *OLD], FAIL, "tools is Secondary on vm, not Primary"),
    ("drbd-standby", ["drbd8-new", MINOR, *OLD], FAIL, "the disk of tools on vm is Inconsistent"),
    (
        "drbd",
        ["drbd8-cut-primary", MINOR, *OLD],
        FAIL,
        "tools on vm is not connected to the peer (WFConnection)",
    ),
    (
        "drbd",
        ["drbd8-cut-written", MINOR, *OLD],
        FAIL,
        "tools on vm is not connected to the peer (WFConnection), and 38432 KiB behind",
    ),
    (
        "drbd",
        ["drbd8-syncing", MINOR, *OLD],
        UNKNOWN,
        "tools on vm is being synchronised (SyncSource): 36000 KiB are left, 20 % are there",
    ),
    (
        "drbd-standby",
        ["drbd8-sync-end", MINOR, *OLD],
        UNKNOWN,
        "tools on vm is being synchronised (SyncTarget): 29340 KiB are left, 30 % are there",
    ),
    (
        "drbd-standby",
        ["drbd8-standalone", MINOR, *OLD],
        FAIL,
        "tools on vm is StandAlone: it does not try to reach the peer",
    ),
    (
        "drbd",
        ["drbd8-split-primary", MINOR, *OLD_SPLIT],
        FAIL,
        "tools on vm has a split brain: both sides were written to, and they part (StandAlone)",
    ),
    (
        "drbd-standby",
        ["drbd8-split-secondary", MINOR, *OLD_SPLIT],
        FAIL,
        "tools on vm has a split brain: both sides were written to, and they part (StandAlone)",
    ),
    (
        "drbd",
        ["drbd8-primary", MINOR, "drbd8-no-json", "drbd-journal-healed"],
        PASS,
        "tools is Primary on vm, connected and UpToDate on both sides",
    ),
    (
        "drbd",
        ["drbd8-cut-primary", MINOR, "drbd8-no-json", "drbd-journal-none"],
        FAIL,
        "tools on vm is not connected to the peer (WFConnection)",
    ),
    ("drbd", ["drbd8-down", MINOR, *OLD], FAIL, "tools is not up on vm"),
    ("drbd", ["drbd8-primary", "drbd8-minor-unknown", *OLD], FAIL, "tools is not up on vm"),
    ("drbd", ["drbd8-down", "drbd8-no-config", *OLD], FAIL, "tools is not up on vm"),
    ("drbd", ["drbd-not-loaded", MINOR, *OLD], FAIL, "DRBD is not loaded on vm"),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-connected", "drbd-journal-none"],
        PASS,
        "tools is Primary on vm, connected and UpToDate on both sides",
    ),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-syncing", "drbd-journal-none"],
        UNKNOWN,
        "tools on vm is being synchronised (SyncSource): 36000 KiB are left, 91.21 % are there",
    ),
    (
        "drbd-standby",
        ["drbd9-format-proc", MINOR, "drbd9-format-connecting", "drbd-journal-none"],
        FAIL,
        "tools on vm is not connected to nfs-2.example.test (Connecting), and 2048 KiB behind",
    ),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-standalone", "drbd9-format-journal-split"],
        FAIL,
        "tools on vm has a split brain: both sides were written to, and they part (StandAlone)",
    ),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-standalone", "drbd-journal-split"],
        FAIL,
        "tools on vm is StandAlone: it does not try to reach nfs-2.example.test, and 40 KiB behind",
    ),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-no-quorum", "drbd-journal-none"],
        FAIL,
        "tools on vm stands still: it has lost its quorum",
    ),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-failed-disk", "drbd-journal-none"],
        FAIL,
        "the disk of tools on vm is Failed",
    ),
    (
        "drbd",
        ["drbd9-format-proc", MINOR, "drbd9-format-none", "drbd-journal-none"],
        FAIL,
        "tools is not up on vm",
    ),
    (
        "exports",
        ["nfsd-threads", "exportfs-served", *CONFIGURED],
        PASS,
        "vm serves /srv/volume/tools with 8 threads",
    ),
    ("exports", ["nfsd-no-threads", "exportfs-served", *CONFIGURED], FAIL, "no thread of nfsd runs on vm"),
    (
        "exports",
        ["nfsd-not-loaded", "exportfs-nothing", *CONFIGURED],
        FAIL,
        "no NFS server runs on vm: nfsd is not loaded",
    ),
    (
        "exports",
        ["nfsd-threads", "exportfs-nothing", *CONFIGURED],
        FAIL,
        "/srv/volume/tools is configured on vm, but not served",
    ),
    (
        "exports",
        ["nfsd-threads", "exportfs-by-hand", *CONFIGURED],
        FAIL,
        "/srv/volume to 192.0.2.30 is served by vm, but not configured",
    ),
    (
        "exports",
        ["nfsd-threads", "exportfs-by-hand", "exports-configured", "exports-folder-other", "nfsd-clients"],
        FAIL,
        "/srv/volume/other place to *.example.test (and 1 more) is configured on vm, but not served",
    ),
    (
        "exports-any",
        ["nfsd-threads", "exportfs-both", "exports-configured", "exports-folder-other", "nfsd-clients"],
        PASS,
        "vm serves /srv/volume/other place with 8 threads",
    ),
    (
        "exports",
        ["nfsd-threads", "exportfs-both", "exports-configured", "exports-folder-other", "nfsd-clients"],
        PASS,
        "vm serves /srv/volume/tools with 8 threads",
    ),
    (
        "exports-any",
        ["nfsd-threads", "exportfs-world", *CONFIGURED],
        PASS,
        "vm serves /srv/volume/other place with 8 threads",
    ),
    (
        "exports-any",
        ["nfsd-threads", "exportfs-served", *CONFIGURED],
        FAIL,
        "/srv/volume/other place is not served by vm",
    ),
]
