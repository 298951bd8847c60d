"""A network namespace of this machine as a Vantage: nsenter, then the same as local.

What is in: the words for nsenter and what it means when it fails. What is not: making namespaces (the lab).
"""

from __future__ import annotations

import asyncio

from seatrial.model.command import Trouble
from seatrial.vantage.bundle import Ending
from seatrial.vantage.endings import last_line
from seatrial.vantage.local import LocalVantage


class NetnsVantage(LocalVantage):
    """Runs Commands on this machine inside a network namespace, and inside a user namespace if one is given."""

    def __init__(self, name: str, *, netns: str, userns: str | None, places: asyncio.Semaphore) -> None:
        super().__init__(name, places=places)
        # `ip netns` keeps its names as files there.
        self._netns = netns if "/" in netns else f"/run/netns/{netns}"
        self._userns = userns

    @property
    def argv(self) -> tuple[str, ...]:
        """What leads to the sh that reads the script."""
        # Without --preserve-credentials nsenter calls setgroups, which an ordinary user's namespace denies.
        user = (f"--user={self._userns}", "--preserve-credentials") if self._userns else ()
        return ("nsenter", *user, f"--net={self._netns}", "sh")

    def _no_way(self, said: str) -> Ending:
        why = last_line(said) or "nsenter said nothing"
        if "not permitted" in why or "Permission denied" in why:
            return Ending(
                trouble=Trouble.NO_PRIVILEGE,
                problem=f"the network namespace {self._netns} cannot be entered: {why}",
                hint="run as root, or name the user namespace that owns it (userns)",
            )
        return Ending(
            trouble=Trouble.UNREACHABLE,
            problem=f"the network namespace {self._netns} cannot be entered: {why}",
            hint="does it exist? `ip netns list`, or is the process whose /proc/PID/ns/net this is still there?",
        )
