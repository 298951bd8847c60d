"""Text to a Checklist, or to every mistake in it. What is in: the documents, and what each key takes.

What is not: YAML itself, which the fleet file's reader knows with all its bounds: it reads one document, so the text is
cut where one begins. The old tool took some things in silence that check nothing (a test without a name, a key that is
spelt wrong); they are mistakes here. What it ended on with a traceback is a mistake as well.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from seatrial.checklist.definition import Checklist, Cmd, Test
from seatrial.checklist.rules import MOST_COMMAND, MOST_OUTPUT
from seatrial.errors import InputError
from seatrial.fleetfile.mistake import Mistake, Path, nearest, quoted, shown
from seatrial.fleetfile.syntax import place_of
from seatrial.fleetfile.tree import MAX_CHARACTERS, MAX_DEPTH, Item, read_tree

MOST_DOCUMENTS = 100
MOST_CMDS = 10_000
# Of the text of all commands and outputs, with every alias written out.
MOST_TEXT = 8 * 1024 * 1024
# Nobody reads more of them, and a file of aliases can have millions.
MOST_MISTAKES = 200

_ITEM = ("envvars", "name", "tests")
_CMD = ("cmd", "retcode", "stdout", "stderr")


class Unreadable(InputError):
    """The file is no YAML, or more of it than anybody wrote by hand; nothing was run."""


def parse_bytes(data: bytes, *, filename: str) -> Checklist:
    """The Checklist that the bytes declare. Raises Unreadable for what is no YAML in UTF-8, and InputError as `parse`."""
    hint = "save the file as UTF-8; nothing was run"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(f"{filename}:1:1: the file is UTF-16, and UTF-8 is wanted", hint=hint)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        place = place_of(data[: problem.start].decode("utf-8"), problem.start)
        what = f"byte 0x{data[problem.start]:02x} is no UTF-8"
        raise Unreadable(Mistake(place=place, path=(), what=what).line(filename), hint=hint) from None
    return parse(text, filename=filename)


def parse(text: str, *, filename: str) -> Checklist:
    """The Checklist that the text declares; it may have no test at all, which is for the caller to refuse.

    Raises InputError with every mistake, one a line: `filename:line:column: [item].key: what is wrong`.
    """
    reading = _Reading()
    unreadable: list[Mistake] = []
    for part in _documents(text.removeprefix("\ufeff")):
        tree = read_tree(part)
        told = [_of_a_checklist(mistake) for mistake in tree.mistakes]
        if tree.root is None and told:
            unreadable += told
            break
        reading.mistakes += told
        reading.guessed = tree.guessed
        if tree.root is not None and tree.root.value is not None:
            reading.document(tree.root)
        if reading.full:
            break
    mistakes = sorted(dict.fromkeys((*reading.mistakes, *unreadable)), key=lambda mistake: mistake.place)
    if mistakes:
        kind = Unreadable if unreadable else InputError
        count = "this line" if len(mistakes) == 1 else f"these {len(mistakes)} places"
        raise kind(
            "\n".join(mistake.line(filename) for mistake in mistakes),
            hint=f"correct {count}; nothing was run",
        )
    notes = tuple(note.line(filename) for note in reading.notes)
    return Checklist(envvars=tuple(reading.envvars.items()), tests=tuple(reading.tests), notes=notes)


def _of_a_checklist(mistake: Mistake) -> Mistake:
    # The reader speaks of the file that it was made for.
    what = mistake.what.replace("no fleet file is", "no checklist is")
    return Mistake(place=mistake.place, path=mistake.path, what=what)


def _documents(text: str) -> Iterator[str]:
    """Each document, behind as many empty lines as come before it, so that every line keeps its number.

    Text that is no YAML is left to who reads it.
    """
    starts: list[tuple[int, int]] = []
    depth = 0
    if len(text) <= MAX_CHARACTERS:
        loader = yaml.CSafeLoader(text)
        try:
            # The reader refuses what is deeper; libyaml takes longer for each bracket that is open.
            while len(starts) <= MOST_DOCUMENTS and depth <= MAX_DEPTH and loader.check_event():
                event = loader.get_event()
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
                    event, yaml.CollectionEndEvent
                )
                if isinstance(event, yaml.DocumentStartEvent):
                    mark = event.start_mark
                    assert mark is not None
                    # What stands before it in its line is its indentation.
                    starts.append((mark.line, mark.index - mark.column))
        except (yaml.YAMLError, UnicodeEncodeError):
            pass
        finally:
            loader.dispose()
    if len(starts) > MOST_DOCUMENTS:
        raise Unreadable(f"more than {MOST_DOCUMENTS} documents: no checklist has", hint="nothing was run")
    starts = [(0, 0), *starts[1:]]
    ends = [begin for _, begin in starts[1:]]
    for (line, begin), end in zip(starts, [*ends, len(text)], strict=True):
        yield "\n" * line + text[begin:end]


@dataclass(slots=True)
class _Reading:
    """What was found so far, over all documents."""

    guessed: frozenset[Path] = frozenset()
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[Mistake] = field(default_factory=list)
    envvars: dict[str, str] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)
    cmds: int = 0
    characters: int = 0

    @property
    def full(self) -> bool:
        """Whether there is more than is ever run; a file of aliases can be much larger than it looks."""
        return self.too_many or self.cmds + len(self.tests) > MOST_CMDS or self.characters > MOST_TEXT

    @property
    def too_many(self) -> bool:
        """Whether there is more wrong than is told."""
        return len(self.mistakes) + len(self.notes) >= MOST_MISTAKES

    def document(self, root: Item) -> None:
        """One document: a list of items."""
        if not isinstance(root.value, tuple):
            self.wrong(root, (), f"a list of items is wanted, not {_kind(root)}")
            return
        for index, item in root.elements():
            self.item(item, (index,))
            if self.too_many:
                return
            if self.full:
                what = f"with its aliases written out there are more than {MOST_CMDS:,} tests and commands"
                if self.characters > MOST_TEXT:
                    what = f"with its aliases written out it has more than {MOST_TEXT // 1024 // 1024} MiB of text"
                self.wrong(item, (index,), f"{what}: it is refused")
                return

    def item(self, item: Item, path: Path) -> None:
        """`envvars`, or `name` and `tests`; the old tool took both in one item as well."""
        if not isinstance(item.value, dict):
            self.wrong(
                item, path, f"a mapping with envvars, or with name and tests, is wanted, not {_kind(item)}"
            )
            return
        self.keys(item, path, _ITEM)
        entries = item.entries()
        if "envvars" in entries and entries["envvars"].value is not None:
            self.variables(entries["envvars"], (*path, "envvars"))
        if "name" in entries or "tests" in entries:
            self.test(item, path)
        elif "envvars" not in entries:
            self.wrong(item, path, "has neither envvars nor name and tests, so it would check nothing")

    def keys(self, item: Item, path: Path, known: tuple[str, ...]) -> None:
        """A key that nobody looks at is noted; one that looks like a slip would quietly check nothing."""
        for key in item.entries():
            if self.too_many:
                return
            if key in known:
                continue
            place = item.key_places.get(key, item.place)
            near = nearest(key, [name for name in known if name not in item.children])
            if near is None:
                self.notes.append(Mistake(place=place, path=(*path, key), what="is not looked at"))
            else:
                what = f"is not a key of a checklist; did you mean '{near}'?"
                self.mistakes.append(Mistake(place=place, path=(*path, key), what=what))

    def variables(self, item: Item, path: Path) -> None:
        """A list of maps from names to text; of a name that comes twice the first value holds."""
        if not isinstance(item.value, tuple):
            self.wrong(item, path, f"a list of maps is wanted, not {_kind(item)}")
            return
        for index, group in item.elements():
            if self.full:
                return
            if not isinstance(group.value, dict):
                self.wrong(group, (*path, index), f"a map from names to text is wanted, not {_kind(group)}")
                continue
            for name, value in group.entries().items():
                if self.full:
                    return
                here = (*path, index, name)
                if not name or "=" in name or "\0" in name:
                    self.wrong(value, here, "no environment variable can have this name")
                text = self.text(value, here)
                if text is not None:
                    self.envvars.setdefault(name, text)

    def test(self, item: Item, path: Path) -> None:
        """A name and a list of commands."""
        entries = item.entries()
        name = entries.get("name")
        if name is None or name.value is None or name.value in ("", 0, False):
            self.wrong(name or item, (*path, "name"), "is missing: a test without a name was never run")
        elif isinstance(name.value, tuple | dict):
            self.wrong(name, (*path, "name"), f"text is wanted, not {_kind(name)}")
        listed = entries.get("tests")
        if listed is None or listed.value is None:
            self.wrong(
                listed or item, (*path, "tests"), "is missing: it is a list of commands, which may be empty"
            )
            return
        if not isinstance(listed.value, tuple):
            self.wrong(listed, (*path, "tests"), f"a list of commands is wanted, not {_kind(listed)}")
            return
        cmds: list[Cmd] = []
        for index, entry in listed.elements():
            if self.full:
                break
            self.cmds += 1
            if (cmd := self.cmd(entry, (*path, "tests", index))) is not None:
                cmds.append(cmd)
        # A number as a name was taken by the old tool, and shown as Python shows it.
        text = str(name.value) if name is not None else ""
        self.tests.append(Test(name=text, line=item.place.line, cmds=tuple(cmds)))

    def cmd(self, item: Item, path: Path) -> Cmd | None:
        """One command with what is wanted of it; None when there is none, which is a mistake by then."""
        if not isinstance(item.value, dict):
            self.wrong(item, path, f"a mapping with cmd is wanted, not {_kind(item)}")
            return None
        self.keys(item, path, _CMD)
        entries = item.entries()
        text = None
        if "cmd" not in entries or entries["cmd"].value is None:
            self.wrong(entries.get("cmd", item), (*path, "cmd"), "is missing: it is the shell text to run")
        else:
            text = self.text(entries["cmd"], (*path, "cmd"))
        if text is not None and len(text.encode("utf-8", "surrogateescape")) > MOST_COMMAND:
            self.wrong(
                entries["cmd"],
                (*path, "cmd"),
                f"is longer than {MOST_COMMAND:,} bytes: Linux takes no longer one",
            )
        retcode = self.retcode(entries.get("retcode"), (*path, "retcode"))
        stdout, stderr = (self.output(entries.get(name), (*path, name)) for name in ("stdout", "stderr"))
        if text is None:
            return None
        return Cmd(text=text, line=item.place.line, retcode=retcode, stdout=stdout, stderr=stderr)

    def retcode(self, item: Item | None, path: Path) -> int | None:
        """A whole number; negative for a signal."""
        if item is None or item.value is None:
            return None
        if not isinstance(item.value, int) or isinstance(item.value, bool):
            self.wrong(item, path, f"a whole number is wanted, not {_kind(item)}")
            return None
        return item.value

    def output(self, item: Item | None, path: Path) -> str | None:
        """Text that is compared; an empty one is compared as well, none at all is not."""
        if item is None or item.value is None:
            return None
        text = self.text(item, path)
        if text is not None and len(text) > MOST_OUTPUT:
            self.wrong(item, path, f"is longer than {MOST_OUTPUT:,} characters: as much is kept of an output")
        return text

    def text(self, item: Item, path: Path) -> str | None:
        """A text, and no number or word that YAML reads as something else."""
        if isinstance(item.value, str):
            self.characters += len(item.value)
            if "\0" in item.value:
                self.wrong(item, path, "has a NUL, which no command and no variable can have")
            return item.value
        what = f"text is wanted, not {_kind(item)}"
        if isinstance(item.value, bool | int | float):
            what = f"text is wanted, and YAML reads {shown(item.text)} as {_kind(item)}: write it in quotes"
        elif item.value is None:
            what = 'has no value: write "" for an empty text'
        self.wrong(item, path, what)
        return None

    def wrong(self, item: Item, path: Path, what: str) -> None:
        """Note a mistake, unless YAML's own reading of this value is one already."""
        if path not in self.guessed:
            self.mistakes.append(Mistake(place=item.place, path=path, what=what))


def _kind(item: Item) -> str:
    match item.value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case tuple():
            return "a list"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
    return f"the text {quoted(item.text)}"
