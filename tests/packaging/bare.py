"""A bare Debian of the release that the lab has, made for one script and gone with it.

What is in: mmdebstrap, and what the script said of each of its steps. What is not: what is tried in there (in_bare_debian.sh).
An ordinary user's is in a user namespace; root's, who needs none, has mounts and processes of its own. Nothing of this
machine is touched in either: all that is written is below one directory, which is removed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from seatrial.lab.image import SUITE

LIMIT = 3600.0
SCRIPT = Path(__file__).parent / "in_bare_debian.sh"
_STEP = re.compile(r"^== (.+)$", re.MULTILINE)


def tried(package: Path, folder: Path) -> Mapping[str, str]:
    """What the script said in each of its steps, by their names. Raises AssertionError where one went wrong."""
    scratch = folder / "bare"
    scratch.mkdir()
    log = folder / "bare.log"
    # Root of a user namespace may not enter pytest's own folders; mmdebstrap then takes /tmp, and tidies up there itself.
    place = {"TMPDIR": str(scratch)} if os.geteuid() == 0 else {}
    try:
        with log.open("w") as held:
            ended = subprocess.run(
                _argv(package),
                stdin=subprocess.DEVNULL,
                stdout=held,
                stderr=subprocess.STDOUT,
                env={**os.environ, **place, "LC_ALL": "C.UTF-8"},
                timeout=LIMIT,
                check=False,
            )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    said = log.read_text(errors="replace")
    assert ended.returncode == 0, said[-6000:]
    _, *parts = _STEP.split(said)
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))


def _argv(package: Path) -> list[str]:
    as_root = os.geteuid() == 0
    argv = ["setpriv", "--pdeathsig", "KILL"]
    if as_root:
        argv += ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
    argv += ["mmdebstrap", f"--mode={'root' if as_root else 'unshare'}", "--variant=apt", "--format=null"]
    argv += ["--components=main", '--aptopt=Apt::Install-Recommends "false"']
    argv += ['--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"]
    return [
        *argv,
        f"--customize-hook=upload {shlex.quote(str(package))} /tmp/seatrial.deb",
        f"--customize-hook=upload {shlex.quote(str(SCRIPT))} /tmp/try.sh",
        '--customize-hook=chroot "$1" sh /tmp/try.sh',
        SUITE,
        "-",
    ]
