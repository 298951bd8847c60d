"""What the next boot would take, and whether it would come up: kernels, boot menu, environment block, root, fstab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from seatrial.boot.refusals import env_hint, menu_hint
from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, NOTE, WARNING, commented_out, finding, in_menu
from seatrial.drift.read.boot import Fallback, FstabLine
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding
from seatrial.model.hostfacts import BootFacts, InstalledKernel

DAY = 86400.0
# What an initramfs or the kernel itself adds, and what GRUB says of itself.
_NOT_COMPARED = ("root=", "initrd=", "BOOT_IMAGE=")
_NO_DEVICE = frozenset(
    {"tmpfs", "proc", "sysfs", "devpts", "devtmpfs", "none", "cgroup2", "bpf", "securityfs"}
)
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "ceph", "glusterfs", "9p", "fuse.sshfs", "lustre", "davfs"})


def kernel(facts: Facts) -> Iterator[Finding]:
    """Which kernel the next boot takes, and every one after it."""
    boot = facts.boot.facts
    if boot is None:
        return
    if boot.pending:
        once = facts.boot.next_version or boot.pending
        then = f", and the one after it {boot.default}" if boot.default else ""
        severity = WARNING if once == boot.running else DANGER
        yield finding(
            "boot.once",
            severity,
            once,
            f"the next boot takes {once} once{then}; {boot.running} is running",
            "grub-editenv /boot/grub/grubenv unset next_entry prev_saved_entry",
        )
    if boot.default and boot.default != boot.running:
        yield finding(
            "boot.kernel",
            DANGER,
            boot.default,
            f"{'later boots take' if boot.pending else 'the next boot takes'} {boot.default}"
            f"{_since(facts, boot.default)}, and {boot.running} is running",
            _keep(boot),
        )


def _since(facts: Facts, version: str) -> str:
    files = facts.boot.kernels.get(version)
    if files is None or files.installed is None or facts.identity.now < files.installed:
        return ""
    days = int((facts.identity.now - files.installed) // DAY)
    if days == 0:
        return ", installed today"
    return f", installed {days} day{'' if days == 1 else 's'} ago"


def _keep(boot: BootFacts) -> str:
    kept = boot.kernels.get(boot.running)
    if kept is None or kept.entry is None:
        return f"apt install --reinstall linux-image-{boot.running} && update-grub, then grub-set-default its entry"
    told = f"grub-set-default {quote(kept.entry)}"
    if boot.saved_default:
        return told
    return f"sed -i 's/^GRUB_DEFAULT=.*/GRUB_DEFAULT=saved/' /etc/default/grub && update-grub && {told}"


def installed(facts: Facts) -> Iterator[Finding]:
    """Newer kernels that were never booted on purpose: harmless while another one is the saved default."""
    boot = facts.boot.facts
    if boot is None or boot.default != boot.running:
        return
    for version in sorted(boot.kernels, key=_version):
        if _version(version) > _version(boot.running):
            yield finding(
                "boot.installed",
                NOTE,
                version,
                f"{version} is{_since(facts, version).removeprefix(',') or ' installed'} and was not booted: {boot.running} runs and is the default",
                f"seatrial rollout start {version}",
                instead=f"apt purge linux-image-{version}",
            )


def _version(release: str) -> tuple[tuple[int, str], ...]:
    """Releases in the order of their numbers: 6.1.0-9 before 6.1.0-10."""
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.findall(r"\d+|[a-z]+", release)
    )


def gone(facts: Facts) -> Iterator[Finding]:
    """The kernel that runs is not on disk any more."""
    boot = facts.boot.facts
    if boot is not None and boot.kernels and boot.running not in boot.kernels:
        yield finding(
            "boot.gone",
            WARNING,
            boot.running,
            f"{boot.running} runs and is not in /boot any more, so there is no way back to it and its modules cannot be loaded",
            f"apt install --reinstall linux-image-{boot.running}",
        )


def fallback(facts: Facts) -> Iterator[Finding]:
    """A second kernel to go back to."""
    boot = facts.boot.facts
    if boot is None or not boot.kernels:
        return
    ready = [version for version, one in boot.kernels.items() if not _missing(one) and one.entry]
    if len(ready) < 2:
        yield finding(
            "boot.fallback",
            NOTE,
            "kernels",
            f"{shown(ready)} is the only kernel that could be booted: there is none to fall back to",
            "keep the kernel before it installed: apt install linux-image-VERSION",
        )


def fallback_entry(facts: Facts) -> Iterator[Finding]:
    """What GRUB itself takes when the kernel of a boot cannot be loaded, where somebody has told it."""
    boot, told = facts.boot.facts, facts.boot.fallback
    if boot is None or not told.entries:
        return
    version = told.entries[0][1]
    severity, problem = WARNING, ""
    lost = next((word for word, version in told.entries if version is None), None)
    if lost is not None:
        problem = f"`{lost}`, which is no entry of its menu that boots a kernel"
    elif version is not None and (one := boot.kernels.get(version)) is None:
        problem = f"{version}, which is not in /boot"
    elif version is not None and one is not None and _missing(one):
        problem = f"{version}, which cannot be booted: without {shown(_missing(one))}"
    elif version == (boot.next or boot.default):
        severity, problem = NOTE, f"{version}, which is the one that it could not load"
    elif version != boot.running:
        problem = f"{version}, and {boot.running} is running"
    if problem:
        yield finding(
            "boot.fallback-entry",
            severity,
            "fallback",
            f"when a boot cannot be loaded GRUB takes {problem}",
            _untold(told),
            instead=f"name the entry of {boot.running} there (numbers of the outermost menu), then update-grub",
        )


def _untold(told: Fallback) -> str:
    if told.place == "/boot/grub/grubenv":
        return "grub-editenv /boot/grub/grubenv unset fallback"
    if not told.line:
        return "update-grub"
    # GRUB leaves out what ends in ~, where it would take any other copy in /etc/grub.d for a part of its menu.
    comment = f"sed -i~ '{told.line}s/^/#/' {quote(told.place)}"
    return f"{comment} && update-grub" if told.place.startswith("/etc/grub.d/") else comment


def firmware(facts: Facts) -> Iterator[Finding]:
    """The firmware's own boot once, which comes before anything that a boot loader was told."""
    told = facts.boot.firmware
    if not told.next:
        return
    path = "/sys/firmware/efi/efivars/BootNext-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    now = f"this one came by {_load_option(told.current, told.current_called)}" if told.current else ""
    yield finding(
        "boot.firmware",
        WARNING if told.next == told.current else DANGER,
        f"Boot{told.next}",
        f"the firmware's next boot takes {_load_option(told.next, told.next_called)} once (BootNext){'; ' if now else ''}{now}",
        f"chattr -i {path} && rm {path}",
        instead="efibootmgr --delete-bootnext",
    )


