"""The manual as roff, from the same verbs, options and examples that `--help` shows. What is not in: anything of its own.

cyclopts writes Markdown, HTML and reStructuredText, which would need a converter at build time that is larger than this.
"""

from __future__ import annotations

from collections.abc import Iterator

from cyclopts import App

from seatrial import __version__
from seatrial.cli.examples import EXAMPLES

CODES = (
    ("0", "as wished"),
    ("1", "looked, and found wrong"),
    ("2", "the input is wrong"),
    ("3", "could not find out"),
    ("4", "could not act"),
    ("130", "interrupted"),
)
ENVIRONMENT = (
    ("SEATRIAL_DATABASE", "the journal, a database URL, where --database does not say it"),
    ("SEATRIAL_BY", "who is asking, for the journal; else the login name"),
    ("XDG_STATE_HOME", "where the journal and labs are kept; else ~/.local/state"),
)


def man_page(app: App) -> str:
    """The whole page."""
    return "\n".join(_page(app)) + "\n"


def _page(app: App) -> Iterator[str]:
    yield f'.TH SEATRIAL 1 "2026-11-24" "seatrial {__version__}" "User Commands"'
    yield ".SH NAME"
    yield r"seatrial \- trials of kernels by the traffic that depends on them"
    yield ".SH SYNOPSIS"
    yield ".B seatrial"
    yield r".I VERB"
    yield r"[\fIoption\fR ...]"
    yield ".SH DESCRIPTION"
    yield from _text(_words(app.help))
    yield ".SH VERBS"
    for name, verb in _verbs(app, "seatrial"):
        yield from _verb(name, verb)
    yield ".SH EXIT STATUS"
    for code, means in CODES:
        yield from (".TP", f".B {code}", _escaped(means))
    yield ".SH ENVIRONMENT"
    for variable, means in ENVIRONMENT:
        yield from (".TP", f".B {variable}", _escaped(means))
    yield ".SH FILES"
    yield from (".TP", ".I fleet.yaml", "what the operator declared; `seatrial schema` has every key")
    yield from (
        ".TP",
        ".I /etc/seatrial/serve.env",
        "settings of the service, where the package installed it",
    )


def _verbs(here: App, above: str) -> Iterator[tuple[str, App]]:
    for name in sorted(one for one in here if not one.startswith("-")):
        verb = here[name]
        below = list(_verbs(verb, f"{above} {name}"))
        if not below or verb.default_command is not None:
            yield f"{above} {name}", verb
        yield from below


def _verb(name: str, verb: App) -> Iterator[str]:
    # What gathers whatever is left over has no name of its own.
    arguments = [one for one in verb.assemble_argument_collection() if one.names and "*" not in one.names[0]]
    plain = [one for one in arguments if not one.names[0].startswith("-")]
    options = [one for one in arguments if one not in plain]
    places = " ".join(one.names[0] if one.required else f"[{one.names[0]}]" for one in plain)
    yield from (f".SS {_escaped(name)} {_escaped(places)}".rstrip(), *_text(_words(verb.help)))
    for one in (*plain, *options):
        names = ", ".join(name for name in one.names if not name.startswith("--no-"))
        said = one.parameter.help or ""
        choices = one.get_choices()
        said += f" (one of {', '.join(choices)})" if choices and one.names[0].startswith("-") else ""
        yield from (".TP", f"\\fB{_escaped(names)}\\fR", _escaped(" ".join(said.split()) or "see above"))
    if examples := EXAMPLES.get(name.removeprefix("seatrial ")):
        yield from (".PP", "Examples:", ".EX", *map(_escaped, examples), ".EE")


def _words(text: object) -> str:
    return text if isinstance(text, str) else ""


def _text(text: str) -> Iterator[str]:
    first, *others = (_escaped(" ".join(paragraph.split())) for paragraph in text.split("\n\n"))
    yield first
    for paragraph in others:
        yield from (".PP", paragraph)


def _escaped(text: str) -> str:
    escaped = (
        text.replace("\\", r"\e")
        .replace("-", r"\-")
        .replace("`", r"\(ga")
        .replace("~", r"\(ti")
        .replace("^", r"\(ha")
    )
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
