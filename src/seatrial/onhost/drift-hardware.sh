
# --- what the hardware says, at this boot and at the one before ---

# Errors of the kernel. Without a journal that is kept there is only what the kernel itself still has of this boot.
errors_now() {
    if has journalctl && [ -d /run/systemd/system ]; then
        journalctl -k -b 0 -p 3 -q -o cat --no-pager | head -n 500
    else
        dmesg -l emerg,alert,crit,err | sed 's/^\[[^]]*\] //' | head -n 500
    fi
}
errors_before() {
    has journalctl && [ -d /var/log/journal ] || return 1
    journalctl -k -b -1 -p 3 -q -o cat --no-pager 2>/dev/null | head -n 500 || return 1
    journalctl --list-boots -q --no-pager | grep -q '^ *-1 '
}

memory() {
    for bank in /sys/devices/system/edac/mc/mc*; do
        [ ! -e "$bank/ce_count" ] || echo "${bank##*/} corrected=$(cat "$bank/ce_count") uncorrected=$(cat "$bank/ue_count")"
    done
    return 0
}

# Links that came up slower or narrower than both ends can: what a server that waits for a key complains of.
pcie() {
    for device in /sys/bus/pci/devices/*; do
        [ -e "$device/current_link_width" ] || continue
        echo "${device##*/} $(cat "$device/current_link_width") $(cat "$device/max_link_width") $(cat "$device/current_link_speed" 2>/dev/null | tr -d ' ') $(cat "$device/max_link_speed" | tr -d ' ')"
    done
    return 0
}

raid() { [ ! -e /proc/mdstat ] || cat /proc/mdstat; }

disks() {
    has smartctl || return 0
    for disk in $(smartctl --scan | sed -n 's/^\([^ ]*\) .*/\1/p' | head -n 24); do
        # A disk that sleeps is left asleep.
        timeout 5 smartctl -n standby -H -A "$disk" | sed -n "s/^SMART overall-health.*: /health /p; s/^SMART Health Status: /health /p; s/^ *5 Reallocated_Sector_Ct .* /reallocated /p; s/^197 Current_Pending_Sector .* /pending /p; s/^Media and Data Integrity Errors: */media-errors /p; s/^Percentage Used: */used /p" | sed "s|^|$disk |"
    done
}

board() {
    has ipmitool && [ -e /dev/ipmi0 ] || return 0
    timeout 8 ipmitool sel elist last 40
}

firmware() {
    for what in bios_version bios_date product_name; do
        [ ! -r "/sys/class/dmi/id/$what" ] || echo "$what $(cat "/sys/class/dmi/id/$what")"
    done
    sed -n 's/^microcode[[:space:]]*: /microcode /p; s/^model name[[:space:]]*: /processor /p' /proc/cpuinfo | sort -u
    has ethtool || return 0
    for device in /sys/class/net/*; do
        [ -e "$device/device" ] || continue
        name=${device##*/}
        ethtool -i "$name" 2>/dev/null | sed -n "s/^driver: /nic $name driver /p; s/^firmware-version: /nic $name firmware /p"
        ethtool -k "$name" 2>/dev/null | sed -n "s/^\([a-z0-9-]*\): \(on\|off\)$/nic $name \1 \2/p"
        ethtool -g "$name" 2>/dev/null | sed -n '/^Current/,$'"s/^\(RX\|TX\):[[:space:]]*/nic $name ring-\1 /p"
    done
}

section errors-now errors_now
section errors-before errors_before
section memory memory
section pcie pcie
section raid raid
section disks disks
section board board
section firmware firmware
echo @done
