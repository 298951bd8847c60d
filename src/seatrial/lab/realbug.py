"""The real bug of 2021 in today's candidate: Debian's own vrf.c with the one call that was reverted put back.

The patch that upstream reverted in 55161e67d44f resets the conntrack entry of a packet that enters a VRF, so that the
answers to translated flows are not recognised. What is in: fetching the source and the headers that Debian offers for
the candidate, and building that one module against them. What is not: putting it on a host (scenario.py). Nothing is
installed on this machine; everything is unpacked in the cache.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from seatrial.errors import LabError
from seatrial.lab.image import Progress
from seatrial.lab.places import cache_home
from seatrial.vantage import process

MODULE = "drivers/net/vrf.ko"
_SERIES = re.compile(r"(\d+\.\d+)\.\d+-\d+")
_HOOK = "\tif (nf_hook(pf, hook, net, NULL, skb, dev, NULL, vrf_rcv_finish) != 1)"
_CALL = "\tnf_reset_ct(skb);\n\n"
_LIMIT = 600.0


async def build(release: str, progress: Progress) -> Path:
    """The bad vrf.ko for a kernel release, from the cache or built now. Raises LabError."""
    home = cache_home() / "modules" / release
    module = home / "vrf.ko"
    if module.is_file():
        return module
    home.mkdir(parents=True, exist_ok=True)
    work = home / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        progress("downloading the candidate's source and headers", 0.0)
        await _fetch(release, work)
        progress("building vrf.ko with the bug of 2021", 0.7)
        built = await _compile(release, work)
        built.replace(module)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress("vrf.ko built, cached from now on", None)
    return module


def patch(source: str) -> str:
    """vrf.c with the reverted call. Raises LabError when the source no longer looks as it did."""
    if source.count(_HOOK) != 1:
        raise LabError(
            "vrf.c of this kernel has changed: the place of the reverted call was not found",
            hint="use --scenario gateway-2021, which needs no module",
        )
    return source.replace(_HOOK, _CALL + _HOOK)


async def _fetch(release: str, work: Path) -> None:
    found = _SERIES.match(release)
    if found is None:
        raise LabError(f"{release} is not a release of a Debian kernel", hint="6.1.0-56-cloud-amd64 is one")
    series = found[1]
    common = release.removesuffix("-cloud-amd64") + "-common"
    packages = [
        f"linux-source-{series}",
        f"linux-headers-{release}",
        f"linux-headers-{common}",
        f"linux-kbuild-{series}",
    ]
    # apt-get download writes where it is, so the shell only changes the directory.
    await _run(["sh", "-c", 'cd "$1" && shift && exec apt-get -q download "$@"', "sh", str(work), *packages])
    for package in sorted(work.glob("*.deb")):
        await _run(["dpkg-deb", "-x", str(package), str(work)])
    tarball = work / "usr/src" / f"linux-source-{series}.tar.xz"
    wanted = f"linux-source-{series}/drivers/net/vrf.c"
    await _run(["tar", "-C", str(work), "-xf", str(tarball), wanted])
    module = work / "module"
    module.mkdir()
    (module / "vrf.c").write_text(patch((work / wanted).read_text()))
    (module / "Makefile").write_text("obj-m := vrf.o\n")


async def _compile(release: str, work: Path) -> Path:
    headers = work / "usr/src" / f"linux-headers-{release}"
    # The packages think that they are installed in /usr/src.
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{work}/usr/src/"))
    await _run(["make", "-C", str(headers), f"M={work / 'module'}", "modules"])
    built = work / "module" / "vrf.ko"
    # The module says for which kernel it is, in a string that the kernel compares when it loads it.
    if b"vermagic=" + release.encode() + b" " not in built.read_bytes():
        raise LabError(
            f"the module that was built is not for {release}", hint="apt-get update, and build it again"
        )
    return built


async def _run(argv: list[str]) -> None:
    try:
        ended = await process.run(argv, timeout=_LIMIT)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed", hint="apt install build-essential xz-utils") from None
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-400:]
        raise LabError(
            f"the module with the bug could not be built: {argv[0]} ended with {ended.status}: {said}",
            hint="apt install build-essential; apt-get update; by hand: " + ended.paste[:300],
        )
