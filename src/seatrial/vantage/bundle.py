"""Many Commands in one exec: the POSIX sh script that asks them, and the reading of its framed answer. Pure.

What is in: composing the script, cutting the two streams into sections while they arrive, and making Outputs of
them. What is not: how the script gets there, which is the transports' work.

The script uses no scratch file: the commands write to the two streams of the exec, and the shell writes a frame to
both after each. It therefore works where every disk is full, there is nothing to clean up, and what was answered
before a connection broke is here already. A frame begins with a boundary of 128 random bits that is in no process
list and in no environment on the far side, so no output can forge one. `read` and `printf` are built into sh, and
time comes from /proc/uptime: a command costs two processes, itself and its `timeout`.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.model.command import Command, Output, Trouble

# Seconds between TERM and KILL on the far side, and what the way back may take on top of a command's own limit.
GRACE = 2.0
MARGIN = 5.0
# What is kept of the text that came before the script began: a banner, or why there is no shell.
NOISE = 4096
# The longest frame that is waited for after its boundary.
FRAME = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why the commands that have not answered have no answer."""

    trouble: Trouble
    problem: str
    hint: str = ""


# `wait` can be interrupted by a trap where a foreground command cannot: a shell that is told to go takes its command
# along at once. `timeout` leads a process group of its own, so `kill -9 -PID` afterwards ends what a command left
# behind in it, as it would be ended on this machine too. A frame that cannot be written any more (the connection is
# gone) ends the shell by SIGPIPE, so that no further command is begun that nobody waits for.
_PROLOGUE = """\
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
st_b={boundary} st_p=
trap '[ -z "$st_p" ] || kill -9 "-$st_p" 2>/dev/null; exit 129' HUP INT TERM
st_f() {{
st_t=
read -r st_t st_r 2>/dev/null </proc/uptime
printf '%s %s\\n' "$st_b" "$1" >&2
printf '%s %s %s %s %s\\n' "$st_b" "$1" "$2" "${{st_t:--}}" "$3"
}}
st_e() {{
st_p=$!
wait "$st_p" 2>/dev/null
st_s=$?
kill -9 "-$st_p" 2>/dev/null
st_p= st_w=ran
case $st_s in 126|127)
case $(command -v "$2") in */*) ;; *) st_w=absent ;; esac
command -v timeout >/dev/null || st_w=timeless
esac
st_f "$1" "$st_s" "$st_w"
}}
"""

# Commands that need root are asked for by a login that is not root through `sudo -n timeout ...`, in this order: a
# `timeout` outside of sudo may not signal what runs as root. Whether sudo lets it is tried once for a bundle.
_PRIVILEGE = """\
st_u= st_m=
if [ "$(id -u)" != 0 ]; then
if st_m=$(sudo -n timeout 9 true 2>&1 </dev/null); then st_u='sudo -n'; else st_u=no; fi
fi
"""


def new_boundary() -> str:
    """128 random bits as text; every bundle has its own."""
    return secrets.token_hex(16)


def compose(commands: Sequence[Command], boundary: str) -> bytes:
    """The script that runs `commands` one after the other and frames what they write.

    All of it is one compound command, so that a script of which only the beginning arrived runs nothing: half a line
    may be another, worse command. Raises ValueError for an argv that no process can have.
    """
    lines = ["{", _PROLOGUE.format(boundary=boundary)]
    if any(command.root for command in commands):
        lines.append(_PRIVILEGE)
    lines.append("st_f begin 0 ran")
    lines += [_ask(index, command) for index, command in enumerate(commands)]
    lines.append("exit 0\n}\n")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _ask(index: int, command: Command) -> str:
    if not command.argv or any("\0" in word for word in command.argv):
        raise ValueError(f"{command.name}: argv must have a program and no NUL")
    bounded = f"timeout -k {GRACE:g} {seconds_of(command.timeout)} {shlex.join(command.argv)}"
    # printf is part of the shell: what is fed to a command is in no process list.
    feed = f"printf '{_escape(command.stdin)}' 2>/dev/null |" if command.stdin else ""
    source = "" if command.stdin else " </dev/null"
    ended = f"st_e {index} {shlex.quote(command.argv[0])}"
    if not command.root:
        return f"{feed}{bounded}{source} & {ended}"
    asked = f"{feed}$st_u {bounded}{source} & {ended}"
    return f'if [ "$st_u" = no ]; then printf %s "$st_m" >&2; st_f {index} 1 refused; else {asked}; fi'


