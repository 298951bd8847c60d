"""What every part of a fleet file is made of: names, words, durations, addresses, and the settings of a Declared.

What is in: shapes that a value can be held to by itself. What is not: any noun of the fleet.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
# A word ends up in the argv of ssh, ip or systemctl, where a leading dash would be read as an option.
Word = Annotated[str, StringConstraints(pattern=r"^[^\s-]\S{0,499}$")]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 30 * 86400.0


def parse_duration(value: object) -> float:
    """Seconds from `90`, `"90s"`, `"10m"`, `"1h30m"`. Raises ValueError with what is accepted."""
    if isinstance(value, bool):
        raise ValueError("a duration such as 90s, 10m or 1h30m is wanted")
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and (parts := re.fullmatch(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", value.strip())):
        found = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", parts.group())
        return sum(float(number) * _UNITS[unit] for number, unit in found)
    raise ValueError("a duration such as 90s, 10m or 1h30m is wanted")


def _address(value: object) -> str:
    # ipaddress takes a whole number as well: 12345 would quietly become 0.0.48.57.
    if not isinstance(value, str):
        raise ValueError("an IPv4 or IPv6 address is wanted")
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError("an IPv4 or IPv6 address is wanted") from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError("the address of one machine is wanted")
    return str(address)


def wrong(key: str, what: str) -> PydanticCustomError:
    """A mistake of the whole entry that is best shown at one of its keys."""
    return PydanticCustomError("entry", "{what}", {"what": what, "key": key})


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=0, le=_LONGEST),
    WithJsonSchema({"type": ["string", "number"], "format": "duration such as 90s, 10m or 1h30m"}),
]
Address = Annotated[str, BeforeValidator(_address), WithJsonSchema({"type": "string", "format": "ip"})]
Port = Annotated[int, Field(ge=1, le=65535)]


class Declared(BaseModel):
    """The settings that every part of a fleet file shares: frozen, strict, and no key that nobody knows."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, populate_by_name=True, allow_inf_nan=False
    )
