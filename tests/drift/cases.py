"""States of a host that the next boot, restart or failover would change: how each is made, what is found, how it is mended.

Each is made for real on a guest by `put`, as root. `found` is the finding and what it is about. What is printed as its fix is
run as it is, unless `mend` has what a person would do where the fix is told in words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One state."""

    name: str
    put: str
    found: tuple[str, str]
    mend: str = ""
    beside: tuple[tuple[str, str], ...] = ()


# A service of our own: a copy of `sleep` under another name, with a unit that is enabled.
_SERVICE = """
cp /usr/bin/sleep /usr/local/bin/{name}-program
printf '[Service]\\nExecStart=/usr/local/bin/{name}-program infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/{name}.service
systemctl daemon-reload && systemctl enable -q --now {name}.service
"""

SETTINGS: tuple[Case, ...] = (
    Case(
        name="a sysctl set by hand",
        put="echo 10 >/proc/sys/vm/swappiness",
        found=("running.sysctl-lost", "vm.swappiness"),
    ),
    Case(
        name="a sysctl of a file changed by hand",
        put="echo 0 >/proc/sys/net/ipv4/ip_forward",
        found=("running.sysctl", "net.ipv4.ip_forward"),
    ),
    Case(
        name="a sysctl written into a file and not set",
        put="echo 'vm.dirty_ratio = 30' >/etc/sysctl.d/50-dirty.conf",
        found=("running.sysctl", "vm.dirty_ratio"),
    ),
    Case(
        name="a module loaded by hand",
        put="modprobe dummy numdummies=0",
        found=("running.module-lost", "dummy"),
    ),
    Case(
        name="a module of a file that is not loaded",
        put="echo softdog >/etc/modules-load.d/watchdog.conf",
        found=("running.module", "softdog"),
        # The driver brings a watchdog, which nobody arms.
        mend="rm /etc/modules-load.d/watchdog.conf",
    ),
    Case(
        name="an option of a module that it was not loaded with",
        put="modprobe loop max_part=0; echo 'options loop max_part=15' >/etc/modprobe.d/loop.conf",
        found=("running.module-option", "loop.max_part"),
    ),
    Case(
        name="a file system mounted by hand",
        put="mount -t tmpfs tmpfs /mnt",
        found=("running.mount-lost", "/mnt"),
    ),
    Case(
        name="a line of fstab that is not mounted",
        put="mkdir -p /srv/data; echo 'tmpfs /srv/data tmpfs defaults 0 0' >>/etc/fstab",
        found=("running.mount", "/srv/data"),
    ),
    Case(
        name="a mount without an option of fstab",
        put="mount -t tmpfs tmpfs /opt; echo 'tmpfs /opt tmpfs noexec 0 0' >>/etc/fstab",
        found=("running.mount-options", "/opt"),
    ),
    Case(
        name="swap that no file names",
        put="dd if=/dev/zero of=/swapfile bs=1M count=8 status=none; chmod 600 /swapfile; mkswap -q /swapfile; swapon /swapfile",
        found=("running.swap-lost", "/swapfile"),
    ),
    Case(
        name="an IO scheduler set by hand",
        put="echo none >/sys/block/nvme0n1/queue/scheduler",
        found=("running.scheduler-lost", "nvme0n1"),
    ),
    Case(
        name="an IO scheduler of a rule that is not in force",
        put="""echo 'ACTION=="add|change", KERNEL=="nvme0n2", ATTR{queue/scheduler}="none"' >/etc/udev/rules.d/60-own.rules""",
        found=("running.scheduler", "nvme0n2"),
    ),
    Case(
        name="a line of fstab whose device is not there",
        put="echo 'UUID=00000000-1111-4222-8333-444444444444 /data ext4 nofail 0 2' >>/etc/fstab; mkdir -p /data",
        found=("boot.fstab", "/data"),
        mend="sed -i '/ .data ext4/d' /etc/fstab",
        beside=(("running.mount", "/data"),),
    ),
    Case(
        name="a line of fstab with a file system that no kernel knows",
        put="mkdir -p /old; echo 'tmpfs /old reiser9fs defaults 0 0' >>/etc/fstab",
        found=("boot.fstab", "/old"),
        mend="sed -i '/reiser9fs/d' /etc/fstab",
        beside=(("running.mount", "/old"),),
    ),
)

