"""Certificates as values: whose, from whom, until when, and whether one is signed by another. Public parts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from seatrial.drift.read.text import clean

if TYPE_CHECKING:
    from cryptography import x509 as found_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate; times are seconds since 1970. `is_ca` is whether it may sign others."""

    subject: str
    issuer: str
    names: frozenset[str]
    begins: float
    until: float
    is_ca: bool
    sha256: str
    pem: str

    @property
    def called(self) -> str:
        """A word for people, with enough of its print to tell it from one that was renewed."""
        subject = self.subject or min(self.names, default="a certificate of no name")
        return f"{subject} (sha256 {self.sha256[:12]})"


@lru_cache(maxsize=4096)
def read_certificate(pem: str) -> Certificate | None:
    """Read one PEM block; None when it is none."""
    # The library takes a tenth of a second to load, and most hosts are asked nothing that needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        return Certificate(
            subject=_name(found.subject),
            issuer=_name(found.issuer),
            names=_names(found),
            begins=found.not_valid_before_utc.timestamp(),
            until=found.not_valid_after_utc.timestamp(),
            is_ca=_is_ca(found),
            sha256=found.fingerprint(SHA256()).hex(),
            pem=pem,
        )
    except ValueError:
        return None


def _name(name: object) -> str:
    from cryptography.x509 import Name, NameOID

    assert isinstance(name, Name)
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return clean(str(common[0].value)) if common else clean(name.rfc4514_string())


def _names(found: found_in.Certificate) -> frozenset[str]:
    from cryptography import x509

    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()
    return frozenset(clean(str(one.value)) for one in list(names)[:50])


def _is_ca(found: found_in.Certificate) -> bool:
    from cryptography import x509

    try:
        return bool(found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, ValueError):
        # A certificate of the first version says nothing; one that signed itself is taken for one that signs.
        return found.subject == found.issuer


@lru_cache(maxsize=16384)
def signed_by(child: str, parent: str) -> bool:
    """Whether the key of the PEM block `parent` signed the block `child`."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        x509.load_pem_x509_certificate(child.encode()).verify_directly_issued_by(
            x509.load_pem_x509_certificate(parent.encode())
        )
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def trusts(anchors: Sequence[Certificate], chain: Sequence[Certificate]) -> bool:
    """Whether a chain, its own certificate first, ends in one of the anchors. Names and times are not looked at."""
    if not chain:
        return False
    here, seen = chain[0], set[str]()
    while here.sha256 not in seen:
        seen.add(here.sha256)
        if any(anchor.sha256 == here.sha256 or signed_by(here.pem, anchor.pem) for anchor in anchors):
            return True
        here = next(
            (
                one
                for one in chain
                if one.subject == here.issuer and one.sha256 not in seen and signed_by(here.pem, one.pem)
            ),
            here,
        )
    return False
