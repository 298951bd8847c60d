"""What is asked of each version: flows and checks of a fleet, or a command of the operator's own.

What is in: asking once, and what the answer is for a search. What is not: booting.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from seatrial.checks import registry
from seatrial.engine.bisecting.guest import Guest
from seatrial.errors import InputError
from seatrial.model.fleet import Fleet
from seatrial.model.result import Outcome, Result
from seatrial.perform.probe import probe
from seatrial.perform.world import open_world
from seatrial.vantage import process

# What `git bisect run` takes these for: "skip this one", and "stop".
SKIP_STATUS, FIRST_STOP = 125, 128
_KEPT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The answer for one boot."""

    outcome: Outcome
    because: str
    results: tuple[Result, ...] = ()


class Asked(Protocol):
    """Something that can be asked of a running kernel."""

    @property
    def says(self) -> str:
        """What it is, for people and for a bug report."""
        ...

    async def ask(self, guest: Guest, release: str, *, login: bool) -> Said:
        """Ask once; `login` is whether anybody can log in to the guest."""
        ...


def places_of(fleet: Fleet, flows: Sequence[str], checks: Sequence[str]) -> set[str]:
    """The hosts and vantages that these flows and checks need."""
    places: set[str] = set()
    for name in flows:
        flow = fleet.flows[name]
        places |= {flow.source_vantage, flow.to}
    for name in checks:
        places |= {place for place, _ in registry.ask(fleet.checks[name])}
    return places


def in_the_lab(fleet: Fleet, lab: Fleet, places: set[str]) -> Fleet:
    """An operator's fleet with its places reached in the lab. Raises InputError for a place that the lab has not."""
    missing = sorted(places - {*lab.hosts, *lab.vantages})
    if missing:
        raise InputError(
            f"the lab has no place {', '.join(missing)}",
            hint=f"flows and checks are asked in the lab, whose places are: {', '.join([*lab.hosts, *lab.vantages])}",
        )
    reaches = {**lab.vantages, **{name: host.reach for name, host in lab.hosts.items()}}
    hosts = {
        name: host.model_copy(update={"reach": reaches[name]})
        for name, host in fleet.hosts.items()
        if name in reaches
    }
    vantages = {name: reaches[name] for name in fleet.vantages if name in reaches}
    return fleet.model_copy(update={"hosts": hosts, "vantages": vantages})


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetAsked:
    """Flows and checks, each once a boot; one that fails is a bad kernel."""

    fleet: Fleet
    flows: tuple[str, ...]
    checks: tuple[str, ...]

    @property
    def says(self) -> str:
        """Which they are."""
        names = [*self.flows, *self.checks]
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        return f"seatrial check of {shown}"

    async def ask(self, guest: Guest, release: str, *, login: bool) -> Said:
        """One round of probes."""
        world = open_world(self.fleet)
        policy = self.fleet.policy_of(
            guest.host if guest.host in self.fleet.hosts else next(iter(self.fleet.hosts))
        )
        try:
            probed = await probe(
                world,
                flows=self.flows,
                checks=self.checks,
                probes=policy.probes,
                rate=policy.rate,
                max_loss=policy.max_loss,
            )
        finally:
            await world.close()
        wrong = [one for one in probed.results if one.outcome is probed.outcome]
        if probed.outcome is Outcome.PASS:
            return Said(outcome=Outcome.PASS, because=f"{len(wrong)} pass", results=probed.results)
        first = f"{wrong[0].check}: {wrong[0].because}" if wrong else "nothing was asked"
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Said(outcome=probed.outcome, because=first + more, results=probed.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAsked:
    """A program with the exit codes of `git bisect run`: 0 good, 125 cannot be tried, up to 127 bad, above that stop.

    It runs here, or `on_host`: on the guest. Here it finds the guest by $SEATRIAL_SSH_CONFIG and $SEATRIAL_HOST, and
    the kernel's name in $SEATRIAL_RELEASE. `timeout` is in seconds.
    """

    argv: tuple[str, ...]
    on_host: bool
    timeout: float

    @property
    def says(self) -> str:
        """The command, and where it runs."""
        return shlex.join(self.argv) + (" on the host" if self.on_host else "")

    async def ask(self, guest: Guest, release: str, *, login: bool) -> Said:
        """Run it once."""
        if not login:
            return Said(outcome=Outcome.SKIP, because="nobody can log in to the host")
        argv = guest.lab.ssh_argv(guest.host, self.argv) if self.on_host else list(self.argv)
        try:
            ended = await process.run(argv, timeout=self.timeout, env=_environment(guest, release))
        except (FileNotFoundError, PermissionError) as error:
            raise InputError(
                f"{argv[0]} cannot be run: {error.strerror}", hint="give a program with --test 'PROGRAM ...'"
            ) from None
        return _read(ended, on_host=self.on_host)


def _environment(guest: Guest, release: str) -> Mapping[str, str]:
    return {
        **os.environ,
        "SEATRIAL_SSH_CONFIG": str(guest.lab.ssh_config),
        "SEATRIAL_HOST": guest.host,
        "SEATRIAL_RELEASE": release,
    }


def _read(ended: process.Finished, *, on_host: bool) -> Said:
    words = (ended.stdout + b"\n" + ended.stderr).decode(errors="replace").strip().splitlines()
    said = f": {words[-1].strip()[:_KEPT]}" if words else ""
    if ended.status is None:
        return Said(outcome=Outcome.UNKNOWN, because=f"the test did not end within {ended.seconds:.0f} s")
    if on_host and ended.status == 255:
        # ssh's own: whether the host died of the test or the connection did cannot be told from it.
        return Said(outcome=Outcome.UNKNOWN, because=f"the connection to the host was lost{said}")
    if ended.status == 0:
        return Said(outcome=Outcome.PASS, because=f"the test ended with 0{said}")
    if ended.status == SKIP_STATUS:
        return Said(outcome=Outcome.SKIP, because=f"the test says that it cannot tell (125){said}")
    if ended.status < 0 or ended.status >= FIRST_STOP:
        return Said(outcome=Outcome.UNKNOWN, because=f"the test broke: it ended with {ended.status}{said}")
    return Said(outcome=Outcome.FAIL, because=f"the test ended with {ended.status}{said}")
