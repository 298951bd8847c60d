"""Pictures made for the tests."""

from __future__ import annotations

import numpy as np

from seatrial.picture.values import Clock, Curve, Effect, Mark, Panel, Picture, What

HOSTILE = '<script>alert(1)</script>&"\x1b[2J\x00‮é\ud800'


def curve(*values: float, begin: float = 0.0, step: float = 1.0, counts: bool = False) -> Curve:
    return Curve(t=begin + step * np.arange(float(len(values))), value=np.array(values), counts=counts)


def panel(name: str = "load.1", *, marks: tuple[Mark, ...] = (), with_effect: bool = True) -> Panel:
    t = np.array([10.0, 20.0, 50.0])
    effect = Effect(
        t=t,
        low=np.array([0.0, 2.0, 4.0]),
        ratio=np.array([6.0, 5.0, 5.0]),
        high=np.array([np.inf, 9.0, 6.0]),
        enough=1.5,
        sure=0.99,
    )
    return Panel(
        name=name,
        outcome="fail",
        short="5x good (4x to 6x)",
        because="99 % sure of either bound at any time",
        unit="ms",
        good=curve(*(4.0 + at % 2 for at in range(60))),
        candidate=curve(*(22.0 + at % 3 for at in range(60))),
        effect=effect if with_effect else None,
        marks=marks
        or (
            Mark(t=5.0, text="since", what=What.SINCE),
            Mark(t=50.0, text="fail", what=What.VERDICT),
        ),
    )


def picture(*panels: Panel, events: tuple[Mark, ...] = (), clock: Clock = Clock.SECONDS) -> Picture:
    return Picture(
        title="load.csv: candidate against good",
        summary="1 fail of 1 series",
        clock=clock,
        panels=panels or (panel(),),
        events=events or (Mark(t=30.0, text="failover"), Mark(t=31.0, text="scheduler changed")),
        left_out="3 more series not shown, which are less bad than these.",
    )
