"""`seatrial serve`: the page, its `.json` and the wishes of people, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seatrial.cli.options import Database, console, fleet, journal, person
from seatrial.clock import SystemClock
from seatrial.errors import InputError, Interrupted

if TYPE_CHECKING:
    from seatrial.engine.reboots import Reboots
    from seatrial.journal.store import Journal
    from seatrial.perform.world import World
    from seatrial.web.access import Access

LISTEN = "127.0.0.1:8464"

Listen = Annotated[str, Parameter(help="the address and port of the page")]
Tokens = Annotated[
    Path | None,
    Parameter(help="who may sign in, one a line: NAME ROLE HASH; roles are view, approve, operate"),
]
Header = Annotated[str, Parameter(name="--proxy-header", help="the header in which a proxy names who asks")]
Proxies = Annotated[
    tuple[str, ...], Parameter(name="--proxy", negative="", help="the address of that proxy; may be repeated")
]
People = Annotated[Path | None, Parameter(help="what those that the proxy names may, one a line: NAME ROLE")]
Fleet = Annotated[
    Path | None,
    Parameter(
        name=["--fleet", "-f"],
        help="the fleet file whose hosts may ask before they reboot by themselves (FleetLock)",
    ),
]
NewToken = Annotated[
    str | None, Parameter(name="--new-token", help="make a token for NAME, add it to --tokens, and end")
]


def serve(
    *,
    listen: Listen = LISTEN,
    tokens: Tokens = None,
    proxy_header: Header = "",
    proxy: Proxies = (),
    people: People = None,
    new_token: NewToken = None,
    role: Annotated[
        Literal["view", "approve", "operate"], Parameter(help="of the one who gets --new-token")
    ] = "view",
    file: Fleet = None,
    database: Database = None,
) -> int:
    """Serve the page of all rollouts in the journal until a signal comes.

    On loopback nobody signs in, and whoever asks is you. Beyond it, --tokens or --proxy-header is wanted.
    With --fleet, hosts ask here before they reboot by themselves, as the file's `fleetlock` says.
    """
    if new_token is not None:
        return _new_token(new_token, role, tokens)
    access = _access(tokens, proxy_header, proxy, people)
    return asyncio.run(_until_told(listen, access, database, file))


def _access(tokens: Path | None, header: str, proxies: tuple[str, ...], people: Path | None) -> Access:
    from seatrial.web.access import Access, Person, Role, read_people

    if tokens and header:
        raise InputError("--tokens and --proxy-header are two ways to know people", hint="choose one of them")
    if tokens:
        return Access(tokens=read_people(tokens, hashed=True))
    if header:
        if not proxies or people is None:
            raise InputError(
                "--proxy-header wants --proxy and --people",
                hint="whose word is taken for who asks, and what each of them may",
            )
        return Access(header=header, proxies=frozenset(proxies), people=read_people(people, hashed=False))
    return Access(open_as=Person(name=person(), role=Role.OPERATE))


def _new_token(name: str, role: str, tokens: Path | None) -> int:
    from seatrial.web.access import digest, new_token, read_people

    if tokens is None:
        raise InputError("--new-token wants --tokens", hint="the file that it is added to, as a hash")
    token = new_token()
    line = f"{name} {role} {digest(token)}\n"
    known = tokens.read_text(encoding="utf-8") if tokens.exists() else ""
    draft = tokens.with_name(f"{tokens.name}.new")
    # Checked before it takes the place of what is there: a wrong name must not lock everybody out.
    draft.touch(mode=0o600)
    draft.write_text(known + line, encoding="utf-8")
    try:
        read_people(draft, hashed=True)
        draft.replace(tokens)
    finally:
        draft.unlink(missing_ok=True)
    print(token)
    return 0


async def _until_told(listen: str, access: Access, database: str | None, file: Path | None) -> int:
    # Half a second of imports that no other verb wants.
    import anyio

    from seatrial.web.app import MOST_CONNECTIONS, make_app
    from seatrial.web.following import Following
    from seatrial.web.listening import bind, parse
    from seatrial.web.serving import served

    where = parse(listen)
    if not where.loopback and access.open_as is not None:
        raise InputError(
            f"{where.shown} can be reached from other machines, and nobody would have to sign in",
            hint="give --tokens FILE (seatrial serve --new-token NAME --tokens FILE) or --proxy-header",
        )
    store = journal(database)
    reboots, world = _reboots(file, store)
    following = Following(store)
    bound = bind(where, exposed=True)
    told: list[signal.Signals] = []
    ending, over = anyio.Event(), asyncio.Event()
    any_name = access.open_as is None
    app = make_app(following, access, SystemClock(), any_name=any_name, ending=ending, reboots=reboots)
    with _signals(told, over):
        out = console()
        with out.status("reading the journal") if out.is_terminal else contextlib.nullcontext():
            await asyncio.to_thread(following.catch_up)
        keeping = [asyncio.create_task(following.keep_up())]
        if reboots is not None:
            keeping.append(asyncio.create_task(reboots.keep_proving()))
        async with served(bound, app, most_connections=MOST_CONNECTIONS):
            console().print(f"serve     http://{bound.listen.shown}/   end it with Ctrl-C")
            await over.wait()
            ending.set()
        for one in keeping:
            one.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await one
    if world is not None:
        await world.close()
    return Interrupted.exit_code if told[0] is signal.SIGINT else 0


def _reboots(file: Path | None, store: Journal) -> tuple[Reboots | None, World | None]:
    """The slots of the fleet file that was named, and the world in which its checks are asked."""
    if file is None:
        return None, None
    from seatrial.engine.reboots import Reboots
    from seatrial.perform.world import open_world

    world = open_world(fleet(file)[0])
    return Reboots(store, world), world


@contextlib.contextmanager
def _signals(told: list[signal.Signals], over: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def end(which: signal.Signals) -> None:
        told.append(which)
        over.set()

    wanted = (signal.SIGINT, signal.SIGTERM)
    for which in wanted:
        loop.add_signal_handler(which, end, which)
    try:
        yield
    finally:
        for which in wanted:
            loop.remove_signal_handler(which)
