"""The case of 2017 in its parts: what is on disk, what is served, what a client trusts, in both directions."""

from __future__ import annotations

import pytest

from seatrial.drift.audit import across, audit
from seatrial.drift.certificate import read_certificate
from seatrial.drift.facts import Facts
from seatrial.model.finding import Finding, Severity
from tests.drift.made import Made, make
from tests.drift.said import BOOTED, captured, facts, section
from tests.drift.test_findings import unit

OLD_CA, NEW_CA = make("old authority", ca=True), make("new authority", ca=True)
OLD, NEW = make("etcd.example.test", by=OLD_CA), make("etcd.example.test", by=NEW_CA)
EARLY, LATE = BOOTED - 1000, BOOTED + 5000


def lines(*some: Made) -> str:
    return "\n".join(f"L {line}" for one in some for line in one.pem.splitlines())


def host(
    *,
    disk: Made,
    served: Made | None,
    written: float = EARLY,
    ca: Made | None = None,
    ca_written: float = EARLY,
    client_ca: Made | None = None,
    client: Made | None = None,
    own_client: Made | None = None,
    own_client_written: float = EARLY,
) -> Facts:
    """A host with etcd on 2379 and a client of it. `disk` is in etcd's file, `served` on the wire."""
    said = captured("guest.facts")
    both = unit("etcd.service", MainPID="900") + "\n" + unit("api.service", MainPID="901")
    said = section(said, "units", both, more=True)
    said = section(said, "processes", "900 1 1000 etcd\n901 1 1000 api", more=True)
    said = section(said, "groups", "900 /system.slice/etcd.service\n901 /system.slice/api.service", more=True)
    named = ["900 /pki/server.crt"]
    files = f"F {written:.0f} 0 /pki/server.crt\n{lines(disk)}"
    if ca is not None:
        named.append("900 /pki/ca.crt")
        files += f"\nF {ca_written:.0f} 0 /pki/ca.crt\n{lines(ca)}"
    if own_client is not None:
        named.append("900 /pki/client.crt")
        files += f"\nF {own_client_written:.0f} 0 /pki/client.crt\n{lines(own_client)}"
    if client_ca is not None:
        named += ["901 /api/etcd-ca.crt", "901 https://127.0.0.1:2379"]
        files += f"\nF {EARLY} 0 /api/etcd-ca.crt\n{lines(client_ca)}"
    if client is not None:
        named.append("901 /api/client.crt")
        files += f"\nF {EARLY} 0 /api/client.crt\n{lines(client)}"
    said = section(said, "named", "\n".join(named))
    said = section(said, "files", files)
    said = section(said, "listeners", "127.0.0.1:2379 900")
    if served is not None:
        said = section(
            said,
            "served",
            f"S 127.0.0.1:2379 address\n{lines(served)}\nS 127.0.0.1:2379 name\n{lines(served)}",
        )
    return facts(drift=said)


def told(one: Facts) -> dict[str, Finding]:
    every = {"gw-s1": one}
    audits = across({"gw-s1": audit("gw-s1", one)}, every, {})
    return {each.name: each for each in audits["gw-s1"].findings if each.name.startswith("restart.")}


def test_a_renewed_certificate_that_is_served_already_is_no_finding() -> None:
    assert told(host(disk=NEW, served=NEW, written=LATE)) == {}


def test_what_is_served_is_not_what_is_on_disk() -> None:
    found = told(host(disk=NEW, served=OLD, written=LATE))
    assert set(found) == {"restart.served"}
    one = found["restart.served"]
    assert one.severity is Severity.DANGER and one.fix == "systemctl restart etcd.service"
    assert "127.0.0.1:2379 by address and 127.0.0.1:2379 by name" in one.because
    assert "/pki/server.crt holds etcd.example.test" in one.because


def test_a_certificate_that_is_newer_than_its_process_and_cannot_be_asked_for_is_a_warning() -> None:
    found = told(host(disk=NEW, served=None, written=LATE))
    assert set(found) == {"restart.certificate"}
    assert found["restart.certificate"].severity is Severity.WARNING


def test_what_is_called_as_a_running_service_is_not_that_of_another_one_of_the_same_program() -> None:
    """etcd's own proxy is etcd as well, and has its certificates elsewhere."""
    said = captured("guest.facts")
    both = unit("etcd.service", MainPID="900") + "\n" + unit("etcd-proxy.service", MainPID="901")
    said = section(said, "units", both, more=True)
    said = section(said, "processes", "900 1 1000 etcd\n901 1 1000 etcd", more=True)
    said = section(
        said, "groups", "900 /system.slice/etcd.service\n901 /system.slice/etcd-proxy.service", more=True
    )
    said = section(said, "programs", "900 /usr/bin/etcd\n901 /usr/bin/etcd", more=True)
    said = section(said, "configured", "/etc/default/etcd /etc/etcd/ca.pem")
    said = section(said, "changed", f"{LATE:.0f}.0 0 /etc/default/etcd")
    said = section(said, "files", f"F {LATE:.0f} 0 /etc/etcd/ca.pem\n{lines(NEW_CA)}")
    found = [(one.name, one.what) for one in audit("gw-s1", facts(drift=said)).findings]
    assert [one for one in found if one[0].startswith("restart.")] == [
        ("restart.certificate", "etcd.service /etc/etcd/ca.pem"),
        ("restart.configuration", "etcd.service"),
    ]
    # Where no service is called as the program, its files are those of who runs it.
    alone = said.replace("Id=etcd.service", "Id=store.service").replace("/etcd.service", "/store.service")
    found = [(one.name, one.what) for one in audit("gw-s1", facts(drift=alone)).findings]
    assert ("restart.certificate", "store.service /etc/etcd/ca.pem") in found


