"""The same definition for editors and for people: a JSON Schema, and a reference of keys in Markdown.

What is in: turning the definition into either. What is not: any key or sentence of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.model.fleet import Fleet

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of a fleet file, by the keys as the file has them."""
    return {"$schema": _DIALECT, **Fleet.model_json_schema(by_alias=True)}


def reference() -> str:
    """Every key with what it takes, its default and what it is for, as Markdown."""
    whole = schema()
    parts = {"Fleet": whole, **whole["$defs"]}
    lines = ["# Keys of a fleet file", ""]
    for name in _in_reading_order(parts):
        lines += [*_section(name, parts[name]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _in_reading_order(parts: Mapping[str, Any]) -> list[str]:
    """The file first, then each part after the one that mentions it first."""
    order = ["Fleet"]
    for name in order:
        body = {key: value for key, value in parts[name].items() if key != "$defs"}
        order += [found for found in dict.fromkeys(_mentions(body)) if found not in order]
    return order


def _mentions(body: object) -> Iterator[str]:
    if isinstance(body, Mapping):
        if isinstance(body.get("$ref"), str):
            yield body["$ref"].rsplit("/", 1)[-1]
        for key, value in body.items():
            if key != "discriminator":
                yield from _mentions(value)
    elif isinstance(body, list):
        for value in body:
            yield from _mentions(value)


def _section(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield " ".join(part.get("description", "").split())
    yield ""
    yield "| key | takes | default | is |"
    yield "|---|---|---|---|"
    wanted = part.get("required", ())
    for key, value in part["properties"].items():
        default = "required" if key in wanted else _default(value)
        cells = (f"`{key}`", _takes(value), default, value.get("description", ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if default in (None, "", [], {}) or isinstance(default, Mapping):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _takes(value: Mapping[str, Any]) -> str:
    for union in ("anyOf", "oneOf"):
        if union in value:
            return " or ".join(_takes(one) for one in value[union] if one.get("type") != "null")
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if value.get("format", "").startswith("duration"):
        return "seconds, or " + str(value["format"]).removeprefix("duration such as ")
    return _plain(value)


def _plain(value: Mapping[str, Any]) -> str:
    kind = value["type"]
    if kind == "array":
        return f"list of {_takes(value['items'])}"
    if kind == "object":
        inner = value.get("additionalProperties") or next(iter(value["patternProperties"].values()))
        return f"name: {_takes(inner)}"
    if kind in ("integer", "number"):
        word = "whole number" if kind == "integer" else "number"
        if "maximum" not in value:
            return word
        least = f"{value['minimum']:g}" if "minimum" in value else f"more than {value['exclusiveMinimum']:g}"
        return f"{word}, {least} to {value['maximum']:g}"
    if kind == "boolean":
        return "true or false"
    return "address" if value.get("format") == "ip" else "text"
