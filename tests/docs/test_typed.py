"""Commands of the other pages, typed where what they take for granted can be had without guests or a network.

What a page takes for granted is made first, in the reader's home: a rehearsed journal, a fleet file, a key. A block
that is neither typed here nor named in ELSEWHERE, with the test that does the same thing in earnest, is an error.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from seatrial.cli.lab import topology_fleet
from seatrial.lab.gateway import gateway_topology

from .pages import FIRST, ROOT, Block, blocks, fences
from .shell import Shell, shell


def rehearsed(here: Shell) -> None:
    """The journal of the rehearsed story is the one that is used when none is named."""
    for command in (
        "seatrial demo --rehearse >/dev/null",
        "export SEATRIAL_DATABASE=sqlite:///$HOME/.local/state/seatrial/demo/gateway-2021-rehearsed/journal.db",
    ):
        assert here.type(Block(page="", command=command, output=())) == ""


def kernels(here: Shell) -> None:
    rehearsed(here)
    key = here.home / ".ssh" / "id_ed25519"
    key.parent.mkdir(mode=0o700)
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "jane@example.org", "-f", str(key)]
    subprocess.run(made, check=True, capture_output=True)
    public = key.with_suffix(".pub").read_text()
    (here.where / "allowed_signers").write_text(f"jane@example.org {public}")


def fleet(here: Shell) -> None:
    laid = topology_fleet(gateway_topology(), lambda _: {"simulated": True})
    (here.where / "fleet.yaml").write_text(laid, encoding="utf-8")


def rehearse(here: Shell) -> None:
    laid = ROOT / "examples" / "gateway" / "fleet.yaml"
    (here.where / "fleet.yaml").write_text(laid.read_text())
    (here.where / "faults.yaml").write_text("faults: [{kind: panic, hosts: [gw-p2]}]\n")


def imported(here: Shell) -> None:
    files = {
        "goss.yaml": "port:\n  tcp:22:\n    listening: true\n",
        "list.yaml": next(
            text for kind, text in fences(ROOT / "docs" / "checklist.md") if kind == "yaml" and "cmd:" in text
        ),
        "blackbox.yml": "modules:\n  icmp_v4:\n    prober: icmp\n",
        "prometheus.yml": "scrape_configs:\n  - job_name: ping\n    metrics_path: /probe\n    params: {module: [icmp_v4]}\n"
        "    static_configs: [{targets: [192.0.2.1]}]\n    relabel_configs:\n"
        "      - {source_labels: [__address__], target_label: __param_target}\n",
    }
    for name, text in files.items():
        (here.where / name).write_text(text)


GIVEN: dict[str, Callable[[Shell], None]] = {
    "bisect.md": lambda _: None,
    "diagnose.md": fleet,
    "fleet.md": lambda _: None,
    "import.md": imported,
    "install.md": lambda _: None,
    "kernels.md": kernels,
    "page.md": rehearsed,
    "rehearse.md": rehearse,
    "report.md": rehearsed,
    "rollout.md": lambda _: None,
}
# What needs guests, a network, or samples of somebody's own, and where the same is done in earnest.
ELSEWHERE = {
    "bisect.md: seatrial bisect 6.1.0-47-cloud-amd64 6.1.0-56-cloud-amd64 --flow s-private-to-outside-udp": "tests/lab/test_bisect.py",
    "bisect.md: seatrial bisect --resume b1": "tests/lab/test_bisect.py",
    "bisect.md: seatrial bisect --module drivers/net/vrf --patches commits --flow s-private-to-outside-udp": "tests/lab/test_bisect.py",
    "check.md: seatrial check --repeat 2": "tests/cli/test_baseline.py",
    "check.md: seatrial check --format json": "tests/cli/test_baseline.py",
    "check.md: seatrial check --baseline before.json": "tests/cli/test_baseline.py",
    "checklist.md: seatrial check --checklist list.yaml": "tests/cli/test_checklist.py",
    "checklist.md: seatrial check --checklist list.yaml --from inside -f fleet.yaml --timeout 30 --format junit": "tests/cli/test_checklist.py",
    "drift.md: seatrial drift --local": "tests/cli/test_drift.py",
    "drift.md: seatrial drift --fleet fleet.yaml --host gw-s1 --fail-on danger": "tests/cli/test_drift.py",
    "drift.md: seatrial drift snapshot --local": "tests/cli/test_drift.py",
    "drift.md: seatrial drift diff monday.json today.json": "tests/cli/test_drift.py",
    "exports.md: seatrial exports check --fleet fleet.yaml --group nfs": "tests/exports",
    'exports.md: seatrial exports apply --fleet fleet.yaml --group nfs --why "a new project"': "tests/exports",
    "fleetlock.md: seatrial serve --listen 127.0.0.1:8464 --fleet fleet.yaml": "tests/web/test_fleetlock.py",
    "fleetlock.md: seatrial fleetlock status": "tests/web/test_fleetlock.py",
    "init.md: seatrial init ansible inventory/production": "tests/cli/test_init.py",
    "init.md: seatrial init ssh-config": "tests/cli/test_init.py",
    "init.md: seatrial init kubernetes --context production --output -": "tests/cli/test_init.py",
    "init.md: seatrial init openstack clouds.yaml --cloud production": "tests/cli/test_init.py",
    "notify.md: seatrial notify --try -f fleet.yaml": "tests/notify/test_irc.py",
    "security.md: seatrial sudoers --host gw-p1 --login seatrial": "tests/vantage/test_gate.py",
    'failover.md: seatrial failover nfs --fleet fleet.yaml --why "nfs-1 gets memory"': "tests/lab/test_failover.py",
    "failover.md: seatrial failover nfs --fleet fleet.yaml --to nfs-1": "tests/lab/test_failover.py",
    "failover.md: seatrial failover nfs --resume": "tests/lab/test_failover.py",
    "rollout.md: seatrial rollout work r1 --database postgresql+psycopg://seatrial@db/seatrial --room 50": "tests/engine",
    "soak.md: seatrial soak judge samples.csv --alpha 0.01 --min-effect 1.1": "tests/cli/test_soak.py",
    "soak.md: seatrial soak judge examples/labstore-2017/load.csv --events examples/labstore-2017/events.csv --plot labstore.svg": "tests/cli/test_plot.py",
    "soak.md: seatrial report r1 --plot r1.svg": "tests/cli/test_plot.py",
    "soak.md: seatrial soak load files --for 90s": "tests/cli/test_soak_load.py",
    'suspects.md: seatrial suspects 5.10.40-1 5.10.70-1 --changelog changelog.gz --symptom "replies of translated flows lost" --role gateway --module vrf --module nf_conntrack': "tests/cli/test_suspects.py",
    "suspects.md: seatrial suspects r1 --changelog changelog.gz": "tests/cli/test_suspected.py",
    "watch.md: seatrial watch --fleet fleet.yaml --every 30s --listen 127.0.0.1:9464": "tests/cli/test_watch.py",
}
OTHERS = [block for block in blocks() if block.page not in {page.name for page in FIRST} and not block.lab]
HERE = [block for block in OTHERS if str(block) not in ELSEWHERE]


@pytest.fixture(scope="module")
def shells() -> Iterator[dict[str, Shell]]:
    """A shell for each page, with what the page takes for granted; made when its first command is typed."""
    with ExitStack() as stack:
        opened: dict[str, Shell] = {}

        class Opened(dict[str, Shell]):
            def __missing__(self, page: str) -> Shell:
                self[page] = stack.enter_context(shell())
                self[page].where = self[page].home / "work"
                self[page].where.mkdir()
                GIVEN[page](self[page])
                return self[page]

        opened = Opened()
        yield opened


@pytest.mark.parametrize("block", HERE, ids=str)
def test_a_command_does_what_its_page_says(block: Block, shells: dict[str, Shell]) -> None:
    assert block.page in GIVEN, (
        f"{block}: type it here, mark it as one for the lab, or say in ELSEWHERE what does"
    )
    assert shells[block.page].type(block) == ""


def test_what_is_done_elsewhere_is_on_a_page_and_tested_there() -> None:
    there = {str(block) for block in blocks()}
    assert [name for name in ELSEWHERE if name not in there] == []
    assert [place for place in ELSEWHERE.values() if not (ROOT / place).exists()] == []


def test_what_is_for_the_lab_is_marked() -> None:
    for block in blocks():
        if block.page == "lab.md":
            assert block.lab, block
