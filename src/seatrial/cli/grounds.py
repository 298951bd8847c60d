"""Where a search for the first bad version takes place: from what was typed to plain data, and from that to a ground.

The data stand in the search's first Event, so that another process can go on with it. What is not in: the search.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from cyclopts import Parameter

from seatrial.bisect.course import Version
from seatrial.cli.lab import Shown, Topology, lab_fleet, lab_up, topology_fleet
from seatrial.cli.options import Database, fleet, journal
from seatrial.engine.bisecting.asked import Asked, CommandAsked, FleetAsked, in_the_lab, places_of
from seatrial.engine.bisecting.ground import Ground
from seatrial.engine.bisecting.guest import Guest
from seatrial.engine.bisecting.kernels import LabKernels
from seatrial.engine.bisecting.module import BASE, Bench, LabModule, series
from seatrial.engine.bisecting.simulated import Simulated, SimulatedKernels
from seatrial.engine.controller import state_of
from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.kernels.packages import KernelPackage, between
from seatrial.lab import kernels
from seatrial.lab.lab import TOPOLOGIES, Lab
from seatrial.lab.topology import Topology as LabTopology
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What is asked of each kernel."""

    file: Annotated[
        Path | None, Parameter(name=["--fleet", "-f"], help="a fleet file [default: the lab's own]")
    ] = None
    flow: Annotated[tuple[str, ...], Parameter(negative="", help="only these flows")] = ()
    check: Annotated[tuple[str, ...], Parameter(negative="", help="only these checks")] = ()
    rollout: Annotated[str | None, Parameter(help="what failed in this rollout, such as r1")] = None
    test: Annotated[
        str | None,
        Parameter(help="a command instead: 0 good, 125 cannot be tried, else up to 127 bad (git bisect run)"),
    ] = None
    on_host: Annotated[bool, Parameter(negative="", help="run --test on the host and not here")] = False
    test_timeout: Annotated[float, Parameter(help="seconds for --test")] = 120.0


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where the kernels come from, and where they run."""

    debs: Annotated[
        Path | None, Parameter(help="a folder of linux-image-*.deb files [default: the archive]")
    ] = None
    topology: Annotated[
        Topology | None, Parameter(help="what is booted [default: the smallest that has what is asked]")
    ] = None
    lab: Annotated[
        str | None, Parameter(help="a lab that is up [default: one of its own, for as long as it takes]")
    ] = None
    host: Annotated[
        str | None, Parameter(help="whose kernel it is about [default: the first of the lab]")
    ] = None
    module: Annotated[
        str | None,
        Parameter(help="search the patches of one module instead, by its path in the tree: drivers/net/vrf"),
    ] = None
    patches: Annotated[
        Path | None, Parameter(help="of --module: a folder with the commits, as git format-patch writes them")
    ] = None
    kernel: Annotated[
        str | None, Parameter(help="of --module: the kernel it is built for [default: the lab's candidate]")
    ] = None
    stand_in: Annotated[
        str | None, Parameter(help="to try it out: from this kernel on, the lab drops translated answers")
    ] = None
    stand_in_flaky: Annotated[
        float, Parameter(help="the share of boots in which the stand-in is wrong, either way")
    ] = 0.0
    rehearse: Annotated[
        bool, Parameter(negative="", help="boot nothing: answers are made up, as --stand-in says")
    ] = False
    will_not_boot: Annotated[
        tuple[str, ...], Parameter(negative="", help="of a rehearsal: kernels that will not boot")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that a search begins with."""

    versions: tuple[Version, ...]
    asked: str
    ground: Mapping[str, Any]


