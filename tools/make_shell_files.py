"""Writes the manual and the completions of three shells into packaging/, from the verbs themselves; `make docs` runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from seatrial.cli.main import app
from seatrial.cli.manual import man_page
from seatrial.cli.shell import script

PACKAGING = Path(__file__).parents[1] / "packaging"
FILES: Mapping[str, Callable[[], str]] = {
    "seatrial.1": lambda: man_page(app),
    "completion/seatrial": lambda: script("bash"),
    "completion/_seatrial": lambda: script("zsh"),
    "completion/seatrial.fish": lambda: script("fish"),
}


def main() -> None:
    """Write what has changed."""
    for name, make in FILES.items():
        path, text = PACKAGING / name, make()
        was = path.read_text() if path.exists() else ""
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"docs      packaging/{name}: {'as it was' if was == text else 'written'}")


if __name__ == "__main__":
    main()
