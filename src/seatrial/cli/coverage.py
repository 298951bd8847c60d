"""`seatrial check --plan`: what the declared flows and checks could tell, and which to add; nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from seatrial.cli.options import console, print_json
from seatrial.diagnose.identify import Coverage, coverage, meanings_of, probes_of
from seatrial.diagnose.propose import Addition, Proposal, propose
from seatrial.errors import InputError
from seatrial.model.fleet import Fleet

MOST_SHOWN = 6


def tell_coverage(fleet: Fleet, *, as_json: bool) -> int:
    """Print what could be told and what to add; always 0, since nothing was looked at. Raises InputError."""
    if not fleet.flows and not fleet.checks:
        raise InputError("nothing is declared that could be asked", hint="write flows into the fleet file")
    found, wanted = coverage(probes_of(fleet)), propose(fleet)
    if as_json:
        print_json(_document(found, wanted))
    else:
        _tell_people(fleet, found, wanted)
    return 0


def _document(found: Coverage, wanted: Proposal) -> dict[str, Any]:
    return {
        "components": found.components,
        "coverage": found.least,
        "identifiability": found.identifiability,
        "alike": [list(names) for names in found.alike],
        "pairs": found.pairs,
        "pairs_told": found.told,
        "unnoticed": list(wanted.unnoticed),
        "add": [
            {"name": one.name, "splits": one.splits, "notices": list(one.notices)} for one in wanted.additions
        ],
        "yaml": pasted(wanted.additions),
        "left": [list(names) for names in wanted.left],
    }


def pasted(additions: Sequence[Addition]) -> str:
    """The additions as text for a fleet file, each with a comment that says what it is for; "" for none."""
    lines: list[str] = []
    for section, is_flow in (("flows", True), ("checks", False)):
        here = [one for one in additions if one.is_flow is is_flow]
        lines += [f"{section}:"] if here else []
        for one in here:
            lines += [f"  # {reason}" for reason in _reasons(one)]
            keys = one.declared.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            text = yaml.safe_dump(keys, default_flow_style=True, sort_keys=False, width=1000)
            lines.append(f"  {one.name}: {text.rstrip()}")
    return "\n".join(lines)


def _reasons(one: Addition) -> list[str]:
    found = [f"tells {' from '.join(_listed(part) for part in parts)}" for parts in one.splits]
    return [*found, *([f"would notice {_listed(one.notices)}"] if one.notices else [])]


def _listed(names: Sequence[str]) -> str:
    shown = names if len(names) <= MOST_SHOWN else names[: MOST_SHOWN - 1]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _tell_people(fleet: Fleet, found: Coverage, wanted: Proposal) -> None:
    out, means = console(), meanings_of(fleet)
    asked = f"{len(fleet.flows)} flows and {len(fleet.checks)} checks cross {found.components} components"
    out.print(
        f"{asked}: (coverage, identifiability) = ({found.least}, {found.identifiability})", markup=False
    )
    told = sum(1 for names in found.classes if len(names) == 1)
    pairs = "" if found.pairs is None else f"; {found.told} of {found.pairs} pairs of faults could"
    out.print(f"{told} faults could be told from all others{pairs}", markup=False)
    _tell_classes("These would look the same:", found.alike, means)
    if wanted.unnoticed:
        out.print("\nNothing would notice a fault of:", markup=False)
        for name in wanted.unnoticed:
            out.print(f"  {name}", markup=False)
    if wanted.additions:
        out.print("\n# Add to the fleet file, the most useful first:", markup=False)
        out.print(pasted(wanted.additions), markup=False)
    _tell_classes("# No probe that could be sent tells apart:", wanted.left, {}, mark="#   ")


def _tell_classes(
    head: str, classes: Sequence[Sequence[str]], means: Mapping[str, str], mark: str = "  "
) -> None:
    out = console()
    if classes:
        out.print(f"\n{head}", markup=False)
    for names in classes:
        if not means:
            out.print(f"{mark}{_listed(names)}", markup=False)
            continue
        wide = max(len(name) for name in names)
        for number, name in enumerate(names):
            lead = "- " if number == 0 else "  "
            out.print(f"{mark}{lead}{name:<{wide}}  {means.get(name, '')}".rstrip(), markup=False)
