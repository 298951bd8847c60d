"""States of a host that the next boot, restart or failover would change: how each is made, what is found, how it is mended.

Each is made for real on a guest by `put`, as root. `found` is the finding and what it is about, which may be a pattern. What
is printed as its fix is run as it is; with `instead` the other way that is printed. `mend` has what a person would do where the
fix is told in words, or wants an archive that a guest does not reach. `clean` takes away what is left, once nothing is found.
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
    instead: bool = False
    clean: str = ""
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
        instead=True,
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
        beside=(("running.mount", "/data"),),
    ),
    Case(
        name="a line of fstab with a file system that no kernel knows",
        put="mkdir -p /old; echo 'tmpfs /old reiser9fs defaults 0 0' >>/etc/fstab",
        found=("boot.fstab", "/old"),
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
    ),
    # First: the fix of the others loads the file, and so empties what is not in it.
    Case(
        name="a table of the firewall added by hand",
        put="nft add table ip extra; nft add chain ip extra early",
        found=("running.nft-lost", "table ip extra"),
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
        # It would fail again.
        instead=True,
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
        # systemd and its journal have it loaded as well, as the next two cases tell.
        put="f=$(readlink -f /usr/lib/x86_64-linux-gnu/libpam.so.0); cp -p $f $f.new && mv $f.new $f",
        found=("restart.program", "ssh.service"),
    ),
    Case(
        name="the same library replaced under systemd itself",
        put=":",
        found=("restart.program", "init.scope"),
    ),
    Case(
        name="the same library replaced under the journal",
        put=":",
        found=("restart.program", "systemd-journald.service"),
    ),
    Case(
        name="a script changed under its service",
        put="""
printf 'import time\\nwhile True: time.sleep(60)\\n' >/usr/local/bin/script.py
printf '[Service]\\nExecStart=/usr/bin/python3 /usr/local/bin/script.py\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/scripted.service
systemctl daemon-reload && systemctl enable -q --now scripted.service
sleep 3; touch /usr/local/bin/script.py
""",
        found=("restart.script", "scripted.service"),
    ),
    Case(
        name="settings that are newer than the process",
        put=_SERVICE.format(name="settled")
        + "sleep 3; mkdir -p /etc/settled; echo old >/etc/settled/settled.conf",
        found=("restart.configuration", "settled.service"),
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
        ),
        Case(
            name="the settings of the menu were changed and not written",
            put="sleep 3; touch /etc/default/grub",
            found=("boot.menu-old", "grub.cfg"),
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
            name="GRUB falls back to an entry that is not there",
            put="echo 'set fallback=7' >>/etc/grub.d/40_custom; update-grub 2>&1",
            found=("boot.fallback-entry", "fallback"),
        ),
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
            beside=(("boot.command-line", "command line"),),
        ),
        Case(
            name="the root of the next boot is not there",
            put=f"sed -i 's,root=/dev/nvme0n1p1,root=/dev/nvme9n1p1,' {_CFG}",
            found=("boot.root", "/dev/nvme9n1p1"),
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

# A further round, of what would have stood in the way of the cases before, or by them.
FURTHER: tuple[tuple[Case, ...], ...] = (
    (
        Case(
            name="swap of fstab that is off",
            put="dd if=/dev/zero of=/swapfile2 bs=1M count=8 status=none; chmod 600 /swapfile2; mkswap -q /swapfile2; echo '/swapfile2 none swap sw 0 0' >>/etc/fstab",
            found=("running.swap", "swap"),
        ),
        Case(
            name="rules of the firewall that nothing could load",
            put="echo 'table inet broken {' >>/etc/nftables.conf",
            found=("running.nft-broken", "/etc/nftables.conf"),
            mend="sed -i '$d' /etc/nftables.conf",
        ),
        Case(
            name="a hardware watchdog that nothing arms",
            put="modprobe softdog; echo softdog >/etc/modules-load.d/softdog.conf",
            found=("boot.watchdog", "watchdog"),
            clean="rm /etc/systemd/system.conf.d/watchdog.conf /etc/modules-load.d/softdog.conf; systemctl daemon-reexec; rmmod softdog",
        ),
        Case(
            name="a kernel that is loaded for kexec",
            put="kexec -l /boot/vmlinuz-$(uname -r) --reuse-cmdline",
            found=("boot.kexec", "kexec"),
        ),
        Case(
            name="a rule of iptables that is not in force",
            put="mkdir -p /etc/iptables; iptables-save >/etc/iptables/rules.v4; iptables -A INPUT -s 192.0.2.9 -j DROP; "
            "iptables-save >/etc/iptables/rules.v4; iptables -D INPUT -s 192.0.2.9 -j DROP",
            found=("running.iptables", "rules.v4"),
        ),
    ),
    (
        Case(
            name="a rule of iptables that was added by hand",
            put="iptables -A INPUT -s 192.0.2.10 -j DROP",
            found=("running.iptables-lost", "rules.v4"),
            clean="rm /etc/iptables/rules.v4; iptables -F INPUT; nft delete table ip filter",
        ),
    ),
)

_PKI = "/etc/etcd"
_PROXY = "/etc/etcd-proxy"
# What reads its certificate again for who asks by a name and for nobody else, as etcd did before 3.2.18.
_BY_NAME = """
cat >/usr/local/bin/byname.py <<'END'
import socket, ssl
def made():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/etc/byname/cert.pem", "/etc/byname/cert.key")
    return context
