"""The documents tell of the program that there is: what they quote is run, what they name is there."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from cyclopts import App
from rich.console import Console

from seatrial import onhost
from seatrial.boot.refusals import refusals
from seatrial.checks import registry
from seatrial.cli.demo import ENDINGS
from seatrial.cli.lab import Scenario
from seatrial.cli.main import app
from seatrial.lab.fleet import fleet_text
from seatrial.lab.gateway import STAGES, gateway_topology
from seatrial.model import declared as shapes
from seatrial.model.check import CheckBase
from seatrial.model.command import Command, Output, Trouble
from seatrial.model.hostfacts import BootFacts
from seatrial.model.result import Outcome
from seatrial.model.trial import State

from .pages import FIRST, PAGES, ROOT, Block, anchors, blocks, fences, links, prose, shown_in

# What is cheap and needs nothing but the lab's fleet.yaml where it is run. Everything else is looked up in its `--help`.
CHEAP = ("schema", "check --plan")
# README.md and the tutorial are typed from end to end by test_read.py.
BLOCKS = [block for block in blocks() if block.page not in {page.name for page in FIRST}]
RUN = [block for block in BLOCKS if block.command.removeprefix("seatrial ") in CHEAP]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory of our own, so that nobody's journal is read or written."""
    made = tmp_path_factory.mktemp("state")
    fleet = fleet_text(gateway_topology(), lambda _: {"simulated": True})
    (made / "fleet.yaml").write_text(fleet, encoding="utf-8")
    return made


def run(words: str, state: Path) -> list[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(state),
        "PYTHONPATH": str(ROOT / "src"),
        "XDG_STATE_HOME": str(state),
        "SEATRIAL_BY": "you",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial", *shlex.split(words)],
        env=environment,
        cwd=state,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.rstrip("\n").splitlines()


@pytest.mark.parametrize("block", RUN, ids=str)
def test_what_a_page_quotes_is_what_the_program_prints(block: Block, state: Path) -> None:
    printed = run(block.command.removeprefix("seatrial "), state)
    assert block.output, f"{block} shows nothing of what it prints"
    assert shown_in(block.output, printed) == ""


def test_the_pages_quote_something_of_each_cheap_kind() -> None:
    assert {block.command for block in RUN} == {f"seatrial {words}" for words in CHEAP}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block not in RUN], ids=str)
def test_what_a_page_tells_to_type_is_there(block: Block) -> None:
    program, *words = shlex.split(block.command)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text()
        for word in words:
            assert "=" in word or re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE), (
                f"no target {word}"
            )
        return
    assert program == "seatrial", f"{block}: the documents quote seatrial and make only"
    verb = verb_of(words)
    assert verb, f"{block}: there is no such verb"
    text = help_of(verb)
    before = words[: words.index("--")] if "--" in words else words
    for option in (word.partition("=")[0] for word in before if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), (
            f"{block}: {option} is not in --help"
        )


def verb_of(words: list[str]) -> list[str]:
    here, verb = app, list[str]()
    for word in words:
        if word.startswith("-") or word not in list(here):
            break
        here = here[word]
        verb.append(word)
    return verb


def help_of(verb: list[str]) -> str:
    said = io.StringIO()
    app.help_print(verb, console=Console(file=said, width=300))
    assert f"Usage: seatrial {' '.join(verb)}" in said.getvalue()
    return said.getvalue()


def verbs(here: App, above: tuple[str, ...] = ()) -> Iterator[str]:
    for name in list(here):
        if name.startswith("-"):
            continue
        deeper = list(verbs(here[name], (*above, name)))
        yield from deeper or [" ".join((*above, name))]


def test_every_verb_is_told_of() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    known = list(verbs(app))
    assert {"check", "rollout start", "lab up"} <= set(known)
    assert [verb for verb in known if f"seatrial {verb}" not in text and f"`{verb}`" not in text] == []


def test_options_that_are_named_in_prose_exist() -> None:
    """Behind a verb in backticks: `seatrial rollout approve --stage NAME`."""
    for page in PAGES:
        for quoted in re.findall(r"`seatrial ([^`]+)`", prose(page)):
            words = shlex.split(quoted)
            verb = verb_of(words)
            assert verb, f"{page.name}: `seatrial {quoted}`: there is no such verb"
            for option in (word for word in words if word.startswith("--")):
                assert option in help_of(verb), f"{page.name}: `seatrial {quoted}`: no {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(there), f"{page.name}: {link}"


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {link.partition("#")[0] for link in links(ROOT / "README.md")}
    assert {f"docs/{page.name}" for page in PAGES[1:]} - linked == set()


