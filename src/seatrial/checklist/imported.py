"""A checklist to checks of a fleet file. What is in: each command as a check of its own. What is not: running any."""

from __future__ import annotations

import re
import shlex

from seatrial.checklist.definition import Checklist, Cmd, Test
from seatrial.checklist.rules import MOST_COMMAND, TooLong, expand
from seatrial.fleetfile.imported import Draft, Imported
from seatrial.fleetfile.mistake import Place

# What `check --checklist` allows a command.
TIMEOUT = "60s"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def from_checklist(
    checklist: Checklist, *, filename: str, vantage: str, stage: str | None = None
) -> Imported:
    """The checks that ask what the checklist asks."""
    draft = Draft(vantage=vantage, stage=stage, file=filename)
    top = Place(line=1, column=1)
    variables = dict(checklist.envvars)
    if variables:
        why = "filled in as the file has them; in the environment of the vantage they come first only for programs"
        draft.change(top, "envvars", why)
    if any(test.cmds for test in checklist.tests):
        why = "taken for ones that only look; give those that change something `writes: true`"
        draft.change(top, "commands", why)
    for test in checklist.tests:
        place = Place(line=test.line, column=1)
        if not test.cmds:
            draft.leave(place, test.name, "has no command, so it asks nothing")
        if len(test.cmds) > 1:
            draft.change(place, test.name, "its commands are asked one by one, also after one that fails")
        for number, cmd in enumerate(test.cmds, 1):
            _carry(draft, test, number, cmd, variables)
    return draft.done()


def _carry(draft: Draft, test: Test, number: int, cmd: Cmd, variables: dict[str, str]) -> None:
    place = Place(line=cmd.line, column=1)
    what = test.name if len(test.cmds) == 1 else f"{test.name} {number}"
    try:
        text = expand(cmd.text, variables, MOST_COMMAND)
    except TooLong:
        draft.leave(place, what, "with its variables filled in it is longer than Linux takes a command")
        return
    # Programs find them in their environment too, and there the vantage's own come first.
    set_ = "".join(
        f"{name}=${{{name}-{shlex.quote(value)}}}; export {name}\n"
        for name, value in variables.items()
        if NAME.fullmatch(name)
    )
    for stream in (cmd.stdout, cmd.stderr):
        if stream is not None and stream != stream.strip():
            draft.leave(place, what, "wants space around an output, which is never there once it is stripped")
            return
    # The return code of Python is -N after a signal, that of a shell 128 + N.
    status = None if cmd.retcode is None else 128 - cmd.retcode if cmd.retcode < 0 else cmd.retcode
    draft.add(
        place,
        what,
        "command",
        shell=set_ + text,
        status=status,
        stdout=None if cmd.stdout is None else {"equals": cmd.stdout},
        stderr=None if cmd.stderr is None else {"equals": cmd.stderr},
        timeout=TIMEOUT,
    )
