"""A newcomer's shell, in which the commands of a page are typed one after the other.

What is in: a home of its own, the directory and the variables that one command leaves to the next, a `seatrial` on PATH
that is this checkout's, and the names under which a page knows what differs from machine to machine: its home, the
lab's kernels, the port of the page. What is not: which pages are read so.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from .pages import ROOT, Block, shown_in

LONG = 3600
HOME = "/home/you"
PORT = "127.0.0.1:8464"
GOOD, CANDIDATE = "6.1.0-47-cloud-amd64", "6.1.0-56-cloud-amd64"


@dataclass(slots=True, kw_only=True)
class Shell:
    """Where a newcomer stands: `home` is theirs, `where` the current directory, `kernels` the lab's own for the page's."""

    home: Path
    where: Path
    variables: dict[str, str]
    kernels: dict[str, str] = field(default_factory=dict)

    def type(self, block: Block) -> str:
        """Why what a block does is not what its page says, "" when it is."""
        if block.serves:
            return self._looked_at(block)
        left = self.home / ".left"
        script = f'{self._here(block.command)}\ncode=$?; pwd >"$LEFT"; env -0 >>"$LEFT"; exit $code'
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=self.where,
            env={**self.variables, "LEFT": str(left)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )
        if ended.returncode != block.exit:
            return f"it ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
        self._go_on(left)
        if block.lab:
            self._know_kernels(ended.stdout)
        printed = self._as_on_the_page(ended.stdout).rstrip("\n").splitlines()
        return shown_in(block.output, printed) if block.output else ""

    def _go_on(self, left: Path) -> None:
        where, _, rest = left.read_text().partition("\n")
        self.where = Path(where)
        pairs = (pair.partition("=") for pair in rest.split("\0") if pair)
        self.variables = {
            name: value for name, _, value in pairs if name not in ("LEFT", "_", "SHLVL", "PWD")
        }

    def _know_kernels(self, printed: str) -> None:
        """The archive moves on: a lab's kernels are the oldest and the newest that it had."""
        found = sorted(set(re.findall(r"\b6\.1\.0-(\d+)-cloud-amd64\b", printed)), key=int)
        if len(found) == 2:
            self.kernels = {GOOD: f"6.1.0-{found[0]}-cloud-amd64", CANDIDATE: f"6.1.0-{found[1]}-cloud-amd64"}

    def _here(self, command: str) -> str:
        for on_the_page, real in self.kernels.items():
            command = command.replace(on_the_page, real)
        return command

    def _as_on_the_page(self, text: str) -> str:
        for on_the_page, real in self.kernels.items():
            text = text.replace(real, on_the_page)
        return text.replace(str(self.home), HOME)

    def _looked_at(self, block: Block) -> str:
        """A program that serves: its first lines, its page while it runs, and its end when it is interrupted."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            here = "{}:{}".format(*free.getsockname())
        command = (
            block.command.replace(PORT, here) if PORT in block.command else f"{block.command} --listen {here}"
        )
        running = subprocess.Popen(
            ["bash", "-c", f"exec {self._here(command)}"],
            cwd=self.where,
            env={**self.variables, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert running.stdout is not None
            lines: list[str] = []
            for line in running.stdout:
                lines.append(self._as_on_the_page(line.rstrip("\n")).replace(here, PORT))
                if len(lines) >= len(block.output):
                    break
            wrong = shown_in(block.output, lines) if block.output else ""
            if not wrong:
                with urllib.request.urlopen(f"http://{here}/", timeout=60) as answer:
                    wrong = "" if answer.status == 200 else f"the page answers {answer.status}"
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=LONG)
        finally:
            running.kill()
            running.wait()
        return wrong or ("" if running.returncode == block.exit else f"it ended with {running.returncode}")


@contextmanager
def shell() -> Iterator[Shell]:
    """A shell in a checkout, with a home that is gone afterwards; the lab's images are those of the user."""
    # Short, because the paths of unix sockets are.
    with TemporaryDirectory(prefix="st-", dir="/tmp") as home:
        program = Path(home, ".bin", "seatrial")
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m seatrial "$@"\n')
        program.chmod(0o755)
        cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        variables = {
            "HOME": home,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "XDG_CACHE_HOME": cache,
            "SEATRIAL_BY": "you",
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
        }
        # It hears our end by the pipe, also when we are killed, and leaves no lab behind.
        after = subprocess.Popen(
            [
                "sh",
                "-c",
                "cat >/dev/null; cd ~/.local/state/seatrial/labs 2>/dev/null && for lab in *; do seatrial lab down $lab; done",
            ],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Shell(home=Path(home), where=ROOT, variables=variables)
        finally:
            after.communicate(timeout=LONG)
