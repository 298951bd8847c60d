"""The soak of a trial as a picture that moves on with each verdict: good against candidate, with the trial's own events."""

from __future__ import annotations

from seatrial.errors import InputError
from seatrial.picture.sheet import laid_out
from seatrial.picture.svg import as_svg
from seatrial.soak.trials import pictured
from seatrial.web.following import Following
from seatrial.web.views.rollout import told_of
from seatrial.web.views.words import plain

MOST_PANELS = 4


def soak_drawn(following: Following, name: str, host: str) -> str:
    """The SVG of a host's soak so far. Raises InputError where nothing was measured."""
    told = told_of(following, name)
    trial = told.state.trials.get(host)
    measure = told.fleet.policy_of(host).measure if told.fleet and trial else None
    picture = None
    if trial is not None and measure is not None and trial.verdict:
        picture = pictured(following.journal.read(name), trial, measure, most=MOST_PANELS)
    if picture is None:
        raise InputError(
            f"there is no soak of {plain(host)[:80]} in {name}",
            hint="a policy's `measure` says what is measured",
        )
    return as_svg(laid_out(picture))
