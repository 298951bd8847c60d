"""What is asked of an NFS server about its exports, and told to it: Commands out, answers read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from seatrial.exports.plan import Found
from seatrial.exports.table import Entry, Table, read_table
from seatrial.model.command import Command, Output
from seatrial.model.exports import Exports
from seatrial.model.text import safe

LIMIT = 4 * 1024 * 1024
SECONDS = 30.0
_PACKAGE = "nfs-kernel-server"
# The first line says whether there is a file at all; an empty one and none are two things.
_READ = 'if [ -e "$1" ]; then echo there; cat -- "$1"; else echo none; fi'
# exportfs lists what it was told to serve, also where there is nothing to be served.
_ABSENT = 'while IFS= read -r path; do [ -e "$path" ] || printf "%s\\n" "$path"; done'
_THREADS = "cat /proc/fs/nfsd/threads 2>/dev/null || echo 0"
# $1 the file, $2 the checksum that it shall have, $3 the one that it had when it was looked at; the new text on stdin.
# exportfs reads what ends in .exports only, so neither the half-written file nor the previous one is ever served.
_WRITE = """
set -eu
sum() { if [ -e "$1" ]; then sha256sum <"$1" | cut -d' ' -f1; else echo none; fi; }
umask 022
mkdir -p "${1%/*}"
cat >"$1.new"
trap 'rm -f "$1.new"' EXIT
[ "$(sum "$1")" != "$2" ] || exit 0
[ "$(sum "$1.new")" = "$2" ] || { echo "what arrived is not what was sent" >&2; exit 1; }
[ "$(sum "$1")" = "$3" ] || { echo "$1 has changed since it was looked at" >&2; exit 1; }
sync "$1.new"
[ ! -e "$1" ] || cp -p "$1" "$1.previous"
mv "$1.new" "$1"
sync "${1%/*}"
"""


def source_command(declared: Exports) -> Command:
    """Ask the source what is wanted."""
    argv = tuple(declared.command) if declared.command else ("cat", "--", str(declared.file))
    return Command(name="exports.wanted", argv=argv, timeout=declared.timeout, limit=LIMIT)


def look_commands(declared: Exports, wanted: Table) -> tuple[Command, ...]:
    """What a host's file has, how many threads of nfsd serve, what they serve, and what is wanted and not there at all."""
    paths = "".join(f"{path}\n" for path in sorted({path for path, _ in wanted}))
    return (
        Command(name="exports.ours", argv=("sh", "-c", _READ, "sh", declared.into), root=True, limit=LIMIT),
        Command(name="exports.threads", argv=("sh", "-c", _THREADS)),
        Command(
            name="exports.absent", argv=("sh", "-c", _ABSENT), stdin=paths.encode(), root=True, limit=LIMIT
        ),
        Command(
            name="exports.served",
            argv=("exportfs", "-s"),
            root=True,
            timeout=SECONDS,
            limit=LIMIT,
            package=_PACKAGE,
        ),
    )


def read_look(outputs: Sequence[Output], place: str) -> Found:
    """What a host said; where anything is missing, why it is not known."""
    for output in outputs:
        if not output.ok or output.truncated:
            said = output.problem or output.stderr.strip().rpartition("\n")[2] or f"status {output.status}"
            return Found(
                problem=f"{place} did not say what it serves: {safe(said[:300])}", hint=safe(output.hint)
            )
    ours, threads, absent, served = outputs
    first, _, text = ours.stdout.partition("\n")
    if first not in ("there", "none") or not threads.stdout.strip().isdecimal():
        return Found(problem=f"{place} answered in a way that is not understood")
    count = int(threads.stdout)
    gone = frozenset(absent.stdout.splitlines())
    now = {entry: options for entry, options in read_table(served.stdout).items() if entry[0] not in gone}
    return Found(
        file=read_table(text),
        mark="none" if first == "none" else mark_of(text),
        threads=count,
        served=now if count else None,
    )


def mark_of(text: str) -> str:
    """The checksum that a host compares."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_command(declared: Exports, text: str, found: Found) -> Command:
    """Write the file in one go, keep the one before beside it. It refuses when the file is not what was looked at."""
    argv = ("sh", "-c", _WRITE, "sh", declared.into, mark_of(text), found.mark)
    return Command(
        name="exports.write",
        argv=argv,
        stdin=text.encode(),
        safe=False,
        root=True,
        timeout=SECONDS,
        package="coreutils",
    )


def serve_commands(removed: Iterable[Entry]) -> tuple[Command, ...]:
    """Stop serving what was taken out, entry by entry; then serve what the files have.

    `exportfs -r` would do both in one, and take away besides whatever a cluster manager or a person exports by hand.
    What was taken out here and stands in another file is served again by the last command.
    """
    gone = (
        _exportfs("exports.withdraw", "-u", f"{_named(client)}:{path}") for path, client in sorted(removed)
    )
    return (*gone, _exportfs("exports.serve", "-a"))


def _exportfs(name: str, *words: str) -> Command:
    argv = ("exportfs", *words)
    return Command(name=name, argv=argv, safe=False, root=True, timeout=SECONDS, package=_PACKAGE)


def _named(client: str) -> str:
    """exportfs takes the first colon for the end of the client's name unless that stands in brackets."""
    address, slash, length = client.partition("/")
    return f"[{address}]{slash}{length}" if ":" in address and not address.startswith("[") else client
