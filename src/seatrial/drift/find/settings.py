"""Settings of a running kernel against the files: sysctls, modules, mounts, swap, IO schedulers. What a boot would change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from shlex import quote

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import NOTE, WARNING, commented_out, finding
from seatrial.drift.read.boot import FstabLine, Mount, escaped
from seatrial.drift.read.running import Disk, InForce, Wanted
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding

# What the kernel itself sets at boot, on every machine alike, as of 5.10 to 6.12 (Documentation/admin-guide/sysctl and
# networking/ip-sysctl.rst). Values that depend on memory, processors or the distribution's configuration are not in.
DEFAULTS: Mapping[str, str] = {
    "vm/swappiness": "60", "vm/dirty_ratio": "20", "vm/dirty_background_ratio": "10", "vm/overcommit_memory": "0",
    "vm/overcommit_ratio": "50", "vm/vfs_cache_pressure": "100", "vm/panic_on_oom": "0", "vm/zone_reclaim_mode": "0",
    "vm/nr_hugepages": "0", "vm/dirty_expire_centisecs": "3000", "vm/dirty_writeback_centisecs": "500",
    "kernel/panic_on_oops": "0", "kernel/hung_task_panic": "0", "kernel/softlockup_panic": "0",
    "net/core/rmem_max": "212992", "net/core/wmem_max": "212992", "net/core/rmem_default": "212992",
    "net/core/wmem_default": "212992", "net/core/somaxconn": "4096", "net/core/netdev_max_backlog": "1000",
    "net/core/netdev_budget": "300", "net/core/busy_poll": "0", "net/core/busy_read": "0", "net/core/rps_sock_flow_entries": "0",
    "net/ipv4/ip_forward": "0", "net/ipv4/ip_nonlocal_bind": "0", "net/ipv4/ip_default_ttl": "64",
    "net/ipv4/ip_local_port_range": "32768 60999", "net/ipv4/icmp_echo_ignore_all": "0",
    "net/ipv4/tcp_syncookies": "1", "net/ipv4/tcp_timestamps": "1", "net/ipv4/tcp_sack": "1", "net/ipv4/tcp_window_scaling": "1",
    "net/ipv4/tcp_fin_timeout": "60", "net/ipv4/tcp_keepalive_time": "7200", "net/ipv4/tcp_keepalive_intvl": "75",
    "net/ipv4/tcp_keepalive_probes": "9", "net/ipv4/tcp_tw_reuse": "2", "net/ipv4/tcp_slow_start_after_idle": "1",
    "net/ipv4/tcp_mtu_probing": "0", "net/ipv4/tcp_ecn": "2", "net/ipv4/tcp_no_metrics_save": "0", "net/ipv4/tcp_syn_retries": "6",
    "net/ipv4/tcp_synack_retries": "5", "net/ipv4/tcp_retries2": "15",
    "net/ipv4/tcp_rfc1337": "0", "net/ipv4/tcp_fastopen": "1", "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/all/arp_ignore": "0", "net/ipv4/conf/all/arp_announce": "0", "net/ipv4/conf/all/arp_filter": "0",
    "net/ipv4/conf/all/log_martians": "0", "net/ipv4/conf/all/proxy_arp": "0", "net/ipv4/conf/all/route_localnet": "0",
    "net/ipv4/neigh/default/gc_thresh1": "128", "net/ipv4/neigh/default/gc_thresh2": "512",
    "net/ipv4/neigh/default/gc_thresh3": "1024", "net/ipv6/conf/all/disable_ipv6": "0", "net/ipv6/conf/all/forwarding": "0",
    "net/netfilter/nf_conntrack_acct": "0", "net/netfilter/nf_conntrack_tcp_loose": "1",
    "net/netfilter/nf_conntrack_tcp_timeout_established": "432000", "net/netfilter/nf_conntrack_udp_timeout": "30",
    "net/netfilter/nf_conntrack_udp_timeout_stream": "120", "net/netfilter/nf_conntrack_generic_timeout": "600",
    "net/bridge/bridge-nf-call-iptables": "1", "net/bridge/bridge-nf-call-ip6tables": "1",
    "fs/inotify/max_user_instances": "128", "fs/aio-max-nr": "65536", "sunrpc/tcp_slot_table_entries": "2",
    "sunrpc/udp_slot_table_entries": "16", "sunrpc/tcp_max_slot_table_entries": "65536",
}  # fmt: skip
# Programs that set some of them themselves whenever they start.
_SET_BY: tuple[tuple[str, frozenset[str]], ...] = (
    ("forward", frozenset({"dockerd", "containerd", "kubelet", "libvirtd", "lxd", "firewalld", "ufw"})),
    ("bridge-nf", frozenset({"dockerd", "containerd", "kubelet"})),
    ("route_localnet", frozenset({"dockerd", "kubelet"})),
    ("vm/overcommit_memory", frozenset({"kubelet"})),
    ("panic_on_oops", frozenset({"kubelet"})),
    ("nf_conntrack", frozenset({"kubelet", "ufw"})),
    ("arp_", frozenset({"keepalived"})),
    ("ip_nonlocal_bind", frozenset({"keepalived"})),
    ("", frozenset({"tuned"})),
)
# Modules that nothing loads by itself: who has them loaded them by hand, or a file names them.
_BY_HAND = (
    "br_netfilter", "nf_conntrack_*", "nf_nat_ftp", "nf_nat_sip", "nf_nat_tftp", "nf_nat_irc", "nf_nat_pptp", "ip_vs", "ip_vs_*",
    "dummy", "ifb", "softdog", "nbd", "zram", "msr", "pktgen", "scsi_debug", "null_blk", "brd",
)  # fmt: skip
_NOT_BY_HAND = frozenset({"nf_conntrack_netlink", "nf_conntrack_broadcast", "nf_conntrack_bridge"})
_PSEUDO = frozenset({
    "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "configfs", "bpf", "pstore", "mqueue",
    "hugetlbfs", "autofs", "binfmt_misc", "fusectl", "efivarfs", "rpc_pipefs", "nfsd", "nsfs", "overlay", "squashfs", "ramfs", "selinuxfs",
    "fuse.lxcfs", "fuse.gvfsd-fuse", "fuse.portal", "rootfs",
})  # fmt: skip
_NOT_OURS = ("/run", "/proc", "/sys", "/dev", "/snap", "/var/snap", "/var/lib/docker", "/var/lib/containers", "/var/lib/kubelet",
             "/var/lib/lxd", "/var/lib/containerd", "/var/lib/nfs/rpc_pipefs")  # fmt: skip
_KEPT = ("ro", "noexec", "nosuid", "nodev", "noatime")


def key_of(path: str) -> str:
    """How sysctl(8) spells a path below /proc/sys."""
    return path.translate(str.maketrans("./", "/."))


def sysctl_wanted(facts: Facts) -> Iterator[Finding]:
    """Values that a file configures, and that are not in force: a hand has changed them, or the file was never read."""
    now = facts.running.sysctls
    for path, (value, wanted) in _wanted(facts.running).items():
        if not same(value, wanted.value):
            key = key_of(path)
            yield finding(
                "running.sysctl",
                WARNING,
                key,
                f"{key} is {now[path]}, and the next boot sets {wanted.value or 'nothing'} from {wanted.file}",
                fix=f"sysctl -w {quote(f'{key}={wanted.value}')}",
                instead=f"echo {quote(f'{key} = {now[path]}')} >/etc/sysctl.d/zz-{_file(key)}.conf",
            )


def _file(key: str) -> str:
    """A key in the name of a file."""
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in key)


def _wanted(running: InForce) -> Mapping[str, tuple[str, Wanted]]:
    """Each value in force that a file speaks of, patterns included; a plain key comes before a pattern."""
    found: dict[str, tuple[str, Wanted]] = {}
    for pattern, wanted in running.sysctls_wanted.items():
        if "*" in pattern:
            for path, value in running.sysctls.items():
                if fnmatchcase(path, pattern) and path not in running.sysctls_wanted:
                    found[path] = (value, wanted)
        elif pattern in running.sysctls:
            found[pattern] = (running.sysctls[pattern], wanted)
    return found


def same(one: str, other: str) -> bool:
    """Whether two settings are alike: numbers as numbers, and yes and no in all their spellings."""
    spelled = {"y": "1", "n": "0", "yes": "1", "no": "0", "on": "1", "off": "0", "true": "1", "false": "0"}
    first, second = (spelled.get(text.strip().lower(), " ".join(text.split())) for text in (one, other))
    if first == second:
        return True
    try:
        return int(first, 0) == int(second, 0)
    except ValueError:
        return False


def sysctl_lost(facts: Facts) -> Iterator[Finding]:
    """Values that no file configures and that are not the kernel's own: the next boot loses them."""
    running = facts.running
    configured = _wanted(running)
    for path, default in DEFAULTS.items():
        value = running.sysctls.get(path)
        if value is None or same(value, default) or path in configured or _set_again(facts, path):
            continue
        key = key_of(path)
        yield finding(
            "running.sysctl-lost",
            WARNING,
            key,
            f"{key} is {value}, which no file says: the next boot makes it {default} again",
            fix=f"echo {quote(f'{key} = {value}')} >/etc/sysctl.d/90-{_file(key)}.conf",
            instead=f"sysctl -w {quote(f'{key}={default}')}",
        )


