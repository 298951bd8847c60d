#!/bin/sh
# Runs as root of a bare Debian that is made for it: installs /tmp/seatrial.deb, uses it and purges it. Each step begins with
# a line `== NAME`; what it prints is looked at by test_deb.py, and a step that fails ends everything.
set -eu
export DEBIAN_FRONTEND=noninteractive HOME=/tmp/home XDG_STATE_HOME=/tmp/home/state LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1
mkdir -p /tmp/home
cd /tmp/home
step() { echo "== $1"; }
files() {
    # What dpkg and apt keep of their own doings is no part of what is installed.
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/cache \
        -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o -print | LC_ALL=C sort
}

# What it depends on comes first and alone, so that nothing is there that it does not ask for.
step depends
apt-get satisfy -y -q "$(dpkg-deb --field /tmp/seatrial.deb Depends)" >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }
dpkg-deb --field /tmp/seatrial.deb Depends
files >/tmp/before

step install
dpkg -i /tmp/seatrial.deb
dpkg --verify seatrial

step version
seatrial --version
seatrial-checklist --help | head -n 1

step rehearse
fleet=/usr/share/doc/seatrial/examples/fleet.yaml
status=0
seatrial rehearse --fleet "$fleet" || status=$?
echo "exit $status"

step demo
seatrial demo --rehearse

step serve
seatrial serve --listen 127.0.0.1:0 >/tmp/serve.log 2>&1 &
page=$!
python3 - /tmp/serve.log <<'END'
import re, sys, time, urllib.request

for _ in range(600):
    found = re.search(r"http://[^/ ]+", open(sys.argv[1]).read())
    if found:
        break
    time.sleep(0.5)
with urllib.request.urlopen(found[0] + "/") as answer:
    print(answer.status, len(answer.read()) > 1000)
END
kill "$page"
wait "$page" || true

step settings
# A person's settings survive an upgrade and the removal; only a purge takes them.
echo '# ours' >>/etc/seatrial/serve.env
dpkg -i /tmp/seatrial.deb >/dev/null
tail -n 1 /etc/seatrial/serve.env
dpkg --remove seatrial >/dev/null
tail -n 1 /etc/seatrial/serve.env

step purge
dpkg --purge seatrial
files >/tmp/after
step left
diff /tmp/before /tmp/after || true

step tools
apt-get install -y -q man-db systemd lintian >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; exit 1; }
dpkg -i /tmp/seatrial.deb >/dev/null
echo installed

step manual
man -w seatrial seatrial-checklist
man -P cat seatrial 2>&1 | head -n 4

step unit
systemd-analyze verify /usr/lib/systemd/system/seatrial.service 2>&1
echo verified

step lintian
# As nobody: it does not want to be root.
setpriv --reuid nobody --regid nogroup --clear-groups env HOME=/tmp lintian --no-cfg --fail-on none /tmp/seatrial.deb
step end
