"""Certificates as real servers serve them: nginx, etcd and slapd with files that are renewed under their feet."""

from __future__ import annotations

import contextlib
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seatrial.model.check import Check
from seatrial.model.result import Outcome
from seatrial.onhost import question

from ...vantage.grounds import free_port
from .servers import Authority, ask, nginx, postgres, serving

PASS, FAIL, UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
NAME = "service.example.org"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def web(tmp_path: Path, authority: Authority) -> Iterator[dict[str, Any]]:
    """An nginx with one certificate for whoever says the name and another for whoever says none."""
    first, other = (authority.issue(tmp_path / f"{word}.pem") for word in ("first", "other"))
    port = free_port()

    def server(pem: Path, words: str) -> str:
        return (
            f"server {{ listen 127.0.0.1:{port} ssl {words}; ssl_certificate {pem}; "
            f"ssl_certificate_key {pem.with_suffix('.key')};"
        )

    body = f"{server(first, '')} server_name {NAME}; }}\n{server(other, 'default_server')} }}"
    with serving(nginx(tmp_path, body), tmp_path / "log", port):
        yield {
            "kind": "tls",
            "name": NAME,
            "address": "127.0.0.1",
            "port": port,
            "ca": str(authority.file),
            "first": first,
            "other": other,
        }


def of(web: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {key: value for key, value in web.items() if key not in ("first", "other")} | more


def test_a_certificate_that_is_in_order_passes_and_says_how_long_it_is_good(web: dict[str, Any]) -> None:
    result = ask(tls=of(web))["tls"]
    assert (result.outcome, result.because) == (
        PASS,
        f"{NAME} port {web['port']} serves CN={NAME}, good for 30 days",
    )
    (served,) = result.evidence["served"]
    assert served["issuer"] == "O=Example, CN=Test Authority"
    assert served["names"] == [NAME, "127.0.0.1"]


def test_each_thing_that_is_wrong_with_a_certificate_is_said(web: dict[str, Any]) -> None:
    stranger = {key: value for key, value in of(web).items() if key != "ca"}
    results = ask(
        stranger=stranger,
        name=of(web, name="other.example.org"),
        soon=of(web, expires="40d"),
        unchecked={**stranger, "verify": "no"},
        chain=of(web, name="other.example.org", verify="chain"),
        nowhere=of(web, ca="/nonexistent/ca.pem"),
    )
    where = f"port {web['port']} serves a certificate"
    assert {name: (result.outcome, result.because) for name, result in results.items()} == {
        "stranger": (FAIL, f"{NAME} {where} that does not verify: unable to get local issuer certificate"),
        "name": (FAIL, f"other.example.org {where} for {NAME}, 127.0.0.1, not for other.example.org"),
        "soon": (FAIL, f"{NAME} {where} that is good for 30 days only"),
        "unchecked": (PASS, f"{NAME} port {web['port']} serves CN={NAME}, good for 30 days"),
        "chain": (PASS, f"other.example.org port {web['port']} serves CN={NAME}, good for 30 days"),
        "nowhere": (UNKNOWN, "vm cannot read /nonexistent/ca.pem: No such file or directory"),
    }


def test_a_file_that_was_renewed_while_the_service_went_on_is_found(
    web: dict[str, Any], authority: Authority
) -> None:
    before = ask(tls=of(web, file=str(web["first"]), ways=("name",)))["tls"]
    authority.issue(web["first"], days=50)
    after = ask(tls=of(web, file=str(web["first"]), ways=("name",)))["tls"]
    assert (before.outcome, before.because) == (
        PASS,
        f"{NAME} port {web['port']} serves CN={NAME}, as {web['first']}, good for 30 days",
    )
    assert after.outcome is FAIL
    assert f", but {web['first']} holds CN={NAME} until " in after.because
    assert after.hint == "the service has not read the file again: reload or restart it"
    assert after.evidence["served"][0]["sha256"] == before.evidence["file"]["sha256"]
    assert after.evidence["file"]["days"] > 49


def test_the_way_in_which_another_certificate_is_served_is_named(web: dict[str, Any]) -> None:
    results = ask(first=of(web, file=str(web["first"])), other=of(web, file=str(web["other"])))
    assert [result.outcome for result in results.values()] == [FAIL, FAIL]
    assert "serves by address CN=" in results["first"].because
    assert "serves by name CN=" not in results["first"].because
    assert "serves by name CN=" in results["other"].because
    assert "serves by address CN=" not in results["other"].because


def test_etcd_takes_up_a_renewed_file_which_is_seen_by_name_and_by_address(
    tmp_path: Path, authority: Authority
) -> None:
    # The etcd of 2017 had to be restarted for it; the one that Debian has now reads the file at each handshake.
    pem = authority.issue(tmp_path / "etcd.pem")
    client, peer = free_port(), free_port()
    argv = [
        *("etcd", "--name", "one", "--data-dir", str(tmp_path / "data"), "--unsafe-no-fsync"),
        *("--listen-client-urls", f"https://127.0.0.1:{client}"),
        *("--advertise-client-urls", f"https://127.0.0.1:{client}"),
        *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
        *("--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"),
        *("--initial-cluster", f"one=http://127.0.0.1:{peer}"),
        *("--cert-file", str(pem), "--key-file", str(pem.with_suffix(".key"))),
    ]
    common = {"kind": "tls", "name": NAME, "address": "127.0.0.1", "port": client, "ca": str(authority.file)}
    kept = tmp_path / "kept.pem"
    kept.write_bytes(pem.read_bytes())
    with serving(argv, tmp_path / "log", client):
        before = ask(etcd={**common, "file": str(pem)})["etcd"]
        authority.issue(pem, days=50)
        after = ask(etcd={**common, "file": str(pem)}, kept={**common, "file": str(kept)})
    where = f"{NAME} port {client} serves CN={NAME} by name and by address, as {pem}, good for"
    assert (before.outcome, before.because) == (PASS, f"{where} 30 days")
    assert (after["etcd"].outcome, after["etcd"].because) == (PASS, f"{where} 50 days")
    assert after["kept"].outcome is FAIL
    assert "serves by name and by address CN=" in after["kept"].because


def test_a_database_is_asked_for_tls_in_its_own_protocol(tmp_path: Path, authority: Authority) -> None:
    pem = authority.issue(tmp_path / "db.pem")
    port = free_port()
    check = {"kind": "tls", "name": NAME, "address": "127.0.0.1", "port": port, "ca": str(authority.file)}
    with postgres(tmp_path, pem, port):
        results = ask(
            database={**check, "starttls": "postgres", "file": str(pem)},
            directory={**check, "starttls": "ldap"},
            silent={**check, "timeout": 5.0},
        )
    where = f"{NAME} port {port}"
    assert (results["database"].outcome, results["database"].because) == (
        PASS,
        f"{where} serves CN={NAME} by name and by address, as {pem}, good for 30 days",
    )
    assert results["directory"].because == f"{where} answers no TLS: the server does not take StartTLS"
    assert results["silent"].outcome is FAIL


def test_expired_and_self_signed_certificates_are_told_of_and_not_a_crash(tmp_path: Path) -> None:
    # An authority whose own certificate is asked for: self-signed.
    authority = Authority(tmp_path / "authority")
    pem = authority.file
    old = authority.issue(tmp_path / "old.pem", days=-1)
    signed, expired = free_port(), free_port()
    body = "".join(
        f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {file}; ssl_certificate_key {key}; }}\n"
        for port, file, key in (
            (signed, pem, pem.with_suffix(".key")),
            (expired, old, old.with_suffix(".key")),
        )
    )
    with serving(nginx(tmp_path, body), tmp_path / "log", signed, expired):
        common = {"kind": "tls", "name": NAME, "address": "127.0.0.1"}
        results = ask(
            signed={**common, "port": signed, "verify": "chain"},
            expired={**common, "port": expired, "ca": str(pem)},
            anyway={**common, "port": expired, "verify": "no"},
            address={"kind": "tls", "address": "127.0.0.1", "port": expired, "ca": str(pem)},
        )
    assert results["signed"].because == (
        f"{NAME} port {signed} serves a certificate that does not verify: self-signed certificate"
    )
    for name in ("expired", "anyway", "address"):
        assert results[name].outcome is FAIL
        assert f"port {expired} serves a certificate that expired at 2" in results[name].because
        assert ";" not in results[name].because


