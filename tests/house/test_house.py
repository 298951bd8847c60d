"""The house inspects itself: layers, doors, purity, sizes, names, docstrings, and the documents made from the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .layers import FLOORS, SENT_AWAY, drawing
from .rules import DOORS, LONGER, NOT_PURE, RULES, leads_to
from .walk import Module, modules

ROOT = Path(__file__).parents[2]
Rule = Callable[[Module], Iterator[str]]
SOURCE = ROOT / "src" / "seatrial"


@pytest.fixture(scope="module")
def tree() -> list[Module]:
    found = list(modules(SOURCE))
    # A walk that finds nothing would find no breach either.
    assert {"errors.py", "model/fleet.py", "vantage/process.py"} <= {module.path for module in found}
    return found


@pytest.mark.parametrize("rule", RULES)
def test_the_source_keeps_the_rules_of_the_house(rule: Rule, tree: list[Module]) -> None:
    found = [breach for module in tree for breach in rule(module)]
    assert not found, "\n".join(["", *found])


def test_no_exception_outlives_its_reason(tree: list[Module]) -> None:
    paths = {module.path for module in tree}
    gone = [path for path in (*NOT_PURE, *(path.split(":")[0] for path in LONGER)) if path not in paths]
    assert gone == []
    kept = [f"{path}: {reason}" for path, reason in LONGER.items() if len(reason.split()) < 4]
    assert kept == [], "an exception says why"


def test_no_door_has_an_exception_that_is_not_used(tree: list[Module]) -> None:
    for door in DOORS:
        for path in door.at:
            if not path.endswith("/*"):
                elsewhere = replace(door, at=())
                used = [module for module in tree if module.path == path and leads_to(elsewhere, module)]
                assert used, (
                    f"{path} has no need of the door to {door.to}: take it out of tests/house/rules.py"
                )


def test_every_room_is_on_one_floor() -> None:
    rooms = [room for floor in FLOORS for room in floor.rooms]
    assert len(rooms) == len(set(rooms))
    here = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert here - set(rooms) - {SENT_AWAY} == set()


def test_the_drawing_in_the_docs_is_made_from_the_table() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert f"```text\n{drawing()}```" in text, "run `make generated`"


def test_every_door_is_explained_in_the_docs() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for door in DOORS:
        assert f"| {door.to} |" in text, f"docs/architecture.md does not name the door to {door.to}"


def test_the_pins_cover_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {
        "run": project["project"]["dependencies"],
        "dev": [*project["dependency-groups"]["dev"], *project["build-system"]["requires"]],
        "bench": project["dependency-groups"]["bench"],
    }
    base = pins("run")
    for name, wishes in asked.items():
        pinned = pins(name) if name == "bench" else base | pins(name)
        for wish in map(Requirement, wishes):
            version = pinned.get(canonicalize_name(wish.name))
            assert version is not None, f"{wish} is in no requirements file: run `make pins`"
            assert wish.specifier.contains(version), f"{wish} is pinned as {version}: run `make pins`"


def test_the_pins_are_hashed_agree_and_name_no_place() -> None:
    seen: dict[str, str] = {}
    for name in ("run", "dev", "bench"):
        # The peers of the benchmarks are installed apart from us.
        seen = {} if name == "bench" else seen
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        assert not re.search(r"^\s*(-|[./])(?!-hash)", text, re.MULTILINE)
        for block in re.split(r"\n(?=\S)", text):
            if "==" in block:
                assert "--hash=sha256:" in block, block
        for package, version in pins(name).items():
            assert seen.setdefault(package, version) == version, f"{package} is pinned twice, differently"


def pins(name: str) -> dict[str, str]:
    """The pinned versions of one requirements file, by package."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    found = [match for line in lines if (match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line))]
    return {canonicalize_name(match[1]): match[2] for match in found}
