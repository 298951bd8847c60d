"""What `ip -j` says of links, addresses and routes, in strict shapes. What is not in: what is thought of it."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from seatrial.checks.reading import Said, Small, Words, clean, why_not
from seatrial.model.command import Output


class Owned(Said):
    """An address of an interface."""

    family: Words = ""
    local: Words = ""
    prefixlen: Small = 0
    dadfailed: bool = False


class Addressed(Said):
    """An interface with its addresses. iproute2 leaves an empty object where a filter hides an interface."""

    ifname: Words = ""
    flags: list[Words] = Field(default_factory=list, max_length=50)
    operstate: Words = ""
    addr_info: list[Owned] = Field(default_factory=list, max_length=5000)


class Table(Said):
    """The part of a VRF's data that is looked at."""

    table: Small | None = None


class LinkInfo(Said):
    """What kind of interface it is."""

    info_kind: Words = ""
    info_data: Table | None = None


class Link(Said):
    """An interface with its master."""

    ifname: Words
    flags: list[Words] = Field(default_factory=list, max_length=50)
    operstate: Words = ""
    master: Words = ""
    linkinfo: LinkInfo | None = None


class Route(Said):
    """The way to one address."""

    type: Words = "unicast"
    dst: Words
    gateway: Words = ""
    via: Annotated[dict[str, Any] | None, "a next hop of the other family"] = None
    dev: Words = ""
    table: Words = ""
    source: Words = Field(default="", alias="from")
    prefsrc: Words = ""


Shape = TypeVar("Shape", bound=Said)

ADDRESSES, LINKS, ROUTES = TypeAdapter(list[Addressed]), TypeAdapter(list[Link]), TypeAdapter(list[Route])


def listed(
    shape: TypeAdapter[list[Shape]], output: Output | None, place: str
) -> list[Shape] | tuple[str, str]:
    """The list that was answered, or why there is none and what to do."""
    if why := why_not(output, place):
        return why
    assert output is not None
    try:
        return shape.validate_json(output.stdout)
    except ValidationError as error:
        what = clean(str(error.errors(include_url=False, include_input=False)[0].get("msg")))
        return f"{place} answered {output.command.name} in a way that is not understood: {what}", ""
