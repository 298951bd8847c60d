"""SSH through the `ssh` program, for what asyncssh lacks: GSSAPI, FIDO keys, exotic configuration.

What is in: its options, and what its messages mean. What is not: keeping connections; each bundle makes its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from seatrial.errors import InputError
from seatrial.model.command import Command, Output
from seatrial.vantage import endings
from seatrial.vantage.bundle import Answer, Ending
from seatrial.vantage.piped import Fate, converse, plain_environment
from seatrial.vantage.pool import Pool
from seatrial.vantage.sshconfig import CutConfig, Step, chain, config_paths

# ssh says 255 for its own troubles; the script ends with 0, and its frames came before.
OWN_TROUBLE = 255

# Options on the command line do not reach the ssh that ssh starts for a jump host; the config that -F names does.
# What ssh reads first wins: strictness comes before the operator's config, the cheap key exchange after it
# (sntrup761, the default of OpenSSH 9, costs 0.12 s of CPU for each connection).
_CONFIG = """\
BatchMode yes
StrictHostKeyChecking yes
UpdateHostKeys no
ConnectTimeout {connect_timeout}
ServerAliveInterval 2
ServerAliveCountMax 2
ControlMaster no
ControlPath none
ForwardAgent no
ForwardX11 no
RequestTTY no
RemoteCommand none
PermitLocalCommand no
LogLevel ERROR
{includes}
Host *
KexAlgorithms ^curve25519-sha256,curve25519-sha256@libssh.org
"""


class OpensshVantage:
    """Runs Commands over SSH by the `ssh` program; one process and one connection for each bundle."""

    def __init__(self, name: str, *, alias: str, ssh_config: str | None, pool: Pool) -> None:
        self._name = name
        self._alias = alias
        self._pool = pool
        self._paths = config_paths(ssh_config)

    @property
    def name(self) -> str:
        """The name in the fleet file."""
        return self._name

    async def run(self, commands: Sequence[Command]) -> list[Output]:
        """Run `commands` one after the other in one exec; one Output each, in order."""
        if not commands:
            return []
        answer = Answer(commands)
        try:
            self._refuse_circles()
        except InputError as error:
            return answer.outputs(endings.misconfigured(self._name, error.message))
        async with self._pool.places:
            # A file without a name: needs no disk, and leaves nothing behind. ssh closes what it inherits, so the
            # config is read through this process's descriptor.
            with os.fdopen(os.memfd_create("ssh_config"), "wb") as file:
                file.write(self._config().encode("utf-8", "surrogateescape"))
                file.flush()
                config = f"/proc/{os.getpid()}/fd/{file.fileno()}"
                try:
                    fate = await converse(
                        ("ssh", "-T", "-F", config, "--", self._alias, "sh"),
                        answer,
                        clock=self._pool.clock,
                        env=_environment(),
                        patience=2 * self._pool.connect_timeout,
                    )
                except OSError as error:
                    why = error.strerror or str(error)
                    return answer.outputs(endings.cannot_start(self._name, "ssh", why, "openssh-client"))
        return answer.outputs(self._ending(answer, fate))

    async def fresh(self) -> None:
        """There is no connection to drop: every bundle makes a new one."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _refuse_circles(self) -> None:
        # ssh would start itself for one jump after the other, and never end.
        config = CutConfig(self._paths)
        chain(Step(alias=self._alias), lambda step: config.value_for(step.alias, "ProxyJump"))

    def _config(self) -> str:
        includes = "\n".join(f'Host *\nInclude "{path.absolute()}"' for path in self._paths)
        return _CONFIG.format(connect_timeout=max(1, round(self._pool.connect_timeout)), includes=includes)

    def _ending(self, answer: Answer, fate: Fate) -> Ending:
        if answer.out.broken or answer.err.broken:
            return endings.nonsense(self._name)
        if answer.answered >= 0:
            return endings.overdue(self._name, answer) if fate.overdue else endings.lost(self._name)
        if fate.overdue:
            return endings.unreachable(self._name, "no answer within the time limit")
        said = answer.noise
        if fate.status == OWN_TROUBLE:
            return explain(said, self._name, self._alias)
        return endings.no_shell(self._name, said)


def _environment() -> dict[str, str]:
    # A question that pops up on somebody's screen is not wanted either.
    return {**plain_environment(), "SSH_ASKPASS_REQUIRE": "never"}


def explain(said: str, where: str, alias: str) -> Ending:
    """Which Trouble the messages of ssh mean, when it ended with 255 before the script began."""
    if "REVOKED HOST KEY" in said:
        return endings.revoked_key(where)
    if found := re.search(r"Host key for (\S+) has changed", said):
        return endings.changed_key(where, found[1])
    if "HOST IDENTIFICATION HAS CHANGED" in said:
        return endings.changed_key(where, alias)
    if found := re.search(r"No \S+ host key is known for (\S+) and", said):
        return endings.unknown_key(where, found[1])
    if "Host key verification failed" in said or "no matching host key type" in said:
        return endings.unknown_key(where, alias)
    if found := re.search(r"(?:(\S+)@\S+: )?Permission denied|Too many authentication failures", said):
        return endings.login_refused(where, found[1] or "")
    if re.search(r"Bad configuration option|no matching \S+ (method|found)|Unable to negotiate", said):
        return endings.misconfigured(where, endings.last_line(said))
    return endings.unreachable(where, endings.last_line(said) or "ssh did not say why")
