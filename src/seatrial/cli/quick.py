"""Help without what it does not need: while `--help` is shown, the rooms below have stand-ins, so that it is there at once.

A verb's module imports what the verb does, and that is half a second of checks, rules and databases; its help needs the
names and types of its options only. What is in: telling that only help is wanted, and the stand-ins. What is not: running
anything with them: whoever asks for more than help gets the real rooms. A test holds both helps of every verb together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from seatrial.cli.examples import EXAMPLES

_FLAGS = ("--help", "-h")
# What the types and the defaults of options are made of.
_REAL = (
    "seatrial", "seatrial.cli", "seatrial.errors", "seatrial.clock", "seatrial.bisect", "seatrial.bisect.search",
)  # fmt: skip
_ELSEWHERE = ("pydantic", "numpy", "scipy", "yaml", "asyncssh", "cryptography", "sqlalchemy", "jinja2")


def wants_help_only(words: Sequence[str]) -> bool:
    """Whether the words are a verb and then --help, and nothing else that could be meant otherwise.

    The table of examples knows every verb without loading any.
    """
    *verb, flag = words or [""]
    known = {tuple(name.split())[: len(verb)] for name in EXAMPLES}
    return flag in _FLAGS and tuple(verb) in known


class _Meta(type):
    """A class that has whatever is asked of it, and is never used for anything but a name."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)

    def __call__(cls, *_: Any, **__: Any) -> Any:
        return cls

    def __getitem__(cls, _: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())


def _stand_in(name: str) -> Any:
    return _Meta(name, (), {})


class _Room(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)


class _StandIns(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        first = fullname.partition(".")[0]
        ours = first == "seatrial" and fullname not in _REAL and not fullname.startswith("seatrial.cli.")
        return ModuleSpec(fullname, self, is_package=True) if ours or first in _ELSEWHERE else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Room(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


@contextmanager
def stand_ins() -> Iterator[None]:
    """Rooms that are imported meanwhile are stand-ins. The process is good for nothing but help afterwards."""
    finder = _StandIns()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
