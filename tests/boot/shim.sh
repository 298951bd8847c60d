#!/bin/sh
# Stands for every program on the machine on paper: it counts, kills its whole process group at the wished count, and
# then either plays the program (systemctl, sleep, mount, sync) or runs the real one on the paper machine's files.
name=${0##*/}
sim=${0%/*}/../sim
root=${0%/*}/..
if [ "$name" = sleep ] && [ "$1" -ge 200 ]; then exit 1; fi
read -r count <"$sim/count"
count=$((count + 1))
echo "$count" >"$sim/count"
echo "$name $*" >>"$sim/calls"
kill_at=0 when=none
[ ! -e "$sim/kill" ] || read -r kill_at when <"$sim/kill"
[ "$count:before" != "$kill_at:$when" ] || kill -KILL 0
status=0
case $name in
    systemctl)
        case "$*" in
            *is-active*) [ -e "$sim/active" ] || status=3 ;;
            *daemon-reload*) [ ! -e "$sim/no-reload" ] || status=1 ;;
            *restart*) if [ -e "$sim/no-start" ]; then status=1; else true >"$sim/active"; fi ;;
            *stop*) PATH=/usr/bin:/bin rm -f "$sim/active" ;;
            *reboot*)
                read -r deaf <"$sim/deaf"
                if [ "$deaf" -gt 0 ]; then
                    echo $((deaf - 1)) >"$sim/deaf"
                    true >"$sim/heard"
                else
                    true >"$sim/rebooted"
                    kill -KILL 0
                fi
                ;;
        esac
        ;;
    sleep)
        # Whoever waits this long has just asked for a reboot in the background: it is heard, or it ends us all.
        if [ "$1" -eq 60 ]; then
            while [ ! -e "$sim/heard" ]; do PATH=/usr/bin:/bin sleep 0.02; done
            PATH=/usr/bin:/bin rm -f "$sim/heard"
        fi
        read -r up rest <"$root/proc/uptime"
        up=${up%%.*}
        up=$((up + $1))
        echo "$up.00 0.00" >"$root/proc/uptime"
        read -r limit <"$sim/limit"
        if [ "$up" -gt "$limit" ]; then
            true >"$sim/idle"
            kill -KILL 0
        fi
        ;;
    mount | sync) ;;
    *)
        if [ -e "$sim/fail-$name" ] || { [ "$name" = mv ] && [ -e "$sim/full" ] && [ -e "$root/var/lib/seatrial/ballast" ]; }; then
            status=1
        else
            PATH=/usr/sbin:/usr/bin:/sbin:/bin "$name" "$@"
            status=$?
        fi
        ;;
esac
[ "$count:after" != "$kill_at:$when" ] || kill -KILL 0
exit "$status"