def _load_option(number: str, called: str) -> str:
    return f"Boot{number} ({called})" if called else f"Boot{number}"


def _missing(one: InstalledKernel) -> list[str]:
    missing = ["its initramfs"] if one.initrd_wanted and not one.initrd_present else []
    return missing + ([] if one.modules else ["its modules"])


def complete(facts: Facts) -> Iterator[Finding]:
    """Initramfs and modules of the kernels in the menu."""
    boot = facts.boot.facts
    if boot is None:
        return
    for version, one in boot.kernels.items():
        coming = version in (boot.default, boot.next)
        for what in _missing(one) if one.entry else ():
            fix = f"update-initramfs -c -k {version}"
            if what == "its modules":
                fix = f"apt install --reinstall linux-image-{version}"
            yield finding(
                "boot.complete",
                DANGER if coming else WARNING,
                f"{version} {what.split()[-1]}",
                f"{version} cannot be booted: {what} {'are' if what.endswith('s') and 'initramfs' not in what else 'is'} missing"
                + (", and the next boot takes it" if coming else ""),
                fix,
            )


def initramfs(facts: Facts) -> Iterator[Finding]:
    """Modules that are newer than the initramfs that would load their older selves."""
    for version, files in facts.boot.kernels.items():
        if files.initrd is not None and files.newer:
            yield finding(
                "boot.initramfs",
                WARNING,
                version,
                f"the initramfs of {version} is older than {files.newer.rsplit('/', 1)[-1]}, so the next boot may load the old module",
                f"update-initramfs -u -k {version}",
            )


def environment(facts: Facts) -> Iterator[Finding]:
    """Whether GRUB can keep what it is told for one boot."""
    boot = facts.boot.facts
    if boot is not None and boot.env_problem:
        yield finding(
            "boot.environment",
            DANGER if boot.saved_default else WARNING,
            "grubenv",
            f"{boot.env_problem}, so the default may be another one and a one-shot boot would not fall back",
            _mended(boot),
        )


