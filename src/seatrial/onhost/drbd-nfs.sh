# A host of an NFS pair on DRBD: how it stands (look), and what a failover does there (give, take, fence); what is only
# asked before and after a move is in pair.py. Run as: sh -s <settings, this, and a line `run VERB ... .` at the end; a line that was cut
# off lacks its dot, and nothing is done. POSIX sh.
#
# Every verb may be repeated and be cut off anywhere: each step looks before it acts. What a step came to is a line
# `step TAB name TAB milliseconds TAB status TAB what it said TAB hint`; facts are lines `name TAB value ...`.
# A verb that changes something has a lock, so that a controller that comes later knows that one still runs.
# Nothing here decides who serves; but nothing is promoted either that the other side, asked on the spot, does not allow.
#
# A process costs a slow or busy host a tenth of a second, and clients wait for all of them: what the shell itself can do,
# it does, and what can be done before the other side gives is done before.
# The settings stand in front of this text, and words are split on purpose.
# `-nt` is in every sh that a host of these has.
# shellcheck disable=SC2154,SC2086,SC2046,SC2013,SC2015,SC2016,SC2231,SC3013
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
run=${SEATRIAL_RUN:-/run/seatrial}
nfsd=/proc/fs/nfsd
tab='	'

run() {
    for last; do :; done
    [ "$last" = . ] || { echo 'the verb was cut off' >&2; exit 1; }
    mkdir -p "$run"
    "$@"
}

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
    "$@" >"$run/failover.said" 2>&1
    code=$?
    now_ms
    said=
    [ "$code" = 0 ] || said=$(tail -n 3 "$run/failover.said" | tr '\t\n' '  ')
    printf 'step\t%s\t%s\t%s\t%s\t%s\n' "$name" "$((now - began))" "$code" "$said" "$hint"
    [ "$code" = 0 ] || exit 1
}

# What DRBD says now: `state`, `here` and `there` (roles), `disk` and `other` (disks), of all volumes the least.
read_drbd() {
    state='' here='' there='' disk='' other=''
    [ -r /proc/drbd ] || { state=down; return; }
    read -r _ release _ </proc/drbd
    case $release in
        9*) read_nine ;;
        *)
            while read -r number words; do
                case " $minors " in *" ${number%:} "*) read_line $words ;; esac
            done </proc/drbd
            ;;
    esac
    [ -n "$here" ] || state=down
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

# Version 9: "tools role:Primary", "  disk:UpToDate", "  nfs-2 role:Secondary", "    peer-disk:UpToDate"; "connection:" where it is none.
read_nine() {
    at=here state=
    for word in $(drbdsetup status "$resource" 2>/dev/null); do
        case $word in
            role:*)
                if [ "$at" = here ]; then
                    here=${word#role:}
                else
                    # Of several peers the one that is primary is what matters.
                    [ "$there" = Primary ] || there=${word#role:}
                    state=${state:-Connected}
                fi
                ;;
            disk:*) [ "$disk" = '' ] || [ "$disk" = UpToDate ] && disk=${word#disk:} ;;
            connection:*) state=${word#connection:} ;;
            peer-disk:*) [ "$other" = '' ] || [ "$other" = UpToDate ] && other=${word#peer-disk:} ;;
            "$resource" | *:*) ;;
            *) at=there ;;
        esac
    done
}

is_mounted() {
    while read -r _ mounted_at _; do [ "$mounted_at" != "$1" ] || return 0; done </proc/self/mounts
    return 1
}

# Not from nfsd's own file, which waits for as long as nfsd is being stopped.
threads_now() {
    threads_run=0
    [ -r /proc/net/rpc/nfsd ] || return 0
    while read -r word count _; do [ "$word" != th ] || threads_run=$count; done </proc/net/rpc/nfsd
}

has_address() {
    case $service in
        *:*) [ -n "$(ip -o -6 addr show to "$service")" ] ;;
        *)
            # "|-- 192.0.2.10" and then "/32 host LOCAL".
            while read -r first second third _; do
                [ "$first $second" != "/32 host" ] || [ "$third$last" != "LOCAL$service" ] || return 0
                last=$second
            done </proc/net/fib_trie
            return 1
            ;;
    esac
}

# -- how it stands ---------------------------------------------------------------------------------------------------

look() {
    fact seatrial 1
    tell_quickly
    fact 'done'
}

