"""A Diagnosis in a sentence or three, as on a person's screen: what is lost where, what is fine, what is not known.

What is in: words. What is not in: any decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatrial.model.observation import Diagnosis, Observation, Suspect

LOSSY = 0.001
MOST_NAMES = 4

DEEDS = {
    "forward": "Traffic is lost in forwarding at {at}",
    "snat": "Translated flows are lost on their way out at {at}",
    "replies": "Replies are lost at {at}",
    "reply-translation": "Replies of translated flows are lost at {at}",
    "large packets": "Large packets are lost on their way out at {at}",
    "large packets replies": "Large answers are lost at {at}",
    "sending": "Nothing leaves {at}",
    "dnat": "Flows to floating addresses are not translated at {at}",
    "dnat replies": "Answers from behind floating addresses are lost at {at}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said of a component that is no way: `what` is at fault, and what the check `said`."""

    what: str
    said: str


def in_words(
    diagnosis: Diagnosis,
    seen: Sequence[Observation],
    askable: Mapping[tuple[str, ...], str],
    words: Mapping[str, Words] | None = None,
    kinds: Mapping[str, str] | None = None,
) -> str:
    """The sentences; "" when there is nothing to name.

    `words` has what is said of components that are no way, `kinds` what each check is about.
    """
    if not diagnosis.suspects:
        return ""
    first = diagnosis.suspects[0]
    main = _main(first, seen, words or {})
    fine = _topics(seen, kinds or {})
    said = [
        *([f"{main}; {fine}."] if fine else [f"{main}.", _fine(first, seen)]),
        _alike(first),
        _next(diagnosis, askable),
        _rivals(diagnosis),
    ]
    return " ".join(one for one in said if one)


def meaning(component: str) -> str:
    """What a fault of a flow's component does, as a sentence without its end."""
    return _what(component, ())


def _main(first: Suspect, seen: Sequence[Observation], words: Mapping[str, Words]) -> str:
    clauses = [
        words[component].what if component in words else _clause(component, seen)
        for component in first.components
    ]
    said = dict.fromkeys(words[component].said for component in first.components if component in words)
    joined = "; ".join([clauses[0], *(_lower(clause) for clause in clauses[1:])])
    because = f": {'; '.join(said)}" if said else ""
    return f"{joined} ({_percent(first.probability)}){because}"


def _lower(clause: str) -> str:
    """The clause within a sentence; a word of capitals, such as DNS, or a name stays as it is."""
    return clause if clause[1:2].isupper() else clause[0].lower() + clause[1:]


def _clause(component: str, seen: Sequence[Observation]) -> str:
    clause = _what(component, seen)
    crossing = [one for one in seen if component in one.path and _is_lossy(one)]
    sent, lost = sum(one.sent for one in crossing), sum(one.lost for one in crossing)
    if sent and lost < 0.9 * sent:
        clause += f", about {round(100 * lost / sent)} % of them"
    return clause


def _what(component: str, seen: Sequence[Observation]) -> str:
    owner, _, deed = component.partition(":")
    if deed.startswith("snat") and _only_sources(component, seen):
        return f"{owner} translates to a wrong source address"
    if deed in DEEDS:
        return DEEDS[deed].format(at=owner)
    if deed.startswith("snat to "):
        return f"Flows that become {deed[8:]} are lost on their way out at {owner}"
    if deed.startswith("reply-translation of "):
        return f"Replies to {deed[21:]} are lost at {owner}"
    if deed.endswith(" replies") and " to " in deed:
        start, _, end = deed[:-8].partition(" to ")
        return f"Answers of {end} to {start} are lost at {owner}"
    if deed.endswith(" replies"):
        return f"Answers of {deed[:-8]} are lost at {owner}"
    if " to " in deed:
        start, _, end = deed.partition(" to ")
        return f"What {owner} carries from {start} to {end} is lost"
    if deed:
        return f"Probes of {deed} are lost at {owner}"
    if ">" in component:
        start, _, end = component.partition(">")
        return f"What goes from {start} to {end} is lost"
    if " to " in component:
        start, _, end = component.partition(" to ")
        return f"Answers from {start} to {end} are lost before they are translated"
    return f"What crosses {component} is lost"


def _only_sources(component: str, seen: Sequence[Observation]) -> bool:
    lossy = [one for one in seen if component in one.path and _is_lossy(one)]
    return bool(lossy) and all(one.id.endswith(":source") for one in lossy)


def _topics(seen: Sequence[Observation], kinds: Mapping[str, str]) -> str:
    """What is fine, in a word for each kind of thing that was asked; "" where no check was asked."""
    good: dict[str, bool] = {}
    for one in seen:
        name, _, way = one.id.rpartition(":")
        topic = kinds.get(name, "") if way == "check" else _sort(name, seen)
        if topic:
            good[topic] = good.get(topic, True) and not _is_lossy(one)
    fine = [topic for topic in SORTS if good.get(topic)] + [
        topic for topic in sorted(good, key=str.lower) if good[topic] and topic not in SORTS
    ]
    if not kinds or not fine:
        return ""
    listed = fine[0] if len(fine) == 1 else f"{', '.join(fine[:-1])} and {fine[-1]}"
    return f"{listed} {'is' if len(fine) == 1 and fine[0] not in SORTS else 'are'} fine"


SORTS = ("translated flows", "floating addresses", "flows that are not translated")


def _sort(flow: str, seen: Sequence[Observation]) -> str:
    deeds = {name.partition(":")[2] for one in seen if one.id.rpartition(":")[0] == flow for name in one.path}
    if any(deed.startswith(("snat", "reply-translation")) for deed in deeds):
        return SORTS[0]
    return SORTS[1] if "dnat" in deeds else SORTS[2]


def _fine(first: Suspect, seen: Sequence[Observation]) -> str:
    flows: dict[str, bool] = {}
    for one in seen:
        name = one.id.rsplit(":", 1)[0]
        flows[name] = flows.get(name, True) and not _is_lossy(one)
    fine = [name for name, good in flows.items() if good]
    if not fine:
        return ""
    shown = fine if len(fine) <= MOST_NAMES else fine[: MOST_NAMES - 1]
    more = f" and {len(fine) - len(shown)} more" if len(fine) > len(shown) else ""
    listed = ", ".join(shown) + more
    translated = {one.id.rsplit(":", 1)[0] for one in seen if any("translation" in name for name in one.path)}
    if any("translation" in name for name in first.components) and not translated & set(fine):
        return f"Flows that are not translated are fine: {listed}."
    return f"Fine: {listed}."


def _alike(first: Suspect) -> str:
    others = [
        next((name for name in same if name not in first.components), "") for same in first.same_evidence
    ]
    names = [name for name in dict.fromkeys(others) if name]
    if not names:
        return ""
    shown = names if len(names) <= MOST_NAMES else names[: MOST_NAMES - 1]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"Cannot be told apart from: {', '.join(shown)}{more}."


def _next(diagnosis: Diagnosis, askable: Mapping[tuple[str, ...], str]) -> str:
    for probe in diagnosis.next:
        if words := askable.get(probe.path):
            return f"A probe from {words} would."
    return ""


def _rivals(diagnosis: Diagnosis) -> str:
    rivals = [
        f"{' and '.join(one.components)} ({_percent(one.probability)})" for one in diagnosis.suspects[1:3]
    ]
    return f"Less probable: {', '.join(rivals)}." if rivals else ""


def _is_lossy(one: Observation) -> bool:
    return one.lost > LOSSY * one.sent


def _percent(probability: float) -> str:
    return f"{min(round(100 * probability), 99)} %"
