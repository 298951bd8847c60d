"""Each finding, from what a host says; the guest that was captured well has none."""

from __future__ import annotations

import pytest

from seatrial.boot.grub import Grub
from seatrial.drift.audit import across, audit
from seatrial.drift.facts import commands, read_facts
from seatrial.drift.questions import ACROSS, QUESTIONS, Question, all_names
from seatrial.model.command import Output
from seatrial.model.finding import Severity
from tests.drift.said import BOOTED, CANDIDATE, GOOD, captured, facts, found, of, section

DANGER, WARNING, NOTE = Severity.DANGER, Severity.WARNING, Severity.NOTE
CFG = captured("guest.grub").partition("@begin cfg\n|")[2].partition("\n|@0\n")[0].replace("\n|", "\n")
ENTRY = "gnulinux-advanced-{0}>gnulinux-{1}-advanced-{0}"
UUID = CFG.partition("gnulinux-advanced-")[2].partition("'")[0]
ENV = "# GRUB Environment Block\n"


def env(**values: str) -> str:
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    return (ENV + lines).ljust(1024, "#")


def unit(name: str, **said: str) -> str:
    """One block of `systemctl show`."""
    told = {
        "Id": name,
        "ActiveState": "active",
        "SubState": "running",
        "Type": "simple",
        "RemainAfterExit": "no",
        "ConditionResult": "yes",
        "MainPID": "900",
        "NeedDaemonReload": "no",
        "FragmentPath": f"/etc/systemd/system/{name}",
        "LoadState": "loaded",
        "CanReload": "no",
        "Transient": "no",
        "Result": "success",
        "After": "",
    }
    return "\n" + "\n".join(f"{key}={value}" for key, value in {**told, **said}.items())


RUNS = {
    "units": "+" + unit("web.service"),
    "processes": "+900 1 1000 web",
    "groups": "+900 /system.slice/web.service",
    "programs": "+900 /usr/sbin/web",
}
LATER = BOOTED + 500


def load_option(called: str) -> str:
    """A load option as the firmware keeps it, with attributes in front as Linux shows them (UEFI 2.10, 3.1.3)."""
    return (b"\7\0\0\0" + b"\1\0\0\0" + b"\4\0" + f"{called}\0".encode("utf-16-le") + b"\x7f\xff\4\0").hex()


EFI = f"BootNext 070000000300\nBootCurrent 060000000100\nBoot0001 {load_option('debian')}\nBoot0003 {load_option('net')}"

