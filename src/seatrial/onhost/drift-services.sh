
# --- what a restart would change ---

# Every unit costs systemd some work, so the mounts are left out, and whether a unit is enabled is asked of few.
units() {
    [ -d /run/systemd/system ] || return 0
    systemctl show --no-pager --all -p Id,ActiveState,SubState,Type,RemainAfterExit,ConditionResult,MainPID \
        -p NeedDaemonReload,FragmentPath,EnvironmentFiles,After,TriggeredBy,WantedBy,RequiredBy,BoundBy,StateChangeTimestampMonotonic \
        -p ConditionTimestampMonotonic,ExecMainStartTimestampMonotonic,CanReload,Transient,LoadState,Result '*.service' '*.socket' '*.timer'
}

# The units that something at boot wants, by their links: who made a link enabled a unit.
unit_files() {
    find /etc/systemd/system -type l \( -path '*.wants/*' -o -path '*.requires/*' \) -printf '%f %l\n' 2>/dev/null | sort -u
}

# Of the units that run and that nothing wants: whether they could be enabled and are not.
unit_states() {
    [ -d /run/systemd/system ] || return 0
    wanted=" $(printf '%s\n' "$links_now" | sed 's/ .*//' | tr '\n' ' ') "
    printf '%s\n' "$units_now" | awk -v wanted="$wanted" -F= '
        $1 == "Id" { id = $2 } $1 == "FragmentPath" { file = $2 } $1 == "ActiveState" { active = $2 }
        $0 == "" { told() } END { told() }
        function told() { if (active == "active" && file != "" && !index(wanted, " " id " ")) print id, file; active = file = "" }' |
        while read -r unit file; do
            # What cannot be enabled is started by something else.
            ! grep -q '^\[Install\]' "$file" 2>/dev/null || echo "$unit"
        done | head -n 40 | xargs -r systemctl show --no-pager -p Id,UnitFileState
}

# The files that mounts are made from at boot.
mount_units() {
    for file in /etc/systemd/system/*.mount /run/systemd/generator/*.mount /usr/lib/systemd/system/*.mount /etc/systemd/system/*.automount; do
        [ ! -e "$file" ] || [ "$(readlink "$file")" = /dev/null ] || echo "${file##*/}"
    done
}

# Process, parent, start in clock ticks after the boot, name. A name may hold anything, so it is cut out first.
processes() {
    grep -s '' /proc/[0-9]*/stat | sed -n 's/^\/proc\/[0-9]*\/stat:\([0-9]*\) (\(.*\)) [A-Za-z] \([0-9]*\) /\1 \3 \2\/ /p' |
        awk '{ pid = $1; parent = $2; if (parent == 2 || pid == 2) next; at = length($0); text = substr($0, length(pid) + length(parent) + 3)
            while (substr(text, at, 2) != "/ " && at > 0) at--
            split(substr(text, at + 2), rest, " "); print pid, parent, rest[18], substr(text, 1, at - 1) }'
}
groups() { grep -sE ':(name=systemd)?:/.' /proc/[0-9]*/cgroup | sed -n 's/^\/proc\/\([0-9]*\)\/cgroup:[0-9]*:[^:]*:/\1 /p' | sort -u; }
programs() { find /proc/[0-9]*/exe -maxdepth 0 -printf '%h %l\n' 2>/dev/null | sed -n 's/^\/proc\/\(.*\/.*\)/\1/p'; }

# Files that are mapped and are not the ones on disk any more; memory that only looks like a file is left out.
deleted() {
    grep -s ' (deleted)$' /proc/[0-9]*/maps |
        sed -n 's/^\/proc\/\([0-9]*\)\/maps:[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* *\(\/.*\) (deleted)$/\1 \2/p' |
        grep -vE '^[0-9]+ /(memfd:|dev/|SYSV|run/|tmp/|var/tmp/|var/lib/|var/cache/|var/log/|drm|i915|\[aio|anon_hugepage|proc/|sys/|home/[^ ]*\.cache/)' | sort -u
}