def seconds_of(value: float) -> str:
    """A time limit as `timeout` reads it."""
    # 0 would mean "no limit" to timeout, and it does not read 1e+06.
    return f"{max(value, 0.001):.3f}".rstrip("0").rstrip(".")


_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b"'%\\") | {0x0A}
_ESCAPED = [chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in range(256)]


def _escape(data: bytes) -> str:
    return "".join([_ESCAPED[byte] for byte in data])


@dataclass(slots=True, kw_only=True)
class _Section:
    """What one command wrote to one stream; `words` are those of the frame that ended it."""

    kept: bytearray
    cut: bool = False
    words: list[bytes] | None = None


class Stream:
    """One stream of the answer, cut into sections while it arrives. It never keeps more than the limits allow."""

    def __init__(self, boundary: str, limits: Sequence[int]) -> None:
        self._mark = boundary.encode()
        self._limits = (NOISE, *limits)
        self._names = (b"begin", *(b"%d" % index for index in range(len(limits))))
        self._rest = b""
        self.sections = [_Section(kept=bytearray())]
        self.surplus = 0
        self.broken = False

    @property
    def closed(self) -> int:
        """How many commands have ended on this stream; -1 when the script has not begun."""
        return len(self.sections) - 2

    @property
    def complete(self) -> bool:
        """Whether the last frame is here, or nothing sensible can come any more."""
        return self.broken or len(self.sections) > len(self._limits)

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; says whether a section ended."""
        if self._rest:
            data = self._rest + data
        ended = False
        while not self.complete:
            at = data.find(self._mark)
            if at < 0:
                # The beginning of a boundary may be at the very end.
                at = max(0, len(data) - len(self._mark) + 1)
                self._keep(data[:at])
                self._rest = data[at:]
                return ended
            if at:
                self._keep(data[:at])
                data = data[at:]
            end = data.find(b"\n")
            if end < 0:
                self.broken = len(data) > FRAME
                self._rest = data
                return ended
            self._close(data[len(self._mark) : end])
            data = data[end + 1 :]
            ended = True
        self._rest = b""
        return ended

    def _keep(self, data: bytes) -> None:
        section = self.sections[-1]
        room = self._limits[len(self.sections) - 1] - len(section.kept)
        if len(data) <= room:
            section.kept += data
            return
        section.kept += data[: max(room, 0)]
        section.cut = True
        self.surplus += len(data) - max(room, 0)

    def _close(self, frame: bytes) -> None:
        words = frame.split()
        if not words or words[0] != self._names[len(self.sections) - 1]:
            self.broken = True
            return
        self.sections[-1].words = words
        self.sections.append(_Section(kept=bytearray()))
        self.surplus = 0


class Answer:
    """The answer to one bundle while it arrives: its script, its two streams, and the Outputs in the end."""

    def __init__(self, commands: Sequence[Command]) -> None:
        boundary = new_boundary()
        self.commands = tuple(commands)
        self.script = compose(commands, boundary)
        limits = [command.limit for command in commands]
        self.out = Stream(boundary, limits)
        self.err = Stream(boundary, limits)

    @property
    def answered(self) -> int:
        """How many commands have answered in full; -1 when the script has not begun."""
        return min(self.out.closed, self.err.closed)

    @property
    def complete(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.out.complete and self.err.complete

    @property
    def surplus(self) -> int:
        """Bytes that the running command wrote beyond its limit, and that were thrown away."""
        return max(self.out.surplus, self.err.surplus)

    @property
    def patience(self) -> float:
        """Seconds within which the next frame must come, if the far side keeps the command's own limit."""
        at = max(self.answered, 0)
        own = self.commands[at].timeout if at < len(self.commands) else 0.0
        return own + GRACE + MARGIN

    @property
    def noise(self) -> str:
        """What was said before the script began: a banner, or why there is no shell."""
        said = bytes(self.err.sections[0].kept) or bytes(self.out.sections[0].kept)
        if self.answered < 0:
            # A stream that ended short of a boundary's length has its last words in the rest.
            said += self.err._rest or self.out._rest
        return said.decode("utf-8", "replace").strip()

    def outputs(self, ending: Ending) -> list[Output]:
        """One Output for each command, in order; `ending` says why those that have no frame have no answer."""
        return [*self._outputs(ending)]

    def _outputs(self, ending: Ending) -> Iterator[Output]:
        began = self._uptime(0)
        for index, command in enumerate(self.commands):
            if index >= self.answered:
                yield self._unanswered(index, command, ending)
                continue
            ended = self._uptime(index + 1)
            seconds = max(0.0, round(ended - began, 2)) if began is not None and ended is not None else None
            began = ended
            yield self._judge(index, command, seconds)

    def _uptime(self, at: int) -> float | None:
        words = self.out.sections[at].words if at < len(self.out.sections) else None
        try:
            return float(words[2]) if words else None
        except (IndexError, ValueError):
            return None

    def _text(self, index: int) -> tuple[str, str, bool]:
        out, err = (
            stream.sections[index + 1] if index + 1 < len(stream.sections) else _Section(kept=bytearray())
            for stream in (self.out, self.err)
        )
        return out.kept.decode("utf-8", "replace"), err.kept.decode("utf-8", "replace"), out.cut or err.cut

    def _unanswered(self, index: int, command: Command, ending: Ending) -> Output:
        stdout, stderr, cut = self._text(index) if self.answered >= 0 else ("", "", False)
        return Output(
            command=command,
            status=None,
            stdout=stdout,
            stderr=stderr,
            truncated=cut,
            trouble=ending.trouble,
            problem=ending.problem,
            hint=ending.hint,
        )

    def _judge(self, index: int, command: Command, seconds: float | None) -> Output:
        stdout, stderr, cut = self._text(index)
        words = self.out.sections[index + 1].words
        status, why = _frame(words or ())
        ending = _ending(command, status, why, stderr, seconds)
        return Output(
            command=command,
            status=None if ending else status,
            stdout=stdout,
            stderr=stderr,
            seconds=seconds or 0.0,
            truncated=cut,
            trouble=ending.trouble if ending else None,
            problem=ending.problem if ending else "",
            hint=ending.hint if ending else "",
        )


