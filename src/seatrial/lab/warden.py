"""The warden: the one process that a lab's namespaces, virtual machines and services are children of.

Run as `python -m seatrial.lab.warden DIRECTORY`; it detaches, and lives until it is told to end (SIGTERM), until the
lab's owner dies, or until something it cannot do without breaks. Its children are told by the kernel to die with
it, so that even kill -9 leaves no process and no namespace. What is in: starting, watching, ending. What is not:
deciding what a lab is (topology.py) and talking to guests (lab.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import uuid
from asyncio.subprocess import Process
from pathlib import Path
from typing import IO

from seatrial.errors import LabError, SeatrialError
from seatrial.lab import qmp
from seatrial.lab.console import POWER_ON, RESET, clean, mark
from seatrial.lab.plan import (
    EndpointStatus,
    HostStatus,
    LabPlan,
    LabStatus,
    read_plan,
    write_status,
)
from seatrial.lab.topology import LabHost
from seatrial.lab.wires import DIE_WITH_PARENT, Wires
from seatrial.vantage import process

_QEMU = "qemu-system-x86_64"
# A console line that never ends is cut here, so that a guest cannot fill this machine's memory.
_CUT = 4096
_LONGEST_LOG = 64 * 1024 * 1024


class Warden:
    """One lab, from its wires to its end."""

    def __init__(self, home: Path, plan: LabPlan) -> None:
        self._home = home
        self._plan = plan
        self._wires = Wires()
        self._children: dict[str, Process] = {}
        self._hosts: dict[str, HostStatus] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._why = ""

    async def live(self) -> None:
        """Bring everything up, wait for the end, take everything down."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, "told to end")
        self._watch_owner(loop)
        self._say("starting")
        try:
            await self._start()
        except SeatrialError as problem:
            self._say("failed", problem.message, problem.hint)
        except Exception as problem:
            self._say("failed", f"{type(problem).__name__}: {problem}", f"read {self._home / 'warden.log'}")
            raise
        else:
            self._say("running")
            await self._over.wait()
        finally:
            await self._stop()

    def _end(self, why: str) -> None:
        self._why = self._why or why
        self._over.set()

    def _watch_owner(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._plan.owner_pid is None:
            return
        try:
            owner = os.pidfd_open(self._plan.owner_pid)
        except ProcessLookupError:
            self._end("the owner is gone")
            return
        # A pidfd becomes readable when its process ends, and unlike a number it is never somebody else's.
        loop.add_reader(owner, self._end, "the owner is gone")

    async def _start(self) -> None:
        await self._wires.lay(self._plan.topology)
        taps = await self._wires.taps(
            (f"{host.name}-{nic.name}", nic.segment)
            for host in self._plan.topology.hosts
            for nic in host.nics
        )
        try:
            for host in self._plan.topology.hosts:
                await self._boot(host, [taps[f"{host.name}-{nic.name}"] for nic in host.nics])
        finally:
            for descriptor in taps.values():
                os.close(descriptor)
        for endpoint in self._plan.topology.endpoints:
            for program in endpoint.programs:
                argv = [word.replace("@WWW@", str(self._home / "www")) for word in program.argv]
                name = f"{endpoint.name}-{program.name}"
                with (self._home / f"{name}.log").open("wb") as log:
                    self._children[name] = await process.start(
                        [*self._wires.enter(endpoint.name), *DIE_WITH_PARENT, *argv],
                        stdout=log.fileno(),
                        stderr=process.STDOUT,
                    )
                self._watch(name)

    async def _boot(self, host: LabHost, taps: list[int]) -> None:
        home = self._home / host.name
        argv = [*DIE_WITH_PARENT, *qemu_argv(self._plan, host, home, taps)]
        with (home / "qemu.log").open("wb") as log:
            try:
                qemu = await process.start(argv, stdout=process.PIPE, stderr=log.fileno(), pass_fds=taps)
            except FileNotFoundError as missing:
                raise LabError(
                    f"{missing.filename} is not installed", hint="apt install qemu-system-x86"
                ) from None
        self._children[host.name] = qemu
        console = (home / "console.log").open("a")
        _stamp(console, f"{POWER_ON} {' '.join(argv[:1])}")
        assert qemu.stdout
        self._tasks.append(asyncio.create_task(_copy_console(qemu.stdout, console)))
        await self._appear(home / "events.qmp", qemu)
        self._tasks.append(asyncio.create_task(_mark_resets(home / "events.qmp", console)))
        port = await qmp.forwarded_port(home / "qmp")
        self._hosts[host.name] = HostStatus(pid=qemu.pid, port=port)
        self._watch(host.name)

    async def _appear(self, path: Path, qemu: Process) -> None:
        while not path.exists():
            if qemu.returncode is not None:
                said = (path.parent / "qemu.log").read_text(errors="replace").strip().splitlines()
                raise LabError(
                    f"QEMU did not start: {said[-1] if said else qemu.returncode}", hint="see qemu.log"
                )
            await asyncio.sleep(0.02)

    def _watch(self, name: str) -> None:
        async def until_it_ends() -> None:
            status = await self._children[name].wait()
            if name in self._hosts:
                gone = self._hosts[name]
                self._hosts[name] = HostStatus(pid=gone.pid, port=gone.port, running=False)
            if not self._over.is_set():
                self._say("running", f"{name} ended with {status}", f"its log is in {self._home}")

        self._tasks.append(asyncio.create_task(until_it_ends()))

    def _say(self, phase: str, problem: str = "", hint: str = "") -> None:
        endpoints = {}
        with contextlib.suppress(KeyError):
            for endpoint in self._plan.topology.endpoints:
                pid = self._wires.pid(endpoint.name)
                endpoints[endpoint.name] = EndpointStatus(
                    pid=pid,
                    netns=f"/proc/{pid}/ns/net",
                    userns=f"/proc/{pid}/ns/user" if self._wires.own_user_namespace else None,
                )
        said = LabStatus(
            pid=os.getpid(),
            phase=phase,  # type: ignore[arg-type]
            problem=problem,
            hint=hint,
            hosts=dict(self._hosts),
            endpoints=endpoints,
        )
        write_status(self._home, said)

    async def _stop(self) -> None:
        self._over.set()
        for child in self._children.values():
            process.end_group(child.pid, signal.SIGKILL)
        for child in self._children.values():
            await child.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wires.end()


def qemu_argv(plan: LabPlan, host: LabHost, home: Path, taps: list[int]) -> list[str]:
    """How a host is run. One processor: with two, software emulation hung one boot in two, and one boots sooner."""
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{host.name}.{plan.name}.seatrial")
    argv = [
        _QEMU, "-name", host.name, "-uuid", str(identity), "-machine", "pc", "-accel", plan.accelerator.accel,
        "-cpu", plan.accelerator.cpu, "-smp", "1", "-m", str(plan.memory_mib), "-nodefaults", "-no-user-config",
        "-display", "none",
        # A guest that powers itself off stays there, off, and can be started again by the reset button.
        "-action", "shutdown=pause",
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
        "-netdev", "user,id=net-mgmt0,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:0-:22",
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


def _stamp(console: IO[str], text: str) -> None:
    console.write(f"{mark(text)}\n")
    console.flush()


async def _copy_console(serial: asyncio.StreamReader, console: IO[str]) -> None:
    rest = b""
    while chunk := await serial.read(4096):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _CUT:
            whole, rest = [*whole, rest], b""
        for raw in whole:
            if (text := clean(raw)) and console.tell() < _LONGEST_LOG:
                # What a guest writes must not look like the warden's own marks.
                _stamp(console, " " + text if text.startswith("==") else text)


async def _mark_resets(path: Path, console: IO[str]) -> None:
    async with qmp.Qmp(path) as events:
        async for event in events.events():
            if event["event"] == "RESET":
                _stamp(console, f"{RESET} by the {'guest' if event.get('data', {}).get('guest') else 'lab'}")
            elif event["event"] in {"SHUTDOWN", "POWERDOWN", "GUEST_PANICKED", "STOP"}:
                _stamp(console, f"== {event['event'].lower()}")


def main() -> None:
    """Take the lab's lock, detach, and live."""
    home = Path(sys.argv[1])
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("another warden holds this lab")
    plan = read_plan(home)
    # The lock belongs to the open file, which the child has as well; so it is never free in between.
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    log = os.open(home / "warden.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    nothing = os.open("/dev/null", os.O_RDONLY)
    for descriptor, onto in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, onto)
    asyncio.run(Warden(home, plan).live())


if __name__ == "__main__":
    main()