# Which script an interpreter runs: its first argument that is a file, by the process's own root and directory.
scripts() {
    find /proc/[0-9]*/exe -maxdepth 0 \( -lname '*/python[0-9]*' -o -lname '*/perl*' -o -lname '*/ruby*' -o -lname '*/bash' -o -lname '*/dash' -o -lname '*/node' -o -lname '*/php*' \) 2>/dev/null | while read -r link; do
        pid=${link#/proc/}
        pid=${pid%/exe}
        # The first words are enough: what comes after the script is its own business, and may be a secret.
        script=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | sed -n '2,4{/^-/d;/./{p;q;}}')
        case $script in
            /*) ;;
            ?*) script=$(readlink "/proc/$pid/cwd")/$script ;;
            *) continue ;;
        esac
        [ ! -f "/proc/$pid/root$script" ] || echo "$pid $(stat -L -c '%Y %W' "/proc/$pid/root$script") $script"
        # What it imports from beside itself or from the packages, and was replaced since.
        case $(readlink "$link") in *python*) ;; *) continue ;; esac
        sed -n 's/^[[:space:]]*\(import\|from\)[[:space:]]\{1,\}\([A-Za-z0-9_.]*\).*/\2/p' "/proc/$pid/root$script" 2>/dev/null | sort -u | while read -r module; do
            path=$(printf %s "$module" | tr . /)
            for file in "${script%/*}/$path.py" "/usr/lib/python3/dist-packages/$path.py" "/usr/lib/python3/dist-packages/$path/__init__.py"; do
                [ ! -f "/proc/$pid/root$file" ] || echo "$pid $(stat -L -c '%Y %W' "/proc/$pid/root$file") $file"
            done
        done
    done
    return 0
}

# Files in /etc that were written or put there since the boot: no process that is older has read them as they are.
changed() {
    [ -n "$since" ] || since=$(sed -n 's/^btime //p' /proc/stat)
    find /etc -xdev -type f -newerct "@$since" -printf '%T@ %B@ %p\n' 2>/dev/null
}

# Paths of certificates and of configuration, and https addresses, that command lines and environments name: who, what.
named() {
    for what in cmdline environ; do
        grep -sozaE "/[A-Za-z0-9@%+_./-]+" /proc/[0-9]*/$what | tr '\0' '\n' |
            sed -n "s/^\/proc\/\([0-9]*\)\/$what:\(\/.*\.\(pem\|crt\|cert\|cer\|conf\|cfg\|ini\|ya\{0,1\}ml\|toml\|json\)\)$/\1 \2/p"
        grep -sozaE 'https://([A-Za-z0-9.-]+|\[[0-9a-f:]+\]):[0-9]+(/[^@]*$|[,"; ]|$)' /proc/[0-9]*/$what | tr '\0' '\n' |
            sed -n "s/^\/proc\/\([0-9]*\)\/$what:\(https:\/\/[A-Za-z0-9.:-]*\).*/\1 \2/p; s/^\/proc\/\([0-9]*\)\/$what:\(https:\/\/\[[0-9a-f:]*\]:[0-9]*\).*/\1 \2/p"
    done | grep -v ' /etc/ssl/certs/ca-certificates.crt$' | sort -u
}

# The certificates that configuration files name: which file, which certificate.
configured() {
    grep -rsIE '\.(pem|crt|cert|cer)' /etc --exclude-dir=ca-certificates --exclude-dir=alternatives --exclude-dir=ssl --exclude-dir=certs \
        --exclude=ca-certificates.conf --exclude='*.pem' --exclude='*.crt' --exclude='*.dpkg-*' | awk '{
        at = index($0, ":"); file = substr($0, 1, at - 1); text = substr($0, at + 1)
        if (text ~ /^[ \t]*[#;]/) next
        while (match(text, /\/[A-Za-z0-9@%+_.-]+\/[A-Za-z0-9@%+_.\/-]+\.(pem|crt|cert|cer)/)) {
            if (substr(text, RSTART, RLENGTH) != "/etc/ssl/certs/ca-certificates.crt") print file, substr(text, RSTART, RLENGTH)
            text = substr(text, RSTART + RLENGTH)
        }
    }' | sort -u
}

# The files that were named: when they were written and put there. Of certificates the certificates and nothing else.
files() {
    {
        printf '%s\n' "$named_now" | while read -r pid path; do
            case $path in /*) [ ! -f "/proc/$pid/root$path" ] || echo "/proc/$pid/root$path" ;; esac
        done
        printf '%s\n' "$configured_now" | while read -r _ path; do echo "$path"; done
    } | sort -u | head -n 300 | while read -r path; do
        [ -f "$path" ] || continue
        case $path in
            /proc/*) plain=/${path#/proc/*/root/} ;;
            *) plain=$path ;;
        esac
        echo "F $(stat -L -c '%Y %W' "$path") $plain"
        case $plain in
            *.pem | *.crt | *.cert | *.cer)
                [ "$(stat -L -c %s "$path")" -gt 100000 ] || awk '/^-----BEGIN CERTIFICATE-----/ { on = 1 } on { print "L " $0 } /^-----END CERTIFICATE-----/ { on = 0; if (++n == 12) exit }' "$path" ;;
        esac
    done | awk '$1 == "F" { skip = seen[$0]++ } !skip'
}

listeners() {
    has ss || return 1
    # ss fills all lines but the longest up with blanks.
    ss -Hltnp | sed -n 's/^LISTEN *[0-9]* *[0-9]* *\([^ ]*\) *[^ ]* *users:((\(.*\))) *$/\1 \2/p' |
        awk '{ line = $0; while (match(line, /pid=[0-9]+/)) { print $1, substr(line, RSTART + 4, RLENGTH - 4); line = substr(line, RSTART + RLENGTH) } }' | sort -u
}

