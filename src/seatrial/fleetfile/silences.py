"""Silences that would cover what judges the host: refused, since a trial must not hide its own evidence.

What is in: that rule, read from the tree. What is not: rules that a silence can pass by itself, which are the model's.
"""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.fleetfile.mistake import Mistake, Path, quoted
from seatrial.fleetfile.tree import Item
from seatrial.model.matcher import Matcher, can_meet, read_matcher
from seatrial.model.silence import HOST


def silences(root: Item) -> Iterator[Mistake]:
    """Mistakes of silences beside the checks of the fleet. Blockers may be covered: a host's own reboot is no reason to wait."""
    declared = root.at("silences")
    asked = root.at("checks")
    checks = asked.entries() if asked else {}
    for name, silence in (declared.entries() if declared else {}).items():
        match silence.word("kind"):
            case "alertmanager":
                yield from _alerts(name, silence, checks)
            case "icinga2":
                yield from _services(name, silence, checks)


def _matchers(entry: Item) -> list[Matcher]:
    item = entry.at("matchers")
    texts = [one.value for _, one in item.elements()] if item else []
    found: list[Matcher] = []
    for text in texts:
        try:
            found.append(read_matcher(str(text)))
        except ValueError:
            # The model tells of it, where it stands.
            continue
    return found


def _alerts(name: str, silence: Item, checks: dict[str, Item]) -> Iterator[Mistake]:
    # What the host's name must fit is left out: an alert about it may well be the host's.
    mine = [matcher for matcher in _matchers(silence) if HOST not in matcher.value]
    item = silence.at("matchers")
    if not mine or item is None:
        return
    for check, entry in checks.items():
        asked = _matchers(entry)
        if entry.word("kind") == "alerts" and asked and can_meet(mine, asked):
            what = (
                f"it could cover alerts that judge the host by check {quoted(check)}"
                f" ({', '.join(map(str, asked))}): name others by alertname, or leave those out with !="
            )
            path: Path = ("silences", name, "matchers")
            yield Mistake(place=item.place, path=path, what=what)
            return


def _services(name: str, silence: Item, checks: dict[str, Item]) -> Iterator[Mistake]:
    item = silence.at("services")
    known = {check.lower(): check for check in checks}
    for number, service in item.elements() if item else []:
        if check := known.get(str(service.value).lower()):
            what = (
                f"it would cover what judges the host by check {quoted(check)}: leave it out of the downtime"
            )
            yield Mistake(place=service.place, path=("silences", name, "services", number), what=what)
