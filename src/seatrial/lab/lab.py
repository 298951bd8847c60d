"""A lab as the rest of Seatrial sees it: up, attached to, asked, changed, down.

What is in: preparing a lab's directory, starting its warden, logging in to its hosts over SSH, waiting for what was
asked for. What is not: what a warden does (warden.py), what faults are (scenario.py), any trial of a kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from seatrial.clock import SystemClock, monotonic
from seatrial.errors import LabError
from seatrial.lab import accel, console, image, plan, qmp, realbug, scenario, seed
from seatrial.lab.console import BootTimings, ConsoleLine
from seatrial.lab.faults import FAULTS, Deed, Kept, Moved, OnPlace
from seatrial.lab.gateway import gateway_topology, services_topology, staging_topology
from seatrial.lab.image import Kernels, Progress
from seatrial.lab.nfsload import nfs_load_topology
from seatrial.lab.nfspair import nfs_pair_topology
from seatrial.lab.places import lab_home, state_home
from seatrial.lab.scenario import Scenario
from seatrial.lab.topology import YIELD_FILE, Endpoint, LabHost, Topology
from seatrial.vantage import process

TOPOLOGIES = MappingProxyType(
    {
        "gateway": gateway_topology,
        "gateway-staging": staging_topology,
        "gateway-services": services_topology,
        "nfs-load": nfs_load_topology,
        "nfs-pair": nfs_pair_topology,
    }
)
# Three boots at once on two processors that others use as well; a limit for giving up, not an expectation.
BOOT_LIMIT = 600.0
START_LIMIT = 120.0
_PAUSE = 0.25
_CLOCK = SystemClock()


class Lab:
    """One lab that is up."""

    def __init__(self, home: Path, told: plan.LabPlan) -> None:
        self.home = home
        self._plan = told

    @classmethod
    async def up(
        cls, name: str, topology: str = "gateway", *, progress: Progress, owner_pid: int | None = None
    ) -> Lab:
        """Bring a lab up; it is ready when this returns. With `owner_pid` it ends when that process does.

        Raises LabError when a lab of that name is up already, or when anything of it does not come up (then all of
        it is taken down again).
        """
        home = lab_home(name)
        if plan.is_alive(home):
            raise LabError(
                f"the lab {name} is up already", hint=f"seatrial lab down {name}, or use another name"
            )
        _sweep(home)
        accelerator = await accel.probe()
        progress(accelerator.because, None)
        base = await image.ensure(progress)
        told = plan.LabPlan(
            name=name,
            topology=TOPOLOGIES[topology](),
            accelerator=accelerator,
            kernels=base.kernels,
            root_uuid=base.root_uuid,
            owner_pid=owner_pid,
        )
        lab = cls(home, told)
        try:
            await lab._prepare(base)
            await lab._start_warden()
            await asyncio.gather(*(lab._first_boot(host, progress) for host in told.topology.hosts))
            await lab._settle_owners()
            if (said := lab.status()).problem:
                # A lab that has lost a service on the way is not the platform that was asked for.
                raise LabError(said.problem, hint=said.hint)
        except BaseException:
            await lab.down()
            raise
        return lab

    @classmethod
    def attach(cls, name: str) -> Lab:
        """The lab of that name that is up. Raises LabError when there is none."""
        home = lab_home(name)
        if not plan.is_alive(home):
            raise LabError(f"no lab {name} is up here", hint=f"seatrial lab up {name}")
        return cls(home, plan.read_plan(home))

    @classmethod
    def names(cls) -> list[str]:
        """The labs that are up."""
        homes = state_home()
        return sorted(home.name for home in homes.iterdir() if plan.is_alive(home)) if homes.is_dir() else []

    @property
    def name(self) -> str:
        """The lab's name."""
        return self._plan.name

    @property
    def kernels(self) -> Kernels:
        """The good kernel and the candidate, as `uname -r` says them."""
        return self._plan.kernels

    @property
    def accelerator(self) -> accel.Accelerator:
        """What runs the guests, and why."""
        return self._plan.accelerator

    @property
    def topology(self) -> Topology:
        """What is in the lab."""
        return self._plan.topology

    @property
    def hosts(self) -> Mapping[str, LabHost]:
        """The virtual machines by name."""
        return {host.name: host for host in self.topology.hosts}

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """The namespaces by name."""
        return {endpoint.name: endpoint for endpoint in self.topology.endpoints}

    @property
    def ssh_config(self) -> Path:
        """An OpenSSH configuration with every host in it."""
        return self.home / "ssh_config"

    def status(self) -> plan.LabStatus:
        """What the warden last said. Raises LabError when the lab is not up (any more)."""
        said = plan.read_status(self.home)
        if said is None or not plan.is_alive(self.home):
            raise LabError(f"the lab {self.name} is not up", hint=f"seatrial lab up {self.name}")
        return said

    def menu_id(self, release: str) -> str:
        """The boot menu entry of a kernel, as grub-reboot wants it."""
        ident = self._plan.root_uuid
        return f"gnulinux-advanced-{ident}>gnulinux-{release}-advanced-{ident}"

    def enter(self, endpoint: str) -> list[str]:
        """The argv in front of a program that is to run in an endpoint."""
        where = self.status().endpoints[endpoint]
        user = [f"--user={where.userns}", "--preserve-credentials"] if where.userns else []
        return ["nsenter", *user, f"--net={where.netns}"]

    def ssh_argv(self, host: str, argv: Sequence[str] = ()) -> list[str]:
        """The argv of a login to a host, or of one command on it."""
        login = ["ssh", "-F", str(self.ssh_config), host]
        return [*login, "--", shlex.join(argv)] if argv else login

    async def ssh(self, host: str, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> str:
        """Run a command on a host and return what it wrote. Raises LabError when it does not end with 0."""
        ended = await process.run(self.ssh_argv(host, argv), stdin=stdin, timeout=timeout)
        if ended.status != 0:
            said = ended.stderr.decode(errors="replace").strip()[-500:]
            raise LabError(
                f"{host}: {shlex.join(argv)[:200]} ended with {ended.status}: {said}", hint=ended.paste[:500]
            )
        return ended.stdout.decode(errors="replace")

    def console(self, host: str) -> list[ConsoleLine]:
        """What a host wrote on its serial console since the lab came up."""
        try:
            return console.parse((self.home / host / "console.log").read_text())
        except FileNotFoundError:
            return []

    def boot_timings(self, host: str) -> list[BootTimings]:
        """Where the time of each boot of a host went, the latest last."""
        lines = self.console(host)
        with contextlib.suppress(FileNotFoundError):
            lines += console.parse((self.home / host / "logins.log").read_text())
        return console.boots(sorted(lines, key=lambda line: line.at))

    async def wait_for_boot(self, host: str, *, since: float, limit: float = BOOT_LIMIT) -> BootTimings:
        """Wait until a boot that began after `since` (monotonic seconds) lets somebody log in. Raises LabError."""
        async with self._limit(host, limit):
            while True:
                latest = self.boot_timings(host)[-1:]
                # The console says when a login is worth trying: every try costs the guest a part of a second.
                if latest and latest[0].began >= since and latest[0].userspace is not None:
                    if await self._login(host):
                        break
                elif self._login_is_overdue(latest, since):
                    if await self._login(host):
                        break
                    await _CLOCK.sleep(3)
                await _CLOCK.sleep(_PAUSE)
        return self.boot_timings(host)[-1]

    async def apply(self, fault: Scenario, *, progress: Progress, hosts: Sequence[str] = ()) -> None:
        """Put a fault on the candidate of `hosts` (all of them if none is named), in place of any other."""
        module = b""
        if fault is Scenario.REAL_BUG:
            module = (await realbug.build(self.kernels.candidate, progress)).read_bytes()
        steps = [*scenario.undo(self.kernels), *scenario.put(fault, self.kernels, module)]

        async def on(host: str) -> None:
            for step in steps:
                await self.ssh(host, ["sh", "-c", step.script], stdin=step.stdin, timeout=120.0)

        await asyncio.gather(*(on(host) for host in hosts or self.hosts))
        progress(f"scenario {fault}: {fault.says}", None)

    async def apply_from(
        self, releases: Sequence[str], *, flaky: float, progress: Progress, host: str
    ) -> None:
        """Put the stand-in for the fault of 2021 on these kernels of a host, in place of any other fault."""
        for step in [*scenario.undo(self.kernels), *scenario.put_from(releases, flaky)]:
            await self.ssh(host, ["sh", "-c", step.script], stdin=step.stdin, timeout=120.0)
        progress(
            f"stand-in: {Scenario.GATEWAY_2021.says.partition(',')[0]} from {releases[0]} on, {flaky:.0%} flaky",
            None,
        )

    async def do(self, deeds: Sequence[Deed]) -> None:
        """Do what puts a fault on the running lab, or takes one off, one after the other. Raises LabError."""
        for deed in deeds:
            match deed:
                case OnPlace(place=place, script=script) if place in self.hosts:
                    await self.ssh(place, ["sh", "-ec", script])
                case OnPlace(place=place, script=script):
                    argv = ["sh", "-ec", script.replace("@HOME@", shlex.quote(str(self.home)))]
                    await _run([*self.enter(place), *argv])
                case Kept(program=program, state=state):
                    await self._keep(program, state)
                case Moved(group=group, to=to):
                    await self.move(group, to)

    @property
    def fault(self) -> str | None:
        """The fault that is on the running lab now."""
        with contextlib.suppress(FileNotFoundError):
            name = (self.home / "fault").read_text().strip()
            return name if name in FAULTS else None
        return None

    async def put(self, name: str) -> None:
        """Put a fault on the running lab in place of the one that is there. Raises LabError; KeyError for no fault."""
        fault = FAULTS[name]
        if not {program for one in FAULTS.values() for program in _programs(one.put)} <= {
            *self.status().programs,
            *plan.read_stopped(self.home),
        }:
            raise LabError(
                f"the lab {self.name} has not all of the services that faults are about",
                hint="seatrial lab up --topology gateway-services",
            )
        await self.take_off()
        # Written first: a fault that was put on by half has to be taken off as well.
        (self.home / "fault").write_text(f"{name}\n")
        await self.do(fault.put)

    async def take_off(self) -> str | None:
        """Take off the fault that is there, and say which it was."""
        name = self.fault
        if name is not None:
            await self.do(FAULTS[name].off)
            (self.home / "fault").unlink()
        return name

    async def _keep(self, program: str, state: str) -> None:
        """Have a program of an endpoint run, hang (it keeps its ports and answers nothing) or not run at all."""
        stopped = plan.read_stopped(self.home)
        plan.write_stopped(self.home, stopped | {program} if state == "stopped" else stopped - {program})
        os.kill(self.status().pid, signal.SIGHUP)
        async with self._limit(program, START_LIMIT):
            while (program in self.status().programs) is (state == "stopped"):
                await _CLOCK.sleep(0.05)
        if state != "stopped":
            os.kill(self.status().programs[program], signal.SIGSTOP if state == "hung" else signal.SIGCONT)

    async def boot_once(self, host: str, release: str) -> None:
        """Restart a host into a kernel for one boot, as an operator would by hand; does not wait."""
        await self.ssh(host, ["grub-reboot", self.menu_id(release)])
        await self.ssh(host, ["systemctl", "reboot"])

    async def reset(self, host: str) -> None:
        """Press a host's reset button."""
        await qmp.reset(self.home / host / "qmp")

    async def power_off(self, host: str) -> None:
        """Stop a host at once; `reset` starts it again."""
        await qmp.power_off(self.home / host / "qmp")

    async def set_link(self, host: str, nic: str, *, up: bool) -> None:
        """Pull or plug the cable of a host's lan0, wan0 or mgmt0."""
        await qmp.set_link(self.home / host / "qmp", nic, up=up)

    async def owner(self, group: str) -> str | None:
        """The host of a group that has the virtual addresses now; None when nobody or more than one has."""
        members = [host for host in self.topology.hosts if host.group == group]
        said = await asyncio.gather(*(self._owns(host) for host in members))
        owners = [host.name for host, owns in zip(members, said, strict=True) if owns]
        return owners[0] if len(owners) == 1 else None

    async def move(self, group: str, to: str, *, limit: float = 60.0) -> None:
        """Move a group's traffic: the others yield until `to` owns the addresses, and then stand by again."""
        others = [host.name for host in self.topology.hosts if host.group == group and host.name != to]
        await asyncio.gather(*(self._write_yield(name, 1) for name in others), self._write_yield(to, 0))
        async with self._limit(to, limit):
            while True:
                if await self.owner(group) == to:
                    break
                await _CLOCK.sleep(_PAUSE)
        await asyncio.gather(*(self._write_yield(name, 0) for name in others))

    async def down(self) -> None:
        """Take the lab down and leave nothing of it, whoever started it and however far it came."""
        await take_down(self.home)

    async def _prepare(self, base: image.Image) -> None:
        self.home.mkdir(parents=True, mode=0o700)
        (self.home / "www").mkdir()
        (self.home / "www" / "index.html").write_text("<!doctype html><title>seatrial</title>seatrial lab\n")
        keys = [self.home / "id"]
        for host in self.topology.hosts:
            (self.home / host.name).mkdir()
            keys.append(self.home / host.name / "host_key")
        await asyncio.gather(
            *(_run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]) for key in keys)
        )
        public = (self.home / "id.pub").read_text()
        for host in self.topology.hosts:
            home = self.home / host.name
            packed = seed.pack(host, authorized_key=public, host_key=home / "host_key")
            (home / "seed.tar").write_bytes(packed)
            overlay = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base.disk)]
            await _run([*overlay, str(home / "root.qcow2")])
        plan.write_plan(self.home, self._plan)

    async def _start_warden(self) -> None:
        await _run(
            ["setsid", "--fork", sys.executable, "-m", "seatrial.lab.warden", str(self.home)],
            env=_environment(),
        )
        began = monotonic()
        while True:
            said = plan.read_status(self.home)
            if said is not None and said.phase == "running":
                break
            if said is not None and said.phase == "failed":
                raise LabError(said.problem, hint=said.hint)
            if monotonic() - began > START_LIMIT or (said is None and not plan.is_alive(self.home)):
                log = (self.home / "warden.log").read_text(errors="replace")[-500:]
                raise LabError(
                    f"the lab's warden did not start: {log}", hint="is the machine out of memory or space?"
                )
            await _CLOCK.sleep(0.05)
        self._write_ssh_config(said)

    def _write_ssh_config(self, said: plan.LabStatus) -> None:
        known, config = [], []
        for name, host in said.hosts.items():
            key = (self.home / name / "host_key.pub").read_text().split()
            known.append(f"[127.0.0.1]:{host.port} {key[0]} {key[1]}\n")
            config.append(
                f"Host {name}\n  HostName 127.0.0.1\n  Port {host.port}\n  User root\n"
                f"  IdentityFile {self.home / 'id'}\n  IdentitiesOnly yes\n"
                f"  UserKnownHostsFile {self.home / 'known_hosts'}\n  GlobalKnownHostsFile /dev/null\n"
                "  StrictHostKeyChecking yes\n  PasswordAuthentication no\n  BatchMode yes\n  LogLevel ERROR\n"
            )
        (self.home / "known_hosts").write_text("".join(known))
        self.ssh_config.write_text("\n".join(config))

    async def _first_boot(self, host: LabHost, progress: Progress) -> None:
        timings = await self.wait_for_boot(host.name, since=0.0)
        progress(f"{host.name} up, {timings}", None)

    async def _settle_owners(self) -> None:
        # Which of two equal routers is first is a race; so the other ones yield until the first owner is there.
        for host in self.topology.hosts:
            if host.group and host.first_owner:
                await self.move(host.group, host.name, limit=BOOT_LIMIT)

    async def _owns(self, host: LabHost) -> bool:
        with contextlib.suppress(LabError):
            shown = await self.ssh(host.name, ["ip", "-o", "-4", "address", "show", "dev", host.nics[0].name])
            # keepalived adds its address to the router's own one.
            return shown.count(" inet ") > len(host.nics[0].addresses)
        return False

    async def _write_yield(self, host: str, value: int) -> None:
        await self.ssh(host, ["sh", "-c", 'echo "$1" >"$2"', "sh", str(value), YIELD_FILE])

    def _login_is_overdue(self, latest: Sequence[BootTimings], since: float) -> bool:
        # A console that says nothing (another kernel, another command line) must not keep anybody waiting for ever.
        return bool(latest) and latest[0].began >= since and monotonic() - latest[0].began > 60.0

    async def _login(self, host: str) -> bool:
        ended = await process.run(self.ssh_argv(host, ["true"]), timeout=30.0)
        if ended.status == 0:
            with (self.home / host / "logins.log").open("a") as log:
                log.write(f"{console.mark(console.LOGIN)}\n")
        return ended.status == 0

    @contextlib.asynccontextmanager
    async def _limit(self, host: str, seconds: float):  # type: ignore[no-untyped-def]
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            last = " / ".join(line.text for line in self.console(host)[-3:])
            raise LabError(
                f"{host} did not come that far within {seconds:.0f} s; its console ends with: {last}",
                hint=f"read {self.home / host / 'console.log'}",
            ) from None


