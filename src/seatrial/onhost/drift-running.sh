
# --- what is in force, and what is configured ---

# Keys that are secrets, and one whose reading makes the kernel work, are left out.
sysctl_now() {
    cd /proc/sys || return 1
    grep -s -d skip --exclude=stable_secret --exclude=tcp_fastopen_key --exclude=stat_refresh '' \
        kernel/* vm/* fs/* fs/inotify/* net/core/* net/ipv4/* net/ipv6/* net/unix/* net/netfilter/* net/bridge/* net/mptcp/* \
        net/ipv4/conf/all/* net/ipv4/conf/default/* net/ipv6/conf/all/* net/ipv6/conf/default/* sunrpc/* \
        net/ipv4/neigh/default/* net/ipv6/neigh/default/*
    # What the files name besides, such as settings of one interface; a key may be a pattern.
    sed -n 's/^[[:space:]]*-\{0,1\}\([^#;=[:space:]]*\)[[:space:]]*=.*/\1/p' /etc/sysctl.conf /etc/sysctl.d/*.conf /run/sysctl.d/*.conf \
        /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf 2>/dev/null | sort -u | while read -r key; do
        case $key in
            net.ipv[46].conf.all.* | net.ipv[46].conf.default.* | *secret* | *fastopen_key*) continue ;;
            net.ipv[46].conf.* | net.ipv[46].neigh.* | */*) ;;
            *) continue ;;
        esac
        case $key in
            */*) path=$key ;;
            *) path=$(printf %s "$key" | tr . /) ;;
        esac
        for file in $path; do
            [ ! -f "$file" ] || printf '%s:%s\n' "$file" "$(cat "$file" 2>/dev/null)"
        done
    done
    return 0
}

sysctl_files() {
    texts /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /etc/sysctl.conf
}

modules_wanted() {
    texts /etc/modules /etc/modules-load.d/*.conf /run/modules-load.d/*.conf /usr/lib/modules-load.d/*.conf \
        /etc/modprobe.d/*.conf /usr/lib/modprobe.d/*.conf
}

# What the options lines of modprobe.d say of modules that are loaded, as it is in force.
module_parameters() {
    sed -n 's/^[[:space:]]*options[[:space:]]\{1,\}\([A-Za-z0-9_-]*\)[[:space:]].*/\1/p' /etc/modprobe.d/*.conf /usr/lib/modprobe.d/*.conf 2>/dev/null |
        tr - _ | sort -u | while read -r module; do
        [ ! -d "/sys/module/$module/parameters" ] || grep -s '' "/sys/module/$module/parameters/"*
    done
    return 0
}

builtin_modules() { sed 's/^.*\///; s/\.ko.*$//' "/lib/modules/$(uname -r)/modules.builtin"; }

routes() {
    has ip || return 1
    for family in 4 6; do
        ip -$family route show table all type unicast 2>/dev/null | sed "s/^/route $family /"
        ip -$family rule show 2>/dev/null | sed "s/^/rule $family /"
    done
}

links() {
    grep -s '' /sys/class/net/*/mtu /sys/class/net/*/operstate /sys/class/net/*/speed | sed 's/^\/sys\/class\/net\/\([^/]*\)\/\([a-z]*\):/\1 \2 /'
    find /sys/class/net/*/device/driver -maxdepth 0 -printf '%h %l\n' 2>/dev/null |
        sed 's/^\/sys\/class\/net\/\([^/]*\)\/device .*\//\1 driver /'
    return 0
}

qdiscs() {
    has tc || return 1
    tc qdisc show
}

# The scheduler of each disk, and how many queues its driver has: with one the kernel takes mq-deadline, else none.
schedulers() {
    for disk in /sys/block/*; do
        [ -e "$disk/queue/scheduler" ] || continue
        case ${disk##*/} in loop* | ram* | zram* | dm-* | md* | sr* | fd* | nbd*) continue ;; esac
        echo "${disk##*/} $(ls "$disk/mq" 2>/dev/null | wc -l) $(cat "$disk/queue/scheduler")"
    done
}