def _set_again(facts: Facts, path: str) -> bool:
    running, name = facts.running, path.rsplit("/", 1)[-1]
    if running.at_boot(name) or any(f"{key_of(path)}=" in word for word in facts.boot.options):
        return True
    if path == "net/ipv6/conf/all/disable_ipv6" and any(
        "ipv6.disable" in word for word in facts.boot.options
    ):
        return True
    return any(mark in path and programs & running.programs for mark, programs in _SET_BY)


def module_missing(facts: Facts) -> Iterator[Finding]:
    """Modules that a file names and that are not loaded."""
    running = facts.running
    for name, wanted in running.modules_wanted.items():
        if name not in running.modules and name not in running.modules_built_in:
            yield finding(
                "running.module",
                WARNING,
                name,
                f"the module {name} is not loaded, and the next boot loads it by {wanted.file}",
                fix=f"modprobe {name}",
                instead=f"sed -i.before '/^[[:space:]]*{re.sub('[_-]', '[_-]', name)}\\>/s/^/#/' {quote(wanted.file)}",
            )


def module_lost(facts: Facts) -> Iterator[Finding]:
    """Modules that nothing loads by itself and no file names."""
    running = facts.running
    if running.programs & {"dockerd", "containerd", "kubelet"}:
        loaded = running.modules - {"br_netfilter", "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"}
    else:
        loaded = running.modules
    for name in sorted(loaded - _NOT_BY_HAND):
        if not any(fnmatchcase(name, pattern) for pattern in _BY_HAND) or name in running.modules_in_use:
            continue
        if name not in running.modules_wanted and not running.at_boot(name):
            yield finding(
                "running.module-lost",
                WARNING,
                name,
                f"the module {name} was loaded by hand and no file names it: the next boot is without it",
                fix=f"echo {name} >/etc/modules-load.d/{name}.conf",
                instead=f"modprobe -r {name}",
            )