def test_what_is_no_tls_and_what_is_no_certificate_have_their_words(
    tmp_path: Path, web: dict[str, Any]
) -> None:
    (tmp_path / "text").write_text("no certificate")
    plain, nobody = free_port(), free_port()
    room = tmp_path / "plain"
    room.mkdir()
    with serving(nginx(room, f"server {{ listen 127.0.0.1:{plain}; }}"), tmp_path / "log", plain):
        results = ask(
            plain=of(web, port=plain),
            nobody=of(web, port=nobody, file=str(web["first"])),
            text=of(web, file=str(tmp_path / "text"), ways=("name",)),
            missing=of(web, file=str(tmp_path / "missing"), ways=("name",)),
        )
    assert results["plain"].because == f"{NAME} port {plain} answers no TLS: TLS: WRONG_VERSION_NUMBER"
    assert results["nobody"].because == f"{NAME} port {nobody} answers no TLS: Connection refused"
    in_order = f"{NAME} port {web['port']} serves a certificate that is in order, but vm cannot read"
    assert (results["text"].outcome, results["missing"].outcome) == (UNKNOWN, UNKNOWN)
    assert results["text"].because.startswith(f"{in_order} {tmp_path}/text: ")
    assert results["missing"].because == f"{in_order} {tmp_path}/missing: No such file or directory"
    assert results["missing"].hint == "is `file` right?"


@pytest.fixture(scope="module")
def der(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A certificate as it comes over the wire."""
    room = tmp_path_factory.mktemp("der")
    return ssl.PEM_cert_to_DER_cert(Authority(room).issue(room / "one.pem").read_text())


@given(data=st.data())
@settings(deadline=None)
def test_a_certificate_with_any_bytes_wrong_is_read_or_refused_and_never_a_crash(
    der: bytes, data: st.DataObject
) -> None:
    places = st.integers(0, len(der) - 1)
    wrong = bytearray(der)
    for at, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
        wrong[at] = byte
    # These are what the script tells of; anything else would end it without an answer.
    with contextlib.suppress(OSError, ValueError, IndexError, struct.error):
        question.certificate_of(bytes(wrong[: data.draw(st.integers(0, len(der)))]))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": None, "address": None}, "name"),
        ({"name": None, "ways": ("name",)}, "ways"),
        ({"with": "vm"}, "with"),
    ],
)
def test_a_declaration_that_cannot_be_asked_names_its_key(change: dict[str, Any], key: str) -> None:
    check = {"kind": "tls", "from": "vm", "name": NAME, "address": "192.0.2.1", **change}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Check).validate_python({name: value for name, value in check.items() if value})
    (error,) = caught.value.errors()
    assert error["ctx"]["key"] == key
