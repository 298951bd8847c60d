"""One definition: the schema and the reference hold every key that the parser takes, and the committed copy is fresh."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from seatrial.fleetfile import reference, schema
from seatrial.fleetfile.definition import keys_of, members_of
from seatrial.model import fleet as definition
from seatrial.model.check import Check, CheckBase
from seatrial.model.declared import Declared

ROOT = Path(__file__).parents[2]


def models() -> list[type[BaseModel]]:
    """Every part of a fleet file that an operator writes."""
    found = [value for value in vars(definition).values() if isinstance(value, type)]
    parts = [model for model in found if issubclass(model, Declared) and model not in (Declared, CheckBase)]
    return [*parts, *members_of(Check).values()]


def test_the_committed_schema_is_the_one_the_definition_gives() -> None:
    committed = json.loads((ROOT / "docs" / "fleet-schema.json").read_text())
    assert committed == schema(), "run `make generated`"


def test_the_schema_uses_the_keys_of_the_file_and_allows_no_others() -> None:
    flow = schema()["$defs"]["Flow"]
    assert "from" in flow["properties"]
    assert "source_vantage" not in flow["properties"]
    assert flow["additionalProperties"] is False


def test_the_reference_names_every_key_of_every_part() -> None:
    text = reference()
    for model in models():
        section = text.split(f"## {model.__name__}\n")[1].split("\n## ")[0]
        for key in keys_of(model):
            assert f"| `{key}` |" in section, f"{model.__name__}.{key}"


def test_every_key_but_the_kind_says_what_it_is() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in models()
        for name, field in model.model_fields.items()
        if not field.description and name != "kind"
    ]
    assert silent == []
