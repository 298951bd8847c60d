"""The texts that this room sends to hosts: the one place where it reads files. What is in: which text is made of what."""

from __future__ import annotations

from functools import cache
from importlib import resources

_UNIT_MARK = "#--- seatrial-guard.service\n"
# The order is the order of use: each text defines what those after it call.
_GUARD = ("grubenv.sh", "guard-state.sh", "guard-watch.sh", "guard.sh")


@cache
def text(name: str) -> str:
    """One text of the onhost folder as it is."""
    return (resources.files("seatrial") / "onhost" / name).read_text(encoding="utf-8")


@cache
def guard_script() -> str:
    """The guard as it lies on a host: one file, so that emergency mode needs no other."""
    return "".join(text(name) for name in _GUARD)


@cache
def guard_payload() -> bytes:
    """The guard and its unit in one stream, which arming takes apart on the host."""
    return (guard_script() + _UNIT_MARK + text("seatrial-guard.service")).encode()


@cache
def facts_script() -> bytes:
    """What asks a GRUB host for all of its facts."""
    return text("grub-facts.sh").encode()


@cache
def glance_script() -> bytes:
    """What asks a GRUB host for the few facts that change during a trial."""
    return text("grub-glance.sh").encode()


@cache
def entry_script() -> bytes:
    """What sets an entry of GRUB's menu as the default, or for one boot."""
    return (text("grubenv.sh") + text("boot-entry.sh")).encode()


@cache
def describe_script() -> bytes:
    """What asks a host which machine it is and what its kernel has in use."""
    return text("describe.sh").encode()
