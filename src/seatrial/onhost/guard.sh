# Seatrial's guard: the verbs. On a host it is one file, /etc/seatrial/guard.sh, made of grubenv.sh, guard-state.sh,
# guard-watch.sh and this, in that order. POSIX sh; no Python, no network, no clock but the host's own uptime.
#
#   arm STAGE TRIAL GOOD CANDIDATE SAVED GOOD_ENTRY CANDIDATE_ENTRY SECONDS   put on the host and armed, or refused
#   status | extend TRIAL BOOT SECONDS | bless TRIAL BOOT KERNEL | revert TRIAL | disarm TRIAL | clean
#   watch                                                                     what the unit runs, at every boot
#
# Every verb but watch answers with lines between '@guard 1' and '@end': answer=done|refused|failed, text=why, then
# the state. Exit: 0 done (or done before), 2 not understood, 3 refused and nothing was changed, 4 tried and not done.
#
# /etc/seatrial/order   what was armed; written once, on the root file system, so that emergency mode has it
# /var/lib/seatrial/    state (one small file, replaced whole), boots (the candidate's), heartbeat, log, ballast
# phase: arming (inert), armed, reverting, blessing; final: blessed, reverted, disarmed

answer() {
    code=$1
    case $code in 0) word='done' ;; 4) word=failed ;; *) word=refused ;; esac
    printf '@guard 1\nanswer=%s\ntext=%s\n' "$word" "$2"
    read_machine
    if load_order && ! load_state; then
        s_trial=$o_trial s_phase=armed s_because='the state in /var/lib/seatrial cannot be read'
    fi
    if [ -n "$o_end" ] && [ "$s_trial" = "$o_trial" ] && [ "$s_phase" != arming ]; then
        deadline
        boot_count
        printf 'phase=%s\ntrial=%s\ngood=%s\ncandidate=%s\ndeadline=%s\narmed_boot_id=%s\nblessed_boot_id=%s\nbecause=%s\n' \
            "$s_phase" "$o_trial" "$o_good" "$o_candidate" "$until" "$o_boot" "$s_blessed" "$s_because"
        printf 'boots=%s\nheartbeat_boot_id=%s\nheartbeat=%s\n' "$boots" "$beat_boot" "$beat_up"
        if systemctl -q is-active "$unit" 2>/dev/null; then echo watching=yes; else echo watching=no; fi
        tail -n 30 "$var/log" 2>/dev/null | sed 's/^/log=/'
    else
        echo phase=absent
    fi
    printf 'running=%s\nboot_id=%s\nuptime=%s\n@end\n' "$running" "$boot" "$up"
    exit "$code"
}

refuse() { answer 3 "$1"; }

# Every verb about a trial begins here: the lock, what is known, and that the right trial is meant.
begin() {
    read_machine
    lock || refuse "another command holds the guard's lock"
    load_order || refuse "no trial is armed here"
    load_state || refuse "the guard has no state that can be read"
    [ "$s_trial:$s_phase" != "$o_trial:arming" ] || refuse "no trial is armed here"
    [ "$s_trial" = "$o_trial" ] || refuse "no trial is armed here"
    [ "$1" = "$o_trial" ] || refuse "the trial here is $o_trial, not $1"
    deadline
}

is_word() {
    case $1 in '' | *[!A-Za-z0-9._~+-]*) return 1 ;; esac
}

is_entry() {
    case $1 in '' | *[!A-Za-z0-9._~+,\':@/=\>\(\)\ -]*) return 1 ;; esac
}

is_number() {
    case $1 in '' | *[!0-9]* | ??????????*) return 1 ;; esac
}

# arm's questions, none of which changes anything but the lock.
arm_refusals() {
    for word in "$trial" "$good" "$candidate"; do is_word "$word" || refuse "not a name: $word"; done
    for word in "$saved" "$good_entry" "$candidate_entry"; do is_entry "$word" || refuse "not a menu entry: $word"; done
    is_number "$seconds" || refuse "not a number of seconds: $seconds"
    [ "$good" != "$candidate" ] || refuse "good and candidate are the same kernel"
    [ "$running" = "$good" ] || refuse "$running is running, not the good kernel $good"
    [ -d "$root/run/systemd/system" ] || refuse "systemd does not run here, so nothing would start the guard"
    for tool in systemctl grub-editenv dd mv sync ln flock sleep; do
        command -v "$tool" >/dev/null || refuse "$tool is missing"
    done
    env_read || refuse "$grubenv is no environment block"
    [ "$env_saved" = "$saved" ] || refuse "the saved default is '$env_saved', not '$saved'"
    [ -z "$env_next$env_prev" ] || refuse "a one-shot boot is pending already: '$env_next$env_prev'"
    # The same bytes again: only an attempt shows that the block can be written (chattr +i, a read-only /boot).
    probe=$run/grubenv.probe
    written=no
    if dd if="$grubenv" of="$probe" bs=1024 count=1 2>/dev/null && env_put "$probe"; then written=yes; fi
    rm -f "$probe"
    [ "$written" = yes ] ||
        refuse "$grubenv cannot be written, so a one-shot boot cannot be set and a blessing cannot be kept"
}