def _programs(deeds: Sequence[Deed]) -> set[str]:
    return {deed.program for deed in deeds if isinstance(deed, Kept)}


async def take_down(home: Path) -> None:
    """End the warden of a lab, if it lives, and delete the lab's directory."""
    if plan.is_alive(home):
        said = plan.read_status(home)
        began = monotonic()
        sent: int | None = None
        while plan.is_alive(home):
            number = signal.SIGTERM if monotonic() - began < START_LIMIT else signal.SIGKILL
            said = plan.read_status(home) or said
            if said is not None and number != sent:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(said.pid, number)
                sent = number
            await _CLOCK.sleep(0.05)
    _sweep(home)


def _sweep(home: Path) -> None:
    """Delete what is left of a dead lab. Its processes died with its warden."""
    shutil.rmtree(home, ignore_errors=True)
    for parent in (home.parent, home.parent.parent):
        with contextlib.suppress(OSError):
            parent.rmdir()


def _environment() -> dict[str, str]:
    # The warden imports the same Seatrial as this process, installed or not.
    source = str(Path(__file__).parents[2])
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([source, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]),
    }


async def _run(argv: list[str], env: Mapping[str, str] | None = None) -> None:
    try:
        ended = await process.run(argv, env=env)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed", hint="apt install qemu-utils openssh-client") from None
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-500:]
        raise LabError(f"{argv[0]} ended with {ended.status}: {said}", hint=ended.paste)
