"""The ground on which whole kernels are tried: their packages, put onto one guest, each booted and asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seatrial.clock import monotonic
from seatrial.engine.bisecting.asked import Asked
from seatrial.engine.bisecting.ground import Progress, Tried
from seatrial.engine.bisecting.guest import Guest
from seatrial.kernels.packages import KernelPackage
from seatrial.lab import kernels
from seatrial.model.result import Outcome

# So many packages are put onto the guest at once, and its boot menu written once, which takes longer than one of them.
# With more it pays to send only what is booted: a search boots few of many.
_AT_ONCE = 12


class LabKernels:
    """Kernels on one guest of a lab. `folder` has the packages; None where the archive has them."""

    def __init__(
        self,
        guest: Guest,
        packages: Mapping[str, KernelPackage],
        asked: Asked,
        *,
        folder: Path | None,
        progress: Progress,
    ) -> None:
        self._guest = guest
        self._packages = packages
        self._asked = asked
        self._folder = folder
        self._progress = progress

    @property
    def platform(self) -> str:
        """Where it runs."""
        accelerator = self._guest.lab.accelerator
        how = "KVM" if accelerator.is_kvm else "software emulation"
        return (
            f"The kernels of Debian's packages ran in a QEMU guest ({how}, one processor, no initramfs), "
            f"as {self._guest.host} of the topology {self._guest.lab.topology.name}."
        )

    async def attempt(self, version: str, number: int, likely: Sequence[str]) -> Tried:
        """Put the kernel onto the guest if it is not there, boot it once, ask."""
        began = monotonic()
        await self._have(version, likely)
        self._progress(f"{version} is being booted", 0.0)
        boot = await self._guest.boot(version)
        if not boot.up:
            return Tried(
                outcome=Outcome.SKIP,
                because=boot.because,
                boot_seconds=boot.seconds,
                seconds=monotonic() - began,
            )
        self._progress(f"{version} is being asked", 0.8)
        said = await self._asked.ask(self._guest, version, login=boot.login)
        return Tried(
            outcome=said.outcome,
            because=said.because if boot.login else f"{boot.because}; {said.because}",
            boot_seconds=boot.seconds,
            seconds=monotonic() - began,
            results=said.results,
        )

    async def _have(self, version: str, likely: Sequence[str]) -> None:
        there = set(await kernels.on_guest(self._guest.lab, self._guest.host))
        if version in there:
            return
        batch = likely if len(likely) <= _AT_ONCE else ()
        names = [name for name in dict.fromkeys((version, *batch)) if name not in there]
        wanted = [self._packages[name] for name in names]
        fetched = [(one, await kernels.fetch(one, self._folder, self._progress)) for one in wanted]
        await kernels.put(self._guest.lab, self._guest.host, fetched, self._progress)
