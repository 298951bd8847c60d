"""A check, asked of this machine through the same vantage that the program uses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pydantic import TypeAdapter

from seatrial.checks import registry
from seatrial.model.check import Check
from seatrial.model.result import Result
from seatrial.vantage.local import LocalVantage


def declared_as(declared: dict[str, Any]) -> Check:
    """The check; JSON has lists where Python would want tuples."""
    check: Check = TypeAdapter(Check).validate_json(json.dumps({"from": "here", **declared}))
    return check


async def asked(declared: dict[str, Any]) -> Result:
    """The Result of a check that is declared without its `from`."""
    check = declared_as(declared)
    here = LocalVantage("here", places=asyncio.Semaphore(1))
    outputs = await here.run([command for _, command in registry.ask(check)])
    return registry.judge("it", check, outputs)