TABLE: tuple[tuple[dict[str, str], str, Severity, str, str], ...] = (
    ({"grub_env": env(saved_entry=ENTRY.format(UUID, CANDIDATE))}, "boot.kernel", DANGER, f"the next boot takes {CANDIDATE}", f"grub-set-default '{ENTRY.format(UUID, GOOD)}'"),
    ({"grub_env": env(saved_entry=ENTRY.format(UUID, GOOD), next_entry=ENTRY.format(UUID, CANDIDATE))}, "boot.once", DANGER, f"takes {CANDIDATE} once", "unset next_entry"),
    ({"grub_env": "broken"}, "boot.environment", DANGER, "not an environment block", "grub-editenv /boot/grub/grubenv create && grub-set-default"),
    ({"grub_packages": "iF |linux-base"}, "boot.packages", DANGER, "not wholly installed: linux-base", "dpkg --configure -a"),
    ({"grub_modules": f"10 /lib/modules/{CANDIDATE}/modules.dep"}, "boot.complete", DANGER, "its modules are missing, and the next boot takes it", f"apt install --reinstall linux-image-{GOOD}"),
    ({"grub_boot": f"9 /boot/vmlinuz-{CANDIDATE}"}, "boot.gone", WARNING, "is not in /boot any more", f"apt install --reinstall linux-image-{GOOD}"),
    ({"grub_cfg": CFG.replace("set timeout=0", "set timeout=-1")}, "boot.menu", DANGER, "waits for a key", "GRUB_TIMEOUT=0"),
    ({"grub_cfg": CFG.replace(" panic=10", "")}, "boot.panic", WARNING, "would stand still", "panic=10"),
    ({"grub_cfg": CFG.replace("root=/dev/nvme0n1p1", "root=/dev/nvme9n1")}, "boot.root", DANGER, "/dev/nvme9n1, which is not there", "update-grub"),
    ({"grub_cfg": CFG.replace("mitigations=off", "quiet")}, "boot.command-line", WARNING, "adds quiet and drops mitigations=off", "GRUB_CMDLINE_LINUX"),
    ({"autoremove": f"linux-image-{GOOD}"}, "boot.purge", DANGER, f"would take {GOOD}, which runs", f"apt-mark manual linux-image-{GOOD}"),
    ({"kernels": f"{GOOD} 1 100 200 200 /lib/modules/{GOOD}/kernel/net.ko"}, "boot.initramfs", WARNING, "older than net.ko", f"update-initramfs -u -k {GOOD}"),
    ({"menu_times": "20 20 /etc/default/grub\n10 10 /boot/grub/grub.cfg"}, "boot.menu-old", WARNING, "/etc/default/grub was changed", "update-grub"),
    ({"grub_cfg": CFG + "\nset fallback=7"}, "boot.fallback-entry", WARNING, "GRUB takes `7`, which is no entry", "update-grub"),
    ({"grub_cfg": CFG + '\nset fallback="0 7"', "fallback": "/etc/grub.d/40_custom:6:set fallback=0 7"}, "boot.fallback-entry", WARNING, "GRUB takes `7`, which is no entry", "sed -i~ '6s/^/#/' /etc/grub.d/40_custom && update-grub"),
    ({"grub_cfg": CFG + "\nset fallback=0"}, "boot.fallback-entry", WARNING, f"GRUB takes {CANDIDATE}, and {GOOD} is running", "update-grub"),
    ({"grub_env": env(saved_entry=ENTRY.format(UUID, GOOD), fallback="0")}, "boot.fallback-entry", WARNING, f"GRUB takes {CANDIDATE}", "grub-editenv /boot/grub/grubenv unset fallback"),
    ({"fallback": "/boot/grub/custom.cfg:2:set fallback='0'"}, "boot.fallback-entry", WARNING, f"GRUB takes {CANDIDATE}", "sed -i~ '2s/^/#/' /boot/grub/custom.cfg"),
    ({"grub_cfg": CFG + "\nset fallback=0", "grub_modules": f"10 /lib/modules/{GOOD}/modules.dep"}, "boot.fallback-entry", WARNING, "cannot be booted: without its modules", "update-grub"),
    ({"efi": EFI}, "boot.firmware", DANGER, "the firmware's next boot takes Boot0003 (net) once (BootNext); this one came by Boot0001 (debian)", "/sys/firmware/efi/efivars/BootNext-"),
    ({"efi": "BootNext 070000000100\nBootCurrent 060000000100"}, "boot.firmware", WARNING, "takes Boot0001 once (BootNext); this one came by Boot0001", "&& rm /sys"),
    ({"watchdog": "device /dev/watchdog0\nRuntimeWatchdogUSec=0"}, "boot.watchdog", NOTE, "nothing arms it", "RuntimeWatchdogSec"),
    ({"fstab": "UUID=dead /data ext4 defaults 0 2"}, "boot.fstab", DANGER, "emergency mode", "/etc/fstab"),
    ({"fstab": "UUID=dead /data ext4 nofail 0 2"}, "boot.fstab", WARNING, "goes on without it", "/etc/fstab"),
    ({"fstab": "tmpfs /data reiser9fs defaults 0 0"}, "boot.fstab", DANGER, "no kernel module knows reiser9fs", "/etc/fstab"),
    ({"sysctl_now": "vm/dirty_ratio:33"}, "running.sysctl-lost", WARNING, "vm.dirty_ratio is 33", "/etc/sysctl.d/"),
    ({"sysctl_files": "F /etc/sysctl.d/1.conf\nL vm.swappiness = 7"}, "running.sysctl", WARNING, "the next boot sets 7 from /etc/sysctl.d/1.conf", "sysctl -w vm.swappiness=7"),
    ({"modules_wanted": "F /etc/modules\nL softdog"}, "running.module", WARNING, "softdog is not loaded", "modprobe softdog"),
    ({"modules_now": "+dummy 16384 0 - Live 0x0"}, "running.module-lost", WARNING, "dummy was loaded by hand", "/etc/modules-load.d/dummy.conf"),
    ({"modules_wanted": "F /etc/modprobe.d/x.conf\nL options loop max_part=15", "module_parameters": "/sys/module/loop/parameters/max_part:0"}, "running.module-option", WARNING, "max_part=0", "modprobe -r loop"),
    ({"mountinfo": "+99 19 0:9 / /mnt rw - tmpfs tmpfs rw"}, "running.mount-lost", WARNING, "/mnt (tmpfs from tmpfs) was mounted by hand", ">>/etc/fstab"),
    ({"fstab": "tmpfs /srv tmpfs defaults 0 0"}, "running.mount", WARNING, "is in /etc/fstab and not mounted", "mount /srv"),
    ({"fstab": "/dev/nvme0n1p1 / ext4 ro 0 0"}, "running.mount-options", WARNING, "without ro", "mount -o remount /"),
    ({"swaps": "+/swapfile file 8 0 -2"}, "running.swap-lost", WARNING, "/swapfile is used as swap", ">>/etc/fstab"),
    ({"fstab": "/swapfile none swap sw 0 0"}, "running.swap", NOTE, "0 of the 1 swaps", "swapon -a"),
    ({"schedulers": "sda 1 mq-deadline [none]"}, "running.scheduler-lost", WARNING, "none, set by hand", 'ATTR{queue/scheduler}="none"'),
    ({"schedulers": "sda 4 [none] mq-deadline", "boot_lines": '+/etc/udev/rules.d/1.rules:KERNEL=="sd[a-z]", ATTR{queue/scheduler}="mq-deadline"'}, "running.scheduler", WARNING, "a rule of udev sets mq-deadline", "echo mq-deadline"),
    ({"routes": "+route 4 203.0.113.0/24 via 10.0.2.9 dev mgmt0"}, "running.route", WARNING, "203.0.113.0/24 via 10.0.2.9", "ip -4 route del 203.0.113.0/24"),
    ({"routes": "+route 4 default via 10.0.2.2 dev mgmt0"}, "running.route", DANGER, "the route default via 10.0.2.2", "/etc/network/interfaces"),
    ({"routes": "+rule 4 500:\tfrom 192.0.2.9 lookup 200"}, "running.rule", WARNING, "from 192.0.2.9 lookup 200", "rule del priority 500"),
    ({"qdiscs": "qdisc tbf 8001: dev lan0 root refcnt 2 rate 1Mbit"}, "running.qdisc-lost", WARNING, "shaped by tbf", "tc qdisc del dev lan0 root"),
    ({"boot_lines": "+/etc/rc.local:tc qdisc replace dev lan0 root sfq"}, "running.qdisc", WARNING, "sets sfq", "tc qdisc replace dev lan0 root sfq"),
    ({"nft_now": "+table ip extra {\n}"}, "running.nft-lost", WARNING, "table ip extra is in no file", "nft list table ip extra"),
    ({"nft_file": "+L add rule inet gateway forward drop"}, "running.nft", WARNING, "`drop` is in /etc/nftables.conf and not in force", "nft -f"),
    ({"nft_check": "/etc/nftables.conf:1:1: Error: syntax error"}, "running.nft-broken", DANGER, "loads no rules", "nft -c -f"),
    ({"boot_lines": ""}, "running.nft-unloaded", DANGER, "nothing loads /etc/nftables.conf", "systemctl enable nftables.service"),
    ({"iptables_file": "*filter\n-A INPUT -j DROP\nCOMMIT", "iptables_now": "*filter\nCOMMIT"}, "running.iptables", WARNING, "`-A INPUT -j DROP` is in /etc/iptables/rules.v4", "iptables-restore"),
    ({"iptables_file": "*filter\nCOMMIT", "iptables_now": "*filter\n-A INPUT -j DROP\nCOMMIT"}, "running.iptables-lost", WARNING, "is in force and not in", "iptables-save"),
    ({"exports_now": "/srv\t192.0.2.0/24(rw,sync,fsid=1)"}, "running.export-lost", DANGER, "by hand and stands in no file", "/srv 192.0.2.0/24(rw,sync,fsid=1)"),
    ({"exports_now": "/srv\t*(rw)", "exports_file": "F /etc/exports\nL /srv *(ro)"}, "running.export", WARNING, "with rw, and /etc/exports says ro", "exportfs -ra"),
    ({"units": "+" + unit("hand.service"), "unit_states": "Id=hand.service\nUnitFileState=disabled"}, "running.unit-lost", WARNING, "hand.service runs and is not enabled", "systemctl enable hand.service"),
    ({"units": "+" + unit("off.service", ActiveState="inactive", MainPID="0"), "unit_files": "+off.service /etc/systemd/system/off.service"}, "running.unit", WARNING, "does not run", "systemctl start off.service"),
    ({"units": "+" + unit("new.service", NeedDaemonReload="yes")}, "running.unit-file", WARNING, "systemd has not read it", "systemctl daemon-reload"),
    ({**RUNS, "deleted": "900 /usr/sbin/web\n900 /usr/lib/libssl.so.3"}, "restart.program", WARNING, "web.service runs web and libssl.so.3", "systemctl restart web.service"),
    ({**RUNS, "scripts": f"900 {LATER} 0 /usr/bin/app.py"}, "restart.script", WARNING, "/usr/bin/app.py", "systemctl restart web.service"),
    ({**RUNS, "changed": f"{LATER}.0 0 /etc/web/web.conf"}, "restart.configuration", WARNING, "/etc/web/web.conf changed after it read them", "systemctl restart web.service"),
    ({"sshd_test": "/etc/ssh/sshd_config: line 1: Bad configuration option: x"}, "restart.sshd", DANGER, "sshd would not start again", "sshd -t"),
    ({"errors_now": "mce: [Hardware Error]: CPU 3", "errors_before": "usb 1-1: not ready"}, "hardware.errors", WARNING, "did not at the one before: mce", "journalctl -k"),
    ({"memory": "mc0 corrected=4 uncorrected=1"}, "hardware.memory", DANGER, "4 corrected and 1 uncorrected", "replace it"),
    ({"pcie": "0000:3b:00.0 4 8 8.0GT/sPCIe 8.0GT/sPCIe"}, "hardware.link", WARNING, "4 of 8 lanes", "lspci"),
    ({"raid": "md0 : active raid1 sda1[0]\n      1 blocks [2/1] [U_]"}, "hardware.array", DANGER, "lacks 1 of 2 members", "mdadm"),
    ({"disks": "/dev/sda health FAILED!"}, "hardware.disk", DANGER, "says of itself that it fails", "smartctl -a /dev/sda"),
    ({"board": "1 | Memory | Uncorrectable ECC | Asserted"}, "hardware.board", NOTE, "1 events of trouble", "ipmitool"),
)  # fmt: skip


