#!/bin/sh
# A customize hook of mmdebstrap; $1 is the new root. Installs the two kernels.
# The archive is asked which kernels it offers, since versions in it come and go: the oldest is the good kernel,
# the newest is the candidate.
set -eu
root=$1
offered=$(chroot "$root" apt-cache pkgnames linux-image-6.1.0- | grep -E '^linux-image-6\.1\.0-[0-9]+-cloud-amd64$' | sort -V)
good=$(printf '%s\n' "$offered" | head -n 1)
candidate=$(printf '%s\n' "$offered" | tail -n 1)
if [ -z "$good" ] || [ "$good" = "$candidate" ]; then
    echo "seatrial: the archive offers fewer than two kernels: $offered" >&2
    exit 1
fi
echo "seatrial: kernels ${good#linux-image-} ${candidate#linux-image-}"
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -y -q --no-install-recommends install "$good" "$candidate"
mkdir -p "$root/usr/lib/seatrial-lab"
printf '%s\n%s\n' "${good#linux-image-}" "${candidate#linux-image-}" >"$root/usr/lib/seatrial-lab/kernels"
