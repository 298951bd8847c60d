"""Which BootMethod the fleet file means. A further one is a module of its own and a line here."""

from __future__ import annotations

from seatrial.boot.grub import Grub
from seatrial.boot.method import BootMethod
from seatrial.model.fleet import Boot

_METHODS: dict[str, BootMethod] = {"grub": Grub()}


def method_of(boot: Boot) -> BootMethod:
    """The BootMethod of a host's declaration."""
    return _METHODS[boot.method]
