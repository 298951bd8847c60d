"""The table of all questions: what each is called, how bad its worst answer is, what it has to know, and who answers it.

The documents are made of this table. What is not in: any question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seatrial.drift.facts import Facts
from seatrial.drift.find import boot, certificates, hardware, network, restart, settings, units
from seatrial.model.finding import Finding

_GRUB = ("grub.cfg", "grub.env", "grub.boot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `names` are the findings it may give, `needs` the sections without which it has no answer.

    `only` says in a word where it arises: grub, systemd, root or "" for everywhere.
    """

    names: tuple[str, ...]
    says: str
    needs: tuple[str, ...]
    find: Callable[[Facts], Iterator[Finding]]
    only: str = ""


def _ask(
    find: Callable[[Facts], Iterator[Finding]], names: str, says: str, needs: str, only: str = ""
) -> Question:
    wanted = tuple(part for word in needs.split() for part in (_GRUB if word == "GRUB" else (word,)))
    return Question(names=tuple(names.split()), says=says, needs=wanted, find=find, only=only)


QUESTIONS: tuple[Question, ...] = (
    _ask(boot.kernel, "boot.kernel boot.once", "the next boot takes another kernel than the one that runs, for good or once", "GRUB", "grub"),
    _ask(boot.complete, "boot.complete", "a kernel of the menu lacks its initramfs or its modules", "GRUB grub.modules", "grub"),
    _ask(boot.environment, "boot.environment", "GRUB cannot keep its default or a one-shot boot", "grub.cfg", "grub"),
    _ask(boot.menu, "boot.menu", "the boot menu waits for a key, always or after a boot that failed (recordfail)", "grub.cfg", "grub"),
    _ask(boot.packages, "boot.packages", "packages are half configured", "grub.packages", "grub"),
    _ask(boot.purge, "boot.purge", "`apt autoremove` would take the way back", "GRUB autoremove", "grub"),
    _ask(boot.root, "boot.root", "the root device of the next kernel is not there", "GRUB devices", "grub"),
    _ask(boot.fstab, "boot.fstab", "a line of fstab would not mount, and ends the boot in emergency mode", "fstab devices missing-sources filesystems"),
    _ask(boot.automatic, "boot.automatic", "unattended-upgrades reboots by itself into another kernel", "GRUB automatic", "grub"),
    _ask(boot.initramfs, "boot.initramfs", "an initramfs is older than a module of its kernel", "kernels", "grub"),
    _ask(boot.command_line, "boot.command-line", "the next boot adds or drops options of the kernel", "GRUB cmdline", "grub"),
    _ask(boot.menu_old, "boot.menu-old", "/etc/default/grub was changed, and grub.cfg was not written anew", "menu-times", "grub"),
    _ask(boot.panic, "boot.panic", "after a panic the next kernel would stand still", "GRUB", "grub"),
    _ask(boot.gone, "boot.gone", "the kernel that runs is not installed any more", "grub.boot", "grub"),
    _ask(boot.kexec, "boot.kexec", "a kernel is loaded for kexec, past the boot loader", "identity"),
    _ask(boot.installed, "boot.installed", "a newer kernel is installed and was not booted", "GRUB", "grub"),
    _ask(boot.fallback, "boot.fallback", "there is no second kernel to fall back to", "GRUB grub.modules", "grub"),
    _ask(boot.fallback_entry, "boot.fallback-entry", "what GRUB takes when a boot cannot be loaded is not there, cannot be booted, or is another kernel", "GRUB grub.modules fallback", "grub"),
    _ask(boot.firmware, "boot.firmware", "the firmware takes another of its entries once (EFI BootNext), past the boot loader", "efi", "firmware"),
    _ask(boot.watchdog, "boot.watchdog", "a hardware watchdog is there, and nothing arms it", "watchdog", "systemd"),
    _ask(settings.sysctl_wanted, "running.sysctl", "a sysctl of a file is not in force", "sysctl-now sysctl-files"),
    _ask(settings.sysctl_lost, "running.sysctl-lost", "a sysctl was set by hand and is in no file", "sysctl-now sysctl-files boot-lines"),
    _ask(settings.module_missing, "running.module", "a module of a file is not loaded", "modules-now modules-wanted builtin-modules", "modules"),
    _ask(settings.module_lost, "running.module-lost", "a module was loaded by hand and is in no file", "modules-now modules-wanted boot-lines", "modules"),
    _ask(settings.module_option, "running.module-option", "a module runs without an option of modprobe.d", "modules-wanted module-parameters", "modules"),
    _ask(settings.mount_lost, "running.mount-lost", "something was mounted by hand", "mountinfo fstab mount-units", "host"),
    _ask(settings.mount_missing, "running.mount", "a line of fstab is not mounted", "mountinfo fstab"),
    _ask(settings.mount_options, "running.mount-options", "a mount has not the options of fstab", "mountinfo fstab"),
    _ask(settings.swap, "running.swap running.swap-lost", "swap is off and in fstab, or on and nowhere named", "swaps fstab"),
    _ask(settings.scheduler, "running.scheduler running.scheduler-lost", "an IO scheduler was set by hand, or a rule of udev is not in force", "schedulers boot-lines"),
    _ask(network.routes, "running.route", "a route was added by hand", "routes boot-lines"),
    _ask(network.rules, "running.rule", "a policy rule was added by hand", "routes boot-lines"),
    _ask(network.qdiscs, "running.qdisc running.qdisc-lost", "shaping was set by hand, or what sets it at boot is not in force", "qdiscs boot-lines"),
    _ask(network.firewall, "running.nft running.nft-lost running.nft-broken running.nft-unloaded", "the rules of nftables in force are not those that the next boot loads", "nft-now nft-file nft-check boot-lines", "nft"),
    _ask(network.iptables, "running.iptables running.iptables-lost", "the rules of iptables in force are not those of /etc/iptables/rules.v4", "iptables-now iptables-file"),
    _ask(network.exports, "running.export running.export-lost", "what NFS exports is not what /etc/exports says", "exports-now exports-file"),
    _ask(units.lost, "running.unit-lost", "a unit was started by hand and is not enabled", "units unit-states", "systemd"),
    _ask(units.missing, "running.unit", "a unit is enabled and does not run, or has failed", "units unit-files", "systemd"),
    _ask(units.changed, "running.unit-file", "a unit's file was changed, and systemd has not read it", "units", "systemd"),
    _ask(restart.programs, "restart.program", "a program or library was replaced or deleted under a process, a child's too", "processes deleted groups"),
    _ask(restart.scripts, "restart.script", "a script, or what it imports, is newer than the process that runs it", "processes scripts groups"),
    _ask(restart.configuration, "restart.configuration", "configuration is newer than the process that read it", "processes changed units", "systemd"),
    _ask(restart.sshd, "restart.sshd", "sshd would not start with its configuration", "sshd-test"),
    _ask(certificates.served, "restart.served", "the certificate that is served is not the one on disk, by name or by address", "units files served listeners", "systemd"),
    _ask(certificates.newer, "restart.certificate", "a certificate or an authority is newer than the process that uses it", "units files", "systemd"),
    _ask(certificates.expired, "restart.expired", "a certificate on disk has expired, and the next restart takes it", "units files", "systemd"),
    _ask(hardware.errors, "hardware.errors", "the kernel reports an error that it did not report at the boot before", "errors-now errors-before", "kept"),
    _ask(hardware.memory, "hardware.memory", "the memory had errors (EDAC)", "memory"),
    _ask(hardware.links, "hardware.link", "a PCIe link came up narrower than it can be", "pcie"),
    _ask(hardware.arrays, "hardware.array", "an array lacks a member", "raid"),
    _ask(hardware.disks, "hardware.disk", "a disk says of itself that it fails (SMART)", "disks"),
    _ask(hardware.board, "hardware.board", "the board's own log (IPMI) tells of trouble", "board"),
)  # fmt: skip

# Questions across hosts, which no host can answer alone.
ACROSS: tuple[tuple[str, str], ...] = (
    (
        "restart.trust",
        "a client does not trust what its server serves, or would serve after a restart; or a server its client",
    ),
    ("peers.kernel", "the hosts of a group run different kernels"),
    ("peers.next-kernel", "the next boots of a group's hosts take different kernels"),
    ("peers.packages", "the hosts of a group have different packages"),
    ("peers.sysctl", "the hosts of a group have different sysctls"),
    ("peers.exports", "the hosts of a group would export different things"),
    ("peers.firmware", "the hosts of a group have different firmware or processors"),
    ("peers.links", "the network cards of a group's hosts are set differently"),
    ("boot.console", "a host that does not answer waits at its console for a key"),
)


def all_names() -> tuple[str, ...]:
    """Every name that a finding may have."""
    return (*(name for one in QUESTIONS for name in one.names), *(name for name, _ in ACROSS))
