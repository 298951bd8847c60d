"""The base image of the lab's hosts. What is in: building it with mmdebstrap, once, and keeping it in the cache.

What is not: what makes a host itself (names, addresses, keys), which is in its seed, and what differs from the
image after a boot, which is in its overlay. The recipe is the settings in this file and the files in guest/; an image is kept under
the hash of its recipe. A build that dies leaves nothing that looks like an image, since the directory gets its name last.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.clock import monotonic
from seatrial.errors import LabError
from seatrial.lab.places import cache_home
from seatrial.vantage import process

Progress = Callable[[str, float | None], None]

GUEST = Path(__file__).parent / "guest"
SUITE = "bookworm"
# Half of it is free, which a bisect fills with further kernels; what is not written takes no room.
SIZE_MIB = 2600
BUILD_LIMIT = 1200.0
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "iputils-ping", "iputils-arping", "nftables", "conntrack",
    "keepalived", "kmod", "procps", "grub-common", "grub2-common", "grub-pc-bin", "tcpdump", "python3", "e2fsprogs",
    "nfs-kernel-server", "nfs-common", "drbd-utils",
)  # fmt: skip
# Nothing in the lab reads documentation, and no host needs an initramfs: the root's driver is in the kernel.
_LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*",
    "/etc/kernel/postinst.d/initramfs-tools", "/etc/kernel/postinst.d/zz-update-grub",
)  # fmt: skip
_STEPS: tuple[tuple[str, str, float], ...] = (
    (r"I: running apt-get update", "asking the archive what it offers", 0.02),
    (r"I: downloading packages", "downloading the base packages", 0.06),
    (r"I: extracting archives", "unpacking the base", 0.15),
    (r"I: installing (essential|remaining) packages", "installing packages", 0.3),
    (r"seatrial: kernels", "installing two kernels", 0.55),
    (r"Setting up linux-image", "setting up the kernels", 0.75),
    (r"Generating grub configuration", "writing the boot menu", 0.85),
    (r"seatrial: disk", "writing the disk", 0.9),
)
_KERNELS = re.compile(r"seatrial: kernels (6\.1\.0-\d+-cloud-amd64) (6\.1\.0-\d+-cloud-amd64)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """The two releases in the image, as `uname -r` says them."""

    good: str
    candidate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A bootable disk that nobody writes to, the kernels on it, and the UUID that its boot menu's ids have."""

    disk: Path
    kernels: Kernels
    root_uuid: str
    seconds: float

    def menu_id(self, release: str) -> str:
        """The menu entry of a kernel, as grub-reboot and grub-set-default want it."""
        return f"gnulinux-advanced-{self.root_uuid}>gnulinux-{release}-advanced-{self.root_uuid}"


def recipe_hash() -> str:
    """The name of the image that this recipe makes."""
    settings = (SUITE, str(SIZE_MIB), *PACKAGES, *_LEFT_OUT)
    told = hashlib.sha256("\0".join(settings).encode())
    for path in sorted(GUEST.rglob("*")):
        if path.is_file():
            told.update(f"\0{path.relative_to(GUEST)}\0".encode() + path.read_bytes())
    return told.hexdigest()[:16]


def cached() -> Image | None:
    """The image of this recipe, if it was built already."""
    home = cache_home() / "images" / recipe_hash()
    try:
        facts = json.loads((home / "image.json").read_text())
    except (OSError, ValueError):
        return None
    return Image(
        disk=home / "disk.img",
        kernels=Kernels(good=facts["good"], candidate=facts["candidate"]),
        root_uuid=facts["root_uuid"],
        seconds=facts["seconds"],
    )


async def ensure(progress: Progress) -> Image:
    """The image of this recipe, built now if need be. Raises LabError when it cannot be built."""
    images = cache_home() / "images"
    images.mkdir(parents=True, exist_ok=True)
    with _one_builder(images / "lock"):
        if image := cached():
            return image
        for leftover in images.glob("*.building"):
            shutil.rmtree(leftover, ignore_errors=True)
        scratch = images / f"{recipe_hash()}.building"
        scratch.mkdir()
        try:
            await _build(scratch, progress)
            scratch.rename(scratch.with_suffix(""))
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
    image = cached()
    assert image is not None
    progress(f"image built in {image.seconds:.0f} s, cached from now on", None)
    return image


