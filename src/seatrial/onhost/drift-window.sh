
# --- what happened on a host of the platform lately: asked as `window SECONDS`, of hosts that are not on trial ---

# By the host's own clock, so that it does not matter whether it is right.
began=$(($(date +%s) - ${since:-0}))

# dpkg's own log, in local time: date, time, what was done, package, version before and after.
package_log() {
    [ -r /var/log/dpkg.log ] || return 1
    first=$(date -d "@$began" '+%Y-%m-%d %H:%M:%S') || return 1
    for file in /var/log/dpkg.log.1 /var/log/dpkg.log; do
        [ ! -r "$file" ] || awk -v first="$first" '$1 " " $2 >= first && $3 ~ /^(install|upgrade|remove|purge)$/ { print $4, $5, $6 }' "$file"
    done | head -n 500
}

certificate_files() {
    find /etc -xdev -type f \( -name '*.pem' -o -name '*.crt' -o -name '*.cer' -o -name '*.cert' \) -newerct "@$began" -print | head -n 200
}

section identity identity
section package-log package_log
section certificate-files certificate_files
echo @done
