"""Audits of hosts for drift: one exec each, reads only, all hosts side by side. What is not in: any question (drift room)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seatrial.boot.method import BootMethod
from seatrial.drift import audit as asking
from seatrial.drift.accepted import with_accepted
from seatrial.drift.facts import Facts, commands, read_facts, read_snapshot, snapshot_command
from seatrial.drift.find.console import waits_for_a_key
from seatrial.drift.snapshot import Difference, Snapshot, take
from seatrial.drift.window import read_window, window_command
from seatrial.model.command import Output, Trouble
from seatrial.model.finding import Audit, Finding, Unread
from seatrial.model.fleet import Boot, Fleet, Host, Reach, Stage
from seatrial.perform.look import boot_method
from seatrial.perform.world import World

_CONSOLE_TAIL = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The audits by host, in the order of the fleet, and the facts that they were made of."""

    audits: Mapping[str, Audit]
    facts: Mapping[str, Facts]


async def audit(world: World, hosts: Sequence[str]) -> Drift:
    """Audit these hosts. A host that does not answer has an audit that says so."""
    heard = await facts_of(world, hosts)
    facts = {host: said for host, said in heard.items() if isinstance(said, Facts)}
    audits = {
        host: asking.audit(host, said) if isinstance(said, Facts) else _silent(world.fleet.hosts[host], said)
        for host, said in heard.items()
    }
    groups = {name: group.hosts for name, group in world.fleet.groups.items()}
    today = world.clock.now().date()
    return Drift(
        audits={
            host: with_accepted(one, world.fleet.accepted, today)
            for host, one in asking.across(audits, facts, groups).items()
        },
        facts=facts,
    )


def _silent(host: Host, said: Unread) -> Audit:
    """A host that does not answer: its console may say why."""
    findings: tuple[Finding, ...] = ()
    if host.console is not None:
        try:
            with Path(host.console).open("rb") as kept:
                kept.seek(max(0, kept.seek(0, 2) - _CONSOLE_TAIL))
                text = kept.read().decode("utf-8", "replace")
        except OSError as problem:
            said = replace(said, because=f"{said.because}; its console cannot be read: {problem.strerror}")
        else:
            findings = tuple(replace(one, host=said.host) for one in waits_for_a_key(text))
    return Audit(host=said.host, findings=findings, unread=(said,))


async def facts_of(world: World, hosts: Sequence[str]) -> dict[str, Facts | Unread]:
    """The facts of these hosts, or why there are none. Who may not become root is asked for what anybody may read."""
    methods = {host: boot_method(world, host) for host in hosts}
    answers = await world.ask_all({host: commands(method) for host, method in methods.items()})
    refused = [host for host in hosts if answers[host][1].trouble is Trouble.NO_PRIVILEGE]
    if refused:
        plain = {host: commands(methods[host], root=False) for host in refused}
        answers = {**answers, **await world.ask_all(plain)}
    return {host: _read(host, methods[host], answers[host]) for host in hosts}


def _read(host: str, method: BootMethod, outputs: Sequence[Output]) -> Facts | Unread:
    facts = read_facts(method, outputs)
    if facts is None:
        said = outputs[1]
        because = said.problem or said.stderr.strip()[-200:] or "it said nothing that can be read"
        return Unread(name="host", because=f"{host} did not answer: {because}", hint=said.hint, host=host)
    if outputs[1].truncated or not facts.whole:
        return Unread(name="host", because=f"{host} said more than is read, or was cut off", host=host)
    return facts


async def snapshots(world: World, places: Mapping[str, float]) -> dict[str, Snapshot | Unread]:
    """Snapshots of hosts, or why there is none; each with the time of the one before (0.0: there was none)."""
    answers = await world.ask_all({place: [snapshot_command(since)] for place, since in places.items()})
    found: dict[str, Snapshot | Unread] = {}
    for place, (output,) in answers.items():
        facts = read_snapshot(output)
        if facts is None:
            because = output.problem or output.stderr.strip()[-200:] or "it said nothing that can be read"
            found[place] = Unread(
                name="snapshot", because=f"{place}: {because}", hint=output.hint, host=place
            )
        else:
            found[place] = take(place, facts)
    return found


async def windows(
    world: World, places: Sequence[str], seconds: float
) -> dict[str, tuple[Difference, ...] | str]:
    """What was done on these hosts in the last `seconds`, or why it is not known."""
    answers = await world.ask_all({place: [window_command(seconds)] for place in places})
    return {place: read_window(output) for place, (output,) in answers.items()}


def this_machine(name: str) -> Fleet:
    """A fleet of one host, which is this machine, for those who have declared none."""
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name).strip("._-")
    return Fleet(
        version=1,
        name="local",
        stages=(Stage(name="local"),),
        hosts={
            plain[:60] or "here": Host(stage="local", roles=("local",), reach=Reach(local=True), boot=Boot())
        },
    )


def only(drift: Drift, hosts: Sequence[str]) -> Drift:
    """What was found on some of the hosts; the others were asked for comparison only."""
    return replace(drift, audits={host: one for host, one in drift.audits.items() if host in hosts})
