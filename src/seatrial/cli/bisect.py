"""`seatrial bisect`: the first bad kernel between a good one and a bad one, booted one after the other in the lab."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seatrial.bisect.course import Course, advance, ended_data
from seatrial.bisect.search import Ending, Rules
from seatrial.bisect.told import tell, tracker_report
from seatrial.cli.follow import show_line
from seatrial.cli.grounds import What, Where, opened, prepare
from seatrial.cli.lab import Shown
from seatrial.cli.options import Database, Json, Why, console, person, print_json
from seatrial.cli.suspected import suspected
from seatrial.engine.bisecting import loop
from seatrial.errors import CouldNotAct, InputError, Interrupted
from seatrial.journal.store import Journal, default_url
from seatrial.model.event import Event
from seatrial.model.text import safe

CODES = {
    Ending.FOUND: 0,
    Ending.GOOD_FAILS: 1,
    Ending.BAD_PASSES: 1,
    Ending.RANGE: 3,
    Ending.UNDECIDED: 3,
    Ending.UNTRIED: 3,
}
_WHAT, _WHERE = What(), Where()


def bisect(
    good: Annotated[str | None, Parameter(help="the kernel that works, as `uname -r` calls it")] = None,
    bad: Annotated[str | None, Parameter(help="a later one that does not")] = None,
    /,
    *,
    what: What = _WHAT,
    where: Where = _WHERE,
    confidence: Annotated[float, Parameter(help="how sure the answer is to be")] = Rules().confidence,
    flaky: Annotated[
        float,
        Parameter(help="the largest share of wrong answers that is reckoned with; 0: the test never errs"),
    ] = Rules().flaky,
    most_boots: Annotated[int, Parameter(help="give up after so many")] = Rules().most_boots,
    report: Annotated[
        Path | None,
        Parameter(help="where to write the report [default: bisects/b1.txt in the state directory]"),
    ] = None,
    resume: Annotated[str | None, Parameter(help="go on with this search, such as b1")] = None,
    why: Why = "",
    database: Database = None,
    json: Json = False,
) -> int:
    """Find the first bad kernel package from GOOD to BAD: each is booted in the lab and asked what fails.

    What will not boot is skipped, what gives different answers is asked again until the answer is sure enough. It can
    be stopped at any time and gone on with. Exit code 0 when one package is named, 1 when GOOD fails or BAD passes,
    3 when more than one may be the first.
    """
    rules = _rules(confidence, flaky, most_boots)
    told = _Told(as_json=json)
    store = Journal(database or default_url(), after_append=told.event)
    if resume is not None:
        if good or bad or what != _WHAT or where != _WHERE or rules != Rules():
            raise InputError(
                "a search that is resumed knows its kernels, what it asks and how sure it is to be",
                hint=f"seatrial bisect --resume {resume}",
            )
        name = resume
        told.course = loop.course_of(store, name)
    else:
        prepared = asyncio.run(prepare(good, bad, what, where, database))
        name = loop.start(
            store,
            versions=prepared.versions,
            rules=rules,
            asked=prepared.asked,
            ground=prepared.ground,
            by=person(),
            why=why,
        )
    if told.course.answer is not None and not json:
        # Nothing is left to do: what came of it is told once more.
        for line in tell(store.read(name)[-1], told.course):
            show_line(console(), line)
    course = asyncio.run(_carry_out(store, name, told))
    return _conclude(course, report, as_json=json)


def _rules(confidence: float, flaky: float, most_boots: int) -> Rules:
    if not 0.5 < confidence < 1:
        raise InputError(f"--confidence {confidence} is not between a half and 1", hint="such as 0.99")
    if not 0 <= flaky < 0.5:
        raise InputError(
            f"--flaky {flaky} is not below a half: such a test says nothing", hint="such as 0.3, or 0"
        )
    if most_boots < 2:
        raise InputError(f"--most-boots {most_boots}: GOOD and BAD are two", hint="such as 100")
    return Rules(confidence=confidence, flaky=flaky, most_boots=most_boots)


class _Told:
    """What is printed while it runs: a line for each Event of the search."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.course = Course(id="")

    def event(self, event: Event) -> None:
        """Print an Event that has just been written down."""
        self.course = advance(self.course if self.course.id else Course(id=event.rollout), event)
        if self.as_json:
            print_json(event)
            return
        for line in tell(event, self.course):
            show_line(console(), line)


async def _carry_out(store: Journal, name: str, told: _Told) -> Course:
    """Go on until it is over; a search that is over already is left as it is."""
    course = loop.course_of(store, name)
    if course.answer is not None:
        return course
    task, running = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, task.cancel)
    try:
        with Shown(console(), quiet=told.as_json) as shown:
            async with opened(course.ground, name, shown) as ground:
                return await loop.carry_out(store, name, ground)
    except asyncio.CancelledError:
        raise Interrupted(
            f"bisect {name} was stopped; nothing that was found is lost",
            hint=f"go on with: seatrial bisect --resume {name}",
        ) from None


def _conclude(course: Course, report: Path | None, *, as_json: bool) -> int:
    """The report, where to find it, and the exit code."""
    assert course.answer is not None
    path: Path | None = None
    if course.answer.ending in (Ending.FOUND, Ending.RANGE):
        suspects = asyncio.run(suspected(course))
        # What was made up is no news for a tracker, unless somebody wants to see what it would look like.
        if report or not (course.ground["kind"] == "simulated" or course.ground["stand_in"]):
            path = _write(report or _folder() / f"{course.id}.txt", tracker_report(course, suspects))
        if not as_json:
            for line in suspects.lines:
                print(f"suspect      {safe(line)}")
            if suspects.command:
                print(f"suspects     {suspects.command}")
    if as_json:
        document = ended_data(course, course.answer, platform=course.platform)
        print_json({"bisect": course.id, **document, "report": str(path) if path else None})
    elif path:
        print(f"report       {path}")
    return CODES[course.answer.ending]


def _folder() -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "seatrial" / "bisects"


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CouldNotAct(
            f"the report cannot be written to {path}: {error.strerror}",
            hint="name another file with --report; the search itself is in the journal: --resume prints it again",
        ) from None
    return path
