"""The documents as a site: made in strict mode, it has every page in its navigation, and loads nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from .pages import ROOT

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "object": "data", "source": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made as `make docs` makes it: a dead link, anchor or page that is in no navigation ends it."""
    made = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-c",
            "docs/site",
            "-d",
            f"{made}/doctrees",
            ".",
            f"{made}/site",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return made / "site"


def navigation() -> dict[str, tuple[str, ...]]:
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs" / "site" / "conf.py")
    assert spec is not None and spec.loader is not None
    conf: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    found: dict[str, tuple[str, ...]] = conf.NAVIGATION
    return found


class Loads(HTMLParser):
    """What a browser fetches by itself for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name == LOADED.get(tag)]


def test_every_page_is_in_the_navigation_once() -> None:
    there = {
        str(page.relative_to(ROOT).with_suffix(""))
        for room in ("docs", "bench")
        for page in (ROOT / room).glob("*.md")
    }
    listed = [page for pages in navigation().values() for page in pages]
    assert sorted(listed) == sorted(there)


def test_the_order_is_that_of_a_newcomer() -> None:
    listed = [page.removeprefix("docs/") for pages in navigation().values() for page in pages]
    order = [
        "why",
        "tutorial",
        "rollout",
        "check",
        "soak",
        "failover",
        "drift",
        "kernels",
        "fleet",
        "page",
        "report",
        "security",
    ]
    assert [page for page in listed if page in order] == order
    assert listed.index("security") < listed.index("architecture")


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        reader = Loads()
        reader.feed(page.read_text(encoding="utf-8"))
        assert [url for url in reader.found if url.startswith(("http:", "https:", "//"))] == [], page
        for url in reader.found:
            if url and not url.startswith("data:"):
                there = (page.parent / re.split(r"[?#]", url)[0]).resolve()
                assert there.exists(), (page, url)
    styles = [
        text
        for sheet in site.rglob("*.css")
        for text in re.findall(r"url\(([^)]*)\)|@import", sheet.read_text())
    ]
    assert [url for url in styles if "//" in url and not url.strip("'\"").startswith("data:")] == []


def test_the_states_are_drawn_and_told_in_words(site: Path) -> None:
    page = (site / "docs" / "states.html").read_text(encoding="utf-8")
    assert "stateDiagram" not in page
    assert re.search(r"on-trial to exercised", page)
    drawn = [svg.read_text() for svg in site.rglob("graphviz-*.svg")]
    assert any("rebooting" in svg and "blessed" in svg for svg in drawn)


def test_a_reader_finds_a_word_without_a_network(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert (index.startswith("Search.setIndex(") and '"conntrack"' in index) or "conntrack:" in index


@pytest.mark.parametrize(
    ("page", "text", "says"),
    [
        ("docs/a.md", "# A\n\n[dead](gone.md)\n", "gone.md"),
        ("docs/a.md", "# A\n\n[dead](b.md#gone)\n", "gone"),
        ("docs/c.md", "# C\n", "docs/c"),
    ],
)
def test_a_dead_link_or_a_lost_page_is_named(tmp_path: Path, page: str, text: str, says: str) -> None:
    """The same configuration over three small pages."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# R\n")
    (tmp_path / "docs" / "a.md").write_text("# A\n")
    (tmp_path / "docs" / "b.md").write_text("# B\n")
    (tmp_path / page).write_text(text)
    conf = (ROOT / "docs" / "site" / "conf.py").read_text()
    own = tmp_path / "conf"
    own.mkdir()
    (own / "conf.py").write_text(
        conf
        + '\nNAVIGATION = {"All": ("docs/a", "docs/b")}\nhtml_static_path = html_css_files = html_extra_path = []\n'
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "dummy",
            "-c",
            str(own),
            str(tmp_path),
            str(tmp_path / "out"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0 and says in ended.stderr, ended.stderr
