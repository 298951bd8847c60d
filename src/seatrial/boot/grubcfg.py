"""Reading what grub-mkconfig writes: the menu, its default, its time limits, and what one spelling of an entry means.

What is not in: GRUB's own language beyond that. A menu that somebody programmed by hand reads as empty or unknown,
never as something it is not. Source: docs of GRUB 2.06, and grub-core/normal/menu.c for how entries are found.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

_OPENING = re.compile(r"^\s*(menuentry|submenu)\s(.*)\{\s*$")
_LINUX = re.compile(r"^(?:linux|linux16|linuxefi)\s+(\S+)(.*)$")
_INITRD = re.compile(r"^(?:initrd|initrd16|initrdefi)\s+(.+)$")
_PANIC = re.compile(r"(?:^|\s)panic=(-?\d{1,9})(?=\s|$)")
_TIMEOUT = re.compile(r"^\s*set\s+timeout=[\"']?([^\s\"';]*)[\"']?\s*$", re.MULTILINE)
# Ubuntu's way of showing the menu after a boot that nobody called good.
_FAILED_TIMEOUT = re.compile(
    r'^if \[ "\$\{recordfail\}" = 1 \] *; *then\n\s*set\s+timeout=[\"\']?([^\s\"\';]*)', re.MULTILINE
)
_SAVED = re.compile(r'^\s*set\s+default="?\$\{saved_entry\}"?\s*$', re.MULTILINE)
_FIXED = re.compile(r"^\s*set\s+default=(?!\"?\$)[\"']?([^\"'\n]*)[\"']?\s*$", re.MULTILINE)
_FALLBACK = re.compile(r"^\s*(?:set\s+)?fallback=(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s;]*))\s*$", re.MULTILINE)
# grub-mkconfig takes next_entry, empties it and writes that back before anything is booted.
_TAKES_ONCE = (
    re.compile(r"^\s*load_env\b", re.MULTILINE),
    re.compile(r'^\s*set\s+default="?\$\{next_entry\}"?\s*$', re.MULTILINE),
    re.compile(r"^\s*set\s+next_entry=\s*$", re.MULTILINE),
    re.compile(r"^\s*save_env\s+(?:\S+\s+)*next_entry\b", re.MULTILINE),
)
_MAX_DEPTH = 8


@dataclass(slots=True, kw_only=True)
class Entry:
    """A line of the menu. `inner` is None for what boots, and a list for a submenu."""

    title: str
    id: str
    open: bool
    inner: list[Entry] | None = None
    kernel: str = ""
    cmdline: str = ""
    initrds: tuple[str, ...] = ()

    @property
    def version(self) -> str | None:
        """The kernel version that it boots, None when that cannot be said."""
        base = self.kernel.rsplit("/", 1)[-1]
        return base.removeprefix("vmlinuz-") if base.startswith("vmlinuz-") and base != "vmlinuz-" else None

    @property
    def panic(self) -> int:
        """`panic=` of its command line: the last one counts, 0 when there is none."""
        found = _PANIC.findall(self.cmdline)
        return int(found[-1]) if found else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """The menu as it stands in grub.cfg. `once` is whether it takes a one-shot entry and forgets it.

    `fallback` is what it takes when a boot cannot be loaded, as it stands there.
    """

    entries: list[Entry] = field(default_factory=list)
    saved: bool = False
    fixed: str = "0"
    once: bool = False
    waits: str = ""
    fallback: str = ""

    def walk(self) -> Iterator[tuple[str, Entry]]:
        """Every entry that boots, with the spelling by ids that grub-reboot takes."""
        yield from _walk(self.entries, "", 0)

    def after_failures(self, fallback: str) -> tuple[tuple[str, Entry | None], ...]:
        """What GRUB tries one after the other when a boot cannot be loaded; None for what is no entry of the menu.

        GRUB reads numbers of the outermost menu there. Newer ones also know an entry by its title or id, which is the
        whole text then.
        """
        if not fallback.strip():
            return ()
        if any(fallback in (entry.title, entry.id) for entry in self.entries):
            return ((fallback, self.find(fallback.replace(">", ">>"))),)
        return tuple(
            (
                word,
                self.find(word) if re.fullmatch(r"\d{1,8}", word) and int(word) < len(self.entries) else None,
            )
            for word in fallback.split()[:_MAX_DEPTH]
        )

    def find(self, spelling: str) -> Entry | None:
        """What GRUB boots for a spelling: numbers, titles or ids with `>` between; the first entry for none of them."""
        entries, rest = self.entries, spelling
        for _ in range(_MAX_DEPTH):
            if not entries:
                return None
            entry, rest = _pick(entries, rest)
            if entry.inner is None:
                return entry
            entries = entry.inner
        return None


# A trial looks every second or so, the menu is nearly always the same, and most hosts of a fleet have the same few.
@lru_cache(maxsize=256)
def read_menu(text: str) -> Menu:
    """Read grub.cfg."""
    fixed = _FIXED.search(text)
    return Menu(
        entries=_entries(text),
        saved=bool(_SAVED.search(text)),
        fixed=fixed.group(1) if fixed else "0",
        once=all(pattern.search(text) for pattern in _TAKES_ONCE),
        waits=_waits(text),
        fallback=read_fallback(text),
    )


def read_fallback(text: str) -> str:
    """The last word of grub.cfg, or of a part of it, on what is taken when a boot cannot be loaded; "" for none."""
    found = _FALLBACK.findall(text)
    return next((said for said in found[-1] if said), "") if found else ""


def by_number(spelling: str) -> bool:
    """Whether any step of the spelling is a number, which another kernel's installation would move."""
    return any(re.fullmatch(r"\s*\d+\s*", step) for step in spelling.split(">"))