def make_docs() -> Any:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "tools" / "make_docs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_made_from_the_code_is_fresh() -> None:
    made = make_docs()
    assert {"states.md", "fleet.md", "fleet-schema.json", "architecture.md"} <= set(made.DOCUMENTS)
    stale = []
    for name, make in made.DOCUMENTS.items():
        text = (ROOT / "docs" / name).read_text()
        if make(text) != text:
            stale.append(name)
    assert stale == [], "run `make generated`"
    assert made.states_drawing() in (ROOT / "docs" / "states.md").read_text()


def test_every_state_is_described() -> None:
    text = (ROOT / "docs" / "states.md").read_text()
    assert [str(each) for each in State if f"\n**{each}.** " not in text] == []


def test_every_kind_of_check_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs" / "checks.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(registry.KINDS)


def test_the_check_that_is_walked_through_works() -> None:
    declared, written = (text for kind, text in fences(ROOT / "docs" / "add-a-check.md") if kind == "python")
    names: dict[str, Any] = {**vars(shapes), "CheckBase": CheckBase, "Literal": Literal}
    exec(declared, names)
    names["HostnameCheck"].model_rebuild(_types_namespace=names)
    assert "from seatrial.model.check.host import HostnameCheck\n" in written
    exec(written.replace("from seatrial.model.check.host import HostnameCheck\n", ""), names)
    check = names["HostnameCheck"].model_validate({"kind": "hostname", "from": "vm", "name": "gw-p1"})
    (command,) = names["commands"](check)
    assert isinstance(command, Command) and command.safe

    def judged(**said: Any) -> Outcome:
        outcome: Outcome = names["judge"]("name", check, [Output(command=command, **said)]).outcome
        return outcome

    assert judged(status=0, stdout="gw-p1\n") is Outcome.PASS
    assert judged(status=0, stdout="gw-p2\n") is Outcome.FAIL
    assert judged(status=0, stdout="") is Outcome.UNKNOWN
    assert judged(status=None, trouble=Trouble.UNREACHABLE) is Outcome.UNKNOWN
    assert "hostname" not in registry.KINDS, "this check is there now: walk through another one"


def test_every_refusal_is_in_the_table_of_the_guard() -> None:
    facts = BootFacts(
        running="a", boot_id="b", uptime=1.0, kernels={}, saved_default=False, default=None, next=None
    )
    text = (ROOT / "docs" / "guard.md").read_text()
    asked = [result.check for result in refusals(facts, "a", "c")]
    assert len(asked) > 10
    assert [check for check in asked if f"`{check}`" not in text] == []


def test_every_file_of_the_guard_is_in_its_table() -> None:
    text = (ROOT / "docs" / "guard.md").read_text()
    script = (Path(onhost.__path__[0]) / "guard-state.sh").read_text()
    kept = set(re.findall(r"\$(?:etc|var)/([a-z]+)", script)) | {"guard", "seatrial-guard"}
    assert {"order", "state", "heartbeat", "ballast"} <= kept
    assert [name for name in kept if name not in text] == []


def test_the_bounds_of_the_beacon_are_the_real_ones() -> None:
    from seatrial.onhost import wire

    text = " ".join((ROOT / "docs" / "security.md").read_text().split())
    for said in (
        f"{wire.MOST_CONNECTIONS:,} connections of {wire.MOST_ECHO // 1024} KiB each",
        f"{wire.MOST_PROBES:,} probes",
        f"{wire.MOST_SOURCES} source addresses",
        f"after {wire.LIFETIME:.0f} s at the latest",
        f"a mark of {len(wire.token_of('r', 0, 0))} bytes",
    ):
        assert said in text, said


def test_every_address_and_scenario_of_the_lab_is_on_its_page() -> None:
    text = (ROOT / "docs" / "lab.md").read_text()
    topology = gateway_topology()
    nics = [nic for host in topology.hosts for nic in host.nics]
    nics += [nic for endpoint in topology.endpoints for nic in endpoint.nics]
    wanted = {address.partition("/")[0] for nic in nics for address in nic.addresses}
    wanted |= {address for stage in STAGES for address in (stage.lan_gateway, stage.wan_gateway)}
    wanted |= {host.name for host in topology.hosts} | {endpoint.name for endpoint in topology.endpoints}
    wanted |= set(topology.segments)
    assert [
        word for word in sorted(wanted) if not re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", text)
    ] == []
    assert [name for name in get_args(Scenario) if f"| `{name}` |" not in text] == []
    assert [name for name in ENDINGS if f"`{name}`" not in text] == []


def test_every_error_has_its_exit_code_in_the_readme() -> None:
    said = io.StringIO()
    app.help_print([], console=Console(file=said, width=300))
    epilogue = said.getvalue()[said.getvalue().index("Exit codes:") :]
    codes = re.findall(r"\b(\d+) [a-z]", epilogue)
    assert codes == re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
