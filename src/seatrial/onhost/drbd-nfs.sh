# A host of an NFS pair on DRBD: how it stands (glance, look), and what a failover does there (give, take, fence).
# Run as: sh -s <settings and this, followed by a line with the verb. POSIX sh; what a verb needs stands in the settings.
#
# Every verb may be repeated and be cut off anywhere: each step looks before it acts. What a step came to is a line
# `step TAB name TAB milliseconds TAB status TAB what it said TAB hint`; facts are lines `name TAB value ...`.
# A verb that changes something has a lock for itself, so that a controller that comes later knows that one still runs.
# Nothing here decides who serves; but nothing is promoted either that the other side, asked on the spot, does not allow.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
run=${SEATRIAL_RUN:-/run/seatrial}
nfsd=/proc/fs/nfsd
tab=$(printf '\t')
# shellcheck disable=SC2154  # the settings stand in front of this text
minors=$(printf '%s\n' "$volumes" | while read -r device _; do
    case $device in
        /dev/drbd[0-9]*) echo "${device#/dev/drbd}" ;;
        *) printf '%d\n' "0x$(stat -L -c %T "$device" 2>/dev/null || echo fffff)" ;;
    esac
done)

fact() {
    printf '%s' "$1"
    shift
    for word; do printf '\t%s' "$word"; done
    echo
}

now_ms() {
    read -r up _ </proc/uptime
    now=${up%.*}${up#*.}0
}

# step NAME HINT COMMAND...: one step, told; what follows it is not done when it fails.
step() {
    name=$1 hint=$2
    shift 2
    now_ms
    began=$now
    said=$("$@" 2>&1)
    code=$?
    now_ms
    said=$(printf '%s' "$said" | tail -n 3 | tr '\t\n' '  ')
    printf 'step\t%s\t%s\t%s\t%s\t%s\n' "$name" "$((now - began))" "$code" "$said" "$hint"
    [ "$code" = 0 ] || exit 1
}

is_old() { ! grep -q '^version: 9' /proc/drbd 2>/dev/null; }

# What DRBD says now: `state`, `here` and `there` (roles), `disk` and `other` (disks), of all volumes the least.
read_drbd() {
    state='' here='' there='' disk='' other=''
    if is_old; then
        for minor in $minors; do
            line=$(grep "^ *$minor: cs:" /proc/drbd) || { state=down; return; }
            read_line $line
        done
        return
    fi
    set -- $(drbdsetup status "$resource" 2>/dev/null | tr '\n' ' ')
    [ $# -gt 0 ] || { state=down; return; }
    at=here state=Connected
    for word; do
        case $at$word in
            here"$resource") ;;
            hererole:*) here=${word#role:} ;;
            heredisk:*) [ "$disk" = '' ] || [ "$disk" = UpToDate ] && disk=${word#disk:} ;;
            *connection:*) at=there state=${word#connection:} ;;
            *role:*) at=there there=${word#role:} ;;
            *peer-disk:*) [ "$other" = '' ] || [ "$other" = UpToDate ] && other=${word#peer-disk:} ;;
            *) ;;
        esac
    done
}

# A line of /proc/drbd: " 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----".
read_line() {
    for word; do
        case $word in
            cs:*) [ "$state" = '' ] || [ "$state" = Connected ] && state=${word#cs:} ;;
            ro:*) roles=${word#ro:} here=${roles%/*} there=${roles#*/} ;;
            ds:*)
                disks=${word#ds:}
                [ "$disk" = '' ] || [ "$disk" = UpToDate ] && disk=${disks%/*}
                [ "$other" = '' ] || [ "$other" = UpToDate ] && other=${disks#*/}
                ;;
        esac
    done
}

is_mounted() { grep -q "^[^ ]* $1 " /proc/self/mounts; }

threads_now() {
    threads_run=0
    [ ! -r $nfsd/threads ] || read -r threads_run <$nfsd/threads
}

each_volume() { printf '%s\n' "$volumes"; }

# -- how it stands ---------------------------------------------------------------------------------------------------

glance() {
    fact seatrial 1
    fact resource "$resource"
    fact boot "$(cat /proc/sys/kernel/random/boot_id)"
    mkdir -p "$run"
    if flock -n "$run/failover.lock" true; then fact batch free; else fact batch running; fi
    if [ -r /proc/drbd ]; then sed 's/^/proc\t/' /proc/drbd; else fact proc-none; fi
    is_old || drbdsetup status --json "$resource" 2>/dev/null | sed 's/^/json\t/'
    for minor in $minors; do fact minor "$minor"; done
    each_volume | while read -r device at _; do
        if grep -q "^$device $at \|^/dev/drbd[^ ]* $at " /proc/self/mounts; then fact mounted "$at"; fi
    done
    [ -z "$(ip -o addr show to "$service")" ] || fact address "$service"
    threads_now
    fact threads "$threads_run"
    for unit in $units; do fact unit "$unit" "$(systemctl is-active "$unit")"; done
    fact 'done'
}

