"""The warden: the one process that a lab's namespaces, virtual machines and services are children of.

Run as `setsid --fork python -m seatrial.lab.warden DIRECTORY`; it lives until it is told to end (SIGTERM), until the
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
from asyncio.subprocess import Process
from pathlib import Path
from typing import Literal

from seatrial.errors import LabError, SeatrialError
from seatrial.lab.machine import Machine
from seatrial.lab.plan import (
    EndpointStatus,
    LabPlan,
    LabStatus,
    read_plan,
    read_stopped,
    write_status,
)
from seatrial.lab.topology import HERE, Program
from seatrial.lab.wires import DIE_WITH_PARENT, Wires
from seatrial.vantage import process

_BEFORE_LIMIT = 60.0


class Warden:
    """One lab, from its wires to its end."""

    def __init__(self, home: Path, plan: LabPlan) -> None:
        self._home = home
        self._plan = plan
        self._wires = Wires()
        self._children: dict[str, Process] = {}
        self._programs: dict[str, tuple[str, Program]] = {}
        self._stopped: frozenset[str] = frozenset()
        self._reconciling = asyncio.Lock()
        self._machines: dict[str, Machine] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._phase: Literal["starting", "running", "failed", "down"] = "starting"
        self._problem = self._hint = ""

    async def live(self) -> None:
        """Bring everything up, wait for the end, take everything down."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._over.set)
        loop.add_signal_handler(
            signal.SIGHUP, lambda: self._tasks.append(loop.create_task(self._reconcile()))
        )
        self._watch_owner(loop)
        self._say()
        try:
            await self._start()
            self._phase = "running"
            self._say()
            await self._over.wait()
        except SeatrialError as problem:
            self._phase = "failed"
            self._trouble(problem.message, problem.hint)
        except Exception as problem:
            self._phase = "failed"
            self._trouble(f"{type(problem).__name__}: {problem}", f"read {self._home / 'warden.log'}")
            raise
        finally:
            await self._stop()

    def _watch_owner(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._plan.owner_pid is None:
            return
        try:
            owner = os.pidfd_open(self._plan.owner_pid)
        except ProcessLookupError:
            self._over.set()
            return
        # A pidfd becomes readable when its process ends, and unlike a number it is never somebody else's.
        loop.add_reader(owner, self._over.set)

    async def _start(self) -> None:
        await self._wires.lay(self._plan.topology)
        taps = await self._wires.taps(
            (f"{host.name}-{nic.name}", nic.segment)
            for host in self._plan.topology.hosts
            for nic in host.nics
        )
        for host in self._plan.topology.hosts:
            plugged = [taps[f"{host.name}-{nic.name}"] for nic in host.nics]
            machine = Machine(self._plan, host, self._home / host.name, plugged, self._say)
            self._machines[host.name] = machine
            await machine.start()
            self._tasks.append(asyncio.create_task(self._keep(host.name, machine)))
        for endpoint in self._plan.topology.endpoints:
            for program in endpoint.programs:
                name = f"{endpoint.name}-{program.name}"
                self._programs[name] = endpoint.name, program
                await self._make_ready(name)
                await self._run(name)

    async def _make_ready(self, name: str) -> None:
        """A program's own directory with its files, and what it wants to be done there before it runs."""
        endpoint, program = self._programs[name]
        here = self._home / name
        for path, content in program.files:
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).write_text(content.replace(HERE, str(here)))
        for words in program.before:
            argv = [*self._wires.enter(endpoint), *DIE_WITH_PARENT, *self._filled(name, words)]
            ended = await process.run(argv, timeout=_BEFORE_LIMIT)
            if ended.status != 0:
                said = ended.stderr.decode(errors="replace").strip()[-300:]
                raise LabError(
                    f"{name} could not be made ready: {words[0]} ended with {ended.status}: {said}",
                    hint=_advice(program, self._home / f"{name}.log"),
                )

    async def _run(self, name: str) -> None:
        endpoint, program = self._programs[name]
        with (self._home / f"{name}.log").open("ab") as log:
            self._children[name] = await process.start(
                [*self._wires.enter(endpoint), *DIE_WITH_PARENT, *self._filled(name, program.argv)],
                stdout=log.fileno(),
                stderr=process.STDOUT,
            )
        self._watch(name, self._children[name])

    def _filled(self, name: str, words: tuple[str, ...]) -> list[str]:
        folders = (("@WWW@", str(self._home / "www")), (HERE, str(self._home / name)))
        filled = list(words)
        for mark, folder in folders:
            filled = [word.replace(mark, folder) for word in filled]
        return filled

    async def _reconcile(self) -> None:
        """Let those programs run that are to run, and no others."""
        async with self._reconciling:
            self._stopped = read_stopped(self._home)
            for name in self._programs:
                child = self._children.get(name)
                # The number of one that has ended may be somebody else's by now.
                running = child if child is not None and child.returncode is None else None
                if name in self._stopped and running is not None:
                    process.end_group(running.pid, signal.SIGKILL)
                    await running.wait()
                elif name not in self._stopped and running is None:
                    await self._run(name)
            self._say()

    async def _keep(self, name: str, machine: Machine) -> None:
        try:
            await machine.live()
        except SeatrialError as problem:
            self._trouble(f"{name}: {problem.message}", problem.hint)

    def _watch(self, name: str, child: Process) -> None:
        async def until_it_ends() -> None:
            status = await child.wait()
            if name not in self._stopped:
                log = self._home / f"{name}.log"
                hint = _advice(self._programs[name][1], log)
                self._trouble(f"{name} ended with {status}{_last_words(log)}", hint)

        self._tasks.append(asyncio.create_task(until_it_ends()))

    def _trouble(self, problem: str, hint: str) -> None:
        if not self._over.is_set():
            self._problem, self._hint = problem, hint
            self._say()

    def _say(self) -> None:
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
            phase=self._phase,
            problem=self._problem,
            hint=self._hint,
            hosts={name: machine.status for name, machine in self._machines.items() if machine.status},
            endpoints=endpoints,
            programs={name: one.pid for name, one in self._children.items() if one.returncode is None},
        )
        write_status(self._home, said)

    async def _stop(self) -> None:
        self._over.set()
        for child in self._children.values():
            if child.returncode is None:
                process.end_group(child.pid, signal.SIGKILL)
        for child in self._children.values():
            await child.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for machine in self._machines.values():
            await machine.end()
        await self._wires.end()


def _last_words(log: Path) -> str:
    """The end of what a program wrote, since the log goes with a lab that did not come up."""
    text = log.read_text(errors="replace").strip()[-300:]
    return f": {text}" if text else ""


def _advice(program: Program, log: Path) -> str:
    return (
        f"apt install {program.package}, if it is not there; its log is {log}"
        if program.package
        else f"read {log}"
    )


def main() -> None:
    """Take the lab's lock, let go of the starter's streams, and live."""
    home = Path(sys.argv[1])
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("another warden holds this lab")
    plan = read_plan(home)
    # Whoever started this waits until its streams are let go of, and then the lock is taken.
    os.chdir("/")
    log = os.open(home / "warden.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    nothing = os.open("/dev/null", os.O_RDONLY)
    for descriptor, onto in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, onto)
    asyncio.run(Warden(home, plan).live())


if __name__ == "__main__":
    main()
