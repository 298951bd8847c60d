"""Searches in a real slapd: as nobody, with a password, over StartTLS, and when it does not answer."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from seatrial.model.check import Check
from seatrial.model.result import Outcome

from ...vantage.grounds import free_port, program
from .servers import PATIENCE, Authority, ask, serving

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {room}/slapd.pid
TLSCertificateFile {pem}
TLSCertificateKeyFile {key}
database mdb
maxsize 10485760
suffix dc=example,dc=org
rootdn cn=admin,dc=example,dc=org
rootpw sea
directory {room}/data
access to dn.subtree="ou=secret,dc=example,dc=org" by users read by * none
access to * by * read
"""

ENTRIES = """
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: M\u00fcller

dn: uid=bert,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bert
cn: Bert
sn: Smith

dn: ou=secret,dc=example,dc=org
objectClass: organizationalUnit
ou: secret
"""


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A directory of five entries, one of which nobody sees without a login."""
    authority = Authority(tmp_path / "authority")
    pem = authority.issue(tmp_path / "slapd.pem", "localhost", names="DNS:localhost,IP:127.0.0.1")
    (tmp_path / "data").mkdir()
    config, password = tmp_path / "slapd.conf", tmp_path / "password"
    config.write_text(CONFIG.format(room=tmp_path, pem=pem, key=pem.with_suffix(".key")))
    password.write_text("sea")
    (tmp_path / "entries").write_text(ENTRIES)
    subprocess.run(
        [program("slapadd"), "-f", str(config), "-l", str(tmp_path / "entries")],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    port = free_port()
    socket = str(tmp_path / "ldapi").replace("/", "%2f")
    argv = ["slapd", "-d", "0", "-f", str(config), "-h", f"ldap://127.0.0.1:{port} ldapi://{socket}"]
    with serving(argv, tmp_path / "log", port) as process:
        yield {
            "check": {
                "kind": "ldap",
                "url": f"ldap://127.0.0.1:{port}",
                "base": "dc=example,dc=org",
            },
            "ca": str(authority.file),
            "password": str(password),
            "socket": f"ldapi://{socket}",
            "process": process,
        }


def test_entries_are_counted_and_values_compared(slapd: dict[str, Any]) -> None:
    check = slapd["check"]
    results = ask(
        some=check,
        people={**check, "base": "ou=people,dc=example,dc=org", "scope": "one", "least": 2},
        more={**check, "base": "ou=people,dc=example,dc=org", "scope": "one", "least": 3},
        name={**check, "filter": "(uid=anna)", "attribute": "sn", "value": "M\u00fcller"},
        other={**check, "filter": "(uid=bert)", "attribute": "sn", "value": "M\u00fcller"},
        none={**check, "filter": "(uid=bert)", "attribute": "mail"},
        nowhere={**check, "base": "dc=example,dc=net"},
        hidden={**check, "base": "ou=secret,dc=example,dc=org"},
    )
    url = check["url"]
    said = {
        name: (result.outcome, result.because.removeprefix(f"{url}: ")) for name, result in results.items()
    }
    whole = "(objectClass=*) under"
    assert said == {
        "some": (PASS, f"{whole} dc=example,dc=org: 1 entry"),
        "people": (PASS, f"{whole} ou=people,dc=example,dc=org: 2 entries"),
        "more": (FAIL, f"{whole} ou=people,dc=example,dc=org: 2 entries, not 3"),
        "name": (PASS, "(uid=anna) under dc=example,dc=org: 1 entry"),
        "other": (FAIL, "(uid=bert) under dc=example,dc=org: 1 entry, sn is Smith, not M\u00fcller"),
        "none": (FAIL, "(uid=bert) under dc=example,dc=org: 1 entry, none with mail"),
        "nowhere": (FAIL, f"{whole} dc=example,dc=net: No such object (32)"),
        "hidden": (FAIL, f"{whole} ou=secret,dc=example,dc=org: No such object (32)"),
    }


def test_a_password_is_read_from_its_file_and_shown_nowhere(slapd: dict[str, Any], tmp_path: Path) -> None:
    check = {
        **slapd["check"],
        "base": "ou=secret,dc=example,dc=org",
        "bind": "password",
        "dn": "cn=admin,dc=example,dc=org",
        "password_file": slapd["password"],
    }
    (tmp_path / "wrong").write_text("hunter2")
    results = ask(
        right=check,
        wrong={**check, "password_file": str(tmp_path / "wrong")},
        missing={**check, "password_file": str(tmp_path / "missing")},
    )
    assert results["right"].outcome is PASS
    assert (results["wrong"].outcome, results["missing"].outcome) == (FAIL, UNKNOWN)
    assert results["wrong"].because.endswith("ldap_bind: Invalid credentials (49)")
    assert results["missing"].hint == "can the login of the vantage read the file?"
    assert "hunter2" not in repr(results["wrong"])


def test_starttls_needs_a_certificate_that_is_trusted(slapd: dict[str, Any]) -> None:
    check = {**slapd["check"], "starttls": True}
    port = int(check["url"].rpartition(":")[2])
    tls = {"kind": "tls", "address": "127.0.0.1", "port": port, "starttls": "ldap", "ca": slapd["ca"]}
    results = ask(trusted={**check, "ca": slapd["ca"]}, stranger=check, tls=tls)
    assert results["trusted"].outcome is PASS
    assert results["stranger"].outcome is FAIL
    assert "ldap_start_tls" in results["stranger"].because
    assert (results["tls"].outcome, results["tls"].because) == (
        PASS,
        f"127.0.0.1 port {port} serves CN=localhost, good for 30 days",
    )


def test_the_login_of_the_vantage_is_who_asks_over_the_socket(slapd: dict[str, Any]) -> None:
    check = {**slapd["check"], "url": slapd["socket"], "bind": "external"}
    results = ask(secret={**check, "base": "ou=secret,dc=example,dc=org"})
    assert results["secret"].outcome is PASS, results


def test_a_server_that_accepts_and_does_not_answer_fails_in_time(slapd: dict[str, Any]) -> None:
    slapd["process"].send_signal(signal.SIGSTOP)
    result = ask(ldap={**slapd["check"], "timeout": 2.0})["ldap"]
    slapd["process"].send_signal(signal.SIGCONT)
    assert result.outcome is FAIL
    assert result.because.endswith("no answer in 2 s")


def test_a_server_that_is_not_there_fails() -> None:
    check = {"kind": "ldap", "url": f"ldap://127.0.0.1:{free_port()}", "base": "dc=example,dc=org"}
    result = ask(ldap=check)["ldap"]
    assert result.outcome is FAIL
    assert "Can't contact LDAP server (-1)" in result.because


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"dn": "cn=admin"}, "dn"),
        ({"bind": "password", "dn": "cn=admin"}, "password_file"),
        ({"url": "ldaps://ldap.example.org", "starttls": True}, "starttls"),
        ({"value": "anna"}, "value"),
        ({"attribute": "userPassword"}, "attribute"),
    ],
)
def test_a_declaration_that_cannot_be_asked_names_its_key(change: dict[str, Any], key: str) -> None:
    check = {"kind": "ldap", "from": "vm", "url": "ldap://ldap.example.org", "base": "dc=example", **change}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Check).validate_python(check)
    (error,) = caught.value.errors()
    assert error["ctx"]["key"] == key
