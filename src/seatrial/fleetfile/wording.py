"""An error of pydantic as a sentence a person would write, at the place where the operator wrote the cause.

What is in: one sentence for each type of error that the definition can give. What is not: finding errors. A type that
is not known here keeps pydantic's own words, in the voice of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from seatrial.fleetfile.definition import CHOOSERS, Spot, keys_of, noun_of, spot_of
from seatrial.fleetfile.mistake import Mistake, Path, Place, listed, meant, quoted, shown
from seatrial.fleetfile.tree import Item

_NAME = "letters, digits, '.', '_' and '-', at most 63, the first a letter or a digit"


def mistake_of(error: ErrorDetails, root: Item) -> Mistake:
    """Where and what, for one error."""
    loc = list(error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    if kind.startswith("union_tag"):
        # The movers' union is chosen by a function, since one of them is meant where nothing is said.
        loc.append("kind" if "'kind'" in str(context.get("discriminator")) else "driver")
        spot = Spot(path=tuple(loc), owner=spot_of(loc[:-1]).owner, on_key=False)
    else:
        spot = spot_of(loc)
    if kind == "entry":
        spot = Spot(path=(*spot.path, context["key"]), owner=spot.owner, on_key=False)
    at_key = spot.on_key or kind == "extra_forbidden"
    return Mistake(
        place=place_at(root, spot.path, at_key=at_key), path=spot.path, what=_sentence(error, spot, root)
    )


def place_at(root: Item, path: Path, *, at_key: bool) -> Place:
    """The place of the value at the path, or of its key; of the nearest thing around it when it is absent."""
    item, place = root, root.place
    for number, step in enumerate(path, 1):
        parent, below = item, item.children.get(step)
        last = number == len(path)
        if below is None:
            return place
        item = below
        key_place = parent.key_places.get(step) if isinstance(step, str) else None
        # What is missing from an entry is shown at the entry's key, where the eye looks for it.
        place = item.place if last and not at_key else key_place or item.place
    return place


def _sentence(error: ErrorDetails, spot: Spot, root: Item) -> str:
    kind, context = error["type"], error.get("ctx", {})
    item = root.at(*spot.path)
    last = str(spot.path[-1]) if spot.path else ""
    if kind == "missing":
        return "is missing" if spot.path else "the file is empty"
    if kind == "extra_forbidden":
        return f"is not a key of {noun_of(spot.owner)}{meant(last, keys_of(spot.owner))}"
    if kind.startswith("union_tag"):
        return _union(last, context, item)
    if kind == "literal_error":
        return _choice(context, item)
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"]), last if spot.on_key else _written(item), item)
    if item is not None and item.value is None and not spot.on_key and kind.endswith("_type"):
        return "has no value"
    if kind in _TYPES:
        return f"{_TYPES[kind]} is wanted{_instead(item, text=kind == 'string_type')}"
    if kind in _BOUNDS:
        return f"{_bound(kind, context, item)}, not {_written(item)}"
    if kind == "too_short":
        least = context["min_length"]
        return "is empty: at least one is wanted" if least == 1 else f"at least {least} are wanted"
    if kind == "value_error":
        given = (
            f"{_written(item)} is not right: "
            if item is not None and not isinstance(item.value, dict | tuple)
            else ""
        )
        return f"{given}{context['error']}"
    if kind == "entry":
        return str(context["what"])
    return error["msg"][:1].lower() + error["msg"][1:]


_TYPES: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
}

_BOUNDS = frozenset({"greater_than_equal", "less_than_equal", "string_too_short", "string_too_long"})
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))

# The patterns of the definition, by how they begin, in words.
_PATTERNS = (
    ("^[A-Za-z0-9]", _NAME),
    ("^(ldap", "ldap://HOST, ldaps://HOST or ldapi:// is wanted, and nothing behind it"),
    ("^\\(", "a filter in parentheses is wanted, such as (uid=anna)"),
    ("^[A-Za-z][", "the name of an attribute is wanted"),
    ("^https?", "an address that begins with http:// or https:// is wanted"),
    ("^/", "an absolute path without spaces is wanted"),
    ("^[^\\s-]", "one word that does not begin with '-' is wanted"),
)


def _bound(kind: str, context: Mapping[str, Any], item: Item | None) -> str:
    if kind == "string_too_short":
        return "some text is wanted"
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters are wanted"
    limit = context["ge" if kind == "greater_than_equal" else "le"]
    words = f"{limit:g}"
    # A number given as text is a duration, so its limit is told as one.
    if item is not None and isinstance(item.value, str):
        words = next((f"{limit / size:g}{unit}" for unit, size in _UNITS if limit % size == 0), f"{limit:g}s")
    return f"at {'least' if kind == 'greater_than_equal' else 'most'} {words} is wanted"


def _pattern(pattern: str, word: str, item: Item | None) -> str:
    rule = next((words for begin, words in _PATTERNS if pattern.startswith(begin)), f"{pattern} is wanted")
    given = quoted(item.value) if item is not None and isinstance(item.value, str) else quoted(word)
    return f"{given} is not a name: {rule}" if rule is _NAME else f"{given} is not right: {rule}"


def _union(chooser: str, context: Mapping[str, Any], item: Item | None) -> str:
    known = [word.strip().strip("'") for word in str(context.get("expected_tags", "")).split(",") if word]
    if item is None:
        return "is missing: it says what is asked"
    if not isinstance(item.value, str):
        return f"text is wanted{_instead(item, text=True)}"
    return f"{_written(item)} is not a {CHOOSERS[chooser]}{meant(item.value, known)}"


def _choice(context: Mapping[str, Any], item: Item | None) -> str:
    # pydantic gives the choices as prose: 'a', 'b' or 'c'.
    if "'" not in str(context["expected"]):
        return f"{context['expected']} is wanted, not {_written(item)}"
    choices = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")]
    if item is None or not isinstance(item.value, str):
        return f"{listed(choices).replace(' and ', ' or ')} is wanted{_instead(item, text=True)}"
    if len(choices) == 1:
        return f"{_written(item)} is not known: {choices[0]} is wanted"
    return f"{_written(item)} is not one of {', '.join(choices)}{_near(item.value, choices)}"


def _near(word: str, choices: list[str]) -> str:
    end = meant(word, choices)
    return end if "did you mean" in end else ""


def _instead(item: Item | None, *, text: bool) -> str:
    """What stands there instead, and where `text` is wanted, how YAML came to read it so."""
    if item is None:
        return ""
    if isinstance(item.value, dict):
        return ", not a mapping"
    if isinstance(item.value, tuple):
        return ", not a list"
    if text and item.plain and isinstance(item.value, bool) and item.text.lower() not in ("true", "false"):
        return f": YAML reads {item.text} as {str(item.value).lower()}, write it in quotes"
    if text and item.plain and not isinstance(item.value, str) and item.value is not None:
        what = "true or false" if isinstance(item.value, bool) else "a number"
        return f", and {shown(item.text)} is {what}: write it in quotes"
    return f", not {_written(item)}"


def _written(item: Item | None) -> str:
    if item is None:
        return "nothing"
    if item.children or isinstance(item.value, dict | tuple):
        return "a mapping" if isinstance(item.value, dict) else "a list"
    return quoted(item.text) if isinstance(item.value, str) else shown(item.text) or "nothing"
