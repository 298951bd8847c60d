"""Regular expressions that take time in proportion to the text, whoever wrote the text: RE2, by its own library.

What is in: reading one, and looking for it in a line. Python's own `re` goes back and forth: with `(a+)+$` a host could
hold up the controller for days by what it prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression, ready to be looked for."""

    compiled: Any

    def found_in(self, line: str) -> bool:
        """Whether some part of the line fits."""
        return self.compiled.search(line) is not None


@lru_cache(maxsize=500)
def read_pattern(text: str) -> Pattern:
    """The pattern of a text in RE2's syntax, which is Python's without back references and look-around.

    Raises ValueError with what is wrong with it.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    options = re2.Options()
    # Else it tells its mistakes to the terminal as well.
    options.log_errors = False
    try:
        return Pattern(re2.compile(text, options))
    except re2.error as problem:
        said = problem.args[0] if problem.args else "it is not understood"
        raise ValueError(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from None
