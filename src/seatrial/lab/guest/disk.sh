#!/bin/sh
# A customize hook of mmdebstrap; $1 is the new root, $2 the disk to write, $3 the UUID, $4 its size in MiB.
# An image with one partition and GRUB in the gap before it, made without a loop device and without a mount.
set -eu
root=$1 disk=$2 uuid=$3 size=$4
rm -f "$disk"
truncate -s "${size}M" "$disk"
printf 'label: dos\nlabel-id: 0x5ea7741a\nstart=2048, type=83, bootable\n' | sfdisk -q "$disk"
# GRUB 2.06 does not read every feature that mke2fs may turn on by default.
mke2fs -q -t ext4 -O '^metadata_csum_seed,^orphan_file,^64bit' -U "$uuid" -L seatrial-lab -m 0 \
    -E "offset=1048576,lazy_itable_init=1,nodiscard,root_owner=0:0" -d "$root" "$disk" "$((size - 1))M"
lib="$root/usr/lib/grub/i386-pc"
core="$root/tmp/core.img"
grub-mkimage -d "$lib" -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$core" \
    biosdisk part_msdos ext2 normal serial terminal
dd if="$lib/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$core" of="$disk" bs=512 seek=1 conv=notrunc status=none
rm -f "$core"