arm_clear() {
    rm -f "$etc/guard.sh.new" "$etc/order.new" "$units/$unit.new" "$var/state.new" "$var/armed.new" "$var/ballast.new"
    [ "${made_links:-}" != yes ] || links_gone
    dirs_gone
} 2>/dev/null

# Everything that needs room is written beside its place first; what follows are renames.
arm_stage() {
    mkdir -p "$etc" "$var" "$units" 2>/dev/null || return 1
    s_trial=$trial s_because='' s_blessed='' s_until=0 s_until_boot='' s_phase=arming
    {
        printf 'trial=%s\ngood=%s\ncandidate=%s\nsaved=%s\ngood_entry=%s\ncandidate_entry=%s\nseconds=%s\nboot=%s\nend=order\n' \
            "$trial" "$good" "$candidate" "$saved" "$good_entry" "$candidate_entry" "$seconds" "$boot" >"$etc/order.new" &&
            sed '/^#--- seatrial-guard.service$/,$d' "$stage/payload" >"$etc/guard.sh.new" &&
            sed '1,/^#--- seatrial-guard.service$/d' "$stage/payload" >"$units/$unit.new" &&
            state_text >"$var/state.new" && s_phase=armed && state_text >"$var/armed.new" &&
            dd if=/dev/zero of="$var/ballast.new" bs=1024 count=64 &&
            [ -s "$etc/guard.sh.new" ] && [ -s "$units/$unit.new" ] &&
            sync "$etc/order.new" "$etc/guard.sh.new" "$units/$unit.new" "$var/state.new" "$var/armed.new" "$var/ballast.new"
    } 2>/dev/null || return 1
    made_links=yes
    for dir in $wants; do
        mkdir -p "$units/$dir" 2>/dev/null && ln -sf "$units_here/$unit" "$units/$dir/$unit" 2>/dev/null || return 1
    done
}

# Until the last rename the state says arming, or tells of an older trial: both keep the unit from doing anything.
arm_commit() {
    mv -f "$var/state.new" "$var/state" && rm -f "$var/boots" "$var/heartbeat" "$var/log" &&
        mv -f "$etc/guard.sh.new" "$etc/guard.sh" && mv -f "$etc/order.new" "$etc/order" &&
        mv -f "$units/$unit.new" "$units/$unit" && mv -f "$var/ballast.new" "$var/ballast" &&
        sync "$etc" "$units" "$var" && systemctl daemon-reload && mv -f "$var/armed.new" "$var/state" &&
        sync "$var" && systemctl restart "$unit" && systemctl -q is-active "$unit"
} 2>/dev/null

arm() {
    stage=$1 trial=$2 good=$3 candidate=$4 saved=$5 good_entry=$6 candidate_entry=$7 seconds=$8
    units_here=/etc/systemd/system made_links=''
    read_machine
    lock || refuse "another command holds the guard's lock"
    if load_order && load_state && [ "$s_trial" = "$o_trial" ]; then
        case $s_phase in
            armed | reverting | blessing)
                [ "$o_trial $o_good $o_candidate $o_seconds $o_boot" = "$trial $good $candidate $seconds $boot" ] ||
                    refuse "trial $o_trial is armed here"
                if systemctl -q is-active "$unit"; then answer 0 "armed before"; fi
                ;;
        esac
    fi
    arm_refusals
    arm_stage || {
        arm_clear
        refuse "no room or no right to write in $etc, $units or $var"
    }
    if arm_commit; then
        note 5 "armed: back to $good unless $candidate is blessed by uptime $seconds s"
        answer 0 armed
    fi
    # systemd did not take the unit: what is left is marked as over, so that nothing acts on it.
    arm_clear
    finish disarmed "systemd could not start the guard" || rm -f "$etc/order"
    answer 4 "systemd could not start the guard; it is disarmed"
}

