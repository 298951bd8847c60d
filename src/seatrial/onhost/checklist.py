# ruff: noqa: B905, D101, D102, D103, PTH123, SIM105, UP006, UP035, UP045
"""The runner of a checklist: python3 reads it from stdin, here as on any other machine, and it installs nothing.

What is in: the commands of each test through /bin/sh -c, in order, until one is not as wanted; tests side by side where
that was asked for; time limits; outputs bounded while they are read. It runs wherever Python is 3.7 or newer. What is
not in: the rules (checklist/rules.py, whose text is sent behind this one) and the verdict, which is given at home.

A command finds what subprocess.run(shell=True) would give it: the environment, the working directory, a return code
that is negative after a signal; a process that it leaves in the background lives on. Its stdin is empty, and it has a
session of its own, so that it can be ended with all that it started. The runner is two processes: when the first one
is ended (Ctrl-C), or nobody reads what the second one says any more (a lost connection), that ends what runs.
"""

from __future__ import annotations

import json
import os
import queue
import select
import selectors
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

CHUNK = 65536


class Runner:
    def __init__(
        self, job: Dict[str, Any], rules: Mapping[str, Any], environment: Dict[bytes, bytes]
    ) -> None:
        self.job, self.rules = job, rules
        self.names = {os.fsdecode(key): os.fsdecode(value) for key, value in environment.items()}
        for key, value in job["envvars"]:
            self.names.setdefault(key, value)
        self.environment = {encode(key): encode(value) for key, value in self.names.items()}
        self.running: Set[int] = set()
        self.starting = threading.Lock()
        self.lock = threading.Lock()

    def tell(self, **said: Any) -> None:
        line = json.dumps(said, separators=(",", ":"))
        with self.lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def run(self) -> None:
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for index in range(len(self.job["tests"])):
            waiting.put(index)
        threads = [
            threading.Thread(target=self.take, args=(waiting,), daemon=True)
            for _ in range(min(self.job["parallel"], len(self.job["tests"])))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.tell(over=True)

    def take(self, waiting: queue.SimpleQueue[int]) -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.test(index)
            except Exception as error:
                # A thread that dies would leave the other tests unasked and nobody told.
                self.tell(test=index, broken=f"{type(error).__name__}: {error}")

    def test(self, index: int) -> None:
        self.tell(test=index, begins=True)
        for number, cmd in enumerate(self.job["tests"][index]):
            if not self.cmd(index, number, cmd):
                break
        self.tell(test=index, ends=True)

    def cmd(self, index: int, number: int, cmd: Dict[str, Any]) -> bool:
        """Says what came of it, and returns whether that is as wanted."""
        shown, text, problem = cmd["cmd"], None, ""
        try:
            text = shown = self.rules["expand"](cmd["cmd"], self.names, self.rules["MOST_COMMAND"])
        except self.rules["TooLong"]:
            problem = "with its variables filled in it is longer than Linux takes a command"
        began = time.monotonic()
        status, streams = None, [(b"", True), (b"", True)]
        if text is not None:
            try:
                status, streams = self.shell(text)
            except (OSError, ValueError) as error:
                problem = f"/bin/sh could not be started: {error}"
        told, fine = {}, status is not None and cmd["retcode"] in (None, status)
        for name, (data, whole) in zip(("stdout", "stderr"), streams):
            output, utf8 = self.rules["stripped"](data, whole)
            fine = fine and self.rules["as_wanted"](cmd[name], output, whole, utf8)
            sent = self.rules["excerpt"](cmd[name], output)
            told[name] = {"text": sent, "whole": whole and len(sent) == len(output), "utf8": utf8}
        self.tell(
            test=index,
            cmd=number,
            ran=shown[: self.rules["MOST_SHOWN"]],
            status=status,
            problem=problem,
            seconds=round(time.monotonic() - began, 3),
            **told,
        )
        return fine

    def shell(self, text: str) -> Tuple[Optional[int], List[Tuple[bytes, bool]]]:
        """The return code, or None when it did not end within its time, and what was kept of both outputs."""
        with self.starting:
            process = subprocess.Popen(
                [b"/bin/sh", b"-c", encode(text)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.environment,
                start_new_session=True,
            )
            self.running.add(process.pid)
        pipes = [process.stdout, process.stderr]
        try:
            outputs, ended = self.read(pipes, process)
            if not ended:
                end_group(process.pid)
                process.wait()
        finally:
            self.running.discard(process.pid)
            for pipe in pipes:
                if pipe is not None:
                    pipe.close()
        return process.returncode if ended else None, outputs

    def read(self, pipes: List[Any], process: Any) -> Tuple[List[Tuple[bytes, bool]], bool]:
        """Both outputs until nobody holds them any more and the shell has ended, or until the time is over."""
        deadline = time.monotonic() + self.job["timeout"]
        kept, whole, most = [bytearray(), bytearray()], [True, True], self.rules["MOST_OUTPUT"]
        with selectors.DefaultSelector() as selector:
            for number, pipe in enumerate(pipes):
                selector.register(pipe, selectors.EVENT_READ, number)
            while selector.get_map() and time.monotonic() < deadline:
                for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                    data = os.read(key.fd, CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                        continue
                    room = most - len(kept[key.data])
                    kept[key.data] += data[:room]
                    whole[key.data] = whole[key.data] and len(data) <= room
            ended = not selector.get_map()
        if ended:
            try:
                process.wait(max(0.01, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                ended = False
        return [(bytes(data), uncut) for data, uncut in zip(kept, whole)], ended


def encode(text: str) -> bytes:
    # Not by the locale: what the file says is UTF-8, wherever it runs.
    return text.encode("utf-8", "surrogateescape")


def end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass


def login_environment() -> Dict[bytes, bytes]:
    """The environment of the shell that the bundle began with, as `ssh host cmd` has it.

    The bundle's script sets LC_ALL and PATH for its own questions, and `timeout` stands between that shell and us; what
    a process began with stays readable in /proc.
    """
    pid = os.getppid()
    with open(f"/proc/{pid}/status", "rb") as file:
        above = next(line.split()[1].decode() for line in file if line.startswith(b"PPid:"))
    with open(f"/proc/{above}/environ", "rb") as file:
        pairs = (entry.partition(b"=") for entry in file.read().split(b"\0") if entry)
        return {key: value for key, _, value in pairs if key}


def environment_of(job: Dict[str, Any]) -> Dict[bytes, bytes]:
    if job["environment"] == "own":
        return dict(os.environb)
    if job["environment"] == "login":
        return login_environment()
    return {encode(key): encode(value) for key, value in job["environment"].items()}


def main(job: Dict[str, Any], rules: Mapping[str, Any]) -> None:
    environment = environment_of(job)
    if job["environment"] != "own":
        # A shell that runs something in the background makes it deaf to these; sshd's own children are not.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    heard, held = os.pipe()
    child = os.fork()
    if child:
        os.close(heard)
        os.waitpid(child, 0)
        return
    os.close(held)
    os.setsid()
    runner = Runner(job, rules, environment)
    threading.Thread(target=watch, args=(heard, runner), daemon=True).start()
    status = 1
    try:
        runner.run()
        status = 0
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        # At once: the interpreter that reads this script from stdin has nothing more to do.
        sys.stderr.flush()
        os._exit(status)


def watch(heard: int, runner: Runner) -> None:
    poll = select.poll()
    poll.register(heard, select.POLLIN)
    # Nothing but the loss of whoever reads it: sshd tells nobody that the connection is gone, it closes its pipes.
    poll.register(sys.stdout.fileno(), 0)
    poll.poll()
    # Held to the end: a command that is just being started is ended as well, and no other one begins.
    runner.starting.acquire()
    for pid in list(runner.running):
        end_group(pid)
    os._exit(1)
