"""Is the certificate that is served in order, and the one that the file holds, by name and by address?

The case of 2017: the file was renewed, the service went on with the old one, and its clients refused it. What is not
in: revocation, and what is spoken over TLS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from seatrial.checks.asked import made, question, unknown
from seatrial.checks.reading import Said, Words, understood, why_not
from seatrial.model.check.services import TlsCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

DAY = 86400.0


class Certificate(Said):
    """What question.py says of a certificate; `left` is in seconds, by the clock of the vantage."""

    subject: Words = ""
    issuer: Words = ""
    begins: Words = ""
    until: Words
    left: float = Field(ge=-1e13, le=1e13)
    names: list[Words] = Field(default_factory=list, max_length=50)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Served(Said):
    """One way of asking: an error, or a certificate and what was thought of it."""

    way: Literal["name", "address"]
    error: Words = ""
    unreadable: bool = False
    trusted: bool = False
    named: bool | None = None
    why: Words = ""
    version: Words = ""
    peer: Words = ""
    certificate: Certificate | None = None


class Heard(Said):
    """The answer to the verb tls."""

    served: list[dict[str, Any]] = Field(min_length=1, max_length=2)
    seconds: float = 0.0


class Held(Said):
    """The answer to the verb certificate."""

    held: Certificate | None = None
    error: Words = ""


def places(check: TlsCheck) -> tuple[str, ...]:
    """The file is read where it is."""
    return (check.source_vantage, *([check.file_vantage or check.source_vantage] if check.file else []))


def commands(check: TlsCheck) -> tuple[Command, ...]:
    """One to three handshakes for each way, and the file."""
    names = {"name": check.server_name, "address": check.address}
    spec = {
        "address": check.address or check.server_name,
        "port": check.port,
        "ways": [[way, names[way]] for way in check.asked],
        "ca": check.ca,
        "starttls": check.starttls,
    }
    served = question("tls.served", "tls", check, spec)
    if check.file is None:
        return (served,)
    held = question("tls.file", "certificate", check, {"file": check.file})
    return (served, replace(held, root=check.root))


def judge(name: str, check: TlsCheck, outputs: Sequence[Output]) -> Result:
    """PASS when it verifies, is good for long enough, and is the one in the file in every way it is asked for."""
    output = outputs[0] if outputs else None
    if why := why_not(output, check.source_vantage):
        return unknown(name, check, why)
    assert output is not None
    heard = _heard(output, check)
    if isinstance(heard, str):
        return unknown(name, check, (heard, ""))
    served, seconds = heard
    for one in served:
        if one.unreadable:
            return unknown(name, check, (f"{check.source_vantage} cannot read {one.error}", "is `ca` right?"))
    held = _held(check, outputs[1] if len(outputs) > 1 else None)
    evidence: dict[str, Any] = {"served": [_shown(one) for one in served]}
    if isinstance(held, Certificate):
        evidence["file"] = _facts(held)
    wrong = [*_silent(check, served), *_differing(check, served, held), *_unfit(check, served)]
    hint = ""
    if wrong:
        if _differing(check, served, held):
            hint = "the service has not read the file again: reload or restart it"
        because = f"{_where(check)} {'; '.join(wrong)}"
        return made(name, check, Outcome.FAIL, because, hint=hint, seconds=seconds, evidence=evidence)
    if isinstance(held, tuple):
        because = f"{_where(check)} serves a certificate that is in order, but {held[0]}"
        return made(name, check, Outcome.UNKNOWN, because, hint=held[1], seconds=seconds, evidence=evidence)
    certificate = served[0].certificate
    assert certificate is not None
    same = f", as {check.file}" if held else ""
    because = f"{_where(check)} serves {_called(certificate)}{_by(served)}{same}, {_good(certificate)}"
    return made(name, check, Outcome.PASS, because, seconds=seconds, evidence=evidence)


def _heard(output: Output, check: TlsCheck) -> tuple[list[Served], float] | str:
    """One answer for each way that was asked, or a sentence."""
    heard = understood(Heard, output, check.source_vantage)
    if isinstance(heard, str):
        return heard
    try:
        served = [
            Served.model_validate({**one, "certificate": None if one.get("error") else one})
            for one in heard.served
        ]
    except ValueError:
        return f"{check.source_vantage} answered {output.command.name} in a way that is not understood"
    if tuple(one.way for one in served) != check.asked:
        return f"{check.source_vantage} did not ask in every way that is wanted"
    return served, heard.seconds


def _held(check: TlsCheck, output: Output | None) -> Certificate | tuple[str, str] | None:
    """What the file holds; why that is not known; None when there is no file to compare with."""
    if check.file is None:
        return None
    place = check.file_vantage or check.source_vantage
    if why := why_not(output, place):
        return why
    assert output is not None
    said = understood(Held, output, place)
    if isinstance(said, str):
        return said, ""
    if said.held is None:
        hint = "`root: true` reads it as root" if "ermission" in said.error else "is `file` right?"
        return f"{place} cannot read {check.file}: {said.error or 'no reason given'}", hint
    return said.held


def _silent(check: TlsCheck, served: Sequence[Served]) -> list[str]:
    errors = {one.error or "no reason given" for one in served if one.certificate is None}
    # Both ways fail alike when nothing listens, which is to be said once.
    if len(errors) == 1 and all(one.certificate is None for one in served):
        return [f"answers no TLS: {errors.pop()}"]
    return [
        f"answers no TLS by {one.way}: {one.error or 'no reason given'}"
        for one in served
        if one.certificate is None
    ]


def _differing(
    check: TlsCheck, served: Sequence[Served], held: Certificate | tuple[str, str] | None
) -> list[str]:
    if not isinstance(held, Certificate):
        return []
    place = f" on {check.file_vantage}" if check.file_vantage not in (None, check.source_vantage) else ""
    others: dict[str, tuple[Certificate, list[str]]] = {}
    for one in served:
        if one.certificate is not None and one.certificate.sha256 != held.sha256:
            others.setdefault(one.certificate.sha256, (one.certificate, []))[1].append(f"by {one.way}")
    return [
        f"serves {' and '.join(ways)} {_printed(other)}, but {check.file}{place} holds {_printed(held)}"
        for other, ways in others.values()
    ]


def _unfit(check: TlsCheck, served: Sequence[Served]) -> list[str]:
    """What is wrong with what is served, each thing once with the ways in which it shows."""
    found: dict[str, list[str]] = {}
    for one in served:
        if one.certificate is not None:
            for what in _faults(check, one, one.certificate):
                found.setdefault(what, []).append(one.way)
    whole = len(served) == 1
    return [
        what if whole or len(ways) == len(served) else f"{what} (by {ways[0]})"
        for what, ways in found.items()
    ]


def _faults(check: TlsCheck, one: Served, certificate: Certificate) -> list[str]:
    faults = []
    expired = certificate.left <= 0
    if expired:
        faults.append(f"serves a certificate that expired at {certificate.until}")
    elif certificate.left < check.expires:
        faults.append(f"serves a certificate that is good for {_days(certificate.left)} only")
    # OpenSSL's words for the same thing would say it twice.
    if check.verify != "no" and not one.trusted and not (expired and "expired" in one.why):
        faults.append(f"serves a certificate that does not verify: {one.why or 'no reason given'}")
    # Whoever gave a name asks by address to see which certificate comes, which is for the name.
    if check.verify == "name" and one.named is False and (one.way == "name" or check.server_name is None):
        wanted = check.server_name or check.address
        names = ", ".join(certificate.names[:5]) or certificate.subject or "nobody"
        faults.append(f"serves a certificate for {names}, not for {wanted}")
    return faults


def _where(check: TlsCheck) -> str:
    return f"{check.server_name or check.address} port {check.port}"


def _called(certificate: Certificate) -> str:
    return certificate.subject or (certificate.names[0] if certificate.names else "a certificate of no name")


def _printed(certificate: Certificate) -> str:
    """One certificate as different from another of the same name and the same dates."""
    return f"{_called(certificate)} until {certificate.until} (sha256 {certificate.sha256[:12]})"


def _by(served: Sequence[Served]) -> str:
    return " by name and by address" if len(served) > 1 else ""


def _days(seconds: float) -> str:
    return f"{seconds / DAY:.0f} days" if seconds >= 2 * DAY else f"{seconds / 3600:.0f} hours"


def _good(certificate: Certificate) -> str:
    return f"good for {_days(certificate.left)}"


def _facts(certificate: Certificate) -> dict[str, Any]:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "begins": certificate.begins,
        "until": certificate.until,
        "days": round(certificate.left / DAY, 2),
        "names": certificate.names[:20],
        "sha256": certificate.sha256,
    }


def _shown(one: Served) -> dict[str, Any]:
    if one.certificate is None:
        return {"way": one.way, "error": one.error}
    return {
        "way": one.way,
        "peer": one.peer,
        "version": one.version,
        "trusted": one.trusted,
        "named": one.named,
        "why": one.why,
        **_facts(one.certificate),
    }