def _frame(words: Sequence[bytes]) -> tuple[int | None, str]:
    try:
        return int(words[1]), words[3].decode("ascii", "replace")
    except (IndexError, ValueError):
        return None, "broken"


def _ending(
    command: Command, status: int | None, why: str, stderr: str, seconds: float | None
) -> Ending | None:
    program = command.argv[0]
    if status is None or why not in ("ran", "absent", "timeless", "refused"):
        return Ending(trouble=Trouble.BROKEN, problem="the far side sent a frame that makes no sense")
    if why == "refused":
        return Ending(
            trouble=Trouble.NO_PRIVILEGE,
            problem=f"`{program}` needs root, and sudo refuses: {stderr.strip() or 'no reason given'}",
            hint="let the login use `sudo -n` without a password (NOPASSWD), or log in as root",
        )
    if why == "timeless":
        return Ending(
            trouble=Trouble.NO_PROGRAM,
            problem="there is no `timeout`, without which nothing is run",
            hint="apt-get install coreutils",
        )
    if why == "absent":
        return Ending(
            trouble=Trouble.NO_PROGRAM,
            problem=f"there is no program `{program}` that can be run",
            hint=f"apt-get install {command.package}" if command.package else f"install `{program}`",
        )
    # 124 is timeout's own word, 137 the KILL that followed; a program may say either for itself, but not as late.
    late = seconds is None or seconds + 0.02 >= command.timeout
    if status in (124, 137) and late:
        return Ending(
            trouble=Trouble.TIMEOUT,
            problem=f"`{program}` did not end within {command.timeout:g} s and was ended",
        )
    return None
