"""Regular expressions that take time in proportion to the text, whoever wrote the text.

What is in: the part of the syntax of Python and RE2 that needs no going back, and the search for one in a line. What
is not: groups that remember what they held, look-around, back references. Python's own `re` goes back and forth: with
`(a+)+$` a host could hold up the controller for days by what it prints.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LONGEST = 500
# Of the pattern with its counted repeats written out.
MOST_STEPS = 400
MOST_DEPTH = 30
MOST_REPEAT = 200
_REMEMBERED = 5000

Range = tuple[str, str]

_DIGIT: tuple[Range, ...] = (("0", "9"),)
_ALPHA: tuple[Range, ...] = (("A", "Z"), ("a", "z"))
_SPACE: tuple[Range, ...] = (("\t", "\r"), (" ", " "))
_WORD: tuple[Range, ...] = (*_DIGIT, *_ALPHA, ("_", "_"))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_NAMED = {
    "alnum": (*_DIGIT, *_ALPHA),
    "alpha": _ALPHA,
    "blank": (("\t", "\t"), (" ", " ")),
    "digit": _DIGIT,
    "lower": (("a", "z"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": _SPACE,
    "upper": (("A", "Z"),),
    "xdigit": (*_DIGIT, ("A", "F"), ("a", "f")),
}
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}


@dataclass(frozen=True, slots=True)
class _One:
    """One character out of some ranges, or out of all others."""

    ranges: tuple[Range, ...]
    others: bool = False

    def fits(self, letter: str) -> bool:
        return any(low <= letter <= high for low, high in self.ranges) is not self.others


@dataclass(frozen=True, slots=True)
class _At:
    """A place and no character: `^`, `$`, or with or without an edge of a word (`b`, `B`)."""

    place: str


@dataclass(frozen=True, slots=True)
class _Row:
    """One after the other; an empty row is nothing."""

    parts: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class _Either:
    """One of several."""

    parts: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    """At least and at most so many times; None is without end."""

    part: _Part
    least: int
    most: int | None


_Part = _One | _At | _Row | _Either | _Repeat


class _Reader:
    """The text of a pattern to its parts."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, word: str) -> bool:
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def either(self) -> _Part:
        rows = [self.row()]
        while self.take("|"):
            rows.append(self.row())
        return rows[0] if len(rows) == 1 else _Either(tuple(rows))

    def row(self) -> _Part:
        parts: list[_Part] = []
        while self.next() and self.next() not in "|)":
            parts.append(self.repeated(self.single()))
        return _Row(tuple(parts))

    def repeated(self, part: _Part) -> _Part:
        bounds = self.bounds()
        if bounds is None:
            return part
        if isinstance(part, _At):
            raise ValueError("a place such as ^ cannot be repeated")
        # Lazy or greedy makes no difference to whether something is found.
        self.take("?")
        if self.next() and self.next() in "*+?":
            raise ValueError("two repeats stand one behind the other")
        return _Repeat(part, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        for word, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(word):
                return bounds
        end = self.text.find("}", self.at)
        if self.next() != "{" or end < 0:
            return None
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if not (low.isdecimal() and low.isascii() and (high == "" or (high.isdecimal() and high.isascii()))):
            # As everywhere, braces that hold no numbers are braces.
            return None
        self.at = end + 1
        least, most = int(low), int(high) if high else None if comma else int(low)
        if least > MOST_REPEAT or (most is not None and not least <= most <= MOST_REPEAT):
            raise ValueError(f"a repeat goes from 0 to {MOST_REPEAT} times, from few to many")
        return least, most

    def single(self) -> _Part:
        letter = self.next()
        self.at += 1
        if letter == "(":
            return self.group()
        if letter == "[":
            return self.set()
        if letter == "\\":
            return self.escape()
        if letter in "^$":
            return _At(letter)
        if letter in "*+?":
            raise ValueError(f"there is nothing before {letter} to repeat")
        return _One((), others=True) if letter == "." else _One(((letter, letter),))

    def group(self) -> _Part:
        if self.take("?") and not self.take(":"):
            raise ValueError(
                "look-around and flags inside of a pattern are not known here; (?i) may stand before it"
            )
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise ValueError(f"groups stand more than {MOST_DEPTH} deep")
        inner = self.either()
        self.depth -= 1
        if not self.take(")"):
            raise ValueError("a ( is not closed")
        return inner

    def escape(self) -> _Part:
        letter = self.next()
        self.at += 1
        if letter in ("b", "B"):
            return _At(letter)
        if letter in ("A", "z", "Z"):
            return _At("^" if letter == "A" else "$")
        ranges, others = self.escaped(letter)
        return _One(ranges, others)

    def escaped(self, letter: str) -> tuple[tuple[Range, ...], bool]:
        if not letter:
            raise ValueError("it ends with a backslash")
        if letter.lower() in _CLASSES:
            return _CLASSES[letter.lower()], letter.isupper()
        plain = _CONTROL.get(letter, letter)
        if plain == letter and letter.isalnum() and letter.isascii():
            raise ValueError(f"\\{letter} is not known here")
        return ((plain, plain),), False

    def set(self) -> _Part:
        others = self.take("^")
        ranges: list[Range] = []
        first = True
        while first or self.next() != "]":
            first = False
            if not self.next():
                raise ValueError("a [ is not closed")
            ranges += self.range()
        self.at += 1
        return _One(tuple(ranges), others)

    def range(self) -> tuple[Range, ...]:
        if self.take("[:"):
            name, _, _ = self.text[self.at :].partition(":]")
            if name not in _NAMED:
                raise ValueError(f"[:{name[:20]}:] is not known")
            self.at += len(name) + 2
            return _NAMED[name]
        low = self.bound()
        if len(low) != 1 or low[0][0] != low[0][1]:
            return low
        if self.next() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return low
        self.at += 1
        high = self.bound()
        if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
            raise ValueError("a range in [ ] goes from one character to a later one")
        return ((low[0][0], high[0][0]),)

    def bound(self) -> tuple[Range, ...]:
        letter = self.next()
        self.at += 1
        if letter != "\\":
            return ((letter, letter),)
        letter = self.next()
        self.at += 1
        if letter == "b":
            return (("\b", "\b"),)
        ranges, others = self.escaped(letter)
        if others:
            raise ValueError(f"\\{letter} cannot stand in [ ]")
        return ranges


@dataclass(frozen=True, slots=True)
class _Step:
    """What is wanted here (nothing for a fork), and the numbers of the steps that follow."""

    wanted: _One | _At | None
    after: tuple[int, ...]


@dataclass(slots=True)
class Pattern:
    """One expression, ready to be looked for in lines. All its steps are followed at once, one character at a time."""

    steps: list[_Step]
    begin: int
    caseless: bool
    _known: dict[tuple[frozenset[int], str, str], frozenset[int] | None] = field(default_factory=dict)

    def found_in(self, line: str) -> bool:
        """Whether some part of the line fits."""
        if self.caseless:
            line = line.lower()
        here: frozenset[int] = frozenset()
        before = ""
        for letter in (*line, ""):
            key = (here, before, letter)
            if key not in self._known:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = self._further(here, before, letter)
            further = self._known[key]
            if further is None:
                return True
            here, before = further, letter
        return False

    def _further(self, here: frozenset[int], before: str, letter: str) -> frozenset[int] | None:
        """The steps after one more character, or None when the end of the pattern was reached before it."""
        seen: set[int] = set()
        waiting = [self.begin, *here]
        after: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self.steps[number]
            if not step.after:
                return None
            if isinstance(step.wanted, _One):
                if letter and step.wanted.fits(letter):
                    after.update(step.after)
            elif step.wanted is None or _holds(step.wanted.place, before, letter):
                waiting += step.after
        return frozenset(after)


def _holds(place: str, before: str, letter: str) -> bool:
    if place == "^":
        return not before
    if place == "$":
        return not letter
    edge = _is_word(before) is not _is_word(letter)
    return edge if place == "b" else not edge


def _is_word(letter: str) -> bool:
    return bool(letter) and any(low <= letter <= high for low, high in _WORD)


def read_pattern(text: str) -> Pattern:
    """The pattern of a text, which may begin with (?i) for upper and lower case alike. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    caseless = text.startswith("(?i)")
    reader = _Reader(_lowered(text[4:]) if caseless else text)
    part = reader.either()
    if reader.at < len(reader.text):
        raise ValueError("a ) closes nothing")
    steps: list[_Step] = [_Step(None, ())]
    begin = _compile(part, 0, steps)
    return Pattern(steps, begin, caseless)


def _lowered(text: str) -> str:
    # These mean something else in small letters.
    if any(word in text for word in (*(f"\\{letter}" for letter in "DWSBAZ"), "[:upper:]")):
        raise ValueError("(?i) does not go together with \\D, \\W, \\S, \\B, \\A, \\Z and [:upper:] here")
    return text.lower()


def _compile(part: _Part, after: int, steps: list[_Step]) -> int:
    """Append the steps of a part that is followed by the step `after`; the number of its first one."""
    match part:
        case _One() | _At():
            return _append(_Step(part, (after,)), steps)
        case _Row():
            for one in reversed(part.parts):
                after = _compile(one, after, steps)
            return after
        case _Either():
            return _append(_Step(None, tuple(_compile(one, after, steps) for one in part.parts)), steps)
    if part.most is None:
        # The fork has to be there before what leads back to it.
        fork = _append(_Step(None, (after,)), steps)
        steps[fork] = _Step(None, (_compile(part.part, fork, steps), after))
        begin = fork
    else:
        begin = after
        for _ in range(part.most - part.least):
            begin = _append(_Step(None, (_compile(part.part, begin, steps), after)), steps)
    for _ in range(part.least):
        once = _compile(part.part, begin, steps)
        if once == begin:
            # Nothing, so many times, is nothing; a nest of such repeats would be counted for hours.
            break
        begin = once
    return begin


def _append(step: _Step, steps: list[_Step]) -> int:
    if len(steps) >= MOST_STEPS:
        raise ValueError(f"with its repeats written out it has more than {MOST_STEPS} steps")
    steps.append(step)
    return len(steps) - 1
