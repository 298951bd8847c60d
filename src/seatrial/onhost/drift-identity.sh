
identity() {
    echo "host $(uname -n)"
    echo "kernel $(uname -r)"
    echo "now $(date +%s)"
    sed -n 's/^btime /btime /p' /proc/stat
    sed -n 's/^\(ID\|VERSION_ID\)="\{0,1\}\([^"]*\)"\{0,1\}$/os-\1 \2/p' /etc/os-release
    [ ! -d /sys/firmware/efi ] || echo "firmware efi"
    [ ! -r /proc/1/comm ] || echo "init $(cat /proc/1/comm)"
    [ "$(id -u)" = 0 ] && echo "root yes" || echo "root no"
    [ ! -e /run/systemd/container ] || echo "container $(cat /run/systemd/container)"
    [ ! -e /.dockerenv ] || echo "container docker"
    [ ! -e /boot/grub/grub.cfg ] || echo "loader grub"
    for place in /boot /boot/efi /efi; do
        [ ! -d "$place/loader/entries" ] || echo "loader systemd-boot"
    done
    [ ! -e /run/ostree-booted ] || echo "loader ostree"
    echo "clock-ticks $(getconf CLK_TCK)"
    echo "kexec $(cat /sys/kernel/kexec_loaded 2>/dev/null)"
}