first = made()
def again(spoken, name, context):
    if name:
        spoken.context = made()
first.sni_callback = again
listening = socket.create_server(("127.0.0.1", 8443))
while True:
    connection, _ = listening.accept()
    try:
        first.wrap_socket(connection, server_side=True).close()
    except OSError:
        pass
END
mkdir -p /etc/byname; cp /root/pki/server-old.pem /etc/byname/cert.pem; cp /root/pki/server-old.key /etc/byname/cert.key
echo 'certificate = /etc/byname/cert.pem' >/etc/byname/byname.conf
printf '[Service]\\nExecStart=/usr/bin/python3 /usr/local/bin/byname.py\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/byname.service
systemctl daemon-reload; systemctl enable -q --now byname.service
"""
_STUNNEL = """
mkdir -p /etc/stunnel; cat /root/pki/{pem}.pem /root/pki/{pem}.key >/etc/stunnel/{name}.pem; chmod 600 /etc/stunnel/{name}.pem
printf 'foreground = yes\\npid =\\n[{name}]\\naccept = 127.0.0.1:{port}\\nconnect = 127.0.0.1:22\\ncert = /etc/stunnel/{name}.pem\\n' >/etc/stunnel/{name}.conf
printf '[Service]\\nExecStart=/usr/bin/stunnel4 /etc/stunnel/{name}.conf\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/tls-{name}.service
systemctl daemon-reload; systemctl enable -q --now tls-{name}.service
"""

# etcd as Debian has it, its own gateway as a client of it, and two other servers. /root/pki has the certificates.
ETCD = f"""
mkdir -p {_PKI} {_PROXY}
cp /root/pki/ca-old.pem {_PKI}/ca.pem; cp /root/pki/server-old.pem {_PKI}/server.pem; cp /root/pki/server-old.key {_PKI}/server.key
chown -R etcd {_PKI}
cat >/etc/default/etcd <<'END'
ETCD_CERT_FILE={_PKI}/server.pem
ETCD_KEY_FILE={_PKI}/server.key
ETCD_TRUSTED_CA_FILE={_PKI}/ca.pem
ETCD_CLIENT_CERT_AUTH=true
ETCD_LISTEN_CLIENT_URLS=https://127.0.0.1:2379
ETCD_ADVERTISE_CLIENT_URLS=https://127.0.0.1:2379
ETCD_HEARTBEAT_INTERVAL=1000
ETCD_ELECTION_TIMEOUT=10000
END
cp /root/pki/ca-old.pem {_PROXY}/ca.pem; cp /root/pki/client-old.pem {_PROXY}/client.pem; cp /root/pki/client-old.key {_PROXY}/client.key
cat >/etc/systemd/system/etcd-proxy.service <<'END'
[Unit]
After=etcd.service
[Service]
ExecStart=/usr/bin/etcd grpc-proxy start --endpoints https://127.0.0.1:2379 --cacert {_PROXY}/ca.pem --cert {_PROXY}/client.pem --key {_PROXY}/client.key --listen-addr 127.0.0.1:23790
Restart=always
RestartSec=3
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload; systemctl enable -q etcd.service etcd-proxy.service; systemctl restart etcd.service; systemctl restart etcd-proxy.service
{_BY_NAME}
{_STUNNEL.format(name="kept", pem="server-old", port=8444)}
{_STUNNEL.format(name="over", pem="server-over", port=8445)}
sleep 5; for one in etcd etcd-proxy byname tls-kept tls-over; do systemctl is-active $one.service; done
"""
# etcd reads its own certificate again at every handshake, so that here nothing is to be found.
ETCD_RENEWED = f"cp /root/pki/server-new.pem {_PKI}/server.new && cp /root/pki/server-new.key {_PKI}/server.key && mv {_PKI}/server.new {_PKI}/server.pem; chown -R etcd {_PKI}"
_BACK = f"cp /root/pki/server-old.pem {_PKI}/server.new && cp /root/pki/server-old.key {_PKI}/server.key && mv {_PKI}/server.new {_PKI}/server.pem; chown -R etcd {_PKI}"

CERTIFICATES: tuple[tuple[Case, ...], ...] = (
    (
        Case(
            name="etcd's authority was renewed, and etcd not restarted",
            put=f"cat /root/pki/ca-old.pem /root/pki/ca-new.pem >{_PKI}/ca.pem",
            found=("restart.certificate", f"etcd.service {_PKI}/ca.pem"),
        ),
        Case(
            name="a renewed certificate that is served by name and not by address",
            put="cp /root/pki/server-new.pem /etc/byname/cert.pem; cp /root/pki/server-new.key /etc/byname/cert.key",
            found=("restart.served", "byname.service /etc/byname/cert.pem"),
        ),
        Case(
            name="a renewed certificate that is not served at all",
            put="cat /root/pki/server-new.pem /root/pki/server-new.key >/etc/stunnel/kept.pem",
            found=("restart.served", "tls-kept.service /etc/stunnel/kept.pem"),
        ),
        Case(
            name="a certificate that is over",
            put=":",
            found=("restart.expired", "tls-over.service /etc/stunnel/over.pem"),
            mend="cat /root/pki/server-new.pem /root/pki/server-new.key >/etc/stunnel/over.pem; systemctl restart tls-over.service",
        ),
    ),
    (
        Case(
            name="a client trusts the old authority, and etcd has a certificate of the new one",
            put=ETCD_RENEWED,
            found=("restart.trust", "etcd-proxy.service 127.0.0.1:2379"),
        ),
    ),
    (
        Case(
            name="a client trusts the new authority, and etcd has a certificate of the old one",
            put=f"cp /root/pki/ca-new.pem {_PROXY}/ca.pem; systemctl restart etcd-proxy.service; sleep 5; {_BACK}",
            found=("restart.trust", "etcd-proxy.service 127.0.0.1:2379"),
        ),
    ),
    (
        Case(
            name="a client shows a certificate whose authority etcd does not trust",
            put=f"cp /root/pki/ca-old.pem {_PKI}/ca.pem; systemctl restart etcd.service; cp /root/pki/client-new.pem {_PROXY}/client.pem; "
            f"cp /root/pki/client-new.key {_PROXY}/client.key; cat /root/pki/ca-old.pem /root/pki/ca-new.pem >{_PROXY}/ca.pem; "
            "systemctl restart etcd-proxy.service; sleep 3",
            found=("restart.trust", f"etcd-proxy.service {_PROXY}/client.pem"),
        ),
    ),
)

# The journal of the boot before is kept from here on.
KEEPS_ITS_JOURNAL = (
    "printf '[Journal]\\nStorage=persistent\\n' >/etc/systemd/journald.conf.d/zz-kept.conf; rm -f /etc/systemd/system/systemd-journal-flush.service; "
    "systemctl daemon-reload; systemctl restart systemd-journald; journalctl --flush"
)
# The guest's image has neither udev nor anything that mounts fstab or runs rc.local at its boot, so that what cases before
# put there would not be in force after the boot that comes, as on a host that is whole.
FORGETS_WHAT_IT_WOULD_NOT_DO = "sed -i '/swapfile/d; / \\/\\(mnt\\|opt\\|data\\|old\\|srv\\/data\\) /d' /etc/fstab; rm -f /etc/udev/rules.d/60-*.rules /etc/rc.local"
HARDWARE: tuple[Case, ...] = (
    Case(
        name="the kernel tells of a sector that cannot be read",
        # A disk of the kernel's own, which fails at this sector as a real one does.
        put="modprobe scsi_debug dev_size_mb=8 opts=2; modprobe sd_mod; until [ -b /dev/sda ]; do sleep 1; done; "
        "dd if=/dev/sda of=/dev/null bs=512 skip=4660 count=1 iflag=direct 2>/dev/null || :; rmmod scsi_debug",
        found=("hardware.errors", "*sda*"),
        mend="reboot",
    ),
    Case(
        name="an array that lost a member",
        put="modprobe -a loop raid1; for n in 6 7; do dd if=/dev/zero of=/var/disk$n bs=1M count=8 status=none; losetup /dev/loop$n /var/disk$n; done; "
        "mdadm --create /dev/md0 --run --assume-clean --metadata=1.2 --level=1 -n2 /dev/loop6 /dev/loop7 2>&1; mdadm /dev/md0 --fail /dev/loop7 2>&1",
        found=("hardware.array", "md0"),
        # The kernel tells of it as well. Both are gone after the reboot that another case ends with, as is the array.
        beside=(("hardware.errors", "md/raid1:md0:*"),),
    ),
    Case(
        name="a disk says of itself that it fails",
        # The test lets QEMU's disk say so. Another one comes with the reboot of the case behind it.
        put=":",
        found=("hardware.disk", "/dev/nvme0*"),
        mend=": another disk",
    ),
)

# What a host has that its peer, the same guest as it was before, has not.
PEERS: tuple[Case, ...] = (
    Case(
        name="a sysctl of a group's host is another one",
        put="echo 'vm.dirty_background_ratio = 7' >/etc/sysctl.d/55-own.conf; sysctl -q -w vm.dirty_background_ratio=7",
        found=("peers.sysctl", "pair"),
    ),
    Case(
        name="a package of a group's host is another one",
        put="dpkg -i /root/seatrial-example_1.1_all.deb",
        found=("peers.packages", "pair"),
        mend="dpkg -i /root/seatrial-example_1.0_all.deb",
    ),
    Case(
        name="a group's host lacks an export",
        put="cp /etc/exports /root/exports; sed -i '/peers/d' /etc/exports; exportfs -ra",
        found=("peers.exports", "pair"),
    ),
    Case(
        name="a card of a group's host is set otherwise",
        put="ip link set lan0 mtu 1400",
        found=("peers.links", "pair"),
    ),
    Case(
        name="the next boots of a group's hosts take different kernels",
        put="grub-set-default '{candidate}'",
        found=("peers.next-kernel", "pair"),
        beside=(("boot.kernel", "{candidate_release}"),),
    ),
)
