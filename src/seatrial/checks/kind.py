"""Kind: what there is to know of one kind of check, so that the registry is a table.

What is not in: any kind; each is a module in traffic/, storage/, host/ or platform/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.model.command import Command, Output
from seatrial.model.result import Result


@dataclass(frozen=True, slots=True)
class Kind:
    """How a check is asked and how its answer is read.

    `commands` makes the Commands of a check, `judge` a Result from its name, the check and the Outputs in their
    order. `places` says where each Command is run, in the same order; without it all are run at the check's `from`.
    Commands of one place run one after the other, those of different places at the same time.
    """

    commands: Callable[[Any], tuple[Command, ...]]
    judge: Callable[[str, Any, Sequence[Output]], Result]
    places: Callable[[Any], tuple[str, ...]] | None = None
