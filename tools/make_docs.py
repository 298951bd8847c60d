"""Writes the documents that are made from the code, so that they cannot tell of another house than the one that stands.

What is in: the fleet file's JSON schema, the drawing of the floors in docs/architecture.md, that of a trial's states in
docs/states.md, the tables in docs/checks.md, docs/drift.md, docs/failover.md and docs/soak.md, and the keys in
docs/fleet.md. Tests compare all of them. What is not: the prose around them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.house.layers import drawing  # noqa: E402 - the checkout has to be on the path first

from seatrial.checks import host, platform, storage, traffic  # noqa: E402
from seatrial.drift.questions import ACROSS, QUESTIONS  # noqa: E402
from seatrial.fleetfile import reference, schema  # noqa: E402
from seatrial.fleetfile.definition import keys_of, members_of  # noqa: E402
from seatrial.ha.drbdnfs.batches import BATCHES  # noqa: E402
from seatrial.model.check import Check, CheckBase  # noqa: E402
from seatrial.model.trial import FINAL, TRANSITIONS, State  # noqa: E402
from seatrial.soak.readings import METRICS, OTHERS, WORK  # noqa: E402

# What stands above it in docs/fleet.md is written by hand.
KEYS = "<!-- `make generated` writes what is below from model/fleet.py -->\n"
SERIES = ("<!-- `make generated` writes the tables from soak/readings.py -->\n", "<!-- that was it -->\n")
TABLE = "<!-- `make generated` writes what is below from model/check/ and checks/ -->\n"
BATCH = "<!-- `make generated` writes what is below from ha/drbdnfs/batches.py -->\n"
FINDINGS = "<!-- `make generated` writes what is below from drift/questions.py -->\n"


def fleet_schema(_: str) -> str:
    """The JSON schema, for editors."""
    return json.dumps(schema(), indent=2) + "\n"


def architecture(old: str) -> str:
    """The page with its drawing made anew."""
    return re.sub(r"```text\n\+-.*?```", lambda _: f"```text\n{drawing()}```", old, count=1, flags=re.DOTALL)


def states_drawing() -> str:
    """The table of a trial's states as Mermaid, in the order of the table."""

    def ident(state: State) -> str:
        # Mermaid takes no dash in the name of a state.
        return str(state).replace("-", "_")

    lines = ["stateDiagram-v2", *(f'    state "{s}" as {ident(s)}' for s in State if ident(s) != s)]
    lines += [f"    [*] --> {ident(State.PLANNED)}"]
    lines += [
        f"    {ident(s)} --> {ident(after)}" for s, all_after in TRANSITIONS.items() for after in all_after
    ]
    lines += [f"    {ident(s)} --> [*]" for s in TRANSITIONS if s in FINAL]
    return "\n".join(lines) + "\n"


def states(old: str) -> str:
    """The page with its drawing made anew."""
    return re.sub(
        r"```mermaid\n.*?```", lambda _: f"```mermaid\n{states_drawing()}```", old, count=1, flags=re.DOTALL
    )


def fleet_keys(old: str) -> str:
    """The page with its keys made anew; they are one level below the page's own heading."""
    introduction = old.partition(KEYS)[0]
    return f"{introduction}{KEYS}\n" + re.sub(r"^#", "##", reference(), flags=re.MULTILINE)


def checks(old: str) -> str:
    """The page with a table for each room of checks: the kind, what it declares, when it passes."""
    members, shared = members_of(Check), set(keys_of(CheckBase)) | {"kind"}
    lines: list[str] = []
    for room in (traffic, storage, host, platform):
        lines += ["", f"## {room.__name__.rpartition('.')[2].capitalize()}", "", _first(room.__doc__), ""]
        lines += ["| kind | what | how it is judged | keys |", "|---|---|---|---|"]
        for name, kind in room.KINDS.items():
            keys = ", ".join(f"`{key}`" for key in keys_of(members[name]) if key not in shared) or "none"
            cells = (f"`{name}`", _first(members[name].__doc__), _first(kind.judge.__doc__), keys)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return f"{old.partition(TABLE)[0]}{TABLE}" + "\n".join(lines) + "\n"


def soak(old: str) -> str:
    """The page with its tables of series and of what counts as load made anew."""
    lines = ["", "| series (`PLACE:` before it for clients) | is | value |", "|---|---|---|"]
    for metric in (*METRICS, *OTHERS):
        value = {"share": "counts of failed and sent", "per": f"{metric.unit}, with the rate of work"}
        lines.append(
            f"| `{metric.name}` | {metric.says} | {value.get(metric.how, metric.unit or 'as it is')} |"
        )
    lines += ["", "| load | is |", "|---|---|"]
    lines += [f"| `{name}` | {says}, each second |" for name, says in WORK.items()]
    before, _, rest = old.partition(SERIES[0])
    after = rest.partition(SERIES[1])[2]
    return before + SERIES[0] + "\n".join(lines) + "\n\n" + SERIES[1] + after


def drift(old: str) -> str:
    """The page with the table of all findings."""
    lines = ["", "| finding | is found when |", "|---|---|"]
    lines += [f"| {', '.join(f'`{name}`' for name in one.names)} | {one.says} |" for one in QUESTIONS]
    lines += [f"| `{name}` | {says} |" for name, says in ACROSS]
    return f"{old.partition(FINDINGS)[0]}{FINDINGS}" + "\n".join(lines) + "\n"


def failover(old: str) -> str:
    """The page with the steps of each batch, in the order in which the script does them."""
    lines: list[str] = []
    for verb, steps in BATCHES.items():
        lines += ["", f"### {verb}", "", "| step | does |", "|---|---|"]
        lines += [f"| `{name}` | {does} |" for name, does in steps]
    return f"{old.partition(BATCH)[0]}{BATCH}" + "\n".join(lines) + "\n"


def _first(text: str | None) -> str:
    """A docstring's first paragraph on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


DOCUMENTS: dict[str, Callable[[str], str]] = {
    "fleet-schema.json": fleet_schema,
    "architecture.md": architecture,
    "states.md": states,
    "fleet.md": fleet_keys,
    "checks.md": checks,
    "soak.md": soak,
    "drift.md": drift,
    "failover.md": failover,
}


def main() -> None:
    """Write all of them and say which were not as they should be."""
    for name, make in DOCUMENTS.items():
        path = ROOT / "docs" / name
        old = path.read_text() if path.exists() else ""
        new = make(old)
        path.write_text(new)
        print(f"docs      docs/{name}: {'as it was' if new == old else 'written'}")


if __name__ == "__main__":
    main()
