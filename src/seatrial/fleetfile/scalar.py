"""One YAML scalar to a plain value, with the surprises of YAML 1.1 refused instead of passed on.

What is in: tags and the texts that stand for booleans and numbers. What is not: whether a value fits its key.
"""

from __future__ import annotations

from seatrial.fleetfile.mistake import quoted, shown

_STANDARD = "tag:yaml.org,2002:"
_TRUE = frozenset({"yes", "true", "on", "y"})
_FALSE = frozenset({"no", "false", "off", "n"})
_DIGITS = 15


class Misread(Exception):
    """YAML would read this text as something that nobody meant."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def read_scalar(tag: str, text: str) -> str | int | float | bool | None:
    """The value of a scalar with a resolved tag. Raises Misread.

    Dates and times of day stay text: no key of a fleet file wants one.
    """
    kind = tag.removeprefix(_STANDARD)
    if kind in ("str", "timestamp", "value", "merge"):
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    if kind == "int":
        return _whole(text)
    if kind == "float":
        return _number(text)
    raise Misread(f"the tag {quoted(tag)} is not known here: leave it out")


def _whole(text: str) -> int:
    digits = text.replace("_", "").lower()
    bare = digits.lstrip("+-")
    if ":" in text:
        raise Misread(_sixty(text))
    if len(bare) > _DIGITS:
        raise Misread(f"{shown(text)} is too large a number")
    try:
        if bare.startswith(("0x", "0b")):
            return int(digits, 0)
        if len(bare) > 1 and bare.startswith("0"):
            raise Misread(
                f"YAML reads {shown(text)} as {int(digits, 8)}, in octal: write {bare.lstrip('0') or 0}, or use quotes"
            )
        return int(digits)
    except ValueError:
        raise Misread(f"{quoted(text)} is not a whole number") from None


def _number(text: str) -> float:
    digits = text.replace("_", "").lower()
    if ":" in text:
        raise Misread(_sixty(text))
    try:
        # YAML writes infinity as .inf; Python's float knows inf.
        return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise Misread(f"{quoted(text)} is not a number") from None


def _sixty(text: str) -> str:
    return f"YAML reads {shown(text)} as a number to the base of sixty: write a duration such as 90s, or use quotes"
