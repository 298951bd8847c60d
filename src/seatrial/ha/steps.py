"""The steps of a batch: one script on a host does several, and says of each how it went, on a line of its own. Pure.

A line is `step TAB name TAB milliseconds TAB status TAB what it said TAB hint`. A driver whose deeds are plain commands
has no such lines, and then there are no steps to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.model.command import Output
from seatrial.model.text import safe

_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStep:
    """One step as the host told it: `ms` is how long it took there, `status` 0 when it worked or was done already."""

    name: str
    ms: int
    status: int
    said: str = ""
    hint: str = ""

    def told(self) -> Mapping[str, Any]:
        """As plain JSON, for the journal."""
        return {"name": self.name, "ms": self.ms, "status": self.status, "said": self.said}


def read_steps(output: Output) -> tuple[BatchStep, ...]:
    """The steps that an Output tells of, in order; lines that are something else are passed over."""
    steps = []
    for line in output.stdout.splitlines():
        words = line.split("\t")
        if len(words) >= 4 and words[0] == "step" and words[2].isdecimal() and words[3].isdecimal():
            steps.append(
                BatchStep(
                    name=safe(words[1])[:60],
                    ms=int(words[2][:9]),
                    status=int(words[3][:4]),
                    said=safe(words[4])[:300] if len(words) > 4 else "",
                    hint=safe(words[5])[:300] if len(words) > 5 else "",
                )
            )
    return tuple(steps[:_MOST])
