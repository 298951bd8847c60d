"""Further kernels for a host of the lab: where their packages come from, and how they get onto a running guest.

What is in: asking apt what the archive offers, keeping packages in the cache, unpacking one here, sending it to a guest
and letting the guest write its boot menu. What is not: booting it. Nothing is installed on this machine, and no script
of a package is run: a kernel without an initramfs needs its image, its modules and their index.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.errors import InputError, LabError
from seatrial.kernels.packages import KernelPackage, read_files, read_madison
from seatrial.lab.image import Progress
from seatrial.lab.lab import Lab
from seatrial.lab.places import cache_home
from seatrial.vantage import process

_LIMIT = 600.0
# What a guest keeps free: its journal and what the tests write go on.
_SPARE_MIB = 120
_MOST_LIST = 4 * 1024 * 1024


async def offered(flavour: str) -> list[KernelPackage]:
    """The kernels of one flavour that this machine's apt knows of. Raises LabError where there is no apt."""
    pattern = f"^linux-image-[0-9].*-{re.escape(flavour)}$"
    names = [line.split(" ")[0] for line in (await _apt("search", "--names-only", pattern)).splitlines()]
    return read_madison(await _apt("madison", *sorted(set(names)))) if names else []


def in_folder(folder: Path) -> list[KernelPackage]:
    """The kernel packages in a folder. Raises InputError for a folder that cannot be read, or that has none."""
    try:
        found = read_files(sorted(path.name for path in folder.iterdir()))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be read: {error.strerror}", hint="name a folder of linux-image-*.deb files"
        ) from None
    if not found:
        raise InputError(
            f"{folder} has no kernel package",
            hint="files are named as apt names them: linux-image-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb",
        )
    return found


async def fetch(package: KernelPackage, folder: Path | None, progress: Progress) -> Path:
    """The .deb of a kernel: in `folder`, or from the archive by way of the cache. Raises LabError."""
    if folder is not None:
        return folder / package.file
    kept = cache_home() / "kernels"
    kept.mkdir(parents=True, exist_ok=True)
    known = {(one.package, one.version): one.file for one in read_files(path.name for path in kept.iterdir())}
    if file := known.get((package.package, package.version)):
        return kept / file
    progress(f"downloading {package.package} {package.version}", 0.0)
    with TemporaryDirectory(dir=kept, prefix="fetching-") as scratch:
        # apt-get download writes where it is, so the shell only changes the directory.
        wanted = f"{package.package}={package.version}"
        await _run(
            ["sh", "-c", 'cd "$1" && exec apt-get -q download "$2"', "sh", scratch, wanted],
            hint=f"does the archive still have {wanted}? apt-get update; or give --debs FOLDER",
        )
        for path in Path(scratch).glob("*.deb"):
            path.replace(kept / path.name)
            return kept / path.name
    raise LabError(f"apt-get brought no file for {wanted}", hint="apt-get update, and run it again")


async def on_guest(lab: Lab, host: str) -> list[str]:
    """The releases that a guest can boot."""
    listed = await lab.ssh(host, ["ls", "/boot"])
    return [name.removeprefix("vmlinuz-") for name in listed.split() if name.startswith("vmlinuz-")]


async def put(
    lab: Lab, host: str, packages: Sequence[tuple[KernelPackage, Path]], progress: Progress
) -> None:
    """Put kernels onto a running guest, and write its boot menu once. Raises LabError.

    Kernels that are in the way of the room they need are taken off it: neither those of the image nor the running one.
    """
    for package, deb in packages:
        with TemporaryDirectory(prefix="seatrial-kernel-") as scratch:
            tar = await unpack(package, deb, Path(scratch))
            await _make_room(lab, host, tar.stat().st_size, keep=[one.release for one, _ in packages])
            progress(f"putting {package.release} onto {host}", 0.3)
            await _send(lab, host, tar)
    progress(f"writing the boot menu of {host}", 0.8)
    # Its saved default stays what it was: the good kernel of the image.
    await lab.ssh(host, ["sh", "-ec", "update-grub; sync"], timeout=_LIMIT)
    missing = {package.release for package, _ in packages} - set(await on_guest(lab, host))
    if missing:
        raise LabError(
            f"{', '.join(sorted(missing))} did not get onto {host}", hint="is there room on its disk?"
        )


