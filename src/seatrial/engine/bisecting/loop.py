"""The loop of a search: fold the journal, ask the rules, try one version, write down what came of it.

What is not in: which version is next (bisect room), how one is tried (a ground). A search that was killed goes on from
its Events; the attempt that was under way is made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from seatrial.bisect.course import Course, Version, ended_data, fold
from seatrial.bisect.search import Answer, Rules
from seatrial.engine.bisecting.ground import Ground, Tried
from seatrial.engine.lease import under_lease
from seatrial.errors import InputError, NotKnown, Refused
from seatrial.journal.leases import Holder
from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from seatrial.model.result import Outcome

# So many attempts in a row that say nothing end the loop: something else is wrong than a kernel.
MOST_UNKNOWN = 3


def start(
    journal: Journal,
    *,
    versions: Sequence[Version],
    rules: Rules,
    asked: str,
    ground: Mapping[str, Any],
    by: str,
    why: str,
) -> str:
    """Write down that a search begins and return its name. `ground` is what another process needs to go on."""
    name = journal.new_bisect()
    data = {
        "versions": [asdict(version) for version in versions],
        "rules": asdict(rules),
        "asked": asked,
        "ground": ground,
        "why": why,
    }
    journal.append(Kind.BISECT_STARTED, rollout=name, by=by, data=data)
    return name


def course_of(journal: Journal, name: str) -> Course:
    """Where a search stands. Raises InputError when there is none of that name."""
    course = fold(journal.read(name), bisect=name)
    if course.started is None:
        known = ", ".join(journal.bisects()[-5:])
        raise InputError(
            f"there is no bisect {name!r}",
            hint=f"the latest are: {known}" if known else "start one with: seatrial bisect GOOD BAD",
        )
    return course


async def carry_out(journal: Journal, name: str, ground: Ground) -> Course:
    """Go on with a search until it is over, and return how it ended.

    Raises Refused while another process does, NotKnown when attempts say nothing again and again, LabError when the
    ground breaks. It can be called again after each of them, and goes on.
    """
    me = Holder.here()
    try:
        journal.take_lease(name, me)
    except Refused as held:
        raise Refused(
            f"bisect {name} goes on in another process",
            hint=f"wait for it or end it, then: seatrial bisect --resume {name}",
        ) from held
    try:
        await under_lease(journal, name, me, _until_it_ends(journal, name, ground))
    finally:
        journal.drop_lease(name, me)
    return course_of(journal, name)


async def _until_it_ends(journal: Journal, name: str, ground: Ground) -> None:
    unknown = 0
    while True:
        course = course_of(journal, name)
        if course.answer is not None:
            return
        step = course.step()
        if isinstance(step, Answer):
            data = ended_data(course, step, platform=ground.platform)
            journal.append(Kind.BISECT_ENDED, rollout=name, by="seatrial", data=data)
            return
        version, number = course.versions[step.place].name, len(course.attempts) + 1
        journal.append(
            Kind.BISECT_TRYING,
            rollout=name,
            by="seatrial",
            data={"version": version, "number": number, "bits": round(step.bits, 4)},
        )
        tried = await ground.attempt(version, number, course.likely())
        journal.append(Kind.BISECT_TRIED, rollout=name, by="seatrial", data=_data(version, tried))
        unknown = unknown + 1 if tried.outcome is Outcome.UNKNOWN else 0
        if unknown == MOST_UNKNOWN:
            raise NotKnown(
                f"{unknown} attempts in a row said nothing, the last one: {tried.because}",
                hint=f"mend what they name, then: seatrial bisect --resume {name}",
            )


def _data(version: str, tried: Tried) -> dict[str, Any]:
    data = {
        "version": version,
        "outcome": str(tried.outcome),
        "because": tried.because,
        "boot_seconds": tried.boot_seconds,
        "seconds": round(tried.seconds, 3),
        "results": [asdict(result) for result in tried.results],
    }
    plain: dict[str, Any] = json.loads(json.dumps(data, default=str))
    return plain
