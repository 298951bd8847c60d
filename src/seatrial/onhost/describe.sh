# What machine a host is and what its kernel has in use, in one run that only reads. Run as: sh -s <this.
# Framed as in grub-facts.sh: every line of what a host said has a '|' in front, so that nothing can forge a section.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

section() {
    name=$1
    shift
    echo "@begin $name"
    { "$@" 2>/dev/null; printf '\n@%s\n' "$?"; } | head -c 60000 | sed 's/^/|/'
    echo "@end $name"
}

# A virtual machine may have none of these files: no line is an answer as well.
dmi() {
    for name in sys_vendor product_name bios_version; do
        [ ! -r "/sys/class/dmi/id/$name" ] || printf '%s %s\n' "$name" "$(cat "/sys/class/dmi/id/$name")"
    done
}

cpu() { sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sort | uniq -c; }

nics() {
    for path in /sys/class/net/*; do
        driver=$(readlink "$path/device/driver") || continue
        printf '%s %s\n' "${path##*/}" "${driver##*/}"
    done
}

filesystems() { cut -d' ' -f3 /proc/mounts | sort -u; }

modules() { [ ! -r /proc/modules ] || cut -d' ' -f1 /proc/modules; }

kernels() { dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' 'linux-image-[0-9]*'; }

section running uname -r
section machine uname -m
section built uname -v
section dmi dmi
section cpu cpu
section nics nics
section modules modules
section filesystems filesystems
section kernels kernels
echo @done