def _mended(boot: BootFacts) -> str:
    """The very commands where they are known, and the general hint where they are not."""
    kept = boot.kernels.get(boot.running)
    broken = "not an environment block" in boot.env_problem or "no environment block" in boot.env_problem
    if broken and kept is not None and kept.entry is not None:
        return f"rm -f /boot/grub/grubenv && grub-editenv /boot/grub/grubenv create && grub-set-default {quote(kept.entry)}"
    if "cannot be written on this host" in boot.env_problem:
        return "chattr -i /boot/grub/grubenv"
    return env_hint(boot.env_problem)


def menu(facts: Facts) -> Iterator[Finding]:
    """A menu that stops a headless boot."""
    boot = facts.boot.facts
    if boot is not None and boot.menu_waits:
        yield finding(
            "boot.menu",
            DANGER,
            "grub.cfg",
            f"{boot.menu_waits}, and nobody is there to press it",
            menu_hint(boot.menu_waits)
            if "password" in boot.menu_waits
            else in_menu("headless", "GRUB_TIMEOUT=0", "GRUB_RECORDFAIL_TIMEOUT=0"),
        )


def menu_old(facts: Facts) -> Iterator[Finding]:
    """Settings of the menu that were changed and not written into it."""
    times = facts.boot.menu_times
    written = times.get("/boot/grub/grub.cfg")
    if written is None or facts.boot.facts is None:
        return
    newer = [path for path, when in times.items() if when > written + 1 and path.startswith("/etc/default/")]
    if newer:
        yield finding(
            "boot.menu-old",
            WARNING,
            "grub.cfg",
            f"{shown(newer)} was changed after grub.cfg was written: the next kernel that is installed brings the change, not the next boot",
            "update-grub",
        )


