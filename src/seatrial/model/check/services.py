"""Checks of services that others rely on: certificates and directories. What is not in: the way there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema, model_validator

from seatrial.model.check.base import CheckBase
from seatrial.model.declared import Address, Name, Port, Text, Word, parse_duration, wrong

# Certificates are renewed weeks ahead, so their times are longer than those of anything else in a fleet file.
LongDuration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=0, le=3650 * 86400.0),
    WithJsonSchema({"type": ["string", "number"], "format": "duration such as 12h or 14d"}),
]
FilePath = Annotated[str, StringConstraints(pattern=r"^/\S{1,499}$")]


class TlsCheck(CheckBase):
    """The certificate that is served: trusted, for its name, not about to expire, and the one that the file holds.

    A service may serve two certificates: one to clients that say which name they want, another to those that come by
    address and say none. With `file` it is asked both ways where `name` and `address` are given; `ways` says otherwise.
    """

    kind: Literal["tls"]
    server_name: Word | None = Field(
        default=None,
        alias="name",
        description="the name that clients ask for and the certificate must be for",
    )
    address: Address | None = Field(
        default=None, description="where to connect; absent: where `name` leads according to the vantage"
    )
    port: Port = Field(default=443, description="the port that speaks TLS")
    ways: tuple[Literal["name", "address"], ...] = Field(
        default=(),
        max_length=2,
        description="how it is asked: by `name`, or by `address` as a client that says no name does;"
        " absent: both with `file`, else by `name` where there is one",
    )
    starttls: Literal["ldap", "postgres"] | None = Field(
        default=None, description="the protocol in which TLS is asked for first; absent: TLS from the start"
    )
    ca: FilePath | None = Field(
        default=None, description="a file on the vantage with whom to trust; absent: whom the vantage trusts"
    )
    verify: Literal["name", "chain", "no"] = Field(
        default="name",
        description="what must be in order: issuer, dates and name; issuer and dates; or only the dates",
    )
    expires: LongDuration = Field(
        default=0.0, description="how much longer the certificate must be good, such as 14d"
    )
    file: FilePath | None = Field(
        default=None, description="the certificate that must be the one that is served, PEM or DER"
    )
    file_vantage: Name | None = Field(
        default=None, alias="with", description="the vantage or host that has `file`; absent: `from`"
    )
    root: bool = Field(default=False, description="read `file` as root, by sudo -n where the login is not")

    @model_validator(mode="after")
    def _can_be_asked(self) -> TlsCheck:
        if self.server_name is None and self.address is None:
            raise wrong("name", "a name or an address to connect to is wanted")
        for way in self.ways:
            if (self.server_name if way == "name" else self.address) is None:
                raise wrong("ways", f"it cannot be asked by {way}: there is no {way} in this check")
        if self.file is None and self.file_vantage is not None:
            raise wrong("with", "goes with file only")
        return self

    @property
    def asked(self) -> tuple[Literal["name", "address"], ...]:
        """The ways it is asked, each once."""
        if self.ways:
            return tuple(dict.fromkeys(self.ways))
        if self.server_name and self.address and self.file:
            return ("name", "address")
        return ("name",) if self.server_name else ("address",)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then what it serves."""
        where = self.address or self.server_name or ""
        return (where, f"certificate at {where} port {self.port}")


class LdapCheck(CheckBase):
    """A search in an LDAP directory finds what it must.

    A password is read on the vantage from a file that only its login may read; it is in no command line and in no
    answer.
    """

    kind: Literal["ldap"]
    url: Annotated[
        str, StringConstraints(pattern=r"^(ldaps?://[^\s/?#]{1,250}|ldapi://[^\s?#]{0,250})/?$")
    ] = Field(description="ldap://HOST[:PORT], ldaps://HOST[:PORT] or ldapi:// for the socket on the vantage")
    base: Text = Field(description="the entry where the search begins, such as dc=example,dc=org")
    scope: Literal["base", "one", "sub"] = Field(
        default="sub", description="the entry itself, those right below it, or all"
    )
    filter: Annotated[str, StringConstraints(pattern=r"^\([^\x00-\x1f]{1,498}\)$")] = Field(
        default="(objectClass=*)", description="which entries, in parentheses"
    )
    starttls: bool = Field(default=False, description="ask for TLS first and go on only with it")
    ca: FilePath | None = Field(
        default=None, description="a file on the vantage with whom to trust; absent: whom its ldap.conf says"
    )
    bind: Literal["anonymous", "external", "password"] = Field(
        default="anonymous",
        description="as whom: nobody; the login on the vantage over ldapi:// or its TLS certificate (SASL EXTERNAL);"
        " or `dn` with a password",
    )
    dn: Text | None = Field(default=None, description="as whom to search with `bind: password`")
    password_file: FilePath | None = Field(
        default=None, description="a file on the vantage with the password and no newline"
    )
    least: int = Field(default=1, ge=1, le=10000, description="entries that must be found")
    attribute: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9;.-]{0,99}$")] | None = Field(
        default=None, description="an attribute that an entry must have"
    )
    value: Text | None = Field(default=None, description="a value that `attribute` must have in an entry")

    @model_validator(mode="after")
    def _whole(self) -> LdapCheck:
        if (self.bind == "password") != (self.dn is not None):
            raise wrong("dn", "goes with bind: password, which needs it")
        if (self.bind == "password") != (self.password_file is not None):
            raise wrong("password_file", "goes with bind: password, which needs it")
        if self.starttls and not self.url.startswith("ldap://"):
            raise wrong("starttls", "goes with ldap:// only")
        if self.value is not None and self.attribute is None:
            raise wrong("value", "goes with attribute only")
        if "password" in (self.attribute or "").lower():
            raise wrong(
                "attribute", "what it holds would be shown; ask whether the entry can be bound to instead"
            )
        return self

    @property
    def subjects(self) -> tuple[str, ...]:
        """The machine, then its directory."""
        place = self.url.partition("://")[2].strip("/")
        host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
        at = host or self.source_vantage
        return (at, f"ldap at {at}")


ServiceCheck = TlsCheck | LdapCheck
