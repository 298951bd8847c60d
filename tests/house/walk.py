"""Reading the source: which modules there are, what they import and use, and how large they are.

What is in: the walk over `ast`, with names followed to where they were imported from. What is not: what is allowed.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "seatrial"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file: `path` is relative to the package, `name` is dotted, `room` the first part below it."""

    path: str
    name: str
    room: str
    tree: ast.Module
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A dotted name that comes from an import (`asyncio.sleep`), a builtin, or a method (`.read_text`), and its line."""

    name: str
    line: int


def modules(package: Path) -> Iterator[Module]:
    """All modules of the package, in the order of their paths."""
    for file in sorted(package.rglob("*.py")):
        relative = file.relative_to(package)
        parts = [PACKAGE, *relative.with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        text = file.read_text(encoding="utf-8")
        yield Module(
            path=relative.as_posix(),
            name=".".join(parts),
            room=parts[1] if len(parts) > 1 else "",
            tree=ast.parse(text),
            lines=text.count("\n"),
        )


def imports(module: Module) -> Iterator[Use]:
    """Every module that is imported, wherever the import stands: in a function, under TYPE_CHECKING, by its name."""
    for at in ast.walk(module.tree):
        if isinstance(at, ast.Import):
            yield from (Use(name=alias.name, line=at.lineno) for alias in at.names)
        elif isinstance(at, ast.ImportFrom):
            origin = _origin(module, at)
            # `from seatrial import journal` imports a module, `from seatrial.errors import Refused` a name in one.
            yield from (Use(name=f"{origin}.{alias.name}", line=at.lineno) for alias in at.names)
        elif isinstance(at, ast.Call) and _dotted(at.func).split(".")[-1] in ("import_module", "__import__"):
            yield from (
                Use(name=said.value, line=at.lineno)
                for said in at.args[:1]
                if isinstance(said, ast.Constant) and isinstance(said.value, str)
            )


@functools.cache
def uses(module: Module) -> tuple[Use, ...]:
    """Everything that is imported, and every name and attribute by where it comes from, each once in a line."""
    return tuple(dict.fromkeys(_uses(module)))


def _uses(module: Module) -> Iterator[Use]:
    known: dict[str, str] = {}
    for at in ast.walk(module.tree):
        if isinstance(at, ast.Import):
            for alias in at.names:
                known[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(at, ast.ImportFrom):
            for alias in at.names:
                known[alias.asname or alias.name] = f"{_origin(module, at)}.{alias.name}"
    yield from imports(module)
    for at in ast.walk(module.tree):
        if isinstance(at, ast.Attribute):
            first, _, rest = _dotted(at).partition(".")
            if first in known:
                yield Use(name=f"{known[first]}.{rest}", line=at.lineno)
            yield Use(name=f".{at.attr}", line=at.lineno)
        elif isinstance(at, ast.Name) and at.id in known:
            yield Use(name=known[at.id], line=at.lineno)
        elif isinstance(at, ast.Call) and isinstance(at.func, ast.Name) and at.func.id not in known:
            yield Use(name=f"builtins.{at.func.id}", line=at.lineno)


def functions(module: Module) -> Iterator[tuple[Function, bool]]:
    """Every function, and whether it is public: on no private class, in no other function, without an underscore."""
    yield from _functions(module.tree, public=True)


def names(module: Module) -> Iterator[Use]:
    """What the module names: itself, its classes and its functions."""
    if module.path != "__init__.py":
        yield Use(name=module.name.rsplit(".", 1)[-1], line=1)
    for at in ast.walk(module.tree):
        if isinstance(at, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield Use(name=at.name, line=at.lineno)


@functools.cache
def words(name: str) -> tuple[str, ...]:
    """The words of a name in snake_case or CamelCase, in lower case."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))


def _functions(scope: ast.AST, *, public: bool) -> Iterator[tuple[Function, bool]]:
    for at in ast.iter_child_nodes(scope):
        if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef):
            yield at, public and not at.name.startswith("_")
            yield from _functions(at, public=False)
        elif isinstance(at, ast.ClassDef):
            yield from _functions(at, public=public and not at.name.startswith("_"))
        else:
            yield from _functions(at, public=public)


def _origin(module: Module, at: ast.ImportFrom) -> str:
    """The module that an import names, with the dots of a relative one resolved."""
    if not at.level:
        return at.module or ""
    package = module.name.split(".")
    if not module.path.endswith("__init__.py"):
        package = package[:-1]
    package = package[: len(package) - at.level + 1]
    return ".".join([*package, *([at.module] if at.module else [])])


def _dotted(at: ast.AST) -> str:
    """`a.b.c` for such an expression; what does not begin with a name begins with a dot."""
    if isinstance(at, ast.Name):
        return at.id
    return f"{_dotted(at.value)}.{at.attr}" if isinstance(at, ast.Attribute) else ""