def panic(facts: Facts) -> Iterator[Finding]:
    """What a panic of the next kernel would do."""
    boot = facts.boot.facts
    if boot is None:
        return
    version = boot.next or boot.default or ""
    one = boot.kernels.get(version)
    if one is not None and one.entry and not one.panic:
        yield finding(
            "boot.panic",
            WARNING,
            version,
            f"after a panic {version} would stand still: panic= is not on its command line",
            in_menu("panic", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX panic=10"'),
        )


def watchdog(facts: Facts) -> Iterator[Finding]:
    """A hardware watchdog that nobody feeds."""
    if facts.boot.watchdogs and not facts.boot.watchdog_armed:
        yield finding(
            "boot.watchdog",
            NOTE,
            "watchdog",
            "there is a hardware watchdog and nothing arms it, so a host that hangs stays hung",
            "mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nRuntimeWatchdogSec=60\\n' >/etc/systemd/system.conf.d/watchdog.conf && systemctl daemon-reexec",
        )


def packages(facts: Facts) -> Iterator[Finding]:
    """Packages that are neither in nor out."""
    boot = facts.boot.facts
    if boot is not None and boot.half_configured:
        yield finding(
            "boot.packages",
            DANGER,
            "dpkg",
            f"not wholly installed: {shown(boot.half_configured)}, so nobody knows what a boot or restart would start",
            "dpkg --configure -a && apt-get -f install",
        )


def purge(facts: Facts) -> Iterator[Finding]:
    """Kernels that a clean-up would take although they are the way back."""
    boot = facts.boot.facts
    if boot is None or not facts.boot.autoremove:
        return
    ready = [version for version, one in boot.kernels.items() if not _missing(one) and one.entry]
    left = [version for version in ready if version not in facts.boot.autoremove]
    for version in facts.boot.autoremove:
        role = "runs" if version == boot.running else "is the default" if version == boot.default else ""
        if not role and len(left) < 2 and version in ready:
            role = "is the only one to fall back to"
        if role:
            yield finding(
                "boot.purge",
                DANGER,
                version,
                f"apt autoremove would take {version}, which {role}",
                f"apt-mark manual linux-image-{version}",
            )


def root(facts: Facts) -> Iterator[Finding]:
    """The device that the next kernel would mount as its root."""
    found = next((word for word in reversed(facts.boot.next_options) if word.startswith("root=")), "")
    source = found.removeprefix("root=")
    if source and not _there(facts, source):
        yield finding(
            "boot.root",
            DANGER,
            source,
            f"the next boot would look for its root on {source}, which is not there",
            "update-grub",
            instead="take root= out of GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub",
        )


def _there(facts: Facts, source: str) -> bool:
    """Whether a device is there by the name that fstab or a command line gives it; what is no device is taken for there."""
    kind, equals, value = source.partition("=")
    value = value.strip('"')
    if equals and kind.upper() in ("UUID", "LABEL", "PARTUUID", "PARTLABEL"):
        same = {(what, name.lower()) for what, name in facts.boot.devices}
        # Without one name of that kind nothing can be said: no udev, and blkid may not read the disks.
        known = any(what == kind.lower() for what, _ in same)
        return not known or (kind.lower(), value.lower().replace(" ", "\\x20")) in same
    if source.startswith("/dev/disk/by-"):
        by, _, name = source.removeprefix("/dev/disk/by-").partition("/")
        return _there(facts, f"{by}={name}") if by in ("uuid", "label", "partuuid", "partlabel") else True
    if source.startswith("/dev/") and not source.startswith("/dev/root"):
        plain = source.startswith(("/dev/mapper/", "/dev/sd", "/dev/vd", "/dev/nvme", "/dev/xvd"))
        return not plain or ("name", source) in facts.boot.devices
    return True


def fstab(facts: Facts) -> Iterator[Finding]:
    """Lines of fstab that would not mount."""
    for line in facts.boot.fstab:
        if line.path in ("none", "swap") or line.kind == "swap" or "noauto" in line.options:
            continue
        problem = _fstab_problem(facts, line)
        if problem:
            end = (
                "the next boot ends in emergency mode" if line.needed else "the next boot goes on without it"
            )
            yield finding(
                "boot.fstab",
                DANGER if line.needed else WARNING,
                line.path,
                f"{line.path} would not mount: {problem}; {end}",
                commented_out(line),
                instead=f"bring {line.source} back, or mend the line of {line.path} in /etc/fstab, then systemctl daemon-reload",
            )


def _fstab_problem(facts: Facts, line: FstabLine) -> str:
    kind = line.kind.partition(",")[0]
    known = facts.boot.filesystems
    if kind not in ("auto", "none", "swap") and "bind" not in line.options and known:
        base = {"nfs4": "nfs", "cifs": "cifs"}.get(kind, kind).removeprefix("fuse.")
        is_fuse = kind.startswith("fuse")
        if not is_fuse and not {kind, base} & known:
            return f"no kernel module knows {kind}"
    if kind in _NO_DEVICE or kind in _NETWORK or kind.startswith("fuse"):
        return ""
    if line.source.startswith("/") and not line.source.startswith("/dev/"):
        return f"{line.source} is not there" if line.source in facts.boot.missing_sources else ""
    if line.source.startswith("/dev/") and line.source in facts.boot.missing_sources:
        return f"{line.source} is not there"
    return "" if _there(facts, line.source) else f"{line.source} is not there"


def command_line(facts: Facts) -> Iterator[Finding]:
    """Options that the next boot would add or drop."""
    boot, after = facts.boot.facts, facts.boot.next_options
    if boot is None or not after:
        return
    # A trial's own boot, or another kernel's entry, is told by the questions about the kernel.
    before, coming = _compared(facts.boot.options), _compared(after)
    added = [word for word in coming if word not in before]
    dropped = [word for word in before if word not in coming]
    if added or dropped:
        parts = [f"adds {shown(added)}"] if added else []
        parts += [f"drops {shown(dropped)}"] if dropped else []
        yield finding(
            "boot.command-line",
            WARNING,
            "command line",
            f"the next boot {' and '.join(parts)} on the kernel's command line",
            in_menu("kept", f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {" ".join(dropped)}"')
            if dropped and not added
            else "set what is wanted in GRUB_CMDLINE_LINUX of /etc/default/grub, then update-grub",
            instead="reboot on purpose",
        )


def _compared(options: tuple[str, ...]) -> list[str]:
    return [word for word in options if not word.startswith(_NOT_COMPARED) and word not in ("ro", "rw")]


def automatic(facts: Facts) -> Iterator[Finding]:
    """Reboots that nobody asks for, while the next boot takes another kernel."""
    boot = facts.boot.facts
    if facts.boot.automatic and boot is not None and boot.default != boot.running:
        yield finding(
            "boot.automatic",
            DANGER,
            "unattended-upgrades",
            f"unattended-upgrades may reboot by itself, and that boot takes {boot.default or 'an unknown kernel'}",
            """echo 'Unattended-Upgrade::Automatic-Reboot "false";' >/etc/apt/apt.conf.d/zz-no-automatic-reboot""",
        )


def kexec(facts: Facts) -> Iterator[Finding]:
    """A kernel that is loaded for kexec."""
    if facts.identity.kexec:
        yield finding(
            "boot.kexec",
            WARNING,
            "kexec",
            "a kernel is loaded for kexec: a reboot may start it past the boot loader, and past the way back",
            "kexec --unload",
        )
