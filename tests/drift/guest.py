"""A guest for the cases of cases.py: bringing it up, giving it packages and certificates, one round of cases, what came of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.clock import SystemClock, monotonic
from seatrial.drift.audit import across
from seatrial.drift.facts import Facts
from seatrial.errors import LabError
from seatrial.fleetfile import parse
from seatrial.lab import image
from seatrial.lab.fleet import fleet_text
from seatrial.lab.lab import TOPOLOGIES, Lab
from seatrial.lab.qmp import Qmp
from seatrial.model.finding import Audit, Finding
from seatrial.perform.drifting import Drift, audit, facts_of
from seatrial.perform.world import World, open_world
from tests.drift.cases import Case
from tests.drift.made import make

HOST, TOPOLOGY = "gw-s1", "gateway-staging"
# Unpacked into the guest, whose image stays as it is: nothing of them is set up or started.
UNPACKED = (
    "stunnel4", "smartmontools", "libstdc++6", "libgcc-s1", "mdadm", "kexec-tools", "libxenmisc4.17", "libxentoollog1", "libxentoolcore1",
    "libxencall1", "libxenstore4", "libxenevtchn1", "libxenforeignmemory1", "libxengnttab1", "libxenhypfs1", "libxendevicemodel1", "libyajl2",
    "liblzma5", "iptables", "libip4tc2", "libip6tc2", "libxtables12", "libnetfilter-conntrack3", "libnfnetlink0", "libmnl0", "ethtool",
)  # fmt: skip
INSTALLED = ("etcd-server",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one case: which finding told it, what was run, and whether it was found no more."""

    case: Case
    found: Finding
    ran: str
    how: str
    gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of cases that were put together: those that were not found, what was found besides, and what was left."""

    rows: tuple[Row, ...]
    missed: tuple[str, ...]
    besides: tuple[str, ...]
    left: tuple[str, ...]


def words(name: str, what: str, because: str) -> str:
    """A finding in a line that says enough to know it by."""
    return f"{name} {what}: {because}"


@asynccontextmanager
async def guest(name: str) -> AsyncIterator[Lab]:
    """A lab of one guest, which dies with this process, whatever ends that."""
    lab = await Lab.up(name, TOPOLOGY, progress=lambda step, part: print(step), owner_pid=os.getpid())
    try:
        yield lab
    finally:
        await lab.down()


def world_of(lab: Lab) -> World:
    """The world of the lab's own fleet file, with what that accepts; its vantages are not asked, as an audit is about hosts."""
    text = fleet_text(
        TOPOLOGIES[TOPOLOGY](),
        lambda place: (
            {"ssh": place, "ssh_config": str(lab.ssh_config)} if place == HOST else {"simulated": True}
        ),
        checks=False,
    )
    fleet = parse(text, filename="the lab's fleet")
    host = fleet.hosts[HOST].model_copy(update={"console": str(lab.home / HOST / "console.log")})
    hosts = {HOST: host}
    return open_world(fleet.model_copy(update={"hosts": hosts, "vantages": {}, "flows": {}}))


async def audited(lab: Lab, tries: int = 8) -> Audit:
    """The audit of the guest, which on a busy machine does not answer each time it is asked."""
    return (await _asked(lab, tries)).audits[HOST]


async def _asked(lab: Lab, tries: int = 8) -> Drift:
    for left in reversed(range(tries)):
        world = world_of(lab)
        try:
            one = await audit(world, (HOST,))
        finally:
            await world.close()
        if not left or not any(missing.name == "host" for missing in one.audits[HOST].unknown):
            break
        await SystemClock().sleep(5)
    return one


async def described(lab: Lab) -> Facts:
    """The facts of the guest."""
    for _ in range(8):
        world = world_of(lab)
        try:
            facts = (await facts_of(world, (HOST,)))[HOST]
        finally:
            await world.close()
        if isinstance(facts, Facts):
            break
        await SystemClock().sleep(5)
    assert isinstance(facts, Facts), facts
    return facts


async def beside(lab: Lab, peer: Facts) -> Audit:
    """The audit of the guest as one of a pair, whose other host says what `peer` is."""
    alone = await _asked(lab)
    return across(alone.audits, {"peer": peer, **alone.facts}, {"pair": ("peer", HOST)})[HOST]


def filled(lab: Lab, text: str) -> str:
    """The kernels and menu entries of this lab in a case's words."""
    base = image.cached()
    assert base is not None
    told: Mapping[str, str] = {
        "{candidate_release}": lab.kernels.candidate,
        "{good_release}": lab.kernels.good,
        "{candidate}": base.menu_id(lab.kernels.candidate),
    }
    for word, value in told.items():
        text = text.replace(word, value)
    return text


# What ssh says of a login that came to nothing, so that nothing was run: a reload or restart of sshd is over in a moment.
_NOT_LOGGED_IN = ("kex_exchange_identification", "Connection refused", "banner exchange")


async def run(lab: Lab, script: str) -> str:
    """Run a script in the guest, as root, the way somebody pastes it. Raises LabError when it does not end well."""
    for _ in range(15):
        try:
            return await lab.ssh(HOST, ["sh", "-ec", script], timeout=900)
        except LabError as error:
            if not any(words in error.message for words in _NOT_LOGGED_IN):
                raise
        await SystemClock().sleep(2)
    return await lab.ssh(HOST, ["sh", "-ec", script], timeout=900)


async def rebooted(lab: Lab, release: str = "") -> None:
    """Boot the guest anew, once into another kernel if one is named."""
    since = monotonic()
    if release:
        await lab.boot_once(HOST, release)
    else:
        await lab.ssh(HOST, ["systemctl", "reboot"])
    await lab.wait_for_boot(HOST, since=since)


