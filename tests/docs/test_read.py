"""What a newcomer reads first is true: README.md and the tutorial are typed, command after command, in one shell each.

What needs no guests is typed in the default suite. The whole pages, in real labs, are typed by `make test-lab`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .pages import FIRST, Block, blocks_of, shown_in
from .shell import Shell, shell

TYPED = [block for page in FIRST for block in blocks_of(page)]


@pytest.fixture(scope="module")
def shells() -> Iterator[dict[str, Shell]]:
    """A shell for each page."""
    with shell() as readme, shell() as tutorial:
        yield dict(zip((page.name for page in FIRST), (readme, tutorial), strict=True))


@pytest.mark.parametrize("block", [block for block in TYPED if not block.lab], ids=str)
def test_what_needs_no_guests_does_what_its_page_says(block: Block, shells: dict[str, Shell]) -> None:
    assert shells[block.page].type(block) == ""


@pytest.mark.lab
@pytest.mark.parametrize("page", FIRST, ids=lambda page: page.name)
def test_a_whole_page_is_true_in_the_lab(page: Path) -> None:
    with shell() as here:
        for block in blocks_of(page):
            assert here.type(block) == "", str(block)


def test_each_page_has_commands_for_both() -> None:
    for page in FIRST:
        typed = list(blocks_of(page))
        assert {block.lab for block in typed} == {True, False}, page.name


def test_a_page_that_is_not_true_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ echo yes\nno\n```\n\n```console\n$ false\n```\n\n```console exit=1\n$ false\n```\n"
    )
    with shell() as here:
        said = [here.type(block) for block in blocks_of(page)]
    assert said[0] == "the page has 'no', and the program prints ['yes']"
    assert said[1].startswith("it ended with 1") and said[2] == ""


def test_what_one_command_leaves_the_next_one_finds(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ export WORD=here && cd ~\n```\n\n```console\n$ echo $WORD $PWD\nhere /home/you\n```\n"
    )
    with shell() as here:
        assert [here.type(block) for block in blocks_of(page)] == ["", ""]


def test_dots_stand_for_any_lines_and_nothing_else_does() -> None:
    assert shown_in(("a", "...", "d"), ["a", "b", "c", "d"]) == ""
    assert shown_in(("a", "d"), ["a", "b", "d"]) != ""
    assert shown_in(("a",), ["a", "b"]) != ""