NETWORK: tuple[Case, ...] = (
    Case(
        name="a route added by hand",
        put="ip route add 203.0.113.128/25 via 10.0.2.2",
        found=("running.route", "4 203.0.113.128/25"),
    ),
    Case(
        name="a policy rule added by hand",
        put="ip rule add from 192.0.2.200 lookup 200 priority 500",
        found=("running.rule", "4 500"),
    ),
    Case(
        name="shaping set by hand",
        put="tc qdisc replace dev lan0 root tbf rate 100mbit burst 64kb latency 50ms",
        found=("running.qdisc-lost", "lan0"),
    ),
    Case(
        name="shaping that is set at boot and is gone",
        put="printf '#!/bin/sh\\ntc qdisc replace dev wan0 root sfq\\n' >/etc/rc.local; chmod 755 /etc/rc.local",
        found=("running.qdisc", "wan0"),
        mend="tc qdisc replace dev wan0 root sfq",
    ),
    Case(
        name="a rule of the firewall added by hand",
        put="nft add rule inet gateway forward ip saddr 192.0.2.77 drop",
        found=("running.nft-lost", "table inet gateway chain forward"),
    ),
    Case(
        name="a rule of the file that is not in force",
        put="echo 'add rule inet gateway postrouting ip daddr 203.0.113.77 counter' >>/etc/nftables.conf",
        found=("running.nft", "table inet gateway chain postrouting"),
    ),
    Case(
        name="a table of the firewall added by hand",
        put="nft add table ip extra; nft add chain ip extra early",
        found=("running.nft-lost", "table ip extra"),
        # Loading the file again, the fix of another case, flushes it already.
        mend="nft delete table ip extra 2>/dev/null || :",
    ),
    Case(
        name="a server started by hand",
        put="systemctl start nfs-server",
        found=("running.unit-lost", "nfs-server.service"),
    ),
    Case(
        name="an export made by hand",
        put="mkdir -p /srv/hand; exportfs -o rw,no_subtree_check,fsid=7 192.0.2.0/25:/srv/hand",
        found=("running.export-lost", "/srv/hand 192.0.2.0/25"),
    ),
    Case(
        name="an export of the file that is not in force",
        put="mkdir -p /srv/file; echo '/srv/file 192.0.2.0/25(ro,no_subtree_check,fsid=8)' >>/etc/exports",
        found=("running.export", "/srv/file 192.0.2.0/25"),
    ),
)

SERVICES: tuple[Case, ...] = (
    Case(
        name="settings that sshd would not start with",
        put="echo 'NoSuchWord yes' >/etc/ssh/sshd_config.d/zz.conf; touch -d '-1 hour' /etc/ssh/sshd_config.d/zz.conf",
        found=("restart.sshd", "ssh.service"),
        mend="rm /etc/ssh/sshd_config.d/zz.conf",
    ),
    Case(
        name="a unit that is enabled and was stopped",
        put=_SERVICE.format(name="stopped") + "systemctl stop stopped.service",
        found=("running.unit", "stopped.service"),
    ),
    Case(
        name="a unit that is enabled and fails",
        put="printf '[Service]\\nExecStart=/bin/sh -c \"exit 3\"\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/failing.service; "
        "systemctl daemon-reload; systemctl enable -q --now failing.service; while systemctl is-active -q failing.service; do :; done",
        found=("running.unit", "failing.service"),
        mend="systemctl disable -q failing.service; systemctl reset-failed failing.service",
    ),
    Case(
        name="a program replaced under its service",
        put=_SERVICE.format(name="replaced")
        + "cp /usr/bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/replaced-program",
        found=("restart.program", "replaced.service"),
    ),
    Case(
        name="a program replaced under a child of a service",
        put="""
cp /usr/bin/sleep /usr/local/bin/child-program
printf '#!/bin/sh\\n/usr/local/bin/child-program infinity &\\nwait\\n' >/usr/local/bin/parent; chmod 755 /usr/local/bin/parent
printf '[Service]\\nExecStart=/usr/local/bin/parent\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/parent.service
systemctl daemon-reload && systemctl enable -q --now parent.service
until pgrep -f child-program >/dev/null; do :; done
cp /usr/bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/child-program
""",
        found=("restart.program", "parent.service"),
    ),
    Case(
        name="a library replaced under a service",
        put="cd /usr/lib/x86_64-linux-gnu && cp -p libwrap.so.0.7.6 libwrap.new && mv libwrap.new libwrap.so.0.7.6",
        found=("restart.program", "ssh.service"),
    ),
    Case(
        name="a script changed under its service",
        put="""
printf 'import time\\nwhile True: time.sleep(60)\\n' >/usr/local/bin/script.py
printf '[Service]\\nExecStart=/usr/bin/python3 /usr/local/bin/script.py\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/scripted.service
systemctl daemon-reload && systemctl enable -q --now scripted.service
touch -d '+5 seconds' /usr/local/bin/script.py
""",
        found=("restart.script", "scripted.service"),
        mend="touch -d '-1 hour' /usr/local/bin/script.py; systemctl restart scripted.service",
    ),
    Case(
        name="settings that are newer than the process",
        put=_SERVICE.format(name="settled")
        + "mkdir -p /etc/settled; echo old >/etc/settled/settled.conf; touch -d '+5 seconds' /etc/settled/settled.conf",
        found=("restart.configuration", "settled.service"),
        mend="touch -d '-1 hour' /etc/settled/settled.conf; systemctl restart settled.service",
    ),
    # Last, since whoever reloads systemd for another case has mended it.
    Case(
        name="a unit whose file was changed",
        put=_SERVICE.format(name="edited")
        + "sed -i 's/infinity/7000000/' /etc/systemd/system/edited.service",
        found=("running.unit-file", "edited.service"),
    ),
)

