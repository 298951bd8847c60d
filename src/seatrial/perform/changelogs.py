"""Where a kernel package's changelog is: in a file, in a package, on this machine or on a host. Reads, and unpacks.

What is not in: what the changelog says (kernels/changelog.py).
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.errors import CouldNotAct, InputError, NotKnown
from seatrial.kernels.changelog import MOST_BYTES
from seatrial.model.command import Command, Vantage
from seatrial.vantage import process

_DOCS = Path("/usr/share/doc")
_NAMES = ("changelog.Debian.gz", "changelog.gz", "changelog.Debian", "changelog")
_IMAGE = re.compile(r"linux-(?:image|headers)(?:-unsigned)?-(\d[\w.+~-]*?)(?:-dbg)?")
_RELEASE = re.compile(r"\d[A-Za-z0-9.+~_-]{1,99}")
# A kernel's package is 30 to 120 MB of xz, and its changelog lies somewhere inside.
_UNPACK = 300.0
_IN_DEB = (
    'dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards ./usr/share/doc/*/changelog.Debian.gz'
    " ./usr/share/doc/*/changelog.gz 2>/dev/null"
)
_ON_HOST = (
    "for name in changelog.Debian.gz changelog.gz; do file=/usr/share/doc/linux-image-$1/$name; "
    'if [ -r "$file" ]; then exec gzip -dc "$file"; fi; done; exit 1'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A changelog's text and where it was found; `releases` has the package version of releases that it says so of."""

    text: str
    where: str
    releases: Mapping[str, str] = field(default_factory=dict)


async def from_file(path: Path, data: bytes) -> Found:
    """The changelog in a file: plain or gzip, a .deb, an .rpm. `data` is its beginning, or all of it.

    Raises InputError for a file with none in it, CouldNotAct when a package cannot be unpacked here.
    """
    if data.startswith(b"!<arch>\n"):
        return await _from_deb(path)
    if data.startswith(b"\xed\xab\xee\xdb"):
        said = await _run(["rpm", "-qp", "--changelog", str(path)], needs="rpm")
        return Found(text=said.decode("utf-8", errors="replace"), where=str(path))
    return Found(text=text_of(data, str(path)), where=str(path))


async def installed(release: str) -> Found | None:
    """The changelog that came with an installed kernel, by its release or its package's name; None when there is none."""
    if not _RELEASE.fullmatch(release):
        return None
    for package in (f"linux-image-{release}", f"linux-image-unsigned-{release}", f"linux-headers-{release}"):
        for name in _NAMES:
            path = _DOCS / package / name
            if path.is_file():
                data = await asyncio.to_thread(path.read_bytes)
                version = await version_of(release)
                return Found(
                    text=text_of(data, str(path)),
                    where=str(path),
                    releases={release: version} if version else {},
                )
    return None


async def on_host(place: Vantage, release: str) -> Found | None:
    """The changelog that came with a kernel installed on a host; None when it is not there or cannot be had."""
    if not _RELEASE.fullmatch(release):
        return None
    command = Command(
        name="kernel.changelog", argv=("sh", "-c", _ON_HOST, "sh", release), timeout=60.0, limit=MOST_BYTES
    )
    (output,) = await place.run([command])
    if not output.ok or output.truncated or not output.stdout:
        return None
    return Found(text=output.stdout, where=f"{place.name}:{_DOCS}/linux-image-{release}")


async def downloaded(release: str) -> Found:
    """The changelog in the package of a release, fetched by apt into a directory that is gone afterwards.

    Raises CouldNotAct when apt does not have it, InputError for a name that is none.
    """
    if not _RELEASE.fullmatch(release):
        raise InputError(f"{release[:80]!r} is no release of a kernel", hint="6.1.0-56-cloud-amd64 is one")
    with tempfile.TemporaryDirectory(prefix="seatrial-") as folder:
        # apt-get download writes where it is, so the shell only changes the directory.
        argv = [
            "sh",
            "-c",
            'cd "$1" && exec apt-get -q download "$2"',
            "sh",
            folder,
            f"linux-image-{release}",
        ]
        await _run(argv, needs="apt")
        (package,) = sorted(Path(folder).glob("*.deb"))[:1]
        found = await _from_deb(package)
        return Found(text=found.text, where=package.name, releases=found.releases)


