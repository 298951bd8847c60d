"""What the house allows: which way imports go, which door leads outside where, what is pure, how large and how named.

Each rule yields one sentence for each breach. The tables name every exception with its reason; none is silent.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .layers import FLOORS, SENT_AWAY, floor_of
from .walk import PACKAGE, Module, functions, imports, names, uses, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One outside world, the names that lead there, and the files that may use them."""

    to: str
    by: tuple[str, ...]
    at: tuple[str, ...]


DOORS: tuple[Door, ...] = (
    Door(
        to="other programs",
        by=(
            "subprocess", "pty", "multiprocessing", "concurrent.futures.ProcessPoolExecutor",
            "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess*",
            "os.system", "os.popen", "os.exec*", "os.fork", "os.forkpty", "os.spawn*", "os.posix_spawn*",
        ),
        at=("vantage/process.py",),
    ),
    Door(
        to="the network",
        by=(
            "socket", "socketserver", "asyncssh", "ssl", "http.client", "http.server", "urllib.request", "ftplib", "smtplib",
            "httpx", "requests", "aiohttp", "paramiko", "asyncio.open_connection", "asyncio.open_unix_connection",
            "asyncio.start_server", "asyncio.start_unix_server",
        ),
        # The lab wires its own machines together on this one: taps, consoles and QEMU's monitors are sockets. A page's
        # address is bound before its server runs, since the server would end the process when a port is taken.
        at=("vantage/*", "lab/wires.py", "lab/taps.py", "lab/qmp.py", "web/listening.py", "notify/send.py"),
    ),
    Door(to="services that tell people", by=("apprise", "requests"), at=("notify/send.py",)),
    Door(to="browsers", by=("starlette", "uvicorn", "sse_starlette", "jinja2"), at=("web/*",)),
    # The durable engine has tables of its own, and their file must be told of WAL before the engine opens it.
    Door(to="the database", by=("sqlite3", "sqlalchemy", "psycopg"), at=("journal/*", "engine/durable.py")),
    Door(to="pictures of pixels", by=("PIL",), at=("picture/png.py",)),
    Door(to="the durable engine", by=("dbos",), at=("engine/*",)),
    Door(
        to="time",
        by=(
            "time", "sched", "asyncio.sleep", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
            "datetime.date.today",
        ),
        at=("clock.py",),
    ),
)  # fmt: skip

