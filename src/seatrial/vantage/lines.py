"""From an ssh alias to a connection that is kept: one half of SSH through asyncssh; ssh.py asks over it.

What is in: the operator's own ssh config, keys and agent, chains of jumps, host keys that are refused and why, one
connection for each host. What is not: asking for passwords, trusting a new host key, GSSAPI and FIDO (`transport:
openssh` has those), and what is said over the connection.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from seatrial.clock import Clock
from seatrial.errors import InputError
from seatrial.vantage import endings
from seatrial.vantage.bundle import Ending
from seatrial.vantage.dial import dial
from seatrial.vantage.sshconfig import CutConfig, Step, chain, config_paths

# A connection that is kept says within 4 to 6 s that its host is gone.
KEEPALIVE = 2
KEEPALIVE_COUNT = 2
# How many connect time limits a handshake may take: key exchange and login on a busy host.
HANDSHAKE = 2
# The post-quantum exchanges that come first otherwise cost 0.1 s of CPU for each connection. An operator who wants
# them says so with KexAlgorithms. AES-GCM is the cheapest cipher where the CPU has AES.
QUICK = {
    "KexAlgorithms": ("kex_algs", "^curve25519-sha256,curve25519-sha256@libssh.org"),
    "Ciphers": ("encryption_algs", "^aes128-gcm@openssh.com"),
}
USER_KNOWN = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
GLOBAL_KNOWN = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
DEFAULT_IDENTITIES = [f"~/.ssh/{name}" for name in ("id_ed25519", "id_ecdsa", "id_rsa")]

Chain = tuple[str | None, tuple[Step, ...]]


class NoWay(Exception):
    """There is no connection, and the ending says why. SshVantage makes Outputs of it."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.problem)
        self.ending = ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One step as its config has it: what asyncssh needs, and the words for people."""

    where: str
    lookup: str
    options: asyncssh.SSHClientConnectionOptions
    known: asyncssh.SSHKnownHosts
    kinds: list[str]
    keys: tuple[asyncssh.SSHKeyPair, ...]
    connect_timeout: float
    notes: str


class _Keeper(asyncssh.SSHClient):
    """Watches one connection: which host key was offered, and whether the connection is still there."""

    offered = ""
    lost = False

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Asked for a key that known_hosts does not have: never trusted, and remembered for the sentence."""
        self.offered = key.get_fingerprint()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called once, whoever ended it."""
        self.lost = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection that is kept."""

    connection: asyncssh.SSHClientConnection
    keeper: _Keeper