def test_a_guest_that_is_well_has_no_finding() -> None:
    well = of()
    assert found(well) == {}
    assert well.unknown == ()
    assert [one.name for one in well.unread] == ["hardware.errors"]


@pytest.mark.parametrize(
    ("said", "name", "severity", "because", "fix"),
    TABLE,
    ids=lambda each: each if isinstance(each, str) and "." in each else "",
)
def test_each_state_is_found_with_its_fix(
    said: dict[str, str], name: str, severity: Severity, because: str, fix: str
) -> None:
    told = found(of(**said))
    assert name in told
    assert told[name].severity is severity
    assert because in told[name].because
    assert fix in told[name].fix
    assert "\n" not in told[name].because


def test_every_name_is_in_the_table_of_questions_once() -> None:
    names = all_names()
    assert len(names) == len(set(names))
    assert {name for _, name, *_ in TABLE} <= set(names)
    assert len({name for _, name, *_ in TABLE}) >= 45


@pytest.mark.parametrize(
    ("question", "need"),
    # Without its identity a host has said nothing at all.
    [(one, need) for one in QUESTIONS for need in one.needs if need != "identity"],
    ids=lambda each: each if isinstance(each, str) else each.names[0],
)
def test_a_question_whose_section_gave_no_answer_is_unknown_or_does_not_arise(
    question: Question, need: str
) -> None:
    grub, drift = captured("guest.grub"), captured("guest.facts")
    if need.startswith("grub."):
        grub = section(grub, need.removeprefix("grub."), "", status=1)
    else:
        drift = section(drift, need, "", status=1)
    told = audit("gw-s1", facts(grub, drift))
    assert question.names[0] in {each.name for each in told.unread}
    assert not any(each.name in question.names for each in told.findings)


