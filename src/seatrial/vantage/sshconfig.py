"""The operator's ssh config, cut so that one host's part of it can be read cheaply; and chains of ProxyJump.

What is in: reading the files with their Includes once, and the text of the blocks that can matter for one host.
What is not: what the options mean, which asyncssh knows (and which it would read again in full for every host:
10 ms of CPU for each host of a config of 500 lines).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.errors import InputError

MAX_DEPTH = 16
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
ANY_HOST = "Host *"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that count for a host that matches every one of `scopes`: a Host line, and those around its Include."""

    head: str
    scopes: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One connection of a chain: an alias, with the user and port that ProxyJump may give for it."""

    alias: str
    user: str | None = None
    port: int | None = None


def config_paths(own: str | None) -> tuple[Path, ...]:
    """The files that ssh would read: the one that is given, or the user's and then the machine's."""
    if own is not None:
        return (Path(own).expanduser(),)
    return tuple(path for path in (Path("~/.ssh/config").expanduser(), SYSTEM_CONFIG) if path.is_file())


class CutConfig:
    """Config files, read once. Raises InputError when one cannot be read."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._blocks = [block for path in paths for block in _read(path, 0)]

    def text_for(self, alias: str) -> str:
        """The config without the Host blocks that cannot match `alias`."""
        return "\n".join(line for block in self._of(alias) for line in (block.head, *block.lines))

    def value_for(self, alias: str, option: str) -> str | None:
        """What the first line of an option says, as far as it can be known without working out Match lines."""
        for block in self._of(alias):
            for line in block.lines if block.head is ANY_HOST else ():
                if (found := _LINE.match(line)) and found["word"].lower() == option.lower():
                    return None if found["rest"].lower() == "none" else found["rest"].strip('"')
        return None

    def aliases(self) -> tuple[tuple[str, ...], ...]:
        """The patterns of each Host line, in the order of the files; a line around an Include stands where it does."""
        lines = [block.scopes[-1] for block in self._blocks if block.scopes]
        return tuple(dict.fromkeys(lines))

    def _of(self, alias: str) -> Iterator[Block]:
        for block in self._blocks:
            if all(matches(alias, patterns) for patterns in block.scopes):
                yield block


def matches(alias: str, patterns: Sequence[str]) -> bool:
    """Whether a Host line with these patterns is meant for `alias`; a pattern with ! that matches excludes it."""
    hits = [pattern for pattern in patterns if _pattern(pattern.lstrip("!")).fullmatch(alias)]
    return bool(hits) and not any(hit.startswith("!") for hit in hits)


def _pattern(text: str) -> re.Pattern[str]:
    # Only * and ? are special in ssh_config, brackets are not.
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))


_LINE = re.compile(r"\s*(?P<word>[A-Za-z0-9]+)(?:\s*=\s*|\s+)(?P<rest>.*?)\s*$")


def _read(path: Path, depth: int, around: tuple[tuple[str, ...], ...] = ()) -> Iterator[Block]:
    if depth > MAX_DEPTH:
        raise InputError(f"{path}: too many levels of Include", hint="does a file include itself?")
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="is ssh_config in the fleet file right?") from None
    # Whether a Host line matches is decided here, so each block begins with one that always does; a Match line is
    # left to asyncssh. Every file begins outside of any Host line, whatever the file before it ended with.
    head, scopes, lines = ANY_HOST, around, list[str]()
    for line in text.splitlines():
        found = _LINE.match(line)
        word, rest = (found["word"].lower(), found["rest"]) if found else ("", "")
        if word in ("host", "match"):
            yield Block(head=head, scopes=scopes, lines=tuple(lines))
            lines = []
            head = ANY_HOST if word == "host" else line
            scopes = (*around, tuple(_words(rest))) if word == "host" else around
        elif word == "include" and head is ANY_HOST:
            yield Block(head=head, scopes=scopes, lines=tuple(lines))
            for found_path in _included(rest):
                yield from _read(found_path, depth + 1, scopes)
            lines = []
        elif found:
            lines.append(line)
    yield Block(head=head, scopes=scopes, lines=tuple(lines))


def _included(rest: str) -> Iterator[Path]:
    for word in _words(rest):
        path = Path(word).expanduser()
        path = path if path.is_absolute() else Path("~/.ssh").expanduser() / path
        pattern = path.relative_to(path.anchor)
        yield from (found for found in sorted(Path(path.anchor).glob(str(pattern))) if found.is_file())


def _words(rest: str) -> list[str]:
    return rest.replace('"', "").split()


def parse_jumps(value: str) -> tuple[Step, ...]:
    """The steps that a ProxyJump value names: `[user@]host[:port]` or ssh:// addresses, with commas between them."""
    return tuple(_parse_jump(part.strip()) for part in value.split(",") if part.strip())


def _parse_jump(text: str) -> Step:
    found = re.fullmatch(
        r"(?:ssh://)?(?:(?P<user>.*)@)?(?:\[(?P<six>[^]]+)\]|(?P<host>[^:@]+))(?::(?P<port>\d+))?/?", text
    )
    if found is None:
        # An IPv6 address without brackets has no port.
        return Step(alias=text.rpartition("@")[2], user=text.rpartition("@")[0] or None)
    port = int(found["port"]) if found["port"] else None
    return Step(alias=found["six"] or found["host"], user=found["user"] or None, port=port)


def chain(last: Step, jumps_of: Callable[[Step], str | None]) -> tuple[Step, ...]:
    """All steps to `last`, the first one first; `jumps_of` gives the ProxyJump value of a step's own config.

    As with OpenSSH, the first jump of a list goes by its own config, which may have jumps again, and each further
    one goes through the one before it. A step whose ProxyJump names itself (`Host *` with ProxyJump) goes directly.
    Raises InputError when the jumps go round in a circle.
    """
    steps = [last]
    while True:
        value = jumps_of(steps[0])
        jumps = parse_jumps(value) if value else ()
        if not jumps or any(jump.alias == steps[0].alias for jump in jumps):
            return tuple(steps)
        steps = [*jumps, *steps]
        if len(steps) > MAX_DEPTH or len({step.alias for step in steps}) < len(steps):
            way = " -> ".join(step.alias for step in steps)
            raise InputError(f"ProxyJump goes round in a circle: {way}", hint="look at the ssh config")
