"""The checks of a fleet file while they are gathered from another tool's file, and what was left out of it and why.

What is in: names, the rules of the fleet file for each check, and remarks with their place. What is not: any tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seatrial.errors import InputError
from seatrial.fleetfile.mistake import Place, shown
from seatrial.model.check import Check

MOST_CHECKS = 5000
_SHAPE: TypeAdapter[Any] = TypeAdapter(Check)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Remark:
    """One thing that is not in the checks as it was in the file: what, where, and why."""

    file: str
    place: Place
    what: str
    why: str

    def line(self) -> str:
        """`file:line:column: what: why`."""
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.what}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """One check as the fleet file will have it, and where it comes from."""

    keys: Mapping[str, Any]
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """All checks by name, what was left out, and what is asked in another way than it was."""

    checks: Mapping[str, Drafted]
    left_out: tuple[Remark, ...]
    changed: tuple[Remark, ...]


@dataclass(slots=True, kw_only=True)
class Draft:
    """Gathers checks for one vantage and stage."""

    vantage: str
    stage: str | None = None
    file: str = ""
    checks: dict[str, Drafted] = field(default_factory=dict)
    left_out: list[Remark] = field(default_factory=list)
    changed: list[Remark] = field(default_factory=list)
    _taken: dict[str, int] = field(default_factory=dict)

    def add(self, place: Place, what: str, kind: str, name: str = "", **keys: Any) -> bool:
        """A check, unless the fleet file would not have it; then it is left out. Returns whether it was taken.

        It is called after `name`, else after `what`. Keys that are None are not written, but for `status`, where that
        means any. An underscore behind a key keeps it apart from the names here.
        """
        declared: dict[str, Any] = {"kind": kind, "from": self.vantage}
        if self.stage is not None:
            declared["stage"] = self.stage
        declared.update(
            {key.rstrip("_"): value for key, value in keys.items() if value is not None or key == "status"}
        )
        try:
            _SHAPE.validate_python(declared, by_alias=True, by_name=False)
        except ValidationError as problem:
            error = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in error["loc"][1:])
            said = error["ctx"]["what"] if error["type"] == "entry" else error["msg"]
            self.leave(place, what, f"{where + ': ' if where else ''}{said[:1].lower()}{said[1:]}")
            return False
        if len(self.checks) >= MOST_CHECKS:
            raise InputError(
                f"{self.file}: would give more than {MOST_CHECKS:,} checks",
                hint="with its aliases written out it is much larger than it looks; import a part of it",
            )
        self.checks[self._free(name or what)] = Drafted(keys=declared, file=self.file, line=place.line)
        return True

    def leave(self, place: Place, what: str, why: str) -> None:
        """Note what is not carried over."""
        self.left_out.append(Remark(file=self.file, place=place, what=shown(what), why=why))

    def change(self, place: Place, what: str, why: str) -> None:
        """Note what is asked, but not just as it was."""
        self.changed.append(Remark(file=self.file, place=place, what=shown(what), why=why))

    def done(self) -> Imported:
        """What was gathered, remarks in the order of the file."""
        return Imported(
            checks=self.checks,
            left_out=tuple(sorted(dict.fromkeys(self.left_out))),
            changed=tuple(sorted(dict.fromkeys(self.changed))),
        )

    def _free(self, text: str) -> str:
        """A name of a fleet file that is like the text and that no other check has."""
        plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:55].rstrip("-") or "check"
        count = self._taken[plain] = self._taken.get(plain, 0) + 1
        free = plain if count == 1 else f"{plain}-{count}"
        # A text may itself end with a number that was given to another one.
        return free if free not in self.checks else self._free(text)
