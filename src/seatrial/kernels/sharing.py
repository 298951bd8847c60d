"""Verdicts as a file that teams share: one JSON document that holds a text and the signature of it. Pure.

What is not in: signing and verifying, which OpenSSH's ssh-keygen does (perform/signatures.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seatrial.errors import InputError
from seatrial.kernels.remembered import KernelVerdict

# What a signature of ours is for: one that was made for anything else is none.
NAMESPACE = "kernels@seatrial"
MOST_BYTES = 16 * 1024 * 1024
MOST_VERDICTS = 20_000
_HINT = "it is written by `seatrial kernels export`; fetch it again"

_Word = Annotated[str, Field(min_length=1, max_length=200)]
_Text = Annotated[str, Field(max_length=2000)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=False, extra="ignore")


class _Row(_Strict):
    kernel: _Word
    role: _Word
    good: bool
    because: _Text = ""
    rollout: _Text = ""
    host: _Text = ""
    by: _Text = ""
    at: datetime
    record: dict[str, Any] = {}


class _Statement(_Strict):
    format: Literal["seatrial-kernels-1"]
    exported_at: datetime
    expires_at: datetime
    by: _Text
    verdicts: Annotated[tuple[_Row, ...], Field(max_length=MOST_VERDICTS)]


class _Envelope(_Strict):
    statement: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was signed, read: `verdicts` are rows as the journal keeps them."""

    exported_at: datetime
    expires_at: datetime
    by: str
    verdicts: tuple[Mapping[str, Any], ...]


def statement_text(verdicts: Iterable[KernelVerdict], *, by: str, now: datetime, expires: datetime) -> str:
    """The text to be signed. Verdicts that were imported are left out: each team speaks for what it saw itself."""
    rows = [
        {
            "kernel": one.kernel,
            "role": one.role,
            "good": one.good,
            "because": one.because,
            "rollout": one.rollout,
            "host": one.host,
            "by": one.by,
            "at": _stamp(one.at),
            "record": dict(one.record),
        }
        for one in verdicts
        if not one.source
    ]
    document = {
        "format": "seatrial-kernels-1",
        "exported_at": _stamp(now),
        "expires_at": _stamp(expires),
        "by": by,
        "verdicts": rows,
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def envelope(statement: str, signature: str) -> str:
    """The file."""
    return json.dumps({"statement": statement, "signature": signature}, ensure_ascii=False, indent=1) + "\n"


def open_envelope(data: bytes, *, name: str) -> tuple[str, str]:
    """The statement and its signature, neither of them believed yet. Raises InputError."""
    try:
        found = _Envelope.model_validate_json(data)
    except ValidationError:
        raise InputError(f"{name}: is no file of exported verdicts", hint=_HINT) from None
    return found.statement, found.signature


def read_statement(text: str, *, name: str, now: datetime) -> Statement:
    """A statement whose signature was verified. Raises InputError for one that is damaged or has expired."""
    try:
        found = _Statement.model_validate_json(text)
        # A time without a zone would be another one on each machine.
        if any(
            one.tzinfo is None
            for one in (found.exported_at, found.expires_at, *(r.at for r in found.verdicts))
        ):
            raise ValueError
    except ValueError:
        raise InputError(f"{name}: is signed, and not in a form that is known here", hint=_HINT) from None
    if found.expires_at <= now:
        raise InputError(
            f"{name}: has expired on {found.expires_at:%Y-%m-%d %H:%M} UTC",
            hint=f"ask {found.by or 'its team'} for a new one",
        )
    return Statement(
        exported_at=found.exported_at,
        expires_at=found.expires_at,
        by=found.by,
        verdicts=tuple(row.model_dump(mode="json") for row in found.verdicts),
    )


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
