# What a trial looks at again and again on a GRUB host: what runs, what is on disk to boot, what the next boot takes.
# Run as: sh -s <this. It is asked every second or so, of hosts that may be slow and busy with their own work, so it
# costs five processes where grub-facts.sh costs a hundred. The frames are the same ones.
set -u
root=${SEATRIAL_ROOT:-}
if [ -z "$root" ]; then PATH=/usr/sbin:/usr/bin:/sbin:/bin; fi
LC_ALL=C
export PATH LC_ALL

# What a pattern finds, or nothing: stat must not be given the pattern itself.
found() {
    for path; do
        [ ! -e "$path" ] || printf '%s\n' "$path"
    done
}

{
    found "$root"/boot/vmlinuz-* "$root"/boot/initrd.img-* "$root"/lib/modules/*/modules.dep
} | tr '\n' '\0' | xargs -0 -r stat -L -c '%s %n' 2>/dev/null | awk -v root="$root" '
# A file line by line, each with a bar in front; more lines than any such file has means that it is none.
function part(name, file,    line, lines, status) {
    print "@begin " name
    while ((status = (getline line < file)) > 0 && ++lines < 9000) print "|" line
    print "|@" (status == 0 ? 0 : 1)
    print "@end " name
}
function list(name, text) { printf "@begin %s\n%s|@0\n@end %s\n", name, text, name }
{
    if ($2 ~ /\/modules\.dep$/) modules = modules "|" $0 "\n"
    else boot = boot "|" $0 "\n"
}
END {
    part("running", root "/proc/sys/kernel/osrelease")
    part("boot-id", root "/proc/sys/kernel/random/boot_id")
    part("uptime", root "/proc/uptime")
    list("boot", boot)
    list("modules", modules)
    part("cfg", root "/boot/grub/grub.cfg")
    part("env", root "/boot/grub/grubenv")
    print "@done"
}'
