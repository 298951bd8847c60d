"""Signatures by the real ssh-keygen: who signed is said, and whoever did not is not believed."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from seatrial.errors import CouldNotAct, InputError
from seatrial.perform.signatures import Signer, sign, verify

PURPOSE = "kernels@seatrial"


def key(folder: Path, name: str, *, passphrase: str = "") -> Path:
    made = folder / name
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(made)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return made


def allow(folder: Path, key: Path, options: str = "") -> Path:
    """A file of allowed signers in which the key is that of net-team."""
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    allowed = folder / "allowed"
    allowed.write_text(f"net-team {options} {public}\n")
    return allowed


def signed(text: str, by: Path, *, purpose: str = PURPOSE) -> str:
    return asyncio.run(sign(text, key=by, namespace=purpose))


def who(text: str, signature: str, allowed: Path) -> Signer:
    return asyncio.run(verify(text, signature, allowed=allowed, namespace=PURPOSE, name="f.json"))


def test_a_signature_says_who_made_it_with_which_key(tmp_path: Path) -> None:
    ours = key(tmp_path, "ours")
    signer = who("tëxt\n", signed("tëxt\n", ours), allow(tmp_path, ours))
    assert signer.name == "net-team"
    assert signer.key.startswith("SHA256:")


def refusal(text: str, signature: str, allowed: Path) -> InputError:
    with pytest.raises(InputError) as refused:
        who(text, signature, allowed)
    assert refused.value.hint
    return refused.value


def test_a_signer_who_is_not_allowed_is_refused(tmp_path: Path) -> None:
    ours, theirs = key(tmp_path, "ours"), key(tmp_path, "theirs")
    assert "is signed by nobody" in refusal("t", signed("t", theirs), allow(tmp_path, ours)).message


def test_a_text_that_was_changed_is_refused(tmp_path: Path) -> None:
    ours = key(tmp_path, "ours")
    assert "is not what net-team signed" in refusal("t2", signed("t", ours), allow(tmp_path, ours)).message


def test_a_signature_for_something_else_is_refused(tmp_path: Path) -> None:
    ours = key(tmp_path, "ours")
    other = signed("t", ours, purpose="git")
    assert "is not what net-team signed" in refusal("t", other, allow(tmp_path, ours)).message


def test_a_key_that_is_no_longer_valid_is_refused(tmp_path: Path) -> None:
    ours = key(tmp_path, "ours")
    past = allow(tmp_path, ours, 'valid-before="20200101"')
    assert "f.json: is" in refusal("t", signed("t", ours), past).message


@pytest.mark.parametrize("garbage", ["", "no signature", "-----BEGIN SSH SIGNATURE-----\nAAAA\n", "\0" * 100])
def test_what_is_no_signature_is_refused(tmp_path: Path, garbage: str) -> None:
    refusal("t", garbage, allow(tmp_path, key(tmp_path, "ours")))


def test_signers_and_keys_that_are_not_there_are_named(tmp_path: Path) -> None:
    ours = key(tmp_path, "ours")
    assert "allowed signers" in refusal("t", signed("t", ours), tmp_path / "none").message
    with pytest.raises(InputError) as refused:
        signed("t", tmp_path / "none")
    assert "there is no such key" in refused.value.message


def test_a_key_whose_passphrase_nobody_gives_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CouldNotAct) as failed:
        signed("t", key(tmp_path, "locked", passphrase="five words nobody will type"))
    assert "ssh-add" in failed.value.hint
