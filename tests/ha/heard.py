"""What hosts of a pair said, as Outputs: the real lines of /proc/drbd from golden files, in the frame of the scripts that ask."""

from __future__ import annotations

from pathlib import Path

from seatrial.ha.drbdnfs import batches
from seatrial.ha.drbdnfs.facts import MemberFacts, read_member
from seatrial.model.command import Output
from seatrial.model.mover import DrbdNfsMover

GOLDEN = Path(__file__).parent / "golden"
EXPORT = "/srv/volume/tools 192.0.2.0/24(rw,sync,no_subtree_check,no_root_squash,fsid=1)"


def mover(**changes: object) -> DrbdNfsMover:
    """The pair of the lab, as the captures have it, with what is changed."""
    declared: dict[str, object] = {
        "driver": "drbd-nfs",
        "resource": "tools",
        "volumes": [{"device": "/dev/drbd0", "mount": "/srv/volume", "type": "ext4"}],
        "address": {"address": "192.0.2.10", "prefix": 24, "interface": "nfs0"},
        "nfs": {"scope": "nfs.example.test", "state": "/srv/volume/state", "lease": 10.0, "grace": 10.0},
        **changes,
    }
    return DrbdNfsMover.model_validate(declared, strict=False)


def said(drbd: str, *, look: tuple[str, ...] = (), audit: tuple[str, ...] | None = None) -> list[Output]:
    """A host's two answers: /proc/drbd as a golden file has it, and further facts as lines with tabs."""
    proc = (GOLDEN / f"{drbd}.txt").read_text(encoding="utf-8")
    quick = [
        "seatrial\t1",
        "resource\ttools",
        "boot\t01549239-ded0-4a19-8e19-612f38b05b47",
        "uptime\t547.08",
        "batch\tfree",
        *(f"proc\t{line}" for line in proc.splitlines()),
        "minor\t0",
        *look,
        "done",
    ]
    outputs = [Output(command=batches.look(mover()), status=0, stdout="\n".join(quick) + "\n")]
    if audit is not None:
        whole = "\n".join([*audit, "audited"]) + "\n"
        outputs.append(Output(command=batches.audit(mover()), status=0, stdout=whole))
    return outputs


SERVING = ("mounted\t/srv/volume", "address\t192.0.2.10", "threads\t8")
AUDIT = (
    f"export\t{EXPORT}",
    "served\t/srv/volume/tools",
    "lease\t10\t10",
    "versions\t-3\t+4\t+4.1\t+4.2",
    "client\t6\t1\t192.0.2.21:672\tconfirmed\t2\tLinux NFSv4.1 nfs-c1",
    "records\tyes",
    "link\t198.51.100.2\tyes",
)
IDLE = ("threads\t0",)
STANDBY = (f"export\t{EXPORT}", "lease\t10\t10", "link\t198.51.100.1\tyes")
PRIMARY = "drbd8-connected-uptodate-primary-secondary-n1"
SECONDARY = "drbd8-connected-uptodate-primary-secondary-n2"


def member(
    drbd: str, *, look: tuple[str, ...] = (), audit: tuple[str, ...] | None = None
) -> MemberFacts | None:
    """The facts of what was said."""
    return read_member(said(drbd, look=look, audit=audit))