look() {
    glance | sed '$d'
    fact daemons $(pgrep -x -l 'nfsdcld|rpc.mountd' | sed 's/.* //')
    [ ! -r $nfsd/nfsv4leasetime ] || fact lease "$(cat $nfsd/nfsv4leasetime)" "$(cat $nfsd/nfsv4gracetime)"
    [ ! -r $nfsd/versions ] || fact versions $(cat $nfsd/versions 2>/dev/null)
    cat /etc/exports /etc/exports.d/*.exports 2>/dev/null | sed 's/#.*//; s/[[:space:]]\{1,\}/ /g; s/^ //; s/ $//; /^$/d; s/^/export\t/'
    [ ! -r /var/lib/nfs/etab ] || sed 's/[[:space:]].*//; s/^/served\t/' /var/lib/nfs/etab | sort -u
    awk -F= '/^\[/ {part = $0} part == "[nfsd]" && /^[ ]*(lease-time|grace-time|scope)[ ]*=/ {
        gsub(/[ ]/, ""); print "conf\t" $1 "\t" $2}' /etc/nfs.conf /etc/nfs.conf.d/*.conf 2>/dev/null
    tell_clients
    tell_wants
    tell_link
    read_drbd
    if [ "$state" != Connected ]; then
        fact gi "$(drbdadm get-gi "$resource" 2>/dev/null | head -n 1 | grep -o '[0-9A-F]\{16\}:[0-9A-F:]*' | head -n 1)"
        # The device's own latest word on it: what was a split brain once may be mended since.
        dmesg | grep -e 'Split-Brain detected' -e '-> Connected' -e '-> Established' |
            grep -e "drbd${minors%% *}:" -e "drbd ${resource}[ /:]" | tail -n 1 | grep -q Split-Brain && fact split yes
    fi
    each_volume | while read -r _ at _; do tell_holders "$at"; done
    fact 'done'
}

tell_clients() {
    for folder in $nfsd/clients/*; do
        [ -r "$folder/info" ] || continue
        address='' status='' minor='' client=''
        while IFS= read -r line; do
            value=${line#*: }
            case $line in
                'address: '*) address=${value#\"} address=${address%\"} ;;
                'status: '*) status=$value ;;
                'minor version: '*) minor=$value ;;
                'name: '*) client=${value#\"} client=${client%\"} ;;
            esac
        done <"$folder/info"
        states=$(grep -c '^- ' "$folder/states" 2>/dev/null)
        fact client "${folder##*/}" "$minor" "$address" "$status" "${states:-0}" "$client"
    done
}

tell_wants() {
    printf '%s\n' "$wants" | while read -r kind of value; do
        case $kind in
            sysctl)
                path=/proc/sys/$(printf '%s' "$of" | tr . /)
                fact want "$kind" "$of" "$(tr '\t' ' ' 2>/dev/null <"$path")"
                ;;
            scheduler) fact want "$kind" "$of" "$(grep -o '\[.*\]' "/sys/block/$of/queue/scheduler" 2>/dev/null | tr -d '[]')" ;;
            shaping) fact want "$kind" "$of" "$(tc qdisc show dev "$of" 2>/dev/null | grep ' root ' | tr '\n' ' ')" ;;
        esac
    done
}

# Whether the peer answers at the address that DRBD has of it: the other side of a cut that DRBD has not seen yet.
tell_link() {
    peer=$(drbdsetup show "$resource" 2>/dev/null | sed -n 's/.*_remote_host[^0-9]*ipv[46] \([^:;]*\).*/\1/p; s/^[[:space:]]*_peer_node.*//p' | head -n 1)
    [ -n "$peer" ] || peer=$(drbdsetup show "$resource" 2>/dev/null | grep -A3 remote_host | sed -n 's/.*ipv[46] \[\{0,1\}\([0-9a-fA-F.:]*\)\]\{0,1\}:[0-9]*;.*/\1/p' | head -n 1)
    [ -n "$peer" ] || { fact link unknown; return; }
    if ping -n -q -c 2 -i 0.2 -W 1 "$peer" >/dev/null 2>&1; then fact link "$peer" yes; else fact link "$peer" no; fi
}