def test_a_certificate_of_no_name_is_called_by_the_first_that_it_is_for() -> None:
    one = read_certificate(make("client.example.test", by=OLD_CA, common=False).pem)
    assert one is not None and one.called.startswith("client.example.test (sha256 ")


def test_an_authority_that_is_newer_than_the_process_that_trusts_it_is_a_danger() -> None:
    found = told(host(disk=NEW, served=NEW, ca=NEW_CA, ca_written=LATE))
    assert set(found) == {"restart.certificate"}
    assert found["restart.certificate"].severity is Severity.DANGER
    assert "the authority that it trusts" in found["restart.certificate"].because


def test_a_certificate_that_has_expired_on_disk() -> None:
    over = make("etcd.example.test", by=OLD_CA, days=-300)
    found = told(host(disk=over, served=over))
    assert "expired, and the next restart of etcd.service takes it" in found["restart.expired"].because


@pytest.mark.parametrize(
    ("disk", "served", "trusted", "says", "fix"),
    [
        # The server goes on with the old one, and its clients know the new authority only: 2017.
        (NEW, OLD, NEW_CA, "signed by old authority: they refuse each other", "systemctl restart etcd.service"),
        # The server's next restart brings what its clients do not know.
        (NEW, OLD, OLD_CA, "which api.service does not trust: after its next restart", "put the certificate of new authority into /api/etcd-ca.crt"),
        # Neither what is served nor what is on disk is known to the client.
        (OLD, OLD, NEW_CA, "they refuse each other", "put the certificate of old authority into /api/etcd-ca.crt"),
    ],
)  # fmt: skip
def test_a_client_and_its_server_that_refuse_each_other(
    disk: Made, served: Made, trusted: Made, says: str, fix: str
) -> None:
    found = told(host(disk=disk, served=served, client_ca=trusted))
    assert says in found["restart.trust"].because
    assert fix in found["restart.trust"].fix


def test_a_client_whose_own_certificate_the_server_does_not_trust() -> None:
    mine = make("api", by=NEW_CA)
    found = told(host(disk=OLD, served=OLD, ca=OLD_CA, client_ca=OLD_CA, client=mine))
    assert (
        "signed by new authority, and etcd.service trusts old authority: it is refused"
        in found["restart.trust"].because
    )
    assert found["restart.trust"].fix.startswith("put the certificate of new authority into /pki/ca.crt")


def test_who_has_the_authority_that_is_missing_is_where_the_fix_takes_it_from() -> None:
    found = told(host(disk=OLD, served=OLD, ca=OLD_CA, client_ca=NEW_CA))
    assert found["restart.trust"].fix == "cat /pki/ca.crt >>/api/etcd-ca.crt && systemctl restart api.service"


def test_a_certificate_that_is_not_the_one_on_the_wire_is_looked_at_by_its_time() -> None:
    # What a server shows as a client of others has no port; it is newer than the process all the same.
    mine = make("etcd as a client", by=OLD_CA)
    said = host(disk=OLD, served=OLD, own_client=mine, own_client_written=LATE)
    assert [one.what for one in told(said).values()] == ["etcd.service /pki/client.crt"]


def test_a_client_that_knows_its_server_is_no_finding() -> None:
    mine = make("api", by=OLD_CA)
    assert told(host(disk=OLD, served=OLD, ca=OLD_CA, client_ca=OLD_CA, client=mine)) == {}


def test_a_server_on_another_host_is_found_by_its_address() -> None:
    server = host(disk=NEW, served=OLD, written=LATE)
    said = captured("guest.facts")
    said = section(said, "units", unit("api.service", MainPID="901"), more=True)
    said = section(said, "processes", "901 1 1000 api", more=True)
    said = section(said, "groups", "901 /system.slice/api.service", more=True)
    said = section(said, "named", "901 /api/etcd-ca.crt\n901 https://192.0.2.2:2379")
    said = section(said, "files", f"F {EARLY} 0 /api/etcd-ca.crt\n{lines(NEW_CA)}")
    said = section(said, "addresses", "192.0.2.77")
    every = {"etcd-1": server, "api-1": facts(drift=said)}
    audits = across({name: audit(name, one) for name, one in every.items()}, every, {})
    found = [one for one in audits["api-1"].findings if one.name == "restart.trust"]
    assert [one.fix for one in found] == ["ssh etcd-1 'systemctl restart etcd.service'"]
    assert "etcd.service on etcd-1 serves" in found[0].because