async def version_of(release: str) -> str:
    """The version of the package of a release, by dpkg or else by apt on this machine; "" when neither knows it."""
    if not _RELEASE.fullmatch(release):
        return ""
    for argv in (
        ["dpkg-query", "-W", "-f", "${Version}\n", f"linux-image-{release}"],
        ["apt-cache", "show", "--no-all-versions", f"linux-image-{release}"],
    ):
        try:
            ended = await process.run(argv, timeout=30.0)
        except (FileNotFoundError, PermissionError):
            continue
        said = ended.stdout.decode("utf-8", errors="replace")
        if ended.status == 0 and (version := re.search(r"^(?:Version: +)?(\d\S*)$", said, re.MULTILINE)):
            return version[1]
    return ""


async def _from_deb(path: Path) -> Found:
    named = (await _run(["dpkg-deb", "-f", str(path), "Package", "Version"], needs="dpkg")).decode(
        errors="replace"
    )
    fields = dict(line.partition(": ")[::2] for line in named.splitlines())
    data = await _run(["sh", "-c", _IN_DEB, "sh", str(path)], needs="tar")
    if not data:
        raise InputError(
            f"{path}: has no changelog in it",
            hint="give the .deb of linux-image-RELEASE, linux-libc-dev or linux-doc",
        )
    image = _IMAGE.fullmatch(fields.get("Package", ""))
    releases = {image[1]: fields.get("Version", "")} if image else {}
    return Found(text=text_of(data, str(path)), where=str(path), releases=releases)


async def _run(argv: list[str], *, needs: str) -> bytes:
    try:
        ended = await process.run(argv, timeout=_UNPACK, limit=MOST_BYTES)
    except (FileNotFoundError, PermissionError):
        raise CouldNotAct(
            f"{argv[0]} cannot be run here, and the package is read by it",
            hint=f"apt install {needs}, or give the changelog as a text file",
        ) from None
    if ended.status != 0 and not ended.stdout:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        raise CouldNotAct(
            f"{argv[0]} did not read the package: {said[-1][:200] if said else ended.status}",
            hint=f"by hand: {ended.paste[:300]}",
        )
    return ended.stdout


def text_of(data: bytes, where: str) -> str:
    """Plain or gzip (of several members too), never more than a changelog may have."""
    if data.startswith(b"\x1f\x8b"):
        data = _unzipped(data, where)
    if len(data) > MOST_BYTES:
        raise InputError(f"{where}: has more than {MOST_BYTES:,} bytes", hint="that is no changelog")
    return data.decode("utf-8", errors="replace")


def _unzipped(data: bytes, where: str) -> bytes:
    parts: list[bytes] = []
    room = MOST_BYTES
    try:
        while data.startswith(b"\x1f\x8b") and room > 0:
            member = zlib.decompressobj(wbits=31)
            parts.append(member.decompress(data, room + 1))
            room -= len(parts[-1])
            if not member.eof:
                break
            data = member.unused_data
    except zlib.error as problem:
        raise InputError(f"{where}: is no whole gzip file: {problem}", hint="fetch it again") from None
    if room < 0:
        raise InputError(
            f"{where}: has more than {MOST_BYTES:,} bytes when it is unpacked", hint="that is no changelog"
        )
    return b"".join(parts)


def nowhere(release: str) -> NotKnown:
    """The error for a changelog that is nowhere at hand."""
    return NotKnown(
        f"no changelog of {release} is on this machine",
        hint="give one: --changelog FILE (changelog.gz, a .deb, `rpm -q --changelog` as text), or let apt fetch the"
        " package of NEW: --download",
    )
