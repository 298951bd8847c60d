"""A place of a simulated platform: it answers Commands by their names, in the words in which a real host would.

The parsers, the judges, the rules and the engine above it are the real ones. What is not in: what happens to the
platform (simulation.py).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import lru_cache

from seatrial.model.command import Command, Output, Trouble
from seatrial.model.fleet import Flow
from seatrial.vantage import simulatedpair
from seatrial.vantage.simulation import EXEC_SECONDS, SimulatedGuard, Simulation

_UUID = "5ea7d1a1-0000-4000-8000-000000000001"


# The parts of an audit in which a simulated host has nothing to say.
_DRIFT = (
    "kernels", "autoremove", "menu-times", "automatic", "fallback", "efi", "fstab", "missing-sources", "filesystems", "swaps", "watchdog", "sysctl-files",
    "modules-now", "modules-wanted", "module-parameters", "builtin-modules", "routes", "links", "qdiscs", "schedulers", "nft-now",
    "nft-file", "nft-check", "iptables-now", "iptables-file", "exports-file", "exports-now", "units", "unit-files", "unit-states",
    "mount-units", "processes", "groups", "programs", "deleted", "scripts", "changed", "named", "configured", "files", "listeners",
    "served", "addresses", "sshd-test", "errors-now", "errors-before", "memory", "pcie", "raid", "disks", "board", "firmware",
)  # fmt: skip


class SimulatedVantage:
    """One host or vantage of a Simulation."""

    def __init__(self, name: str, simulation: Simulation) -> None:
        self._name = name
        self._sim = simulation
        self._answers: dict[str, Callable[[Command], Output]] = {
            "boot.facts": self._facts,
            "boot.glance": self._glance,
            "boot.once": self._once,
            "host.describe": self._describe,
            "guard.status": self._guard_status,
            "guard.arm": self._arm,
            "guard.bless": self._bless,
            "guard.extend": self._extend,
            "guard.revert": self._revert,
            "guard.disarm": self._disarm,
            "host.reboot": self._reboot,
            "ha.owner": self._owner,
            "ha.yields": self._yields,
            "ha.yield": self._yield,
            "flow.listen": self._listen,
            "flow.send": self._send,
            "flow.collect": self._collect,
            "flow.carried": self._carried,
            "drift.facts": self._drift,
            "drift.snapshot": self._drift,
            "drift.window": self._window,
            "soak.sample": self._sample,
            "host.up": lambda command: _said(command, ""),
            "soak.load": lambda command: _said(command, ""),
            "soak.flows": lambda command: _said(command, ""),
        }

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        return self._name

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Answer `commands`; time passes on the platform for each exec."""
        await self._sim.spend(EXEC_SECONDS)
        answers = [self._run(command) for command in commands]
        # What is measured takes as long as it is measured.
        if measured := sum(json.loads(c.argv[-1])["seconds"] for c in commands if c.name == "soak.sample"):
            await self._sim.spend(measured)
        return answers

    async def fresh(self) -> None:
        """There is no connection that could be old."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _run(self, command: Command) -> Output:
        if not self._sim.answers(self._name):
            return Output(
                command=command,
                status=None,
                trouble=Trouble.UNREACHABLE,
                problem=f"{self._name}: no route to host (simulated)",
                hint="it may be rebooting",
            )
        if command.name.startswith("drbd-nfs."):
            return simulatedpair.answer(self._sim, self._name, command)
        if command.name == "nfs.ask":
            return simulatedpair.served(self._sim, command)
        answer = self._answers.get(command.name)
        if answer is None:
            # A check that nobody taught the simulation is not made up: it has no answer here.
            return Output(
                command=command,
                status=None,
                trouble=Trouble.NO_PROGRAM,
                problem=f"a simulated place does not answer {command.name}",
                hint="leave it out of a rehearsal",
            )
        return answer(command)

    # -- the boot loader -------------------------------------------------------------------------------------------

    def _facts(self, command: Command) -> Output:
        sim = self._sim
        free = 0 if sim.has(self._name, "disk-full") else 10**9
        mode = "unwritable" if sim.has(self._name, "grubenv-unwritable") else "writable"
        mounts = "\n".join("/ ext4 /dev/sda1 rw" for _ in range(3))
        frame = "\n".join(f"/dev/sda1 1 1 {free} 1% {path}" for path in ("/", "/", "/"))
        sections = {
            "env-file": f"1024 regular file\n{mode}\n/boot/grub/grubenv",
            "env-device": "/sys/devices/pci0000:00/0000:00:01.0/block/sda/sda1",
            "mounts": mounts,
            "room": f"head\n{frame}",
            "inodes": f"head\n{frame}",
            "packages": "",
            "panic": "10",
            "watchdog": "",
        }
        rest = "".join(_section(name, text) for name, text in sections.items())
        return _said(command, f"{self._glanced()}{rest}@done\n")

    def _glance(self, command: Command) -> Output:
        return _said(command, f"{self._glanced()}@done\n")

    def _glanced(self) -> str:
        sim, host = self._sim, self._sim.hosts[self._name]
        env = "# GRUB Environment Block\n" + f"saved_entry={_entry(host.default)}\n"
        env += f"next_entry={_entry(host.next)}\n" if host.next else ""
        sections = {
            "running": host.running,
            "boot-id": host.boot_id(self._name),
            "uptime": f"{sim.uptime(self._name):.2f} 1.00",
            "env": env.ljust(1024, "#"),
        }
        return "".join(_section(name, text) for name, text in sections.items()) + _installed(self._kernels())

    def _kernels(self) -> tuple[str, ...]:
        kernels = self._sim.hosts[self._name].kernels
        broken = self._sim.has(self._name, "no-good-kernel")
        return tuple(kernels[1:] if broken else kernels)

    def _describe(self, command: Command) -> Output:
        """A virtual machine with the modules of a gateway."""
        host = self._sim.hosts[self._name]
        modules = ("virtio_net", "nf_conntrack", "nf_nat", "nf_tables", "nft_chain_nat", "nft_masq", "vrf")
        sections = {
            "running": host.running,
            "machine": "x86_64",
            "built": "#1 SMP PREEMPT_DYNAMIC",
            "dmi": "sys_vendor Seatrial\nproduct_name simulated host",
            "cpu": "      1 simulated processor",
            "nics": "lan0 virtio_net\nwan0 virtio_net",
            "modules": "\n".join(modules),
            "filesystems": "ext4",
            "kernels": "",
        }
        return _said(command, "".join(_section(name, text) for name, text in sections.items()) + "@done\n")

    def _drift(self, command: Command) -> Output:
        """A host of which nothing but its kernel ever changes."""
        sim, host = self._sim, self._sim.hosts[self._name]
        now = int(sim.now().timestamp())
        booted = now - int(sim.uptime(self._name))
        said = f"host {self._name}\nkernel {host.running}\nnow {now}\nbtime {booted}\nos-ID debian\nos-VERSION_ID 12\n"
        said += "init systemd\nroot yes\nloader grub\nclock-ticks 100\nkexec 0"
        sections = dict.fromkeys(_DRIFT, "") | {
            "identity": said,
            "uptime": f"{sim.uptime(self._name):.2f} 1.00",
            "cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{host.running} root=/dev/sda1 ro panic=10",
            "mountinfo": "19 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "sysctl-now": "net/ipv4/ip_forward:1\nvm/swappiness:60",
            "boot-lines": "/etc/rc.local:echo 1 >/proc/sys/net/ipv4/ip_forward",
            "devices": "name /dev/sda1\nname /dev/sda",
            "packages": "\n".join(f"linux-image-{kernel} 6.1 ii" for kernel in host.kernels),
        }
        return _said(command, "".join(_section(name, text) for name, text in sections.items()) + "@done\n")

    def _window(self, command: Command) -> Output:
        """A host on which nobody does anything."""
        sections = ("identity", "package-log", "certificate-files")
        return _said(command, "".join(_section(name, "") for name in sections) + "@done\n")

    def _once(self, command: Command) -> Output:
        host = self._sim.hosts[self._name]
        if host.next:
            return _said(command, "refused: another one-shot boot is pending\n", status=3)
        host.next = next(kernel for kernel in host.kernels if command.argv[-1] == _entry(kernel))
        self._sim.changed()
        return _said(command, "done\n")

    def _reboot(self, command: Command) -> Output:
        self._sim.reboot(self._name)
        self._sim.changed()
        return _said(command, "done: rebooting\n")

    # -- the guard -------------------------------------------------------------------------------------------------

    def _guard(self) -> SimulatedGuard:
        return self._sim.hosts[self._name].guard

    def _guard_status(self, command: Command) -> Output:
        return self._guard_said(command, "done", "")

    def _guard_said(self, command: Command, word: str, text: str) -> Output:
        guard = self._guard()
        shown = "\n".join(
            f"{key}={value}"
            for key, value in (
                ("answer", word),
                ("text", text),
                ("phase", guard.phase),
                ("trial", guard.trial),
                ("good", guard.good),
                ("candidate", guard.candidate),
                ("deadline", str(int(guard.deadline))),
                ("armed_boot_id", guard.armed_boot_id),
                ("blessed_boot_id", guard.blessed_boot_id),
                ("because", guard.because),
            )
        )
        status = {"done": 0, "refused": 3}.get(word, 4)
        return _said(command, f"@guard 1\n{shown}\n@end\n", status=status)

    def _arm(self, command: Command) -> Output:
        trial, good, candidate, _saved, _good_entry, _candidate_entry, seconds = command.argv[-7:]
        sim, host = self._sim, self._sim.hosts[self._name]
        if sim.has(self._name, "disk-full"):
            return self._guard_said(command, "refused", "no room in /var/lib/seatrial")
        host.guard = SimulatedGuard(
            phase="armed",
            trial=trial,
            good=good,
            candidate=candidate,
            deadline=float(seconds),
            armed_boot_id=host.boot_id(self._name),
        )
        sim.changed()
        return self._guard_said(command, "done", "armed")

    def _bless(self, command: Command) -> Output:
        trial, boot_id, kernel = command.argv[-3:]
        host, guard = self._sim.hosts[self._name], self._guard()
        here = (guard.trial, host.boot_id(self._name), host.running)
        if here != (trial, boot_id, kernel) or guard.phase not in ("armed", "blessed"):
            return self._guard_said(command, "refused", "the trial, the boot or the kernel is another one")
        guard.phase, guard.blessed_boot_id, host.default = "blessed", boot_id, kernel
        self._sim.changed()
        return self._guard_said(command, "done", "blessed")

    def _extend(self, command: Command) -> Output:
        trial, boot_id, seconds = command.argv[-3:]
        host, guard = self._sim.hosts[self._name], self._guard()
        if (guard.trial, host.boot_id(self._name), guard.phase) != (trial, boot_id, "armed"):
            return self._guard_said(command, "refused", "no such trial is armed")
        guard.deadline = max(guard.deadline, self._sim.uptime(self._name) + float(seconds))
        self._sim.watch(self._name)
        self._sim.changed()
        return self._guard_said(command, "done", "extended")

    def _revert(self, command: Command) -> Output:
        guard = self._guard()
        guard.because = guard.because or "the controller asked for it"
        self._sim.reboot(self._name)
        self._sim.changed()
        return self._guard_said(command, "done", "rebooting")

    def _disarm(self, command: Command) -> Output:
        host = self._sim.hosts[self._name]
        host.next = ""
        if host.guard.phase == "armed":
            host.guard.phase = "disarmed"
        self._sim.changed()
        return self._guard_said(command, "done", "disarmed")

    # -- keepalived ------------------------------------------------------------------------------------------------

    def _owner(self, command: Command) -> Output:
        group = self._sim.fleet.group_of(self._name) or ""
        owns = (
            self._sim.owners.get(group) == self._name
            and command.argv[-1] in self._sim.fleet.groups[group].mover.addresses
        )
        return _said(command, f"3: wan    inet {command.argv[-1]}/32 scope global wan\n" if owns else "")

    def _yields(self, command: Command) -> Output:
        return _said(command, "1\n" if self._sim.hosts[self._name].yields else "0\n")

    def _yield(self, command: Command) -> Output:
        self._sim.hosts[self._name].yields = command.argv[-1] != "0"
        if group := self._sim.fleet.group_of(self._name):
            self._sim.elect(group)
        self._sim.changed()
        return _said(command, "")

    # -- flows -----------------------------------------------------------------------------------------------------

    def _listen(self, command: Command) -> Output:
        spec = json.loads(command.argv[-1])
        self._sim.rounds.setdefault(spec["run"], {})
        return _said(
            command, json.dumps({"run": spec["run"], "flows": {flow["flow"]: {} for flow in spec["flows"]}})
        )

    def _send(self, command: Command) -> Output:
        spec = json.loads(command.argv[-1])
        flows = {}
        for asked in spec["flows"]:
            flow = self._sim.fleet.flows[asked["flow"]]
            carrier = self._carrier(flow)
            lost = carrier is None
            # The bug of 2021 lost the answers of translated flows only.
            unanswered = lost or self._sim.has(str(carrier), "answers-lost")
            unanswered |= flow.source is not None and self._sim.has(str(carrier), "replies-lost")
            state = 3 if not unanswered else 1
            rows = [[n, 40000 + n, state, 900 if state == 3 else 0, 0] for n in range(asked["count"])]
            flows[asked["flow"]] = {"source": _address_of(flow), "size": flow.size, "probes": rows}
            seen = {
                "carrier": carrier,
                "arrived": 0 if lost else asked["count"],
                "answered": asked["count"] if state == 3 else 0,
            }
            self._sim.began(spec["run"], asked["flow"], seen)
        return _said(command, json.dumps({"run": spec["run"], "flows": flows}))

    def _collect(self, command: Command) -> Output:
        run = json.loads(command.argv[-1])["run"]
        flows: dict[str, object] = {}
        ports: list[dict[str, object]] = []
        for name, seen in self._sim.rounds.get(run, {}).items():
            flow = self._sim.fleet.flows[name]
            if flow.to != self._name:
                continue
            source = flow.source or _address_of(flow)
            arrived = int(seen["arrived"])
            if flow.protocol == "tcp" and seen["answered"] == 0:
                # A connection whose answers are lost never gets to its token: only its attempts are seen.
                orphans = [[source, 40000 + n] for n in range(arrived)]
                ports.append({"version": 6 if ":" in source else 4, "port": flow.port, "orphans": orphans})
                arrived = 0
            sources = {source: arrived} if arrived else {}
            flows[name] = {"arrived": arrived, "whole": arrived, "sources": sources}
        return _said(command, json.dumps({"run": run, "flows": flows, "ports": ports}))

    def _carried(self, command: Command) -> Output:
        lines = []
        for name, flow in self._sim.fleet.flows_of(self._name).items():
            seen = self._sim.newest(name)
            if seen is None or seen["carrier"] != self._name:
                continue
            six = ":" in flow.address
            protocol = "icmpv6" if six and flow.protocol == "icmp" else flow.protocol
            kind = flow.port if flow.port is not None else 128 if six else 8
            lines += [
                f"{protocol} {_address_of(flow)} {40000 + n} {flow.address} {kind} 2"
                for n in range(int(seen["arrived"]))
            ]
        return _said(command, "\n".join([*lines, f"end {len(lines)}"]) + "\n")

    def _sample(self, command: Command) -> Output:
        """A disk whose requests take about 2 ms, or three times that where it is slow; time passes while it is measured."""
        spec = json.loads(command.argv[-1])
        sim, host = self._sim, self._sim.hosts[self._name]
        dice = random.Random(f"{self._name} {sim.seconds}")  # noqa: S311 - a simulation, and the same each time
        slow = 3.0 if sim.has(self._name, "slow-disk") else 1.0
        rate = 0.0 if sim.has(self._name, "no-load") else 60.0
        began, ops, busy = sim.uptime(self._name), 1000.0, 5000.0
        rows = [
            json.dumps({"boot_id": host.boot_id(self._name), "kernel": host.running, "cpus": 2, "t": began})
        ]
        for number in range(int(spec["seconds"] / spec["every"]) + 1):
            done = round(rate * spec["every"] * dice.uniform(0.8, 1.2))
            ops, busy = ops + done, busy + done * 2.0 * slow * dice.lognormvariate(0.0, 0.2)
            values = {
                "disk.vda.ops": ops,
                "disk.vda.ms": busy,
                "load.1": slow * dice.uniform(0.4, 0.6),
                "blocked": 0.0,
            }
            rows.append(json.dumps({"t": began + number * spec["every"], "v": values}))
        rows.append(json.dumps({"end": began + spec["seconds"], "cpu": 0.01, "new": []}))
        return _said(command, "\n".join(rows) + "\n")

    def _carrier(self, flow: Flow) -> str | None:
        host = self._sim.owners.get(flow.by, flow.by)
        return host if self._sim.is_up(host) else None


def _said(command: Command, stdout: str, *, status: int = 0) -> Output:
    return Output(command=command, status=status, stdout=stdout, seconds=0.01)


def _section(name: str, text: str) -> str:
    marked = text.replace("\n", "\n|")
    return f"@begin {name}\n|{marked}\n|@0\n@end {name}\n"


def _entry(kernel: str) -> str:
    return f"gnulinux-advanced-{_UUID}>gnulinux-{kernel}-advanced-{_UUID}"


def _address_of(flow: Flow) -> str:
    """An address for the sender that is surely not the translated one."""
    return "2001:db8::5ea" if ":" in flow.address else "192.0.2.250"


@lru_cache(maxsize=64)
def _installed(kernels: tuple[str, ...]) -> str:
    """What /boot, /lib/modules and the menu say of these kernels."""
    files = [f"9000000 /boot/{what}-{k}" for k in kernels for what in ("vmlinuz", "initrd.img")]
    modules = [f"1000 /lib/modules/{k}/modules.dep" for k in kernels]
    sections = {"boot": "\n".join(files), "modules": "\n".join(modules), "cfg": _menu(kernels)}
    return "".join(_section(name, text) for name, text in sections.items())


def _menu(kernels: tuple[str, ...]) -> str:
    entries = "".join(
        f"\tmenuentry 'Debian GNU/Linux, with Linux {kernel}' --class debian $menuentry_id_option "
        f"'gnulinux-{kernel}-advanced-{_UUID}' {{\n"
        f"\t\tlinux\t/boot/vmlinuz-{kernel} root=UUID={_UUID} ro quiet panic=10\n"
        f"\t\tinitrd\t/boot/initrd.img-{kernel}\n\t}}\n"
        for kernel in sorted(kernels, reverse=True)
    )
    return (
        "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"
        'if [ "${next_entry}" ] ; then\n   set default="${next_entry}"\n   set next_entry=\n'
        '   save_env next_entry\n   set boot_once=true\nelse\n   set default="${saved_entry}"\nfi\n'
        "set timeout=1\n"
        f"submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-{_UUID}' {{\n{entries}}}\n"
    )
