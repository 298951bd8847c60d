"""The soak of a trial as a picture that moves on with each stretch of samples: good against candidate, with the trial's own
events."""

from __future__ import annotations

from seatrial.errors import InputError
from seatrial.model.event import Event, Kind
from seatrial.picture.sheet import WIDTH, laid_out
from seatrial.picture.svg import as_svg
from seatrial.soak.trials import pictured
from seatrial.web.following import Following
from seatrial.web.views.rollout import told_of
from seatrial.web.views.words import plain

MOST_PANELS = 4
PHONE = 390
_OF_HOST = (Kind.TRIAL_MOVED, Kind.TRIAL_ACTED, Kind.VERDICT, Kind.NOTE)
_OF_ROLLOUT = (Kind.ROLLOUT_PAUSED, Kind.ROLLOUT_RESUMED, Kind.ROLLOUT_ABORTED, Kind.NOTE)


def soak_drawn(following: Following, name: str, host: str, *, small: bool = False) -> str:
    """The SVG of a host's soak so far, `small` for a telephone. Raises InputError where nothing was measured."""
    told = told_of(following, name)
    trial = following.trial(told, host) if host in told.state.trials else None
    measure = told.fleet.policy_of(host).measure if told.fleet and trial else None
    picture = None
    if trial is not None and measure is not None:
        picture = pictured(_events(following, name, host), trial, measure, most=MOST_PANELS)
    if picture is None:
        raise InputError(
            f"there is no soak of {plain(host)[:80]} in {name}",
            hint="a policy's `measure` says what is measured",
        )
    return as_svg(laid_out(picture, width=PHONE if small else WIDTH))


def _events(following: Following, name: str, host: str) -> list[Event]:
    """What the picture marks: what became of the host, what people decided, and what they wrote down."""
    read = following.journal.read
    return sorted(
        read(name, host=host, kinds=_OF_HOST) + read(name, host="", kinds=_OF_ROLLOUT),
        key=lambda one: one.seq,
    )
