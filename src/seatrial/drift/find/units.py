"""Units that run and would not come back, that should run and do not, and whose files were changed under them."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import NOTE, WARNING, finding
from seatrial.drift.read.services import Unit
from seatrial.model.finding import Finding, When

_KINDS = (".service", ".socket", ".timer")


def lost(facts: Facts) -> Iterator[Finding]:
    """Units that were started by hand."""
    for unit in facts.services.units.values():
        if (
            unit.active != "active"
            or not unit.name.endswith(_KINDS)
            or unit.transient
            or unit.loaded != "loaded"
        ):
            continue
        if (
            unit.enabled == "disabled"
            and not _pulled(facts, unit)
            and unit.kind != "dbus"
            and not facts.running.at_boot(unit.name.partition(".")[0])
        ):
            yield finding(
                "running.unit-lost",
                WARNING,
                unit.name,
                f"{unit.name} runs and is not enabled: the next boot does not start it",
                fix=f"systemctl enable {unit.name}",
                instead=f"systemctl stop {unit.name}",
            )


def _pulled(facts: Facts, unit: Unit) -> bool:
    """Whether another unit brings it up: one that is there at boot, and is not merely named."""
    for name in unit.pulled_by:
        other = facts.services.units.get(name)
        if other is None or other.active == "active":
            return True
    return False


def missing(facts: Facts) -> Iterator[Finding]:
    """Units that are enabled and do not run."""
    units = facts.services.units
    for name in facts.services.unit_files:
        unit = units.get(name)
        if not name.endswith(_KINDS) or unit is None or unit.loaded != "loaded":
            continue
        if unit.active == "failed":
            yield finding(
                "running.unit",
                WARNING,
                name,
                f"{name} is enabled and has failed ({unit.result}): the next boot tries it again",
                fix=f"systemctl reset-failed {name} && systemctl start {name}",
                instead=f"systemctl disable {name}",
            )
        elif unit.active == "inactive" and unit.condition and not _may_rest(facts, unit):
            yield finding(
                "running.unit",
                WARNING,
                name,
                f"{name} is enabled and does not run: the next boot starts it",
                fix=f"systemctl start {name}",
                instead=f"systemctl disable {name}",
            )


def _may_rest(facts: Facts, unit: Unit) -> bool:
    """What ends by itself, or comes when somebody asks for it."""
    if unit.kind == "dbus" or (unit.kind == "oneshot" and not unit.remain):
        return True
    socket = facts.services.units.get(unit.name.replace(".service", ".socket"))
    # Ended well by itself: it has run since the boot, and nobody stopped it.
    return socket is not None and socket.active == "active"


def changed(facts: Facts) -> Iterator[Finding]:
    """Unit files that systemd has not read again."""
    for unit in facts.services.units.values():
        if unit.stale and unit.loaded == "loaded" and unit.active in ("active", "failed"):
            yield finding(
                "running.unit-file",
                WARNING if unit.pid else NOTE,
                unit.name,
                f"the file of {unit.name} was changed and systemd has not read it: the next start is another one than the one that runs",
                fix="systemctl daemon-reload" + (f" && systemctl restart {unit.name}" if unit.pid else ""),
                when=When.RESTART,
            )
