"""A pool that is seen and moved through an API, by a script that the vantage's own client library runs. Pure.

What is in: the one shape in which such a script answers, and its Commands. What is not: any one API (kubernetes.py,
openstack.py) and the scripts (onhost/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from seatrial.ha.pooled import OURS, Hands, PoolMember, PoolStanding
from seatrial.ha.scripts import script as text_of
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.managed import KubernetesMover, OpenstackMover
from seatrial.model.text import safe

REQUEST = 30.0  # seconds for one request of the API
ROUND = 30.0  # seconds after which a script that empties a host ends, whether or not all has gone
LIMIT = 4 * 1024 * 1024

ByApi = KubernetesMover | OpenstackMover
Words = Annotated[str, Field(max_length=4096), AfterValidator(lambda word: safe(word)[:300])]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Machine(_Said):
    """One host as the API has it. `left` is what has to go, `held` why something of that may not."""

    name: Annotated[str, Field(max_length=500)]
    absent: bool = False
    ready: bool = False
    shut: bool = False
    ours: bool = False
    reason: Words = ""
    left: list[Words] = Field(default_factory=list, max_length=20000)
    held: dict[Words, Words] = Field(default_factory=dict, max_length=20000)


class Told(_Said):
    """The whole answer."""

    machines: list[Machine] | None = Field(default=None, max_length=1000)
    missing: Words = ""
    error: Words = ""
    config: bool = False
    status: int = 0


def round_of(mover: ByApi) -> float:
    """The seconds of one round of emptying a host, of a budget of `timeout` for all of them."""
    return min(ROUND, mover.timeout)


def api_command(mover: ByApi, script: str, verb: str, spec: Mapping[str, Any]) -> Command:
    """The script with a verb and its SPEC. Client libraries load slowly, so it may take longer than its requests."""
    whole = {**spec, "timeout": REQUEST, "round": round_of(mover)}
    return Command(
        name=f"ha.{verb}",
        argv=(mover.python, "-", verb, json.dumps(whole, separators=(",", ":"))),
        stdin=text_of(f"{script}.py").encode(),
        safe=verb == "look",
        timeout=ROUND + 2 * REQUEST,
        limit=LIMIT,
        package="python3",
    )


def standing(
    mover: ByApi, hosts: Sequence[str], outputs: Sequence[Output], hands: Hands, *, what: str, package: str
) -> PoolStanding:
    """What the answer to `look` means for each host."""
    told = _told(outputs[0] if outputs else None, mover, what, package)
    problem, hint = ("", "") if isinstance(told, Told) else told
    found = {one.name: one for one in told.machines or ()} if isinstance(told, Told) else {}
    members = {host: _member(found.get(mover.names.get(host, host))) for host in hosts}
    strangers = [host for host in hosts if (one := found.get(mover.names.get(host, host))) and one.absent]
    if strangers:
        problem = f"{what} does not know {strangers[0]}"
        hint = "`names` of the mover says what a host is called there"
    return PoolStanding(
        what=what, members=members, hands=hands, seconds=mover.timeout, problem=problem, hint=hint
    )


def _member(one: Machine | None) -> PoolMember:
    if one is None or one.absent:
        return PoolMember()
    by = OURS if one.ours else one.reason or "it is not said by whom"
    return PoolMember(
        is_open=not one.shut,
        is_well=one.ready,
        shut_by=by if one.shut else "",
        left=tuple(one.left),
        held=dict(one.held),
    )


def _told(output: Output | None, mover: ByApi, what: str, package: str) -> Told | tuple[str, str]:
    place = mover.source_vantage
    if output is None:
        return f"{place} was not asked", ""
    if output.trouble is Trouble.NO_PROGRAM or output.status == 127:
        return f"{place} has no {mover.python}", f"apt install {package}"
    if not output.answered:
        return f"{place} did not answer: {safe(output.problem)}", safe(output.hint)
    try:
        told = Told.model_validate_json(output.stdout) if output.ok and not output.truncated else None
    except ValidationError:
        told = None
    if told is None:
        last = safe(output.stderr.strip().rpartition("\n")[2][:300])
        return f"{place} asked {what} and said nothing that is understood: {last or 'no answer'}", ""
    if told.missing:
        hint = f"apt install {package}, or name a Python that has it with python:"
        return f"{place} has no Python library {told.missing}", hint
    if told.error or told.machines is None:
        because = f"{what} does not answer: {told.error or 'no list'}"
        if told.config:
            return because, f"look at the configuration on {place}"
        login = "the login there may not do this" if told.status in (401, 403) else ""
        return because, login or f"look whether its API is reached from {place}"
    return told