# The rules of nftables as they are in force and as the file that is loaded at boot has them, with what it includes.
nft_now() {
    has nft || return 1
    nft -s list ruleset
}
nft_file() {
    [ -f /etc/nftables.conf ] || return 0
    texts /etc/nftables.conf
    sed -n 's/^[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' /etc/nftables.conf | while read -r pattern; do
        texts $pattern
    done
}
nft_check() {
    [ -f /etc/nftables.conf ] && has nft || return 0
    nft -c -f /etc/nftables.conf 2>&1 | head -n 3
}
iptables_now() {
    [ -f /etc/iptables/rules.v4 ] || return 0
    has iptables-save || return 1
    iptables-save | sed 's/\[[0-9]*:[0-9]*\]//; /^#/d'
}
iptables_file() { [ ! -f /etc/iptables/rules.v4 ] || sed 's/\[[0-9]*:[0-9]*\]//; /^#/d' /etc/iptables/rules.v4; }

exports_file() { texts /etc/exports /etc/exports.d/*.exports; }
exports_now() {
    [ -e /proc/fs/nfsd/versions ] || return 0
    cat /var/lib/nfs/etab
}

# Lines that set something, of what this machine runs at boot: units of its own, their scripts and what these call, and the
# classic places. Whoever is named there is set again by the next boot. No line with a word of secrets is taken.
boot_lines() {
    units=$(grep -lsE '^Exec(Start|StartPre|StartPost)=' /etc/systemd/system/*.service /etc/systemd/system/*/*.conf \
        /run/systemd/system/*.service /run/systemd/generator*/*.service)
    scripts=$(sed -n 's/^Exec\(Start\|StartPre\|StartPost\)=[-@+!:]*\([^ ]*\).*/\2/p' $units /dev/null | sort -u)
    scripts=$(grep -slIE '^#!' $scripts /etc/rc.local /etc/network/if-*.d/* /etc/networkd-dispatcher/*/* /etc/NetworkManager/dispatcher.d/* /dev/null)
    called=$(grep -shoE '/(etc|usr|opt|srv|root)/[A-Za-z0-9@%+_./-]+' $scripts /dev/null | sort -u)
    called=$(grep -slIE '^#!' $called /dev/null)
    for path in $(printf '%s\n' $units $scripts $called | sort -u) /etc/network/interfaces /etc/network/interfaces.d/* /etc/systemd/network/* \
        /run/systemd/network/* /etc/netplan/*.yaml /etc/udev/rules.d/*.rules /usr/lib/udev/rules.d/*scheduler*.rules /etc/crontab /etc/cron.d/* \
        /etc/default/grub /etc/sysfs.conf /etc/sysfs.d/*.conf /etc/tmpfiles.d/*.conf /etc/tuned/*/tuned.conf; do
        [ -f "$path" ] || continue
        grep -sHE 'sysctl|/proc/sys|qdisc|scheduler|elevator|route|rule|nft|iptables|modprobe|mount|gateway|dhcp|[Dd]estination|Kind=|Queue|QueueingDiscipline|\[.*(Codel|HTB|TBF|FairQueue|CAKE|PFIFO|NetworkEmulator).*\]|/sys/|[0-9]/[0-9]|via|IPForward|net\.|vm\.|kernel\.' "$path"
    done | grep -viE 'psk|passw|secret|wireless-key|private-*key|token' | head -n 4000
    for program in dockerd containerd kubelet libvirtd keepalived firewalld ufw fail2ban-server lxd tuned; do
        [ ! -e "/usr/bin/$program" ] && [ ! -e "/usr/sbin/$program" ] && [ ! -e "/usr/local/bin/$program" ] || echo "program:$program"
    done
}

packages() { dpkg-query -W -f '${binary:Package} ${Version} ${db:Status-Abbrev}\n'; }

section sysctl-now sysctl_now
section sysctl-files sysctl_files
section modules-now cat /proc/modules
section modules-wanted modules_wanted
section module-parameters module_parameters
section builtin-modules builtin_modules
section routes routes
section links links
section qdiscs qdiscs
section schedulers schedulers
section nft-now nft_now
section nft-file nft_file
section nft-check nft_check
section iptables-now iptables_now
section iptables-file iptables_file
section exports-file exports_file
section exports-now exports_now
section boot-lines boot_lines
section packages packages
