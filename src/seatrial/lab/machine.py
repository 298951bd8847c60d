"""One virtual machine under the warden: its QEMU, its console, its restarts.

What is in: the command line, reading the serial port, starting QEMU afresh at every reset. What is not: wires and
services (warden.py), the guest's inside. A reset of a running QEMU would do, but under software emulation GRUB then
takes 20 s instead of 3 s; so a guest that restarts gets a new QEMU on the same disk, port and taps.
"""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

from seatrial.clock import SystemClock
from seatrial.errors import LabError
from seatrial.lab import qmp
from seatrial.lab.console import POWER_ON, RESET, clean, mark
from seatrial.lab.plan import HostStatus, LabPlan
from seatrial.lab.topology import LabHost
from seatrial.lab.wires import DIE_WITH_PARENT
from seatrial.vantage import process

_QEMU = "qemu-system-x86_64"
_RESTARTS = {"guest-reset", "host-qmp-system-reset"}
# A console line that never ends is cut here, so that a guest cannot fill this machine's memory or disk.
_CUT = 4096
_LONGEST_LOG = 64 * 1024 * 1024
_QUIT_LIMIT = 10.0


class Machine:
    """A host of the lab. `changed` is called whenever `status` is another one."""

    def __init__(
        self, plan: LabPlan, host: LabHost, home: Path, taps: list[int], changed: Callable[[], None]
    ) -> None:
        self._plan = plan
        self._host = host
        self._home = home
        self._taps = taps
        self._changed = changed
        self._qemu: Process | None = None
        self._console = (home / "console.log").open("a")
        self.status: HostStatus | None = None

    async def start(self) -> None:
        """Power on, and return when QEMU runs. Raises LabError when it does not."""
        for name in ("qmp", "events.qmp"):
            (self._home / name).unlink(missing_ok=True)
        port = self.status.port if self.status else 0
        argv = [
            *_on_one_processor(self._plan.topology.hosts.index(self._host)), *DIE_WITH_PARENT,
            *qemu_argv(self._plan, self._host, self._home, self._taps, port),
        ]  # fmt: skip
        with (self._home / "qemu.log").open("ab") as log:
            try:
                self._qemu = await process.start(
                    argv, stdout=process.PIPE, stderr=log.fileno(), pass_fds=self._taps
                )
            except FileNotFoundError as missing:
                raise LabError(
                    f"{missing.filename} is not installed", hint="apt install qemu-system-x86"
                ) from None
        while not (self._home / "events.qmp").exists():
            if self._qemu.returncode is not None:
                said = (self._home / "qemu.log").read_text(errors="replace").strip().splitlines()
                raise LabError(
                    f"QEMU did not start: {said[-1] if said else self._qemu.returncode}",
                    hint=f"read {self._home / 'qemu.log'}",
                )
            await SystemClock().sleep(0.02)
        port = port or await qmp.forwarded_port(self._home / "qmp")
        self._tell(HostStatus(pid=self._qemu.pid, port=port))

    async def live(self) -> None:
        """Keep the console and restart the guest as often as it wants, until QEMU ends by itself."""
        self._stamp(POWER_ON)
        while self._qemu is not None:
            assert self._qemu.stdout
            copying = asyncio.create_task(self._copy_console(self._qemu.stdout))
            try:
                again = await self._until_it_ends()
                await self._ended()
            finally:
                copying.cancel()
            if not again:
                break
            self._stamp(RESET)
            await self.start()
        if self.status:
            self._tell(HostStatus(pid=self.status.pid, port=self.status.port, running=False))

    async def end(self) -> None:
        """Pull the plug."""
        if self._qemu is not None:
            process.end_group(self._qemu.pid, signal.SIGKILL)
            await self._qemu.wait()
        self._console.close()

    async def _until_it_ends(self) -> bool:
        """Whether QEMU ended because the guest is to start again."""
        async with qmp.Qmp(self._home / "events.qmp") as control:
            async for event in control.events():
                if event["event"] == "SHUTDOWN":
                    reason = str(event.get("data", {}).get("reason"))
                    self._stamp(f"== {reason}")
                    if reason in _RESTARTS:
                        # Not killed: QEMU has parts of the disk's tables in its memory and writes them now.
                        await control.ask("quit")
                        return True
        return False

    async def _ended(self) -> None:
        assert self._qemu
        try:
            async with asyncio.timeout(_QUIT_LIMIT):
                await self._qemu.wait()
        except TimeoutError:
            process.end_group(self._qemu.pid, signal.SIGKILL)
            await self._qemu.wait()

    def _tell(self, status: HostStatus) -> None:
        self.status = status
        self._changed()

    def _stamp(self, text: str) -> None:
        self._console.write(f"{mark(text)}\n")
        self._console.flush()

    async def _copy_console(self, serial: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await serial.read(4096):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > _CUT:
                whole, rest = [*whole, rest], b""
            for raw in whole:
                if (text := clean(raw)) and self._console.tell() < _LONGEST_LOG:
                    # What a guest writes must not look like the warden's own marks.
                    self._stamp(" " + text if text.startswith("==") else text)


def _on_one_processor(index: int) -> list[str]:
    """Keeps all threads of a QEMU on one processor of those that we may use; guests take them in turn.

    QEMU 7.2 looks at a shadow doorbell after it has said up to which command it wants no ring, and has no barrier
    between the two. With the guest's thread on another processor a ring is lost now and then, and the disk never
    answers again. On one processor stores cannot pass loads, and nothing is lost.
    """
    usable = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(usable[index % len(usable)])]


