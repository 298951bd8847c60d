"""Imported checks as the `checks:` section of a fleet.yaml, each under the line that it comes from. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from seatrial.fleetfile.imported.draft import Imported
from seatrial.fleetfile.mistake import shown


class _Dumper(yaml.SafeDumper):
    """YAML as a person would write it: no aliases, long texts over several lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # A literal block cannot hold everything; where it cannot, PyYAML goes back to quotes by itself.
    style = "|" if "\n" in value.strip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _row(dumper: yaml.SafeDumper, value: tuple[Any, ...]) -> yaml.SequenceNode:
    plain = all(not isinstance(one, str) or "\n" not in one for one in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=plain)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(tuple, _row)


def written(imported: Imported) -> str:
    """The section, to be put into a fleet.yaml; without any check it is `checks: {}`."""
    if not imported.checks:
        return "checks: {}\n"
    parts = ["checks:\n"]
    for name, check in imported.checks.items():
        text = yaml.dump(
            {name: dict(check.keys)},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=1000,
        )
        parts.append(f"  # {shown(check.file)}:{check.line}\n")
        parts += [f"  {line}\n" if line else "\n" for line in text.splitlines()]
    return "".join(parts)