@contextlib.contextmanager
def _one_builder(lock: Path) -> Iterator[None]:
    # Whoever comes second waits here and then finds the image built.
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


async def _build(scratch: Path, progress: Progress) -> None:
    began = monotonic()
    root_uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"seatrial:{recipe_hash()}"))
    log = await _watch(_argv(scratch, root_uuid), scratch, progress)
    disk = scratch / "disk.img"
    found = _KERNELS.search(log)
    if found is None or not disk.is_file():
        raise LabError(
            "mmdebstrap ended well but left no disk", hint="run it again; the last lines were: " + log[-300:]
        )
    facts = {"good": found[1], "candidate": found[2], "root_uuid": root_uuid, "seconds": monotonic() - began}
    (scratch / "image.json").write_text(json.dumps(facts))


def _argv(scratch: Path, root_uuid: str) -> list[str]:
    """The whole build is one mmdebstrap run, so that an ordinary user's build sees root's ownership to the end."""
    debs = cache_home() / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    as_root = os.geteuid() == 0
    inside = '"$1"/seatrial-build'
    disk = shlex.quote(str(scratch / "disk.img")) if as_root else '"$1".disk'
    argv = ["setpriv", "--pdeathsig", "KILL"]
    if as_root:
        # Its mounts are seen by nobody else, and its processes end with it.
        argv += ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
    argv += ["mmdebstrap", f"--mode={'root' if as_root else 'unshare'}", "--variant=apt", "--format=null"]
    argv += [
        "--components=main",
        '--aptopt=Apt::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
    ]
    argv += ["--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT)]
    argv += ["--skip=essential/unlink,cleanup/apt", f"--include={','.join(PACKAGES)}"]
    argv += [
        '--setup-hook=mkdir -p "$1"/var/cache/apt/archives/partial',
        f"--setup-hook=sync-in {shlex.quote(str(debs))} /var/cache/apt/archives",
        '--customize-hook=mkdir "$1"/seatrial-build',
        f"--customize-hook=sync-in {shlex.quote(str(GUEST))} /seatrial-build",
        f'--customize-hook=sh {inside}/kernels.sh "$1"',
        f"--customize-hook=sync-out /var/cache/apt/archives {shlex.quote(str(debs))}",
        f'--customize-hook=sh {inside}/configure.sh "$1" {inside} {root_uuid}',
        f'--customize-hook=sh {inside}/disk.sh "$1" {disk} {root_uuid} {SIZE_MIB}',
    ]
    if not as_root:
        # What the build's root writes is not the user's; this is mmdebstrap's own way to hand a file out.
        argv += ['--customize-hook=mv "$1".disk "$1"/disk.img']
        argv += [f"--customize-hook=download /disk.img {shlex.quote(str(scratch / 'disk.img'))}"]
    return [*argv, SUITE, "-"]


async def _watch(argv: list[str], scratch: Path, progress: Progress) -> str:
    env = {**os.environ, "TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"} if os.geteuid() == 0 else None
    try:
        running = await process.start(argv, stdout=process.PIPE, stderr=process.STDOUT, env=env)
    except FileNotFoundError as missing:
        raise LabError(
            f"{missing.filename} is not installed", hint="apt install mmdebstrap util-linux"
        ) from None
    assert running.stdout
    tail: list[str] = []
    seen: set[str] = set()
    kernels = ""
    log_path = scratch.parent / "build.log"
    log = log_path.open("w")
    try:
        while raw := await running.stdout.readline():
            line = raw.decode(errors="replace").rstrip()
            log.write(line + "\n")
            tail = [*tail[-40:], line]
            kernels = line if _KERNELS.search(line) else kernels
            for pattern, says, fraction in _STEPS:
                if says not in seen and re.search(pattern, line):
                    seen.add(says)
                    progress(says, fraction)
        status = await running.wait()
    finally:
        log.close()
        process.end_group(running.pid, signal.SIGKILL)
        await running.wait()
    if status != 0:
        wrong = [line for line in tail if line.startswith(("E:", "W:", "seatrial:", "dpkg:"))] or tail
        raise LabError(
            f"the image could not be built (mmdebstrap ended with {status}): {' / '.join(wrong[-3:])}",
            hint=f"read {log_path}; is the Debian archive reachable? Run again: what was downloaded is kept",
        )
    return "\n".join([kernels, *tail])