tell_quickly() {
    fact resource "$resource"
    read -r boot </proc/sys/kernel/random/boot_id
    fact boot "$boot"
    read -r up _ </proc/uptime
    fact uptime "$up"
    if batch_runs; then fact batch running; else fact batch free; fi
    if [ -r /proc/drbd ]; then
        while IFS= read -r line; do fact proc "$line"; done </proc/drbd
    else
        fact proc-none
    fi
    read_drbd
    case ${release-} in 9*) drbdsetup status --json "$resource" 2>/dev/null | sed 's/^/json\t/' ;; esac
    for minor in $minors; do fact minor "$minor"; done
    while read -r device at _; do
        while read -r from on _; do
            [ "$from $on" != "$device $at" ] || fact mounted "$at"
        done </proc/self/mounts
    done <<-END
$volumes
END
    ! has_address || fact address "$service"
    threads_now
    # What is on its way out serves nobody.
    ! is_stopping || fact stopping nfsd
    fact threads "$threads_run"
    for unit in $units; do fact unit "$unit" "$(systemctl is-active "$unit")"; done
    [ "$state" = Connected ] || tell_apart
}

# Which data is newer, and whether they have parted for good, is asked only where they are not connected.
tell_apart() {
    fact gi "$(drbdadm get-gi "$resource" 2>/dev/null | grep -o '[0-9A-F]\{16\}:[0-9A-F:]*' | head -n 1)"
    # The device's own latest word on it: what was a split brain once may be mended since.
    dmesg | grep -e 'Split-Brain detected' -e '-> Connected' -e '-> Established' |
        grep -e "drbd${minors%% *}:" -e "drbd ${resource}[ /:]" | tail -n 1 | grep -q Split-Brain && fact split yes
}

# The lock's holder writes who it is; a number that another process has by now began at another time.
batch_runs() {
    [ -r "$run/failover.pid" ] || return 1
    is_running "$run/failover.pid"
}

# is_running FILE: whether the process that a file names, with when it began, is still there.
is_running() {
    read -r its_number its_begin <"$1" || return 1
    [ "$(began_at "$its_number")" = "$its_begin" ]
}

began_at() {
    [ -r "/proc/$1/stat" ] || return 0
    read -r words <"/proc/$1/stat"
    set -- ${words##*) }
    shift 19
    echo "$1"
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
    for inside in $(grep -l " $device " /proc/[0-9]*/mountinfo 2>/dev/null | cut -d/ -f3); do
        space=$(readlink "/proc/$inside/ns/mnt" 2>/dev/null) || continue
        # A copy that follows ours goes with it.
        ! grep " $device .* $1 .* master:" "/proc/$inside/mountinfo" >/dev/null 2>&1 || continue
        [ "$space" != "$here" ] && fact holder namespace "$inside" "$(cat "/proc/$inside/comm" 2>/dev/null)" "$1"
    done | sort -u -k4 | head -n 5
}

# -- what a failover does --------------------------------------------------------------------------------------------

# locked BOOT UPTIME: held by this shell until it ends; what it starts must not keep it. What was decided on a look of
# another boot, or of half a minute ago, is not done any more: it was on its way for too long, and others decide by now.
locked() {
    exec 8>"$run/failover.lock"
    step lock 'look again when it is over' flock -w 20 8
    echo "$$ $(began_at $$)" >"$run/failover.pid"
    trap 'rm -f "$run/failover.pid"' EXIT
    step fresh 'it is decided again' is_fresh "$1" "$2"
}

is_fresh() {
    read -r boot </proc/sys/kernel/random/boot_id
    read -r up _ </proc/uptime
    [ "$boot" = "$1" ] || { echo 'the host has rebooted since it was looked at'; return 1; }
    [ "$((${up%.*} - ${2%.*}))" -le 30 ] || { echo 'this was decided on a look that is too old'; return 1; }
}

# give BOOT UPTIME
give() {
    locked "$1" "$2"
    step nfsd 'cat /proc/fs/nfsd/threads; the stack of a thread that will not end: cat /proc/PID/stack' stop_nfsd
    step address '' drop_address
    step daemons '' stop_daemons
    step unmount "end what holds it, or list its unit in 'holders' with 'busy: stop'" unmount_all
    step secondary 'drbdadm status; what holds the device open: fuser -v' become_secondary
}

stop_nfsd() {
    for unit in $units; do timeout -k 2 30 systemctl stop "$unit" 8>&- || return 1; done
    threads_now
    [ "$threads_run" != 0 ] || return 0
    # A thread that waits for a disk does not end, and neither does who asks for it: that is another process, not this one.
    if is_stopping; then
        asked=$its_number
    else
        (echo 0 >$nfsd/threads) 8>&- &
        asked=$!
        # Asked once it cannot be taken back: whoever comes next has to know that it is still on its way.
        echo "$asked $(began_at "$asked")" >"$run/nfsd.stopping"
    fi
    tries=0
    while kill -0 "$asked" 2>/dev/null; do
        threads_now
        [ "$threads_run" != 0 ] || break
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo "nfsd does not stop: $threads_run threads are left"; return 1; }
        sleep 0.1
    done
    wait "$asked" 2>/dev/null
    threads_now
    [ "$threads_run" = 0 ] || { echo "nfsd does not stop: $threads_run threads are left"; return 1; }
}