class Switchboard:
    """What the SSH vantages of one pool share: configs, keys and known hosts read once, and the connections."""

    def __init__(self, *, places: asyncio.Semaphore, connect_timeout: float, clock: Clock) -> None:
        self.clock = clock
        self._places = places
        self._connect_timeout = connect_timeout
        self._configs: dict[str | None, CutConfig] = {}
        self._bare: dict[tuple[str | None, Step], asyncssh.SSHClientConnectionOptions] = {}
        self._chains: dict[tuple[str | None, str], Chain] = {}
        self._ways: dict[tuple[str | None, Step], Way] = {}
        self._known: dict[tuple[str, ...], asyncssh.SSHKnownHosts] = {}
        self._file_keys: dict[str, tuple[asyncssh.SSHKeyPair, ...]] = {}
        self._agents: dict[str, tuple[asyncssh.SSHAgentClient, tuple[asyncssh.SSHKeyPair, ...]]] = {}
        self._lines: dict[Chain, asyncio.Task[Line]] = {}

    async def line(self, alias: str, own_config: str | None) -> tuple[Line, bool]:
        """The connection to `alias`, and whether it was there before. Raises NoWay."""
        try:
            return await self._line(self._chain(alias, own_config))
        except InputError as error:
            raise NoWay(endings.misconfigured(alias, error.message)) from None

    def drop(self, alias: str, own_config: str | None) -> None:
        """Close the connection to `alias`; the jump hosts' connections stay, others use them."""
        if (route := self._chains.get((own_config, alias))) and (task := self._lines.pop(route, None)):
            _hang_up(task)

    async def close(self) -> None:
        """Close every connection, the last step of each chain first, and those to agents."""
        for route in sorted(self._lines, key=lambda route: -len(route[1])):
            _hang_up(self._lines.pop(route))
        for agent, _ in self._agents.values():
            agent.close()
        self._agents.clear()

    def _chain(self, alias: str, own_config: str | None) -> Chain:
        key = own_config, alias
        if key not in self._chains:

            def jumps_of(step: Step) -> str | None:
                value = self._options(own_config, step).config.get("ProxyJump")
                return str(value) if value else None

            self._chains[key] = own_config, chain(Step(alias=alias), jumps_of)
        return self._chains[key]

    async def _line(self, route: Chain) -> tuple[Line, bool]:
        # One attempt is shared by all who wait for it: a dead jump host costs its time limit once, not for each
        # host behind it.
        task = self._lines.get(route)
        kept = task is not None and task.done()
        if task is None or (task.done() and _gone(task)):
            kept = False
            task = self._lines[route] = asyncio.create_task(self._connect(route))
            task.add_done_callback(_heard)
        return await asyncio.shield(task), kept

    async def _connect(self, route: Chain) -> Line:
        own_config, steps = route
        way = await self._way(own_config, steps[-1])
        tunnel = (await self._line((own_config, steps[:-1])))[0].connection if steps[1:] else None
        keeper = _Keeper()
        try:
            connection = await self._shake_hands(way, steps[-1].alias, tunnel, keeper)
        except (OSError, ValueError, asyncssh.Error, asyncssh.ChannelListenError) as error:
            raise NoWay(_explain(error, way, keeper)) from None
        # Not before: each packet of the handshake would set the timer anew.
        connection.set_keepalive(KEEPALIVE, KEEPALIVE_COUNT)
        return Line(connection=connection, keeper=keeper)

    async def _shake_hands(
        self, way: Way, alias: str, tunnel: asyncssh.SSHClientConnection | None, keeper: _Keeper
    ) -> asyncssh.SSHClientConnection:
        options, sock = way.options, None
        if tunnel is None and not options.proxy_command:
            # Dead hosts are waited for out here, so that they take no place from those that answer.
            sock = await dial(
                options.host, options.port, options.family, options.local_addr, timeout=way.connect_timeout
            )
        try:
            async with self._places, asyncio.timeout(HANDSHAKE * way.connect_timeout):
                return await asyncssh.connect(
                    alias,
                    options.port,
                    sock=sock,
                    tunnel=tunnel,
                    options=options,
                    config=None,
                    known_hosts=way.known,
                    server_host_key_algs=way.kinds or (),
                    client_factory=lambda: keeper,
                    # A key pair is marked with the algorithm that one host wants: each connection has its own.
                    client_keys=[copy.copy(key) for key in way.keys] or None,
                )
        except BaseException:
            if sock is not None:
                sock.close()
            raise

    def _options(self, own_config: str | None, step: Step) -> asyncssh.SSHClientConnectionOptions:
        key = own_config, step
        if key not in self._bare:
            if own_config not in self._configs:
                self._configs[own_config] = CutConfig(config_paths(own_config))
            text = self._configs[own_config].text_for(step.alias)
            try:
                self._bare[key] = _bare_options(text, step)
            except (ValueError, OSError) as error:
                raise InputError(str(error), hint="look at the ssh config") from None
        return self._bare[key]

    async def _way(self, own_config: str | None, step: Step) -> Way:
        key = own_config, step
        if key not in self._ways:
            bare = self._options(own_config, step)
            keys, notes = await self._keys(bare)
            name = bare.host_key_alias or bare.host
            known = self._known_hosts(bare)
            self._ways[key] = Way(
                where=step.alias,
                lookup=name if bare.port == 22 else f"[{name}]:{bare.port}",
                options=bare,
                known=known,
                kinds=_kinds(bare, known),
                keys=keys,
                connect_timeout=float(str(bare.config.get("ConnectTimeout") or self._connect_timeout)),
                notes=notes,
            )
        return self._ways[key]

    def _known_hosts(self, options: asyncssh.SSHClientConnectionOptions) -> asyncssh.SSHKnownHosts:
        files = tuple(
            _expand(str(name), options)
            for option, default in (
                ("UserKnownHostsFile", USER_KNOWN),
                ("GlobalKnownHostsFile", GLOBAL_KNOWN),
            )
            for name in _as_list(options.config.get(option, default))
        )
        if files not in self._known:
            self._known[files] = _read_known(files)
        return self._known[files]

    async def _keys(
        self, options: asyncssh.SSHClientConnectionOptions
    ) -> tuple[tuple[asyncssh.SSHKeyPair, ...], str]:
        config = options.config
        named = [_expand(str(name), options) for name in _as_list(config.get("IdentityFile", []))]
        certificates = [_expand(str(name), options) for name in _as_list(config.get("CertificateFile", []))]
        missing = [name for name in named if not Path(name).is_file()]
        notes = f"(IdentityFile {', '.join(missing)} is not there.)" if missing else ""
        files = [name for name in named or map(_expand_home, DEFAULT_IDENTITIES) if Path(name).is_file()]
        loaded = [key for name in files for key in self._load(name, certificates)]
        public = {_public_of(name) for name in files} | {key.public_data for key in loaded}
        held = await self._agent_keys(config.get("IdentityAgent"))
        ours = [key for key in held if key.public_data in public]
        others = (
            [] if config.get("IdentitiesOnly") else [key for key in held if key.public_data not in public]
        )
        # sshd counts every key that is tried; those that the operator named come first.
        keys = (*ours, *loaded, *others) if named else (*ours, *others, *loaded)
        return keys, notes

    def _load(self, name: str, certificates: Sequence[str]) -> tuple[asyncssh.SSHKeyPair, ...]:
        if name not in self._file_keys:
            try:
                self._file_keys[name] = tuple(asyncssh.load_keypairs(name, certlist=list(certificates)))
            except (OSError, ValueError):
                # Encrypted (the agent may have it), or of a kind that asyncssh cannot use.
                self._file_keys[name] = ()
        return self._file_keys[name]

    async def _agent_keys(self, configured: object) -> tuple[asyncssh.SSHKeyPair, ...]:
        path = (
            os.environ.get("SSH_AUTH_SOCK", "") if configured in (None, "SSH_AUTH_SOCK") else str(configured)
        )
        if not path or path.lower() == "none":
            return ()
        path = _expand_home(os.path.expandvars(path))
        if path not in self._agents:
            try:
                agent = await asyncssh.connect_agent(path)
                self._agents[path] = agent, tuple(await agent.get_keys())
            except (OSError, ValueError):
                return ()
        return self._agents[path][1]


