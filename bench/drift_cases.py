"""Every state of the drift audit's cases, made for real on one guest: which finding told it, what mended it, and whether it was gone.

    python bench/drift_cases.py [ROUND ...]

Without a name all rounds are run; `settings`, `network`, `services`, `boot 1` and so on are those of tests/drift/rounds.py.
The guest is one of the lab's, and what it wants besides is fetched with apt-get and unpacked into it for this run.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.drift.guest import Row, audited, filled, guest
from tests.drift.rounds import rounds


def cell(text: str) -> str:
    """A text in a cell of a table: what is long is cut, as the command is printed whole by the audit itself."""
    short = text if len(text) <= 160 else text[:157] + "..."
    return short.replace("|", "\\|").replace("\n", " ")


def line(row: Row) -> str:
    """One row of the table."""
    how = {"fix": "", "instead": " (the other way that is printed)", "by hand": " (by hand)"}[row.how]
    return f"| {row.case.name} | {row.found.name} | `{cell(row.ran)}`{how} | {'yes' if row.gone else 'no'} |"


async def main() -> None:
    """Print the table as the rounds come, and what was wrong behind it and, at once, beside it."""
    wrong, made, found, gone = [], 0, 0, 0
    async with guest("drift-cases") as lab:
        fresh = await audited(lab)
        print(
            f"a fresh guest: {len(fresh.standing)} findings, {len(fresh.unknown)} questions without an answer\n"
        )
        print("| state | finding | what was run | gone |\n|---|---|---|---|")
        async for name, came in rounds(lab, sys.argv[1:]):
            for row in came.rows:
                print(line(row).replace(filled(lab, "{candidate}"), "ENTRY"), flush=True)
            made += len(came.rows) + len(came.missed)
            found += len(came.rows)
            gone += sum(row.gone for row in came.rows)
            here = [f"{name}: {one}" for one in (*came.missed, *came.besides, *came.left)]
            print(
                f"{name}: {len(here)} found besides or left", *here, sep="\n- ", file=sys.stderr, flush=True
            )
            wrong += here
    print(
        f"\n{made} states, {found} found, {gone} gone after what was run; found besides or left: {len(wrong)}"
    )
    for one in wrong:
        print(f"- {one}")


if __name__ == "__main__":
    asyncio.run(main())
