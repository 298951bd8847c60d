# What the guard knows and writes down: its files, the boot loader's default, its log. Put between grubenv.sh and
# guard-watch.sh; it does nothing by itself.
etc=$root/etc/seatrial
units=$root/etc/systemd/system
var=$root/var/lib/seatrial
unit=seatrial-guard.service
wants='sysinit.target.wants rescue.target.wants emergency.target.wants'
nl='
'
# The candidate may come up this often in one trial; after that going back does not work, and a loop is worse.
most_boots=3
tick=5

read_machine() {
    running='' boot='' up=0
    read -r running <"$root/proc/sys/kernel/osrelease"
    read -r boot <"$root/proc/sys/kernel/random/boot_id"
    read_uptime
}

read_uptime() {
    read -r up _ <"$root/proc/uptime"
    up=${up%%.*}
}

# Sets o_*; status 1 when there is no whole order.
load_order() {
    o_trial='' o_good='' o_candidate='' o_saved='' o_good_entry='' o_candidate_entry='' o_seconds=0 o_boot=''
    o_end=''
    [ -r "$etc/order" ] || return 1
    while IFS= read -r line; do
        case $line in
            trial=*) o_trial=${line#*=} ;;
            good=*) o_good=${line#*=} ;;
            candidate=*) o_candidate=${line#*=} ;;
            saved=*) o_saved=${line#*=} ;;
            good_entry=*) o_good_entry=${line#*=} ;;
            candidate_entry=*) o_candidate_entry=${line#*=} ;;
            seconds=*) o_seconds=${line#*=} ;;
            boot=*) o_boot=${line#*=} ;;
            end=order) o_end=yes ;;
        esac
    done 2>/dev/null <"$etc/order"
    [ "$o_end" = yes ]
}

# Sets s_*; status 1 when there is no whole state. An order without a state counts as armed: /var may not be mounted,
# or its disk be broken, and no verb ever leaves an order without a state.
load_state() {
    s_trial='' s_phase=absent s_because='' s_blessed='' s_until=0 s_until_boot='' s_end=''
    [ -r "$var/state" ] || return 1
    while IFS= read -r line; do
        case $line in
            trial=*) s_trial=${line#*=} ;;
            phase=*) s_phase=${line#*=} ;;
            because=*) s_because=${line#*=} ;;
            blessed=*) s_blessed=${line#*=} ;;
            until=*) s_until=${line#*=} ;;
            until_boot=*) s_until_boot=${line#*=} ;;
            end=state) s_end=yes ;;
        esac
    done 2>/dev/null <"$var/state"
    [ "$s_end" = yes ]
}

# An extension holds for the boot that it was given to, and for no other.
deadline() {
    until=$o_seconds
    [ "$s_until_boot" = "$boot" ] && [ "$s_until" -gt "$until" ] && until=$s_until
    return 0
}

state_text() {
    printf 'trial=%s\nphase=%s\nbecause=%s\nblessed=%s\nuntil=%s\nuntil_boot=%s\nend=state\n' \
        "$s_trial" "$s_phase" "$s_because" "$s_blessed" "$s_until" "$s_until_boot"
}

# place FILE TEXT: replaced whole and on disk, or as it was before.
place() {
    printf '%s' "$2" 2>/dev/null >"$1.new" && sync "$1.new" 2>/dev/null && mv -f "$1.new" "$1" 2>/dev/null &&
        { sync "${1%/*}" 2>/dev/null || :; }
}

# A full disk must not keep the guard from writing down what it does: it armed with a little room in its pocket.
keep() {
    place "$1" "$2" || { rm -f "$var/ballast" 2>/dev/null && place "$1" "$2"; }
}

# put_state PHASE BECAUSE
put_state() {
    s_phase=$1 s_because=$2
    keep "$var/state" "$(state_text)$nl"
}

# note LEVEL TEXT: to the log in the state directory, and to the kernel's, which reaches the console when it matters
# (level 2 or less). A stuck serial console blocks who writes to it, so /dev/console is left to the kernel.
note() {
    [ ! -w "$root/dev/kmsg" ] || printf '<%s>seatrial-guard: %s\n' "$1" "$2" 2>/dev/null >>"$root/dev/kmsg"
    [ ! -w "$var/state" ] || printf '%s up %s s: %s\n' "$running" "$up" "$2" 2>/dev/null >>"$var/log"
    return 0
}

lock() {
    # A redirection that fails ends the shell when it stands at exec, so it is tried at true before.
    mkdir -p "$run" 2>/dev/null && true 2>/dev/null >>"$run/lock" || return 1
    exec 9>>"$run/lock"
    flock -w 20 9
}

unlock() { exec 9>&-; }

# boot_count: how often the candidate came up in this trial, and what its last heartbeat said.
boot_count() {
    boots=0 last_boot='' first_up='' beat_boot='' beat_up=''
    if [ -r "$var/boots" ]; then
        while read -r seen_boot seen_up; do
            boots=$((boots + 1)) last_boot=$seen_boot first_up=$seen_up
        done <"$var/boots"
    fi
    [ ! -r "$var/heartbeat" ] || read -r beat_boot beat_up <"$var/heartbeat" || :
}

links_gone() {
    for dir in $wants; do rm -f "$units/$dir/$unit"; done 2>/dev/null
    for dir in $wants; do
        [ ! -L "$units/$dir/$unit" ] || return 1
    done
}

# Directories that hold nothing any more; those that hold something stay, as rmdir sees to.
dirs_gone() {
    for dir in $wants; do rmdir "$units/$dir"; done 2>/dev/null
    rmdir "$etc" "$var" 2>/dev/null
    return 0
}

# finish PHASE BECAUSE: the end of this trial's guard. The state goes first: with it on disk the unit does nothing.
finish() {
    put_state "$1" "$2" || return 1
    note 5 "$1: $2"
    links_gone || :
}

# The saved default is the good kernel and nothing comes before it.
env_good() {
    env_is_good && return 0
    [ -e "$grubenv" ] || mount "$root/boot" 2>/dev/null
    env_is_good && return 0
    want=$o_good_entry
    env_read && [ "$env_saved" = "$o_saved" ] && want=$o_saved
    env_default "$want" && return 0
    # Emergency mode may have left the root file system read-only.
    mount -o remount,rw "$root/" 2>/dev/null
    env_default "$want"
}

env_is_good() { env_is "$o_saved" || env_is "$o_good_entry"; }

# A one-shot boot of the candidate must not outlive its guard.
once_gone() {
    env_read || return 1
    [ "$env_next" = "$o_candidate_entry" ] || return 0
    env_once ''
}

# pause SECONDS of uptime, also when sleep itself is killed by a shutdown or cannot be started from a dead disk.
pause() {
    read_uptime
    goal=$((up + $1))
    while :; do
        sleep "$1" || :
        read_uptime
        [ "$up" -lt "$goal" ] || break
    done
}