def qemu_argv(plan: LabPlan, host: LabHost, home: Path, taps: list[int], port: int) -> list[str]:
    """How a host is run; port 0 lets QEMU take a free one. One processor: with two, software emulation hung one boot in two, and one boots sooner."""
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host.name}.{plan.name}.seatrial")
    argv = [
        _QEMU, "-name", host.name, "-uuid", str(identity), "-machine", "pc", "-accel", plan.accelerator.accel,
        "-cpu", plan.accelerator.cpu, "-smp", "1", "-m", str(plan.memory_mib), "-nodefaults", "-no-user-config",
        "-display", "none",
        # A guest that powers itself off stays there, off; one that restarts gets a new QEMU.
        "-action", "reboot=shutdown,shutdown=pause",
        # NVMe is built into Debian's kernels, so no initramfs is needed. One controller for both disks: with two,
        # which of them is nvme0 would be a matter of luck.
        "-drive", f"if=none,id=root,file={home / 'root.qcow2'},format=qcow2,cache=unsafe,discard=unmap",
        "-drive", f"if=none,id=seed,file={home / 'seed.tar'},format=raw,readonly=on",
        "-device", f"nvme,id=nvme0,serial={host.name}", "-device", "nvme-ns,bus=nvme0,drive=root,nsid=1,bootindex=1",
        "-device", "nvme-ns,bus=nvme0,drive=seed,nsid=2",
        "-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial",
        "-chardev", f"socket,id=qmp,path={home / 'qmp'},server=on,wait=off", "-mon", "chardev=qmp,mode=control",
        "-chardev", f"socket,id=events,path={home / 'events.qmp'},server=on,wait=off",
        "-mon", "chardev=events,mode=control",
        "-netdev", f"user,id=net-mgmt0,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", f"virtio-net-pci,id=mgmt0,netdev=net-mgmt0,mac={_mac(identity, 0)},romfile=",
    ]  # fmt: skip
    for index, (nic, tap) in enumerate(zip(host.nics, taps, strict=True), start=1):
        argv += ["-netdev", f"tap,id=net-{nic.name},fd={tap}"]
        argv += [
            "-device",
            f"virtio-net-pci,id={nic.name},netdev=net-{nic.name},mac={_mac(identity, index)},romfile=",
        ]
    return argv


def _mac(identity: uuid.UUID, index: int) -> str:
    # 52:54:00 is QEMU's own range; the rest tells the hosts of a lab apart.
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in (*identity.bytes[:2], index))
