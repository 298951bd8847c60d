"""YAML text to plain values that know where they stand. What is in: what YAML itself lets an operator get wrong.

That is syntax, tabs, duplicate keys, words that become booleans or numbers, aliases that grow without end, and depth.
What is not: what the keys mean. It works on the events of libyaml instead of composed nodes, because the composer
recurses in C: a file of brackets alone would end the process instead of naming a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from seatrial.fleetfile.mistake import Mistake, Path, Place, quoted, shown
from seatrial.fleetfile.scalar import Misread, read_scalar
from seatrial.fleetfile.syntax import syntax_mistakes

MAX_CHARACTERS = 4 * 1024 * 1024
MAX_VALUES = 1_000_000
MAX_DEPTH = 24


@dataclass(slots=True, kw_only=True)
class Item:
    """One value with its place. `weight` is how many values it holds when every alias in it is written out."""

    place: Place
    value: Any
    text: str = ""
    plain: bool = False
    weight: int = 1
    children: Mapping[str | int, Item] = field(default_factory=dict)
    key_places: Mapping[str, Place] = field(default_factory=dict)

    def entries(self) -> dict[str, Item]:
        """The keys and values of a mapping; of anything else, none."""
        return {key: item for key, item in self.children.items() if isinstance(key, str)}

    def elements(self) -> list[tuple[int, Item]]:
        """The places and values of a list; of anything else, none."""
        return [(key, item) for key, item in self.children.items() if isinstance(key, int)]

    def at(self, *path: str | int) -> Item | None:
        """What stands at the end of the path, or None."""
        item: Item | None = self
        for step in path:
            item = item.children.get(step) if item else None
        return item

    def word(self, *path: str | int) -> str | None:
        """The text at the end of the path; None when there is nothing or it is no text."""
        item = self.at(*path)
        return item.value if item and isinstance(item.value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What was read: the root, what is wrong so far, and the paths whose value is a guess until that is put right."""

    root: Item | None
    mistakes: tuple[Mistake, ...]
    guessed: frozenset[Path]


def read_tree(text: str) -> Tree:
    """The first document of the text, whatever it holds. Never raises for what the text is."""
    if len(text) > MAX_CHARACTERS:
        what = f"the file is longer than {MAX_CHARACTERS // 1024 // 1024} MiB: no fleet file is"
        return Tree(root=None, mistakes=(_of_file(what),), guessed=frozenset())
    # A byte order mark is no content; libyaml would count it as a column.
    text = text.removeprefix("\ufeff")
    builder = _Builder()
    try:
        builder.read(text)
    except _Ended as ended:
        # The rest of the file is not known, so whatever else was found may follow from what ended the reading.
        return Tree(root=None, mistakes=ended.mistakes, guessed=frozenset())
    except (yaml.YAMLError, UnicodeEncodeError) as problem:
        return Tree(root=None, mistakes=tuple(syntax_mistakes(text, problem)), guessed=frozenset())
    return Tree(root=builder.root, mistakes=tuple(builder.mistakes), guessed=frozenset(builder.guessed))


def _of_file(what: str) -> Mistake:
    return Mistake(place=Place(line=1, column=1), path=(), what=what)


