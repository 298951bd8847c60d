"""A Diagnosis in a sentence or three, as on a person's screen: what is lost where, what is fine, what is not known.

What is in: words. What is not in: any decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
}


def in_words(
    diagnosis: Diagnosis,
    seen: Sequence[Observation],
    askable: Mapping[tuple[str, ...], str],
    words: Mapping[str, str] | None = None,
) -> str:
    """The sentences; "" when there is nothing to name. `words` has what is said of components that are no way."""
    if not diagnosis.suspects:
        return ""
    first = diagnosis.suspects[0]
    said = [
        _main(first, seen, words or {}),
        _fine(first, seen),
        _alike(first),
        _next(diagnosis, askable),
        _rivals(diagnosis),
    ]
    return " ".join(one for one in said if one)


def _main(first: Suspect, seen: Sequence[Observation], words: Mapping[str, str]) -> str:
    clauses = [words.get(component) or _clause(component, seen) for component in first.components]
    joined = "; ".join([clauses[0], *(clause[0].lower() + clause[1:] for clause in clauses[1:])])
    return f"{joined} ({_percent(first.probability)})."


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
