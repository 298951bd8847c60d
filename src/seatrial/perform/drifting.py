"""Audits of hosts for drift: one exec each, reads only, all hosts side by side. What is not in: any question (drift room)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seatrial.boot.method import BootMethod
from seatrial.drift import audit as asking
from seatrial.drift.accepted import with_accepted
from seatrial.drift.facts import Facts, commands, read_facts
from seatrial.model.command import Output, Trouble
from seatrial.model.finding import Audit, Unread
from seatrial.model.fleet import Boot, Fleet, Host, Reach, Stage
from seatrial.perform.look import boot_method
from seatrial.perform.world import World


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
        host: asking.audit(host, said) if isinstance(said, Facts) else Audit(host=host, unread=(said,))
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