extend() {
    begin "$1"
    read_uptime
    is_number "$3" || refuse "not a number of seconds: $3"
    [ "$s_phase" = armed ] || refuse "there is no deadline any more: $s_phase"
    [ "$2" = "$boot" ] || refuse "this is boot $boot, not $2"
    [ "$running" = "$o_candidate" ] || refuse "$running is running, not the candidate $o_candidate"
    [ "$up" -lt "$until" ] || refuse "the deadline of $until s has passed"
    # A confirm that is repeated or late must never take time away.
    [ $((up + $3)) -le "$until" ] || s_until=$((up + $3)) s_until_boot=$boot
    put_state armed "$s_because" || answer 4 "the new deadline could not be written"
    note 5 "deadline extended to $s_until s"
    answer 0 extended
}

# Under the lock, with the blessing on disk. A kill between any two steps leaves phase=blessing, which this function
# finishes when it is called again: by the verb, by the loop, or by the next boot.
complete_blessing() {
    env_is "$o_candidate_entry" || env_default "$o_candidate_entry" || return 1
    finish blessed "$o_candidate is the default"
}

bless() {
    begin "$1"
    [ "$2" = "$boot" ] || refuse "this is boot $boot, not $2"
    [ "$3" = "$running" ] || refuse "$running is running, not $3"
    [ "$running" = "$o_candidate" ] || refuse "$running is running, not the candidate $o_candidate"
    case $s_phase in
        armed)
            read_uptime
            [ "$up" -lt "$until" ] || refuse "the deadline of $until s has passed"
            s_blessed=$boot
            put_state blessing "blessed at uptime $up s" || answer 4 "the blessing could not be written; the guard stays armed"
            true 2>/dev/null >"$run/blessed"
            ;;
        blessing | blessed) [ "$s_blessed" = "$boot" ] || refuse "boot $s_blessed was blessed, not $boot" ;;
        *) refuse "nothing to bless any more: $s_phase: $s_because" ;;
    esac
    if [ "$s_phase" = blessing ]; then
        complete_blessing ||
            answer 4 "the blessing is recorded, but $grubenv does not take the candidate as the default; the guard goes on trying"
    fi
    links_gone
    systemctl --no-block stop "$unit" 2>/dev/null
    answer 0 blessed
}

revert() {
    begin "$1"
    case $s_phase in
        armed | reverting | blessing) ;;
        *) refuse "nothing to revert any more: $s_phase: $s_because" ;;
    esac
    [ "$running" = "$o_candidate" ] || refuse "$running is running, not the candidate $o_candidate"
    env_good || answer 4 "the default is not the good kernel and cannot be made so: a reboot would not help"
    put_state reverting "asked to go back at uptime $up s" || answer 4 "could not be written down"
    # The loop does it, since it also knows what to do when a reboot hangs.
    if ! systemctl --no-block restart "$unit" 2>/dev/null; then
        # Nothing is left in the background for it: that would be ended together with this command.
        unlock
        systemctl -i --no-block reboot 2>/dev/null
    fi
    answer 0 "rebooting into $o_good"
}

disarm() {
    begin "$1"
    case $s_phase in
        armed | reverting | blessing) ;;
        *) answer 0 "over before: $s_phase" ;;
    esac
    [ "$running" != "$o_candidate" ] || refuse "the candidate is running: bless it or revert"
    once_gone || answer 4 "the one-shot boot could not be taken back; the guard stays armed"
    finish disarmed "asked to" || answer 4 "could not be written down; the guard stays armed"
    systemctl --no-block stop "$unit" 2>/dev/null
    answer 0 disarmed
}

clean() {
    read_machine
    lock || refuse "another command holds the guard's lock"
    if load_order && load_state && [ "$s_trial" = "$o_trial" ]; then
        case $s_phase in armed | reverting | blessing) refuse "trial $o_trial is armed here" ;; esac
    fi
    links_gone
    # The order goes first: without it the rest means nothing, and an order without a state would count as armed.
    rm -f "$etc/order" "$units/$unit" "$etc/guard.sh" "$var/state" "$var/boots" "$var/heartbeat" "$var/log" "$var/ballast"
    rm -f "$etc"/*.new "$var"/*.new "$units/$unit.new"
    dirs_gone
    systemctl --no-block daemon-reload 2>/dev/null
    answer 0 clean
}

# The whole file is read before anything is done, since it may be replaced meanwhile, or its disk go away.
main() {
    case "${1:-}:$#" in
        arm:9) shift && arm "$@" ;;
        extend:4) shift && extend "$@" ;;
        bless:4) shift && bless "$@" ;;
        revert:2) revert "$2" ;;
        disarm:2) disarm "$2" ;;
        status:1) answer 0 '' ;;
        clean:1) clean ;;
        watch:1) watch ;;
        *)
            echo "seatrial-guard: not understood: ${1:-}" >&2
            exit 2
            ;;
    esac
}

main "$@"
exit
