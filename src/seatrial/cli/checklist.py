"""Checklists on the command line: `seatrial check --checklist`, and `seatrial-checklist` in place of the old tool.

What is in: reading the file, the two sets of options and exit codes, and what is printed. What is not: running it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from seatrial.checklist.definition import Checklist
from seatrial.checklist.judge import Said, differences
from seatrial.checklist.reading import Unreadable, parse_bytes
from seatrial.checklist.telling import Machine, log_line, metric, told_apart, totals
from seatrial.cli.options import fleet, print_json
from seatrial.clock import SystemClock
from seatrial.errors import InputError, Interrupted
from seatrial.fleetfile.tree import MAX_CHARACTERS
from seatrial.model.result import Outcome, worst
from seatrial.model.text import duration
from seatrial.perform.checklist import DEFAULT_TIMEOUT, MOST_PARALLEL, Ran, Wish, run_here, run_there
from seatrial.perform.world import open_world
from seatrial.report.figures import as_prometheus
from seatrial.report.formats import as_document, as_junit, as_nagios

CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3, Outcome.SKIP: 0}
LONGEST = 86400.0
NO_TEST = "there is no test in this file, and a run of no test at all is never a success"
COLOURS = {"WARNING": "1;33", "ERROR": "1;31"}


def check_checklist(
    path: Path,
    *,
    source: str | None,
    fleet_file: Path,
    parallel: int | None,
    timeout: float | None,
    format: str,
) -> int:
    """Run the checklist here or from `source`, and tell it. Raises InputError for what is wrong with the input.

    Exit code 0 when all tests pass, 1 when some failed, 3 when something could not be found out or there is no test.
    """
    wish = Wish(
        timeout=_within(timeout, DEFAULT_TIMEOUT, "--timeout", 0.01, LONGEST),
        parallel=round(_within(parallel, 1, "--parallel", 1, MOST_PARALLEL)),
    )
    checklist = parse_bytes(_read(path), filename=str(path))
    for note in checklist.notes:
        print(f"seatrial: {note}", file=sys.stderr)
    text = format == "text"
    heard = Journal(checklist, _printer(sys.stdout)).hear if text else lambda _: None
    ran = asyncio.run(_run(checklist, wish, source, fleet_file, heard))
    return _tell(ran, format, told_already=source is None)


async def _run(
    checklist: Checklist, wish: Wish, source: str | None, fleet_file: Path, heard: Callable[[Said], None]
) -> Ran:
    if source is None:
        return await run_here(checklist, wish, heard) if checklist.tests else Ran(results=(), seconds=0.0)
    declared, _ = fleet(fleet_file)
    reaches = {**declared.vantages, **{name: host.reach for name, host in declared.hosts.items()}}
    if source not in reaches:
        raise InputError(f"there is no vantage {source!r}", hint=f"there are: {', '.join(sorted(reaches))}")
    if not checklist.tests:
        return Ran(results=(), seconds=0.0)
    reach = reaches[source]
    if reach.local:
        return await run_here(checklist, wish, heard)
    world = open_world(declared)
    try:
        # A namespace of this machine has this environment; only a login somewhere else brings another one.
        return await run_there(
            checklist, wish, world.places[source], "login" if reach.ssh else dict(os.environ)
        )
    finally:
        await world.close()


def _tell(ran: Ran, format: str, *, told_already: bool) -> int:
    results = ran.results
    code = CODES[worst(result.outcome for result in results)]
    apart = told_apart(results)
    diagnosis = "" if results else NO_TEST
    match format:
        case "json":
            print_json(as_document(apart, diagnosis=diagnosis, seconds=ran.seconds))
        case "junit":
            print(as_junit(apart, seconds=ran.seconds), end="")
        case "prometheus":
            print(as_prometheus(apart), end="")
        case "nagios":
            code, text = as_nagios(apart, diagnosis=diagnosis)
            print(text)
    # A document on standard output is nothing but the document.
    say = _printer(sys.stdout if format == "text" else sys.stderr)
    if format == "text":
        for result in results:
            if result.outcome is not Outcome.PASS:
                hint = f" (hint: {result.hint})" if result.hint else ""
                say("WARNING", f"{result.outcome.upper()} {result.check}: {result.because}{hint}")
            elif not told_already:
                say("INFO", f"PASS {result.check}: {result.because}")
        if not results:
            say("WARNING", NO_TEST)
        say("INFO", f"--- took {duration(ran.seconds)}")
    for line in totals(results):
        say("INFO", line)
    return code


class Journal:
    """Tells what the runner does while it does it, as the old tool did."""

    def __init__(self, checklist: Checklist, say: Callable[[str, str], None], *, debug: bool = False) -> None:
        self.checklist = checklist
        self.say = say
        self.debug = debug

    def hear(self, said: Said) -> None:
        """Take one line of the runner."""
        if not 0 <= said.test < len(self.checklist.tests):
            return
        test = self.checklist.tests[said.test]
        if said.word == "begins":
            self.say("INFO", f"running: {test.name}")
        if said.word != "ran" or not 0 <= said.cmd < len(test.cmds):
            return
        if self.debug:
            self.say("DEBUG", f"running command: {said.ran}")
            self.say("DEBUG", f"return code {said.status}, {said.seconds:g} s")
            self.say("DEBUG", f"stdout '{said.stdout.text}', stderr '{said.stderr.text}'")


def _printer(stream: object) -> Callable[[str, str], None]:
    """Prints log lines; a level has its colour on a terminal only."""
    colour = getattr(stream, "isatty", lambda: False)()

    def say(level: str, text: str) -> None:
        shown = f"\033[{COLOURS[level]}m{level}\033[0m" if colour and level in COLOURS else level
        line = log_line(SystemClock().now().astimezone(), shown, text)
        print(line, file=stream, flush=True)  # type: ignore[call-overload]

    return say


def _within(value: float | None, otherwise: float, option: str, least: float, most: float) -> float:
    if value is None:
        return otherwise
    # A value that is no number is not within anything either.
    if not least <= value <= most:
        raise InputError(f"{option} {value:g} is not possible", hint=f"give {least:g} to {most:g}")
    return value


def _read(path: Path) -> bytes:
    """The bytes of the file, at most as many as are read. Raises Unreadable."""
    try:
        # A device or a pipe may never end; four bytes are the most that one character takes.
        with path.open("rb") as file:
            return file.read(4 * MAX_CHARACTERS + 4)
    except OSError as problem:
        raise Unreadable(
            f"{path}: cannot be read: {problem.strerror}", hint="give the file of the checklist"
        ) from None


# --- the old tool's command line ---


def main() -> None:
    """`seatrial-checklist`: the options, exit codes, lines and metric of cmd-checklist-runner."""
    try:
        code = _main(_options().parse_args())
    except KeyboardInterrupt:
        code = Interrupted.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; how the tests ended cannot be told any more, and Python must not complain.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        code = 1
    sys.exit(code)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seatrial-checklist",
        description="Runs the commands of a checklist, in place of cmd-checklist-runner.",
        epilog="Exit codes: 0 although tests failed, unless --exit-code-fail: then 1; 1 the configuration is invalid or "
        "has no test at all; 2 the YAML cannot be read; 130 interrupted.",
    )
    parser.add_argument(
        "--config-file",
        "--config",
        type=Path,
        default=Path("cmd-checklist-config.yaml"),
        help="the checklist [default: %(default)s]",
    )
    parser.add_argument("--debug", action="store_true", help="say what each command returned")
    parser.add_argument("--exit-code-fail", action="store_true", help="exit with 1 when a test failed")
    parser.add_argument("--prometheus-output-file", type=Path, help="write the metric into this file")
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT,
        help="seconds that one command may take; the old tool had no limit [default: %(default)g]",
    )
    return parser


def _main(options: argparse.Namespace) -> int:
    say = _printer(sys.stdout)
    path: Path = options.config_file
    try:
        wish = Wish(timeout=_within(options.timeout, DEFAULT_TIMEOUT, "--timeout", 0.01, LONGEST))
        checklist = parse_bytes(_read(path), filename=str(path))
        if not checklist.tests:
            raise InputError(f"{path}: {NO_TEST}", hint="write one")
    except InputError as error:
        for line in error.message.splitlines():
            say("ERROR", line)
        return 2 if isinstance(error, Unreadable) else 1
    for note in checklist.notes:
        say("WARNING", note)
    machine = _machine()
    say("INFO", f"--- {machine.hostname} {machine.os} {machine.release}")
    say("INFO", "---")
    telling = _Old(checklist, say, debug=options.debug)
    ran = asyncio.run(run_here(checklist, wish, telling.hear))
    for index, result in enumerate(ran.results):
        if result.outcome is not Outcome.PASS and index not in telling.failed:
            say("WARNING", f"failed test: {result.check}: {result.because}")
    say("INFO", "---")
    for line in totals(ran.results):
        say("INFO", line)
    if options.prometheus_output_file is not None:
        text = metric(ran.results, config_file=os.path.abspath(path), machine=machine)  # noqa: PTH100
        try:
            write_atomically(options.prometheus_output_file, text)
        except OSError as error:
            say("ERROR", f"{options.prometheus_output_file}: cannot be written: {error.strerror}")
    failed = any(result.outcome is not Outcome.PASS for result in ran.results)
    return 1 if failed and options.exit_code_fail else 0


class _Old(Journal):
    """The old tool's words for a command that is not as wanted, at the time when it is known."""

    def __init__(self, checklist: Checklist, say: Callable[[str, str], None], *, debug: bool) -> None:
        super().__init__(checklist, say, debug=debug)
        self.failed: set[int] = set()

    def hear(self, said: Said) -> None:
        """Take one line of the runner."""
        super().hear(said)
        if said.word != "ran":
            return
        test = self.checklist.tests[said.test]
        wrong = differences(test.cmds[said.cmd], said) if said.status is not None else []
        for words in wrong:
            self.say("WARNING", f"cmd '{said.ran}', {words}")
        if wrong:
            self.failed.add(said.test)
            self.say("WARNING", f"failed test: {test.name}")


def _machine() -> Machine:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "[unknown OS]")
    except OSError:
        name = "[unknown OS]"
    return Machine(hostname=platform.node(), os=name, release=platform.release())


def write_atomically(path: Path, text: str) -> None:
    """Put a whole file where none or an older one is; whoever reads meanwhile sees one or the other. Raises OSError.

    The name on the way does not end as the file's own does, so that no collector of *.prom reads half of it.
    """
    before = path.with_name(f".{path.name}.{os.getpid()}~")
    try:
        descriptor = os.open(before, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(before, path)  # noqa: PTH105
    except OSError:
        with contextlib.suppress(OSError):
            before.unlink()
        raise


if __name__ == "__main__":
    main()
