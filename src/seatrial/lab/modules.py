"""One module of a Debian kernel, built from its source here. What is in: fetching headers and source from the archive,
applying patches, building. What is not: which source is good, and putting the module on a host.

Nothing is installed on this machine: everything is unpacked where the caller says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from seatrial.errors import InputError, LabError
from seatrial.vantage import process

_SERIES = re.compile(r"(\d+\.\d+)\.\d+-\d+")
# A flavour of amd64 shares its headers with the others of one ABI: 6.1.0-56-common.
_FLAVOUR = re.compile(r"-(?:cloud-|rt-)?amd64$")
_LIMIT = 600.0


def series_of(release: str) -> str:
    """6.1 of 6.1.0-56-cloud-amd64. Raises LabError for what is no release of such a kernel."""
    found = _SERIES.match(release)
    if found is None or not _FLAVOUR.search(release):
        raise LabError(
            f"{release} is not a release whose headers can be found", hint="6.1.0-56-cloud-amd64 is one"
        )
    return found[1]


async def fetch_headers(release: str, work: Path) -> Path:
    """Download and unpack what modules of a kernel are built against; the directory that make wants. Raises LabError."""
    series = series_of(release)
    common = _FLAVOUR.sub("-common", release)
    await _unpack(work, [f"linux-headers-{release}", f"linux-headers-{common}", f"linux-kbuild-{series}"])
    headers = work / "usr/src" / f"linux-headers-{release}"
    # The packages think that they are installed in /usr/src.
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{work}/usr/src/"))
    return headers


async def fetch_source(release: str, work: Path, module: str) -> Path:
    """Download the newest source of a kernel's series and take out what a module is made of: a tree with that only.

    `module` is its path in the tree without a suffix: drivers/net/vrf for vrf.c, or a directory with a Makefile.
    """
    series = series_of(release)
    await _unpack(work, [f"linux-source-{series}"])
    tarball = work / "usr/src" / f"linux-source-{series}.tar.xz"
    root = f"linux-source-{series}"
    for wanted in (f"{root}/{module}.c", f"{root}/{module}"):
        ended = await _ended(["tar", "-C", str(work), "-xf", str(tarball), wanted])
        if ended.status == 0:
            return work / root
    raise InputError(
        f"the source of {series} has neither {module}.c nor a directory {module}",
        hint="give the path in the kernel's tree without a suffix: --module drivers/net/vrf",
    )


async def apply(patches: Sequence[Path], tree: Path, module: str) -> None:
    """Apply patches to a tree that has only this module; what they do elsewhere is passed over. Raises InputError."""
    for patch in patches:
        argv = ["git", "-C", str(tree), "apply", f"--include={module}.c", f"--include={module}/*", str(patch)]
        ended = await _ended(argv)
        if ended.status != 0:
            said = ended.stderr.decode(errors="replace").strip()[-300:]
            raise InputError(
                f"{patch.name} does not apply to {module}: {said}",
                hint="patches are applied in the order of their names, to the source that the archive has",
            )


async def build(headers: Path, release: str, tree: Path, module: str) -> Path:
    """Build one module of a tree against a kernel's headers. Raises LabError with what the compiler said."""
    single = tree / f"{module}.c"
    folder = single.parent if single.is_file() else tree / module
    name = Path(module).name
    if single.is_file():
        (folder / "Makefile").write_text(f"obj-m := {name}.o\n")
    await _run(["make", "-C", str(headers), f"M={folder}", "modules"])
    built = folder / f"{name}.ko"
    if not built.is_file():
        raise LabError(
            f"make built no {name}.ko", hint="is the module a part of this kernel's configuration?"
        )
    # The module says for which kernel it is, in a string that the kernel compares when it loads it.
    if b"vermagic=" + release.encode() + b" " not in built.read_bytes():
        raise LabError(
            f"the module that was built is not for {release}", hint="apt-get update, and build it again"
        )
    return built


async def _unpack(work: Path, packages: Sequence[str]) -> None:
    # apt-get download writes where it is, so the shell only changes the directory.
    await _run(["sh", "-c", 'cd "$1" && shift && exec apt-get -q download "$@"', "sh", str(work), *packages])
    for package in sorted(work.glob("*.deb")):
        await _run(["dpkg-deb", "-x", str(package), str(work)])
        package.unlink()


async def _run(argv: list[str]) -> None:
    ended = await _ended(argv)
    if ended.status != 0:
        said = ended.stderr.decode(errors="replace").strip()[-400:]
        raise LabError(
            f"a module could not be built: {argv[0]} ended with {ended.status}: {said}",
            hint="apt install build-essential; apt-get update; by hand: " + ended.paste[:300],
        )


async def _ended(argv: list[str]) -> process.Finished:
    try:
        return await process.run(argv, timeout=_LIMIT)
    except FileNotFoundError:
        raise LabError(
            f"{argv[0]} is not installed", hint="apt install build-essential xz-utils git"
        ) from None
