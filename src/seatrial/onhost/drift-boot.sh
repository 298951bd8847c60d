
# --- what the next boot would take ---

# One line a kernel: version, then the times of its image, initramfs, modules.dep and package ('-': is not there), then
# a module that is newer than the initramfs. An image keeps the time of its build, so the package's list tells the install.
kernels() {
    for image in /boot/vmlinuz-*; do
        [ -e "$image" ] || continue
        version=${image#/boot/vmlinuz-}
        line=$version
        initrd=/boot/initrd.img-$version
        for file in "$image" "$initrd" "/lib/modules/$version/modules.dep" "/var/lib/dpkg/info/linux-image-$version.list"; do
            line="$line $(stat -L -c %Y "$file" 2>/dev/null || echo -)"
        done
        newer=-
        if [ -e "$initrd" ]; then
            newer=$(find "/lib/modules/$version" -name '*.ko*' -newer "$initrd" -print 2>/dev/null | head -n 1)
        fi
        echo "$line ${newer:--}"
    done
}

# What a clean-up of packages would take; the simulation is asked only where there is something that it could take.
autoremove() {
    has apt-get || return 1
    [ "$(ls /boot/vmlinuz-* 2>/dev/null | wc -l)" -gt 1 ] || return 0
    grep -q '^Package: linux-image-' /var/lib/apt/extended_states 2>/dev/null || return 0
    apt-get -s -q -o Debug::NoLocking=true autoremove | sed -n 's/^Remv \(linux-image-[^ ]*\).*/\1/p'
}

menu_times() {
    for file in /etc/default/grub /etc/default/grub.d/*.cfg /etc/grub.d/* /boot/grub/grub.cfg; do
        [ ! -f "$file" ] || stat -c '%Y %W %n' "$file"
    done
}

automatic() { grep -hsE '^[[:space:]]*Unattended-Upgrade::Automatic-Reboot ' /etc/apt/apt.conf.d/* /etc/apt/apt.conf || :; }

# The devices by the names that fstab and a kernel's command line use. Where udev keeps no links blkid reads the disks.
devices() {
    found=
    for kind in uuid label partuuid partlabel; do
        for link in /dev/disk/by-$kind/*; do
            [ -e "$link" ] || continue
            found=1
            echo "$kind ${link##*/}"
        done
    done
    [ -n "$found" ] || blkid -o export | sed -n 's/^UUID=/uuid /p; s/^LABEL=/label /p; s/^PARTUUID=/partuuid /p; s/^PARTLABEL=/partlabel /p'
    sed -n '3,$s/^.* \([^ ]*\)$/name \/dev\/\1/p' /proc/partitions
    for link in /dev/mapper/*; do
        [ ! -e "$link" ] || echo "name $link"
    done
}

fstab() { [ ! -e /etc/fstab ] || sed -n 's/^[[:space:]]*//; /^#/d; /./p' /etc/fstab; }

# The sources of fstab that are paths and are not there.
missing_sources() {
    [ -r /etc/fstab ] || return 0
    awk '$1 ~ /^\// { print $1 }' /etc/fstab | while read -r path; do
        [ -e "$path" ] || echo "$path"
    done
}

filesystems() {
    cat /proc/filesystems
    sed -n 's/^.*\/fs\/\([a-z0-9_]*\)\/.*$/\t\1/p' "/lib/modules/$(uname -r)/modules.builtin" "/lib/modules/$(uname -r)/modules.dep" | sort -u
}

watchdog() {
    for path in /dev/watchdog*; do
        [ ! -e "$path" ] || echo "device $path"
    done
    has systemctl || return 0
    systemctl show -p RuntimeWatchdogUSec -p RebootWatchdogUSec
}

# Where GRUB is told what to take when a boot cannot be loaded: file, line, text.
fallback_lines() { grep -nsHE '^[[:space:]]*(set[[:space:]]+)?fallback=' /etc/grub.d/*[!~] /boot/grub/custom.cfg || :; }

# What the firmware boots next, as it keeps it, in hexadecimal digits; the entries only where one of them is to be named.
efi() {
    [ -d /sys/firmware/efi ] || return 0
    set -- /sys/firmware/efi/efivars/*
    [ -e "$1" ] || return 1
    of=8be4df61-93ca-11d2-aa0d-00e098032b8c
    at=/sys/firmware/efi/efivars
    [ -e "$at/BootNext-$of" ] || return 0
    for file in "$at/BootNext-$of" "$at/BootCurrent-$of" "$at"/Boot[0-9A-F][0-9A-F][0-9A-F][0-9A-F]-"$of"; do
        [ ! -e "$file" ] || { what=${file##*/}; echo "${what%%-*} $(od -An -v -tx1 -N 400 "$file" | tr -d ' \n')"; }
    done
}

section identity identity
section uptime cat /proc/uptime
section cmdline cat /proc/cmdline
section kernels kernels
section autoremove autoremove
section menu-times menu_times
section automatic automatic
section fallback fallback_lines
section efi efi
section devices devices
section fstab fstab
section missing-sources missing_sources
section filesystems filesystems
section mountinfo cat /proc/self/mountinfo
section swaps cat /proc/swaps
section watchdog watchdog
