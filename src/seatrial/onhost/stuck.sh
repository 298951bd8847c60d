# What waits in the kernel and cannot be woken, on which mount, and which mounts over the network do not answer.
# Run as: sh -s -- SECONDS <this. Nothing here touches a mount but `stat -f` in a child of its own, which is left alone when
# it is caught: links in /proc are read and not followed, and neither cmdline nor maps is, since both wait for a lock that
# a caught process may hold. One fact a line, its name first; a line feed in a value is shown as a question mark.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
patience=$1
most=20

line() { tr '\n' '?' | sed "s/^/$1 /; s/?\$//"; echo; }

process() {
    echo "process $1"
    line comm <"/proc/$1/comm" 2>/dev/null
    line ns <<EOT
$(readlink "/proc/$1/ns/mnt" 2>/dev/null)
EOT
    sed -n 's/^0::/cgroup /p' "/proc/$1/cgroup" 2>/dev/null | head -n 1
    find "/proc/$1/cwd" "/proc/$1/root" "/proc/$1/exe" "/proc/$1/fd" -maxdepth 1 -type l -printf '%l\0' 2>/dev/null |
        head -c 65536 | tr '\n\0' '?\n' | sed -n 's/^\//at \//p' | sort -u | head -n 100
    sed 's/^/stack /' "/proc/$1/task/$2/stack" 2>/dev/null | head -n 12
}

# Of the mounts on stdin, each by its own child; all of them at the same time.
try() {
    while read -r ident _ _ _ point _; do
        path=$(printf '%s' "$point" | sed 's/%/%%/g')
        # shellcheck disable=SC2059 # the kernel writes blanks as \040, which is what a format is for
        path=$(printf "$path.")
        {
            timeout -s KILL "$patience" nsenter -t "$1" -m -- stat -f -c %i -- "${path%.}" </dev/null >/dev/null 2>&1
            case $? in
                0) echo "answers $ident" ;;
                137 | 124) ;;
                *) echo "fails $ident" ;;
            esac
        } &
        children="$children $!"
    done
}

waiting=$(ps -eLo state=,lwp=,pid=,comm= | awk '$1 == "D"')
ours=$(readlink /proc/self/ns/mnt)
# What earlier looks left in a mount that not even SIGKILL frees says enough; no more are added to them.
caught=$(printf '%s\n' "$waiting" | grep -c ' stat$')
children=
seen=" "
rooms=" "
for word in $(printf '%s\n' "$waiting" | awk 'NF { print $2 ":" $3 }'); do
    pid=${word#*:}
    echo "thread ${word%:*} $pid"
    case $seen in *" $pid "*) continue ;; esac
    [ "$most" -gt 0 ] || continue
    most=$((most - 1))
    seen="$seen$pid "
    process "$pid" "${word%:*}"
done
# The mounts over the network as each of them sees them, and as this shell does. When nothing waits, none is touched.
[ "$seen" = " " ] || for pid in $$ $seen; do
    ns=$(readlink "/proc/$pid/ns/mnt" 2>/dev/null) || continue
    case $rooms in *" $ns "*) continue ;; esac
    rooms="$rooms$ns "
    echo "room $ns $pid"
    [ "$ns" != "$ours" ] || echo "here $ns"
    mounts=$(grep -E ' - (nfs|nfs4|cifs|smb3|ceph|9p|fuse\.(glusterfs|sshfs)) ' "/proc/$pid/mountinfo" 2>/dev/null | head -n 50)
    [ -n "$mounts" ] || continue
    printf '%s\n' "$mounts" | sed 's/^/mount /'
    [ "$caught" -lt 8 ] || continue
    try "$pid" <<EOT
$mounts
EOT
done
turns=0
while [ "$turns" -lt "$((patience * 5))" ]; do
    alive=
    for child in $children; do
        if kill -0 "$child" 2>/dev/null; then alive=yes; fi
    done
    [ -n "$alive" ] || break
    sleep 0.2
    turns=$((turns + 1))
done
for child in $children; do kill -9 "$child" 2>/dev/null; done
echo end
