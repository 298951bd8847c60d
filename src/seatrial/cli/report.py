"""`seatrial report`: what the journal knows of a rollout, told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seatrial.cli.drawn import HINT, PANELS, Panels, Plot, Theme, Width, draw, wanted
from seatrial.cli.options import Database, Json, Rollout, journal, person, print_json
from seatrial.clock import SystemClock
from seatrial.engine.controller import note, state_of
from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.kernels.asked import failed_trial
from seatrial.model.declared import parse_duration
from seatrial.model.event import Event
from seatrial.model.fold import RolloutState
from seatrial.model.text import safe
from seatrial.report.blocks import Figure
from seatrial.report.document import TOLD_OF_OTHERS, document, moved, spell
from seatrial.report.everything import everything
from seatrial.report.narrate import narrate
from seatrial.report.upstream import bug_report
from seatrial.report.written import WRITERS

if TYPE_CHECKING:
    from seatrial.journal.store import Journal
    from seatrial.picture.values import Picture

MOST_TEXT = 1000

Upstream = Annotated[
    bool,
    Parameter(negative="", help="the bug report for the kernel's maintainers, without names and addresses"),
]
Format = Annotated[
    Literal["markdown", "wikitext", "html"],
    Parameter(name="--format", help="html is one file that needs nothing else, with the soak drawn in it"),
]
Since = Annotated[
    str | None,
    Parameter(
        help="instead of a rollout: all that the journal has since then, such as 3h or 2026-11-24T12:00"
    ),
]
SoakOf = Annotated[
    str, Parameter(name="--host", help="whose soak is drawn [default: the last that was measured]")
]


def report(
    rollout: Rollout = None,
    /,
    *,
    upstream: Upstream = False,
    as_: Format = "markdown",
    since: Since = None,
    plot: Plot = None,
    host: SoakOf = "",
    panels: Panels = PANELS,
    width: Width = None,
    theme: Theme = "auto",
    database: Database = None,
    json: Json = False,
) -> int:
    """Time line and report of ROLLOUT (or its events and lines as JSON), from the journal alone.

    --plot draws what a host's soak has measured, good against candidate, with what the trial went through.
    """
    if plot is not None:
        wanted(plot, panels=panels, width=width, as_json=json)
    elif host:
        raise InputError("--host says whose soak is drawn, and there is no --plot", hint=HINT)
    store = journal(database)
    if since is not None:
        return _spell(store, since, as_, as_json=json)
    known = store.rollouts()
    name = rollout or (known[-1] if known else "")
    if not name:
        raise InputError("there is no rollout yet", hint="start one with: seatrial rollout start KERNEL")
    if name in store.failovers():
        return _failover(store.read(name), name, as_, as_json=json)
    state = state_of(store, name)
    events = store.read(name)
    if upstream:
        return _bug(events, state, as_json=json)
    picture = None if plot is None else soaked(events, state, host, panels)
    if json:
        print_json(
            {
                "rollout": name,
                "lines": [asdict(line) for line in narrate(events, rollout=name)],
                "events": events,
            }
        )
    else:
        figure = _figure(events, state, host, panels, plot, as_)
        others = [event for event in store.read(kinds=TOLD_OF_OTHERS) if event.rollout != name]
        print(WRITERS[as_](document(events, rollout=name, others=others, figure=figure)), end="")
    if picture is not None and plot is not None:
        draw(picture, plot, width=width, theme=theme)
    return 0


def _failover(events: Sequence[Event], name: str, as_: str, *, as_json: bool) -> int:
    if as_json:
        print_json({"failover": name, "events": events})
    else:
        print(WRITERS[as_](moved(events, failover=name)), end="")
    return 0


def _figure(
    events: Sequence[Event], state: RolloutState, host: str, panels: int, plot: str | None, as_: str
) -> Figure | None:
    """The picture beside the report, or inside of it; None where nothing was measured."""
    says = "Good against candidate while on trial"
    if as_ != "html":
        return Figure(says=says, file=plot) if plot not in (None, "-") else None
    if not any(trial.samples for trial in state.trials.values()):
        return None
    from seatrial.picture.sheet import laid_out
    from seatrial.picture.svg import as_svg

    return Figure(says=says, svg=as_svg(laid_out(soaked(events, state, host, panels))))


def _spell(store: Journal, since: str, as_: str, *, as_json: bool) -> int:
    until = SystemClock().now()
    begin = _moment(since, until)
    lines = [line for line in everything(store.read()) if line.at >= begin]
    if as_json:
        print_json({"since": begin, "until": until, "lines": [asdict(line) for line in lines]})
    else:
        print(WRITERS[as_](spell(lines, since=begin, until=until)), end="")
    return 0


def _moment(text: str, now: datetime) -> datetime:
    """What `--since` says: so long ago, or a time in UTC unless it says another zone. Raises InputError."""
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--since {safe(text)}: is neither a duration nor a time", hint="such as 3h, or 2026-11-24T12:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def log(
    text: Annotated[str, Parameter(help="the line")],
    /,
    *,
    rollout: Annotated[
        str | None, Parameter(help="whose time line it belongs to [default: the one that is not over]")
    ] = None,
    database: Database = None,
    json: Json = False,
) -> int:
    """Add a person's line to the journal: what was seen or done by hand, at this moment.

    Without a rollout that runs it belongs to none, and `seatrial report --since` tells it.
    """
    if not text.strip() or len(text) > MOST_TEXT:
        raise InputError("the line is empty or too long", hint=f"one line of at most {MOST_TEXT} characters")
    store = journal(database)
    name = rollout or ""
    if rollout is not None:
        state_of(store, rollout)
    elif known := store.rollouts():
        name = "" if state_of(store, known[-1]).ended else known[-1]
    event = note(store, name, text=text, by=person())
    if json:
        print_json(event)
    else:
        print(f"{event.at:%Y-%m-%d %H:%M:%S} UTC, {name or 'in no rollout'}: {event.data['text']}")
    return 0


def _bug(events: Sequence[Event], state: RolloutState, *, as_json: bool) -> int:
    trial = failed_trial(state)
    if trial is None:
        raise InputError(
            f"nothing has failed in {state.id}, so there is no bug", hint=f"seatrial report {state.id}"
        )
    fleet = parse(state.fleet, filename=f"fleet of {state.id}")
    text = bug_report(events, rollout=state.id, fleet=fleet, trial=trial)
    if as_json:
        print_json({"rollout": state.id, "report": text})
    else:
        print(text, end="")
    return 0


def soaked(events: Sequence[Event], state: RolloutState, host: str, panels: int) -> Picture:
    """The picture of the soak of `host`, or of the last one that was measured. Raises InputError if there is none."""
    from seatrial.soak.trials import pictured

    fleet = parse(state.fleet, filename=f"fleet of {state.id}")
    measured = [
        trial for trial in state.trials.values() if trial.samples and fleet.policy_of(trial.host).measure
    ]
    chosen = next((trial for trial in reversed(measured) if host in ("", trial.host)), None)
    measure = fleet.policy_of(chosen.host).measure if chosen else None
    picture = None
    if chosen is not None and measure is not None:
        picture = pictured(events, chosen, measure, most=panels)
    if picture is None or chosen is None:
        names = ", ".join(trial.host for trial in measured)
        raise InputError(
            f"nothing was measured on {host or 'any host'} in {state.id}",
            hint=f"there are: {names}" if names else "a policy's `measure` says what is (docs/soak.md)",
        )
    others = ", ".join(trial.host for trial in measured if trial is not chosen)
    more = f"Measured as well: {others} (--host)." if others else ""
    return replace(picture, left_out=" ".join(part for part in (picture.left_out, more) if part))