async def disk_warns(lab: Lab, critical: int) -> None:
    """Let the guest's disk give a critical warning (a bit of NVMe's own), or none with 0."""
    async with Qmp(lab.home / HOST / "qmp") as qmp:
        await qmp.ask(
            "qom-set", path="/machine/peripheral/nvme0", property="smart_critical_warning", value=critical
        )


def _fetched(folder: Path) -> list[Path]:
    argv = ["apt-get", "-q", "download", *UNPACKED, *INSTALLED]
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return sorted(folder.glob("*.deb"))


def _files_of(package: Path) -> bytes:
    return subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout


async def supplied(lab: Lab) -> None:
    """Packages and certificates for the further cases, fetched by the ordinary client and put into this guest only."""
    # What the image has already stays, since a library that is written anew is one that was replaced under its services.
    unpack = ["tar", "-C", "/", "-x", "--keep-directory-symlink", "--skip-old-files"]
    unpack += [f"--exclude=./{path}" for path in ("usr/share/doc", "usr/share/man", "lib/systemd", "etc")]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for package in _fetched(folder):
            if package.name.startswith(tuple(f"{one}_" for one in INSTALLED)):
                await lab.ssh(
                    HOST, ["sh", "-ec", "cat >/root/package.deb"], stdin=package.read_bytes(), timeout=300
                )
                await run(lab, "dpkg -i /root/package.deb 2>&1; rm /root/package.deb")
                # Its script enables it, and nothing may start in this image; the cases that want it do so themselves.
                await run(lab, "systemctl disable -q etcd.service")
            else:
                await lab.ssh(HOST, unpack, stdin=_files_of(package), timeout=300)
        for version in ("1.0", "1.1"):
            made = example(folder, version)
            await lab.ssh(HOST, ["sh", "-ec", f"cat >/root/{made.name}"], stdin=made.read_bytes())
    # iptables is a link that its package's own script makes.
    await run(
        lab,
        "ln -sf /usr/sbin/xtables-nft-multi /usr/sbin/iptables; ln -sf /usr/sbin/xtables-nft-multi /usr/sbin/iptables-save; ln -sf /usr/sbin/xtables-nft-multi /usr/sbin/iptables-restore; ldconfig",
    )
    old, new = make("old authority", ca=True), make("new authority", ca=True)
    here = ("127.0.0.1",)
    pki = {
        "ca-old": old,
        "ca-new": new,
        "server-old": make("etcd.example.test", by=old, addresses=here),
        "server-new": make("etcd.example.test", by=new, addresses=here),
        "server-again": make("etcd.example.test", by=old, addresses=here),
        "server-over": make("web.example.test", by=old, days=-2, addresses=here),
        # etcd's own proxy ends at once where its client's certificate has a common name.
        "client-old": make("client", by=old, common=False),
        "client-new": make("client", by=new, common=False),
    }
    await run(lab, "mkdir -p /root/pki")
    for file, made_for in pki.items():
        await lab.ssh(HOST, ["sh", "-c", f"cat >/root/pki/{file}.pem"], stdin=made_for.pem.encode())
        await lab.ssh(HOST, ["sh", "-c", f"cat >/root/pki/{file}.key"], stdin=made_for.key.encode())


def example(folder: Path, version: str) -> Path:
    """A package of no files, in one version or another."""
    root = folder / f"example-{version}"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: seatrial-example\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.test>\nDescription: a package of no files\n"
    )
    target = folder / f"seatrial-example_{version}_all.deb"
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", root, target], check=True, capture_output=True)
    return target


def _is(found: Finding, name: str, what: str) -> bool:
    return found.name == name and (found.what == what or fnmatchcase(found.what, what))


async def _tried(lab: Lab, case: Case, script: str) -> list[str]:
    """Run a part of a case; what went wrong is told with the others, and does not end the run."""
    try:
        await run(lab, script)
    except LabError as error:
        return [f"{case.name}: {error.message}"]
    return []


async def round_of(lab: Lab, cases: Sequence[Case], peer: Facts | None = None) -> Round:
    """Put all cases, audit, run each fix, audit again. With `peer` the guest is one of a pair."""

    async def look() -> Audit:
        return await audited(lab) if peer is None else await beside(lab, peer)

    missed = []
    for case in cases:
        missed += await _tried(lab, case, filled(lab, case.put))
    broken = await look()
    assert broken.unknown == (), broken.unknown
    wanted = [(name, filled(lab, what)) for case in cases for name, what in (case.found, *case.beside)]
    rows = []
    for case in cases:
        name, what = case.found[0], filled(lab, case.found[1])
        found = next((one for one in broken.standing if _is(one, name, what)), None)
        if found is None:
            missed.append(f"{case.name}: {name} {what}")
            continue
        ran, how = (case.mend, "by hand") if case.mend else (found.fix, "fix")
        if case.instead:
            ran, how = found.instead, "instead"
        if ran == "reboot":
            await rebooted(lab)
        else:
            missed += await _tried(lab, case, ran)
        rows.append(Row(case=case, found=found, ran=ran, how=how, gone=True))
    mended = await look()
    still = [(one.name, one.what) for one in mended.standing]
    for case in cases:
        if case.clean:
            missed += await _tried(lab, case, case.clean)
    return Round(
        rows=tuple(replace(row, gone=(row.found.name, row.found.what) not in still) for row in rows),
        missed=tuple(missed),
        besides=tuple(
            words(one.name, one.what, one.because)
            for one in broken.standing
            if not any(_is(one, name, what) for name, what in wanted)
        ),
        left=tuple(words(one.name, one.what, one.because) for one in mended.standing),
    )
