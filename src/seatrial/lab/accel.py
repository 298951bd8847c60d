"""Which accelerator QEMU can use here. What is in: a probe with a guest of 512 bytes. What is not: starting guests.

`/dev/kvm` may exist and still not run a guest: it may abort on an MSR, or be so slow that a kernel never comes up.
So a boot sector that says "done" through the debug port is run both ways and the two are compared.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from seatrial.errors import LabError
from seatrial.lab.places import cache_home
from seatrial.vantage import process

# mov al, 0x2a; out 0xf4, al; hlt; jmp to the hlt. isa-debug-exit ends QEMU with (0x2a << 1) | 1.
_BOOT_SECTOR = bytes([0xB0, 0x2A, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD]).ljust(510, b"\0") + b"\x55\xaa"
_DONE = (0x2A << 1) | 1
_LIMIT = 5.0
_QEMU = "qemu-system-x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """What to give to `-accel` and `-cpu`, and in one sentence why."""

    accel: str
    cpu: str
    because: str

    @property
    def is_kvm(self) -> bool:
        """Whether the processor runs the guests by itself."""
        return self.accel == "kvm"


KVM = ("kvm", "qemu64,+rdrand")
# The default for translated code is a gigabyte for each guest; a quarter of it is enough for a kernel.
TCG = ("tcg,thread=multi,tb-size=256", "qemu64,+rdrand")


async def probe() -> Accelerator:
    """Find out by trying, once for each boot of this machine. Raises LabError when QEMU cannot run at all."""
    kept = cache_home() / "accelerator.json"
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    key = [boot_id, os.getuid(), *KVM, *TCG]
    try:
        known = json.loads(kept.read_text())
        if known["key"] == key:
            return Accelerator(**known["accelerator"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = await _try_both()
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"key": key, "accelerator": asdict(found)}))
    fresh.replace(kept)
    return found


async def _try_both() -> Accelerator:
    with TemporaryDirectory(prefix="seatrial-probe-") as scratch:
        sector = Path(scratch) / "sector"
        sector.write_bytes(_BOOT_SECTOR)
        tcg = await _try(sector, *TCG)
        if tcg is None:
            raise LabError(
                f"QEMU did not run a guest of 512 bytes within {_LIMIT:.0f} s, not even by software emulation",
                hint=f"run {_QEMU} --version, and look for what keeps both processors busy",
            )
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return _software("/dev/kvm does not exist or may not be opened")
        kvm = await _try(sector, *KVM)
    return judge(tcg=tcg, kvm=kvm)


def judge(*, tcg: float, kvm: float | None) -> Accelerator:
    """Choose by how long (seconds) the same tiny guest took each way; None means that it never ended."""
    if kvm is None:
        return _software(f"/dev/kvm is there and did not run a guest of 512 bytes within {_LIMIT:.0f} s")
    if kvm > max(1.0, 4 * tcg):
        return _software(
            f"/dev/kvm answers but took {kvm:.1f} s for a guest of 512 bytes that software emulation ran in {tcg:.1f} s"
        )
    return Accelerator(accel=KVM[0], cpu=KVM[1], because=f"KVM ran a guest of 512 bytes in {kvm:.1f} s")


def _software(why: str) -> Accelerator:
    return Accelerator(accel=TCG[0], cpu=TCG[1], because=f"{why}: software emulation is used")


async def _try(sector: Path, accel: str, cpu: str) -> float | None:
    argv = [
        _QEMU, "-machine", "pc", "-accel", accel, "-cpu", cpu, "-m", "16", "-nodefaults", "-no-user-config",
        "-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
        "-drive", f"file={sector},format=raw,if=ide,snapshot=on",
    ]  # fmt: skip
    try:
        ended = await process.run(argv, timeout=_LIMIT)
    except FileNotFoundError:
        raise LabError(f"{_QEMU} is not installed", hint="apt install qemu-system-x86") from None
    return ended.seconds if ended.status == _DONE else None
