"""What the checks of the host room make of captured answers: declarations, and files in golden/ with what is said of them."""

from __future__ import annotations

from typing import Any

from seatrial.model.result import Outcome

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CHECKS: dict[str, dict[str, Any]] = {
    "unit": {"kind": "unit", "from": "vm", "unit": "some.service"},
    "failed-units": {"kind": "unit", "from": "vm", "failed": "none"},
    "failed-units-besides": {"kind": "unit", "from": "vm", "failed": "none", "besides": ("broken*",)},
    "kernel": {"kind": "kernel", "from": "vm"},
    "kernel-wanted": {"kind": "kernel", "from": "vm", "running": "6.1.0-56-cloud-amd64"},
    "kernel-later": {"kind": "kernel", "from": "vm", "default": "running", "next": "none"},
    "kernel-once": {
        "kind": "kernel",
        "from": "vm",
        "default": "6.1.0-56-cloud-amd64",
        "next": "6.1.0-56-cloud-amd64",
    },
    "dmesg": {"kind": "dmesg", "from": "vm"},
    "processes": {"kind": "processes", "from": "vm"},
    "processes-some": {"kind": "processes", "from": "vm", "most": 1},
    "processes-nfsd": {"kind": "processes", "from": "vm", "names": ("nfsd", "kworker*")},
    "load": {"kind": "load", "from": "vm", "most_per_cpu": 2.0},
    "load-absolute": {"kind": "load", "from": "vm", "most": 10.0, "most_per_cpu": 30.0, "minutes": 1},
    "pressure": {"kind": "pressure", "from": "vm", "of": "io", "most": 10.0},
    "pressure-full": {
        "kind": "pressure",
        "from": "vm",
        "of": "io",
        "share": "full",
        "seconds": 10,
        "most": 2.0,
    },
    "sysctl": {"kind": "sysctl", "from": "vm", "key": "net.ipv4.ip_forward", "value": 1},
    "sysctl-words": {
        "kind": "sysctl",
        "from": "vm",
        "key": "net.ipv4.tcp_rmem",
        "value": "4096 131072  2721248",
    },
    "sysctl-least": {
        "kind": "sysctl",
        "from": "vm",
        "key": "net.netfilter.nf_conntrack_max",
        "least": 100_000,
    },
    "sysctl-most": {"kind": "sysctl", "from": "vm", "key": "net.netfilter.nf_conntrack_max", "most": 10_000},
    "scheduler": {"kind": "scheduler", "from": "vm", "scheduler": "mq-deadline"},
    "scheduler-cfq": {"kind": "scheduler", "from": "vm", "scheduler": "cfq", "disks": ("nvme0n1",)},
    "scheduler-sd": {"kind": "scheduler", "from": "vm", "scheduler": "mq-deadline", "disks": ("sd*",)},
    "qdisc": {
        "kind": "qdisc",
        "from": "vm",
        "device": "shaped",
        "root": "htb",
        "classes": {"1:10": "8mbit", "1:30": "500kbit"},
    },
    "qdisc-rates": {"kind": "qdisc", "from": "vm", "device": "shaped", "classes": {"1:1": "2gbit"}},
    "qdisc-root": {"kind": "qdisc", "from": "vm", "device": "shaped", "root": "htb"},
    "mounts": {
        "kind": "mounts",
        "from": "vm",
        "path": "/srv/data/",
        "source": "tmpfs",
        "type": "tmpfs",
        "options": ("nosuid",),
        "writable": True,
    },
    "mounts-blank": {"kind": "mounts", "from": "vm", "path": "/srv/with blank", "options": ("noexec",)},
    "mounts-gone": {"kind": "mounts", "from": "vm", "path": "/srv/gone"},
    "mounts-drbd": {
        "kind": "mounts",
        "from": "vm",
        "path": "/srv/data",
        "source": "/dev/drbd0",
        "type": "ext4",
    },
    "mounts-fstab": {"kind": "mounts", "from": "vm", "fstab": True},
    "disk": {"kind": "disk", "from": "vm", "path": "/"},
    "disk-bytes": {"kind": "disk", "from": "vm", "path": "/", "least": "1G"},
    "time": {"kind": "time", "from": "vm"},
    "time-strict": {"kind": "time", "from": "vm", "most": "1ms"},
}

