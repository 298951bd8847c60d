"""Three real namespaces in a row as a fleet file has them, and a router in the middle that loses what it is told to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.checklist.told import environment
from tests.checks.conftest import TRACKING, World
from tests.vantage.grounds import children

FLEET = """\
version: 1
name: three
stages: [{{name: staging}}]
hosts:
  router: {{stage: staging, roles: [gateway], reach: {{netns: /proc/{router}/ns/net, userns: /proc/{router}/ns/user}}}}
vantages:
  near: {{netns: /proc/{near}/ns/net, userns: /proc/{near}/ns/user}}
  far: {{netns: /proc/{far}/ns/net, userns: /proc/{far}/ns/user}}
flows:
{flows}
"""
FLOW = "  {name}: {{stage: staging, from: near, to: far, address: 198.51.100.9, protocol: udp, port: {port}, by: router}}"
PORTS = {"whole": 7001, "dead": 7002, "thin": 7003, "early": 7004}
# Every fourth packet, and all packets after the first three thousand bytes: the same in each run.
LOSSES = {
    "dead": "udp dport 7002 drop",
    "thin": "udp dport 7003 numgen inc mod 4 == 0 drop",
    "early": "udp dport 7004 quota over 3000 bytes drop",
}


class Three:
    """The namespaces, a fleet file that reaches them, and what is to be lost on the way."""

    def __init__(self, room: Path, world: World) -> None:
        self.room, self.world = room, world
        (inside,) = (pid for pid in children(world.holder.pid) if parent(pid) == world.holder.pid)
        pids = [pid for pid in children(inside) if parent(pid) == inside]
        flows = "\n".join(FLOW.format(name=name, port=port) for name, port in PORTS.items())
        self.places = dict(zip(("near", "router", "far"), pids, strict=True))
        (room / "fleet.yaml").write_text(FLEET.format(**self.places, flows=flows))

    def loses(self, *names: str) -> None:
        """From now on the router loses packets of these flows, and of no others."""
        rules = "".join(f"add rule inet lossy forward {LOSSES[name]}\n" for name in names)
        self.world.nft(
            "flush ruleset\n"
            + TRACKING
            + "add table inet lossy\nadd chain inet lossy forward { type filter hook forward priority 0; }\n"
            + rules
        )

    def check(self, *words: str) -> subprocess.CompletedProcess[str]:
        return seatrial(self.room, "check", *words)

    def kept(self) -> str:
        """What it is like now, kept as a baseline."""
        (self.room / "before.json").write_text(self.check("--format", "json").stdout)
        return "before.json"


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def seatrial(room: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *words],
        cwd=room,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
