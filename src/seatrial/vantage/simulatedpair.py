"""A simulated NFS pair on DRBD: it answers the Commands of the driver `drbd-nfs` in the words of a real host.

What happens to it is the machine's business (ha/drbdnfs/machine.py), the same that its rules are explored against; what is in
here is only the words, and that each step of a batch is one change of the platform, behind which a controller may be killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from seatrial.ha.drbdnfs import machine
from seatrial.ha.drbdnfs.facts import MemberFacts
from seatrial.ha.drbdnfs.machine import PairState
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.mover import DrbdNfsMover
from seatrial.vantage.simulation import FaultKind, Simulation

# What a fault of the platform is called in the machine.
_FAULTS: dict[str, FaultKind] = {"busy": "busy-volume", "no-mount": "no-mount", "nfsd-stuck": "nfsd-stuck"}
_SAID = {
    "nfsd": "nfsd does not stop: 8 threads are left",
    "unmount": "/srv/volume is busy: process 812 (bash)",
    "mount": "mount(2) system call failed: Structure needs cleaning.",
    "word": "not connected (WFConnection): nobody says that the other side is secondary",
    "primary": "State change failed: (-1) Multiple primaries not allowed by config",
    "outdate": "it is primary",
}
_STEP_SECONDS = 0.2


def answer(sim: Simulation, name: str, command: Command) -> Output:
    """What a host of a pair says to `command`."""
    group = next(key for key, one in sim.fleet.groups.items() if name in one.hosts)
    mover = sim.fleet.groups[group].mover
    assert isinstance(mover, DrbdNfsMover)
    which = sim.fleet.groups[group].hosts.index(name)
    sim.pairs[group] = _as_it_is(sim, group, sim.pairs[group])
    verb = command.name.removeprefix("drbd-nfs.")
    if verb in machine.STEPS:
        return _batch(sim, group, which, verb, command)
    facts = machine.facts_of(sim.pairs[group], which, mount=mover.volumes[0].mount)
    assert facts is not None
    lines = _look(sim, name, mover, facts) if verb == "look" else _audit(mover, facts)
    return Output(command=command, status=0, stdout="\n".join(lines) + "\n", seconds=0.05)


def served(sim: Simulation, command: Command) -> Output:
    """What asking the service address shows: a server that answers, or nobody."""
    wanted = json.loads(command.argv[-1])["address"]
    for group, pair in sim.pairs.items():
        if wanted in sim.fleet.groups[group].mover.addresses:
            pair = _as_it_is(sim, group, pair)
            answers = any(one.up and one.mounted and one.served and one.address for one in pair.hosts)
            said = {"ok": True, "took": {"connect": 1.0, "null": 1.0, "path": 1.0}}
            silent = {"ok": False, "took": {}, "step": "connect", "kind": "silent", "error": "timed out"}
            return Output(
                command=command, status=0, stdout=json.dumps(said if answers else silent), seconds=0.01
            )
    return Output(command=command, status=1, stderr="nobody has this address")


def _as_it_is(sim: Simulation, group: str, pair: PairState) -> PairState:
    """The pair with the platform's faults in it, and with all that happens by itself having happened."""
    names = sim.fleet.groups[group].hosts
    for which, name in enumerate(names):
        here = pair.hosts[which]
        if here.up != (sim.seconds >= sim.hosts[name].booted_at):
            pair = machine.boot(pair, which) if not here.up else machine.crash(pair, which)
        faults = frozenset(word for word, kind in _FAULTS.items() if sim.has(name, kind))
        here = pair.hosts[which]._replace(faults=faults)
        pair = machine.with_host(pair, which, here)
    pair = pair._replace(link=not any(sim.has(name, "cut-link") for name in names))
    while (after := next(iter(machine.world_steps(pair)), None)) is not None:
        pair = after[1]
    return pair


def _batch(sim: Simulation, group: str, which: int, verb: str, command: Command) -> Output:
    name = sim.fleet.groups[group].hosts[which]
    # A batch of before has died with the controller that was killed in it: here they share a process.
    left = sim.pairs[group].hosts[which]._replace(batch=None, failed="")
    sim.pairs[group] = machine.with_host(sim.pairs[group], which, left)
    word = command.argv[-1] if verb == "take" else ""
    sim.pairs[group] = machine.start(sim.pairs[group], which, verb, word)
    said: list[str] = []
    while sim.pairs[group].hosts[which].batch is not None:
        batch = sim.pairs[group].hosts[which].batch
        assert batch is not None
        after = next(iter(machine.batch_steps(sim.pairs[group], which)), None)
        if after is None:
            return Output(
                command=command, status=None, trouble=Trouble.TIMEOUT, problem=f"{name}: it did not end"
            )
        sim.pairs[group] = after[1]
        sim.pass_time(_STEP_SECONDS)
        step = machine.STEPS[verb][batch.at]
        failed = sim.pairs[group].hosts[which].failed
        said.append("\t".join(("step", step, "200", "1" if failed else "0", _SAID.get(failed, ""), "")))
        sim.changed()
    status = 1 if sim.pairs[group].hosts[which].failed else 0
    return Output(command=command, status=status, stdout="\n".join(said) + "\n", seconds=0.2 * len(said))


def _look(sim: Simulation, name: str, mover: DrbdNfsMover, facts: MemberFacts) -> Iterator[str]:
    yield "seatrial\t1"
    yield f"resource\t{mover.resource}"
    yield f"boot\t{sim.hosts[name].boot_id(name)}"
    yield f"uptime\t{sim.uptime(name):.2f}"
    yield f"batch\t{'running' if facts.batch else 'free'}"
    yield "proc\tversion: 8.4.11 (api:1/proto:86-101)"
    roles = f"ro:{facts.role}/{facts.peer_role} ds:{facts.disk}/{facts.peer_disk}"
    yield f"proc\t 0: cs:{facts.connection} {roles} C r-----"
    yield "minor\t0"
    yield from (f"mounted\t{at}" for at in facts.mounted)
    if facts.address:
        yield f"address\t{mover.address.address}"
    yield f"threads\t{facts.threads}"
    if facts.gi:
        yield f"gi\t{':'.join(facts.gi)}"
    if facts.split:
        yield "split\tyes"
    yield "done"


def _audit(mover: DrbdNfsMover, facts: MemberFacts) -> Iterator[str]:
    at = mover.volumes[0].mount
    yield f"export\t{at}/tools 192.0.2.0/24(rw,sync,no_subtree_check,fsid=1)"
    yield f"served\t{at}/tools"
    yield f"lease\t{mover.nfs.lease:.0f}\t{mover.nfs.grace:.0f}"
    yield f"records\t{'yes' if facts.threads else 'no'}"
    yield f"link\t{facts.link}\t{'yes' if facts.link_answers else 'no'}"
    yield from (f"want\tsysctl\t{key}\t{value}" for key, value in mover.wants.sysctls.items())
    yield from (f"want\tscheduler\t{key}\t{value}" for key, value in mover.wants.schedulers.items())
    yield "audited"