# Who would keep a file system from being unmounted: programs, other mounts of it, and other mount namespaces.
tell_holders() {
    is_mounted "$1" || return 0
    find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd -maxdepth 1 \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null |
        cut -d/ -f3 | sort -un | while read -r pid; do
        program=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
        [ "$program" != nfsdcld ] || continue
        unit=$(sed -n 's/^0::.*\/\([^/]*\.\(service\|scope\)\).*/\1/p' "/proc/$pid/cgroup" 2>/dev/null)
        fact holder process "$pid" "$program" "${unit:-none}" "$1"
    done
    device=$(awk -v at="$1" '$5 == at {print $3; exit}' /proc/self/mountinfo)
    awk -v at="$1" -v device="$device" '$3 == device && $5 != at {print "holder\tmount\t" $5 "\t" at}' /proc/self/mountinfo
    here=$(readlink /proc/self/ns/mnt)
    for other in $(grep -l " $device " /proc/[0-9]*/mountinfo 2>/dev/null | cut -d/ -f3); do
        space=$(readlink "/proc/$other/ns/mnt" 2>/dev/null) || continue
        [ "$space" != "$here" ] && fact holder namespace "$other" "$(cat "/proc/$other/comm" 2>/dev/null)" "$1"
    done | sort -u -k4 | head -n 5
}

# -- what a failover does --------------------------------------------------------------------------------------------

lock() {
    mkdir -p "$run"
    exec 8>"$run/failover.lock"
    flock -w 20 8
}

locked() {
    # Held by this shell until it ends; what it starts must not keep it.
    lock || { printf 'step\tlock\t0\t1\tanother batch of a failover runs here\tlook again when it is over\n'; exit 1; }
}

give() {
    locked
    step nfsd 'cat /proc/fs/nfsd/threads; the stack of a thread that will not end: cat /proc/PID/stack' stop_nfsd
    step address '' drop_address
    step exports '' drop_exports
    step daemons '' stop_daemons
    step unmount 'end what holds it, or take it into `holders` with `busy: stop`' unmount_all
    step secondary 'drbdadm status; what holds the device open: fuser -v' become_secondary
}

stop_nfsd() {
    for unit in $units; do timeout -k 2 30 systemctl stop "$unit" 8>&- || return 1; done
    threads_now
    [ "$threads_run" != 0 ] || return 0
    # A thread that waits for a disk does not end, and neither does a shell that asks for it.
    timeout -k 2 20 sh -c "echo 0 >$nfsd/threads" 8>&- || { threads_now; echo "nfsd does not stop: $threads_run threads are left"; return 1; }
    threads_now
    [ "$threads_run" = 0 ] || { echo "nfsd does not stop: $threads_run threads are left"; return 1; }
}

drop_address() {
    [ -n "$(ip -o addr show to "$service")" ] || return 0
    ip address del "$service/$prefix" dev "$interface"
}

drop_exports() {
    # The server is down: what is still exported only holds the file systems.
    [ ! -s /var/lib/nfs/etab ] || exportfs -ua 8>&-
}