async def prepare(
    good: str | None, bad: str | None, what: What, where: Where, database: Database
) -> Prepared:
    """Read and check everything that was typed, before anything is booted. Raises InputError or LabError."""
    if where.module:
        return _module(good, what, where, database)
    if where.patches or where.kernel:
        raise InputError("--patches and --kernel are about --module", hint="add --module drivers/net/vrf")
    if good is None or bad is None:
        raise InputError("which kernels?", hint="seatrial bisect GOOD BAD, or --resume b1")
    packages = await _packages(good, bad, where)
    versions = tuple(Version(name=one.release, says=f"{one.package} {one.version}") for one in packages)
    names = [version.name for version in versions]
    for option, given in (("--stand-in", [where.stand_in] if where.stand_in else []), ("--will-not-boot", [*where.will_not_boot])):  # fmt: skip
        for name in given:
            if name not in names:
                raise InputError(
                    f"{option} {name} is none of the kernels", hint=f"they are: {', '.join(names)}"
                )
    if not 0 <= where.stand_in_flaky < 0.5:
        raise InputError(
            f"--stand-in-flaky {where.stand_in_flaky} is not a share below a half", hint="such as 0.2"
        )
    ground: dict[str, Any] = {
        "kind": "kernels",
        "packages": [asdict(one) for one in packages],
        "folder": str(where.debs.absolute()) if where.debs else None,
        "lab": where.lab,
        "stand_in": {"from": where.stand_in, "flaky": where.stand_in_flaky} if where.stand_in else None,
    }
    if where.rehearse:
        return Prepared(versions=versions, **_rehearsal(where, ground))
    if where.will_not_boot:
        raise InputError("--will-not-boot is for a rehearsal", hint="add --rehearse")
    asked, fleet_text = _asked(what, database)
    topology, host = _place(what, where, asked, fleet_text)
    ground |= {"topology": topology, "host": host, "fleet": fleet_text, **asked}
    return Prepared(versions=versions, asked=_says(ground), ground=ground)


def _module(good: str | None, what: What, where: Where, database: Database) -> Prepared:
    """The versions are the patches of a module, in their order, on top of the source that the archive has."""
    if good is not None or where.debs or where.stand_in or where.rehearse:
        raise InputError(
            "--module searches patches for one kernel",
            hint="leave out GOOD and BAD, --debs, --stand-in and --rehearse",
        )
    if where.patches is None:
        raise InputError(
            "a module is searched commit by commit, and source packages have no commits between them",
            hint=f"git format-patch GOOD..BAD -o FOLDER -- {where.module}.c in a tree of the kernel, then --patches FOLDER",
        )
    patches = series(where.patches)
    asked, fleet_text = _asked(what, database)
    topology, host = _place(what, where, asked, fleet_text)
    ground = {
        "kind": "module",
        "module": where.module,
        "patches": [str(path.absolute()) for path in patches],
        "kernel": where.kernel,
        "lab": where.lab,
        "stand_in": None,
        "packages": [],
        "topology": topology,
        "host": host,
        "fleet": fleet_text,
        **asked,
    }
    versions = (Version(name=BASE), *(Version(name=path.name) for path in patches))
    return Prepared(versions=versions, asked=_says(ground), ground=ground)


def _rehearsal(where: Where, ground: Mapping[str, Any]) -> dict[str, Any]:
    if not where.stand_in:
        raise InputError("a rehearsal needs a fault", hint="--stand-in RELEASE: the first that is to fail")
    simulated = Simulated(
        first_bad=where.stand_in, flaky=where.stand_in_flaky, dead=where.will_not_boot, seed=1
    )
    asked = f"made up: {where.stand_in} and later fail, {where.stand_in_flaky:.0%} of answers are wrong"
    return {"asked": asked, "ground": {**ground, "kind": "simulated", "simulated": asdict(simulated)}}


async def _packages(good: str, bad: str, where: Where) -> tuple[KernelPackage, ...]:
    if where.debs:
        return between(kernels.in_folder(where.debs), good, bad, where=str(where.debs))
    known = KernelPackage(
        package=good if good.startswith("linux-image-") else f"linux-image-{good}", version=""
    )
    if not known.flavour:
        raise InputError(
            f"{good!r} is not the name of a kernel", hint="as `uname -r` says it: 6.1.0-47-cloud-amd64"
        )
    return between(await kernels.offered(known.flavour), good, bad, where="the archive")


