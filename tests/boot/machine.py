"""A machine on paper: a directory for its root, programs that record and play, GRUB's rules, boots. No real reboot.

It is a public part of these tests, not a mock: the guard's own script runs on it, by dash and by busybox, with the
real grub-editenv, dd and mv working on the paper machine's files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from seatrial.boot import guard
from seatrial.boot.grubenv import read_env
from seatrial.model.command import Command, Output
from seatrial.model.hostfacts import BootFacts, GuardFacts, InstalledKernel

GOOD, CANDIDATE, THIRD = "6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64", "5.10.0-32-cloud-amd64"
ID = "2a4b1c9e-0000-4000-8000-5eafa1c0ffee"
SHIM = Path(__file__).with_name("shim.sh")
PROGRAMS = (
    *(
        "cat",
        "dd",
        "flock",
        "grub-editenv",
        "head",
        "ln",
        "mkdir",
        "mktemp",
        "mount",
        "mv",
        "rm",
        "rmdir",
        "sed",
    ),
    *("setsid", "sleep", "stat", "sync", "systemctl", "tail", "wc"),
)
LIMIT = 3000


def entry(version: str) -> str:
    """The menu entry that grub-mkconfig gives a kernel."""
    return f"gnulinux-advanced-{ID}>gnulinux-{version}-advanced-{ID}"


def kernel(version: str, **changes: object) -> InstalledKernel:
    fields: dict[str, object] = {
        "version": version,
        "entry": entry(version),
        "initrd_wanted": True,
        "initrd_present": True,
        "modules": True,
        "panic": 10,
    }
    return InstalledKernel(**(fields | changes))  # type: ignore[arg-type]


def facts() -> BootFacts:
    """What a host says that may be put on trial."""
    return BootFacts(
        running=GOOD,
        boot_id="b",
        uptime=100.0,
        kernels={version: kernel(version) for version in (GOOD, CANDIDATE)},
        saved_default=True,
        default=GOOD,
        next=None,
        room={"/": 10**9},
        inodes={"/": 10**6},
        default_entry=entry(GOOD),
    )


class Machine:
    """One host whose kernel may be put on trial."""

    def __init__(self, root: Path, *, shell: str = "dash") -> None:
        self.root = root
        self.sim = root / "sim"
        self.shell = shell
        for folder in (
            "bin",
            "sim",
            "boot/grub",
            "dev",
            "etc/systemd/system/sysinit.target.wants",
            "var/lib",
        ):
            (root / folder).mkdir(parents=True)
        (root / "etc/systemd/system/sysinit.target.wants/other.service").touch()
        (root / "proc/sys/kernel/random").mkdir(parents=True)
        (root / "dev/kmsg").touch()
        shell_path = shutil.which(shell)
        assert shell_path, f"{shell} is needed: apt install {shell}"
        (root / "bin/sh").symlink_to(shell_path)
        for program in PROGRAMS:
            shutil.copy(SHIM, root / "bin" / program)
            (root / "bin" / program).chmod(0o755)
        self.grubenv = root / "boot/grub/grubenv"
        self.editenv("create")
        self.editenv("set", f"saved_entry={entry(GOOD)}")
        self.boots: list[str] = []
        self.limit = LIMIT
        (self.sim / "deaf").write_text("0\n")
        self.power_on()

    def copy(self, root: Path) -> Machine:
        """Another machine in exactly this one's condition."""
        shutil.copytree(self.root, root, symlinks=True)
        twin = object.__new__(Machine)
        twin.__dict__ = {**self.__dict__, "boots": list(self.boots)}
        twin.root, twin.sim, twin.grubenv = root, root / "sim", root / "boot/grub/grubenv"
        return twin

    def editenv(self, *words: str) -> None:
        subprocess.run(["/usr/bin/grub-editenv", str(self.grubenv), *words], check=True)

    @property
    def env(self) -> dict[str, str]:
        return dict(read_env(self.grubenv.read_text()) or {})

    @property
    def default(self) -> str:
        """The kernel that GRUB takes when no one-shot boot is wished for."""
        saved = self.env.get("saved_entry", "")
        return next((version for version in (GOOD, THIRD) if saved == entry(version)), CANDIDATE)

    def power_on(self, *, kernel: str | None = None, consumes: bool = True) -> None:
        """GRUB chooses as grub-mkconfig's menu does, or `kernel` is what a person picks at the console."""
        wish = self.env.get("next_entry") or None
        if kernel is None:
            saved = self.default
            kernel = saved if wish is None else (CANDIDATE if wish == entry(CANDIDATE) else GOOD)
        if wish is not None and consumes:
            # GRUB keeps the name and empties the value.
            self.editenv("set", "next_entry=")
        self.running, self.boot_id = kernel, str(uuid.uuid4())
        self.boots.append(kernel)
        shutil.rmtree(self.root / "run", ignore_errors=True)
        (self.root / "run/systemd/system").mkdir(parents=True)
        (self.sim / "active").unlink(missing_ok=True)
        (self.root / "proc/sys/kernel/osrelease").write_text(f"{kernel}\n")
        (self.root / "proc/sys/kernel/random/boot_id").write_text(f"{self.boot_id}\n")
        (self.root / "proc/sysrq-trigger").write_text("")
        self.uptime = 5

    @property
    def uptime(self) -> int:
        return int(float((self.root / "proc/uptime").read_text().split()[0]))

    @uptime.setter
    def uptime(self, seconds: int) -> None:
        (self.root / "proc/uptime").write_text(f"{seconds}.00 0.00\n")

    @property
    def enabled(self) -> bool:
        """Whether the next boot starts the unit."""
        units = self.root / "etc/systemd/system"
        return (units / "sysinit.target.wants/seatrial-guard.service").is_symlink() and (
            units / "seatrial-guard.service"
        ).exists()

    def run(self, argv: tuple[str, ...], stdin: bytes = b"", kill: str = "") -> tuple[int, str]:
        """Run one program to its end, or to the k-th external command when `kill` says "K before" or "K after"."""
        (self.sim / "count").write_text("0\n")
        (self.sim / "calls").write_text("")
        (self.sim / "limit").write_text(f"{self.limit}\n")
        for mark in ("kill", "rebooted", "idle", "heard"):
            (self.sim / mark).unlink(missing_ok=True)
        if kill:
            (self.sim / "kill").write_text(f"{kill}\n")
        program = str(self.root / "bin" / argv[0])
        environment = {"SEATRIAL_ROOT": str(self.root), "SEATRIAL_TEST": "1", "PATH": f"{self.root}/bin"}
        process = subprocess.Popen(
            [program, *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        out, err = process.communicate(stdin, timeout=60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        self.stderr = err.decode()
        return process.returncode, out.decode()

    @property
    def calls(self) -> list[str]:
        """The external commands of the last run."""
        return (self.sim / "calls").read_text().splitlines()

    def ask(self, command: Command, kill: str = "") -> Output:
        status, out = self.run(command.argv, command.stdin, kill)
        return Output(command=command, status=status if status >= 0 else None, stdout=out)

    def arm(self, seconds: float = 90, kill: str = "", trial: str = "t1") -> Output:
        command = guard.arm(trial=trial, facts=facts(), good=GOOD, candidate=CANDIDATE, seconds=seconds)
        return self.ask(command, kill)

    def guard(self) -> GuardFacts:
        said = guard.read_status(self.ask(guard.status()))
        assert said is not None
        return said

    def live(self, kill: str = "") -> str:
        """Let this boot's unit run: how it ended (rebooted, idle, ended), "" when the unit is not started."""
        if not self.enabled:
            return ""
        (self.sim / "active").touch()
        self.run(("sh", str(self.root / "etc/seatrial/guard.sh"), "watch"), kill=kill)
        for end in ("rebooted", "idle"):
            if (self.sim / end).exists():
                return end
        (self.sim / "active").unlink(missing_ok=True)
        return "ended"

    def reboot_until_quiet(self, most: int = 8) -> str:
        """Boot again and again until nobody asks for a reboot any more; how the last boot's unit ended."""
        for _ in range(most):
            self.power_on()
            if (end := self.live()) != "rebooted":
                return end
        raise AssertionError(f"a boot loop: {self.boots}")