async def unpack(package: KernelPackage, deb: Path, scratch: Path) -> Path:
    """A tar with the kernel's image, its modules and their index, made in `scratch`. Raises LabError."""
    release, root = package.release, scratch / "root"
    await _run(["dpkg-deb", "-x", str(deb), str(root)], hint=f"is {deb} a whole package?")
    image = root / "boot" / f"vmlinuz-{release}"
    modules = next(
        (path for path in (root / "lib", root / "usr/lib") if (path / "modules" / release).is_dir()), None
    )
    if not image.is_file() or modules is None:
        raise LabError(
            f"{deb.name} has no kernel {release} in it",
            hint="give the package that has /boot/vmlinuz-RELEASE",
        )
    kept = scratch / "kept"
    (kept / "boot").mkdir(parents=True)
    (kept / "usr/lib/modules").mkdir(parents=True)
    shutil.move(image, kept / "boot" / image.name)
    shutil.move(modules / "modules" / release, kept / "usr/lib/modules" / release)
    # A guest under software emulation takes seconds for what takes a tenth of one here.
    (kept / "lib").symlink_to("usr/lib")
    await _run(["depmod", "-b", str(kept), release], hint="apt install kmod")
    tar = scratch / "kernel.tar"
    await _run(
        ["tar", "-C", str(kept), "--owner=0", "--group=0", "-cf", str(tar), f"boot/{image.name}", f"usr/lib/modules/{release}"],
        hint="is there room in /tmp?",
    )  # fmt: skip
    return tar


async def _send(lab: Lab, host: str, tar: Path) -> None:
    argv = lab.ssh_argv(host, ["sh", "-ec", "tar -C / --no-overwrite-dir -xf -; sync"])
    with tar.open("rb") as packed:
        ended = await process.run(argv, stdin=packed.fileno(), timeout=_LIMIT)
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-300:]
        raise LabError(f"{host} did not take {tar.name}: {said or ended.status}", hint=ended.paste[:300])


async def _make_room(lab: Lab, host: str, need: int, *, keep: Sequence[str]) -> None:
    free = await lab.ssh(host, ["sh", "-c", "df -m --output=avail / | tail -n 1; uname -r"])
    avail, running = free.split()
    if int(avail) >= need // 2**20 + _SPARE_MIB:
        return
    kept = {lab.kernels.good, lab.kernels.candidate, running, *keep}
    gone = [release for release in await on_guest(lab, host) if release not in kept]
    if not gone:
        raise LabError(
            f"{host} has {avail} MiB left, which is too little for a further kernel",
            hint="seatrial lab down, and begin with a new lab",
        )
    script = 'for r; do rm -rf "/boot/vmlinuz-$r" "/usr/lib/modules/$r"; done; sync'
    await lab.ssh(host, ["sh", "-ec", script, "sh", *gone], timeout=_LIMIT)


async def _apt(*words: str) -> str:
    ended = await _run(
        ["apt-cache", *words],
        hint="apt-get update; or give the packages with --debs FOLDER",
        limit=_MOST_LIST,
    )
    return ended.stdout.decode(errors="replace")


async def _run(argv: list[str], *, hint: str, limit: int = process.DEFAULT_LIMIT) -> process.Finished:
    try:
        ended = await process.run(argv, timeout=_LIMIT, limit=limit)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed", hint=hint) from None
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-300:]
        raise LabError(f"{argv[0]} ended with {ended.status}: {said}", hint=hint)
    return ended