def _asked(what: What, database: Database) -> tuple[dict[str, Any], str | None]:
    """What is asked, as plain data, and the operator's fleet where there is one."""
    if what.test is not None:
        if what.flow or what.check or what.rollout or what.file:
            raise InputError("--test takes the place of flows and checks", hint="leave out one of the two")
        argv = shlex.split(what.test)
        if not argv:
            raise InputError("--test is empty", hint="such as --test './works.sh 192.0.2.1'")
        return {"command": argv, "on_host": what.on_host, "timeout": what.test_timeout}, None
    if what.on_host:
        raise InputError("--on-host is about --test", hint="give --test 'PROGRAM ...'")
    if what.rollout:
        return _failed_in(what, database)
    text = fleet(what.file)[1] if what.file else None
    return {"flows": list(what.flow), "checks": list(what.check)}, text


def _failed_in(what: What, database: Database) -> tuple[dict[str, Any], str]:
    """The flows and checks that failed on the candidate of a rollout, and its fleet."""
    assert what.rollout is not None
    state = state_of(journal(database), what.rollout)
    failed = {
        result["check"]
        for trial in state.trials.values()
        for purpose, told in trial.rounds.items()
        if purpose in ("exercise", "soak")
        for result in told.results
        if result["outcome"] == Outcome.FAIL
    }
    declared = parse(state.fleet, filename=f"the fleet of {what.rollout}")
    flows = [name for name in declared.flows if name in failed and (not what.flow or name in what.flow)]
    checks = [name for name in declared.checks if name in failed and (not what.check or name in what.check)]
    if not flows and not checks:
        raise InputError(
            f"no flow and no check failed on a candidate in {what.rollout}",
            hint=f"read it: seatrial report {what.rollout}; name them with --flow or --check",
        )
    return {"flows": flows, "checks": checks}, state.fleet


def _place(what: What, where: Where, asked: Mapping[str, Any], fleet_text: str | None) -> tuple[str, str]:
    """The topology that has every place that is asked, and the host whose kernel is changed."""
    if where.lab:
        topology = Lab.attach(where.lab).topology
        names = [topology.name]
    else:
        names = [where.topology] if where.topology else ["gateway-staging", *TOPOLOGIES]
    for name in names:
        laid = TOPOLOGIES[name]()
        hosts = [host.name for host in laid.hosts]
        places = {*hosts, *(endpoint.name for endpoint in laid.endpoints)}
        if _has(laid, asked, fleet_text, places) and (where.host is None or where.host in hosts):
            return name, where.host or _carrier(asked, fleet_text, hosts)
    own = parse(topology_fleet(TOPOLOGIES[names[-1]](), _nowhere), filename="the lab's fleet")
    known = parse(fleet_text, filename="the fleet") if fleet_text else own
    flows, checks = _chosen(known, asked) if "flows" in asked else ((), ())
    need = places_of(known, flows, checks) | ({where.host} if where.host else set())
    raise InputError(
        f"no topology of the lab has {', '.join(sorted(need))} together",
        hint=f"topologies are {', '.join(TOPOLOGIES)}; docs/lab.md says what is in them",
    )


def _nowhere(_: str) -> Mapping[str, object]:
    """How a place is reached while nobody is to be asked."""
    return {"simulated": True}


def _has(laid: LabTopology, asked: Mapping[str, Any], fleet_text: str | None, places: set[str]) -> bool:
    """Whether a topology has what is asked: the places of the operator's fleet, or the flows and checks by name."""
    if "command" in asked:
        return True
    if fleet_text is not None:
        declared = parse(fleet_text, filename="the fleet")
        return places_of(declared, *_chosen(declared, asked)) <= places
    own = parse(topology_fleet(laid, _nowhere), filename="the lab's fleet")
    return {*asked["flows"], *asked["checks"]} <= {*own.flows, *own.checks}


def _carrier(asked: Mapping[str, Any], fleet_text: str | None, hosts: list[str]) -> str:
    """The host that the first flow is carried by, else the first there is."""
    if fleet_text is not None and "flows" in asked:
        declared = parse(fleet_text, filename="the fleet")
        for name in _chosen(declared, asked)[0]:
            if declared.flows[name].by in hosts:
                return declared.flows[name].by
    return hosts[0]