def test_a_host_that_does_not_say_who_it_is_has_said_nothing() -> None:
    first, second = commands(Grub())
    drift = section(captured("guest.facts"), "identity", "", status=1)
    outputs = [
        Output(command=first, status=0, stdout=captured("guest.grub")),
        Output(command=second, status=0, stdout=drift),
    ]
    assert read_facts(Grub(), outputs) is None


@pytest.mark.parametrize(
    ("loader", "says"),
    [("systemd-boot", "systemd-boot boots it"), ("ostree", "ostree chooses"), ("talos", "")],
)
def test_other_boot_loaders_are_told_apart_and_left_alone(loader: str, says: str) -> None:
    identity = (
        captured("guest.facts")
        .partition("@begin identity\n|")[2]
        .partition("\n|@0\n")[0]
        .replace("\n|", "\n")
    )
    told = of(identity=identity.replace("loader grub", f"loader {loader}"))
    skipped = {one.name: one for one in told.unread if one.skipped}
    assert says in skipped["boot.kernel"].because
    assert told.unknown == ()


def test_hosts_of_a_group_are_compared_with_each_other() -> None:
    first = facts()
    identity = (
        captured("guest.facts")
        .partition("@begin identity\n|")[2]
        .partition("\n|@0\n")[0]
        .replace("\n|", "\n")
    )
    other = section(captured("guest.facts"), "identity", identity.replace(GOOD, CANDIDATE))
    other = section(other, "packages", "iproute2 9.9 ii")
    second = facts(drift=other)
    every = {"a": first, "b": second}
    told = across({host: audit(host, one) for host, one in every.items()}, every, {"pair": ("a", "b")})
    names = {one.name: one for one in told["b"].findings if one.name.startswith("peers.")}
    assert {"peers.kernel", "peers.packages"} <= set(names)
    assert CANDIDATE in names["peers.kernel"].because and GOOD in names["peers.kernel"].because
    assert not any(one.name.startswith("peers.") for one in told["a"].findings)
    assert {name for name, _ in ACROSS} >= set(names)


def test_units_are_restarted_after_those_that_they_need() -> None:
    told = of(
        units="+" + unit("a.service", After="b.service") + "\n" + unit("b.service", MainPID="901"),
        processes="+900 1 1000 a\n901 1 1000 b",
        groups="+900 /system.slice/a.service\n901 /system.slice/b.service",
        deleted="900 /usr/lib/x.so\n901 /usr/lib/x.so",
    )
    assert told.restarts == ("b.service", "a.service")


def test_hostile_text_becomes_one_harmless_line() -> None:
    told = found(of(routes="+route 4 203.0.113.0/24 via \x1b[2J\x07evil dev mgmt0"))
    assert told["running.route"].because.isprintable()


def test_a_unit_that_is_bound_to_one_started_by_hand_does_not_bring_that_one_back() -> None:
    units = unit("nfs-server.service", BoundBy="nfs-mountd.service") + "\n"
    units += unit("nfs-mountd.service", MainPID="901", RequiredBy="nfs-server.service")
    told = of(units="+" + units, unit_states="Id=nfs-server.service\nUnitFileState=disabled")
    assert [one.what for one in told.findings if one.name == "running.unit-lost"] == ["nfs-server.service"]
