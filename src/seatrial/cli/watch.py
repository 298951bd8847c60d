"""`seatrial watch`: ask again and again, say what changes, and serve the figures to Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from cyclopts import Parameter

from seatrial import __version__
from seatrial.cli.choosing import Flows, HostName, Source, choose
from seatrial.cli.follow import show_line
from seatrial.cli.options import DEFAULT_FLEET, FleetFile, Json, console, fleet, print_json
from seatrial.cli.told import CODES
from seatrial.clock import SystemClock
from seatrial.errors import InputError, Interrupted
from seatrial.model.declared import parse_duration
from seatrial.model.result import Outcome
from seatrial.perform.watching import Wish
from seatrial.perform.watching import watch as rounds_of
from seatrial.perform.world import World, open_world
from seatrial.report.figures import MEDIA_TYPE, exposed
from seatrial.report.narrate import Line
from seatrial.report.watched import News, Watched

LISTEN = "127.0.0.1:9464"
SHORTEST, LONGEST = 1.0, 86400.0
FAREWELL = 5.0

Every = Annotated[str, Parameter(help="how far apart rounds begin, such as 30s or 5m")]
Address = Annotated[str, Parameter(help="where /metrics is served; `none` for nowhere")]
Exposed = Annotated[
    bool, Parameter(negative="", help="listen also where other machines can reach it, without a login")
]
Rounds = Annotated[int | None, Parameter(help="end after this many [default: go on until a signal]")]


def watch(
    *,
    file: FleetFile = DEFAULT_FLEET,
    every: Every = "30s",
    listen: Address = LISTEN,
    exposed: Exposed = False,
    source: Source = None,
    flow: Flows = (),
    host: HostName = None,
    rounds: Rounds = None,
    json: Json = False,
) -> int:
    """Ask every flow and check of the fleet file, or those that are named, again and again.

    A line is printed when something changes. Exit code 130 after SIGINT, 0 after SIGTERM; with --rounds that of the
    last round, as `check` has it.
    """
    interval = _interval(every)
    if rounds is not None and rounds < 1:
        raise InputError(f"--rounds {rounds}: at least one round is wanted", hint="such as --rounds 10")
    declared, _ = fleet(file)
    chosen = choose(declared, source, flow, host)
    world = open_world(declared)
    wish = Wish(
        flows=chosen.flows,
        checks=chosen.checks,
        policy=declared.policy_of(chosen.host or next(iter(declared.hosts))),
        every=interval,
        carrier=chosen.host,
        rounds=rounds,
    )
    watched = Watched(began=SystemClock().now(), interval=interval, version=__version__)
    return asyncio.run(_until_told(world, wish, watched, _Teller(json), listen, exposed))


def _interval(every: str) -> float:
    try:
        seconds = parse_duration(float(every) if every.replace(".", "", 1).isdigit() else every)
    except ValueError as problem:
        raise InputError(f"--every {every}: {problem}", hint="such as --every 30s") from None
    if not SHORTEST <= seconds <= LONGEST:
        raise InputError(f"--every {every}: from 1 second to a day", hint="such as --every 30s")
    return seconds


class _Teller:
    """Prints news: lines for people, or an object a line."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._console = console()

    def tell(self, news: News) -> None:
        """Print one."""
        if self._as_json:
            print_json(news.document)
            return
        line = Line(at=news.at, step=news.subject, text=news.text, mark=news.mark, detail=news.detail)
        show_line(self._console, line, stamps=True)
        # A pipe or a journal must have the line when it is said, not when a buffer is full.
        self._console.file.flush()


async def _until_told(
    world: World, wish: Wish, watched: Watched, teller: _Teller, listen: str, exposed: bool
) -> int:
    """The rounds, until a signal or the last one; says the exit code."""
    told: list[signal.Signals] = []
    with _signals(told):
        try:
            async with _served(watched, listen, exposed) as where:
                teller.tell(_beginning(watched, wish, where))
                async with contextlib.aclosing(rounds_of(world, wish)) as turns:
                    async for turn in turns:
                        for news in watched.feed(turn):
                            teller.tell(news)
        except asyncio.CancelledError:
            if not told:
                raise
        finally:
            # A connection to a place that is dead must not hold up the end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await world.close()
    if not told:
        return CODES[watched.outcome or Outcome.UNKNOWN]
    now, name = SystemClock().now(), told[0].name
    teller.tell(
        News(at=now, event="ended", subject="watch", text=f"ended by {name}", data={"rounds": watched.rounds})
    )
    return Interrupted.exit_code if told[0] is signal.SIGINT else 0


@contextlib.contextmanager
def _signals(told: list[signal.Signals]) -> Iterator[None]:
    """SIGINT and SIGTERM end what runs at once; `told` has what came."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(which: signal.Signals) -> None:
        # Once: a second one must not interrupt the clearing up after the first.
        if not told and task is not None:
            task.cancel()
        told.append(which)

    wanted = (signal.SIGINT, signal.SIGTERM)
    for which in wanted:
        loop.add_signal_handler(which, end, which)
    try:
        yield
    finally:
        for which in wanted:
            loop.remove_signal_handler(which)


@asynccontextmanager
async def _served(watched: Watched, listen: str, expose: bool) -> AsyncIterator[str]:
    """The figures, served meanwhile; gives the address, "" when they are not."""
    if listen == "none":
        yield ""
        return
    # Half a second of imports that no other verb wants.
    from seatrial.web.figures import figures_served
    from seatrial.web.listening import bind, parse

    bound = bind(parse(listen), exposed=expose)
    async with figures_served(bound, lambda: exposed(watched.samples()), MEDIA_TYPE, any_name=expose):
        yield f"http://{bound.listen.shown}/metrics"


def _beginning(watched: Watched, wish: Wish, where: str) -> News:
    what = f"{len(wish.flows)} flows and {len(wish.checks)} checks, every {watched.interval:g} s"
    return News(
        at=watched.began,
        event="began",
        subject="watch",
        text=what + (f"; figures at {where}" if where else "") + "; times are UTC",
        data={"flows": len(wish.flows), "checks": len(wish.checks), "figures": where or None},
    )
