"""A report as Markdown, wikitext and one file of HTML: the same blocks, and what hosts say stays text in each."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from seatrial.report.blocks import Block, Figure, Heading, Items, Sentence, Shell, Table
from seatrial.report.written import WRITERS, as_html, as_markdown, as_wikitext

HOSTILE = "<script>alert(1)</script> [x](javascript:y) '''b''' {{t}} [[l]] </nowiki> | * # \x1b[2J \u202e"
BLOCKS: tuple[Block, ...] = (
    Heading(text="Rollout r1: bad", level=1),
    Sentence(text="answers are lost", strong="reverted"),
    Items(items=[("gw-s1 - flows: 6 fail", ["one", "two"])]),
    Table(heads=("host", "state"), rows=[["gw-s1", "reverted"], ["gw-p1", "not touched"]]),
    Figure(
        says="good against candidate", file="a b.svg", svg="<svg xmlns='http://www.w3.org/2000/svg'></svg>"
    ),
    Shell(text="It goes on:", command="seatrial rollout status r1"),
)


def test_markdown() -> None:
    assert as_markdown(BLOCKS) == (
        "# Rollout r1: bad\n\n**reverted**: answers are lost\n\n* gw-s1 - flows: 6 fail\n  * one\n  * two\n\n"
        "| host | state |\n|---|---|\n| gw-s1 | reverted |\n| gw-p1 | not touched |\n\n"
        "![good against candidate](a%20b.svg)\n\nIt goes on: `seatrial rollout status r1`\n"
    )


def test_wikitext() -> None:
    assert as_wikitext(BLOCKS) == (
        "= <nowiki>Rollout r1: bad</nowiki> =\n\n'''reverted''': answers are lost\n\n"
        "* <nowiki>gw-s1 - flows: 6 fail</nowiki>\n** one\n** two\n\n"
        '{| class="wikitable"\n! host !! state\n|-\n| gw-s1 || reverted\n|-\n| gw-p1 || not touched\n|}\n\n'
        "[[File:a b.svg|frame|good against candidate]]\n\n<nowiki>It goes on:</nowiki> <code>seatrial rollout status r1</code>\n"
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_is_one_file_that_loads_and_runs_nothing() -> None:
    text = as_html(BLOCKS)
    tags = Tags()
    tags.feed(text)
    assert {"html", "title", "h1", "table", "figure", "svg", "ul"} <= set(tags.seen)
    assert not {"script", "img", "link", "iframe", "object"} & set(tags.seen)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_host_says_stays_text(name: str) -> None:
    blocks = (
        Heading(text=HOSTILE, level=1),
        Sentence(text=HOSTILE, strong=HOSTILE),
        Items(items=[(HOSTILE, [HOSTILE])]),
        Table(heads=("a",), rows=[[HOSTILE]]),
    )
    text = WRITERS[name](blocks)
    assert "\x1b" not in text and "\u202e" not in text
    if name == "html":
        assert "<script>" not in text
    if name == "wikitext":
        # Every one that opens is closed by us, and by nothing that a host said.
        assert text.count("<nowiki>") == text.count("</nowiki>") == 6
        assert "<script>" not in text
    if name == "markdown":
        assert "[x](javascript" not in text and "\\<script\\>" in text
