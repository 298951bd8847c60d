#!/bin/sh
# seatrial-gate whole|head BYTES SHA256 WORDS...: runs what comes on standard input, when it is what its hash says.
#
# It is started by sudo, whose list says which hashes there may be: `seatrial sudoers`. With BYTES 0 the words are a
# program that reads all of the input; else the first BYTES bytes are the text of `sh WORDS[0] TEXT WORDS[1...]`, which
# reads the rest. "whole": the hash is that of all of the input; "head": of those first bytes, and the rest is data.
set -eu
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
unset ENV BASH_ENV CDPATH
how=$1 bytes=$2 sum=$3
shift 3
case $bytes in '' | *[!0-9]*) exit 3 ;; esac
# In memory, so that a full disk stops nothing; what was looked at is what is run, since nobody else can write to it.
held=$(mktemp /run/seatrial-gate.XXXXXX) || exit 3
trap 'rm -f "$held"' EXIT HUP INT TERM
cat >"$held"
case $how in
whole) seen=$(sha256sum <"$held") ;;
head) seen=$(head -c "$bytes" "$held" | sha256sum) ;;
*) exit 3 ;;
esac
if [ "${seen%% *}" != "$sum" ]; then
    echo "seatrial-gate: what came in is not what its hash says" >&2
    exit 3
fi
exec <"$held"
if [ "$bytes" = 0 ]; then
    rm -f "$held"
    trap - EXIT HUP INT TERM
    exec "$@"
fi
text=$(head -c "$bytes" "$held")
# The offset of an open file is shared: what dd reads is not read again.
dd bs="$bytes" count=1 iflag=fullblock of=/dev/null 2>/dev/null
rm -f "$held"
trap - EXIT HUP INT TERM
flags=$1
shift
exec sh "$flags" "$text" "$@"
