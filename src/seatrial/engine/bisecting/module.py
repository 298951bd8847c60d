"""The ground on which patches of one module are tried: built with the first of them, put in place, the kernel booted anew.

The kernel stays the same, so that nothing but the module differs. A module that cannot be built is skipped, as a kernel
that will not boot is.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.clock import monotonic
from seatrial.engine.bisecting.asked import Asked
from seatrial.engine.bisecting.ground import Progress, Tried
from seatrial.engine.bisecting.guest import Guest
from seatrial.errors import InputError, LabError
from seatrial.lab import modules
from seatrial.model.result import Outcome

BASE = "unpatched"
# The module keeps its name beside the one that is tried; depmod passes over what does not end in .ko.
_PUT = """
place=$(find "/usr/lib/modules/$1" -name "$2.ko" -o -name "$2.ko.xz" | head -n 1)
[ -n "$place" ] || { echo "the kernel $1 has no module $2" >&2; exit 1; }
[ -e "${place%.ko*}.ko.stock" ] || mv "$place" "${place%.ko*}.ko.stock"
rm -f "${place%.ko*}.ko.xz"
cat >"${place%.ko*}.ko"
depmod "$1"
sync
"""
_BACK = """
place=$(find "/usr/lib/modules/$1" -name "$2.ko.stock" | head -n 1)
[ -z "$place" ] || { mv "$place" "${place%.stock}"; depmod "$1"; sync; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What modules are built with: a kernel's headers, a tree with the module's source as it is, and its path there."""

    release: str
    module: str
    headers: Path
    tree: Path

    @classmethod
    async def set_up(cls, release: str, module: str, work: Path, progress: Progress) -> Bench:
        """Fetch all of it into `work`. Raises LabError or InputError."""
        progress(f"downloading headers and source for {release}", 0.0)
        headers = await modules.fetch_headers(release, work)
        tree = await modules.fetch_source(release, work, module)
        return cls(release=release, module=module, headers=headers, tree=tree)

    async def check(self, patches: Sequence[Path], scratch: Path) -> None:
        """Apply all patches and build nothing. Raises InputError for one that does not apply."""
        shutil.copytree(self.tree, scratch)
        await modules.apply(patches, scratch, self.module)

    async def build(self, patches: Sequence[Path], scratch: Path) -> bytes:
        """The module with these patches. Raises LabError when make fails."""
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(self.tree, scratch)
        await modules.apply(patches, scratch, self.module)
        return (await modules.build(self.headers, self.release, scratch, self.module)).read_bytes()


def series(folder: Path) -> list[Path]:
    """The patches in a folder, in the order of their names. Raises InputError for a folder that has none."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix in (".patch", ".diff"))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read: {error.strerror}", hint="name a folder of patches"
        ) from None
    if not found:
        raise InputError(
            f"{folder} has no patch",
            hint="git format-patch GOOD..BAD -o FOLDER -- drivers/net/vrf.c writes one file a commit",
        )
    return found


class LabModule:
    """Versions of one module on one guest: BASE, and after it each patch by its file name."""

    def __init__(
        self,
        guest: Guest,
        bench: Bench,
        patches: Sequence[Path],
        asked: Asked,
        work: Path,
        progress: Progress,
    ) -> None:
        self._guest = guest
        self._bench = bench
        self._patches = patches
        self._asked = asked
        self._work = work
        self._progress = progress
        self._built: dict[str, bytes] = {}

    @property
    def platform(self) -> str:
        """Where it runs."""
        return (
            f"The module {self._bench.module} was built against the headers of {self._bench.release} and loaded by "
            f"that kernel in a QEMU guest, as {self._guest.host} of the topology {self._guest.lab.topology.name}."
        )

    async def attempt(self, version: str, number: int, likely: Sequence[str]) -> Tried:
        """Build what was not built yet, put it in place, boot the kernel, ask."""
        began = monotonic()
        try:
            await self._have(version)
        except LabError as failed:
            return Tried(
                outcome=Outcome.SKIP,
                because=f"it cannot be built: {failed.message}",
                seconds=monotonic() - began,
            )
        self._progress(f"{version} is being put in place and booted", 0.3)
        await self._guest.run(_PUT, *self._names, stdin=self._built[version])
        boot = await self._guest.boot(self._bench.release)
        if not boot.up:
            return Tried(
                outcome=Outcome.SKIP,
                because=boot.because,
                boot_seconds=boot.seconds,
                seconds=monotonic() - began,
            )
        said = await self._asked.ask(self._guest, self._bench.release, login=boot.login)
        return Tried(
            outcome=said.outcome,
            because=said.because,
            boot_seconds=boot.seconds,
            seconds=monotonic() - began,
            results=said.results,
        )

    async def put_back(self) -> None:
        """Put the kernel's own module back."""
        await self._guest.run(_BACK, *self._names)

    @property
    def _names(self) -> tuple[str, str]:
        return self._bench.release, Path(self._bench.module).name

    async def _have(self, version: str) -> None:
        if version in self._built:
            return
        self._progress(f"building {version}", 0.1)
        places: Mapping[str, int] = {path.name: place for place, path in enumerate(self._patches, start=1)}
        first = self._patches[: places.get(version, 0)]
        self._built[version] = await self._bench.build(first, self._work / "tried")
