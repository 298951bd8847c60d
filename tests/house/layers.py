"""The floors of the house as one table: the test of the arrows reads it, and the drawing in the docs is made from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Rooms that stand beside each other and do not know each other. `pure`: values in, values out."""

    name: str
    rooms: tuple[str, ...]
    says: str
    pure: bool = False


# From the roof to the ground; imports go down only.
FLOORS: tuple[Floor, ...] = (
    Floor(name="the front door", rooms=("__main__",), says="python -m seatrial"),
    # A verb opens the web room (`watch` serves its figures); no page knows what was typed to open it.
    Floor(name="the commands", rooms=("cli",), says="a verb is one call"),
    Floor(name="the pages", rooms=("web",), says="what is read over HTTP; a page is one call"),
    Floor(name="the engine", rooms=("engine",), says="durable workflows: observe, decide, perform"),
    Floor(name="the rooms that act", rooms=("perform", "sampler", "lab"), says="they change the world"),
    Floor(
        name="the ways out",
        rooms=("vantage", "journal", "notify"),
        says="SSH, programs, the database, people's services",
    ),
    Floor(
        name="the pure floor of judging",
        rooms=("bisect", "checklist", "checks", "diagnose", "soak", "drift"),
        says="pure: values in, values out",
        pure=True,
    ),
    Floor(
        name="the pure floor of knowing",
        rooms=("boot", "exports", "fleetfile", "ha", "kernels", "picture", "report", "rollout"),
        says="pure as well",
        pure=True,
    ),
    Floor(name="the nouns", rooms=("model",), says="frozen values", pure=True),
    Floor(name="the ground", rooms=("errors", "clock"), says="the few errors, and the door to time"),
)

# Files that are sent to other machines and run there: imported by nobody, and importing nothing of Seatrial.
SENT_AWAY = "onhost"


def floor_of(room: str) -> int | None:
    """The number of the floor a room is on, from the roof; None for a room that is on no floor."""
    return next((number for number, floor in enumerate(FLOORS) if room in floor.rooms), None)


def drawing() -> str:
    """The floors as text, for the docs."""
    rows = [("  ".join(floor.rooms), floor.says) for floor in FLOORS[1:]]
    wide = max(len(rooms) for rooms, _ in rows)
    lines = [f"| {rooms:<{wide}} |  {says}" for rooms, says in rows]
    edge = f"+{'-' * (wide + 2)}+"
    body = f"\n{edge}\n".join(lines)
    return f"{edge}\n{body}\n{edge}\n  {SENT_AWAY}: sent to other machines as files; no arrow leads to it or from it\n"
