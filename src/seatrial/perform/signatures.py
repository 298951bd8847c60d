"""Signatures of files by OpenSSH's ssh-keygen, with the keys and the allowed_signers file that operators have.

What is not in: what is signed, and keys: a key that is in the agent, on a FIDO token or in a file stays there.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from seatrial.errors import CouldNotAct, InputError
from seatrial.vantage import process

_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed: `name` is the principal in the allowed signers, `key` the fingerprint of the key."""

    name: str
    key: str


async def sign(text: str, *, key: Path, namespace: str) -> str:
    """The armoured signature of a text by a key: a private one, or a public one whose other half is in the agent.

    Raises InputError when there is no such key, CouldNotAct when ssh-keygen cannot sign with it.
    """
    if not key.is_file():
        raise InputError(f"{key}: there is no such key", hint="name one of yours: --key ~/.ssh/id_ed25519")
    with tempfile.TemporaryDirectory(prefix="seatrial-") as folder:
        statement = Path(folder) / "statement"
        statement.write_text(text, encoding="utf-8")
        ended = await _ssh_keygen("-Y", "sign", "-q", "-n", namespace, "-f", str(key), str(statement))
        signature = statement.with_suffix(".sig")
        if ended.status != 0 or not signature.is_file():
            raise CouldNotAct(
                f"ssh-keygen did not sign with {key}: {_last(ended)}",
                hint="a key with a passphrase has to be in the agent: ssh-add",
            )
        return signature.read_text(encoding="ascii")


async def verify(text: str, signature: str, *, allowed: Path, namespace: str, name: str) -> Signer:
    """Who signed a text. Raises InputError when nobody who is allowed did, or when it is not what was signed.

    `name` is the file's, for the sentence.
    """
    if not allowed.is_file():
        raise InputError(
            f"{allowed}: there is no such file of allowed signers",
            hint='a line for each: NAME namespaces="'
            + namespace
            + '" ssh-ed25519 AAAA...; see ssh-keygen(1)',
        )
    with tempfile.TemporaryDirectory(prefix="seatrial-") as folder:
        kept = Path(folder) / "signature"
        kept.write_text(signature, encoding="utf-8")
        found = await _ssh_keygen("-Y", "find-principals", "-s", str(kept), "-f", str(allowed))
        principals = found.stdout.decode(errors="replace").split("\n")[0].strip()
        if found.status != 0 or not principals:
            raise InputError(
                f"{name}: is signed by nobody in {allowed}: {_last(found)}",
                hint="if you trust that team, put its public key there; if the key was to be valid until a day, it is over",
            )
        argv = ("-Y", "verify", "-f", str(allowed), "-I", principals, "-n", namespace, "-s", str(kept))
        checked = await _ssh_keygen(*argv, stdin=text.encode())
        if checked.status != 0:
            raise InputError(
                f"{name}: is not what {principals} signed: {_last(checked)}",
                hint="it was changed on its way: fetch it again",
            )
        words = checked.stdout.decode(errors="replace").split()
        return Signer(name=principals, key=words[-1] if words else "")


async def _ssh_keygen(*words: str, stdin: bytes = b"") -> process.Finished:
    try:
        return await process.run(["ssh-keygen", *words], stdin=stdin, timeout=_TIMEOUT)
    except (FileNotFoundError, PermissionError):
        raise CouldNotAct("ssh-keygen cannot be run here", hint="apt install openssh-client") from None


def _last(ended: process.Finished) -> str:
    said = (ended.stderr or ended.stdout).decode(errors="replace").strip().splitlines()
    return said[-1][:200] if said else "it gave no answer"
