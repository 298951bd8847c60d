"""Who may look, approve and operate; and that another site, another name and a wrong token come to nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from seatrial.journal.store import Journal
from seatrial.model.event import Kind
from tests.checklist.told import environment
from tests.docs.pages import ROOT

from .journals import begun
from .served import Page, serving


def new_token(file: Path, name: str, role: str) -> str:
    argv = [
        sys.executable,
        "-m",
        "seatrial",
        "serve",
        "--tokens",
        str(file),
        "--new-token",
        name,
        "--role",
        role,
    ]
    ended = subprocess.run(argv, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    return ended.stdout.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    page: Page
    store: Journal
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    store = begun(folder / "journal.db")
    tokens = {
        role: new_token(folder / "tokens", f"who-{role}", role) for role in ("view", "approve", "operate")
    }
    with serving(folder / "journal.db", "--tokens", str(folder / "tokens")) as page:
        yield Guarded(page=page, store=store, tokens=tokens)


def wishes(store: Journal) -> list[str]:
    return [event.kind for event in store.read("r1") if event.kind != Kind.ROLLOUT_STARTED]


def test_the_file_of_tokens_holds_hashes_and_is_private(tmp_path: Path) -> None:
    token = new_token(tmp_path / "tokens", "alice", "view")
    assert token not in (tmp_path / "tokens").read_text()
    assert (tmp_path / "tokens").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "path", ["/", "/board.json", "/rollouts/r1.json", "/live", "/openapi.json", "/kernels"]
)
@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "Bearer " + "x" * 5000]
)
def test_without_a_token_of_ours_nothing_is_shown(guarded: Guarded, path: str, token: str) -> None:
    answer = guarded.page.ask(path, **({"authorization": token} if token else {}))
    assert answer.status == 401
    assert "6.1.0" not in answer.body


def test_a_browser_is_led_to_the_place_to_sign_in(guarded: Guarded) -> None:
    answer = guarded.page.ask("/rollouts/r1", accept="text/html")
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize(
    ("role", "wish", "status"),
    [("view", "approve", 403), ("view", "abort", 403), ("approve", "pause", 403), ("approve", "abort", 403)],
)
def test_a_role_may_not_what_is_above_it(guarded: Guarded, role: str, wish: str, status: int) -> None:
    before = wishes(guarded.store)
    token = f"Bearer {guarded.tokens[role]}"
    answer = guarded.page.wish(
        f"/rollouts/r1/{wish}", {"why": "no", "stage": "production"}, authorization=token
    )
    assert answer.status == status
    assert wishes(guarded.store) == before


def test_wishes_become_events_with_who_and_why(tmp_path: Path) -> None:
    store = begun(tmp_path / "journal.db")
    token = new_token(tmp_path / "tokens", "olga", "operate")
    with serving(tmp_path / "journal.db", "--tokens", str(tmp_path / "tokens")) as page:
        bearer = f"Bearer {token}"
        asked: dict[str, dict[str, str]] = {
            "approve": {"stage": "production", "why": "looked", "ticket": "T1"},
            "pause": {"why": "lunch\x1b[2J"},
            "resume": {},
            "abort": {"why": "enough"},
        }
        for wish, fields in asked.items():
            assert page.wish(f"/rollouts/r1/{wish}", fields, authorization=bearer).status == 201
        # Twice is refused, as the verb refuses it.
        assert page.wish("/rollouts/r1/approve", {"stage": "nowhere"}, authorization=bearer).status == 404
        again = page.wish("/rollouts/r1/abort", {"why": "enough"}, authorization=bearer)
        assert (again.status, again.document["exit_code"]) == (409, 4)
    events = store.read("r1")[1:]
    assert [(event.kind, event.by) for event in events] == [
        (Kind.STAGE_APPROVED, "olga"),
        (Kind.ROLLOUT_PAUSED, "olga"),
        (Kind.ROLLOUT_RESUMED, "olga"),
        (Kind.ROLLOUT_ABORTED, "olga"),
    ]
    assert events[0].data == {"stage": "production", "why": "looked", "ticket": "T1"}
    assert events[1].data == {"why": "lunch\\x1b[2J"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, 422), ({"why": "x" * 3000}, 422), ({"why": " \t\n"}, 422), ({"why": "x" * 9000}, 422)],
)
def test_a_wish_that_is_wrong_is_refused_and_leaves_nothing(
    guarded: Guarded, fields: dict[str, str], status: int
) -> None:
    before = wishes(guarded.store)
    bearer = f"Bearer {guarded.tokens['operate']}"
    assert guarded.page.wish("/rollouts/r1/abort", fields, authorization=bearer).status == status
    assert wishes(guarded.store) == before


@pytest.mark.parametrize("body", ["", "[]", "{", '{"why": 3}', "[" * 5000, '{"why": {"a": "b"}}', "\udcff"])
def test_what_cannot_be_read_is_refused(guarded: Guarded, body: str) -> None:
    bearer = f"Bearer {guarded.tokens['operate']}"
    sent = body.encode("utf-8", "surrogateescape").decode("latin-1")
    answer = guarded.page.ask(
        "/rollouts/r1/abort", method="POST", body=sent, content_type="application/json", authorization=bearer
    )
    assert answer.status == 422
    assert answer.document["hint"]


def signed_in(guarded: Guarded, role: str) -> str:
    answer = guarded.page.ask(
        "/sign-in",
        method="POST",
        body=f"token={guarded.tokens[role]}",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    return answer.headers["set-cookie"].partition(";")[0]


def test_a_form_wants_the_mark_of_its_session(guarded: Guarded) -> None:
    cookie = signed_in(guarded, "operate")
    form = {"method": "POST", "content_type": "application/x-www-form-urlencoded", "cookie": cookie}
    before = wishes(guarded.store)
    for body in ("why=x", "why=x&mark=", "why=x&mark=" + "0" * 64):
        assert guarded.page.ask("/rollouts/r1/abort", body=body, **form).status == 409
    assert wishes(guarded.store) == before
    shown = guarded.page.ask("/rollouts/r1", cookie=cookie).body
    mark = re.search(r'name="mark" value="([0-9a-f]{64})"', shown)
    assert mark
    answer = guarded.page.ask("/rollouts/r1/pause", body=f"why=lunch&mark={mark[1]}", **form)
    assert (answer.status, answer.headers["location"]) == (303, "/rollouts/r1")
    assert wishes(guarded.store)[len(before) :] == [Kind.ROLLOUT_PAUSED]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_another_site_can_send_nothing_here(guarded: Guarded, headers: dict[str, str]) -> None:
    before = wishes(guarded.store)
    bearer = f"Bearer {guarded.tokens['operate']}"
    answer = guarded.page.wish("/rollouts/r1/abort", {"why": "x"}, authorization=bearer, **headers)
    assert answer.status == 403
    assert wishes(guarded.store) == before


def test_signing_out_ends_the_session(guarded: Guarded) -> None:
    cookie = signed_in(guarded, "view")
    assert guarded.page.ask("/board.json", cookie=cookie).status == 200
    guarded.page.ask("/sign-out", method="POST", cookie=cookie)
    assert guarded.page.ask("/board.json", cookie=cookie).status == 401


def test_on_loopback_whoever_asks_by_address_is_you_and_other_names_are_turned_away(tmp_path: Path) -> None:
    begun(tmp_path / "journal.db").close()
    with serving(tmp_path / "journal.db") as page:
        assert page.ask("/board.json").status == 200
        assert page.ask("/board.json", host="rebound.example").status == 421
        answer = page.wish("/rollouts/r1/pause", {"why": "x"}, origin=page.url)
        assert answer.status == 201


def test_a_proxy_names_who_asks_and_nobody_else_can(tmp_path: Path) -> None:
    begun(tmp_path / "journal.db").close()
    (tmp_path / "people").write_text("olga operate\nvera view\n")
    words = ("--proxy-header", "X-Remote-User", "--people", str(tmp_path / "people"), "--proxy")
    with serving(tmp_path / "journal.db", *words, "127.0.0.1") as page:
        assert page.ask("/board.json").status == 401
        assert page.ask("/board.json", x_remote_user="mallory").status == 401
        assert page.ask("/board.json", x_remote_user="vera").status == 200
        assert page.wish("/rollouts/r1/pause", {"why": "x"}, x_remote_user="vera").status == 403
        assert page.wish("/rollouts/r1/pause", {"why": "x"}, x_remote_user="olga").status == 201
    with serving(tmp_path / "journal.db", *words, "192.0.2.1") as page:
        assert page.ask("/board.json", x_remote_user="olga").status == 401


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listen", "0.0.0.0:0"), "nobody would have to sign in"),
        (("--new-token", "alice"), "--new-token wants --tokens"),
        (("--proxy-header", "X-User"), "wants --proxy and --people"),
        (("--tokens", "/nowhere/tokens"), "cannot be read"),
    ],
)
def test_it_does_not_serve_without_knowing_who_asks(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    argv = [sys.executable, "-m", "seatrial", "serve", "--database", f"sqlite:///{tmp_path / 'j.db'}", *words]
    ended = subprocess.run(argv, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert said in ended.stderr and "hint:" in ended.stderr
