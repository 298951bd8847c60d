"""The figures of `serve`: a real Prometheus scrapes them, and what the dashboard and the alerts ask is what is served."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from seatrial.clock import SystemClock
from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from seatrial.web.following import Following
from seatrial.web.metrics import FAMILIES, MOST_ON_TRIAL, exposed
from tests.cli.test_watch import Prometheus, until
from tests.docs.pages import ROOT
from tests.report.test_formats import lint
from tests.vantage.grounds import program

from .journals import HOSTILE, busy, hostile
from .large import large
from .served import Page, serving

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
MONITORING = ROOT / "examples/monitoring"
_NAMED = re.compile(r"\bseatrial_[a-z_]+")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = tmp_path_factory.mktemp("busy") / "journal.db"
    busy(path).close()
    with serving(path) as served:
        yield served


def families_of(text: str) -> list[Metric]:
    """The families, as a strict reader of OpenMetrics understands them."""
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def samples(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by its name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in families_of(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def expressions() -> list[str]:
    """What the alerts and the dashboard ask."""
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    asked = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    board = json.loads((MONITORING / "dashboard.json").read_text())
    asked += [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    asked += [one["query"]["query"] for one in board["templating"]["list"] if isinstance(one["query"], dict)]
    return asked + [one["expr"] for one in board["annotations"]["list"]]


def test_figures_follow_the_rules_of_openmetrics_and_of_prometheus(page: Page) -> None:
    answer = page.ask("/metrics", accept=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.body.endswith("# EOF\n")
    found = samples(answer.body)
    assert found["seatrial_rollouts"][("outcome", "running"),] == 1
    assert found["seatrial_trials_under_way"][()] == 2
    assert found["seatrial_rollout_held"][("because", "the window opens at 22:00"), ("rollout", "r1")] == 1
    assert found["seatrial_fleet_drift_findings"][("severity", "danger"),] == 1
    assert found["seatrial_hosts"][("kernel", "6.1.0-56-cloud-amd64"),] == 1
    assert found["seatrial_failovers"][("outcome", "stuck"),] == 1
    (left,) = found["seatrial_trial_guard_next_deadline_timestamp_seconds"].values()
    assert left > SystemClock().now().timestamp() - 3600
    assert lint(page.ask("/metrics").body) == ""


def test_what_the_dashboard_and_the_alerts_ask_is_served(page: Page) -> None:
    text = page.ask("/metrics", accept=OPENMETRICS).body
    suffixes = {"counter": "_total", "info": "_info"}
    served = {one.name + suffixes.get(one.type, "") for one in families_of(text)}
    families = {one.name + suffixes.get(one.kind, "") for one in FAMILIES}
    assert served == families
    named = {name for asked in expressions() for name in _NAMED.findall(asked)}
    assert named - families == set()
    # And nothing is served that nobody looks at.
    assert families - named == {"seatrial_build_info"} - named


def test_the_alerts_are_rules_that_prometheus_takes() -> None:
    said = subprocess.run(
        [program("promtool"), "check", "rules", str(MONITORING / "alerts.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_a_real_prometheus_scrapes_it_and_answers_every_question(page: Page, tmp_path: Path) -> None:
    with Prometheus(tmp_path / "prometheus", f"{page.url}/metrics").up() as prometheus:
        until(lambda: prometheus.asks('up{job="seatrial"} == 1'), "the first scrape")
        until(lambda: prometheus.asks("seatrial_trials_under_way == 2"), "the figures")
        for asked in expressions():
            if not asked.startswith("label_values"):
                prometheus.asks(asked.replace("$rollout", ".*"))
        assert prometheus.asks("sum by (rollout) (seatrial_rollout_trials) == 3")


def test_two_thousand_hosts_make_no_more_series_than_a_hundred(tmp_path: Path) -> None:
    counted = []
    for hosts in (100, 2000):
        path = tmp_path / f"{hosts}.db"
        large(path, hosts=hosts, events=hosts * 20)
        following = Following(Journal(f"sqlite:///{path}"))
        following.catch_up()
        text, _ = exposed(following, SystemClock(), OPENMETRICS)
        found = samples(text.decode())
        counted.append({name: len(series) for name, series in found.items()})
        assert sum(value for key, value in found["seatrial_rollout_trials"].items()) == hosts
        assert len(found["seatrial_trial_state_since_timestamp_seconds"]) == 10 <= MOST_ON_TRIAL
    assert counted[0] == counted[1]


def test_hostile_names_stay_labels(tmp_path: Path) -> None:
    store = hostile(tmp_path / "journal.db")
    store.append(Kind.ROLLOUT_HELD, rollout="r1", data={"because": HOSTILE + '\n"} 1\n', "hint": ""})
    store.close()
    with serving(tmp_path / "journal.db") as served:
        text = served.ask("/metrics", accept=OPENMETRICS).body
    assert "\x1b" not in text
    ((key, value),) = samples(text)["seatrial_rollout_held"].items()
    assert (dict(key)["rollout"], value) == ("r1", 1.0)