is_stopping() {
    [ -r "$run/nfsd.stopping" ] && is_running "$run/nfsd.stopping"
}

drop_address() {
    ! has_address || ip address del "$service/$prefix" dev "$interface"
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
    # mountd holds nothing and may stay, and so may the list of exports: nfsd let go of what it had exported when it ended.
    if [ -r "$run/nfsdcld.pid" ] && read -r daemon <"$run/nfsdcld.pid" && is_nfsdcld "$daemon"; then
        kill "$daemon"
    else
        pkill -x nfsdcld || return 0
        daemon=
    fi
    tries=0
    while if [ -n "$daemon" ]; then is_nfsdcld "$daemon"; else pgrep -x nfsdcld >/dev/null; fi; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || { pkill -9 -x nfsdcld; sleep 0.2; break; }
        sleep 0.03
    done
}

is_nfsdcld() {
    [ -r "/proc/$1/comm" ] && read -r comm <"/proc/$1/comm" && [ "$comm" = nfsdcld ]
} 2>/dev/null

unmount_all() {
    # From the last one back, since one may be mounted below another one.
    backwards=
    while read -r _ at _; do backwards="$at $backwards"; done <<-END
$volumes
END
    for at in $backwards; do
        is_mounted "$at" || continue
        umount "$at" 2>/dev/null || unmount_busy "$at" || return 1
    done
}

unmount_busy() {
    for attempt in 1 2 3 4 5; do
        if [ "$attempt" = 2 ] && [ "$busy" = stop ]; then stop_holders "$1"; fi
        sleep 0.2
        ! umount "$1" 2>/dev/null || return 0
    done
    echo "$1 is busy:" $(tell_holders "$1" | cut -f2-5 | tr '\t' ' ' | head -n 5 | paste -s -d ,)
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
    # Who takes its peer for behind has not sent it everything, whatever that one says of itself.
    [ "$state" != Connected ] || [ "$other" = UpToDate ] || { echo "the other side has not all data: it is $other"; return 1; }
    for _ in 1 2 3 4 5 6; do
        ! drbdadm secondary "$resource" || return 0
        sleep 0.2
    done
    return 1
}

# take BOOT UPTIME WORD: what lets it be promoted: `peer` (connected, and the other side says that it is secondary), `fenced`
# (cut off, and the other side is outdated), `forced` (a person says that the other side is dead).
take() {
    locked "$1" "$2"
    step prepare '' prepare
    step word 'seatrial failover looks again' await_word "$3"
    step primary 'drbdadm status says why' become_primary
    step mount 'dmesg says why' mount_all
    step clients '' start_daemons
    step nfsd 'dmesg; is the port free?' start_nfsd
    step address '' take_address
    step wants '' put_wants
}

prepare() {
    is_mounted $nfsd || { modprobe nfsd && mount -t nfsd nfsd $nfsd; } || return 1
    while read -r _ at _; do [ -d "$at" ] || mkdir -p "$at"; done <<-END
$volumes
END
    [ -z "$units" ] || return 0
    is_mounted "$pipes" || { mkdir -p "$pipes" && mount -t rpc_pipefs rpc_pipefs "$pipes"; } || return 1
    case " $versions " in *' 3 '*) old='' ;; *) old='--no-nfs-version 3' ;; esac
    pgrep -x rpc.mountd >/dev/null || rpc.mountd $old 8>&- >/dev/null 2>&1 || return 1
    threads_now
    [ "$threads_run" = 0 ] || return 0
    for version in 3 4 4.0 4.1 4.2; do
        case " $versions " in
            *" $version"*) sign=+ ;;
            *) sign=- ;;
        esac
        echo "$sign$version" >$nfsd/versions || [ $sign = - ] || return 1
    done
    echo "$lease" >$nfsd/nfsv4leasetime
    echo "$grace" >$nfsd/nfsv4gracetime
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
            fenced:Connected:Primary | forced:Connected:Primary) echo "the other side is primary"; return 1 ;;
            fenced:* | forced:*) return 0 ;;
            *) echo "on whose word? not on: $1"; return 1 ;;
        esac
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || { echo "the other side is still ${there:-unknown}"; return 1; }
        sleep 0.1
    done
}

become_primary() {
    [ "$here" = Primary ] || drbdadm primary "$resource"
}

