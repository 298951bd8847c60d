"""Snapshots: the facts of a host as plain texts by topic, to be kept, and what differs between two of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.drift.certificate import read_certificate
from seatrial.drift.facts import Facts
from seatrial.drift.find.network import statements
from seatrial.drift.find.settings import key_of
from seatrial.drift.read.text import clean, shown
from seatrial.errors import InputError

VERSION = 1
MOST = 400
# Counters, and what the kernel makes up at each boot: no setting.
_PASSING = re.compile(
    r"^(?:fs/(?:dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota|mqueue)|kernel/(?:random|ns_last_pid|pty|tainted|version|osrelease|bootloader_|"
    r"boot_params|sched_domain|cad_pid|printk_ratelimit)|net/netfilter/nf_conntrack_count|vm/(?:stat|lowmem|min_free_kbytes)|net/netfilter/nf_log)"
)
# What a trial itself puts on its host: the guard's script, what was armed, and its unit.
_GUARD = frozenset(
    {"/etc/seatrial/guard.sh", "/etc/seatrial/order", "/etc/systemd/system/seatrial-guard.service"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A host at one time: `at` is in seconds since 1970 by its own clock, `topics` are texts by topic and key."""

    host: str
    at: float
    topics: Mapping[str, Mapping[str, str]]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": VERSION,
            "host": self.host,
            "at": self.at,
            "topics": {topic: dict(some) for topic, some in self.topics.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was: "" for what was not there, or is not there any more."""

    topic: str
    key: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """For people."""
        if self.topic in ("settings", "certificate files"):
            return f"{self.key} was changed"
        if not self.before:
            return f"{self.topic}: {self.key} is new" + (
                f" ({self.after})" if self.after not in ("", "yes") else ""
            )
        if not self.after:
            return f"{self.topic}: {self.key} is gone" + (
                f" (it was {self.before})" if self.before != "yes" else ""
            )
        return f"{self.topic}: {self.key} is {self.after}, it was {self.before}"


def take(host: str, facts: Facts) -> Snapshot:
    """The snapshot of a host's facts. Certificates and settings are kept by their prints and times, not by their text."""
    running = facts.running
    topics: dict[str, Mapping[str, str]] = {
        "kernel": {"running": facts.identity.kernel, "system": facts.identity.system},
        "command line": dict.fromkeys(facts.boot.options, "yes"),
        "packages": running.packages,
        "sysctl": {key_of(key): value for key, value in running.sysctls.items() if not _PASSING.match(key)},
        "modules": dict.fromkeys(sorted(running.modules), "yes"),
        "mounts": {
            one.path: f"{one.kind} {one.source} {','.join(one.options[:1])}" for one in facts.boot.mounts
        },
        "routes": dict.fromkeys((f"{one.family} {one.text}" for one in running.routes), "yes"),
        "rules": dict.fromkeys((f"{one.family} {one.text}" for one in running.rules), "yes"),
        "links": {
            f"{name} {key}": value for name, link in running.links.items() for key, value in link.items()
        },
        "shaping": {one.device: one.text for one in running.qdiscs},
        "schedulers": {one.name: one.scheduler for one in running.disks},
        "firewall": {
            place: f"{sum(some.values())} rules: {shown(sorted(some), 3)}"
            for place, some in statements(running.nft).items()
        },
        "exports": {
            f"{path} {client}": ",".join(sorted(some)) for (path, client), some in running.exports.items()
        },
        "certificates": dict(_certificates(facts)),
        "settings": {path: f"{when:.0f}" for path, when in facts.services.changed.items()},
        "errors": dict(list(facts.hardware.errors.items())[:100]),
        "firmware": {
            key: value for key, value in facts.hardware.firmware.items() if value not in ("on", "off")
        },
    }
    return Snapshot(
        host=host,
        at=facts.identity.now,
        topics={
            topic: {key: value for key, value in some.items() if value} for topic, some in topics.items()
        },
    )


def _certificates(facts: Facts) -> Iterator[tuple[str, str]]:
    for path, file in facts.services.files.items():
        if file.pem and (one := read_certificate(file.pem[0])) is not None:
            yield path, one.called


def read_document(document: object) -> Snapshot:
    """A snapshot from JSON. Raises InputError when it is none."""
    hint = "give a file that `seatrial drift snapshot` wrote"
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise InputError("this is no snapshot of this version", hint=hint)
    topics = document.get("topics")
    if not isinstance(topics, dict) or not all(isinstance(some, dict) for some in topics.values()):
        raise InputError("the snapshot has no topics", hint=hint)
    try:
        at = float(document.get("at", 0.0))
    except (TypeError, ValueError):
        raise InputError("the snapshot has no time", hint=hint) from None
    return Snapshot(
        host=clean(str(document.get("host", ""))),
        at=at,
        topics={
            clean(str(topic)): {clean(str(key)): clean(str(value), 2000) for key, value in some.items()}
            for topic, some in topics.items()
        },
    )


def read_text(text: str) -> tuple[Snapshot, ...]:
    """The snapshots of a file: one JSON object a line, or one document. Raises InputError when it has none."""
    try:
        found = tuple(read_document(json.loads(line)) for line in text.splitlines() if line.strip())
    except ValueError:
        raise InputError("this is no JSON", hint="give a file that `seatrial drift snapshot` wrote") from None
    if not found:
        raise InputError(
            "there is no snapshot in it", hint="give a file that `seatrial drift snapshot` wrote"
        )
    return found


def differences(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """What is not as it was, by topic. Of the files in /etc those count that changed after the first snapshot was taken."""
    found = []
    for topic in dict.fromkeys((*before.topics, *after.topics)):
        then, now = before.topics.get(topic, {}), after.topics.get(topic, {})
        if topic == "settings":
            found += [
                Difference(topic=topic, key=path, before="", after=when)
                for path, when in now.items()
                if _later(when, before.at)
            ]
            continue
        for key in dict.fromkeys((*then, *now)):
            if then.get(key, "") != now.get(key, ""):
                found.append(
                    Difference(topic=topic, key=key, before=then.get(key, ""), after=now.get(key, ""))
                )
    return tuple(found)


def _later(when: str, then: float) -> bool:
    try:
        return float(when) > then
    except ValueError:
        return False


def besides_the_kernel(found: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """Without what a trial changes by itself: the kernel's own words, its list of modules, and the guard's files."""
    return tuple(
        one
        for one in found
        if one.topic not in ("kernel", "modules")
        and not (one.topic == "settings" and one.key.removesuffix(".new") in _GUARD)
        and not (one.topic == "packages" and one.key.startswith("linux-image-"))
    )[:MOST]
