# What the guard's unit runs at every boot: one look at the world every few seconds, and the way back when it is due.
# Put between guard-state.sh and guard.sh; it does nothing by itself.

# The candidate's disk may hang in a way that no program can be started any more. This one was started before, and
# needs neither the disk nor a program: when the loop itself has not acted long after the deadline, it resets.
dead_man() {
    [ "$dead_man_until" != "$until" ] || return 0
    dead_man_off
    dead_man_until=$until
    (
        exec 9>&-
        sleep $((until + 300 - up)) &
        trap 'kill $!; exit 0' TERM
        wait $! && [ ! -e "$run/blessed" ] && printf b >"$root/proc/sysrq-trigger"
    ) 2>/dev/null &
    dead_man_pid=$!
}

dead_man_off() {
    [ -z "$dead_man_pid" ] || kill "$dead_man_pid" 2>/dev/null
    dead_man_pid='' dead_man_until=''
}

count_boot() {
    boot_count
    [ "$counted" != yes ] && [ "$known" = yes ] || return 0
    counted=yes
    [ "$last_boot" != "$boot" ] || return 0
    seen=''
    [ ! -s "$var/boots" ] || seen=$(cat "$var/boots")$nl
    if keep "$var/boots" "$seen$boot $up$nl"; then
        note 5 "the candidate reached userspace at uptime $up s"
    else
        counted=no
    fi
    boot_count
}

beat() {
    [ "$up" -ge "$next_beat" ] && [ "$known" = yes ] || return 0
    keep "$var/heartbeat" "$boot $up$nl"
    if [ "$up" -lt 300 ]; then next_beat=$((up + 15)); else next_beat=$((up + 60)); fi
}

# Does not come back while there is a way left to restart the machine.
go_back() {
    note 2 "$s_because: going back to $o_good"
    sleep 1
    for force in '' '--force' '--force --force'; do
        note 2 "systemctl reboot $force"
        # shellcheck disable=SC2086  # no word, one or two
        systemctl -i --no-block reboot $force 2>/dev/null &
        pause 60
    done
    note 2 "no reboot came of it: sysrq"
    for key in s u b; do
        printf %s "$key" 2>/dev/null >"$root/proc/sysrq-trigger"
        pause 5
    done
}

# The deadline has passed, as far as the loop knows: looks again under the lock, since a blessing may just come in.
out_of_time() {
    lock || :
    if load_state; then
        deadline
        if [ "$s_phase" != armed ] || [ "$up" -lt "$until" ]; then
            unlock
            return 0
        fi
    else
        known=no
    fi
    # When the default cannot be made good and boots cannot be counted, rebooting might go on for ever.
    if ! env_good && [ "$counted" != yes ]; then
        unlock
        [ "$said" = yes ] || note 2 "the deadline has passed, and the default cannot be made $o_good: staying up"
        said=yes
        return 0
    fi
    s_because="uptime $until s passed without a blessing"
    [ "$known" != yes ] || put_state reverting "$s_because" || :
    unlock
    go_back
}

on_candidate() {
    count_boot
    if [ "$s_phase" = blessing ]; then
        dead_man_off
        lock || :
        load_state && [ "$s_phase" = blessing ] && complete_blessing && return 1
        unlock
        return 0
    fi
    if [ "$fixed" != yes ]; then
        # GRUB should have taken the one-shot wish away. If it could not, the next boot would be the candidate again.
        lock || :
        load_state || :
        case $s_phase in
            absent | armed | reverting) if env_good; then fixed=yes; fi ;;
        esac
        unlock
    fi
    if [ "$boots" -gt "$most_boots" ]; then
        finish disarmed "gave up: $o_candidate came up $boots times although $o_good was made the default each time"
        return 1
    fi
    beat
    dead_man
    if [ "$s_phase" = reverting ]; then
        go_back
    elif [ "$up" -ge "$until" ]; then
        out_of_time
    fi
}

# How the trial ended, in one sentence, from what the candidate's boot left behind.
epitaph() {
    boot_count
    if [ "$boots" -eq 0 ]; then
        told="$o_candidate never came as far as the guard: it was not booted, or ended before its userspace"
        return
    fi
    told="$o_candidate reached userspace at uptime $first_up s"
    [ "$beat_boot" != "$last_boot" ] || told="$told, was last seen at $beat_up s"
    if [ "$s_phase" = reverting ]; then
        told="$told; $s_because"
    else
        told="$told, and ended without the guard's doing: a panic, a watchdog, a power cut or a person"
    fi
}

on_good() {
    # The boot that armed the trial is still running: the reboot has yet to come.
    [ "$boot" != "$o_boot" ] || return 0
    # Without a state /var is not there, and what is written now would be hidden under it later.
    [ "$known" = yes ] || return 0
    lock || :
    if env_good; then
        epitaph
        finish reverted "back on $o_good at uptime $up s: $told" && return 1
    elif [ "$said" != yes ]; then
        said=yes
        note 2 "back on $o_good, but it cannot be made the default"
    fi
    unlock
}

on_third() {
    [ "$known" = yes ] || return 0
    lock || :
    # A blessing that came half way may stand in the block; who chose a third kernel chooses the default as well.
    once_gone && finish disarmed "$running is running, neither $o_good nor $o_candidate" && return 1
    unlock
}

# One look at the world. Status 1: there is nothing left to guard.
look() {
    read_uptime
    known=yes
    if load_state; then
        [ "$s_trial" = "$o_trial" ] || return 1
        case $s_phase in
            armed | reverting | blessing) ;;
            *)
                links_gone
                return 1
                ;;
        esac
    else
        known=no s_trial=$o_trial s_phase=armed
    fi
    deadline
    case $running in
        "$o_good") on_good ;;
        "$o_candidate") on_candidate ;;
        *) on_third ;;
    esac
}

watch() {
    counted=no fixed=no said=no next_beat=0 dead_man_pid='' dead_man_until=''
    load_order || exit 0
    read_machine
    while look; do pause "$tick"; done
    dead_man_off
    exit 0
}
