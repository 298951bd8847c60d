"""What differs between the hosts of a group, which a failover would show: kernels, packages, settings, exports, firmware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, NOTE, WARNING, finding
from seatrial.drift.find.settings import DEFAULTS, key_of
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding, Severity, When

_MOST = 6


def differences(group: str, every: Mapping[str, Facts]) -> Iterator[tuple[str, Finding]]:
    """Each thing in which a host differs from most of its group (of two: from the first), with that host's name."""
    if len(every) < 2:
        return
    for name, severity, what, of, fix in _COMPARED:
        values = {host: of(facts) for host, facts in every.items()}
        yield from _differing(group, name, severity, what, values, fix)


def _differing(
    group: str, name: str, severity: Severity, what: str, values: Mapping[str, Mapping[str, str]], fix: str
) -> Iterator[tuple[str, Finding]]:
    # Nearly everything is alike, and only the rest is looked at closely.
    first, *others_values = values.values()
    every = {key for some in values.values() for key in some}
    keys = sorted(
        key for key in every if any(some.get(key, "") != first.get(key, "") for some in others_values)
    )
    if not keys:
        return
    for host, mine in values.items():
        others = {other: some for other, some in values.items() if other != host}
        apart = []
        for key in keys:
            usual = _usual(key, values)
            if mine.get(key, "") != usual:
                apart.append((key, mine.get(key, ""), usual))
        if not apart:
            continue
        told = [
            f"{key} {now or 'is missing'} ({then or 'missing'} there)" if key else f"{now} ({then} there)"
            for key, now, then in apart
        ]
        peer = shown(sorted(others), 3)
        yield (
            host,
            finding(
                name,
                severity,
                group,
                f"{what} of {host} differ from {peer}: {shown(told, _MOST)}",
                fix=fix,
                when=When.FAILOVER,
            ),
        )


def _usual(key: str, values: Mapping[str, Mapping[str, str]]) -> str:
    """What most have; among equals what the first host of the group has."""
    counted = Counter(some.get(key, "") for some in values.values())
    most = max(counted.values())
    return next(value for some in values.values() if counted[value := some.get(key, "")] == most)


def _kernels(facts: Facts) -> Mapping[str, str]:
    return {"": facts.identity.kernel}


def _next_kernels(facts: Facts) -> Mapping[str, str]:
    return {"the next boot takes": facts.boot.next_version} if facts.boot.next_version else {}


def _packages(facts: Facts) -> Mapping[str, str]:
    # Kernels have a question of their own, and are to differ while a pair is upgraded.
    return {
        name: version
        for name, version in facts.running.packages.items()
        if not name.startswith(("linux-image-", "linux-headers-", "linux-modules-"))
    }


def _sysctls(facts: Facts) -> Mapping[str, str]:
    wanted = set(DEFAULTS) | {path for path in facts.running.sysctls_wanted if "*" not in path}
    return {key_of(path): facts.running.sysctls[path] for path in wanted if path in facts.running.sysctls}


def _exports(facts: Facts) -> Mapping[str, str]:
    return {
        f"{path} {client}": ",".join(sorted(options))
        for (path, client), options in facts.running.exports_file.items()
    }


def _firmware(facts: Facts) -> Mapping[str, str]:
    kept = ("bios_version", "microcode", "processor", "product_name")
    return {
        key: value
        for key, value in facts.hardware.firmware.items()
        if key in kept or key.endswith(" firmware")
    }


def _links(facts: Facts) -> Mapping[str, str]:
    said = {
        f"{name} {key}": value
        for name, link in facts.running.links.items()
        if "driver" in link
        for key, value in link.items()
        if key in ("mtu", "speed", "driver")
    }
    offloads = {
        key: value
        for key, value in facts.hardware.firmware.items()
        if value in ("on", "off") or " ring-" in key
    }
    return {**said, **offloads}


_COMPARED: tuple[tuple[str, Severity, str, Callable[[Facts], Mapping[str, str]], str], ...] = (
    ("peers.kernel", DANGER, "running kernels", _kernels, "finish the rollout: seatrial rollout start KERNEL, or go back on this one"),
    ("peers.next-kernel", DANGER, "next boots", _next_kernels, "grub-set-default the same entry on both"),
    ("peers.packages", WARNING, "packages", _packages, "install the same versions on both: apt install NAME=VERSION"),
    ("peers.sysctl", WARNING, "sysctls", _sysctls, "write the same values into /etc/sysctl.d on both, then sysctl --system"),
    ("peers.exports", DANGER, "exports", _exports, "make /etc/exports alike on both, then exportfs -ra"),
    ("peers.firmware", NOTE, "firmware and processors", _firmware, "bring both to the same firmware"),
    ("peers.links", WARNING, "network cards", _links, "set both alike (ethtool, mtu), and in the files that set it at boot"),
)  # fmt: skip