_NOT_PURE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("looks at a clock", ("seatrial.clock", "time", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today")),
    ("waits", ("asyncio", "threading", "concurrent", "selectors", "signal")),
    ("reads or writes", (
        "os", "io.open", "pathlib.Path", "shutil", "tempfile", "glob", "fileinput", "sys.stdin", "sys.stdout", "sys.stderr",
        "builtins.open", "builtins.print", "builtins.input", ".read_text", ".write_text", ".read_bytes", ".write_bytes",
        "importlib.resources", "importlib.metadata", "fcntl", "mmap", "select", "socket", "subprocess", "sqlite3",
    )),
    ("logs", ("logging", "syslog", "warnings.warn")),
    ("throws dice", ("secrets", "uuid.uuid1", "uuid.uuid4", "random.random", "random.randint", "random.choice", "random.shuffle", "os.urandom")),
)  # fmt: skip

# Files on a pure floor that are not pure, what they may do, and why.
NOT_PURE: Mapping[str, tuple[str, str]] = {
    "fleetfile/load.py": ("reads or writes", "the one door of its room: it reads the fleet file"),
    "boot/scripts.py": ("reads or writes", "reads package data: the scripts that are sent to hosts"),
    "picture/png.py": ("reads or writes", "Pillow looks for a font on this machine, in a PNG only"),
    "ha/scripts.py": ("reads or writes", "reads package data: the scripts that are sent to hosts"),
}

MOST_LINES = 500
MOST_FUNCTION_LINES = 60
# What is longer, and why it is one thing: `path` or `path:function`.
LONGER: Mapping[str, str] = {}

FORBIDDEN = frozenset({"helper", "helpers", "manager", "managers", "util", "utils", "node", "nodes", "target", "targets"})  # fmt: skip


def arrows(module: Module) -> Iterator[str]:
    """Imports go down only; rooms on one floor do not know each other; what is sent away knows nobody."""
    here = floor_of(module.room)
    if here is None and module.room not in ("", SENT_AWAY):
        yield f"{module.path}:1 stands in {module.room}, a room that is on no floor: give it one in tests/house/layers.py"
        return
    for room, line in dict.fromkeys(_rooms_imported(module)):
        there, where = floor_of(room), f"{module.path}:{line} imports {PACKAGE}.{room}"
        # What files that are sent away share is put into each of them as text before it leaves.
        if room == module.room:
            continue
        if SENT_AWAY in (room, module.room):
            yield f"{where}: what is in {SENT_AWAY} runs on other machines, no arrow leads to it or from it"
        elif there is None:
            continue
        elif here is None or there < here:
            below = "the package itself" if here is None else FLOORS[here].name
            yield f"{where}: that arrow goes up, from {below} to {FLOORS[there].name}"
        elif there == here:
            yield f"{where}: rooms on one floor do not know each other"


def _rooms_imported(module: Module) -> Iterator[tuple[str, int]]:
    for use in imports(module):
        package, _, rest = use.name.partition(".")
        if package == PACKAGE and rest:
            yield rest.split(".")[0], use.line


def doors(module: Module) -> Iterator[str]:
    """Each outside world has one door."""
    # What runs on other machines has only itself and the standard library.
    if module.room == SENT_AWAY:
        return
    for door in DOORS:
        for name, line in leads_to(door, module):
            yield f"{module.path}:{line} uses {name}: the door to {door.to} is {' and '.join(door.at)}"


def leads_to(door: Door, module: Module) -> list[tuple[str, int]]:
    """What the module uses of that outside world, and in which line, although it is not the door."""
    return [] if any(fnmatchcase(module.path, path) for path in door.at) else _found(module, door.by)


def purity(module: Module) -> Iterator[str]:
    """A pure floor takes values and gives values."""
    floor = floor_of(module.room)
    if floor is None or not FLOORS[floor].pure:
        return
    allowed, _ = NOT_PURE.get(module.path, ("", ""))
    for deed, found_by in _NOT_PURE:
        if deed == allowed:
            continue
        for name, line in _found(module, found_by):
            yield f"{module.path}:{line} uses {name}: that {deed}, and {FLOORS[floor].name} is pure"
    for at in ast.walk(module.tree):
        if isinstance(at, ast.Await | ast.AsyncFor | ast.AsyncWith) or (
            isinstance(at, ast.AsyncFunctionDef) and not _is_protocol(module, at)
        ):
            yield f"{module.path}:{at.lineno} waits (async): {FLOORS[floor].name} is pure"


def sizes(module: Module) -> Iterator[str]:
    """A file or a function that grows asks which two things it is."""
    if module.lines > MOST_LINES and module.path not in LONGER:
        yield f"{module.path}:1 has {module.lines} lines, more than {MOST_LINES}: which two things is it?"
    for function, _ in functions(module):
        long = (function.end_lineno or function.lineno) - function.lineno + 1
        if long > MOST_FUNCTION_LINES and f"{module.path}:{function.name}" not in LONGER:
            yield (
                f"{module.path}:{function.lineno} {function.name} has {long} lines, more than {MOST_FUNCTION_LINES}:"
                " which two things is it?"
            )


def vocabulary(module: Module) -> Iterator[str]:
    """Twelve nouns are used literally; the words that say nothing are not used at all."""
    for use in names(module):
        for word in FORBIDDEN.intersection(words(use.name)):
            yield f"{module.path}:{use.line} is named {use.name}: '{word}' says nothing here"


def docstrings(module: Module) -> Iterator[str]:
    """Every module says what is in it; every public function says what it does."""
    if not ast.get_docstring(module.tree):
        yield f"{module.path}:1 has no docstring: say what is in, and what is not"
    # Each byte of what is sent away is sent with every probe; its functions are explained by their names.
    if module.room == SENT_AWAY:
        return
    for function, public in functions(module):
        if public and not ast.get_docstring(function):
            yield f"{module.path}:{function.lineno} {function.name} has no docstring"


RULES = (arrows, doors, purity, sizes, vocabulary, docstrings)


def breaches(tree: Iterable[Module]) -> list[str]:
    """Every breach of every rule, in the order of the files."""
    return [breach for module in tree for rule in RULES for breach in rule(module)]


def _found(module: Module, patterns: tuple[str, ...]) -> list[tuple[str, int]]:
    """The first use, in each line, of a name that is one of the patterns or below one."""
    found: dict[int, str] = {}
    plain = tuple(pattern for pattern in patterns if "*" not in pattern)
    wild = tuple(pattern for pattern in patterns if "*" in pattern)
    below = tuple(f"{pattern}." for pattern in plain)
    for use in uses(module):
        name = use.name
        if name in plain or name.startswith(below) or any(fnmatchcase(name, pattern) for pattern in wild):
            found.setdefault(use.line, name)
    return [(name, line) for line, name in sorted(found.items())]


def _is_protocol(module: Module, function: ast.AsyncFunctionDef) -> bool:
    """A Protocol only says what others do."""
    for at in ast.walk(module.tree):
        if isinstance(at, ast.ClassDef) and function in at.body:
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in at.bases)
    return False
