"""What the answers to checks say of the things they are about, beside what the flows say of the ways.

What is in: Results of checks as Observations, whose components are the way of the flow that the check names, what it
shares with others (`over`, a kernel, a certificate) and its subjects; and the words for those. What is not in: the
search, and the flows' own observations (paths.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seatrial.diagnose.paths import Shared, carrier_of, is_translated, ways_of, ways_to
from seatrial.diagnose.sentence import Words
from seatrial.model.check import Check
from seatrial.model.check.paths import VrrpCheck
from seatrial.model.fleet import Fleet, Flow
from seatrial.model.observation import FlowCount, Observation
from seatrial.model.result import Outcome, Result, figure

# One answer is held to be as telling as so many packets of a flow: what was asked has had its own repeats.
WEIGHT = 8
# That there are two owners does not say how much goes astray: as much as ever is lost, it must not speak against them.
FAINT = 2
PRIORS = {"machine": 0.001, "subject": 0.004, "common": 0.002, "answer": 0.0005}
MOST_TEXT = 120
ACRONYMS = frozenset(
    (
        "dns",
        "drbd",
        "http",
        "https",
        "ldap",
        "ldaps",
        "nfs",
        "ntp",
        "snat",
        "ssh",
        "tcp",
        "tls",
        "vrf",
        "vrrp",
    )
)
MOST_NAMES = 4

Known = Sequence[tuple[Result, Check]]


def observations_of(
    fleet: Fleet, results: Iterable[Result], counts: Sequence[FlowCount] = (), carrier: str | None = None
) -> tuple[Observation, ...]:
    """One Observation for each check that passed or failed; UNKNOWN and SKIP say nothing of what they are about.

    Results of anything but checks of the fleet are passed over. `counts` are those of the same round, which tell
    whether a flow's sender is translated.
    """
    known = _known(fleet, results)
    shared, common = _shared(known), _common(known)
    owners = _astray(fleet, known)
    senders = {one.flow: one.sender for one in counts}
    found = []
    for result, check in known:
        asked, failed, unknown = _asked(result)
        if result.outcome is Outcome.SKIP or asked <= unknown:
            continue
        path = path_of(fleet, check, senders=senders, carrier=carrier, owners=owners if failed else None)
        path = (*path, *common.get(result.check, ()))
        if check.subjects[-1] in shared:
            path = (*path, answer_of(result.check))
        found.append(
            Observation(
                id=f"{result.check}:check",
                path=tuple(dict.fromkeys(path)),
                sent=_weight(check) * (asked - unknown),
                lost=_weight(check) * min(failed, asked - unknown),
            )
        )
    return tuple(found)


def owners_of(fleet: Fleet, results: Iterable[Result]) -> Shared:
    """By group, what the VRRP check that failed for its address is about."""
    return _astray(fleet, _known(fleet, results))


def _weight(check: Check) -> int:
    return FAINT if isinstance(check, VrrpCheck) else WEIGHT


def _astray(fleet: Fleet, known: Known) -> Shared:
    # Where the check passed, the one owner is a fact, which no number of flows that lose something may outvote.
    return owners_among(fleet, (check for one, check in known if one.outcome is Outcome.FAIL))


def owners_among(fleet: Fleet, checks: Iterable[Check]) -> Shared:
    """By group, what a VRRP check of its address is about: where two hosts own it, half of the flows go astray."""
    found: dict[str, tuple[str, ...]] = {}
    for check in checks:
        if isinstance(check, VrrpCheck):
            for name, group in fleet.groups.items():
                if check.address in group.mover.addresses:
                    found[name] = (check.subjects[-1],)
    return found


def path_of(
    fleet: Fleet,
    check: Check,
    *,
    senders: Mapping[str, str] | None = None,
    carrier: str | None = None,
    owners: Shared | None = None,
) -> tuple[str, ...]:
    """What a check crosses and what it is about; `senders` are the addresses that flows were really sent from."""
    way = _way(fleet, check, senders or {}, carrier, owners or {})
    return tuple(dict.fromkeys((*way, *check.over, *check.subjects)))


def answer_of(check: str) -> str:
    """The component of one question alone: at fault when others about the same thing are answered well."""
    return f"what {check} asks for"


def priors_of(fleet: Fleet, results: Iterable[Result]) -> Mapping[str, float]:
    """How probable a fault of each subject is before anything was seen."""
    found: dict[str, float] = {}
    known = _known(fleet, results)
    for one, check in known:
        found.update(dict.fromkeys(check.subjects[:-1], PRIORS["machine"]))
        found[check.subjects[-1]] = PRIORS["subject"]
        found[answer_of(one.check)] = PRIORS["answer"]
    for names in _common(known).values():
        found.update(dict.fromkeys(names, PRIORS["common"]))
    return found


def words_of(fleet: Fleet, results: Iterable[Result]) -> Mapping[str, Words]:
    """For each component that only checks have, what is said of it when it is named: what the first failing check said."""
    words: dict[str, Words] = {}
    known = _known(fleet, results)
    common = _common(known)
    failing = [(one, check) for one, check in known if one.outcome is Outcome.FAIL]
    for one, check in failing:
        for name in (*check.over, *check.subjects):
            words.setdefault(name, Words(what=f"{called(name)} fails", said=one.because))
        for name in common.get(one.check, ()):
            those = [other.check for other, _ in failing if name in common.get(other.check, ())]
            listed = ", ".join(those[:MOST_NAMES]) + (" and more" if len(those) > MOST_NAMES else "")
            words.setdefault(
                name, Words(what=f"{called(name)} fails wherever it is", said=f"{listed}: {one.because}")
            )
        words.setdefault(answer_of(one.check), Words(what=f"{one.check} fails alone", said=one.because))
    return words


def kinds_of(fleet: Fleet, results: Iterable[Result]) -> Mapping[str, str]:
    """What each check is about in a word, for what is said of those that pass: DNS, HTTP, disk."""
    return {one.check: _upper(check.kind) for one, check in _known(fleet, results)}


def _known(fleet: Fleet, results: Iterable[Result]) -> Known:
    return [(one, fleet.checks[one.check]) for one in results if one.check in fleet.checks]


def _asked(result: Result) -> tuple[int, int, int]:
    """How often a check was asked, failed and had no answer; evidence of its own may use the same words."""
    if "flaky" in result.evidence:
        asked, failed = figure(result, "asked"), figure(result, "failed")
        if asked and failed is not None:
            return int(asked), int(failed), int(figure(result, "unknown") or 0)
    return 1, int(result.outcome is Outcome.FAIL), int(result.outcome is Outcome.UNKNOWN)


def _way(
    fleet: Fleet, check: Check, senders: Mapping[str, str], carrier: str | None, owners: Shared
) -> tuple[str, ...]:
    """The way there: to a carrier itself, or along a flow without what only probes of that flow cross."""
    name = check.along or _beside(fleet, check)
    if name is None:
        return ways_to(fleet, check.source_vantage, check.subjects[0], carrier)
    flow: Flow = fleet.flows[name]
    by = carrier_of(fleet, flow, carrier)
    translated = is_translated(flow, senders.get(name, ""))
    ways = ways_of(flow, by, translated, shared=owners.get(flow.by, ()))
    own = (f"{by}:{flow.protocol}", f"{by}:large packets")
    return tuple(one for one in (*ways.out, *ways.home) if not one.startswith(own))


def _beside(fleet: Fleet, check: Check) -> str | None:
    """A flow from where the check is asked to the machine that it asks: what goes there takes the same way."""
    for name, flow in fleet.flows.items():
        if flow.source_vantage == check.source_vantage and flow.address == check.subjects[0]:
            return name
    return None


def _shared(known: Known) -> set[str]:
    """The narrowest subjects that more than one check has."""
    seen: dict[str, set[str]] = {}
    for one, check in known:
        seen.setdefault(check.subjects[-1], set()).add(one.check)
    return {subject for subject, names in seen.items() if len(names) > 1}


def _common(known: Known) -> Mapping[str, tuple[str, ...]]:
    """By check, what it turned out to have in common with others: the kernel of its host, the certificate served.

    A kernel is blamed for one kind of check at a time, since a kernel that loses a device still keeps its sysctls. What
    one check alone has is left out: it would only stand beside its subject.
    """
    kernels = {
        check.source_vantage: running
        for one, check in known
        if check.kind == "kernel" and (running := _text(one.evidence.get("running")))
    }
    found: dict[str, dict[str, str]] = {}
    for one, check in known:
        place = check.source_vantage
        if check.subjects[0] == place and check.kind != "kernel" and place in kernels:
            found.setdefault(f"{check.kind} on kernel {kernels[place]}", {})[one.check] = place
        for print_ in _fingerprints(one):
            found.setdefault(f"certificate {print_[:16]}", {})[one.check] = check.subjects[0]
    names: dict[str, tuple[str, ...]] = {}
    for name, places in found.items():
        if len(set(places.values())) > 1:
            for asked in places:
                names[asked] = (*names.get(asked, ()), name)
    return names


def _fingerprints(result: Result) -> tuple[str, ...]:
    served = result.evidence.get("served")
    shown = served if isinstance(served, list | tuple) else ()
    found = (_text(one.get("sha256")) for one in shown if isinstance(one, Mapping))
    return tuple(dict.fromkeys(one for one in found if one))


def _text(value: object) -> str:
    return value[:MOST_TEXT] if isinstance(value, str) else ""


def called(name: str) -> str:
    """A component at the beginning of a sentence: `dns at 192.0.2.1` is DNS there, hosts keep their names."""
    first, space, rest = name.partition(" ")
    if not space:
        return name
    return f"{_upper(first) if first in ACRONYMS else first[:1].upper() + first[1:]} {rest}"


def _upper(kind: str) -> str:
    return kind.upper() if kind in ACRONYMS else kind.replace("_", " ").replace("-", " ")
