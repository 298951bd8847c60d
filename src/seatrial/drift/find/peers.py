"""What differs between the hosts of a group, which a failover would show: kernels, packages, settings, exports, firmware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from shlex import quote

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, NOTE, WARNING, finding
from seatrial.drift.find.settings import DEFAULTS, key_of
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding, Severity, When

_MOST = 6
# In what a host differs: the key, its own value and what most of its group have, "" for what is not there.
Apart = tuple[str, str, str]
Fix = Callable[[Facts, Sequence[Apart]], str]


def differences(group: str, every: Mapping[str, Facts]) -> Iterator[tuple[str, Finding]]:
    """Each thing in which a host differs from most of its group (of two: from the first), with that host's name."""
    if len(every) < 2:
        return
    for name, severity, what, of, fix in _COMPARED:
        values = {host: of(facts) for host, facts in every.items()}
        for host, apart in _differing(values):
            told = [
                f"{key} {now or 'is missing'} ({then or 'missing'} there)" if key else f"{now} ({then} there)"
                for key, now, then in apart
            ]
            others = shown(sorted(other for other in values if other != host), 3)
            yield (
                host,
                finding(
                    name,
                    severity,
                    group,
                    f"{what} of {host} differ from {others}: {shown(told, _MOST)}",
                    fix=fix(every[host], apart),
                    when=When.FAILOVER,
                ),
            )


def _differing(values: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Sequence[Apart]]]:
    """Each host that is not as most are, and in what."""
    # Nearly everything is alike, and only the rest is looked at closely.
    first, *others_values = values.values()
    every = {key for some in values.values() for key in some}
    keys = sorted(
        key for key in every if any(some.get(key, "") != first.get(key, "") for some in others_values)
    )
    if not keys:
        return
    usual = {key: _usual(key, values) for key in keys}
    for host, mine in values.items():
        apart = [(key, mine.get(key, ""), usual[key]) for key in keys if mine.get(key, "") != usual[key]]
        if apart:
            yield host, apart


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


def _links_alike(facts: Facts, apart: Sequence[Apart]) -> str:
    """What can be set now; the files that set it at boot are many, so they are named."""
    done = []
    for key, _, then in apart:
        name, _, what = key.rpartition(" ")
        if what == "mtu" and then:
            done.append(f"ip link set {quote(name)} mtu {quote(then)}")
        elif then in ("on", "off"):
            done.append(f"ethtool -K {quote(name)} {quote(what)} {then}")
        elif what in ("ring-RX", "ring-TX") and then:
            done.append(f"ethtool -G {quote(name)} {what[-2:].lower()} {quote(then)}")
    if not done:
        return "set both alike (ethtool, ip link), and in the files that set it at boot"
    return " && ".join(done)


def _say(text: str) -> Fix:
    return lambda facts, apart: text


def _roll(facts: Facts, apart: Sequence[Apart]) -> str:
    return f"seatrial rollout start {apart[0][2]}"


def _default(facts: Facts, apart: Sequence[Apart]) -> str:
    """The default of its peers, where it has that kernel at all."""
    version = apart[0][2]
    one = facts.boot.facts.kernels.get(version) if facts.boot.facts else None
    if one is not None and one.entry is not None:
        return f"grub-set-default {quote(one.entry)}"
    return f"apt install linux-image-{version}, or give its peers the kernel that it has"


def _install(facts: Facts, apart: Sequence[Apart]) -> str:
    # A word of apt-get that ends with a minus is a package that goes.
    words = [f"{name}={then}" if then else f"{name}-" for name, _, then in apart]
    return f"apt-get install --allow-downgrades {' '.join(map(quote, words))}"


def _set(facts: Facts, apart: Sequence[Apart]) -> str:
    lines = [f"{key} = {then}" for key, _, then in apart if then]
    # By its name the last one of the folder, so that no other file has the last word.
    file = "/etc/sysctl.d/zz-as-its-peers.conf"
    return f"printf '%s\\n' {' '.join(map(quote, lines))} >>{file} && sysctl -p {file}"


def _export(facts: Facts, apart: Sequence[Apart]) -> str:
    """Lines to add, where lines are all that is missing; who is to lose one decides by hand."""
    if any(now for _, now, _ in apart):
        return "make /etc/exports alike on both, then exportfs -ra"
    lines = []
    for key, _, then in apart:
        path, _, client = key.rpartition(" ")
        told = f'"{path}"' if " " in path else path
        lines.append(f"{told} {client}({then})")
    return f"printf '%s\\n' {' '.join(map(quote, lines))} >>/etc/exports && exportfs -ra"


_COMPARED: tuple[tuple[str, Severity, str, Callable[[Facts], Mapping[str, str]], Fix], ...] = (
    ("peers.kernel", DANGER, "running kernels", _kernels, _roll),
    ("peers.next-kernel", DANGER, "next boots", _next_kernels, _default),
    ("peers.packages", WARNING, "packages", _packages, _install),
    ("peers.sysctl", WARNING, "sysctls", _sysctls, _set),
    ("peers.exports", DANGER, "exports", _exports, _export),
    ("peers.firmware", NOTE, "firmware and processors", _firmware, _say("bring both to the same firmware")),
    ("peers.links", WARNING, "network cards", _links, _links_alike),
)  # fmt: skip