def _entries(text: str) -> list[Entry]:
    top: list[Entry] = []
    # None stands for a brace that belongs to something else than the menu, such as a function.
    stack: list[Entry | None] = []
    for line in text.split("\n"):
        bare = line.strip()
        owner = next((entry for entry in reversed(stack) if entry is not None), None)
        if found := _OPENING.match(line):
            entry = _opening(found.group(1), found.group(2))
            siblings = top if owner is None else owner.inner
            if siblings is not None and len(stack) < _MAX_DEPTH:
                siblings.append(entry)
            stack.append(entry)
        elif bare == "}":
            if stack:
                stack.pop()
        elif bare.endswith("{") and not bare.endswith("${"):
            stack.append(None)
        elif owner is not None and owner.inner is None:
            _body(owner, bare)
    return top


def _opening(word: str, rest: str) -> Entry:
    try:
        words = shlex.split(rest)
    except ValueError:
        words = []
    title = words[0] if words else ""
    id_ = ""
    for option, value in pairwise(words):
        if option in ("$menuentry_id_option", "--id"):
            id_ = value
    id_ = next((option.removeprefix("--id=") for option in words if option.startswith("--id=")), id_)
    inner: list[Entry] | None = [] if word == "submenu" else None
    return Entry(title=title, id=id_ or title, open="--unrestricted" in words, inner=inner)


def _body(entry: Entry, line: str) -> None:
    if found := _LINUX.match(line):
        entry.kernel, entry.cmdline = found.group(1), found.group(2)
    elif found := _INITRD.match(line):
        entry.initrds = tuple(found.group(1).split())


def _walk(entries: list[Entry], before: str, depth: int) -> Iterator[tuple[str, Entry]]:
    for entry in entries:
        # GRUB takes '>>' for a '>' that belongs to the name.
        path = before + entry.id.replace(">", ">>")
        if entry.inner is None:
            yield path, entry
        elif depth < _MAX_DEPTH:
            yield from _walk(entry.inner, path + ">", depth + 1)


def _pick(entries: list[Entry], spelling: str) -> tuple[Entry, str]:
    """The entry for the first step of a spelling, and the rest of it; as in GRUB the first entry when none is meant."""
    if found := re.match(r"\s*(\d+)\s*(?:>(?!>)|$)", spelling):
        number = int(found.group(1)) if len(found.group(1)) < 9 else len(entries)
        if number < len(entries):
            return entries[number], spelling[found.end() :]
        return entries[0], ""
    # The first '>' that is not doubled ends the step.
    step, rest = spelling, ""
    if ends := re.search(r"(?<!>)(?:>>)*>(?!>)", spelling):
        step, rest = spelling[: ends.end() - 1], spelling[ends.end() :]
    wanted = step.replace(">>", ">")
    for entry in entries:
        if wanted and wanted in (entry.title, entry.id):
            return entry, rest
    return entries[0], ""


def _waits(text: str) -> str:
    limits = _TIMEOUT.findall(text)
    if not limits:
        return "GRUB's menu has no time limit and waits for a key"
    endless = [limit for limit in limits if not re.fullmatch(r"\d{1,9}", limit)]
    failed = _FAILED_TIMEOUT.search(text)
    if failed and endless == [failed.group(1)]:
        return f"after a boot that did not end well (recordfail) GRUB's menu waits for a key (timeout={endless[0]})"
    if endless:
        return f"GRUB's menu waits for a key (timeout={endless[0] or 'nothing'})"
    if re.search(r"^\s*set\s+superusers=", text, re.MULTILINE):
        locked = [entry for _, entry in _walk(_entries(text), "", 0) if entry.kernel and not entry.open]
        if locked:
            return f"GRUB asks for a password before it boots {locked[0].title!r}"
    return ""
