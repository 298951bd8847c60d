"""FleetLock: hosts that reboot by themselves ask a real server, as the protocol's page says and as Zincati does."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from seatrial.engine.reboots import away_of
from seatrial.errors import InputError
from seatrial.fleetfile import parse
from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from tests.checklist.told import ended
from tests.engine.postgres import Postgres

from .locked import IDS, PUBLISHED, Client, clients, fleet
from .served import serving, until

FULL = "failed_lock_semaphore_full"


def slots(store: Journal) -> list[Event]:
    return [event for event in store.read() if event.kind.startswith("slot.")]


def told(store: Journal) -> list[tuple[str, str]]:
    return [(event.kind, event.host) for event in slots(store)]


def test_the_protocols_own_example_gets_a_slot_and_the_second_host_its_error(tmp_path: Path) -> None:
    with fleet(tmp_path) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        # `curl -H "fleet-lock-protocol: true" -d @body.json` says that its body is a form.
        words = {"fleet_lock_protocol": "true", "content_type": "application/x-www-form-urlencoded"}
        first = page.ask("/v1/pre-reboot", method="POST", body=PUBLISHED, **words)
        assert first.status == 200, first.body
        body = PUBLISHED.replace(IDS["w1"], IDS["w2"])
        second = page.ask("/v1/pre-reboot", method="POST", body=body, **words)
    assert second.status == 409
    assert second.document["kind"] == FULL
    assert second.document["value"].startswith("semaphore currently full, all slots are locked already")


def test_a_slot_is_owned_and_recursive_and_free_only_when_the_checks_of_its_host_pass(tmp_path: Path) -> None:
    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    with fleet(tmp_path) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        some = clients(page)
        # At its start an agent releases what it may have held: nothing.
        assert some["w1"].steady_state() == (True, "")
        assert some["w1"].pre_reboot() == (True, "")
        assert some["w1"].pre_reboot() == (True, "")
        assert some["w2"].pre_reboot() == (False, FULL)
        assert some["w2"].steady_state() == (True, ""), "whoever holds nothing releases nothing, and may"
        assert some["w2"].pre_reboot() == (False, FULL), "and nobody releases what another one holds"
        assert some["w1"].steady_state() == (True, "")
        assert some["w1"].steady_state() == (True, "")
        until(lambda: any(event.kind == Kind.SLOT_UNPROVEN for event in slots(store)))
        assert some["w2"].pre_reboot() == (False, "failed_lock_peer_unverified")
        assert some["w2"].pre_reboot() == (False, "failed_lock_peer_unverified")
        (tmp_path / "well").touch()
        until(lambda: not away_of(store).slots)
        assert some["w2"].pre_reboot() == (True, "")
    assert told(store) == [
        ("slot.granted", "w1"),
        ("slot.refused", "w2"),
        ("slot.wished", "w1"),
        ("slot.unproven", "w1"),
        ("slot.refused", "w2"),
        ("slot.released", "w1"),
        ("slot.granted", "w2"),
    ]
    unproven = slots(store)[3]
    assert unproven.data["because"].startswith("well: test -e")


def test_a_host_that_reboots_again_before_it_was_proven_keeps_its_slot(tmp_path: Path) -> None:
    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    with fleet(tmp_path, slots=2) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        some = clients(page)
        assert some["w1"].pre_reboot() == (True, "")
        assert some["w1"].steady_state() == (True, "")
        until(lambda: any(event.kind == Kind.SLOT_UNPROVEN for event in slots(store)))
        assert some["w1"].pre_reboot() == (True, "")
        assert away_of(store).slots["w1"].wished is None
        assert some["w2"].pre_reboot() == (True, ""), "two slots, and w1 is away and not unproven"
        assert some["w3"].pre_reboot() == (False, FULL)


@pytest.mark.parametrize(
    ("kind", "event", "data"),
    [
        ("failed_lock_peer_on_trial", Kind.TRIAL_BEGUN, {"wave": "canary"}),
        ("failed_lock_peer_unverified", Kind.TRIAL_MOVED, {"to": "stuck", "because": "it is silent"}),
    ],
)
def test_nobody_reboots_beside_a_peer_on_trial_or_stuck_behind_one(
    tmp_path: Path, kind: str, event: Kind, data: dict[str, str]
) -> None:
    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    store.append(event, rollout="r1", host="w3", data=data)
    with fleet(tmp_path) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        assert clients(page)["w1"].pre_reboot() == (False, kind)
        assert clients(page)["w3"].pre_reboot() == (False, kind), "nor the host itself"
    assert {event.kind for event in slots(store)} == {Kind.SLOT_REFUSED}
    said = ended(
        *("seatrial", "fleetlock", "release", "w3", "--why", "it was replaced"),
        *("--database", f"sqlite:///{tmp_path / 'journal.db'}"),
        cwd=tmp_path,
    )
    assert said.returncode == (0 if event is Kind.TRIAL_MOVED else 4), said.stderr


def test_a_host_that_does_not_answer_counts_as_away(tmp_path: Path) -> None:
    with fleet(tmp_path, gone="w4") as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        assert clients(page)["w1"].pre_reboot() == (False, "failed_lock_peer_away")


def test_a_peer_that_does_not_answer_or_reboots_stands_in_the_way_however_many_slots_there_are(
    tmp_path: Path,
) -> None:
    pairs = "groups:\n  p1: {hosts: [w1, w4]}\n  p2: {hosts: [w2, w3]}"
    with (
        fleet(tmp_path, gone="w4", slots=4, more=pairs) as file,
        serving(tmp_path / "journal.db", "-f", str(file)) as page,
    ):
        some = clients(page)
        assert some["w1"].pre_reboot() == (False, "failed_lock_peer_away")
        assert some["w2"].pre_reboot() == (True, "")
        assert some["w3"].pre_reboot() == (False, "failed_lock_peer_away")


def test_budgets_and_freezes_of_the_fleet_hold_for_these_reboots_too(tmp_path: Path) -> None:
    more = "rollout: {budgets: [{per: role, most: 1}]}"
    with (
        fleet(tmp_path, slots=3, more=more) as file,
        serving(tmp_path / "journal.db", "-f", str(file)) as page,
    ):
        some = clients(page)
        assert some["w1"].pre_reboot() == (True, "")
        assert some["w2"].pre_reboot() == (False, "failed_lock_budget_full")
    frozen = "rollout: {freezes: [{from: 2000-01-01, until: 2900-01-01, why: holidays}]}"
    with (
        fleet(tmp_path, slots=3, more=frozen) as file,
        serving(tmp_path / "other.db", "-f", str(file)) as page,
    ):
        assert clients(page)["w2"].pre_reboot() == (False, "failed_lock_not_now")


HOSTILE: list[tuple[int, str, str | None, dict[str, str]]] = [
    (400, "failed_header", PUBLISHED, {}),
    (400, "failed_header", PUBLISHED, {"fleet_lock_protocol": "TRUE"}),
    (400, "failed_body", "", {"fleet_lock_protocol": "true"}),
    (400, "failed_body", None, {"fleet_lock_protocol": "true"}),
    (400, "failed_body", "client_params=1", {"fleet_lock_protocol": "true"}),
    (400, "failed_body", "[" * 8000, {"fleet_lock_protocol": "true"}),
    (413, "failed_body", '"' + "x" * 1_000_000 + '"', {"fleet_lock_protocol": "true"}),
    *[
        (400, "failed_body", body, {"fleet_lock_protocol": "true"})
        for body in (
            "null",
            "[]",
            "7",
            "NaN",
            "{}",
            '{"client_params": []}',
            '{"client_params": {}}',
            '{"client_params": {"id": 1, "group": "default"}}',
            '{"client_params": {"id": "", "group": "default"}}',
            '{"client_params": {"id": {"$ne": ""}, "group": "default"}}',
            '{"client_params": {"id": "c988d2509fdf5cdcbed39037c56406fb", "group": ["default"]}}',
            json.dumps({"client_params": {"id": "x" * 300, "group": "default"}}),
        )
    ],
    *[
        (400, "failed_group", json.dumps({"client_params": {"id": IDS["w1"], "group": group}}), {"fleet_lock_protocol": "true"})
        for group in ("de fault", "default\n", "d_f", "gruppé", "*")
    ],
    (403, "unknown_group", json.dumps({"client_params": {"id": IDS["w1"], "group": "others"}}), {"fleet_lock_protocol": "true"}),
    *[
        (403, "unknown_client", f'{{"client_params": {{"id": {id_}, "group": "default"}}}}', {"fleet_lock_protocol": "true"})
        for id_ in ('"C988D2509FDF5CDCBED39037C56406FB"', '"\\ud800"', '"\\u001b[2J"', '"w1"')
    ],
]  # fmt: skip


def test_whatever_hostile_is_sent_there_is_one_clear_no_and_nothing_in_the_journal(tmp_path: Path) -> None:
    store = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    with fleet(tmp_path) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        for path in ("/v1/pre-reboot", "/v1/steady-state"):
            for status, kind, body, headers in HOSTILE:
                answer = page.ask(path, method="POST", body=body, **headers)
                assert (answer.status, answer.document["kind"]) == (status, kind), (body, answer.body)
                assert answer.document["value"]
                assert "set-cookie" not in {name.lower() for name in answer.headers}
            for method in ("GET", "PUT", "DELETE"):
                answer = page.ask(path, method=method, fleet_lock_protocol="true")
                assert (answer.status, answer.document["kind"]) == (405, "failed_method")
            bytes_ = page.ask(path, method="POST", body="\u00ff\u00fe", fleet_lock_protocol="true")
            assert bytes_.status == 400
            site = page.ask(path, method="POST", body=PUBLISHED, fleet_lock_protocol="true", sec_fetch_site="cross-site")  # fmt: skip
            assert site.status == 403
    assert slots(store) == []


def test_only_addresses_of_the_fleet_file_may_ask_and_without_a_fleet_file_there_are_no_slots(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path) as file:
        text = file.read_text()
        networks = "fleetlock:\n  networks: [192.0.2.0/24, '2001:db8::/32']\n"
        file.write_text(text.replace("fleetlock:\n", networks))
        with serving(tmp_path / "journal.db", "-f", str(file)) as page:
            assert clients(page)["w1"].pre_reboot() == (False, "failed_address")
        file.write_text(text.replace(f"{{id: {IDS['w1']}}}", f"{{id: {IDS['w1']}, address: 192.0.2.7}}"))
        with serving(tmp_path / "journal.db", "-f", str(file)) as page:
            assert clients(page)["w1"].pre_reboot() == (False, "unknown_address")
        with serving(tmp_path / "journal.db") as page:
            assert clients(page)["w1"].pre_reboot() == (False, "failed_no_slots")


def test_of_many_that_ask_two_servers_on_one_database_at_once_only_so_many_get_a_slot(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path)
    try:
        names = [f"h{number}" for number in range(8)]
        store = Journal(postgres.url)
        answers: dict[str, tuple[bool, str]] = {}
        with (
            fleet(tmp_path, names=["w1", *names], slots=2) as file,
            serving(postgres.url, "-f", str(file)) as one,
            serving(postgres.url, "-f", str(file)) as two,
        ):
            start = threading.Barrier(len(names))

            def ask(name: str, client: Client) -> None:
                start.wait()
                answers[name] = client.pre_reboot()

            asking = [
                threading.Thread(target=ask, args=(name, Client(page=page, id=name)))
                for name, page in zip(names, (one, two) * 4, strict=True)
            ]
            for thread in asking:
                thread.start()
            for thread in asking:
                thread.join()
            won = sorted(name for name, (got, _) in answers.items() if got)
            assert len(won) == 2, answers
            assert {kind for got, kind in answers.values() if not got} == {FULL}
            assert sorted(away_of(store).slots) == won
            # Both servers see a host come back; it is proven once.
            (tmp_path / "well").touch()
            for name in won:
                assert Client(page=two, id=name).steady_state() == (True, "")
            until(lambda: not away_of(store).slots)
            released = [event.host for event in slots(store) if event.kind == Kind.SLOT_RELEASED]
            assert sorted(released) == won
            postgres.stop()
            assert Client(page=one, id=names[0]).pre_reboot() == (False, "failed_journal")
            postgres.start()
    finally:
        postgres.stop()


def test_the_verb_says_who_has_a_slot_and_why_others_have_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'journal.db'}"
    verb = ("seatrial", "fleetlock", "status", "--database", url)
    assert "nobody has a slot" in ended(*verb, cwd=tmp_path).stdout
    with fleet(tmp_path) as file, serving(tmp_path / "journal.db", "-f", str(file)) as page:
        clients(page)["w1"].pre_reboot()
        clients(page)["w2"].pre_reboot()
    said = ended(*verb, cwd=tmp_path).stdout.splitlines()
    assert said[0].startswith("w1") and said[0].endswith("has its slot and has not said that it is back")
    assert said[1].startswith("w2           refused: semaphore currently full")
    document = json.loads(ended(*verb, "--json", cwd=tmp_path).stdout)
    assert [one["host"] for one in document["slots"]] == ["w1"]
    release = ("seatrial", "fleetlock", "release", "w1", "--database", url)
    assert ended(*release, cwd=tmp_path).returncode == 2, "a reason is wanted"
    assert ended(*release, "--why", "seen to", cwd=tmp_path).returncode == 0
    assert ended(*release, "--why", "seen to", cwd=tmp_path).returncode == 4, "there is none any more"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("w1: {id:", "w9: {id:", "'w9' is not a host"),
        (f"id: {IDS['w2']}", f"id: {IDS['w1']}", "'w1' has the same id"),
        ("    default:\n", "    default:\n      slots: 0\n", "slots"),
        ("    default:", "    de_fault:", "de_fault"),
        ("fleetlock:\n", "fleetlock:\n  networks: [192.0.2.1/24]\n", "without bits of a host"),
    ],
)
def test_a_mistake_in_the_fleet_file_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    with fleet(tmp_path) as file:
        text = file.read_text()
    assert old in text
    with pytest.raises(InputError) as wrong:
        parse(text.replace(old, new), filename="f")
    assert says in wrong.value.message


def test_a_host_that_nothing_could_prove_is_a_mistake(tmp_path: Path) -> None:
    with fleet(tmp_path) as file:
        text = file.read_text()
    lines = [line for line in text.splitlines() if "well" not in line and line != "checks:"]
    with pytest.raises(InputError) as wrong:
        parse("\n".join(lines), filename="f")
    assert "'w1' has neither flows nor checks: nothing could prove it after its reboot" in wrong.value.message
