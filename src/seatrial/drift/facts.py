"""Facts: everything that one audit of a host is made of, and the Commands that ask for it in one exec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from seatrial.boot.frames import Sections, read_sections
from seatrial.boot.method import BootMethod
from seatrial.boot.scripts import text
from seatrial.drift.read.boot import BootSide, Identity, read_boot, read_identity
from seatrial.drift.read.hardware import Hardware, read_hardware
from seatrial.drift.read.running import InForce, read_running
from seatrial.drift.read.services import Services, read_services
from seatrial.model.command import Command, Output
from seatrial.model.hostfacts import BootFacts

# An audit takes half a second; a guest under software emulation has been seen to need minutes on a busy machine.
TIMEOUT = 600.0
LIMIT = 4 * 1024 * 1024
_SCRIPTS = ("frame", "identity", "boot", "running", "services", "hardware")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a host said. `unread` names the sections that gave no answer; a question that needs one has none either."""

    identity: Identity
    boot: BootSide = field(default_factory=BootSide)
    running: InForce = field(default_factory=InForce)
    services: Services = field(default_factory=Services)
    hardware: Hardware = field(default_factory=Hardware)
    read: frozenset[str] = frozenset()
    whole: bool = True


@cache
def script() -> bytes:
    """The whole script, as it goes to a host."""
    return "".join(text(f"drift-{name}.sh") for name in _SCRIPTS).encode()


def snapshot_command(since: float = 0.0) -> Command:
    """What a snapshot is made of, a third of an audit's work; `since` (seconds since 1970) is when the one before was taken."""
    words = ("brief", str(int(since))) if since else ("brief",)
    return Command(
        name="drift.snapshot",
        argv=("sh", "-s", "--", *words),
        stdin=script(),
        root=True,
        timeout=TIMEOUT,
        limit=LIMIT,
    )


def read_snapshot(output: Output) -> Facts | None:
    """Facts from the Output of `snapshot_command`, as far as it asks; None when there is no whole answer."""
    if not output.answered:
        return None
    sections = read_sections(output.stdout)
    identity = read_identity(sections)
    if not sections.whole or not identity.kernel or not identity.now:
        return None
    return _facts(sections, identity, Sections(), None)


def commands(method: BootMethod, *, root: bool = True) -> tuple[Command, Command]:
    """The two Commands of an audit, for one exec. Without `root` much is not read, and said to be unread."""
    boot = method.facts()
    if not root:
        boot = Command(
            name=boot.name, argv=boot.argv, stdin=boot.stdin, timeout=boot.timeout, limit=boot.limit
        )
    facts = Command(
        name="drift.facts", argv=("sh", "-s"), stdin=script(), root=root, timeout=TIMEOUT, limit=LIMIT
    )
    return boot, facts


def read_facts(method: BootMethod, outputs: Sequence[Output]) -> Facts | None:
    """Facts from the Outputs of `commands`; None when the host said nothing that could be read."""
    if len(outputs) != 2 or not outputs[1].answered:
        return None
    sections = read_sections(outputs[1].stdout)
    identity = read_identity(sections)
    if not identity.kernel or not identity.now:
        return None
    grub = read_sections(outputs[0].stdout) if outputs[0].answered else Sections()
    boot = method.read(outputs[0])
    return _facts(sections, identity, grub, boot)


def _facts(sections: Sections, identity: Identity, grub: Sections, boot: BootFacts | None) -> Facts:
    return Facts(
        identity=identity,
        boot=read_boot(sections, grub, boot),
        running=read_running(sections),
        services=read_services(sections, identity),
        hardware=read_hardware(sections),
        read=frozenset((*sections.texts, *(f"grub.{name}" for name in grub.texts))),
        whole=sections.whole,
    )
