"""A rehearsed rollout followed in a real Chromium: live, approved and aborted, at two widths, with a scan for accessibility."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from seatrial.journal.store import Journal
from seatrial.model.event import Event, Kind
from seatrial.web.described import description
from tests.checklist.told import environment
from tests.docs.pages import ROOT
from tests.engine.rehearsed import controlled as measured_rollout

from .journals import begun, busy, hostile, rehearsed
from .replayed import Replay
from .served import PATIENCE, serving
from .served import Page as Served
from .test_access import new_token

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
LOOKS = (("desk", "light"), ("phone", "dark"))
# Of a rehearsed story that has ended, and of a night on which a lot goes on.
ENDED = {
    "board": "/",
    "kernels": "/kernels",
    "rollout": "/rollouts/r1",
    "host": "/rollouts/r1/hosts/gw-s1",
    "journal": "/journal",
    "missing": "/no",
}
BUSY = {
    "busy-board": "/",
    "busy-rollout": "/rollouts/r1",
    "busy-host": "/rollouts/r1/hosts/gw-p2",
    "busy-kernels": "/kernels",
    "drift": "/drift",
    "drift-host": "/drift?host=gw-p1",
    "failovers": "/failovers",
    "failover": "/failovers/f1",
    "failover-stuck": "/failovers/f2",
    "busy-journal": "/journal",
    "rollout-journal": "/rollouts/r1/journal",
}
# What a browser does beside the page: none of it may leave the machine.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
CHROMIUM = "/usr/bin/chromium"
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


def test_the_browser_is_debians_and_no_download(browser: Browser) -> None:
    """On a machine that has nothing but what the Makefile installs: Playwright brings the driver and no browser."""
    package = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "chromium"], capture_output=True, text=True, check=True
    )
    assert package.stdout.partition("-")[0] == browser.version
    owner = subprocess.run(["dpkg-query", "-S", CHROMIUM], capture_output=True, text=True, check=True)
    assert owner.stdout == f"chromium: {CHROMIUM}\n"


def test_every_page_that_there_is_has_its_pictures() -> None:
    """What is pictured above is every page of the API's description, each with something in it, at both widths."""
    wanted = [path.removesuffix(".json") for path in description()["paths"] if path.endswith(".json")]
    assert len(wanted) >= 9 and set(WIDTHS) == {width for width, _ in LOOKS}
    pictured = {path.partition("?")[0] for path in (*ENDED.values(), *BUSY.values())}
    for path in wanted:
        form = re.sub(r"\{\w+\}", "[^/]+", "/" if path == "/board" else path)
        assert any(re.fullmatch(form, one) for one in pictured), path