_CFG = "/boot/grub/grub.cfg"

# What concerns the boot is one state after the other where one hides another.
BOOT: tuple[tuple[Case, ...], ...] = (
    (
        Case(
            name="another kernel is the default",
            put="grub-set-default '{candidate}'",
            found=("boot.kernel", "{candidate_release}"),
        ),
        Case(
            name="unattended-upgrades would reboot into it",
            put="""echo 'Unattended-Upgrade::Automatic-Reboot "true";' >/etc/apt/apt.conf.d/52reboot""",
            found=("boot.automatic", "unattended-upgrades"),
            mend="rm /etc/apt/apt.conf.d/52reboot",
        ),
        Case(
            name="the settings of the menu were changed and not written",
            put="touch -d '+1 hour' /etc/default/grub",
            found=("boot.menu-old", "grub.cfg"),
            mend="touch -d '-2 hours' /etc/default/grub",
        ),
        Case(
            name="a package that is half configured",
            put="sed -i '/^Package: kmod$/,/^$/s/^Status: .*/Status: install ok unpacked/' /var/lib/dpkg/status",
            found=("boot.packages", "dpkg"),
        ),
        Case(
            name="the menu waits for a key",
            put=f"sed -i 's/set timeout=0/set timeout=-1/' {_CFG}",
            found=("boot.menu", "grub.cfg"),
            mend=f"sed -i 's/set timeout=-1/set timeout=0/' {_CFG}",
        ),
    ),
    (
        Case(
            name="one boot of another kernel is pending",
            put="grub-reboot '{candidate}'",
            found=("boot.once", "{candidate_release}"),
        ),
        Case(
            name="the kernel that runs could not be booted: no modules",
            put="mv /lib/modules/$(uname -r)/modules.dep /root/",
            found=("boot.complete", "{good_release} modules"),
            mend="mv /root/modules.dep /lib/modules/$(uname -r)/",
            beside=(("boot.fallback", "kernels"),),
        ),
        Case(
            name="an initramfs that is older than a module",
            put="echo old >/boot/initrd.img-$(uname -r); touch -d '-2 hours' /boot/initrd.img-$(uname -r); "
            "touch /lib/modules/$(uname -r)/kernel/drivers/net/dummy.ko",
            found=("boot.initramfs", "{good_release}"),
            mend="rm /boot/initrd.img-$(uname -r)",
        ),
    ),
    (
        Case(
            name="GRUB's environment is no environment block",
            put="echo broken >/boot/grub/grubenv",
            found=("boot.environment", "grubenv"),
            beside=(("boot.kernel", "{candidate_release}"),),
        ),
    ),
    (
        Case(
            name="GRUB's environment cannot be written",
            put="chattr +i /boot/grub/grubenv",
            found=("boot.environment", "grubenv"),
        ),
        Case(
            name="a panic would stand still, and the command line changes",
            put=f"sed -i 's/ panic=10//; s/mitigations=off/mitigations=auto/' {_CFG}",
            found=("boot.panic", "{good_release}"),
            mend=f"sed -i 's/mitigations=auto/panic=10 mitigations=off/' {_CFG}",
            beside=(("boot.command-line", "command line"),),
        ),
        Case(
            name="the root of the next boot is not there",
            put=f"sed -i 's,root=/dev/nvme0n1p1,root=/dev/nvme9n1p1,' {_CFG}",
            found=("boot.root", "/dev/nvme9n1p1"),
            mend=f"sed -i 's,root=/dev/nvme9n1p1,root=/dev/nvme0n1p1,' {_CFG}",
        ),
        Case(
            name="a clean-up would take the kernel that runs",
            put="""echo 'APT::Protect-Kernels "false";' >/etc/apt/apt.conf.d/99protect; apt-mark auto linux-image-$(uname -r) >/dev/null""",
            found=("boot.purge", "{good_release}"),
        ),
    ),
    (
        Case(
            name="the kernel that runs is not installed any more",
            put="mv /boot/vmlinuz-$(uname -r) /root/",
            found=("boot.gone", "{good_release}"),
            mend="mv /root/vmlinuz-$(uname -r) /boot/",
            beside=(("boot.fallback", "kernels"),),
        ),
    ),
)