stop_daemons() {
    [ -z "$units" ] || return 0
    # A client that is still known holds what it has open; to expire it takes nfsdcld, which is ended after that.
    case $busy in expire | stop)
        for folder in $nfsd/clients/*; do
            [ ! -w "$folder/ctl" ] || timeout 5 sh -c "echo expire >$folder/ctl" 2>/dev/null
        done
        ;;
    esac
    pkill -x 'nfsdcld|rpc.mountd'
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        pgrep -x 'nfsdcld|rpc.mountd' >/dev/null || return 0
        sleep 0.1
    done
    pkill -9 -x 'nfsdcld|rpc.mountd'
    sleep 0.1
    ! pgrep -x 'nfsdcld|rpc.mountd' >/dev/null
}

unmount_all() {
    # From the last one back, since one may be mounted below another one.
    each_volume | sed -n '1!G;h;$p' | while read -r _ at _; do
        is_mounted "$at" || continue
        umount "$at" 2>/dev/null || unmount_busy "$at" || exit 1
    done
}

unmount_busy() {
    for attempt in 1 2 3 4 5; do
        if [ "$attempt" = 2 ] && [ "$busy" = stop ]; then stop_holders "$1"; fi
        sleep 0.2
        ! umount "$1" 2>/dev/null || return 0
    done
    echo "$1 is busy:" $(tell_holders "$1" | cut -f2-5 | tr '\t' ' ' | head -n 5 | tr '\n' ',')
    return 1
}

# Only the units that do hold it, and only those that the operator allows.
stop_holders() {
    tell_holders "$1" | while IFS="$tab" read -r _ kind _ _ unit _; do
        [ "$kind" = process ] || continue
        for allowed in $holders; do
            [ "$unit" != "$allowed" ] || timeout 20 systemctl stop "$unit" 8>&-
        done
    done
}

become_secondary() {
    read_drbd
    case $here in Secondary | '') return 0 ;; esac
    for _ in 1 2 3 4 5 6; do
        ! drbdadm secondary "$resource" || return 0
        sleep 0.2
    done
    return 1
}

# take WORD: what lets it be promoted: `peer` (connected, and the other side says that it is secondary), `fenced`
# (cut off, and the other side is outdated), `forced` (a person says that the other side is dead).
take() {
    locked
    step prepare '' prepare
    step word 'seatrial failover looks again' await_word "$1"
    step primary 'drbdadm status says why' drbdadm primary "$resource"
    step mount 'dmesg says why' mount_all
    step clients '' start_daemons
    step nfsd 'dmesg; is the port free?' start_nfsd
    step wants '' put_wants
    step address '' take_address
}

prepare() {
    [ -d $nfsd ] || modprobe nfsd
    is_mounted $nfsd || mount -t nfsd nfsd $nfsd
    [ -n "$units" ] || is_mounted "$pipes" || { mkdir -p "$pipes" && mount -t rpc_pipefs rpc_pipefs "$pipes"; }
    each_volume | while read -r _ at _; do mkdir -p "$at"; done
}

await_word() {
    # The other side is giving it up at this very moment: that is waited for here, since a further call costs a second.
    tries=0
    while :; do
        read_drbd
        [ "$here" != Primary ] || return 0
        [ "$disk" = UpToDate ] || { echo "the disk here is ${disk:-not there}"; return 1; }
        case $1:$state:$there in
            peer:Connected:Secondary) return 0 ;;
            peer:Connected:*) ;;
            peer:*) echo "not connected ($state): nobody says that the other side is secondary"; return 1 ;;
            *:Connected:Primary) echo "the other side is primary"; return 1 ;;
            *:Connected:*) return 0 ;;
            *) return 0 ;;
        esac
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || { echo "the other side is still ${there:-unknown}"; return 1; }
        sleep 0.1
    done
}

mount_all() {
    each_volume | while read -r device at type options; do
        is_mounted "$at" && continue
        if [ "$type" = auto ]; then mount -o "$options" "$device" "$at"; else mount -t "$type" -o "$options" "$device" "$at"; fi || exit 1
    done
}

start_daemons() {
    # They outlive this shell: they get neither its lock nor its output, which the far end waits for.
    exportfs -ra 8>&- || return 1
    [ -z "$units" ] || return 0
    case " $versions " in *' 3 '*) old='' ;; *) old='--no-nfs-version 3' ;; esac
    # A mountd of before is one that listens for nothing, or for another set of versions.
    pgrep -x rpc.mountd >/dev/null || rpc.mountd $old 8>&- >/dev/null 2>&1 || return 1
    if [ -n "$state_folder" ]; then
        mkdir -p "$state_folder"
        pgrep -x nfsdcld >/dev/null || nfsdcld -p "$pipes" -s "$state_folder" 8>&- >/dev/null 2>&1
    fi
}

start_nfsd() {
    if [ -n "$units" ]; then
        for unit in $units; do back="$unit ${back-}"; done
        for unit in $back; do timeout -k 2 60 systemctl start "$unit" 8>&- || return 1; done
        return 0
    fi
    threads_now
    [ "$threads_run" = 0 ] || return 0
    flags=
    for version in 3 4.0 4.1 4.2; do
        case " $versions " in *" $version "*) ;; *) flags="$flags --no-nfs-version $version" ;; esac
    done
    # The name of the server is part of what 4.1 takes for its identity, and both sides need the same one.
    unshare --uts sh -c 'hostname "$1" && shift && exec rpc.nfsd "$@"' sh "$scope" \
        --lease-time "$lease" --grace-time "$grace" $flags "$threads" 8>&- || return 1
    threads_now
    [ "$threads_run" != 0 ] || { echo "nfsd did not start"; return 1; }
}

put_wants() {
    printf '%s\n' "$wants" | while read -r kind of value; do
        case $kind in
            sysctl) sysctl -q -w "$of=$value" || exit 1 ;;
            scheduler) echo "$value" >"/sys/block/$of/queue/scheduler" || exit 1 ;;
            shaping) tc qdisc replace dev "$of" root $value || exit 1 ;;
        esac
    done
}

take_address() {
    ip address replace "$service/$prefix" dev "$interface" || return 1
    # Neighbours that had the other side's card are told; a second time, since the first one may be lost.
    (arping -q -U -c 1 -I "$interface" "$service"; sleep 0.5; arping -q -U -c 2 -I "$interface" "$service") 8>&- >/dev/null 2>&1 &
}

fence() {
    locked
    step outdate 'drbdadm status says why' outdate
}

outdate() {
    read_drbd
    [ "$here" != Primary ] || { echo 'it is primary'; return 1; }
    [ "$state" != Connected ] || return 0
    drbdadm outdate "$resource"
}