@pytest.fixture
def artefacts() -> Path:
    """Where the pictures are kept, for people to look at: a folder that CI may collect, or pytest's own."""
    folder = Path(os.environ.get("SEATRIAL_ARTEFACTS", ".pytest_cache/pages"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened(browser: Browser, served: Served, width: str) -> tuple[Page, list[str]]:
    """A window, and what it says that is wrong: requests that leave the server, scripts that fail."""
    wide, high = WIDTHS[width]
    page = browser.new_page(viewport={"width": wide, "height": high})
    page.set_default_timeout(PATIENCE * 1000)
    wrong: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(served.url):
            wrong.append(f"asks {request.url}")

    page.on("request", asked)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    return page, wrong


def looked_at(
    page: Page, served: Served, pages: Mapping[str, str], artefacts: Path, width: str, look: str
) -> None:
    """Go to each page, keep its picture, and ask axe."""
    for name, path in pages.items():
        page.goto(served.url + path)
        expect(page.locator("h1")).to_have_count(1)
        page.screenshot(path=artefacts / f"{name}-{width}-{look}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width][0], (
            f"{name} is too wide"
        )
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{name}, {width}, {look}"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(rehearsed(tmp_path_factory.mktemp("story") / "it", "gateway-2021")) as served:
        yield served


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("night") / "journal.db"
    busy(path).close()
    with serving(path) as served:
        yield served


@pytest.mark.parametrize(("width", "look"), LOOKS)
def test_every_page_fits_is_accessible_and_asks_nobody_else(
    browser: Browser,
    ended: Served,
    night: Served,
    artefacts: Path,
    width: str,
    look: Literal["light", "dark"],
) -> None:
    for served, pages in ((ended, ENDED), (night, BUSY)):
        page, wrong = opened(browser, served, width)
        page.emulate_media(color_scheme=look)
        looked_at(page, served, pages, artefacts, width, look)
        assert wrong == []
        page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_place_to_sign_in_is_accessible(
    browser: Browser, tmp_path: Path, artefacts: Path, width: str
) -> None:
    begun(tmp_path / "journal.db").close()
    new_token(tmp_path / "tokens", "alice", "view")
    with serving(tmp_path / "journal.db", "--tokens", str(tmp_path / "tokens")) as served:
        page, wrong = opened(browser, served, width)
        looked_at(page, served, {"sign-in": "/sign-in"}, artefacts, width, "light")
        assert wrong == []
        page.close()


def test_what_a_host_says_runs_in_no_browser(browser: Browser, tmp_path: Path) -> None:
    hostile(tmp_path / "journal.db").close()
    with serving(tmp_path / "journal.db") as served:
        page, wrong = opened(browser, served, "desk")
        page.goto(f"{served.url}/rollouts/r1")
        expect(page.locator("#diagnosis")).to_contain_text("<script>alert(1)</script>")
        assert wrong == []
        page.close()


@contextlib.contextmanager
def controlled(folder: Path) -> Iterator[None]:
    """A rehearsed rollout whose second stage waits for a person, in a process of its own."""
    argv = [sys.executable, "-m", "tests.web.controlled", str(folder)]
    with subprocess.Popen(argv, cwd=ROOT, env=environment()) as process:
        try:
            yield
        finally:
            process.kill()


def test_a_rollout_is_followed_live_approved_paused_and_aborted(
    browser: Browser, tmp_path: Path, artefacts: Path
) -> None:
    Journal(f"sqlite:///{tmp_path / 'journal.db'}").close()
    with serving(tmp_path / "journal.db") as served:
        page, wrong = opened(browser, served, "desk")
        page.goto(served.url)
        expect(page.locator("h1")).to_contain_text("Nothing has been on trial yet")
        with controlled(tmp_path):
            page.get_by_role("link", name="r1", exact=True).click()
            expect(page.locator("#line")).to_have_text("live")
            expect(page.locator("#stages")).to_contain_text("wants a person's approval")
            # The page was open before: what follows comes over the live line, without a load.
            page.evaluate("window.stayed = true")
            expect(page.locator("#stages .host", has_text="gw-s1")).to_contain_text("blessed")
            page.get_by_text("Pause", exact=True).click()
            page.locator("form[action$='/pause'] input[name=why]").fill("lunch")
            page.keyboard.press("Enter")
            expect(page.locator("#head")).to_contain_text("Paused: lunch")
            page.get_by_role("button", name="Go on").click()
            expect(page.locator("#head")).not_to_contain_text("Paused")
            form = page.locator("form[action$='/approve']")
            form.locator("input[name=ticket]").fill("T42")
            form.get_by_role("button", name="Approve production").click()
            expect(page.locator("#lines")).to_contain_text("approved by you")
            page.evaluate("window.stayed = true")
            expect(page.locator("#head")).to_contain_text("blessed")
            expect(page.locator("#stages .host", has_text="gw-p2")).to_contain_text("blessed")
            assert page.evaluate("window.stayed")
            page.screenshot(path=artefacts / "live-blessed.png", full_page=True)
        assert wrong == []
        page.close()
    kinds = [
        event.kind
        for event in Journal(f"sqlite:///{tmp_path / 'journal.db'}").read("r1")
        if event.by == "you"
    ]
    assert kinds == [Kind.ROLLOUT_PAUSED, Kind.ROLLOUT_RESUMED, Kind.STAGE_APPROVED]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a rehearsed rollout whose soak has found the candidate worse."""
    folder = tmp_path_factory.mktemp("measured") / "it"
    assert measured_rollout(folder, "load", measured=True) == 0
    return folder / "journal.db"


def samples_of(arm: str) -> Callable[[Event], bool]:
    return lambda event: event.kind == Kind.SAMPLES and event.data["arm"] == arm


def drawn(page: Page, arm: str) -> int:
    """How many points the curves of an arm have in the picture that is on screen."""
    points: int = page.evaluate(
        """async (arm) => {
            const shown = document.querySelector("#soak img.curves");
            if (!shown.complete || !shown.naturalWidth) throw new Error("the picture is not on screen");
            const text = await (await fetch(shown.currentSrc)).text();
            const lines = [...new DOMParser().parseFromString(text, "image/svg+xml").querySelectorAll(`.s-${arm}`)];
            const sample = lines.shift();  // of the legend
            return lines.reduce((sum, one) => sum + one.getAttribute("points").trim().split(" ").length, 0);
        }""",
        arm,
    )
    return points


@pytest.mark.parametrize("width", WIDTHS)
def test_the_curves_of_a_soak_move_as_samples_come_in(
    browser: Browser, measured: Path, tmp_path: Path, artefacts: Path, width: str
) -> None:
    """A rehearsed soak, copied into the journal below an open page: good before anything is judged, then both."""
    replay = Replay(measured, tmp_path / "journal.db")
    with serving(tmp_path / "journal.db") as served:
        page, wrong = opened(browser, served, width)
        soak = page.locator("#soak")
        replay.until(lambda event: event.kind == Kind.TRIAL_BEGUN)
        page.goto(f"{served.url}/rollouts/r1/hosts/gw-s1")
        expect(page.locator("#line")).to_have_text("live")
        expect(soak).to_be_empty()
        page.evaluate("window.stayed = true")
        seen = []
        for number in (1, 2, 3):
            replay.until(samples_of("good"))
            expect(soak).to_contain_text(f"{15 * number} s of the good kernel")
            seen.append(drawn(page, "good"))
        # Of two series with a sample a second; where there is little room some of them share a point.
        assert seen[0] >= 30 and seen[2] >= seen[1] + 5 >= seen[0] + 10
        assert drawn(page, "candidate") == 0
        expect(soak).to_contain_text("nothing was judged yet")
        page.screenshot(path=artefacts / f"soak-before-{width}.png", full_page=True)
        replay.until(samples_of("candidate"))
        replay.until(lambda event: event.kind == Kind.VERDICT)
        expect(soak).to_contain_text("nothing counts yet")
        settling = drawn(page, "candidate")
        assert settling >= 4
        page.screenshot(path=artefacts / f"soak-settling-{width}.png", full_page=True)
        replay.until(lambda event: event.data.get("outcome") == "fail")
        expect(soak).to_contain_text("disk.vda.latency is 3.18x")
        assert drawn(page, "candidate") > settling
        page.screenshot(path=artefacts / f"soak-failed-{width}.png", full_page=True)
        assert page.evaluate("window.stayed"), "it was never loaded anew"
        assert wrong == []
        page.close()


def test_an_abort_from_the_page_ends_the_rollout_on_screen(browser: Browser, tmp_path: Path) -> None:
    Journal(f"sqlite:///{tmp_path / 'journal.db'}").close()
    with serving(tmp_path / "journal.db") as served, controlled(tmp_path):
        page, wrong = opened(browser, served, "phone")
        page.goto(served.url)
        page.get_by_role("link", name="r1", exact=True).click()
        expect(page.locator("#stages")).to_contain_text("wants a person's approval")
        page.get_by_text("Abort", exact=True).focus()
        page.keyboard.press("Enter")
        page.locator("form[action$='/abort'] input[name=why]").fill("changed my mind")
        page.get_by_role("button", name="Abort the rollout").click()
        expect(page.locator("#head")).to_contain_text("aborted")
        assert wrong == []
        page.close()
