"""`seatrial lab`: a platform of real kernels on this machine, for stories and for trying things."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from seatrial.cli.options import Json, console, print_json
from seatrial.errors import InputError
from seatrial.lab.fleet import fleet_text
from seatrial.lab.lab import Lab
from seatrial.lab.nfsload import nfs_load_fleet
from seatrial.lab.nfspair import nfs_pair_fleet
from seatrial.lab.nfsstory import nfs_story_fleet
from seatrial.lab.scenario import Scenario as Fault
from seatrial.lab.topology import Topology as LabTopology
from seatrial.model.text import safe
from seatrial.vantage import process

Name = Annotated[str, Parameter(help="the lab's name, for more than one at a time")]
Topology = Literal["gateway", "gateway-staging", "gateway-services", "nfs-load", "nfs-pair"]
Reach = Callable[[str], Mapping[str, object]]
Scenario = Literal["good", "gateway-2021", "dead-network", "panic", "load"]


def up(
    name: Name = "lab",
    /,
    *,
    topology: Annotated[Topology, Parameter(help="what is booted")] = "gateway",
    scenario: Annotated[Scenario, Parameter(help="what is wrong with the candidate kernel")] = "good",
    guard: Annotated[str, Parameter(help="the guard's deadline in its fleet file")] = "10m",
    json: Json = False,
) -> int:
    """Start a platform of real kernels and write a fleet file for it; it stays until `seatrial lab down`."""
    return asyncio.run(_up(name, topology, scenario, guard, json))


async def _up(name: str, topology: str, scenario: str, guard: str, as_json: bool) -> int:
    lab = await lab_up(name, topology, quiet=as_json, owner_pid=None)
    await prepare(lab, scenario, quiet=as_json)
    path = lab.home / "fleet.yaml"
    path.write_text(lab_fleet(lab, guard=guard), encoding="utf-8")
    if as_json:
        print_json({**_document(lab), "fleet": str(path)})
        return 0
    print(
        f"fleet     {path}\ncheck     seatrial check -f {path}\ntry       seatrial rollout start {lab.kernels.candidate} -f {path}"
    )
    print(
        f"login     seatrial lab ssh {next(iter(lab.hosts))} --lab {name}\nend       seatrial lab down {name}"
    )
    return 0


def down(name: Name = "lab", /, *, json: Json = False) -> int:
    """End a lab: no process, no namespace and no file of it stays, except the image that others share."""
    was_up = name in Lab.names()
    if not was_up:
        raise InputError(f"no lab {name} is up", hint=_known())
    asyncio.run(Lab.attach(name).down())
    if json:
        print_json({"lab": name, "up": False})
    else:
        print(f"{name} is down")
    return 0


def status(
    name: Annotated[str | None, Parameter(help="one lab only")] = None, /, *, json: Json = False
) -> int:
    """What runs, and where the time of each boot went."""
    labs = [Lab.attach(each) for each in ([name] if name else Lab.names())]
    if json:
        print_json({"labs": [_document(lab) for lab in labs]})
        return 0
    if not labs:
        print("no lab is up")
    for lab in labs:
        print(
            f"{lab.name}   {lab.accelerator.because}   good {lab.kernels.good}, candidate {lab.kernels.candidate}"
        )
        for host in lab.hosts:
            boots = "; ".join(str(timings) for timings in lab.boot_timings(host))
            print(f"  {host:<8} {boots}")
        print(f"  {', '.join(lab.endpoints)}")
    return 0


def ssh(host: Annotated[str, Parameter(help="one of the lab's hosts")], /, *, lab: Name = "lab") -> int:
    """Become a login shell on HOST of a lab."""
    here = Lab.attach(lab)
    _known_place(here, host, hosts_only=True)
    argv = here.ssh_argv(host)
    # The terminal belongs to ssh from here on; nothing of ours is left to do.
    process.become(argv)


def run(
    place: Annotated[str, Parameter(help="a host or an endpoint of the lab")],
    /,
    *command: Annotated[str, Parameter(allow_leading_hyphen=True, help="what to run there")],
    lab: Name = "lab",
    timeout: Annotated[float, Parameter(help="seconds")] = 60.0,
) -> int:
    """Run one COMMAND on a host or in an endpoint of a lab, and exit with its status (124 when it took too long)."""
    here = Lab.attach(lab)
    _known_place(here, place, hosts_only=False)
    if not command:
        raise InputError("which command?", hint=f"seatrial lab run {place} -- ip addr")
    argv = here.ssh_argv(place, command) if place in here.hosts else [*here.enter(place), *command]
    ended = asyncio.run(process.run(argv, timeout=timeout))
    os.write(1, ended.stdout)
    os.write(2, ended.stderr)
    return 124 if ended.status is None else ended.status


async def lab_up(name: str, topology: str = "gateway", *, quiet: bool, owner_pid: int | None) -> Lab:
    """Bring a lab up, showing people how far it is."""
    with Shown(console(), quiet=quiet) as shown:
        return await Lab.up(name, topology, progress=shown, owner_pid=owner_pid)


async def prepare(lab: Lab, scenario: str, *, quiet: bool) -> None:
    """Put what is wrong with the candidate onto the hosts."""
    with Shown(console(), quiet=quiet) as shown:
        await lab.apply(Fault(scenario), progress=shown)


def lab_fleet(lab: Lab, *, guard: str = "10m", story: bool = False) -> str:
    """The fleet file for a lab that is up; `story`: as a rollout sees it, where that is another one."""
    said = lab.status()

    def reach(place: str) -> dict[str, object]:
        if place in lab.hosts:
            return {"ssh": place, "ssh_config": str(lab.ssh_config)}
        endpoint = said.endpoints[place]
        return {"netns": endpoint.netns, **({"userns": endpoint.userns} if endpoint.userns else {})}

    return topology_fleet(lab.topology, reach, guard=guard, home=str(lab.home), story=story)


def topology_fleet(
    laid: LabTopology, reach: Reach, *, guard: str = "10m", home: str = "", story: bool = False
) -> str:
    """The fleet file for a topology; `reach` says how a place of it is reached, `story` as in `lab_fleet`."""
    if laid.name == "nfs-pair":
        return nfs_story_fleet(reach, guard=guard) if story else nfs_pair_fleet(reach)
    if laid.name == "nfs-load":
        return nfs_load_fleet(reach, guard=guard)
    return fleet_text(laid, reach, guard=guard, home=home)


class Shown:
    """Progress: a bar while something moves on a terminal, a line for each step that ended anywhere.

    With `quiet` nothing at all: a program reads the output.
    """

    def __init__(self, out: Console, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = out
        self._bar = Progress(
            TextColumn("lab          {task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=out,
            transient=True,
        )
        self._task: TaskID | None = None
        self._begun = ""

    def __enter__(self) -> Shown:
        if self._out.is_terminal and not self.quiet:
            self._bar.start()
            self._task = self._bar.add_task("starting", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bar.stop()

    def __call__(self, step: str, part: float | None) -> None:
        """Show a step; `part` is how much of it is done, None for a step that has just ended."""
        if self.quiet:
            return
        if part is None:
            self._out.print(f"lab          {safe(step)}", markup=False)
        elif self._task is not None:
            self._bar.update(self._task, description=safe(step), total=1.0, completed=part)
        elif step != self._begun:
            # Without a terminal nothing can move: a line when something long begins says that it is alive.
            self._begun = step
            self._out.print(f"lab          {safe(step)} ...", markup=False)


def _document(lab: Lab) -> dict[str, object]:
    said = lab.status()
    return {
        "lab": lab.name,
        "up": True,
        "accelerator": lab.accelerator.because,
        "good": lab.kernels.good,
        "candidate": lab.kernels.candidate,
        "ssh_config": str(lab.ssh_config),
        "hosts": {name: {"port": host.port, "running": host.running} for name, host in said.hosts.items()},
        "endpoints": {name: endpoint.netns for name, endpoint in said.endpoints.items()},
        "home": str(Path(lab.home)),
    }


def _known() -> str:
    names = Lab.names()
    return f"these are: {', '.join(names)}" if names else "start one with: seatrial lab up"


def _known_place(lab: Lab, place: str, *, hosts_only: bool) -> None:
    known = [*lab.hosts] if hosts_only else [*lab.hosts, *lab.endpoints]
    if place not in known:
        raise InputError(f"{place!r} is not in the lab {lab.name}", hint=f"there are: {', '.join(known)}")