def _gone(task: asyncio.Task[Line]) -> bool:
    return task.cancelled() or task.exception() is not None or task.result().keeper.lost


def _heard(task: asyncio.Task[Line]) -> None:
    # All who waited may have been cancelled; then nobody else looks at what came of it.
    if not task.cancelled():
        task.exception()


def _hang_up(task: asyncio.Task[Line]) -> None:
    task.cancel()
    if task.done() and not _gone(task):
        task.result().connection.close()


def _bare_options(text: str, step: Step) -> asyncssh.SSHClientConnectionOptions:
    """What the config says, without keys. Raises ValueError for a config that asyncssh cannot read."""
    # asyncssh reads files only; this one has no name and needs no disk.
    with os.fdopen(os.memfd_create("ssh_config"), "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()
        quick = {
            keyword: _quick_algorithms(option)
            for option, (keyword, _) in QUICK.items()
            if option.lower() not in text.lower()
        }
        return asyncssh.SSHClientConnectionOptions(
            config=[f"/proc/self/fd/{file.fileno()}"],
            host=step.alias,
            port=step.port if step.port is not None else (),
            username=step.user if step.user is not None else (),
            client_certs=[],
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            preferred_auth=["publickey"],
            keepalive_interval=0,
            # The time limit is around the whole handshake.
            login_timeout=0,
            connect_timeout=None,
            # What is known is looked up for each connection: which files those are is not known before.
            known_hosts=b"",
            client_keys=None,
            gss_host=None,
            gss_kex=False,
            gss_auth=False,
            # A host on trial never gets the operator's agent, whatever the config says.
            agent_forwarding=False,
            **quick,
        )


@functools.cache
def _quick_algorithms(option: str) -> list[str]:
    # Spelt out once: to work a pattern out costs asyncssh more than the rest of the options, and for each host.
    keyword, wish = QUICK[option]
    options = asyncssh.SSHClientConnectionOptions(
        config=[], client_keys=None, known_hosts=b"", **{keyword: wish}
    )
    return [name.decode() for name in getattr(options, keyword)]


def _read_known(files: Sequence[str]) -> asyncssh.SSHKnownHosts:
    known = asyncssh.import_known_hosts("")
    for name in files:
        try:
            text = Path(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            try:
                known.load(line)
            except ValueError:
                # As with ssh, a line that makes no sense makes no host known, and spoils no other line.
                continue
    return known


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _expand_home(name: str) -> str:
    return str(Path(name).expanduser())


def _expand(name: str, options: asyncssh.SSHClientConnectionOptions) -> str:
    for token, value in (("%d", "~"), ("%h", options.host), ("%r", options.username), ("%%", "%")):
        name = name.replace(token, value)
    return _expand_home(name)


def _public_of(name: str) -> bytes:
    try:
        return asyncssh.read_public_key(f"{name}.pub").public_data
    except (OSError, ValueError):
        return b""


def _trusted(
    options: asyncssh.SSHClientConnectionOptions, known: asyncssh.SSHKnownHosts
) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
    """The host keys and the authorities that known_hosts has for a host."""
    port = None if options.port == 22 else options.port
    keys, authorities = known.match(options.host_key_alias or options.host, "", port)[:2]
    return list(keys), list(authorities)


def _kinds(options: asyncssh.SSHClientConnectionOptions, known: asyncssh.SSHKnownHosts) -> list[str]:
    # asyncssh asks for the kinds of the known keys and for no other: a host that was installed anew with another
    # kind would hang up, and look dead instead of changed.
    keys, authorities = _trusted(options, known)
    if not keys or options.config.get("HostKeyAlgorithms") is not None:
        return []
    first = [*get_default_certificate_algs()] if authorities else []
    first += [kind for key in keys for kind in key.sig_algorithms]
    return [kind.decode() for kind in dict.fromkeys([*first, *get_default_public_key_algs()])]


def _explain(error: Exception, way: Way, keeper: _Keeper) -> Ending:
    """Which Trouble an attempt to connect ended in."""
    where, text = way.where, str(error) or type(error).__name__
    if isinstance(error, asyncssh.HostKeyNotVerifiable) or (
        isinstance(error, asyncssh.KeyExchangeFailed) and "host key" in text
    ):
        if "revoked" in text:
            return endings.revoked_key(where)
        known = any(_trusted(way.options, way.known))
        return (endings.changed_key if known else endings.unknown_key)(
            where, way.lookup, offered=keeper.offered
        )
    if isinstance(error, asyncssh.PermissionDenied) or "authentication failures" in text:
        return endings.login_refused(where, way.options.username, notes=way.notes)
    if isinstance(error, TimeoutError):
        return endings.unreachable(where, "no answer within the time limit")
    if isinstance(error, OSError):
        # A name that does not resolve has a number of its own family, below zero.
        number = error.errno or 0
        return endings.unreachable(where, os.strerror(number) if number > 0 else error.strerror or text)
    if isinstance(error, asyncssh.KeyExchangeFailed) or not isinstance(error, asyncssh.Error):
        return endings.misconfigured(where, text)
    return endings.unreachable(where, text)
