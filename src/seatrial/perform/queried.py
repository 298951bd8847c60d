"""The queries of a policy put to their Prometheus at the end of a stretch, for the time of the stretch.

What is in: the Command, and when it is asked. What is not: reading the answer (soak/queries.py).
"""

from __future__ import annotations

import json

from seatrial.checks.onhost import script
from seatrial.checks.reading import clean, why_not
from seatrial.model.command import Command
from seatrial.model.measure import Query
from seatrial.perform.world import World
from seatrial.soak.queries import read_query

Rows = list[tuple[float, ...]]


async def query(
    world: World, name: str, asked: Query, host: str, *, began: float, seconds: float
) -> tuple[dict[str, Rows], str]:
    """What the server has of `host` for `seconds` from now, and why there is nothing of it ("" if there is).

    `began` is now, in seconds since 1970.
    """
    await world.clock.sleep(seconds)
    text, called = asked.asked_of(host)
    (output,) = await world.ask(asked.source_vantage, _command(asked, text, seconds))
    if why := why_not(output, asked.source_vantage):
        return {}, f"the query {name}: {why[0]}"
    series, problem = read_query(name, output.stdout, called=called, ends=began + seconds)
    return series, f"the query {name} to {asked.url}: {clean(problem)}" if problem else ""


def _command(asked: Query, text: str, seconds: float) -> Command:
    spec = {
        "url": asked.url,
        "query": text,
        "token_file": asked.token_file,
        "ca_file": asked.ca_file,
        "timeout": asked.timeout,
        "seconds": seconds,
        "step": asked.step,
    }
    return Command(
        name="soak.query",
        argv=("python3", "-", json.dumps(spec, separators=(",", ":"))),
        stdin=script("prometheus"),
        timeout=2 * asked.timeout + 10.0,
        limit=1024 * 1024,
        package="python3",
    )