def module_option(facts: Facts) -> Iterator[Finding]:
    """Options of modprobe.d that a loaded module does not have."""
    running = facts.running
    for (module, key), wanted in running.module_options.items():
        value = running.parameters.get((module, key))
        if value is not None and not same(value, wanted.value):
            yield finding(
                "running.module-option",
                WARNING,
                f"{module}.{key}",
                f"{module} runs with {key}={value}, and the next boot loads it with {key}={wanted.value} from {wanted.file}",
                fix=f"modprobe -r {module} && modprobe {module}",
                instead=f"write {value} into {wanted.file}",
            )


def mount_lost(facts: Facts) -> Iterator[Finding]:
    """Mounts that nothing would make again."""
    known = {line.path for line in facts.boot.fstab}
    for mount in facts.boot.mounts:
        if (
            _is_ours(facts, mount)
            and mount.path not in known
            and not facts.running.at_boot("mount", mount.path)
        ):
            options = next((word for word in mount.options if word in ("ro", "rw")), "defaults")
            bind = mount.kind in ("ext4", "xfs", "btrfs") and not mount.source.startswith("/dev/")
            yield finding(
                "running.mount-lost",
                WARNING,
                mount.path,
                f"{mount.path} ({mount.kind} from {mount.source}) was mounted by hand: the next boot is without it",
                fix=f"echo {quote(f'{escaped(mount.source)} {escaped(mount.path)} {mount.kind} {options},nofail 0 {0 if bind else 2}')} >>/etc/fstab && systemctl daemon-reload",
                instead=f"umount {quote(mount.path)}",
            )


def _is_ours(facts: Facts, mount: Mount) -> bool:
    if mount.kind in _PSEUDO or mount.path == "/" or mount.path.startswith(_NOT_OURS):
        return False
    # systemd has a unit for each mount; one that comes from a file or a generator is made again.
    return unit_of(mount.path) not in facts.services.mount_units


def unit_of(path: str) -> str:
    """The name of a path's mount unit, as systemd-escape --path makes it."""
    plain = path.strip("/")
    told = "".join(
        "-" if letter == "/" else letter if letter.isalnum() or letter in ":_." else f"\\x{ord(letter):02x}"
        for letter in plain
    )
    return f"{told or '-'}.mount"


def mount_missing(facts: Facts) -> Iterator[Finding]:
    """Lines of fstab that are not mounted."""
    mounted = {mount.path for mount in facts.boot.mounts}
    for line in _mounting(facts):
        if line.path not in mounted and f"{line.path.rstrip('/')}" not in mounted:
            yield finding(
                "running.mount",
                WARNING,
                line.path,
                f"{line.path} is in /etc/fstab and not mounted: the next boot mounts it",
                fix=f"mount {quote(line.path)}",
                instead=commented_out(line),
            )


