"""Event: something that happened or that a person decided. If it is not an Event it did not happen.

Events of every released version stay readable: a kind is never renamed and a key never changes its meaning; readers
ignore keys and kinds that they do not know.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class Kind(enum.StrEnum):
    """What an Event is about. The data keys are listed beside each kind."""

    ROLLOUT_STARTED = (
        "rollout.started"  # candidate, fleet (the file's text), hosts: [..], roles: {host: [..]}, why, ticket
    )
    ROLLOUT_PAUSED = "rollout.paused"  # why
    ROLLOUT_RESUMED = "rollout.resumed"  # why
    ROLLOUT_ABORTED = "rollout.aborted"  # why, ticket, mode: revert|finish|hold (absent: revert)
    ROLLOUT_HELD = "rollout.held"  # because, hint, approves: a stage that wants a person's approval; what it waits for; because "" when it goes on; blockers: {name: outcome}
    INCIDENT_OPENED = (
        "incident.opened"  # incident (its name), why, ticket: a person's; of no rollout, it holds all
    )
    INCIDENT_CLOSED = "incident.closed"  # incident, why
    STAGE_APPROVED = "stage.approved"  # stage, why, ticket
    STAGE_FORCED = (
        "stage.forced"  # stage, why, ticket: approved, and without the evidence that the gate wants
    )
    HOST_SKIPPED = "host.skipped"  # why, ticket; of a host that is stuck: a person has seen to it
    HOST_FORCED = "host.forced"  # why, ticket: it may begin whatever the waves, windows and blockers say
    FLEET_SURVEYED = "fleet.surveyed"  # down: [..], asked: how many
    GATE_OPENED = "gate.opened"  # stage, because
    ROLLOUT_ENDED = "rollout.ended"  # outcome: blessed|reverted|refused|undone|stuck|aborted, because
    CONTROLLER_TOOK = "controller.took"  # controller, pid, machine
    TRIAL_BEGUN = "trial.begun"  # wave, because: the course lets it begin
    TRIAL_MOVED = "trial.moved"  # to, because, the facts of that move (boot_id, entry, deadline ...), record: what a verdict is remembered with
    TRIAL_INTENT = "trial.intent"  # act, and what it is about to change
    TRIAL_ACTED = "trial.acted"  # act, seconds, failover: the name of the one that moved the traffic
    TRIAL_FAILED = "trial.failed"  # act, problem, hint, failover
    HOST_DESCRIBED = (
        "host.described"  # running, machine, product, bios, cpu, nics, modules, filesystems, packages
    )
    RESULTS = "results"  # purpose: preflight|baseline|exercise|soak|proof, boot_id, seconds, results: [..]; of a failover as well
    DIAGNOSIS = "diagnosis"  # suspects: [..], next: [..], because
    SUSPECTS = "suspects"  # suspects: [..] the first few, examined, old, new, reverted_later, changelog: where it was
    SAMPLES = "samples"  # arm: good|candidate, place, kernel, boot_id, at, seconds, loaded, series: {name: rows}, missing
    FAILOVER_STARTED = "failover.started"  # group, driver, to, away, origin, why, force, trial (or ""), fleet (the file's text)
    FAILOVER_INTENT = "failover.intent"  # deed, on: [..], because, hurts, seen: what the look showed
    FAILOVER_ACTED = "failover.acted"  # deed, seconds, steps: {place: [{name, ms, status, said}]}
    FAILOVER_FAILED = "failover.failed"  # deed, problem, hint, seconds, steps
    FAILOVER_TURNED = "failover.turned"  # to, because, hint, seen: it goes back to where it came from
    FAILOVER_ENDED = (
        "failover.ended"  # outcome: moved|back|refused|undone|stuck, because, hint, carriers, seen
    )
    KERNEL_MARKED = "kernel.marked"  # kernel, roles, good, because: a person's verdict; of no rollout
    KERNEL_OVERRIDDEN = (
        "kernel.overridden"  # kernel, roles ([] for all), why, until (RFC 3339, "" ends an earlier one)
    )
    KERNELS_IMPORTED = "kernels.imported"  # signer, key, source, exported_at, verdicts: [..] as in the file
    VERDICT = "verdict"  # outcome, because, loaded: {arm: seconds}, series: [..], evidence of the soak so far
    EXPORTS_INTENT = (
        "exports.intent"  # exports, group, file, hosts, added, removed, changed, kept, why, allowed
    )
    EXPORTS_APPLIED = (
        "exports.applied"  # exports, group, file, added, removed, changed, kept, because, done: [host], why
    )
    EXPORTS_FAILED = "exports.failed"  # exports, group, file, problem, hint, done: [host], why
    SNAPSHOT = "snapshot"  # place, at, topics: {topic: {key: value}}: a host as it was before its trial
    CHANGED = "changed"  # place, since, changes: [{topic, key, before, after}], unread: why it is not known
    DRIFT_AUDITED = "drift.audited"  # findings: [..], unread: [..], asked: of a host; of no rollout
    SLOT_GRANTED = (
        "slot.granted"  # group, because: the host may reboot by itself; of no rollout, as all slots
    )
    SLOT_REFUSED = (
        "slot.refused"  # group, reason, because, hint: written when it is another no than the last one
    )
    SLOT_WISHED = "slot.wished"  # group: the host says that it is back; it is to be proven
    SLOT_UNPROVEN = "slot.unproven"  # group, because, hint: its checks do not pass, so the slot stays taken
    SLOT_RELEASED = "slot.released"  # group, because, why, ticket: proven, or a person has seen to it
    NOTICE_SENT = "notice.sent"  # to, of: the place of the Event that was told, about
    NOTICE_FAILED = "notice.failed"  # to, of, about, because, tries: it is not tried again
    NOTE = "note"  # text: a person's line
    BISECT_STARTED = "bisect.started"  # good, bad, versions: [{name, ...}], rules, asked, ground: what a later process needs
    BISECT_TRYING = "bisect.trying"  # version, number: written before the boot
    BISECT_TRIED = "bisect.tried"  # version, outcome, because, booted, boot_seconds, seconds, results: [..]
    BISECT_ENDED = "bisect.ended"  # ending, first, last, last_good (names), confidence, wrong_fails, wrong_passes, boots, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the journal. `seq` is its place, given by the journal; `at` is UTC; `by` is who.

    `rollout` is the name of what it belongs to: a rollout (r1) or a search for the first bad kernel (b1).
    """

    seq: int
    at: datetime
    kind: str
    rollout: str
    host: str = ""
    by: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
