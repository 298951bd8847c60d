"""Finding: what the next boot, restart or failover of a host would change, and how to mend it. Finding is drift's work."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class Severity(enum.StrEnum):
    """How bad it would be. DANGER: a service or the host is lost. WARNING: it comes back other than it is. NOTE: to know."""

    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class When(enum.StrEnum):
    """What would bring it about."""

    BOOT = "boot"
    RESTART = "restart"
    FAILOVER = "failover"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that would change. `name` is the question that found it, `what` the thing: no two have both alike on a host.

    `because` is one sentence; `fix` is what to run, or to do, so that it is found no more, `instead` another way.
    `accepted` is who accepted it and why, "" when nobody did.
    """

    name: str
    severity: Severity
    when: When
    what: str
    because: str
    fix: str
    instead: str = ""
    host: str = ""
    accepted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A question that has no answer. `skipped` is whether it does not arise there or was never promised an answer."""

    name: str
    because: str
    hint: str = ""
    host: str = ""
    skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found on one host, worst first; `asked` counts the questions. `identity` is what it says of itself.

    `restarts` are the units that a finding says to restart, in an order that respects what must be up before what.
    """

    host: str
    findings: tuple[Finding, ...] = ()
    unread: tuple[Unread, ...] = ()
    asked: int = 0
    identity: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    restarts: tuple[str, ...] = ()

    @property
    def standing(self) -> tuple[Finding, ...]:
        """What nobody has accepted."""
        return tuple(one for one in self.findings if not one.accepted)

    @property
    def unknown(self) -> tuple[Unread, ...]:
        """What should have been answered and was not."""
        return tuple(one for one in self.unread if not one.skipped)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then what the next boot does before what a restart does, then by name."""
    whens = list(When)
    return tuple(
        sorted(
            findings, key=lambda one: (one.severity.rank, whens.index(one.when), one.host, one.name, one.what)
        )
    )
