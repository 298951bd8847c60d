"""`seatrial report`: what the journal knows of a rollout, told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seatrial.cli.drawn import HINT, PANELS, Panels, Plot, Theme, Width, draw, wanted
from seatrial.cli.options import Database, Json, Rollout, journal, print_json
from seatrial.engine.controller import state_of
from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.kernels.asked import failed_trial
from seatrial.model.event import Event
from seatrial.model.fold import RolloutState
from seatrial.report.document import markdown
from seatrial.report.narrate import narrate
from seatrial.report.upstream import bug_report

if TYPE_CHECKING:
    from seatrial.picture.values import Picture


def report(
    rollout: Rollout = None,
    /,
    *,
    upstream: Annotated[
        bool,
        Parameter(
            negative="", help="the bug report for the kernel's maintainers, without names and addresses"
        ),
    ] = False,
    plot: Plot = None,
    host: Annotated[
        str, Parameter(name="--host", help="whose soak is drawn [default: the last that was measured]")
    ] = "",
    panels: Panels = PANELS,
    width: Width = None,
    theme: Theme = "auto",
    database: Database = None,
    json: Json = False,
) -> int:
    """Time line and report of ROLLOUT as Markdown (or its events and lines as JSON), from the journal alone.

    --plot draws what a host's soak has measured, good against candidate, with what the trial went through.
    """
    if plot is not None:
        wanted(plot, panels=panels, width=width, as_json=json)
    elif host:
        raise InputError("--host says whose soak is drawn, and there is no --plot", hint=HINT)
    store = journal(database)
    known = store.rollouts()
    name = rollout or (known[-1] if known else "")
    if not name:
        raise InputError("there is no rollout yet", hint="start one with: seatrial rollout start KERNEL")
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
        print(markdown(events, rollout=name, picture=plot if plot != "-" else None), end="")
    if picture is not None and plot is not None:
        draw(picture, plot, width=width, theme=theme)
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
        trial for trial in state.trials.values() if trial.verdict and fleet.policy_of(trial.host).measure
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
