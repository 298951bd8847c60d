"""What a source says, read as a whole or not at all: failed, empty, cut off, half, hostile and right answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatrial.exports.commands import source_command
from seatrial.exports.table import lines_of, read_table
from seatrial.exports.wanted import NoAnswer, Wanted, read_wanted
from seatrial.model.command import Output, Trouble
from seatrial.model.exports import Exports

LINE = "/srv/volume/tools 192.0.2.0/24(rw,sync)\n"


def declared(**keys: Any) -> Exports:
    return Exports.model_validate({"group": "nfs", "file": "/etc/wanted", **keys})


def said(
    text: str, *, status: int | None = 0, keys: dict[str, Any] | None = None, **more: Any
) -> Wanted | NoAnswer:
    wanted = declared(**(keys or {}))
    return read_wanted(
        wanted, Output(command=source_command(wanted), status=status, stdout=text, **more), "the source"
    )


def rows(*some: dict[str, Any]) -> str:
    return json.dumps({"exports": list(some)})


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("", {}),
        ("# nobody is served\n\n", {}),
        (LINE, {("/srv/volume/tools", "192.0.2.0/24"): {"rw", "sync"}}),
        (
            "/srv/a -sync 192.0.2.1(ro) *.example.test(rw)  # two\n/srv/b \\\n    2001:db8::/64(ro)\n",
            {
                ("/srv/a", "192.0.2.1"): {"ro", "sync"},
                ("/srv/a", "*.example.test"): {"rw", "sync"},
                ("/srv/b", "2001:db8::/64"): {"ro"},
            },
        ),
        (
            "/srv/with\\040blank @group(rw,sec=krb5:krb5p)\n",
            {("/srv/with blank", "@group"): {"rw", "sec=krb5:krb5p"}},
        ),
        (LINE + LINE, {("/srv/volume/tools", "192.0.2.0/24"): {"rw", "sync"}}),
    ],
)
def test_a_whole_answer_is_read(text: str, table: dict[tuple[str, str], set[str]]) -> None:
    assert said(text) == Wanted(table={entry: frozenset(options) for entry, options in table.items()})


@pytest.mark.parametrize(
    ("text", "keys", "why"),
    [
        (LINE[:-1], {}, "was cut off in the middle"),
        (LINE[:-5], {}, "was cut off in the middle"),
        (LINE, {"ends_with": "# end"}, "does not end with '# end'"),
        ("", {"ends_with": "# end"}, "does not end with '# end'"),
        (LINE + "<html><body>502 Bad Gateway</body></html>\n", {}, "line 2: <html>"),
        ("Traceback (most recent call last):\n", {}, "line 1: Traceback"),
        ("/srv/a\n", {}, "line 1: /srv/a"),
        ("/srv/a host (rw)\n", {}, "line 1: /srv/a host (rw)"),
        ("/srv/a host(rw\n", {}, "line 1: /srv/a host(rw"),
        ('"/srv/a b" host(rw)\n', {}, "line 1"),
        ("/srv/a -ro host(rw)\n", {}, "/srv/a is both rw and ro"),
        ("/etc host(rw)\n", {}, "/etc is not in /srv"),
        ("/ host(rw)\n", {}, "/ is not in /srv"),
        ("/srvx host(rw)\n", {}, "/srvx is not in /srv"),
        ("/srv/../etc host(rw)\n", {}, "is no path"),
        ("/srv//a host(rw)\n", {}, "is no path"),
        ("/srv/a\\012/etc host(rw)\n", {}, "is no path"),
        ("/srv/a\x1b[2J host(rw)\n", {}, "line 1: /srv/a\\x1b[2J host(rw)"),
        ("/srv/a $(reboot)(rw)\n", {}, "line 1"),
        ("/srv/a host;reboot(rw)\n", {}, "'host;reboot' is no client"),
        ("/srv/a host(rw,frobnicate)\n", {}, "'frobnicate' is no option"),
        ("/srv/a host(rw,fsid=0;x)\n", {}, "'fsid=0;x' is no option"),
        (
            "/srv/a host(rw)\n/srv/a host(ro)\n",
            {},
            "line 2: /srv/a to host is there twice, with other options",
        ),
        ("/srv/a host(rw)\ufffd\n", {}, "no UTF-8"),
        ("\x0c/srv/a\u2028host(rw)\n", {}, "line 1"),
        ("", {"format": "json"}, "is no JSON"),
        (rows({"path": "/srv/a", "clients": ["h"]})[:-3], {"format": "json"}, "is no JSON"),
        ("[" * 100_000, {"format": "json"}, "is no JSON"),
        ("null", {"format": "json"}, "the document"),
        ("[]", {"format": "json"}, "the document"),
        ('{"error": "keystone is down"}', {"format": "json"}, "exports: Field required"),
        ('{"exports": null}', {"format": "json"}, "exports: "),
        (rows({"path": "/srv/a", "clients": []}), {"format": "json"}, "exports.0.clients"),
        (
            rows({"path": "/srv/a", "clients": ["h"]}, {"path": 7, "clients": ["h"]}),
            {"format": "json"},
            "exports.1.path",
        ),
        (rows({"path": "/srv/a b", "clients": ["h i"]}), {"format": "json"}, "'h i' is no client"),
        (
            rows({"path": "/srv/a", "clients": ["h"], "options": "rw)\n/etc *(rw"}),
            {"format": "json"},
            "is no option",
        ),
    ],
    ids=str,
)
def test_what_is_no_whole_answer_is_none_and_says_why(text: str, keys: dict[str, Any], why: str) -> None:
    answer = said(text, keys=keys)
    assert isinstance(answer, NoAnswer)
    assert why in answer.because
    assert answer.because.isprintable()


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (
            {"status": 1, "stderr": "GET /v3/projects\n401 Unauthorized\n"},
            "ended with status 1: 401 Unauthorized",
        ),
        ({"status": 1}, "ended with status 1: without a word"),
        (
            {"status": None, "trouble": Trouble.TIMEOUT, "problem": "no answer within 30 s"},
            "no answer within 30 s",
        ),
        ({"status": 0, "truncated": True}, "said more than"),
    ],
    ids=str,
)
def test_a_source_that_fails_is_not_believed_whatever_it_printed(output: dict[str, Any], why: str) -> None:
    answer = said(LINE, **output)
    assert isinstance(answer, NoAnswer)
    assert why in answer.because


def test_json_says_the_same_as_lines() -> None:
    text = rows({"path": "/srv/volume/tools/", "clients": ["192.0.2.0/24"], "options": "rw,sync"})
    assert said(text, keys={"format": "json"}) == said(LINE)


def test_what_is_written_is_read_as_it_was() -> None:
    table = {
        ("/srv/with blank", "*"): frozenset({"rw"}),
        ('/srv/a"#\\b', "2001:db8::/64"): frozenset({"ro", "sec=sys"}),
        ("/srv/plain", "192.0.2.1"): frozenset[str](),
    }
    assert dict(read_table("".join(f"{line}\n" for line in lines_of(table)))) == table
