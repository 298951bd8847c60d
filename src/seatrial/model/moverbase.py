"""MoverBase: what every declaration of a mover has, and the words that several of them share."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from seatrial.model.declared import Declared

# Each ends up in a script's words: neither a space nor what a shell or a path could read as something else.
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/\S{1,499}$")]


class MoverBase(Declared):
    """What every mover has."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that move with the service, for those who ask who has them."""
        return ()
