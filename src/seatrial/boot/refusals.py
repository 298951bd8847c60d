"""May this host be put on trial? One Result for each question, with what to do about a no. UNKNOWN never passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seatrial.boot.grubcfg import by_number
from seatrial.model.hostfacts import BootFacts, InstalledKernel
from seatrial.model.result import Outcome, Result

MIN_ROOM = 16 * 1024 * 1024
MIN_INODES = 64
_SAVED_HINT = "set GRUB_DEFAULT=saved in /etc/default/grub, run update-grub, then grub-set-default '{entry}'"


def refusals(facts: BootFacts, good: str, candidate: str) -> tuple[Result, ...]:
    """Ask all of them, also when one says no: an operator wants to mend a host in one go."""
    return (
        _different(good, candidate),
        _running(facts, good),
        _installed(facts, "good", good),
        _default(facts, good),
        _installed(facts, "candidate", candidate),
        _entry(facts, candidate),
        _once(facts),
        _pending(facts),
        _menu(facts),
        _panic(facts, candidate),
        _room(facts),
        _packages(facts),
    )


def _answer(check: str, problem: str, fine: str, hint: str = "") -> Result:
    if problem:
        return Result(check=check, outcome=Outcome.FAIL, because=problem, hint=hint)
    return Result(check=check, outcome=Outcome.PASS, because=fine)


def _unread(facts: BootFacts, check: str, sections: Iterable[str]) -> Result | None:
    missing = [name for name in sections if name in facts.unread]
    if not missing:
        return None
    return Result(
        check=check,
        outcome=Outcome.UNKNOWN,
        because=f"the host could not say: {', '.join(missing)}",
        hint="run the boot.facts command on the host as root and look at what it complains of",
    )


def _different(good: str, candidate: str) -> Result:
    same = f"{candidate} is the good kernel and the candidate at once" if good == candidate else ""
    return _answer(
        "boot.different", same, f"{good} is to be followed by {candidate}", "name another candidate"
    )


def _running(facts: BootFacts, good: str) -> Result:
    problem = "" if facts.running == good else f"{facts.running} is running, not the good kernel {good}"
    return _answer(
        "boot.good-running",
        problem,
        f"{good} is running",
        "reboot into the good kernel first, or call this one good",
    )


def _installed(facts: BootFacts, role: str, version: str) -> Result:
    check = f"boot.{role}-installed"
    if unknown := _unread(facts, check, ("boot", "modules", "cfg")):
        return unknown
    kernel = facts.kernels.get(version)
    missing = list(_missing(kernel)) if kernel else ["its image in /boot"]
    problem = f"{version} is not complete: {' and '.join(missing)} missing" if missing else ""
    return _answer(
        check, problem, f"{version} is installed", f"apt install --reinstall linux-image-{version}"
    )


def _missing(kernel: InstalledKernel) -> Iterator[str]:
    if kernel.initrd_wanted and not kernel.initrd_present:
        yield "its initramfs"
    if not kernel.modules:
        yield "its modules"


def _default(facts: BootFacts, good: str) -> Result:
    check = "boot.good-default"
    if unknown := _unread(facts, check, ("cfg", "env")):
        return unknown
    kernel = facts.kernels.get(good)
    entry = (kernel.entry if kernel else None) or "ENTRY"
    problem, hint = "", _SAVED_HINT.format(entry=entry)
    if not facts.saved_default:
        problem = f"the default is fixed in grub.cfg ({facts.default_entry}), not a saved entry"
    elif not facts.default_entry:
        problem = "no default is saved, so that GRUB boots the first entry of its menu"
        hint = f"grub-set-default '{entry}'"
    elif facts.default != good:
        problem = f"the saved default is {facts.default or 'an entry of no known kernel'}, not {good}"
        hint = f"grub-set-default '{entry}'"
    elif by_number(facts.default_entry):
        problem = f"the saved default is a number ({facts.default_entry}), which the next new kernel moves"
        hint = f"grub-set-default '{entry}'"
    elif kernel is None or kernel.entry is None:
        problem, hint = f"the menu has no entry of its own for {good}", "run update-grub"
    return _answer(check, problem, f"{good} is the saved default", hint)


def _entry(facts: BootFacts, candidate: str) -> Result:
    check = "boot.candidate-entry"
    if unknown := _unread(facts, check, ("boot", "cfg")):
        return unknown
    kernel = facts.kernels.get(candidate)
    problem = "" if kernel and kernel.entry else f"the menu has no entry for {candidate}"
    return _answer(check, problem, f"the menu has {candidate}", "run update-grub and look at what it prints")


def _once(facts: BootFacts) -> Result:
    check = "boot.one-shot"
    if facts.env_problem:
        return _answer(check, facts.env_problem, "", env_hint(facts.env_problem))
    if unknown := _unread(facts, check, ("cfg", "env", "env-file", "env-device", "mounts")):
        return unknown
    return _answer(check, "", "one-shot boot works")


def env_hint(problem: str) -> str:
    """What to do about an environment block that the boot loader or the host cannot write."""
    if "GRUB cannot write" in problem:
        return "give /boot its own partition with ext4"
    if "grub.cfg" in problem:
        return "run update-grub"
    return "run grub-editenv /boot/grub/grubenv create, then grub-set-default, or make it writable"


def _pending(facts: BootFacts) -> Result:
    check = "boot.none-pending"
    if unknown := _unread(facts, check, ("env",)):
        return unknown
    problem = f"the next boot is taken already: {facts.pending}" if facts.pending else ""
    return _answer(
        check,
        problem,
        "no other one-shot boot is pending",
        "grub-editenv /boot/grub/grubenv unset next_entry prev_saved_entry, after asking who wanted it",
    )


def _menu(facts: BootFacts) -> Result:
    check = "boot.menu"
    if unknown := _unread(facts, check, ("cfg",)):
        return unknown
    return _answer(check, facts.menu_waits, "the boot menu waits for nobody", menu_hint(facts.menu_waits))


def menu_hint(problem: str) -> str:
    """What to do about a menu that can stop a headless boot."""
    if "password" in problem:
        return "add --unrestricted to CLASS in /etc/grub.d/10_linux, run update-grub"
    return "set GRUB_TIMEOUT=0 and GRUB_RECORDFAIL_TIMEOUT=0 in /etc/default/grub, run update-grub"


def _panic(facts: BootFacts, candidate: str) -> Result:
    check = "boot.panic"
    if unknown := _unread(facts, check, ("boot", "cfg")):
        return unknown
    kernel = facts.kernels.get(candidate)
    # A negative number reboots at once, 0 waits for ever.
    value = kernel.panic if kernel else 0
    problem = "" if value else f"panic= is not set for {candidate}: after a panic it would stand still"
    return _answer(
        check,
        problem,
        f"panic={value}",
        "add panic=10 to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub",
    )


def _room(facts: BootFacts) -> Result:
    check = "boot.room"
    if unknown := _unread(facts, check, ("room", "inodes", "mounts")):
        return unknown
    tight = [
        f"{place} has {free // 1024} KiB free" for place, free in facts.room.items() if _tight(place, free)
    ]
    tight += [f"{place} has {free} inodes free" for place, free in facts.inodes.items() if free < MIN_INODES]
    locked = [f"{place} is read-only" for place in facts.read_only]
    # Of no place at all: df answered, and not in a way that is known.
    problem = " and ".join(locked + tight) if facts.room else "the host did not say how much room it has"
    least = min(facts.room.values(), default=0) // (1024 * 1024)
    return _answer(
        check,
        problem,
        f"room for the guard ({least} MiB at least)",
        "make 16 MiB and 64 inodes free, and writable",
    )


def _tight(place: str, free: int) -> bool:
    """/boot is written in place; a separate one that is full of kernels is ordinary."""
    return free < MIN_ROOM and not place.startswith("/boot")


def _packages(facts: BootFacts) -> Result:
    check = "boot.packages"
    if unknown := _unread(facts, check, ("packages",)):
        return unknown
    shown = ", ".join(facts.half_configured[:5])
    problem = f"not wholly installed: {shown}" if shown else ""
    return _answer(
        check, problem, "no package is half configured", "dpkg --configure -a, then apt -f install"
    )
