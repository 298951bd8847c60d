#!/bin/sh
# A customize hook of mmdebstrap; $1 is the new root, $2 this directory, $3 the UUID of the root file system.
# Puts the lab's files in, masks what costs time, and lets Debian's own scripts write the boot menu.
set -eu
root=$1 here=$2 uuid=$3
cp -r "$here/rootfs/." "$root/"
chmod 755 "$root/usr/lib/seatrial-lab/network" "$root/etc/default" "$root/etc/systemd/system"/*.d
chown -R 0:0 "$root/usr/lib/seatrial-lab" "$root/etc/systemd/system" "$root/etc/ssh/sshd_config.d"
while read -r unit; do
    rm -f "$root/etc/systemd/system/$unit"
    ln -s /dev/null "$root/etc/systemd/system/$unit"
done <"$here/mask"
# logind starts when somebody asks for it (systemctl reboot does), not at every boot.
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /dev/null "$root/etc/systemd/system/multi-user.target.wants/systemd-logind.service"
mkdir -p "$root/etc/systemd/system-generators"
for generator in "$root"/usr/lib/systemd/system-generators/*; do
    case ${generator##*/} in
        systemd-run-generator | systemd-debug-generator) ;;
        *) ln -sf /dev/null "$root/etc/systemd/system-generators/${generator##*/}" ;;
    esac
done
for unit in seatrial-lab-network seatrial-lab-ready; do
    chroot "$root" systemctl -q enable "$unit.service"
done
chroot "$root" systemctl -q set-default multi-user.target
# These cost seconds of every boot, so the files of the host that wants one start it.
for unit in keepalived.service drbd.service nfs-server.service nfs-client.target nfs-blkmap.service rpcbind.service \
    rpcbind.socket rpc-statd-notify.service; do
    chroot "$root" systemctl -q disable "$unit" || true
done
rm -f "$root/usr/lib/modules-load.d/drbd.conf"
: >"$root/etc/fstab"
# An empty file gets its id from QEMU's -uuid; "uninitialized" would mean a first boot, which presets every unit.
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id"
chroot "$root" usermod -p '*' root
# Packages put their hook for new kernels here; the build left it out because GRUB was not set up yet.
cp -p "$root/etc/kernel/postrm.d/zz-update-grub" "$root/etc/kernel/postinst.d/zz-update-grub"

# grub-probe looks at the machine it runs on, which is not yet the guest: for the time of this script its answers
# are the guest's. After the boot the real one gives the same answers.
probe="$root/usr/sbin/grub-probe"
mv "$probe" "$probe.real"
cat >"$probe" <<'PROBE'
#!/bin/sh
for word; do
    case $word in
        --target=*) what=${word#--target=} ;;
        -t) what=next ;;
        *) [ "${what:-}" != next ] || what=$word ;;
    esac
done
case $what in
    device) echo /dev/nvme0n1p1 ;;
    disk) echo /dev/nvme0n1 ;;
    fs_uuid) echo @UUID@ ;;
    fs) echo ext2 ;;
    partmap) echo msdos ;;
    abstraction) ;;
    *) exit 1 ;;
esac
PROBE
sed -i "s/@UUID@/$uuid/" "$probe"
chmod 755 "$probe"
mkdir -p "$root/boot/grub"
cp -r "$root/usr/lib/grub/i386-pc" "$root/boot/grub/"
rm -f "$root"/boot/grub/i386-pc/*.img "$root"/boot/grub/i386-pc/*.exec
chroot "$root" grub-editenv /boot/grub/grubenv create
chroot "$root" update-grub
mv "$probe.real" "$probe"
good=$(head -n 1 "$root/usr/lib/seatrial-lab/kernels")
chroot "$root" grub-set-default "gnulinux-advanced-$uuid>gnulinux-$good-advanced-$uuid"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt
rm -f "$root"/boot/System.map-*