# Answers that several cases have in common.
AT_47 = ["kernel-running-47", "kernel-installed-two", "kernel-grubenv-47"]
QUIET = ["dmesg-untainted", "dmesg-quiet-nothing", "dmesg-quiet-nothing"]
NO_CHRONY = ["time-no-chrony", "time-no-python3", "time-timedatectl-no"]
LOOKS = {
    word: [f"processes-{word}-first", "processes-pause", f"processes-{word}-again", scene]
    for word, scene in (
        ("fine", "processes-quiet-scene"),
        ("stuck", "processes-quiet-scene"),
        ("nfs", "processes-quiet-scene"),
        ("dead-server", "processes-dead-server-scene"),
        ("dead-server-rooms", "processes-dead-server-rooms-scene"),
        ("frozen-disk", "processes-frozen-disk-scene"),
        ("nfsd", "processes-nfsd-scene"),
    )
}
TOOLS = "/mnt/tools from 192.0.2.10:/srv/volume/tools"

# The check, one file for each of its Commands, and the Result.
CASES: list[tuple[str, list[str], Outcome, str]] = [
    ("unit", ["unit-fine"], PASS, "some.service is active (running)"),
    ("unit", ["unit-oneshot"], PASS, "some.service is active (exited)"),
    ("unit", ["unit-failing"], FAIL, "some.service is failed (failed), result exit-code, restarted 3 times"),
    ("unit", ["unit-not-found"], FAIL, "some.service is not-found"),
    ("unit", ["unit-masked"], FAIL, "some.service is masked"),
    (
        "unit",
        ["unit-no-systemd"],
        UNKNOWN,
        "vm: unit.show ended with status 1: Failed to connect to bus: Host is down",
    ),
    (
        "kernel",
        ["kernel-running-56", "kernel-installed", "kernel-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed; set for the next boot: gnulinux-advanced-1>gnulinux-6.1.0-56",
    ),
    (
        "kernel",
        ["kernel-running-56", "kernel-installed", "kernel-no-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed",
    ),
    (
        "kernel",
        ["kernel-running", "kernel-installed", "kernel-no-grubenv"],
        FAIL,
        "6.18.44-fc-v657 runs, but /boot has no such kernel",
    ),
    (
        "kernel-wanted",
        ["kernel-running-56", "kernel-installed", "kernel-no-grubenv"],
        PASS,
        "6.1.0-56-cloud-amd64 runs, 2 installed",
    ),
    (
        "kernel-wanted",
        ["kernel-running-47", "kernel-installed-two", "kernel-grubenv-47"],
        FAIL,
        "6.1.0-47-cloud-amd64 runs, not 6.1.0-56-cloud-amd64",
    ),
    (
        "kernel-later",
        [*AT_47, "kernel-facts-47"],
        PASS,
        "6.1.0-47-cloud-amd64 runs, every boot takes 6.1.0-47-cloud-amd64, set for the next boot: none",
    ),
    (
        "kernel-later",
        [*AT_47, "kernel-facts-56-next"],
        FAIL,
        "6.1.0-56-cloud-amd64 is set for the next boot, not none",
    ),
    (
        "kernel-later",
        [*AT_47, "kernel-no-grubenv"],
        UNKNOWN,
        "vm: boot.facts ended with status 1: cat: /boot/grub/grubenv: No such file or directory",
    ),
    (
        "kernel-once",
        [*AT_47, "kernel-facts-56-next"],
        FAIL,
        "every boot takes 6.1.0-47-cloud-amd64, not 6.1.0-56-cloud-amd64",
    ),
    ("dmesg", ["dmesg-boot-47", "dmesg-boot-47", *QUIET], PASS, "no warning that the boot before had not"),
    (
        "dmesg",
        ["dmesg-boot-47", "dmesg-boot-47", "dmesg-tainted", *QUIET[1:]],
        PASS,
        "no warning that the boot before had not; the kernel is tainted by a warning (W)",
    ),
    (
        "dmesg",
        ["dmesg-boot-56", "dmesg-boot-47", *QUIET],
        PASS,
        "3 new warnings: cblist_init_generic: Setting shift to 0 and lim to 1 rcu_task_cpu_ids=1.",
    ),
    (
        "dmesg",
        ["dmesg-hung-task", "dmesg-boot-before-hung-task", *QUIET],
        FAIL,
        "new at this boot: INFO: task dd:231 blocked for more than 5 seconds.",
    ),
    (
        "dmesg",
        ["dmesg-boot-56", "dmesg-no-boot-before", *QUIET],
        UNKNOWN,
        "vm has no messages of the boot before",
    ),
    (
        "dmesg",
        ["dmesg-boot-56", "dmesg-before-volatile", *QUIET],
        UNKNOWN,
        "vm has no messages of the boot before",
    ),
    ("failed-units", ["unit-failed-none"], PASS, "no unit has failed"),
    ("failed-units", ["unit-failed-one"], FAIL, "a unit has failed: broken.service"),
    ("failed-units", ["unit-failed-two"], FAIL, "2 units have failed: broken-too.service, broken.service"),
    (
        "failed-units",
        ["unit-failed-no-systemd"],
        UNKNOWN,
        "vm: unit.failed ended with status 1: Failed to connect to bus: Host is down",
    ),
    (
        "failed-units-besides",
        ["unit-failed-two"],
        PASS,
        "no unit has failed but broken-too.service, broken.service",
    ),
    ("processes", LOOKS["fine"], PASS, "none of 52 threads hangs in the kernel"),
    ("processes", LOOKS["stuck"], FAIL, "1 of 54 threads hangs in the kernel: dd (1)"),
    ("processes", LOOKS["nfs"], FAIL, "1 of 57 threads hangs in the kernel: mount (1)"),
    # A client whose server's nfsd was stopped; the same with a mount namespace beside; the server's disk frozen; and that server.
    (
        "processes",
        LOOKS["dead-server"],
        FAIL,
        f"1 of 59 threads hangs in the kernel: dd (1); {TOOLS} does not answer within 3 s",
    ),
    (
        "processes",
        LOOKS["dead-server-rooms"],
        FAIL,
        f"2 of 61 threads hang in the kernel: dd (1), umount (1); {TOOLS} does not answer within 3 s; "
        f"{TOOLS} does not answer within 3 s",
    ),
    (
        "processes",
        LOOKS["frozen-disk"],
        FAIL,
        f"1 of 59 threads hangs in the kernel: dd (1); {TOOLS} answers, and keeps them waiting",
    ),
    ("processes", LOOKS["nfsd"], FAIL, "1 of 76 threads hangs in the kernel: nfsd (1)"),
    # It hung at the first look only: a disk that answers.
    (
        "processes",
        ["processes-stuck-first", "processes-pause", "processes-fine-again", "processes-quiet-scene"],
        PASS,
        "none of 52 threads hangs in the kernel",
    ),
    ("processes-some", LOOKS["stuck"], PASS, "1 of 54 threads hangs in the kernel: dd (1)"),
    ("processes-nfsd", LOOKS["stuck"], PASS, "none of 54 threads hangs in the kernel"),
    ("load", ["load-idle"], PASS, "load 0.11 over 5 minutes on 1 processor, 1 running now"),
    (
        "load",
        ["load-high"],
        FAIL,
        "load 17.03 over 5 minutes on 2 processors, 4 running now; at most 4 is wanted",
    ),
    ("load-absolute", ["load-high"], PASS, "load 4.34 over 1 minute on 2 processors, 4 running now"),
    ("pressure", ["pressure-io"], PASS, "some task waited for io 6.01 % of 60 seconds"),
    (
        "pressure-full",
        ["pressure-io"],
        FAIL,
        "every task waited for io 6.3 % of 10 seconds; at most 2 % is wanted",
    ),
    ("pressure", ["pressure-off"], UNKNOWN, "vm does not count pressure"),
    ("sysctl", ["sysctl-forward-on"], PASS, "net.ipv4.ip_forward is 1"),
    ("sysctl", ["sysctl-forward-off"], FAIL, "net.ipv4.ip_forward is 0, not 1"),
    ("sysctl", ["sysctl-no-such-key"], FAIL, "the kernel has no setting net.ipv4.ip_forward"),
    ("sysctl-words", ["sysctl-three-numbers"], PASS, "net.ipv4.tcp_rmem is 4096 131072 2721248"),
    (
        "sysctl-least",
        ["sysctl-conntrack"],
        FAIL,
        "net.netfilter.nf_conntrack_max is 3072; at least 100000 is wanted",
    ),
    ("sysctl-most", ["sysctl-conntrack"], PASS, "net.netfilter.nf_conntrack_max is 3072"),
    (
        "sysctl-most",
        ["sysctl-three-numbers"],
        UNKNOWN,
        "net.netfilter.nf_conntrack_max is 4096 131072 2721248, which is no number",
    ),
    ("scheduler", ["scheduler-mq-deadline"], PASS, "mq-deadline on nvme0n1, nvme0n2"),
    ("scheduler", ["scheduler-one-none"], FAIL, "nvme0n2 has none; mq-deadline is wanted"),
    ("scheduler-cfq", ["scheduler-mq-deadline"], FAIL, "nvme0n1 has mq-deadline; cfq is wanted"),
    ("scheduler-sd", ["scheduler-mq-deadline"], UNKNOWN, "vm has no disk called sd*"),
    (
        "qdisc",
        ["qdisc-htb", "qdisc-htb-classes"],
        PASS,
        "shaped has htb with 1:10 at 8mbit, 1:30 at 500kbit",
    ),
    (
        "qdisc",
        ["qdisc-plain", "qdisc-no-classes"],
        FAIL,
        "shaped has fq_codel, not htb; shaped has no class 1:10; shaped has no class 1:30",
    ),
    ("qdisc", ["qdisc-no-device", "qdisc-no-device"], FAIL, "vm has no interface shaped"),
    (
        "qdisc-rates",
        ["qdisc-htb", "qdisc-htb-classes"],
        FAIL,
        "class 1:1 of shaped has 1gbit, not 2gbit",
    ),
    ("qdisc-root", ["qdisc-htb"], PASS, "shaped has htb"),
    ("mounts", ["mounts-data"], PASS, "/srv/data/ is tmpfs from tmpfs, writable"),
    ("mounts", ["mounts-data-read-only"], FAIL, "/srv/data/ is read-only"),
    ("mounts-blank", ["mounts-data"], FAIL, "/srv/with blank is mounted without noexec"),
    ("mounts-gone", ["mounts-data"], FAIL, "nothing is mounted at /srv/gone"),
    (
        "mounts-drbd",
        ["mounts-data"],
        FAIL,
        "/srv/data is mounted from tmpfs, not /dev/drbd0; /srv/data is tmpfs, not ext4",
    ),
    ("mounts-fstab", ["mounts-data", "mounts-fstab"], FAIL, "/srv/nfs of /etc/fstab is not mounted"),
    ("disk", ["disk-root"], PASS, "895.8M (67.5 %) free at /, 88.8 % of the inodes"),
    (
        "disk",
        ["disk-full"],
        FAIL,
        "only 24.0K of 1.0M (2.3 %) are free at /, and only 0 of 10 inodes (0.0 %) are free at /",
    ),
    ("disk", ["disk-no-path"], FAIL, "vm has no /"),
    ("disk", ["disk-proc"], UNKNOWN, "the room at / of vm is not understood"),
    ("disk-bytes", ["disk-root"], FAIL, "only 895.8M of 1.3G (67.5 %) are free at /"),
    (
        "time",
        ["time-chrony", *NO_CHRONY[1:]],
        PASS,
        "the clock is synchronised (chrony by 127.0.0.1), 0.000002 s off",
    ),
    (
        "time",
        ["time-chrony-follows-nobody", *NO_CHRONY[1:]],
        FAIL,
        "the clock follows no other (chrony)",
    ),
    (
        "time",
        ["time-chrony-follows-itself", *NO_CHRONY[1:]],
        FAIL,
        "the clock follows no other (chrony)",
    ),
    (
        "time",
        ["time-chrony-no-daemon", "time-kernel-alone", "time-timedatectl-no-systemd"],
        FAIL,
        "the clock follows no other (the kernel)",
    ),
    ("time", NO_CHRONY, FAIL, "the clock follows no other (timedatectl)"),
    (
        "time",
        ["time-no-chrony", "time-no-python3", "time-timedatectl-no-systemd"],
        UNKNOWN,
        "vm has no python3",
    ),
    (
        "time-strict",
        ["time-chrony", *NO_CHRONY[1:]],
        PASS,
        "the clock is synchronised (chrony by 127.0.0.1), 0.000002 s off",
    ),
]
