"""The sentences for having no answer, one for each way of it, the same for every transport. Pure.

What is in: Trouble, problem and hint from what a transport found. What is not: finding it.
"""

from __future__ import annotations

from seatrial.model.command import Trouble
from seatrial.vantage.bundle import Answer, Ending


def unreachable(where: str, why: str) -> Ending:
    """Nothing there speaks SSH to us."""
    return Ending(
        trouble=Trouble.UNREACHABLE,
        problem=f"{where} cannot be reached: {why}",
        hint="is it up, and are its address, port and the way there right?",
    )


def unknown_key(where: str, lookup: str, *, offered: str = "") -> Ending:
    """A host key that no known_hosts file has. `lookup` is how the host is written there."""
    return Ending(
        trouble=Trouble.HOST_KEY,
        problem=f"the host key of {where} is not known{f' ({offered})' if offered else ''}, and unknown keys are refused",
        hint=f"get it over a way you trust, or `{_keyscan(lookup)}`, compare the fingerprint at the host's console, "
        "then add the line to known_hosts",
    )


def changed_key(where: str, lookup: str, *, offered: str = "") -> Ending:
    """Another host key than the one that is known: a new installation, or somebody in between."""
    return Ending(
        trouble=Trouble.HOST_KEY,
        problem=f"the host key of {where} has CHANGED{f' ({offered})' if offered else ''}: "
        "it was installed anew, or somebody sits in between",
        hint=f"only if you know why: `ssh-keygen -R '{lookup}'`, then add the new key as for an unknown host",
    )


def revoked_key(where: str) -> Ending:
    """A key that known_hosts marks as revoked."""
    return Ending(
        trouble=Trouble.HOST_KEY,
        problem=f"the host key of {where} is marked as revoked",
        hint="do not go on; find out who uses a revoked key",
    )


def login_refused(where: str, user: str, *, notes: str = "") -> Ending:
    """The host is the right one, and does not let us in."""
    return Ending(
        trouble=Trouble.LOGIN,
        problem=f"{where} refuses the login of {user}" if user else f"{where} refuses the login",
        hint="is the public key in authorized_keys there, and the private one in the agent or an IdentityFile?"
        + (f" {notes}" if notes else ""),
    )


def lost(where: str, why: str = "") -> Ending:
    """The connection broke while commands were on their way; whether the running one was done is not known."""
    return Ending(
        trouble=Trouble.LOST,
        problem=f"the connection to {where} was lost{f': {why}' if why else ''}",
        hint="what was running there may or may not have been done: look before doing it again",
    )


def overdue(where: str, answer: Answer) -> Ending:
    """The far side did not keep a command's own limit: it hangs in the kernel, or the whole host does."""
    running = answer.commands[min(max(answer.answered, 0), len(answer.commands) - 1)]
    return Ending(
        trouble=Trouble.TIMEOUT,
        problem=f"`{running.argv[0]}` on {where} did not end within {running.timeout:g} s and could not be ended",
        hint="a process that hangs in the kernel (a dead NFS server, a dead disk) cannot be killed; later commands of "
        "the same bundle were not run",
    )


def nonsense(where: str) -> Ending:
    """The far side does not frame its answer as it was asked to."""
    return Ending(
        trouble=Trouble.BROKEN,
        problem=f"the answer of {where} makes no sense",
        hint="is /bin/sh there a POSIX shell?",
    )


def no_shell(where: str, said: str) -> Ending:
    """The login works and runs something else than what was asked."""
    return Ending(
        trouble=Trouble.BROKEN,
        problem=f"{where} runs no sh for us{f': {last_line(said)}' if said else ''}",
        hint="the login needs a shell; look at its entry in /etc/passwd and at ForceCommand",
    )


def cannot_start(where: str, program: str, why: str, package: str) -> Ending:
    """A program on this machine that the transport needs is not there."""
    return Ending(
        trouble=Trouble.NO_PROGRAM,
        problem=f"`{program}`, which leads to {where}, cannot be started here: {why}",
        hint=f"apt-get install {package}",
    )


def misconfigured(where: str, why: str) -> Ending:
    """The operator's SSH configuration cannot be used for this place."""
    return Ending(
        trouble=Trouble.BROKEN,
        problem=f"the SSH configuration for {where} cannot be used: {why}",
        hint="look at the ssh config; `transport: openssh` has what asyncssh lacks",
    )


def last_line(said: str) -> str:
    """The last line of what was said, which is where a program says why."""
    lines = said.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _keyscan(lookup: str) -> str:
    if lookup.startswith("[") and "]:" in lookup:
        host, port = lookup[1:].split("]:", 1)
        return f"ssh-keyscan -p {port} {host}"
    return f"ssh-keyscan {lookup}"
