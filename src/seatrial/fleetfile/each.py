"""Checks that are declared once for a role: one for each of its hosts, so that two hundred hosts take one entry.

What is in: what such an entry becomes. What is not: roles that nobody has, which across.py tells of.
"""

from __future__ import annotations

from seatrial.model.check import Check
from seatrial.model.fleet import Fleet


def for_each(fleet: Fleet) -> Fleet:
    """The fleet with every check that has `each` in place of it: NAME@HOST for each host of that role."""
    if not any(check.each for check in fleet.checks.values()):
        return fleet
    checks: dict[str, Check] = {}
    for name, check in fleet.checks.items():
        if check.each is None:
            checks[name] = check
            continue
        for host, declared in fleet.hosts.items():
            if check.each in declared.roles:
                there = {"source_vantage": host, "each": None, "stage": check.stage or declared.stage}
                checks[f"{name}@{host}"] = check.model_copy(update=there)
    return fleet.model_copy(update={"checks": checks})
