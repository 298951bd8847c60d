"""The patches that come first to mind for the answer of a search, by what failed on the first bad kernel.

What is not in: how patches are ranked (kernels room), and the verb `seatrial suspects`, which shows all of them.
"""

from __future__ import annotations

from pathlib import Path

from seatrial.bisect.course import Course
from seatrial.bisect.told import Suspects
from seatrial.cli.grounds import declared_of
from seatrial.errors import SeatrialError
from seatrial.kernels.areas import Query, query
from seatrial.kernels.asked import of_fleet
from seatrial.kernels.changelog import read_changelog
from seatrial.kernels.packages import KernelPackage
from seatrial.kernels.ranking import rank, span
from seatrial.kernels.versions import arch_of
from seatrial.lab import kernels
from seatrial.model.result import Outcome
from seatrial.perform import changelogs

_MOST = 5


async def suspected(course: Course) -> Suspects:
    """The patches between the last good package and the first bad one that come first to mind, from BAD's changelog."""
    assert course.answer is not None
    if course.ground["kind"] == "module":
        return Suspects()
    good, bad = course.versions[course.answer.first - 1], course.versions[course.answer.last]
    command = f"seatrial suspects {good.name} {bad.name} --symptom ..."
    if course.ground["kind"] == "simulated":
        return Suspects(command=command)
    packages = {one.release: one for one in (KernelPackage(**each) for each in course.ground["packages"])}
    # The changelog of the newest one tells which of the patches were taken back later.
    newest = packages[course.versions[-1].name]
    folder = Path(course.ground["folder"]) if course.ground["folder"] else None
    try:
        deb = await kernels.fetch(newest, folder, lambda _step, _part: None)
        with deb.open("rb") as opened:
            log = read_changelog((await changelogs.from_file(deb, opened.read(64))).text)
        between = span(log, packages[good.name].version, packages[bad.name].version)
    except SeatrialError as problem:
        # The answer stands without them.
        return Suspects(command=f"{command} ({problem.message})")
    asked = _query(course, bad.name)
    ranking = rank(between, asked)
    lines = (f"{one.subject} ({one.version})" for one in ranking.suspects[:_MOST])
    return Suspects(command=f"{command}, {ranking.examined:,} patches", lines=tuple(lines))


def _query(course: Course, bad: str) -> Query:
    """What to look for: the flows and checks that failed on the bad kernel, else what a person said."""
    failed = {
        str(result["check"])
        for attempt in course.of(bad)
        for result in attempt.results
        if result["outcome"] == Outcome.FAIL
    }
    if "command" in course.ground or not failed:
        return query(symptom=course.why, failed=[course.asked], arch=arch_of(bad))
    declared = declared_of(course.ground)
    flows = {name: flow for name, flow in declared.flows.items() if name in failed}
    checks = {name: check for name, check in declared.checks.items() if name in failed}
    return of_fleet(declared.model_copy(update={"flows": flows, "checks": checks}), arch=arch_of(bad))
