"""Keepalived: who has the address, and how it is made to give it up. Pure: Commands out, answers read.

The operator's vrrp_instance tracks a file (`track_file`, a negative weight): a number above zero in it lowers the
priority, so that the peer takes over; zero takes that back. The file lives under /run, so a reboot forgets it: a host
that comes back never holds a grudge from before. The instances of a group have equal priorities or `nopreempt`, so that
an address stays where it was moved to when the file says zero again.
"""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.model.command import Command, Output
from seatrial.model.fleet import Mover


def owner_command(mover: Mover) -> Command:
    """Ask a host whether it has the virtual address now."""
    return Command(
        name="ha.owner", argv=("ip", "-o", "addr", "show", "to", mover.address), package="iproute2"
    )


def has_address(output: Output) -> bool | None:
    """Whether that host has the address; None when it did not say."""
    return None if not output.ok else bool(output.stdout.strip())


def carrier(answers: Mapping[str, bool | None]) -> str | None:
    """The one host that has the address; None when none, several or perhaps another one has it.

    A host that does not answer may still have the address: then it is known only when a peer shows that it has it,
    since VRRP gives it to one host at a time.
    """
    owners = [host for host, owns in answers.items() if owns]
    return owners[0] if len(owners) == 1 else None


def yield_command(mover: Mover, *, give_up: bool) -> Command:
    """Tell a host to give the address up, or to stop doing so. Repeating it changes nothing."""
    return Command(
        name="ha.yield",
        # Written beside and renamed: keepalived must never read half a number.
        argv=(
            "sh",
            "-c",
            'mkdir -p "${1%/*}" && printf "%s\\n" "$2" > "$1.new" && mv "$1.new" "$1"',
            "sh",
            mover.yield_file,
            "1" if give_up else "0",
        ),
        safe=False,
        root=True,
    )
