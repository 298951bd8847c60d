"""One guest of the lab that is booted into one kernel after the other, always by a one-shot entry.

What is in: the order to restart, waiting, and telling a kernel that did not come up from a lab that broke. What is
not: which kernel, and what is asked on it. The saved default stays the image's good kernel, so a kernel that panics or
hangs is followed by that one.
"""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.clock import monotonic
from seatrial.errors import LabError
from seatrial.lab.lab import BOOT_LIMIT, Lab

# A kernel may take so many times as long as the good one, and at least so many seconds: others use this machine as well.
_TIMES, _LEAST = 8.0, 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How a boot went. `up`: the wanted kernel runs; `login`: and lets somebody in. `seconds` from the order on."""

    up: bool
    login: bool
    because: str
    seconds: float


class Guest:
    """A host of a lab, for booting."""

    def __init__(self, lab: Lab, host: str) -> None:
        self.lab = lab
        self.host = host

    async def boot(self, release: str) -> Boot:
        """Boot a kernel once, whatever runs now. Raises LabError when not even the good kernel comes back."""
        await self._reach()
        since = monotonic()
        await self.lab.boot_once(self.host, release)
        try:
            timings = await self.lab.wait_for_boot(self.host, since=since, limit=self._limit())
        except LabError:
            return await self._gave_up(release, since)
        seconds = monotonic() - since
        if timings.release == release:
            return Boot(up=True, login=True, because=f"{release} is up", seconds=seconds)
        because = f"it did not come up, {timings.release} came back: {self._last_words(since)}"
        return Boot(up=False, login=False, because=because, seconds=seconds)

    async def _gave_up(self, release: str, since: float) -> Boot:
        """Nobody could log in within the limit: does the kernel run all the same, by what its console says?"""
        seconds = monotonic() - since
        latest = self.lab.boot_timings(self.host)[-1:]
        if latest and latest[0].began >= since and latest[0].release == release and latest[0].userspace:
            because = f"{release} is up and lets nobody log in"
            return Boot(up=True, login=False, because=because, seconds=seconds)
        because = f"it was not up after {seconds:.0f} s: {self._last_words(since)}"
        await self._back()
        return Boot(up=False, login=False, because=because, seconds=seconds)

    async def run(self, script: str, *words: str, stdin: bytes = b"") -> None:
        """Run a shell script of ours on the guest as root, whatever kernel runs. Raises LabError when it fails."""
        await self._reach()
        await self.lab.ssh(self.host, ["sh", "-ec", script, "sh", *words], stdin=stdin, timeout=300.0)

    async def _reach(self) -> None:
        """See to it that somebody can log in: the kernel that was tried last may let nobody in."""
        try:
            await self.lab.ssh(self.host, ["true"], timeout=30.0)
        except LabError:
            await self._back()

    async def _back(self) -> None:
        """Press the reset button; the saved default is the good kernel."""
        since = monotonic()
        await self.lab.reset(self.host)
        await self.lab.wait_for_boot(self.host, since=since)

    def _limit(self) -> float:
        known = [one.total for one in self.lab.boot_timings(self.host) if one.total is not None]
        return min(BOOT_LIMIT, max(_LEAST, _TIMES * known[0])) if known else BOOT_LIMIT

    def _last_words(self, since: float) -> str:
        """What the kernel that died said of it, else the last line before the restart."""
        lines = [line.text for line in self.lab.console(self.host) if line.at >= since]
        ends = [place for place, text in enumerate(lines) if text.startswith("==")]
        # The first restart is the one that was ordered; the next one ended the kernel that was wanted.
        own = lines[ends[1] : ends[2]] if len(ends) > 2 else lines  # noqa: RUF100
        panics = [text for text in own if "Kernel panic" in text]
        said = panics or [text for text in own if not text.startswith("==")]
        return said[-1] if said else "its console stayed empty"
