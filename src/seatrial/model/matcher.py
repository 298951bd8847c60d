"""Matcher: one condition on one label of an alert, as Alertmanager writes it; and whether two sets can fit one alert.

What is in: reading `name="value"`, and the question whether something could fit both. What is not: any alert.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from seatrial.model.pattern import read_pattern

_SHAPE = re.compile(r'^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{},\s]*))\s*$')
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
Sign = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A condition on a label; an alert without that label has the value "". Expressions fit the whole value."""

    label: str
    sign: Sign
    value: str

    def fits(self, value: str) -> bool:
        """Whether a label of this value fits."""
        if self.sign in ("=", "!="):
            return (value == self.value) is (self.sign == "=")
        found = read_pattern(f"^(?:{self.value})$").found_in(value)
        return found is (self.sign == "=~")

    def __str__(self) -> str:
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.sign}"{quoted}"'


def read_matcher(text: str) -> Matcher:
    """The matcher of a text such as `severity="page"` or `team=~net|storage`. Raises ValueError with what is wanted."""
    found = _SHAPE.match(text)
    if found is None:
        raise ValueError('a matcher such as severity="page" or alertname=~"Host.*" is wanted')
    label, sign, quoted, plain = found.groups()
    value = plain if quoted is None else re.sub(r"\\(.)", _unescaped, quoted)
    # The shape has no other sign.
    matcher = Matcher(label=label, sign=sign, value=value)  # type: ignore[arg-type]
    if sign in ("=~", "!~"):
        read_pattern(f"^(?:{value})$")
    return matcher


def _unescaped(found: re.Match[str]) -> str:
    # A backslash in front of anything else belongs to an expression.
    return _ESCAPED.get(found[1], found[0])


def _readable(text: str) -> str:
    read_matcher(text)
    return text


MatcherText = Annotated[str, StringConstraints(min_length=1, max_length=450), AfterValidator(_readable)]


def can_meet(one: Iterable[Matcher], other: Iterable[Matcher]) -> bool:
    """Whether one alert could fit all of these. Only what certainly excludes each other says no.

    That is so where a label must have one value on one side, and the other side says no to that value.
    """
    everything = [*one, *other]
    exact = [matcher for matcher in everything if matcher.sign == "="]
    if any(
        not matcher.fits(told.value)
        for told in exact
        for matcher in everything
        if matcher.label == told.label
    ):
        return False
    negated = {(m.label, m.value) for m in everything if m.sign == "!~"}
    # The same expression wanted and not wanted; nothing else about two expressions is decided.
    return not any(m.sign == "=~" and (m.label, m.value) in negated for m in everything)
