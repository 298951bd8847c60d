# Everything that a trial wants to know of a GRUB host, in one run that only reads. Run as: sh -s <this.
# A section begins with '@begin NAME' and ends with '@end NAME STATUS'; every line of what a host said has a '|' in
# front, so that no file name and no file can forge a section. '@done' at the end: nothing was cut off.
set -u
root=${SEATRIAL_ROOT:-}
if [ -z "$root" ]; then PATH=/usr/sbin:/usr/bin:/sbin:/bin; fi
LC_ALL=C
export PATH LC_ALL

# The status is printed by the inner side, since a pipe tells of its last program only.
section() {
    name=$1
    shift
    echo "@begin $name"
    { "$@" 2>/dev/null; printf '\n@%s\n' "$?"; } | head -c 200000 | sed 's/^/|/'
    echo "@end $name"
}

# stat of files that a pattern may not have found: no file is an answer as well.
sizes() {
    for path; do
        [ ! -e "$path" ] || stat -L -c '%s %n' "$path"
    done
}

env_file() {
    [ -e "$grubenv" ] || return 1
    stat -c '%s %F' "$grubenv"
    if [ -w "$grubenv" ]; then echo writable; else echo unwritable; fi
    readlink -f "$grubenv"
}

# What lies under a mounted file system, by the kernel's own name of the device and what device-mapper says of it.
device() {
    number=$(findmnt -nro MAJ:MIN -T "$1") || return 1
    readlink -f "$root/sys/dev/block/$number" || return 1
    cat "$root/sys/dev/block/$number/dm/name" "$root/sys/dev/block/$number/dm/uuid" || :
}

# The packages that are neither wholly in nor wholly out; dpkg --audit also complains of much that does not matter.
unfinished() {
    all=$(dpkg-query -W -f '${db:Status-Abbrev}|${binary:Package}\n') || return 1
    printf '%s\n' "$all" | grep -v '^.[nic] |' || :
}

watchdog() {
    for path in "$root"/dev/watchdog*; do
        [ ! -e "$path" ] || echo "$path"
    done
}

mounts() {
    for path in /boot/grub /var/lib /etc; do
        findmnt -nro TARGET,FSTYPE,SOURCE,OPTIONS -T "$root$path" || return 1
    done
}

room() { df -PB1 "$root/var/lib" "$root/etc" "$root/boot"; }

inodes() { df -Pi "$root/var/lib" "$root/etc" "$root/boot"; }

grubenv=$root/boot/grub/grubenv
section running uname -r
section boot-id cat "$root/proc/sys/kernel/random/boot_id"
section uptime cat "$root/proc/uptime"
section boot sizes "$root"/boot/vmlinuz-* "$root"/boot/initrd.img-*
section modules sizes "$root"/lib/modules/*/modules.dep
section cfg cat "$root/boot/grub/grub.cfg"
section env head -c 1024 "$grubenv"
section env-file env_file
section env-device device "$root/boot/grub"
section mounts mounts
section room room
section inodes inodes
section packages unfinished
section panic cat "$root/proc/sys/kernel/panic"
section watchdog watchdog
echo @done
