"""The few errors that people see; each has a hint, and its class says which exit code it means.

    SeatrialError
    ├── InputError      2    what was given is wrong; nothing was looked at or changed
    ├── NotKnown        3    could not find out
    ├── Refused         4    could have acted and would not; nothing was changed
    ├── CouldNotAct     4    tried to act and it did not work
    │   └── LabError    4    the rig broke, which says nothing about any kernel
    └── Interrupted     130  a person stopped it

A wrong platform (exit 1) is not an error: it is a Result or a Verdict.
"""

from __future__ import annotations


class SeatrialError(Exception):
    """What went wrong, in one sentence, and in `hint` what to do next."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class InputError(SeatrialError):
    """The input is wrong: a file, an argument, a name. Nothing was looked at or changed."""

    exit_code = 2


class NotKnown(SeatrialError):
    """Seatrial could not find out, and does not guess."""

    exit_code = 3


class Refused(SeatrialError):
    """Seatrial could have acted and would not, because there is no safe way. Nothing was changed."""


class CouldNotAct(SeatrialError):
    """An act was tried and did not work; the message says how far it came."""


class LabError(CouldNotAct):
    """The lab itself broke (QEMU, a namespace, the image): no kernel is to blame."""


class Interrupted(SeatrialError):
    """A person stopped the program; the hint says how to go on."""

    exit_code = 130
