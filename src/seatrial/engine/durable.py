"""The one door to the durable engine (DBOS): one workflow a rollout, one child workflow a trial, one step a turn.

What is in: loops that survive their process. What is not: any decision, and any truth: the engine's tables only say
which loops to go on with; what has happened is in the journal, and a turn that was cut off is simply made again.
This module is imported inside functions only, since the library takes most of a second to load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from seatrial.engine.turns import Turns
from seatrial.journal.store import make_private

# Workflows of an older release go on in this one: the journal is what they read, and it stays readable.
ENGINE_VERSION = "1"

_turns: Turns | None = None
_loop: asyncio.AbstractEventLoop | None = None
_broken: asyncio.Future[None] | None = None


async def _bridge(make: Callable[[Turns], Awaitable[Any]]) -> Any:
    """Run a turn on the controller's own loop, which its connections belong to, whichever loop the engine is on."""
    assert _turns is not None and _loop is not None and _broken is not None
    turns, broken = _turns, _broken

    async def turn() -> Any:
        if not broken.done():
            try:
                return await make(turns)
            except Exception as error:
                broken.set_exception(error)
        # A stop or an error of ours is not an outcome: the step must not end, so that the next controller makes it again.
        return await asyncio.Future()

    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(turn(), _loop))


@DBOS.step()
async def rollout_turn() -> dict[str, Any]:
    """One turn of the rollout."""
    return dict(await _bridge(lambda turns: turns.rollout_turn()))


@DBOS.step()
async def trial_turn(host: str) -> bool:
    """One turn of a trial."""
    return bool(await _bridge(lambda turns: turns.trial_turn(host)))


@DBOS.workflow()
async def trial_workflow(rollout: str, host: str) -> str:
    """Turns of one trial until it is over."""
    while not await trial_turn(host):
        pass
    return f"{rollout}.{host}"


@DBOS.workflow()
async def rollout_workflow(rollout: str) -> str:
    """Turns of a rollout until it is over; trials are its children."""
    while True:
        turn = await rollout_turn()
        if turn.get("over"):
            return rollout
        for host in turn["trials"]:
            with SetWorkflowID(_unique(f"{rollout}.{host}")):
                await DBOS.start_workflow_async(trial_workflow, rollout, host)


def _unique(name: str) -> str:
    return f"{name}#{DBOS.workflow_id}"


async def run(turns: Turns, engine_url: str) -> None:
    """Go on with the rollout until it is over; cancelling this leaves everything ready for the next controller.

    Raises what a turn raised: the journal is gone, say. The rollout can be resumed after that as well.
    """
    global _turns, _loop, _broken
    _turns, _loop, _broken = turns, asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    _settle(engine_url)
    config: DBOSConfig = {
        "name": "seatrial",
        "system_database_url": engine_url,
        "executor_id": turns.rollout,
        "application_version": ENGINE_VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "CRITICAL",
        # How long the engine takes to stop; its default would make every verb a second slower.
        "notification_listener_polling_interval_sec": 0.2,
    }
    DBOS(config=config)
    try:
        await asyncio.to_thread(DBOS.launch)
        await _until_over(turns, _broken)
    finally:
        if not _broken.done():
            _broken.cancel()
        # It made its own threads those of our loop, and they end with it; who still has something to do needs others.
        _loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="seatrial"))
        await asyncio.to_thread(DBOS.destroy)


async def _until_over(turns: Turns, broken: asyncio.Future[None]) -> None:
    attempt = 0
    while not turns.state().ended:
        # Where the engine's memory and the journal disagree the journal is right: a loop that has ended although the
        # rollout has not is begun anew.
        attempt += 1
        with SetWorkflowID(f"{turns.rollout}/{attempt}"):
            handle = await DBOS.start_workflow_async(rollout_workflow, turns.rollout)
        over: asyncio.Future[str] = asyncio.ensure_future(handle.get_result(polling_interval_sec=0.1))
        await asyncio.wait([over, broken], return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]
        if broken.done():
            over.cancel()
            broken.result()
        over.result()


def _settle(url: str) -> None:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        make_private(Path(parsed.database))
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        engine.dispose()


def engine_url(journal_url: str) -> str:
    """Where the engine's own tables are: beside the journal's file, or in the same Postgres database."""
    parsed = sa.make_url(journal_url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return journal_url
    return str(parsed.set(database=str(Path(parsed.database).with_suffix(".engine.db"))))
