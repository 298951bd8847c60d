"""Does a search in an LDAP directory find what it must? ldapsearch is asked, as the platform's own logins do.

What is not in: writing, and referrals, which are not followed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from seatrial.checks.asked import made, unknown
from seatrial.checks.reading import clean, why_not
from seatrial.model.check.services import LdapCheck
from seatrial.model.command import Command, Output
from seatrial.model.result import Outcome, Result

TOO_SLOW = 124  # what timeout(1) ends with when the time is up
TOO_MANY = 4  # LDAP's sizeLimitExceeded: as many came as were asked for
OF_LDAP = re.compile(r"\(-?\d{1,5}\)$")
OF_THE_VANTAGE = (
    "Could not create LDAP session",
    "ldap_sasl_interactive_bind: Unknown authentication method",
)


def commands(check: LdapCheck) -> tuple[Command, ...]:
    """One search, ended by timeout(1): ldapsearch itself waits for ever for a server that only accepts."""
    seconds = max(round(check.timeout), 1)
    login: tuple[str, ...] = ("-x",)
    if check.bind == "external":
        login = ("-Q", "-Y", "EXTERNAL")
    elif check.dn is not None and check.password_file is not None:
        login = ("-x", "-D", check.dn, "-y", check.password_file)
    argv = (
        *("timeout", "-k", "2", str(seconds), "ldapsearch", "-LLL", "-o", "ldif-wrap=no"),
        *("-o", f"nettimeout={seconds}", "-H", check.url, *login),
        *(("-ZZ",) if check.starttls else ()),
        *(("-o", f"TLS_CACERT={check.ca}") if check.ca else ()),
        # Where a value is wanted any entry may have it, so that not only the first ones are looked at.
        *("-z", str(max(check.least, 1000) if check.attribute else check.least)),
        *("-l", str(seconds), "-s", check.scope, "-b", check.base, check.filter, check.attribute or "1.1"),
    )
    return (Command(name="ldap.search", argv=argv, timeout=check.timeout + 5.0, package="ldap-utils"),)


def judge(name: str, check: LdapCheck, outputs: Sequence[Output]) -> Result:
    """PASS when at least as many entries are found as are wanted, and one has the attribute with its value."""
    output = outputs[0] if outputs else None
    if output is None or not output.answered or output.truncated or output.status == 127:
        return unknown(name, check, why_not(output, check.source_vantage) or ("ldapsearch was not run", ""))
    asked = f"{check.url}: {check.filter} under {check.base}"
    said = _complaint(output.stderr)
    evidence: dict[str, Any] = {"status": output.status, "said": said}
    if output.status == TOO_SLOW:
        because = f"{asked}: no answer in {max(round(check.timeout), 1)} s"
        return made(name, check, Outcome.FAIL, because, seconds=output.seconds, evidence=evidence)
    if output.status not in (0, TOO_MANY):
        if not _of_the_server(output):
            return unknown(name, check, (f"{check.source_vantage} could not ask: {said}", _what_to_do(said)))
        because = f"{asked}: {said or f'status {output.status}'}"
        return made(name, check, Outcome.FAIL, because, seconds=output.seconds, evidence=evidence)
    lines = output.stdout.splitlines()
    if any(line and not line.startswith((" ", "#")) and ":" not in line for line in lines):
        why = f"{check.source_vantage} answered {output.command.name} in a way that is not understood"
        return unknown(name, check, (why, ""))
    entries = sum(line.startswith("dn:") for line in lines)
    evidence["entries"] = entries
    outcome, because = Outcome.PASS, f"{asked}: {entries} {'entry' if entries == 1 else 'entries'}"
    if entries < check.least:
        outcome, because = Outcome.FAIL, f"{because}, not {check.least}"
    elif check.attribute is not None:
        values = _values(check.attribute, lines)
        evidence["values"] = [clean(value) for value in values[:20]]
        if not values:
            outcome, because = Outcome.FAIL, f"{because}, none with {check.attribute}"
        elif check.value is not None and check.value not in values:
            shown = ", ".join(clean(value, 80) for value in values[:3])
            outcome, because = Outcome.FAIL, f"{because}, {check.attribute} is {shown}, not {check.value}"
    return made(name, check, outcome, because, seconds=output.seconds, evidence=evidence)


def _lines(stderr: str) -> list[str]:
    """What is said, without the warning that others may read the password's file."""
    lines = [line.strip() for line in stderr.splitlines()]
    return [line for line in lines if line and not line.startswith("Warning:")]


def _complaint(stderr: str) -> str:
    """The first line, which names the failure; `additional info` of a TLS failure says why."""
    lines = _lines(stderr)
    more = next((line for line in lines[1:] if line.startswith("additional info:")), "")
    why = more.removeprefix("additional info:").strip(" ()")
    return clean(" ".join([*lines[:1], *([f"({why})"] if why and why != "unknown error code" else [])]))


def _of_the_server(output: Output) -> bool:
    """Whether the server is at fault: then the line ends with the name of a result and its number."""
    first = next(iter(_lines(output.stderr)), "")
    return OF_LDAP.search(first) is not None and not first.startswith(OF_THE_VANTAGE)


def _what_to_do(said: str) -> str:
    if "ermission denied" in said or "No such file" in said:
        return "can the login of the vantage read the file?"
    return ""


def _values(attribute: str, lines: Sequence[str]) -> list[str]:
    """Values of an attribute in LDIF; `::` marks base64, and options such as ;lang-en are part of the name."""
    found = []
    for line in lines:
        key, colon, rest = line.partition(":")
        if not colon or key.partition(";")[0].lower() != attribute.partition(";")[0].lower():
            continue
        if rest.startswith(":"):
            try:
                rest = base64.b64decode(rest[1:].strip(), validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                continue
        found.append(rest.strip())
    return found
