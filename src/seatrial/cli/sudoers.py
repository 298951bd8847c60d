"""`seatrial sudoers`: what a login must be allowed to do as root for this fleet, as a file for /etc/sudoers.d."""

from __future__ import annotations

import re
import sys
from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.options import DEFAULT_FLEET, FleetFile, Json, fleet, print_json
from seatrial.errors import InputError, NotKnown
from seatrial.perform.privileges import TIMEOUT, Privileges, privileges_of

_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def sudoers(
    *,
    file: FleetFile = DEFAULT_FLEET,
    host: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="only what is sent to this host or vantage; may be repeated"),
    ] = (),
    login: Annotated[str, Parameter(help="the user that Seatrial logs in as")] = "seatrial",
    gate: Annotated[
        bool,
        Parameter(negative="", help="print the gate, for /usr/local/sbin/seatrial-gate (root, mode 755)"),
    ] = False,
    json: Json = False,
) -> int:
    """Print the least that a login needs from sudo, from the Commands that FILE makes Seatrial send; nothing is asked of any host.

    Hosts that have it want `sudo: listed` in their `reach`, and the gate. Print it again when the fleet file or Seatrial
    has changed: scripts are known by their hash. Exit code 1 when something cannot be listed, which is said.
    """
    if gate:
        print(_gate(), end="")
        return 0
    if not _LOGIN.fullmatch(login):
        raise InputError(
            f"{login!r} is no login that sudoers could name", hint="small letters, digits, - and _"
        )
    declared, _ = fleet(file)
    known = {**declared.hosts, **declared.vantages}
    if strange := [one for one in host if one not in known]:
        raise InputError(
            f"{strange[0]!r} is no host or vantage of {file}", hint=f"there is {', '.join(known)[:200]}"
        )
    found = [privileges_of(declared, place) for place in (host or tuple(known))]
    beyond = [f"{one.place}: {what}" for one in found for what in one.beyond]
    if json:
        print_json(
            {
                "login": login,
                "places": {
                    one.place: [
                        {"name": rule.name, "command": TIMEOUT, "words": rule.words} for rule in one.rules
                    ]
                    for one in found
                },
                "beyond": beyond,
            }
        )
    else:
        print(_text(found, login, str(file)), end="")
        for what in beyond:
            print(f"not listed: {what}", file=sys.stderr)
    return 1 if beyond else 0


def _gate() -> str:
    from importlib.resources import files

    try:
        return files("seatrial.onhost").joinpath("gate.sh").read_text(encoding="utf-8")
    except OSError as problem:
        raise NotKnown(
            f"the gate cannot be read: {problem.strerror}", hint="install Seatrial again"
        ) from None


def _text(found: list[Privileges], login: str, filename: str) -> str:
    lines = [
        f"# What {login} may do as root for Seatrial, made from {_comment(filename)} by `seatrial sudoers`.",
        "# sudo 1.9.10 or newer is wanted. Scripts go through seatrial-gate (`seatrial sudoers --gate`), by their SHA-256.",
        "# Without a path of its own, the programs behind `timeout` would be looked for where the login says.",
        f'Defaults:{login} !setenv, env_reset, secure_path="{_PATH}"',
        "",
        "# Is there a way at all?",
        f"{login} ALL=(root) NOPASSWD: {TIMEOUT} ^9 true$",
    ]
    said: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for one in found:
        for rule in one.rules:
            said.setdefault(rule.words, []).append(one.place)
            names.setdefault(rule.words, rule.name)
    for words, places in said.items():
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        lines += ["", f"# {names[words]}: {', '.join(places[:5])}{more}"]
        lines.append(f"{login} ALL=(root) NOPASSWD: {TIMEOUT} {words}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