def _chosen(declared: Fleet, asked: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The flows and checks that are meant: those that are named, else all. Raises InputError for an unknown name."""
    for what, names, known in (
        ("flow", asked["flows"], declared.flows),
        ("check", asked["checks"], declared.checks),
    ):
        for name in names:
            if name not in known:
                raise InputError(
                    f"there is no {what} {name!r}", hint=f"there are: {', '.join(sorted(known))}"
                )
    if asked["flows"] or asked["checks"]:
        return tuple(asked["flows"]), tuple(asked["checks"])
    return tuple(declared.flows), tuple(declared.checks)


def _says(ground: Mapping[str, Any]) -> str:
    made_up = f"; the fault is a stand-in, from {fault['from']} on" if (fault := ground["stand_in"]) else ""
    if "command" in ground:
        told = CommandAsked(
            argv=tuple(ground["command"]), on_host=ground["on_host"], timeout=ground["timeout"]
        )
        return told.says + made_up
    names = [*ground["flows"], *ground["checks"]]
    return f"seatrial check of {', '.join(names) if names else 'every flow and check'}{made_up}"


@asynccontextmanager
async def opened(ground: Mapping[str, Any], name: str, shown: Shown) -> AsyncIterator[Ground]:
    """The ground of a search, for as long as it is needed: its lab is taken down unless it was there before."""
    packages = {one.release: one for one in (KernelPackage(**each) for each in ground["packages"])}
    if ground["kind"] == "simulated":
        told = ground["simulated"]
        yield SimulatedKernels(tuple(packages), Simulated(**{**told, "dead": tuple(told["dead"])}))
        return
    own = ground["lab"] is None
    lab = (
        await lab_up(f"bisect-{name}", ground["topology"], quiet=shown.quiet, owner_pid=os.getpid())
        if own
        else Lab.attach(ground["lab"])
    )
    try:
        guest = Guest(lab, ground["host"])
        if (fault := ground["stand_in"]) is not None:
            names = list(packages)
            bad = names[names.index(fault["from"]) :]
            await lab.apply_from(bad, flaky=fault["flaky"], progress=shown, host=guest.host)
        asked = _asker(ground, lab)
        if ground["kind"] == "module":
            async with _opened_module(ground, guest, asked, shown) as module:
                yield module
        else:
            folder = Path(ground["folder"]) if ground["folder"] else None
            yield LabKernels(guest, packages, asked, folder=folder, progress=shown)
    finally:
        if own:
            await lab.down()


@asynccontextmanager
async def _opened_module(
    ground: Mapping[str, Any], guest: Guest, asked: Asked, shown: Shown
) -> AsyncIterator[LabModule]:
    release = ground["kernel"] or guest.lab.kernels.candidate
    there = await kernels.on_guest(guest.lab, guest.host)
    if release not in there:
        raise InputError(
            f"{guest.host} has no kernel {release}", hint=f"--kernel takes one of: {', '.join(there)}"
        )
    patches = [Path(path) for path in ground["patches"]]
    with TemporaryDirectory(prefix="seatrial-module-") as scratch:
        work = Path(scratch)
        bench = await Bench.set_up(release, ground["module"], work, shown)
        # Patches that do not apply are known before the first boot.
        await bench.check(patches, work / "all")
        module = LabModule(guest, bench, patches, asked, work, shown)
        try:
            yield module
        finally:
            if ground["lab"] is not None:
                await module.put_back()


def declared_of(ground: Mapping[str, Any]) -> Fleet:
    """The fleet that a search asks of: the operator's, else the lab's own, of which nobody is reached here."""
    text = ground["fleet"] or topology_fleet(TOPOLOGIES[ground["topology"]](), _nowhere)
    return parse(text, filename="the fleet")


def _asker(ground: Mapping[str, Any], lab: Lab) -> Asked:
    if "command" in ground:
        return CommandAsked(
            argv=tuple(ground["command"]), on_host=ground["on_host"], timeout=ground["timeout"]
        )
    own = parse(lab_fleet(lab), filename="the lab's fleet")
    declared = parse(ground["fleet"], filename="the fleet") if ground["fleet"] else own
    flows, checks = _chosen(declared, ground)
    if declared is not own:
        declared = in_the_lab(declared, own, places_of(declared, flows, checks))
    return FleetAsked(fleet=declared, flows=flows, checks=checks)
