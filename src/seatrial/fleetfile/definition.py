"""The way through the definition of a fleet: which model owns a key, and which keys it knows.

What is in: walking the annotations of model/fleet.py and model/check/ along a path. What is not: any key by name; the definition is
the one source.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from seatrial.fleetfile.mistake import Path
from seatrial.model.fleet import Fleet

Model = type[BaseModel]
CHOOSERS: dict[str, str] = {"kind": "kind of check", "driver": "driver"}
_NOUNS = {"Fleet": "the fleet file", "HttpCheck": "an http check", "Reach": "reach"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where an error of pydantic points: the path in the file, the model that owns its last key, and if it is a key."""

    path: Path
    owner: Model
    on_key: bool


def spot_of(loc: Sequence[str | int]) -> Spot:
    """Follow a `loc` of pydantic, which also names the chosen member of a union, which the file does not."""
    path: list[str | int] = []
    kind: Any = Fleet
    owner: Model = Fleet
    on_key = False
    for step in loc:
        if members := members_of(kind):
            kind = members.get(str(step))
            owner = kind or owner
            continue
        if step == "[key]":
            on_key = True
            continue
        path.append(step)
        if is_model(kind):
            owner = kind
        kind = _below(kind, step)
    return Spot(path=tuple(path), owner=owner, on_key=on_key)


def keys_of(model: Model) -> tuple[str, ...]:
    """The keys as the file has them."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def noun_of(model: Model) -> str:
    """What a person calls it: `a host`, `a ping check`."""
    name = model.__name__
    plain = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return _NOUNS.get(name, f"a {plain}")


def members_of(kind: Any) -> dict[str, Model]:
    """The members of a union of models, by the text that chooses them; empty for anything else."""
    members: dict[str, Model] = {}
    for member in map(_bare, _members(_bare(kind))):
        if is_model(member) and (key := chooser_of(member)):
            for text in get_args(member.model_fields[key].annotation):
                members[str(text)] = member
    return members


def chooser_of(model: Model) -> str:
    """The key that chooses a member of a union, "" where nothing is chosen."""
    return next((key for key in CHOOSERS if key in model.model_fields), "")


def is_model(kind: Any) -> bool:
    """Whether it is a model class."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def choices_of(kind: Any) -> tuple[str, ...]:
    """The texts of a Literal; empty for anything else."""
    bare = _bare(kind)
    return tuple(str(choice) for choice in get_args(bare)) if get_origin(bare) is Literal else ()


def _below(kind: Any, step: str | int) -> Any:
    bare = _bare(kind)
    if is_model(bare):
        for name, field in bare.model_fields.items():
            if step in (name, field.alias):
                return field.annotation
        return None
    values = get_args(bare)
    if get_origin(bare) is dict:
        return values[1]
    return values[0] if get_origin(bare) is tuple else None


def _bare(kind: Any) -> Any:
    """Without Annotated, and without the None of an optional key."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    present = [member for member in _members(kind) if member is not type(None)]
    return _bare(present[0]) if len(present) == 1 else kind


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()