def _mounting(facts: Facts) -> Iterator[FstabLine]:
    for line in facts.boot.fstab:
        if line.kind != "swap" and line.path.startswith("/") and "noauto" not in line.options:
            yield line


def mount_options(facts: Facts) -> Iterator[Finding]:
    """Options of fstab that a mount does not have, and a mount that became read-only."""
    mounts = {mount.path: mount for mount in facts.boot.mounts}
    for line in _mounting(facts):
        mount = mounts.get(line.path)
        if mount is None:
            continue
        lacks = [option for option in _KEPT if option in line.options and option not in mount.options]
        if "ro" in mount.options and "ro" not in line.options:
            lacks.append("rw")
        if lacks:
            yield finding(
                "running.mount-options",
                WARNING,
                line.path,
                f"{line.path} is mounted without {shown(lacks)}, which /etc/fstab says and the next boot sets",
                fix=f"mount -o remount {quote(line.path)}",
            )


def swap(facts: Facts) -> Iterator[Finding]:
    """Swap that fstab names and that is off, or that is on and nowhere named."""
    lines = [line for line in facts.boot.fstab if line.kind == "swap" and "noauto" not in line.options]
    active = [path for path in facts.boot.swaps if "zram" not in path]
    units = any(name.endswith(".swap") for name in facts.services.units)
    if lines and len(active) < len(lines):
        yield finding(
            "running.swap",
            NOTE,
            "swap",
            f"{len(active)} of the {len(lines)} swaps in /etc/fstab {'is' if len(active) == 1 else 'are'} in use: the next boot turns all on",
            fix="swapon -a",
            instead=commented_out(next((line for line in lines if line.source not in active), lines[0])),
        )
    if not lines and not units:
        for path in active:
            yield finding(
                "running.swap-lost",
                WARNING,
                path,
                f"{path} is used as swap and is not in /etc/fstab: the next boot is without it",
                fix=f"echo {quote(f'{escaped(path)} none swap sw 0 0')} >>/etc/fstab",
                instead=f"swapoff {quote(path)}",
            )


def scheduler(facts: Facts) -> Iterator[Finding]:
    """IO schedulers that are neither the kernel's choice nor set at boot, and those that a rule sets otherwise."""
    for disk in facts.running.disks:
        ruled = _ruled(facts.running, disk.name)
        first = "mq-deadline" if disk.queues == 1 and "mq-deadline" in disk.choices else "none"
        if ruled is not None and ruled != disk.scheduler and ruled in disk.choices:
            yield finding(
                "running.scheduler",
                WARNING,
                disk.name,
                f"{disk.name} has the IO scheduler {disk.scheduler}, and a rule of udev sets {ruled} at the next boot",
                fix=f"echo {ruled} >/sys/block/{disk.name}/queue/scheduler",
                instead="change the rule in /etc/udev/rules.d",
            )
        elif ruled is None and disk.scheduler != first and not _scheduled(facts, disk):
            yield finding(
                "running.scheduler-lost",
                WARNING,
                disk.name,
                f"{disk.name} has the IO scheduler {disk.scheduler}, set by hand: the next boot takes {first} again",
                fix=f"""echo 'ACTION=="add|change", KERNEL=="{disk.name}", ATTR{{queue/scheduler}}="{disk.scheduler}"' """
                f">/etc/udev/rules.d/60-scheduler-{disk.name}.rules",
                instead=f"echo {first} >/sys/block/{disk.name}/queue/scheduler",
            )


def _scheduled(facts: Facts, disk: Disk) -> bool:
    """Whether a script that runs at boot, or the command line, sets that scheduler; rules of udev are read apart."""
    return any(word.startswith("elevator=") for word in facts.boot.options) or any(
        "scheduler" in line and disk.scheduler in line and (disk.name in line or "$" in line or "*" in line)
        for line in facts.running.boot_lines
        if ".rules:" not in line
    )


def _ruled(running: InForce, disk: str) -> str | None:
    """The scheduler that a udev rule gives a disk; the last rule that fits counts."""
    found = None
    for line in running.boot_lines:
        if ".rules:" not in line or "ATTR{queue/scheduler}" not in line:
            continue
        patterns = [part.partition('"')[0] for part in line.split('KERNEL=="')[1:]]
        fits = not patterns or any(fnmatchcase(disk, one) for part in patterns for one in part.split("|"))
        value = line.partition('ATTR{queue/scheduler}="')[2].partition('"')[0]
        if fits and value and "ATTR{queue/rotational}" not in line:
            found = value
    return found