mount_all() {
    while read -r device at type options; do
        is_mounted "$at" || mount -t "$type" -o "$options" "$device" "$at" || return 1
    done <<-END
$volumes
END
}

start_daemons() {
    are_exported || exportfs -a 8>&- || return 1
    [ -z "$units" ] && [ -n "$state_folder" ] || return 0
    [ -d "$state_folder" ] || mkdir -p "$state_folder"
    if [ -r "$run/nfsdcld.pid" ] && read -r daemon <"$run/nfsdcld.pid" && is_nfsdcld "$daemon"; then return 0; fi
    daemon=
    ! pgrep -x nfsdcld >/dev/null || return 0
    # It outlives this shell: it gets neither the lock nor the output, which the far end waits for.
    setsid nfsdcld -F -p "$pipes" -s "$state_folder" 8>&- >/dev/null 2>&1 </dev/null &
    daemon=$!
    echo "$daemon" >"$run/nfsdcld.pid"
    # nfsd waits a second for it, and then keeps no records at all, so that no client could have its locks back.
    tries=0
    until has_open "$state_folder/main.sqlite"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || { echo 'nfsdcld does not start'; return 1; }
        sleep 0.05
    done
}

# has_open FILE: whether the process `daemon` has it open.
has_open() {
    for descriptor in /proc/"$daemon"/fd/*; do
        [ ! "$descriptor" -ef "$1" ] || return 0
    done
    return 1
}

# Whether the list of what is exported is younger than what is configured, and has all of it: then it was made of it.
are_exported() {
    etab=/var/lib/nfs/etab
    [ -s $etab ] || return 1
    listed=
    while read -r path _; do listed="$listed $path "; done <$etab
    for file in /etc/exports /etc/exports.d/*.exports; do
        [ -e "$file" ] || continue
        [ $etab -nt "$file" ] || return 1
        while read -r path _; do
            case $path in '' | '#'*) continue ;; esac
            case $listed in *" $path "*) ;; *) return 1 ;; esac
        done <"$file"
    done
}

start_nfsd() {
    if [ -n "$units" ]; then
        backwards=
        for unit in $units; do backwards="$unit $backwards"; done
        for unit in $backwards; do timeout -k 2 60 systemctl start "$unit" 8>&- || return 1; done
        return 0
    fi
    tries=0
    while is_stopping; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo 'nfsd was told to stop, and does not end'; return 1; }
        sleep 0.2
    done
    threads_now
    [ "$threads_run" = 0 ] || return 0
    # The name of the server is part of what 4.1 takes for its identity, and both sides need the same one. The kernel takes
    # it from the name of the machine as the one who starts it sees it, so that one gets a name of its own.
    tries=0
    until run_threads && keeps_records; do
        tries=$((tries + 1))
        echo 0 >$nfsd/threads
        [ "$tries" -lt 3 ] || { echo 'nfsd does not start with the records of its clients'; return 1; }
    done
}

# Who the clients are is written down by nfsdcld, which has the pipe to the kernel open for it.
keeps_records() {
    [ -n "$state_folder" ] || return 0
    [ -n "$daemon" ] || daemon=$(pgrep -o -x nfsdcld)
    has_open "$pipes/nfsd/cld"
}

run_threads() {
    unshare --uts sh -c 'echo "$1" >/proc/sys/kernel/hostname && { [ -s "$2/portlist" ] || echo tcp 2049 >"$2/portlist"; } &&
        echo "$3" >"$2/threads"' sh "$scope" $nfsd "$threads" 8>&- || return 1
    threads_now
    [ "$threads_run" != 0 ] || { echo "nfsd did not start"; return 1; }
}

put_wants() {
    while read -r kind of value; do
        case $kind in
            sysctl) sysctl -q -w "$of=$value" || return 1 ;;
            scheduler) echo "$value" >"/sys/block/$of/queue/scheduler" || return 1 ;;
            shaping) tc qdisc replace dev "$of" root $value || return 1 ;;
        esac
    done <<-END
$wants
END
}

take_address() {
    ip address replace "$service/$prefix" dev "$interface" || return 1
    # Neighbours that had the other side's card are told; a second time, since the first one may be lost.
    (arping -q -U -c 1 -I "$interface" "$service"; sleep 0.5; arping -q -U -c 2 -I "$interface" "$service") 8>&- >/dev/null 2>&1 &
}

# fence BOOT UPTIME
fence() {
    locked "$1" "$2"
    step outdate 'drbdadm status says why' outdate
}

outdate() {
    read_drbd
    [ "$here" != Primary ] || { echo 'it is primary'; return 1; }
    [ "$state" != Connected ] || return 0
    drbdadm outdate "$resource"
}
