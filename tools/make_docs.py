"""Writes the documents that are made from the code, so that they cannot tell of another house than the one that stands.

What is in: the fleet file's JSON schema, and the drawing of the floors in docs/architecture.md. Tests compare both.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.house.layers import drawing  # noqa: E402 - the checkout has to be on the path first

from seatrial.fleetfile import schema  # noqa: E402


def fleet_schema(_: str) -> str:
    """The JSON schema, for editors."""
    return json.dumps(schema(), indent=2) + "\n"


def architecture(old: str) -> str:
    """The page with its drawing made anew."""
    return re.sub(r"```text\n\+-.*?```", lambda _: f"```text\n{drawing()}```", old, count=1, flags=re.DOTALL)


DOCUMENTS: dict[str, Callable[[str], str]] = {
    "fleet-schema.json": fleet_schema,
    "architecture.md": architecture,
}

for name, make in DOCUMENTS.items():
    path = ROOT / "docs" / name
    old = path.read_text() if path.exists() else ""
    new = make(old)
    path.write_text(new)
    print(f"docs      docs/{name}: {'as it was' if new == old else 'written'}")
