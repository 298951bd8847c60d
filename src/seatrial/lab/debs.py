"""Debian packages for guests that run, with all that they depend on: fetched here by apt, installed there by dpkg.

What is in: having this machine's apt find out what a guest lacks, keeping packages in the cache, sending and installing
them. What is not: what they are for. Guests reach no archive, and the image is left as it is, so that whoever does not
want these packages does not wait for them.
"""

from __future__ import annotations

import asyncio
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.errors import LabError
from seatrial.lab.image import Progress
from seatrial.lab.lab import Lab
from seatrial.lab.places import cache_home
from seatrial.vantage import process

_LIMIT = 600.0
_MOST = 4 * 1024 * 1024
_FOLDER = "/root/seatrial-debs"
_PLANNED = re.compile(r"^Inst (\S+)(?: \[[^]]*\])? \((\S+) .*\[(\w+)\]\)", re.MULTILINE)
# Nothing is started by being installed. What has to be set up before another one may be unpacked (gawk's libraries) is, after
# the first time; the second one does the rest.
_INSTALL = f"""
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
trap 'rm -rf /usr/sbin/policy-rc.d {_FOLDER}' EXIT
mkdir -p {_FOLDER}
tar -C {_FOLDER} -xf -
export DEBIAN_FRONTEND=noninteractive
set -- --install --skip-same-version --force-confold --force-unsafe-io {_FOLDER}/*.deb
dpkg "$@" >/dev/null 2>&1 || dpkg "$@" 2>&1
"""


def planned(said: str) -> list[str]:
    """The files of the packages that apt would install, by what its simulation says."""
    return [
        f"{name.partition(':')[0]}_{version.replace(':', '%3a')}_{arch}.deb"
        for name, version, arch in _PLANNED.findall(said)
    ]


async def put(lab: Lab, hosts: Sequence[str], packages: Sequence[str], progress: Progress) -> None:
    """Install packages on hosts of one image, side by side. Raises LabError."""
    with TemporaryDirectory(prefix="seatrial-debs-") as scratch:
        installed = Path(scratch, "status")
        installed.write_text(await lab.ssh(hosts[0], ["cat", "/var/lib/dpkg/status"]))
        files = await _fetch(installed, packages, progress)
        if not files:
            return
        packed = Path(scratch, "debs.tar")
        with tarfile.open(packed, "w") as tar:
            for file in files:
                tar.add(file, arcname=file.name)
        progress(f"installing {len(files)} packages on {' and '.join(hosts)}", None)
        await asyncio.gather(*(_install(lab, host, packed) for host in hosts))


async def _fetch(installed: Path, packages: Sequence[str], progress: Progress) -> list[Path]:
    kept = cache_home() / "packages"
    (kept / "partial").mkdir(parents=True, exist_ok=True)
    apt = [
        "apt-get", "-y", "-q", "--no-install-recommends", "-o", f"Dir::State::status={installed}",
        "-o", f"Dir::Cache::archives={kept}", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
        "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=",
    ]  # fmt: skip
    files = [kept / name for name in planned(await _run([*apt, "--simulate", "install", *packages]))]
    if not all(file.is_file() for file in files):
        progress(f"downloading {', '.join(packages)} and what they need", None)
        await _run([*apt, "--download-only", "install", *packages])
    if missing := [file.name for file in files if not file.is_file()]:
        raise LabError(f"apt did not fetch {missing[0]}", hint="apt-get update, and try again")
    return files


async def _install(lab: Lab, host: str, packed: Path) -> None:
    with packed.open("rb") as tar:
        ended = await process.run(
            lab.ssh_argv(host, ["sh", "-ec", _INSTALL]), stdin=tar.fileno(), timeout=_LIMIT, limit=_MOST
        )
    if ended.status != 0:
        said = (ended.stdout + ended.stderr).decode(errors="replace").strip()[-500:]
        raise LabError(f"{host} did not install the packages: {said}", hint=ended.paste[:300])


async def _run(argv: list[str]) -> str:
    try:
        ended = await process.run(argv, timeout=_LIMIT, limit=_MOST)
    except FileNotFoundError:
        raise LabError("apt-get is not installed", hint="this part of the lab needs a Debian host") from None
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-300:]
        raise LabError(f"{argv[0]} ended with {ended.status}: {said}", hint="apt-get update, and try again")
    return ended.stdout.decode(errors="replace")
