"""The operator's own commands: who carries the service, how a host is taken out of it, how it is put back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.ha.pooled import OURS, Hands, PoolMember, PoolStanding
from seatrial.model.command import Command, Output
from seatrial.model.fleet import Group
from seatrial.model.managed import CommandMover
from seatrial.model.text import safe

MOST_LINES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorsCommands:
    """`where`, `depool` and `repool`."""

    name: str = "command"

    def look(self, group: Group, *, whole: bool = True) -> Mapping[str, tuple[Command, ...]]:
        """`where`, from the place that the fleet file names."""
        mover = _mover(group)
        return {mover.source_vantage: (_command(mover, "where", mover.where, safe=True),)}

    def glance(self, group: Group) -> Mapping[str, tuple[Command, ...]]:
        """The same: there is nothing cheaper."""
        return self.look(group)

    def read(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> PoolStanding:
        """Who carries it by the operator's word. A word that is no host of the group makes it unknown."""
        mover = _mover(group)
        hosts, problem, hint = _carriers(group, answers.get(mover.source_vantage, ()))
        return PoolStanding(
            what=f"the service of {' and '.join(group.hosts)}",
            members={host: _member(host, hosts) for host in group.hosts},
            hands=Hands(
                place=mover.source_vantage,
                shut=lambda host: (_about(mover, "depool", mover.depool, host),),
                open=lambda host: (_about(mover, "repool", mover.repool, host),),
            ),
            seconds=mover.timeout,
            problem=problem,
            hint=hint,
        )

    def carriers(self, group: Group, answers: Mapping[str, Sequence[Output]]) -> frozenset[str] | None:
        """The hosts that `where` names."""
        return self.read(group, answers).carriers


def _member(host: str, carriers: frozenset[str] | None) -> PoolMember:
    if carriers is None:
        return PoolMember()
    # `where` alone says nothing of who took it out; it may be put back by the same commands.
    is_open = host in carriers
    return PoolMember(is_open=is_open, is_well=True, shut_by="" if is_open else OURS, left=())


def _carriers(group: Group, outputs: Sequence[Output]) -> tuple[frozenset[str] | None, str, str]:
    mover = _mover(group)
    output = outputs[0] if outputs else None
    called = f"`where` on {mover.source_vantage}"
    if output is None or not output.answered:
        problem = "" if output is None else f": {safe(output.problem)}"
        return None, f"{called} did not answer{problem}", safe(output.hint) if output else ""
    if not output.ok or output.truncated:
        last = safe(output.stderr.strip().rpartition("\n")[2][:300])
        return None, f"{called} ended with status {output.status}: {last}", "run it by hand there"
    lines = [line.strip() for line in output.stdout.splitlines()[:MOST_LINES] if line.strip()]
    known = {mover.names.get(host, host): host for host in group.hosts}
    strange = [line for line in lines if line not in known]
    if strange:
        because = f"{called} says {safe(strange[0][:100])!r}, which is no host of the group"
        return None, because, "one host a line is wanted, as `hosts` or `names` has it"
    return frozenset(known[line] for line in lines), "", ""


def _about(mover: CommandMover, word: str, argv: Sequence[str], host: str) -> Command:
    # A word of its own or a part of one; no shell reads it.
    called = mover.names.get(host, host)
    return _command(mover, word, [one.replace("{host}", called) for one in argv], safe=False)


def _command(mover: CommandMover, word: str, argv: Sequence[str], *, safe: bool) -> Command:
    return Command(name=f"ha.{word}", argv=tuple(argv), safe=safe, timeout=mover.timeout)


def _mover(group: Group) -> CommandMover:
    assert isinstance(group.mover, CommandMover)
    return group.mover
