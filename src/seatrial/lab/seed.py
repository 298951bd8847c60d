"""What makes a host itself: its seed, a bare tar on a second disk, unpacked once by the guest's network unit.

What is in: packing files, names and keys. What is not: what the files say (gateway.py) and faults that are added
later over SSH (scenario.py).
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from seatrial.lab.topology import LabHost

_BLOCK = 64 * 1024


def pack(host: LabHost, *, authorized_key: str, host_key: Path) -> bytes:
    """The seed of a host. `host_key` is the private key's path; the public one lies beside it."""
    files = [
        ("etc/hostname", 0o644, f"{host.name}\n"),
        ("etc/hosts", 0o644, f"127.0.0.1 localhost\n127.0.1.1 {host.name}\n"),
        ("etc/ssh/ssh_host_ed25519_key", 0o600, host_key.read_text()),
        ("etc/ssh/ssh_host_ed25519_key.pub", 0o644, host_key.with_suffix(".pub").read_text()),
        ("root/.ssh/authorized_keys", 0o600, authorized_key),
        *host.files,
    ]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        made: set[str] = set()
        for path, mode, content in files:
            _directories(tar, path, made)
            entry = tarfile.TarInfo(path)
            data = content.encode()
            entry.mode, entry.size = mode, len(data)
            tar.addfile(entry, io.BytesIO(data))
    data = packed.getvalue()
    return data + b"\0" * (-len(data) % _BLOCK)


def _directories(tar: tarfile.TarFile, path: str, made: set[str]) -> None:
    # Only those that the image does not have get a mode here: tar would change the others.
    for directory, mode in (
        ("root/.ssh", 0o700),
        ("etc/seatrial-lab", 0o755),
        ("etc/keepalived", 0o755),
        ("run/seatrial", 0o755),
    ):
        if path.startswith(directory + "/") and directory not in made:
            made.add(directory)
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
