"""What the checks of the storage room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {
    "nfs": {"kind": "nfs", "from": "vm", "address": "192.0.2.9", "path": "/srv/tools/deep", "timeout": "2s"},
    "nfs-alone": {"kind": "nfs", "from": "vm", "address": "nfs.example.test", "version": 3, "timeout": "2s"},
}

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
]
