"""Certificates for tests: an authority and what it signs, made here and now, and thrown away with the test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def make(
    name: str,
    *,
    by: Made | None = None,
    ca: bool = False,
    days: float = 30.0,
    addresses: tuple[str, ...] = (),
    common: bool = True,
) -> Made:
    """A certificate for `name` and for `addresses`, signed by `by` or by itself; `days` may be negative.

    Without `common` it has no common name, and `name` stands among the alternative ones only.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if common else [])
    now = datetime.now(UTC)
    begins = now - timedelta(days=400)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), *(x509.IPAddress(ip_address(one)) for one in addresses)]
            ),
            critical=False,
        )
        .sign(by.private if by else private, hashes.SHA256())
    )
    return Made(certificate=built, private=private)