class _Ended(Exception):
    """Leaves the walk with what was found; it is no error of the program."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__()
        self.mistakes = mistakes


@dataclass(slots=True, kw_only=True)
class _Open:
    """A mapping or list whose end was not seen yet."""

    place: Place
    anchor: str | None
    is_mapping: bool
    children: dict[str | int, Item] = field(default_factory=dict)
    key_places: dict[str, Place] = field(default_factory=dict)
    key: str | None = None
    key_place: Place | None = None
    waits: bool = False
    again: bool = False
    merged: list[Item] = field(default_factory=list)
    weight: int = 1

    @property
    def step(self) -> str | int | None:
        """Where the next value goes; None while a key is awaited."""
        if not self.is_mapping:
            return len(self.children)
        return self.key if self.waits else None


class _Builder:
    """Turns events into Items, keeping a stack of its own instead of Python's."""

    def __init__(self) -> None:
        self.root: Item | None = None
        self.mistakes: list[Mistake] = []
        self.guessed: set[Path] = set()
        self.stack: list[_Open] = []
        self.anchors: dict[str, Item | None] = {}
        self.documents = 0

    def read(self, text: str) -> None:
        """Walk all events. Raises _Ended for what makes the rest unreadable, and what libyaml raises."""
        loader = yaml.CSafeLoader(text)
        try:
            while loader.check_event():
                self.event(loader, loader.get_event())
        finally:
            loader.dispose()

    def event(self, loader: Any, event: Any) -> None:
        """Take one event."""
        place = Place(line=event.start_mark.line + 1, column=event.start_mark.column + 1)
        match event:
            case yaml.ScalarEvent():
                self.keep(event.anchor, self.scalar(loader, event, place))
            case yaml.AliasEvent():
                self.put(self.alias(str(event.anchor), place))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.open(event, place)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.close()
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise _Ended(
                        Mistake(place=place, path=(), what="a second document begins here: one is wanted")
                    )

    def path(self, *more: str | int) -> Path:
        """The path of the value that is awaited."""
        return (*(open_.step for open_ in self.stack if open_.step is not None), *more)

    def wrong(self, place: Place, what: str, path: Path | None = None) -> None:
        """Note a mistake at the awaited value and go on."""
        self.mistakes.append(Mistake(place=place, path=self.path() if path is None else path, what=what))

    def scalar(self, loader: Any, event: Any, place: Place) -> Item:
        """The value of a scalar, by the rules of YAML 1.1, with its surprises named."""
        tag = event.tag
        if tag is None or tag == "!":
            tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        plain = event.style in (None, "")
        is_key = bool(self.stack) and self.stack[-1].is_mapping and not self.stack[-1].waits
        try:
            value = read_scalar(tag, event.value)
        except Misread as misread:
            value = event.value
            if not is_key:
                self.wrong(place, misread.what)
                self.guessed.add(self.path())
        return Item(place=place, value=value, text=event.value, plain=plain)

    def alias(self, name: str, place: Place) -> Item:
        """What the anchor holds, again, counted as if it were written out."""
        if name not in self.anchors:
            self.wrong(place, f"*{shown(name)} is used and no &{shown(name)} comes before it")
            self.guessed.add(self.path())
            return Item(place=place, value=None)
        item = self.anchors[name]
        if item is None:
            raise _Ended(
                Mistake(
                    place=place, path=self.path(), what=f"*{shown(name)} is used inside itself: it has no end"
                )
            )
        return item

    def open(self, event: Any, place: Place) -> None:
        """A mapping or a list begins."""
        if len(self.stack) >= MAX_DEPTH:
            what = f"nested more than {MAX_DEPTH} deep: no fleet file is"
            raise _Ended(Mistake(place=place, path=self.path()[:4], what=what))
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self.wrong(place, f"the tag {quoted(event.tag)} is not known here: leave it out")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(
            _Open(place=place, anchor=event.anchor, is_mapping=isinstance(event, yaml.MappingStartEvent))
        )

    def close(self) -> None:
        """A mapping or a list ends; what `<<` brought in fills only what is not written."""
        done = self.stack.pop()
        for source in done.merged:
            for key, child in source.children.items():
                if isinstance(key, str) and key not in done.children:
                    done.children[key] = child
                    done.key_places[key] = source.key_places[key]
        value: Any
        if done.is_mapping:
            value = {key: child.value for key, child in done.children.items()}
        else:
            value = tuple(child.value for child in done.children.values())
        item = Item(
            place=done.place,
            value=value,
            weight=done.weight,
            children=done.children,
            key_places=done.key_places,
        )
        self.keep(done.anchor, item)

    def keep(self, anchor: str | None, item: Item) -> None:
        """Put the item where it belongs, and remember it under its anchor."""
        if anchor:
            self.anchors[anchor] = item
        self.put(item)

    def put(self, item: Item) -> None:
        """The item becomes the root, an element, a key or the value of a key."""
        if not self.stack:
            self.root = item
            return
        into = self.stack[-1]
        into.weight += item.weight
        if into.weight > MAX_VALUES:
            what = f"with its aliases written out the file has more than {MAX_VALUES:,} values: it is refused"
            raise _Ended(Mistake(place=item.place, path=(), what=what))
        if not into.is_mapping:
            into.children[len(into.children)] = item
        elif not into.waits:
            self.key(into, item)
        else:
            self.value(into, item)

    def key(self, into: _Open, item: Item) -> None:
        """A key was read."""
        into.waits, into.again = True, False
        into.key_place = item.place
        if item.children or isinstance(item.value, dict | tuple):
            into.key, into.again = None, True
            self.wrong(item.place, "a key is a word, not a list or a mapping")
            return
        into.key = item.text
        if item.text == "<<" and item.plain:
            into.key = None
        elif not isinstance(item.value, str):
            as_read = "nothing" if item.value is None else str(item.value).lower()
            self.wrong(item.place, f"YAML reads this key as {as_read}: write it in quotes", self.path())
            self.guessed.add(self.path())
        elif item.text in into.children:
            first = into.key_places[item.text]
            into.again = True
            self.wrong(item.place, f"is written twice, the first time in line {first.line}", self.path())

    def value(self, into: _Open, item: Item) -> None:
        """The value of the last key was read."""
        key, into.waits = into.key, False
        if into.again:
            return
        if key is not None:
            assert into.key_place is not None
            into.children[key] = item
            into.key_places[key] = into.key_place
            return
        sources = [item] if isinstance(item.value, dict) else [child for _, child in item.elements()]
        if not sources or any(not isinstance(source.value, dict) for source in sources):
            self.wrong(
                item.place, "<< takes a mapping, or a list of mappings, that stands elsewhere in the file"
            )
        else:
            into.merged += sources
