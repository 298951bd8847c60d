"""`seatrial schema`: the JSON schema of the fleet file, for editors."""

from __future__ import annotations

import json

from seatrial.fleetfile import schema as schema_of_fleet


def schema() -> int:
    """Print the JSON schema of fleet.yaml; point your editor's YAML support at it."""
    print(json.dumps(schema_of_fleet(), indent=2, ensure_ascii=False))
    return 0
