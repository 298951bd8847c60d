"""Silences that would hide what judges a host are refused where they stand; those that cannot are taken."""

from __future__ import annotations

import pytest

from seatrial.fleetfile import parse

from .small import SMALL, lines_of

CHECKS = """\
checks:
  paged: {kind: alerts, from: inside, url: "http://192.0.2.9:9093", matchers: ['alertname="GatewayLoss"']}
  Load: {kind: nagios, from: inside, argv: [check_load]}
"""
SILENCE = """\
silences:
  pages: {kind: alertmanager, from: inside, url: "http://192.0.2.9:9093", matchers: [MATCHERS]}
"""
DOWNTIME = """\
silences:
  icinga: {kind: icinga2, from: inside, url: "https://192.0.2.9:5665", user: seatrial, password_file: /etc/pw, MORE}
"""


def fleet_with(*parts: str) -> str:
    before, _, rest = SMALL.partition("checks:\n")
    checks = CHECKS + rest
    return before + checks + "".join(parts)


def silence(*matchers: str) -> str:
    return SILENCE.replace("MATCHERS", ", ".join(f"'{one}'" for one in matchers))


@pytest.mark.parametrize(
    "matchers",
    [
        ("instance=~$host:.*", "alertname=HostDown"),
        ("instance=$host", 'alertname=~"Host(Down|Rebooted)"'),
        ("instance=$host", "alertname!=GatewayLoss"),
        ("instance=$host", "alertname=~Gateway.*", "alertname!=GatewayLoss"),
    ],
)
def test_a_silence_that_cannot_cover_what_judges_the_host_is_taken(matchers: tuple[str, ...]) -> None:
    fleet = parse(fleet_with(silence(*matchers)), filename="f")
    assert list(fleet.silences_of("gw-s1")) == ["pages"]


@pytest.mark.parametrize(
    ("matchers", "what"),
    [
        (("instance=$host", "severity=page"), "it could cover alerts that judge the host by check 'paged'"),
        (
            ("instance=$host", "alertname=~Gateway.*"),
            "it could cover alerts that judge the host by check 'paged'",
        ),
        (
            ("instance=$host", "alertname!=HostDown"),
            "it could cover alerts that judge the host by check 'paged'",
        ),
        (("alertname=HostDown", "severity=page"), "one of them must say $host"),
        (("alertname=HostDown", "instance!=$host"), "one of them must say $host"),
        (("instance=$host", "host=~$host.*"), "one of them must say which alerts"),
        (("instance=$host", "alertname"), "a matcher such as"),
        (("instance=$host", "alertname=~("), "missing"),
    ],
)
def test_one_that_could_is_refused_where_it_stands(matchers: tuple[str, ...], what: str) -> None:
    lines = lines_of(fleet_with(silence(*matchers)))
    assert len(lines) == 1 and "silences.pages.matchers" in lines[0] and what in lines[0], lines


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (
            "services: [ssh, load]",
            "silences.icinga.services[1]: it would cover what judges the host by check 'Load'",
        ),
        ("host: false", "neither the host nor a service of it would be in the downtime"),
        ("all_services: true", "is not a key of"),
    ],
)
def test_a_downtime_is_of_the_host_and_of_services_by_name_that_do_not_judge_it(more: str, what: str) -> None:
    lines = lines_of(fleet_with(DOWNTIME.replace("MORE", more)))
    assert len(lines) == 1 and what in lines[0], lines


def test_roles_and_vantages_of_a_silence_must_exist() -> None:
    text = fleet_with(
        silence("instance=$host", "alertname=HostDown").replace(
            "from: inside", "from: insid, roles: [gatewy]"
        )
    )
    lines = lines_of(text)
    assert any("'insid' is not a vantage or host; did you mean 'inside'?" in line for line in lines)
    assert any("'gatewy' is not a role; did you mean 'gateway'?" in line for line in lines)


def test_the_name_of_a_host_is_no_expression() -> None:
    text = silence("instance=~$host(:[0-9]+)?", "alertname=HostDown").replace(
        "from: inside", "from: inside, hosts: {gw-s1: gw.example.org}"
    )
    one = parse(fleet_with(text), filename="f").silences["pages"]
    assert one.kind == "alertmanager"
    instance, _ = one.silenced("gw-s1")
    assert instance.fits("gw.example.org:9100") and not instance.fits("gwxexample.org:9100")
    assert one.silenced("gw-p1")[0].fits("gw-p1")
