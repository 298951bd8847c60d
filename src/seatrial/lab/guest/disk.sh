#!/bin/sh
# A customize hook of mmdebstrap; $1 is the new root, $2 the disk to write, $3 the UUID, $4 its size in MiB.
# An image with one partition and GRUB in the gap before it, made without a loop device and without a mount.
set -eu
root=$1 disk=$2 uuid=$3 size=$4
echo "seatrial: disk"
rm -rf "$disk" "$root/seatrial-build"
truncate -s "${size}M" "$disk"
# The partition table: one bootable Linux partition from sector 2048 to the end, little-endian as in 1983.
sectors=$((size * 2048 - 2048))
byte() { printf '%03o' $((sectors >> $1 & 255)); }
printf '\200\376\377\377\203\376\377\377\000\010\000\000'"\\$(byte 0)\\$(byte 8)\\$(byte 16)\\$(byte 24)" |
    dd of="$disk" bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of="$disk" bs=1 seek=510 conv=notrunc status=none
# GRUB 2.06 does not read every feature that mke2fs may turn on by default.
# mmdebstrap has /proc and others mounted in the new root during its hooks; a bind that is not recursive leaves them out.
bare=$root.bare
mkdir "$bare"
mount --bind "$root" "$bare"
mke2fs -q -t ext4 -O '^metadata_csum_seed,^orphan_file,^64bit' -U "$uuid" -L seatrial-lab -m 0 \
    -E "offset=1048576,lazy_itable_init=1,nodiscard,root_owner=0:0" -d "$bare" "$disk" "$((size - 1))M"
lib="$root/usr/lib/grub/i386-pc"
core="$root/tmp/core.img"
grub-mkimage -d "$lib" -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$core" \
    biosdisk part_msdos ext2 normal serial terminal
dd if="$lib/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$core" of="$disk" bs=512 seek=1 conv=notrunc status=none
rm -f "$core"
umount "$bare"
rmdir "$bare"
