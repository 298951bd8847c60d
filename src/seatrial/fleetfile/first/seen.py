"""What another tool's file says of machines, before anything is guessed; and the values that a first fleet file is made of.

What is in: shapes. What is not: reading any file, and any guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_MACHINES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine as it was found. `address` is where it is reached, or "" when its name leads there.

    `groups` are names that its own source gave it (groups of Ansible, roles of a cluster), the nearest first. `through`
    is the machine that one has to pass to get there; `config` is the ssh config that knows the name, where it is not the
    user's own.
    """

    name: str
    where: str
    address: str = ""
    user: str = ""
    port: int | None = None
    identity: str = ""
    groups: tuple[str, ...] = ()
    through: str = ""
    config: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One thing that is in the file and not in the fleet, and why."""

    what: str
    where: str
    why: str

    def line(self) -> str:
        """`where: what: why`."""
        return f"{self.where}: {self.what}: {self.why}"


@dataclass(slots=True, kw_only=True)
class Found:
    """Everything that a source has, gathered while it is read; `name` is what the fleet may be called."""

    name: str = "fleet"
    machines: list[Machine] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def leave(self, what: str, where: str, why: str) -> None:
        """Note what is passed over."""
        self.left.append(Left(what=what, where=where, why=why))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One thing that nobody has said: what was taken for true, and because of what."""

    what: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host of the first fleet file."""

    name: str
    stage: str
    roles: tuple[str, ...]
    ssh: str
    note: str
    own_config: bool
    machine: Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The first fleet file as values; `still` is what a person must say before a rollout means anything."""

    name: str
    stages: tuple[str, ...]
    hosts: tuple[Host, ...]
    groups: dict[str, tuple[str, ...]]
    guesses: tuple[Guess, ...]
    left: tuple[Left, ...]
    still: tuple[str, ...]
