"""What the pages show is what the journal says, for eyes and for programs, and what hosts say stays text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.model.event import Kind
from tests.engine.rehearsed import controlled

from .journals import HOSTILE, begun, busy, hostile, rebooting, rehearsed
from .served import Page, serving, until

PATHS = ("/", "/kernels", "/rollouts/r1", "/rollouts/r1/hosts/gw-s1")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with serving(rehearsed(tmp_path_factory.mktemp("story") / "it", "gateway-2021")) as served:
        yield served


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_and_has_its_json(page: Page, path: str) -> None:
    shown = page.ask(path)
    assert shown.status == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "6.1.0-56-cloud-amd64" in shown.body
    beside = page.ask("/board.json" if path == "/" else f"{path}.json")
    assert beside.status == 200
    assert "6.1.0-56-cloud-amd64" in beside.body
    assert isinstance(beside.document, dict)


def test_the_trial_tells_both_ways_of_each_flow_and_the_suspect_on_its_path(page: Page) -> None:
    trial = page.ask("/rollouts/r1.json").document["trial"]
    assert (trial["host"], trial["state"]["word"]) == ("gw-s1", "reverted")
    flows = {
        flow["flow"]: (flow["out"]["word"], flow["back"]["word"])
        for row in trial["flows"]["rows"]
        for cell in row["cells"]
        for flow in cell
    }
    assert len(flows) == 14
    assert flows["s-private-to-outside-tcp"] == ("ok", "none")
    assert flows["s-public-to-outside-tcp"] == ("ok", "ok")
    (suspect,) = trial["diagnosis"]["suspects"]
    assert suspect["components"] == ["gw-s1:reply-translation"]
    marked = {one["says"]: one["mark"] for one in suspect["path"]["back"] if one["mark"]}
    assert marked == {"reply-translation": "suspect", "gw-s1>s-vm-private": "alike"}
    assert [one["mark"] for one in suspect["path"]["out"] if one["mark"]] == []


def test_the_board_has_the_fleet_by_stage_and_what_is_known_of_kernels(page: Page) -> None:
    board = page.ask("/board.json").document
    assert [stage["name"] for stage in board["fleet"]["stages"]] == ["staging", "production"]
    assert [group["name"] for group in board["fleet"]["stages"][1]["groups"]] == ["gw-p"]
    (known,) = board["kernels"]
    assert (known["kernel"], known["role"], known["good"]) == ("6.1.0-56-cloud-amd64", "gateway", False)
    assert "ended reverted" in board["now"]["wrong"]["first"][0]["says"]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = tmp_path_factory.mktemp("night") / "journal.db"
    busy(path).close()
    with serving(path) as served:
        yield served


def test_the_first_page_says_what_is_wrong_on_trial_and_waited_for(night: Page) -> None:
    now = night.ask("/board.json").document["now"]
    assert [one["says"] for one in now["wrong"]["first"]] == [
        "failover f2 of nfs is stuck: nobody serves nfs",
        "1 danger at the next boot, restart or failover",
    ]
    assert [one["says"] for one in now["wanted"]["first"]] == [
        "nfs: look at nfs-1 now",
        "look at w1, which rebooted by itself: portal: status 502",
    ]
    assert [one["host"] for one in now["on_trial"]["first"]] == ["gw-s1", "gw-p1"]
    assert 0 < now["on_trial"]["first"][0]["guard"]["seconds_left"] <= 600
    assert [one["says"] for one in now["waits"]["first"]] == ["r1 waits: the window opens at 22:00"]
    assert night.ask("/board.json").document["rollouts"][0]["name"] == "r1"
    assert len(night.ask("/board.json").document["rollouts"]) == 1
    assert "the window opens at 22:00" in night.ask("/rollouts/r1").body


def test_a_failover_of_its_own_has_its_steps_its_pause_and_its_proof(night: Page) -> None:
    told = night.ask("/failovers/f1.json").document
    (deed,) = told["deeds"]
    assert (deed["deed"], deed["on"], deed["hurts"]) == ("hand-over", ["nfs-1", "nfs-2"], True)
    assert [(step["place"], step["name"]) for step in deed["steps"]][-1] == ("nfs-2", "promote")
    assert told["pause"]["proven"] and told["pause"]["seconds"] < 600
    assert told["asked"][1]["results"][0]["because"].startswith("4 of 4 clients went on")
    stuck = night.ask("/failovers/f2.json").document
    assert (stuck["failover"]["outcome"]["word"], stuck["pause"]["proven"]) == ("stuck", False)
    assert [one["name"] for one in night.ask("/failovers.json").document["failovers"]] == ["f2", "f1"]


def test_drift_is_shown_worst_first_with_the_fix_and_who_accepted_it(night: Page) -> None:
    told = night.ask("/drift.json?host=gw-p1").document
    assert [one["severity"]["word"] for one in told["findings"]] == ["danger", "warning", "note"]
    assert told["findings"][0]["fix"] == "grub-set-default 6.1.0-47-cloud-amd64"
    assert told["findings"][2]["accepted"].startswith("olga")
    assert (told["accepted"], told["number_unknown"]) == (1, 1)
    assert night.ask("/drift.json?host=nobody").status == 404
    assert night.ask("/drift.json?page=x").status == 422


def test_a_kernel_says_who_marked_it_and_who_overrode_it(night: Page) -> None:
    (known,) = night.ask("/kernels.json").document["kernels"]
    assert (known["origin"], known["refuses"], known["override"]["by"]) == ("marked by olga", False, "vera")


def test_the_journal_tells_everything_also_what_people_wrote(night: Page) -> None:
    texts = [
        f"{one['of']} {one['step']} {one['text']}" for one in night.ask("/journal.json").document["lines"]
    ]
    assert "r1 note the switch in rack 7 was rebooted (olga)" in texts
    assert " note called the provider (olga)" in texts
    assert any(text.startswith("f2 failover f2 stuck") for text in texts)
    assert any(text.startswith(" drift 3 findings of 51") for text in texts)
    first = night.ask("/journal.json?before=3").document
    assert [one["seq"] for one in first["lines"]] == [1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/failovers/r1", 404),
        ("/failovers/f9.json", 404),
        ("/rollouts/f1", 404),
        ("/rollouts/r1/journal?before=-1", 422),
        ("/rollouts/r9/journal", 404),
        ("/drift?host=%3Cscript%3E", 404),
        ("/drift?page=" + "9" * 40, 422),
        ("/rollouts/r9", 404),
        ("/rollouts/r9.json", 404),
        ("/rollouts/r1/hosts/nobody", 404),
        ("/nothing", 404),
        ("/static/../cli/serve.py", 404),
        ("/static/%2e%2e/app.py", 404),
        ("/static/..%2f..%2fcli/serve.py", 404),
        ("/rollouts/..%2f..%2fetc%2fpasswd", 404),
        ("//etc/passwd", 404),
        ("/rollouts/%00", 404),
    ],
)
def test_what_is_not_there_is_said_to_be_missing(page: Page, path: str, status: int) -> None:
    answer = page.ask(path)
    assert answer.status == status
    assert "import " not in answer.body and "root:" not in answer.body


def test_what_hosts_and_people_say_stays_text(tmp_path: Path) -> None:
    hostile(tmp_path / "journal.db").close()
    with serving(tmp_path / "journal.db") as page:
        for path in (*PATHS, "/drift", "/failovers", "/failovers/f1", "/journal", "/rollouts/r1/journal"):
            shown = page.ask(path)
            assert shown.status == 200
            assert "<script>alert" not in shown.body
            assert "\x1b" not in shown.body and "\u202e" not in shown.body
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.ask("/rollouts/r1").body
        assert "{{7*7}}" in page.ask("/rollouts/r1").body
        told = page.ask("/rollouts/r1.json").document
    assert told["trial"]["good"] == HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")


def test_the_curves_of_a_soak_are_a_picture_that_runs_nothing(tmp_path: Path) -> None:
    assert controlled(tmp_path / "it", "load", measured=True) == 0
    with serving(tmp_path / "it" / "journal.db") as page:
        soak = page.ask("/rollouts/r1.json").document["trial"]["soak"]
        assert soak["outcome"]["word"] == "fail"
        picture = page.ask(soak["picture"])
        assert picture.headers["content-type"] == "image/svg+xml"
        assert "script" not in picture.headers["content-security-policy"]
        assert "disk.vda.latency" in picture.body and "<script" not in picture.body
        assert soak["picture"] in page.ask("/rollouts/r1/hosts/gw-s1").body
        assert page.ask("/rollouts/r1/hosts/gw-p1/soak.svg").status == 404


def test_the_first_page_says_who_reboots_by_himself_and_who_waits(tmp_path: Path) -> None:
    store = begun(tmp_path / "journal.db")
    with serving(tmp_path / "journal.db") as page:
        assert page.ask("/board.json").document["slots"] is None
        rebooting(store)
        until(lambda: page.ask("/board.json").document["slots"] is not None)
        until(lambda: len(page.ask("/board.json").document["slots"]["refused"]) == 1)
        here = page.ask("/board.json").document
        taken = [(one["host"], one["group"], one["state"]["word"]) for one in here["slots"]["taken"]]
        assert taken == [("w1", "workers", "not proven"), ("w3", "workers", "away")]
        assert here["slots"]["refused"] == [{"host": "w2", "because": "w1 is back and not proven yet"}]
        assert [one["says"] for one in here["now"]["wanted"]["first"]] == [
            "look at w1, which rebooted by itself: portal: status 502"
        ]
    # Whoever looks later reads it from the journal.
    store.append(Kind.SLOT_RELEASED, rollout="", host="w1", data={"because": "proven"})
    with serving(tmp_path / "journal.db") as page:
        here = page.ask("/board.json").document
        assert [one["host"] for one in here["slots"]["taken"]] == ["w3"]
        assert here["now"]["wanted"]["number"] == 0


def test_an_empty_journal_says_how_to_begin(tmp_path: Path) -> None:
    with serving(tmp_path / "journal.db") as page:
        assert "seatrial demo --rehearse" in page.ask("/").body
        assert page.ask("/board.json").document["rollouts"] == []


def test_browsers_are_told_to_load_and_run_nothing_from_elsewhere(page: Page) -> None:
    for path in (*PATHS, "/static/live.js", "/nothing"):
        headers = page.ask(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
    for path in PATHS:
        body = page.ask(path).body
        assert "http://" not in body and "https://" not in body and " style=" not in body
