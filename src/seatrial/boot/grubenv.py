"""Reading GRUB's environment block (1024 bytes), and whether GRUB itself can write it where it lies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from seatrial.boot.frames import Sections

_HEADER = "# GRUB Environment Block\n"
# File systems whose blocks GRUB may overwrite in place: no checksums of data, no copy on write.
_WRITABLE = frozenset({"ext2", "ext3", "ext4", "vfat", "msdos", "xfs"})
_LAYERS = (
    ("LVM-", "LVM"),
    ("CRYPT-", "LUKS"),
    ("mpath-", "multipath"),
    ("DMRAID-", "RAID"),
)
_DEVICES = (("md", "RAID"), ("bcache", "bcache"), ("drbd", "DRBD"), ("loop", "a loop device"), ("zd", "ZFS"))


# Its padding makes reading it dear, and it is the same at nearly every look.
@lru_cache(maxsize=256)
def read_env(block: str) -> Mapping[str, str] | None:
    """Names and values of the block, None when it is none. A backslash keeps what is after it (newline, backslash)."""
    if not block.startswith(_HEADER):
        return None
    values: dict[str, str] = {}
    for line in re.findall(r"(?:[^\\\n]|\\.)+", block[len(_HEADER) :], re.DOTALL):
        if line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if equals:
            values[name] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    return values


def env_problem(sections: Sections) -> str:
    """Why GRUB or the host cannot write the block, in one sentence; "" when both can."""
    if not sections.has("env-file"):
        # A look that did not ask about the file knows nothing against it; what is missing then is named elsewhere.
        if sections.has("env"):
            return ""
        return "GRUB has no environment block (/boot/grub/grubenv)"
    described = [*sections.lines("env-file"), "", "", ""]
    size, _, kind = described[0].partition(" ")
    if "symbolic link" in kind or described[2] != "/boot/grub/grubenv":
        return f"/boot/grub/grubenv is a link to {described[2] or 'somewhere'}, which GRUB does not follow when it writes"
    if "regular" not in kind or size != "1024" or read_env(sections.text("env")) is None:
        return "/boot/grub/grubenv is not an environment block of 1024 bytes"
    if problem := _place_problem(sections):
        return problem
    if described[1] != "writable":
        return "/boot/grub/grubenv cannot be written on this host (read-only, or protected by chattr +i)"
    return ""


def _place_problem(sections: Sections) -> str:
    mounts = sections.lines("mounts")
    words = mounts[0].split(" ") if mounts else []
    if len(words) < 4:
        return ""
    target, kind, source, options = words[:4]
    place = f"{target} is on {source.rsplit('/', 1)[-1]}"
    device = sections.lines("env-device")
    path, name, uuid = (*device, "", "", "")[:3]
    block = re.search(r"/virtual/block/([^/]+)", path)
    if block:
        layer = _layer(block.group(1), uuid)
        shown = name or block.group(1)
        return (
            f"GRUB cannot write its environment block on {layer} ({target} is on {shown}), "
            "so a one-shot boot would not fall back"
        )
    if kind not in _WRITABLE:
        return f"GRUB cannot write its environment block on {kind} ({place}), so a one-shot boot would not fall back"
    if "ro" in options.split(","):
        return f"{target} is mounted read-only, so GRUB's environment block cannot be changed"
    return ""


def _layer(device: str, uuid: str) -> str:
    for mark, layer in _LAYERS:
        # A partition of such a device says "part1-" before.
        if re.match(rf"(?:part\d+-)?{mark}", uuid):
            return layer
    if device.startswith("dm-"):
        return "device-mapper"
    return next((layer for mark, layer in _DEVICES if device.startswith(mark)), device)
