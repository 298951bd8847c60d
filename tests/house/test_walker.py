"""The walker catches each kind of breach: on a small tree that has exactly that one, so that no rule can sleep."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rules import LONGER, MOST_FUNCTION_LINES, MOST_LINES, breaches
from .walk import modules

SAYS = '"""What is in."""\n'

BREACHES = [
    # Arrows.
    ("rollout/decide.py", "import seatrial.journal", "rollout/decide.py:2 imports seatrial.journal: that arrow goes up, from the pure floor of knowing to the ways out"),
    ("rollout/decide.py", "from seatrial import journal", "rollout/decide.py:2 imports seatrial.journal: that arrow goes up, from the pure floor of knowing to the ways out"),
    ("rollout/decide.py", "from seatrial.journal.store import Store", "rollout/decide.py:2 imports seatrial.journal: that arrow goes up, from the pure floor of knowing to the ways out"),
    ("rollout/decide.py", "from ..journal import store", "rollout/decide.py:2 imports seatrial.journal: that arrow goes up, from the pure floor of knowing to the ways out"),
    ("rollout/__init__.py", "from ..journal import store", "rollout/__init__.py:2 imports seatrial.journal: that arrow goes up, from the pure floor of knowing to the ways out"),
    ("rollout/decide.py", "def _f():\n    import seatrial.engine.turns", "rollout/decide.py:3 imports seatrial.engine: that arrow goes up, from the pure floor of knowing to the engine"),
    ("model/host.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from seatrial.boot import grub", "model/host.py:4 imports seatrial.boot: that arrow goes up, from the nouns to the pure floor of knowing"),
    ("model/host.py", "import importlib\nx = importlib.import_module('seatrial.cli.main')", "model/host.py:3 imports seatrial.cli: that arrow goes up, from the nouns to the commands"),
    ("errors.py", "import seatrial.model.host", "errors.py:2 imports seatrial.model: that arrow goes up, from the ground to the nouns"),
    ("__init__.py", "from seatrial.fleetfile import parse", "__init__.py:2 imports seatrial.fleetfile: that arrow goes up, from the package itself to the pure floor of knowing"),
    ("boot/grub.py", "from seatrial.ha import keepalived", "boot/grub.py:2 imports seatrial.ha: rooms on one floor do not know each other"),
    ("lab/up.py", "import seatrial.perform", "lab/up.py:2 imports seatrial.perform: rooms on one floor do not know each other"),
    ("onhost/beacon.py", "import seatrial.errors", "onhost/beacon.py:2 imports seatrial.errors: what is in onhost runs on other machines, no arrow leads to it or from it"),
    ("checks/flows.py", "from seatrial.onhost import wire", "checks/flows.py:2 imports seatrial.onhost: what is in onhost runs on other machines, no arrow leads to it or from it"),
    ("misc/thing.py", "", "misc/thing.py:1 stands in misc, a room that is on no floor: give it one in tests/house/layers.py"),
    # Doors.
    ("perform/act.py", "import subprocess", "perform/act.py:2 uses subprocess: the door to other programs is vantage/process.py"),
    ("perform/act.py", "from subprocess import run as go", "perform/act.py:2 uses subprocess.run: the door to other programs is vantage/process.py"),
    ("perform/act.py", "import os as o\nx = o.system('true')", "perform/act.py:3 uses os.system: the door to other programs is vantage/process.py"),
    ("perform/act.py", "import os\nx = os.execvp", "perform/act.py:3 uses os.execvp: the door to other programs is vantage/process.py"),
    ("vantage/ssh.py", "import asyncio\nx = asyncio.create_subprocess_exec", "vantage/ssh.py:3 uses asyncio.create_subprocess_exec: the door to other programs is vantage/process.py"),
    ("lab/up.py", "import pty", "lab/up.py:2 uses pty: the door to other programs is vantage/process.py"),
    ("perform/act.py", "import asyncssh", "perform/act.py:2 uses asyncssh: the door to the network is vantage/* and lab/wires.py and lab/taps.py and lab/qmp.py and web/listening.py and notify/send.py"),
    ("engine/turns.py", "from asyncio import open_connection", "engine/turns.py:2 uses asyncio.open_connection: the door to the network is vantage/* and lab/wires.py and lab/taps.py and lab/qmp.py and web/listening.py and notify/send.py"),
    ("cli/main.py", "import urllib.request", "cli/main.py:2 uses urllib.request: the door to the network is vantage/* and lab/wires.py and lab/taps.py and lab/qmp.py and web/listening.py and notify/send.py"),
    ("cli/main.py", "import uvicorn", "cli/main.py:2 uses uvicorn: the door to browsers is web/*"),
    ("engine/turns.py", "import sqlite3", "engine/turns.py:2 uses sqlite3: the door to the database is journal/* and engine/durable.py"),
    ("engine/turns.py", "from sqlalchemy.engine import Engine", "engine/turns.py:2 uses sqlalchemy.engine.Engine: the door to the database is journal/* and engine/durable.py"),
    ("cli/main.py", "from dbos import DBOS", "cli/main.py:2 uses dbos.DBOS: the door to the durable engine is engine/*"),
    ("perform/act.py", "import time", "perform/act.py:2 uses time: the door to time is clock.py"),
    ("perform/act.py", "import asyncio\nx = asyncio.sleep(1)", "perform/act.py:3 uses asyncio.sleep: the door to time is clock.py"),
    ("perform/act.py", "from datetime import datetime as when\nx = when.now()", "perform/act.py:3 uses datetime.datetime.now: the door to time is clock.py"),
    # Purity.
    ("soak/judge.py", "from seatrial.clock import monotonic", "soak/judge.py:2 uses seatrial.clock.monotonic: that looks at a clock, and the pure floor of judging is pure"),
    ("soak/judge.py", "from pathlib import Path", "soak/judge.py:2 uses pathlib.Path: that reads or writes, and the pure floor of judging is pure"),
    ("soak/judge.py", "import os", "soak/judge.py:2 uses os: that reads or writes, and the pure floor of judging is pure"),
    ("soak/judge.py", "x = open('a')", "soak/judge.py:2 uses builtins.open: that reads or writes, and the pure floor of judging is pure"),
    ("soak/judge.py", "def _f(x):\n    return x.read_text()", "soak/judge.py:3 uses .read_text: that reads or writes, and the pure floor of judging is pure"),
    ("soak/judge.py", "from importlib import resources", "soak/judge.py:2 uses importlib.resources: that reads or writes, and the pure floor of judging is pure"),
    ("soak/judge.py", "import logging", "soak/judge.py:2 uses logging: that logs, and the pure floor of judging is pure"),
    ("soak/judge.py", "print('x')", "soak/judge.py:2 uses builtins.print: that reads or writes, and the pure floor of judging is pure"),
    ("soak/judge.py", "import random\nx = random.random()", "soak/judge.py:3 uses random.random: that throws dice, and the pure floor of judging is pure"),
    ("kernels/order.py", "async def _f():\n    return 1", "kernels/order.py:2 waits (async): the pure floor of knowing is pure"),
    ("fleetfile/load.py", "import logging", "fleetfile/load.py:2 uses logging: that logs, and the pure floor of knowing is pure"),
    # Names, sizes and docstrings.
    ("perform/act.py", "class NodeList:\n    pass", "perform/act.py:2 is named NodeList: 'node' says nothing here"),
    ("perform/act.py", "def _to_target():\n    pass", "perform/act.py:2 is named _to_target: 'target' says nothing here"),
    ("perform/utils.py", "", "perform/utils.py:1 is named utils: 'utils' says nothing here"),
    ("perform/act.py", "def _long():\n" + "    x = 1\n" * MOST_FUNCTION_LINES, "perform/act.py:2 _long has 61 lines, more than 60: which two things is it?"),
    ("perform/act.py", "x = 1\n" * MOST_LINES, "perform/act.py:1 has 502 lines, more than 500: which two things is it?"),
    ("perform/act.py", "def act():\n    pass", "perform/act.py:2 act has no docstring"),
    ("perform/act.py", "class Act:\n    def act(self):\n        pass", "perform/act.py:3 act has no docstring"),
]  # fmt: skip

FINE = [
    ("rollout/decide.py", "from seatrial.model.trial import State\nfrom .fold import fold\nfrom seatrial.errors import Refused"),
    ("checks/round.py", "from seatrial.boot.grub import Grub"),
    ("vantage/process.py", "import subprocess, os, asyncio\nx = asyncio.create_subprocess_exec"),
    ("vantage/ssh.py", "import asyncssh, socket, os, asyncio\nx = os.path.join, asyncio.timeout"),
    ("lab/wires.py", "import socket"),
    ("clock.py", "import time\nfrom datetime import datetime\nx = datetime.now"),
    ("soak/judge.py", "import random, math\nfrom datetime import datetime\nx = random.Random(1), datetime.fromisoformat, 'time'"),
    ("soak/judge.py", "x = {}\ny = x.time, x.os, x.sleep"),
    ("fleetfile/load.py", "from pathlib import Path"),
    ("model/command.py", "from typing import Protocol\nclass Vantage(Protocol):\n    async def run(self):\n        'Runs.'"),
    ("onhost/beacon.py", "import socket, time, os, subprocess\nfrom seatrial.onhost.wire import send\ndef listen():\n    pass"),
    ("perform/act.py", "class _Quiet:\n    def act(self):\n        def inner():\n            pass\n\ndef _hidden():\n    pass"),
    ("perform/act.py", "from ast import Node\nx = Node.target"),
]  # fmt: skip


def plant(root: Path, path: str, text: str) -> list[str]:
    """The breaches of a package that has one file."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SAYS + text + "\n")
    return breaches(modules(root))


@pytest.mark.parametrize(("path", "text", "sentence"), BREACHES)
def test_a_breach_is_named_in_one_sentence(path: str, text: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in plant(tmp_path, path, text)


@pytest.mark.parametrize(("path", "text"), FINE)
def test_what_is_allowed_is_not_named(path: str, text: str, tmp_path: Path) -> None:
    assert plant(tmp_path, path, text) == []


def test_a_module_without_docstring_is_named(tmp_path: Path) -> None:
    (tmp_path / "clock.py").write_text("x = 1\n")
    assert breaches(modules(tmp_path)) == ["clock.py:1 has no docstring: say what is in, and what is not"]


def test_an_exception_in_the_table_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, text = "perform/act.py", "x = 1\n" * MOST_LINES
    monkeypatch.setattr("tests.house.rules.LONGER", {**LONGER, path: "it is one long list"})
    assert plant(tmp_path, path, text) == []
