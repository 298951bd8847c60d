"""Reboots: whether a host that asks may reboot by itself now. Pure, like the course of a rollout, and by the same rules.

A slot is for one host, which may ask for it again. Nobody gets one while a peer is unverified, on trial, away or not known to
be there, while the budgets of the fleet are full, or when no window is open. Every no has its reason, and a kind from a
short list, which clients count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from seatrial.model.fleet import Fleet
from seatrial.model.fleetlock import FleetLock
from seatrial.model.slots import Away, Slot
from seatrial.rollout.calendar import shut_because
from seatrial.rollout.tally import Key, keys_of

FULL = "failed_lock_semaphore_full"
UNVERIFIED = "failed_lock_peer_unverified"
ON_TRIAL = "failed_lock_peer_on_trial"
AWAY = "failed_lock_peer_away"
BUDGET = "failed_lock_budget_full"
NOT_NOW = "failed_lock_not_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class No:
    """Why a host may not reboot now: `kind` is one of the few above; `hint` says what a person could do."""

    kind: str
    because: str
    hint: str = ""


def peers_of(fleet: Fleet, lock: FleetLock, host: str) -> tuple[str, ...]:
    """All whose state matters to this one: its reboot group, and the group that it shares a service with."""
    group = lock.slots_of()[host]
    some = dict.fromkeys((*lock.groups[group].hosts, *fleet.peers_of(host)))
    some.pop(host, None)
    return tuple(some)


def asked_of(fleet: Fleet, lock: FleetLock, host: str) -> tuple[str, ...]:
    """The hosts that must be asked whether they are up before this one may reboot: peers, and who shares a budget with it."""
    some = dict.fromkeys(peers_of(fleet, lock, host))
    budgeted = {key for key in keys_of(fleet, host) if _budgets(fleet, key)}
    if budgeted:
        some |= dict.fromkeys(other for other in fleet.hosts if budgeted.intersection(keys_of(fleet, other)))
    some.pop(host, None)
    return tuple(some)


def _budgets(fleet: Fleet, key: Key) -> list[int]:
    """The limits of the budgets that a role, site or rack has."""
    size = sum(1 for host in fleet.hosts if key in keys_of(fleet, host))
    return [
        budget.limit(size)
        for budget in fleet.rollout.budgets
        if budget.per == key[0] and (not budget.only or key[1] in budget.only)
    ]


def has_slot(away: Away, host: str) -> bool:
    """Whether the host may reboot already: it holds a slot that it has not given back."""
    slot = away.slots.get(host)
    return slot is not None and slot.wished is None


def by_journal(fleet: Fleet, lock: FleetLock, away: Away, host: str, now: datetime) -> No | None:
    """The no that the journal and the calendar give; None when it is worth asking who is up."""
    group = lock.slots_of()[host]
    others = {name: slot for name, slot in away.slots.items() if name != host}
    peers = set(peers_of(fleet, lock, host))
    for name, slot in others.items():
        if name in peers and slot.wished is not None:
            return No(kind=UNVERIFIED, because=_unverified(slot), hint=_release(name))
    if host in away.stuck:
        return No(kind=UNVERIFIED, because=f"{host} waits for a person behind its trial in {away.stuck[host]}", hint=_release(host))  # fmt: skip
    for name in sorted(peers & set(away.stuck)):
        because = f"{name} waits for a person behind its trial in {away.stuck[name]}"
        return No(kind=UNVERIFIED, because=because, hint=_release(name))
    for name in (host, *sorted(peers)):
        if name in away.on_trial:
            return No(kind=ON_TRIAL, because=f"{name} is on trial in {away.on_trial[name]}")
    service = fleet.group_of(host)
    if service is not None and service in away.moving:
        return No(kind=AWAY, because=f"the service of {service} is being moved: {away.moving[service]}")
    for name in fleet.peers_of(host):
        if name in others:
            return No(kind=AWAY, because=f"its peer {name} has a slot already, {_since(others[name])}")
    held = [slot for slot in others.values() if slot.group == group]
    if len(held) >= lock.groups[group].slots:
        told = ", ".join(f"{slot.host} {_since(slot)}" for slot in held[:4])
        because = f"semaphore currently full, all slots are locked already: {told}"
        return No(kind=FULL, because=because)
    if because := shut_because(fleet.rollout, fleet.hosts[host].stage, now):
        return No(kind=NOT_NOW, because=because)
    return None


def by_survey(fleet: Fleet, lock: FleetLock, away: Away, host: str, silent: frozenset[str]) -> No | None:
    """The no that the fleet gives: `silent` are those of `asked_of` that did not say that they are up."""
    group = lock.slots_of()[host]
    for name in fleet.peers_of(host):
        if name in silent:
            return No(kind=AWAY, because=f"its peer {name} does not answer, so it is not known to be there")
    gone = {name for name in {*away.slots, *away.on_trial, *away.stuck, *silent} if name in fleet.hosts}
    gone.discard(host)
    members = gone & set(lock.groups[group].hosts)
    slots = lock.groups[group].slots
    if len(members) >= slots:
        told = ", ".join(sorted(members)[:4])
        return No(kind=AWAY, because=f"{told} of {group} away or not answering, and {slots} may be")
    counted: Mapping[Key, int] = {
        key: sum(1 for name in gone if key in keys_of(fleet, name)) for key in keys_of(fleet, host)
    }
    for (kind, value), number in counted.items():
        for limit in _budgets(fleet, (kind, value)):
            if number >= limit:
                return No(
                    kind=BUDGET, because=f"{number} hosts of {kind} {value} are away, and {limit} may be"
                )
    return None


def _unverified(slot: Slot) -> str:
    return f"{slot.host} is back and not proven yet: {slot.because or 'its checks are being asked'}"


def _since(slot: Slot) -> str:
    return f"since {slot.at:%Y-%m-%d %H:%M} UTC"


def _release(host: str) -> str:
    return f"see to it, then: seatrial fleetlock release {host} --why ..."
