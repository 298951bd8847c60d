"""The bug report of a kernel that failed, for whoever maintains it, from a rollout's Events alone. Pure.

The form is that of Debian's bug tracker (a header of `Package:` and `Version:`, then text). It is meant to be read by
the public: names of hosts and places become their roles and numbers, addresses become documentation addresses.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seatrial.model.event import Event
from seatrial.model.fleet import Fleet
from seatrial.model.fold import RolloutState, Round, TrialState, fold
from seatrial.model.result import Outcome
from seatrial.model.text import safe

_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])"
)
_DOCUMENTATION = tuple(
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
# The platforms of the lab, by what has to be carried.
_TOPOLOGIES = (("nfs", "nfs-load"), ("share", "nfs-load"), ("exports", "nfs-load"))


class _Names:
    """One other name for each name and each address, the same all through the report."""

    def __init__(self, fleet: Fleet) -> None:
        self._names: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        seen: dict[str, int] = {}
        for name, host in fleet.hosts.items():
            self._names[name] = self._next(seen, host.roles[0])
        for name in fleet.groups:
            self._names[name] = self._next(seen, "pair")
        for name in fleet.vantages:
            self._names[name] = self._next(seen, "place")
        # Flows and checks are named after what they cross as often as not.
        for name in fleet.flows:
            self._names[name] = self._next(seen, "flow")
        for name in fleet.checks:
            self._names[name] = self._next(seen, "check")
        known = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, known))})(?![\w-])")

    @staticmethod
    def _next(seen: dict[str, int], word: str) -> str:
        seen[word] = seen.get(word, 0) + 1
        return f"{word}-{seen[word]}"

    def of(self, name: str) -> str:
        """The other name."""
        return self._names.get(name, name)

    def hide(self, text: object) -> str:
        """A text without any of the names and addresses."""
        hidden = self._pattern.sub(lambda found: self._names[found[0]], safe(text))
        return _ADDRESS.sub(lambda found: self._address(found[0]), hidden)

    def _address(self, text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if any(address in net for net in _DOCUMENTATION if net.version == address.version):
            return text
        if text not in self._addresses:
            number = len(self._addresses) + 1
            self._addresses[text] = (
                f"192.0.2.{number % 255}" if address.version == 4 else f"2001:db8::{number:x}"
            )
        return self._addresses[text]


def bug_report(events: Sequence[Event], *, rollout: str, fleet: Fleet, trial: TrialState) -> str:
    """The whole text. `trial` is the one that failed, as it stands after `events`."""
    state = fold(events, rollout=rollout)
    names = _Names(fleet)
    hide = names.hide
    packages = trial.described.get("packages", {})
    good = str(trial.facts.get("good", ""))
    because = hide(trial.diagnosis.get("because") or trial.cause)
    parts = [
        _header(state.candidate, str(packages.get(state.candidate, "")), because),
        _what(state.candidate, good, packages, because, [hide(n) for n in trial.diagnosis.get("notes", ())]),
        _both_sides(trial, fleet, names, state.candidate, good),
        _topology(trial, fleet, names),
        _hardware(trial.described),
        _suspects(trial.suspects),
        _reproduction(state, fleet),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(candidate: str, version: str, because: str) -> str:
    subject = because.rstrip(".") or "a regression"
    return "\n".join(
        (
            "To: submit@bugs.debian.org",
            f"Subject: linux-image-{safe(candidate)}: {subject[:150]}",
            "",
            f"Package: linux-image-{safe(candidate)}",
            f"Version: {safe(version) or '(not known: dpkg -l on the host says it)'}",
            "Severity: important",
        )
    )


def _what(candidate: str, good: str, packages: Mapping[str, Any], because: str, notes: list[str]) -> str:
    said = [
        f"Since the upgrade of the kernel: {because}",
        *(f"  {note}" for note in notes),
        "",
        f"  bad:   {_named(candidate, packages)}",
        f"  good:  {_named(good, packages)}",
        "",
        "The same probes were sent on the same host with the good kernel before and, where it says so below, after.",
    ]
    return "\n".join(said)


def _named(kernel: str, packages: Mapping[str, Any]) -> str:
    version = str(packages.get(kernel, ""))
    return safe(kernel) + (f" (package version {safe(version)})" if version else "")


def _both_sides(trial: TrialState, fleet: Fleet, names: _Names, candidate: str, good: str) -> str:
    """What was asked on either kernel, side by side: first what failed, then how much was fine."""
    before, bad, after = (_by_check(trial.rounds.get(one)) for one in ("baseline", "exercise", "proof"))
    bad = bad or _by_check(trial.rounds.get("soak"))
    if not bad:
        return f"The candidate did not come as far as being asked anything: {names.hide(trial.cause)}"
    rows = [f"Evidence ({candidate} beside {good}):", ""]
    failed = [name for name, result in bad.items() if result.get("outcome") == Outcome.FAIL]
    for name in failed:
        rows.append(f"  {names.of(name)}: {_kind(fleet, name)}")
        rows.append(f"    good, before:  {_told(before.get(name), names)}")
        rows.append(f"    bad:           {_told(bad[name], names)}")
        if after:
            rows.append(f"    good, after:   {_told(after.get(name), names)}")
    fine = [name for name in bad if name not in failed]
    if fine:
        kinds = dict.fromkeys(_kind(fleet, name) for name in fine)
        rows.append(f"  fine on both: {len(fine)} others ({', '.join(kinds)})")
    return "\n".join(rows)


def _by_check(done: Round | None) -> dict[str, Mapping[str, Any]]:
    return {str(result["check"]): result for result in done.results} if done else {}


def _kind(fleet: Fleet, name: str) -> str:
    if name in fleet.flows:
        flow = fleet.flows[name]
        translated = ", translated" if flow.source or flow.lands else ""
        size = f", {flow.size} bytes" + (" with DF" if flow.df else "") if flow.size > 64 else ""
        return f"{flow.protocol}{size}{translated}"
    return f"check of kind {fleet.checks[name].kind}" if name in fleet.checks else "check"


def _told(result: Mapping[str, Any] | None, names: _Names) -> str:
    if result is None:
        return "not asked"
    evidence = result.get("evidence", {})
    counts = [f"{word} {evidence[word]}" for word in ("sent", "arrived", "answered") if word in evidence]
    said = names.hide(result.get("because", ""))
    return f"{result.get('outcome')}: {said}" + (f" ({', '.join(counts)})" if counts else "")


def _topology(trial: TrialState, fleet: Fleet, names: _Names) -> str:
    """How the host stands between what it carries for: each way once, with all that goes there."""
    ways: dict[tuple[str, str], list[str]] = {}
    for name, flow in fleet.flows_of(trial.host).items():
        ways.setdefault((names.of(flow.source_vantage), names.of(flow.to)), []).append(_kind(fleet, name))
    if not ways:
        return ""
    here = names.of(trial.host)
    rows = [
        f"  {source} -> {here} -> {to}: {'; '.join(dict.fromkeys(kinds))}"
        for (source, to), kinds in ways.items()
    ]
    return "\n".join(["Topology (names and addresses are not the real ones):", "", *rows])


def _hardware(described: Mapping[str, Any]) -> str:
    if not described:
        return ""
    nics = described.get("nics", {})
    rows = {
        "product": described.get("product"),
        "firmware": described.get("bios"),
        "processor": described.get("cpu"),
        "architecture": described.get("machine"),
        "network drivers": ", ".join(sorted(set(map(str, nics.values()))))
        if isinstance(nics, Mapping)
        else "",
        "file systems": _listed(described.get("filesystems")),
        "modules": _listed(described.get("modules")),
    }
    return "\n".join(["System:", "", *(f"  {name}: {safe(said)}" for name, said in rows.items() if said)])


def _listed(some: object) -> str:
    return " ".join(map(str, some)) if isinstance(some, Iterable) and not isinstance(some, str) else ""


def _suspects(found: Mapping[str, Any]) -> str:
    some = found.get("suspects", ())
    if not some:
        return ""
    rows = [
        f"Patches that fit, of {found.get('examined', 0):,} between the two (by their subjects only, not tried):",
        "",
    ]
    for one in some:
        known = f" [taken back in {safe(one['reverted_in'])}]" if one.get("reverted_in") else ""
        rows.append(f"  {safe(one['subject'])} ({safe(one['version'])}){known}")
        rows += [f"    {safe(one['link'])}"] if one.get("link") else []
    return "\n".join(rows)


def _reproduction(state: RolloutState, fleet: Fleet) -> str:
    kinds = {check.kind for check in fleet.checks.values()}
    topology = next(
        (name for kind, name in _TOPOLOGIES if kind in kinds and not fleet.flows), "gateway-staging"
    )
    host = "gw-s1" if topology == "gateway-staging" else "nfs-s1"
    kernel = safe(state.candidate)
    return "\n".join(
        (
            "To reproduce, on virtual machines of one machine (Seatrial's lab; QEMU, no hardware needed). The lab installs the",
            f"two newest kernels of the distribution and says which; {kernel} has to be the newer of them:",
            "",
            f"  seatrial lab up reproduce --topology {topology}",
            f"  seatrial rollout start {kernel} --host {host} --fleet ~/.local/state/seatrial/labs/reproduce/fleet.yaml",
            "  seatrial report",
            "  seatrial lab down reproduce",
            "",
            "It asks the same kinds of questions on the good kernel, boots the other one once, and asks again.",
        )
    )
