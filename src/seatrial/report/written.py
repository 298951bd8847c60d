"""A report's blocks as Markdown, as wikitext, and as one HTML file that needs nothing else. Pure.

Everything in a block is text from anywhere, so each writer takes the meaning out of what would be markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from types import MappingProxyType
from urllib.parse import quote

from seatrial.model.text import safe
from seatrial.report.blocks import Block, Figure, Heading, Items, Sentence, Shell, Table

_STYLE = """
:root{color-scheme:light dark;--ink:#16212b;--paper:#fff;--soft:#51606d;--edge:#d5dde4}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#10171d;--soft:#a5b3bf;--edge:#2f3b46}}
body{margin:0 auto;max-width:60rem;padding:1.5rem;font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif;color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{line-height:1.25}table{border-collapse:collapse;width:100%}th,td{border:1px solid var(--edge);padding:.35rem .6rem;text-align:left;vertical-align:top}
li{margin:.2rem 0}li li{color:var(--soft)}code{font-family:ui-monospace,"DejaVu Sans Mono",monospace}figure{margin:1rem 0}figcaption{color:var(--soft)}
"""


def as_markdown(blocks: Sequence[Block]) -> str:
    """For a ticket or a repository."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_marked(block.text)}"
        case Sentence():
            return (f"**{_marked(block.strong)}**: " if block.strong else "") + _marked(block.text)
        case Items():
            return "\n".join(
                "\n".join((f"* {_marked(text)}", *(f"  * {_marked(one)}" for one in below)))
                for text, below in block.items
            )
        case Table():
            rows = [block.heads, ["---"] * len(block.heads), *block.rows]
            return (
                "\n".join(
                    "| " + " | ".join(cell if at == 1 else _marked(cell) for cell in row) + " |"
                    for at, row in enumerate(rows)
                )
                .replace("| --- |", "|---|")
                .replace("| --- ", "|---")
            )
        case Figure():
            return f"![{_marked(block.says)}]({quote(block.file)})"
        case Shell():
            return f"{_marked(block.text)} `{block.command}`"


def _marked(text: str) -> str:
    shown = safe(text)
    for mark in "\\`*_|<>[]#":
        shown = shown.replace(mark, f"\\{mark}")
    return shown


def as_wikitext(blocks: Sequence[Block]) -> str:
    """For MediaWiki, as the incident reports of its operators are written."""
    return "\n\n".join(_wikitext(block) for block in blocks) + "\n"


def _wikitext(block: Block) -> str:
    match block:
        case Heading():
            bars = "=" * block.level
            return f"{bars} {_plain(block.text)} {bars}"
        case Sentence():
            return (f"'''{_plain(block.strong)}''': " if block.strong else "") + _plain(block.text)
        case Items():
            return "\n".join(
                "\n".join((f"* {_plain(text)}", *(f"** {_plain(one)}" for one in below)))
                for text, below in block.items
            )
        case Table():
            heads = " !! ".join(_plain(head) for head in block.heads)
            rows = "".join(f"\n|-\n| {' || '.join(_plain(cell) for cell in row)}" for row in block.rows)
            return f'{{| class="wikitable"\n! {heads}{rows}\n|}}'
        case Figure():
            name = block.file.rpartition("/")[2]
            return f"[[File:{_plain(name)}|frame|{_plain(block.says)}]]"
        case Shell():
            return f"{_plain(block.text)} <code>{_plain(block.command)}</code>"


def _plain(text: str) -> str:
    # Inside nowiki nothing is markup; what would end it is an entity there.
    shown = escape(safe(text), quote=False)
    return f"<nowiki>{shown}</nowiki>" if any(mark in shown for mark in "[]{}|'=*#:;~_&!") else shown


def as_html(blocks: Sequence[Block]) -> str:
    """One file that needs nothing else, for an attachment; it loads nothing and runs nothing."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Seatrial")
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_escaped(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_escaped(block.text)}</h{block.level}>"
        case Sentence():
            strong = f"<strong>{_escaped(block.strong)}</strong>: " if block.strong else ""
            return f"<p>{strong}{_escaped(block.text)}</p>"
        case Items():
            return "<ul>" + "".join(_html_item(text, below) for text, below in block.items) + "</ul>"
        case Table():
            heads = "".join(f'<th scope="col">{_escaped(head)}</th>' for head in block.heads)
            rows = "".join(
                "<tr>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in row) + "</tr>" for row in block.rows
            )
            return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        case Figure():
            # A picture of ours, drawn of values and escaped where it was drawn.
            return f"<figure>{block.svg}<figcaption>{_escaped(block.says)}</figcaption></figure>"
        case Shell():
            return f"<p>{_escaped(block.text)} <code>{_escaped(block.command)}</code></p>"


def _html_item(text: str, below: Sequence[str]) -> str:
    inner = "<ul>" + "".join(f"<li>{_escaped(one)}</li>" for one in below) + "</ul>" if below else ""
    return f"<li>{_escaped(text)}{inner}</li>"


def _escaped(text: str) -> str:
    return escape(safe(text))


WRITERS: Mapping[str, Callable[[Sequence[Block]], str]] = MappingProxyType(
    {"markdown": as_markdown, "wikitext": as_wikitext, "html": as_html}
)