# One handshake, and the certificates that came with it.
handshake() {
    set -- "$1" ${2:+-servername} ${2:--noservername}
    timeout 3 openssl s_client -connect "$1" "$2" ${3:-} -showcerts </dev/null 2>/dev/null |
        awk '/^-----BEGIN CERTIFICATE-----/ { on = 1 } on { print "L " $0 } /^-----END CERTIFICATE-----/ { on = 0 }'
}

# The same for all places at once, where there is no openssl; python3 tells the first certificate only.
handshakes() {
    timeout 90 python3 -c '
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for place in sys.stdin.read().split():
    host, _, port = place.rpartition(":")
    for by, name in ("address", None), ("name", sys.argv[1]):
        print("S", place, by)
        try:
            with socket.create_connection((host.strip("[]"), int(port)), 3) as plain:
                with context.wrap_socket(plain, server_hostname=name) as spoken:
                    for line in ssl.DER_cert_to_PEM_cert(spoken.getpeercert(True)).splitlines():
                        print("L", line)
        except TimeoutError:
            break
        except (OSError, ValueError):
            pass' "$1"
}

# The certificates that services of this machine serve, by name and by address: only those that are known to have one.
served() {
    [ -n "$listeners_now" ] || return 0
    has openssl || has python3 || return 1
    owners=$({
        printf '%s\n' "$named_now" | sed -n 's/^\([0-9]*\) .*\.\(pem\|crt\|cert\|cer\)$/\1/p'
        # A process whose name, or whose server's usual folder, is one in /etc that names a certificate. Units are named in
        # systemd's folder, which does not make the sockets that systemd holds open for others ones of a certificate.
        folders=$(printf '%s\n' "$configured_now" | grep -v '^/etc/systemd/' | sed -n 's/^\/etc\/\(default\/\)\{0,1\}\([A-Za-z0-9_-]*\).*/\2/p' | sort -u | tr '\n' ' ')
        printf '%s\n' "$listeners_now" | while read -r _ pid; do
            name=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
            case $name in
                slapd) name=ldap ;; master) name=postfix ;; postgres) name=postgresql ;; mariadbd | mysqld) name=mysql ;;
                named) name=bind ;; stunnel*) name=stunnel ;; exim4) name=exim4 ;; beam.smp) name=rabbitmq ;; python3*) name=$(sed -n 's/^.*\/\([a-z0-9_-]*\)\.service$/\1/p' "/proc/$pid/cgroup" | head -n 1) ;;
            esac
            case " $folders " in *" ${name:--} "*) echo "$pid" ;; esac
        done
    } | sort -u | tr '\n' ' ')
    name=$(hostname -f 2>/dev/null || uname -n)
    places=$(printf '%s\n' "$listeners_now" | while read -r address pid; do
        case " $owners " in *" $pid "*) ;; *) continue ;; esac
        port=${address##*:}
        host=${address%:*}
        case $host in '*' | 0.0.0.0 | '[::]') host=127.0.0.1 ;; *%*) host=${host%%%*} ;; esac
        case $port in 80) continue ;; esac
        echo "$host:$port"
    done | sort -u | head -n 12)
    [ -n "$places" ] || return 0
    # A port that speaks no TLS has no certificate to tell of, and the others are told all the same.
    if ! has openssl; then
        printf '%s\n' "$places" | handshakes "$name"
        return
    fi
    printf '%s\n' "$places" | while read -r place; do
        echo "S $place address"
        handshake "$place" "" || :
        echo "S $place name"
        handshake "$place" "$name" || :
    done
}

addresses() { ip -o addr show 2>/dev/null | awk '{ sub(/\/.*/, "", $4); print $4 }'; }

sshd_test() {
    has sshd && [ -f /etc/ssh/sshd_config ] || return 0
    [ -d /run/sshd ] || return 0
    sshd -t 2>&1 | head -n 3
}

units_now=
[ "$brief" = brief ] || units_now=$(units 2>/dev/null)
section units printf '%s\n' "$units_now"
links_now=
[ "$brief" = brief ] || links_now=$(unit_files)
section unit-files printf '%s\n' "$links_now"
section unit-states unit_states
section mount-units mount_units
section processes processes
section groups groups
section programs programs
section deleted deleted
section scripts scripts
section changed changed
named_now=$(named 2>/dev/null)
configured_now=$(configured 2>/dev/null)
section named printf '%s\n' "$named_now"
section configured printf '%s\n' "$configured_now"
section files files
listeners_now=
[ "$brief" = brief ] || listeners_now=$(listeners 2>/dev/null)
section listeners printf '%s\n' "$listeners_now"
section served served
section addresses addresses
section sshd-test sshd_test
