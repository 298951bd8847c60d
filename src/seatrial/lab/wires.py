"""The wires of a lab: namespaces, bridges, veths and taps. What is in: laying them; what is not: who uses them.

One process holds the lab's own network namespace with the bridges, one process holds each endpoint's. They are
children of the warden and die with it, and with the last process a namespace and all that is in it is gone: there
is no name in /run/netns, nothing among this machine's interfaces, and nothing to clean up.
"""

from __future__ import annotations

import array
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable, Sequence
from pathlib import Path

from seatrial.errors import LabError
from seatrial.lab.topology import Endpoint, Topology
from seatrial.vantage import process

# It must come last before the program: entering a user namespace makes the kernel forget the signal.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
_TAPS = Path(__file__).parent / "taps.py"
_WAIT = 30.0


class Wires:
    """The namespaces of one lab. Made, laid and ended by the warden."""

    def __init__(self) -> None:
        self._holders: dict[str, Process] = {}

    @property
    def own_user_namespace(self) -> bool:
        """Whether an ordinary user is the lab's root, in a user namespace."""
        return os.geteuid() != 0

    def pid(self, endpoint: str) -> int:
        """The process that holds an endpoint's namespaces."""
        return self._holders[endpoint].pid

    async def lay(self, topology: Topology) -> None:
        """Make the namespaces, bridges and veths. Raises LabError."""
        user = ["--user", "--map-root-user"] if self.own_user_namespace else []
        self._holders[""] = await self._hold(
            ["unshare", *user, "--net", "--mount", "--propagation", "private"]
        )
        bridges = ["link set lo up"]
        for segment in topology.segments:
            # No snooping: it forgets who listens to VRRP. No spanning tree: it would mute a port for 30 s.
            bridges += [f"link add {segment} type bridge mcast_snooping 0 stp_state 0 forward_delay 0"]
            bridges += [f"link set {segment} up"]
        await self.ip("", bridges)
        for endpoint in topology.endpoints:
            self._holders[endpoint.name] = await self._hold([*self.enter(""), "unshare", "--net"])
        await self.ip("", _plugs(topology.endpoints, self))
        for endpoint in topology.endpoints:
            await self.ip(endpoint.name, _own(endpoint))

    def enter(self, endpoint: str) -> list[str]:
        """The argv in front of a program that is to run in an endpoint, or with "" among the bridges."""
        pid = self._holders[endpoint].pid
        user = [f"--user=/proc/{pid}/ns/user", "--preserve-credentials"] if self.own_user_namespace else []
        return ["nsenter", *user, f"--net=/proc/{pid}/ns/net", f"--mount=/proc/{pid}/ns/mnt"]

    async def ip(self, endpoint: str, lines: Sequence[str]) -> None:
        """Give `lines` to `ip -batch` in an endpoint. Raises LabError."""
        argv = [*self.enter(endpoint), "ip", "-batch", "-"]
        ended = await process.run(argv, stdin=("\n".join(lines) + "\n").encode(), timeout=_WAIT)
        if ended.status != 0:
            said = ended.stderr.decode(errors="replace").strip()
            raise LabError(
                f"the lab's wires could not be laid: {said or ended.status}",
                hint="this machine's kernel needs bridge, veth and tun; by hand: " + ended.paste,
            )

    async def taps(self, plugs: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Open a tap for each (name, segment) inside the lab; the descriptors are for QEMU, which runs outside."""
        wanted = dict(plugs)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            argv = [*self.enter(""), sys.executable, "-I", str(_TAPS), str(theirs.fileno()), *wanted]
            ended = await process.run(argv, timeout=_WAIT, pass_fds=[theirs.fileno()])
            if ended.status != 0:
                said = ended.stderr.decode(errors="replace").strip().splitlines()
                raise LabError(
                    f"a tap could not be opened: {said[-1] if said else ended.status}",
                    hint="a user other than root needs /dev/net/tun to be open to all: chmod 0666 /dev/net/tun",
                )
            _, ancillary, _, _ = ours.recvmsg(16, socket.CMSG_SPACE(4 * len(wanted)))
        descriptors = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        if len(descriptors) != len(wanted):
            raise LabError("the lab's taps were lost on the way", hint="too many open files? see ulimit -n")
        await self.ip("", [f"link set {tap} master {segment} up" for tap, segment in wanted.items()])
        return dict(zip(wanted, descriptors, strict=True))

    async def end(self) -> None:
        """Let every namespace go."""
        for holder in self._holders.values():
            process.end_group(holder.pid, signal.SIGKILL)
        for holder in self._holders.values():
            await holder.wait()
        self._holders.clear()

    async def _hold(self, argv: list[str]) -> Process:
        # The holder says a word when it is inside its namespaces, and then waits for ever on a pipe.
        script = "echo inside; exec sleep infinity"
        command = [*argv, *DIE_WITH_PARENT, "sh", "-c", script]
        holder = await process.start(command, stdout=process.PIPE, stderr=process.STDOUT)
        assert holder.stdout
        said = (await holder.stdout.readline()).decode(errors="replace").strip()
        if said != "inside":
            process.end_group(holder.pid, signal.SIGKILL)
            await holder.wait()
            raise LabError(
                f"a namespace could not be made: {said}",
                hint="an ordinary user needs kernel.unprivileged_userns_clone=1; or run as root",
            )
        return holder


def _plugs(endpoints: Iterable[Endpoint], wires: Wires) -> list[str]:
    lines = []
    for endpoint in endpoints:
        for index, nic in enumerate(endpoint.nics):
            outer = f"{endpoint.name[:12]}{index}"
            peer = f"peer name {nic.name} netns {wires.pid(endpoint.name)}"
            lines += [f"link add name {outer} type veth {peer}", f"link set {outer} master {nic.segment} up"]
    return lines


def _own(endpoint: Endpoint) -> list[str]:
    lines = ["link set lo up"]
    for nic in endpoint.nics:
        lines += [f"address add {address} dev {nic.name}" for address in nic.addresses]
        lines += [f"link set {nic.name} up"]
    return lines + [f"route add {route}" for route in endpoint.routes]
