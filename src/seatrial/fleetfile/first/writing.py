"""A first fleet file as text: every guess is a comment beside it. What is not in: any guess.

The text is written line by line and not dumped, since a dumper has no comments; each value that comes from outside goes
through `_scalar`, so that no name can become another YAML value or another line.
"""

from __future__ import annotations

import json
import re

from seatrial.fleetfile.first.seen import Drafted, Host
from seatrial.model.text import safe

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*", re.ASCII)
# What YAML 1.1 takes for true, false or nothing.
_OTHERWISE = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_WIDE = 110


def written(draft: Drafted, *, made_from: str, ssh_config: str | None) -> str:
    """The text of fleet.yaml; `ssh_config` is the file that hosts with a user or port of their own are reached by."""
    lines = [
        f"# A first fleet file, made by `seatrial init` from {_comment(made_from)}.",
        "# What stands behind a # was guessed from names: correct what is wrong, nothing here has been asked of any host.",
        "#",
        "# What a person must still say:",
    ]
    lines += [f"#   - {_comment(one)}" for one in draft.still]
    if draft.left:
        lines += ["#", "# Left out:", *(f"#   - {_comment(one.line())}" for one in draft.left[:50])]
        if len(draft.left) > 50:
            lines.append(f"#   - and {len(draft.left) - 50} more")
    lines += ["", "version: 1", f"name: {_scalar(draft.name)}", "", "stages:"]
    for stage in draft.stages:
        lines.append(f"  - name: {stage}")
        if stage != draft.stages[0]:
            lines.append(
                "    gate: approval        # the evidence of the stage before, and a person who says so"
            )
    lines += ["", "hosts:"]
    for host in draft.hosts:
        lines += _host(host, ssh_config)
    if draft.groups:
        lines += [
            "",
            "# Guessed from names that differ in the end only. Peers of a group are never on trial together.",
            "groups:",
        ]
        lines += [f"  {_scalar(name)}: {{hosts: {_row(members)}}}" for name, members in draft.groups.items()]
    here = _free("here", draft)
    lines += [
        "",
        "# This machine; add the places from which your traffic comes and to which it goes.",
        "vantages:",
    ]
    lines.append(f"  {here}: {{local: true}}")
    lines += ["", *_flow(draft, here), "", *_checks(draft)]
    return "\n".join(lines) + "\n"


def ssh_config_of(draft: Drafted, *, made_from: str) -> str | None:
    """The ssh config for the hosts that have a user, a port or a key of their own; None when none has."""
    own = [host for host in draft.hosts if host.own_config]
    if not own:
        return None
    lines = [
        f"# Made by `seatrial init` from {_comment(made_from)}: users, ports and keys that a fleet file has no place for."
    ]
    for host in own:
        lines += ["", f"Host {host.name}", f"  HostName {host.machine.address or host.machine.name}"]
        lines += [f"  User {host.machine.user}"] if host.machine.user else []
        lines += [f"  Port {host.machine.port}"] if host.machine.port else []
        lines += [f"  IdentityFile {host.machine.identity}"] if host.machine.identity else []
    return "\n".join(
        [
            *lines,
            "",
            "# Your own settings hold for everything that is not said above.",
            "Host *",
            "  Include ~/.ssh/config",
            "",
        ]
    )


def _host(host: Host, ssh_config: str | None) -> list[str]:
    reach = f"ssh: {_scalar(host.ssh)}"
    if host.own_config and ssh_config is not None:
        reach += f", ssh_config: {_scalar(ssh_config)}"
    elif host.machine.config:
        reach += f", ssh_config: {_scalar(host.machine.config)}"
    return [
        f"  {_scalar(host.name)}:        # {_comment(host.note)}",
        f"    stage: {host.stage}",
        f"    roles: {_row(host.roles)}",
        f"    reach: {{{reach}}}",
    ]


def _flow(draft: Drafted, here: str) -> list[str]:
    carrier = next(iter(draft.groups), draft.hosts[0].name)
    stage = next(host.stage for host in draft.hosts if host.name in draft.groups.get(carrier, (carrier,)))
    return [
        "# A flow is traffic that a host promises to carry, from one vantage to another. Until there is one, a trial says that",
        "# a kernel boots and not that it works. Such as:",
        "# flows:",
        "#   out-tcp:",
        f"#     {{stage: {stage}, from: {here}, to: outside, address: 192.0.2.10, protocol: tcp, port: 7001, by: {_comment(_scalar(carrier))}}}",
    ]


def _checks(draft: Drafted) -> list[str]:
    lines = [
        "# What every host can say of itself. `seatrial import` adds what goss or a checklist of yours asks.",
        "checks:",
    ]
    roles = dict.fromkeys(host.roles[0] for host in draft.hosts)
    for number, role in enumerate(roles, 1):
        # A role's name may be as long as a name can be, and then it has no room for more.
        name = role if len(role) <= 40 else f"role-{number}"
        lines.append(f"  {_scalar(f'{name}-messages')}: {{kind: dmesg, each: {_scalar(role)}}}")
        lines.append(f"  {_scalar(f'{name}-units')}: {{kind: unit, failed: none, each: {_scalar(role)}}}")
    return lines


def _free(name: str, draft: Drafted) -> str:
    taken = {*(host.name for host in draft.hosts), *draft.groups}
    while name in taken:
        name = f"{name}-vantage"
    return name


def _row(words: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_scalar, words))}]"


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _OTHERWISE:
        return text
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    """On one line, whatever it was: a line break in a comment would begin a key."""
    shown = safe(text)
    return shown if len(shown) <= 300 else f"{shown[:299]}…"
