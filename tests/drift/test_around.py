"""What is accepted, what is kept and compared, and the formats that programs read."""

from __future__ import annotations

import json
from datetime import date

import pytest

from seatrial.drift.accepted import check_names, with_accepted
from seatrial.drift.snapshot import Snapshot, besides_the_kernel, differences, read_text, take
from seatrial.errors import InputError
from seatrial.model.finding import Audit, Severity, Unread
from seatrial.model.fleet import Accepted
from seatrial.report.drifted import answer, as_document, as_nagios, as_prometheus
from tests.drift.said import captured, facts, of, section

SHAPED = "qdisc tbf 8001: dev lan0 root refcnt 2 rate 1Mbit"
TODAY = date(2026, 11, 24)


def accepted(**said: str) -> Accepted:
    return Accepted.model_validate(
        {"finding": "running.qdisc-lost", "why": "a test of shaping", "who": "jane", **said}
    )


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ({}, False),
        ({"host": "gw-s1", "what": "lan*"}, False),
        ({"host": "gw-p1"}, True),
        ({"what": "wan0"}, True),
        ({"until": "2026-11-24"}, False),
        ({"until": "2026-11-23"}, True),
    ],
)
def test_what_somebody_lives_with_stands_apart_until_its_day_is_over(
    said: dict[str, str], stands: bool
) -> None:
    audit = with_accepted(of(qdiscs=SHAPED), [accepted(**said)], TODAY)
    standing = {one.name for one in audit.standing}
    assert ("running.qdisc-lost" in standing) is stands
    if not stands:
        kept = next(one for one in audit.findings if one.accepted)
        assert kept.accepted.startswith("jane") and kept.accepted.endswith("a test of shaping")
    if said.get("until") == "2026-11-23":
        assert "jane accepted it until 2026-11-23" in audit.standing[0].because


def test_an_acceptance_that_names_no_finding_is_a_mistake_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="there is no finding") as raised:
        check_names([accepted(finding="running.qdisc-last")])
    assert "did you mean running.qdisc-lost?" in raised.value.hint


def test_a_snapshot_survives_being_written_down() -> None:
    kept = take("gw-s1", facts())
    assert read_text(json.dumps(kept.document())) == (kept,)
    assert kept.topics["sysctl"]["net.ipv4.ip_forward"] == "1"
    assert "openssh-server" in kept.topics["packages"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no snapshot in it"),
        ("{", "no JSON"),
        ("[]", "no snapshot of this version"),
        ('{"version": 1}', "no topics"),
    ],
)
def test_a_file_that_is_no_snapshot_is_said_to_be_none(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_text(text)


def test_what_differs_is_told_by_topic_and_the_kernel_is_left_out_where_it_is_the_trial() -> None:
    before = take("gw-s1", facts())
    said = captured("guest.facts")
    said = section(said, "packages", "nginx 1.22 ii\nlinux-image-6.9 6.9 ii", more=True)
    said = section(
        said,
        "changed",
        f"{before.at + 60:.0f}.0 0 /etc/nginx/nginx.conf\n{before.at - 60:.0f}.0 0 /etc/old.conf\n"
        f"{before.at + 60:.0f}.0 0 /etc/seatrial/guard.sh\n{before.at + 60:.0f}.0 0 /etc/seatrial/order\n"
        f"{before.at + 60:.0f}.0 0 /etc/systemd/system/seatrial-guard.service",
    )
    said = section(said, "qdiscs", SHAPED)
    after = take("gw-s1", facts(drift=said))
    sentences = [one.sentence for one in besides_the_kernel(differences(before, after))]
    assert "packages: nginx is new (1.22)" in sentences
    assert "/etc/nginx/nginx.conf was changed" in sentences
    assert (
        "shaping: lan0 is tbf rate 1Mbit, it was fq_codel limit 10240p flows 1024 quantum 1514 target 5ms interval 100ms memory_limit 32Mb ecn drop_batch 64"
        in sentences
    )
    assert not any("old.conf" in one or "linux-image" in one or "seatrial" in one for one in sentences)
    assert any(one.key == "/etc/seatrial/guard.sh" for one in differences(before, after))
    assert differences(before, before) == ()


def test_the_first_and_the_last_are_of_any_two_hosts() -> None:
    one = Snapshot(host="a", at=1.0, topics={"kernel": {"running": "6.1"}})
    other = Snapshot(host="b", at=2.0, topics={"kernel": {"running": "6.2"}})
    assert [each.sentence for each in differences(one, other)] == ["kernel: running is 6.2, it was 6.1"]


SILENT = Audit(
    host="gw-p2", unread=(Unread(name="host", because="gw-p2 did not answer: no route", host="gw-p2"),)
)


@pytest.mark.parametrize(
    ("sections", "fail_on", "code", "nagios"),
    [
        ({}, Severity.WARNING, 0, 0),
        ({}, Severity.NOTE, 1, 0),
        ({"qdiscs": SHAPED}, Severity.WARNING, 1, 1),
        ({"qdiscs": SHAPED}, Severity.DANGER, 0, 1),
        ({"sshd_test": "bad"}, Severity.DANGER, 1, 2),
    ],
)
def test_exit_codes_go_by_what_was_asked_for_and_nagios_has_its_own(
    sections: dict[str, str], fail_on: Severity, code: int, nagios: int
) -> None:
    audits = {"gw-s1": of(**sections)}
    assert answer(audits, fail_on).code == code
    status, text = as_nagios(audits)
    assert status == nagios
    assert text.startswith(f"DRIFT {('OK', 'WARNING', 'CRITICAL')[nagios]} - ")
    assert text.splitlines()[0].count("|") == 1


def test_a_host_that_is_silent_is_not_known_to_be_fine() -> None:
    audits = {"gw-s1": of(), "gw-p2": SILENT}
    assert answer(audits, Severity.WARNING).code == 3
    assert as_nagios(audits)[0] == 3
    assert as_document(audits, Severity.WARNING)["outcome"] == "unknown"
    assert 'seatrial_drift_unknown{host="gw-p2"} 1' in as_prometheus(audits)


def test_the_document_has_the_worst_first_and_each_with_its_fix() -> None:
    document = as_document({"gw-s1": of(qdiscs=SHAPED, sshd_test="bad")}, Severity.WARNING)
    assert [one["severity"] for one in document["findings"]] == ["danger", "warning", "note"]
    assert all(one["fix"] and one["because"] and one["host"] == "gw-s1" for one in document["findings"])
    assert document["hosts"]["gw-s1"]["kernel"] == "6.1.0-47-cloud-amd64"


def test_the_figures_are_what_prometheus_reads() -> None:
    text = as_prometheus({"gw-s1": of(qdiscs=SHAPED)})
    assert 'seatrial_drift_findings{host="gw-s1",severity="danger"} 0' in text
    assert 'seatrial_drift_findings{host="gw-s1",severity="warning"} 1' in text
    assert (
        'seatrial_drift_finding{host="gw-s1",name="running.qdisc-lost",severity="warning",when="boot"} 1'
        in text
    )
    assert text.count("# TYPE seatrial_drift_finding gauge") == 1
