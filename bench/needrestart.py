"""Twelve services of one guest, each in another state, asked by `needrestart -b` and by `seatrial drift` in one run.

    python bench/needrestart.py

needrestart and what it needs are fetched with apt-get and unpacked into the guest for this run; the image stays as it is.
What is in the table is what each of the two names; a state in which nothing is to be found shows a false finding.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.drift.made import make

from seatrial.clock import SystemClock
from seatrial.lab.lab import Lab
from seatrial.model.fleet import Fleet, Host, Reach, Stage
from seatrial.perform.drifting import audit
from seatrial.perform.world import open_world

HOST = "gw-s1"
PACKAGES = (
    "needrestart", "libmodule-find-perl", "libmodule-scandeps-perl", "libproc-processtable-perl", "libsort-naturally-perl",
    "libterm-readkey-perl", "libintl-perl", "gettext-base", "perl", "perl-modules-5.36", "libperl5.36", "libgdbm6",
    "libgdbm-compat4", "libdb5.3",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One service and what was done under it. `stale` is whether the next restart would change anything."""

    unit: str
    says: str
    stale: bool
    command: str = "/usr/local/bin/{unit} infinity"
    before: str = "cp /usr/bin/sleep /usr/local/bin/{unit}"
    then: str = ":"


_CHILD = "printf '#!/bin/sh\\n/usr/local/bin/{unit}-child infinity &\\nwait\\n' >/usr/local/bin/{unit}; chmod 755 /usr/local/bin/{unit}; cp /usr/bin/sleep /usr/local/bin/{unit}-child"
_PYTHON = "printf 'import time\\n{imports}while True: time.sleep(60)\\n' >/usr/local/bin/{unit}.py"
_MAPS = "/usr/lib/{unit}.so"
_LIBRARY = f"cp /usr/bin/sleep /usr/local/bin/{{unit}}; cp /usr/lib/x86_64-linux-gnu/libz.so.1 {_MAPS}"
_PRELOADED = f"/usr/bin/env LD_PRELOAD={_MAPS} /usr/local/bin/{{unit}} infinity"
_TLS = """cat >/usr/local/bin/{unit}.py <<'END'
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/{unit}/cert.pem", "/etc/{unit}/key.key")
listening = socket.create_server(("127.0.0.1", 8443))
while True:
    connection, _ = listening.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        pass
END
mkdir -p /etc/{unit}; echo 'certificate = /etc/{unit}/cert.pem' >/etc/{unit}/{unit}.conf; cp /root/old.pem /etc/{unit}/cert.pem; cp /root/old.key /etc/{unit}/key.key
touch -d '-1 hour' /etc/{unit}/*"""

STATES = (
    State(unit="st-fresh", says="nothing was done", stale=False),
    State(unit="st-restarted", says="its library was replaced, and it was restarted since", stale=False, before=_LIBRARY, command=_PRELOADED,
          then=f"cp {_MAPS} {_MAPS}.new; mv {_MAPS}.new {_MAPS}; systemctl restart {{unit}}"),
    State(unit="st-touched", says="settings of another service changed", stale=False, then="mkdir -p /etc/other; date >/etc/other/other.conf"),
    State(unit="st-library", says="a library was replaced", stale=True, before=_LIBRARY, command=_PRELOADED, then=f"cp {_MAPS} {_MAPS}.new; mv {_MAPS}.new {_MAPS}"),
    State(unit="st-deleted", says="a library was deleted", stale=True, before=_LIBRARY, command=_PRELOADED, then=f"rm {_MAPS}"),
    State(unit="st-program", says="its program was replaced", stale=True, then="cp /usr/bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/{unit}"),
    State(unit="st-child", says="the program of a child was replaced", stale=True, before=_CHILD, command="/usr/local/bin/{unit}",
          then="until pgrep -f {unit}-child >/dev/null; do :; done; cp /usr/bin/sleep /usr/local/bin/new; mv /usr/local/bin/new /usr/local/bin/{unit}-child"),
    State(unit="st-script", says="its script was changed", stale=True, before=_PYTHON.replace("{imports}", ""), command="/usr/bin/python3 /usr/local/bin/{unit}.py",
          then="touch -d '+2 seconds' /usr/local/bin/{unit}.py"),
    State(unit="st-import", says="what its script imports was changed", stale=True, before="echo >/usr/local/bin/st_part.py; " + _PYTHON.replace("{imports}", "import st_part\\n"),
          command="/usr/bin/python3 /usr/local/bin/{unit}.py", then="touch -d '+2 seconds' /usr/local/bin/st_part.py"),
    State(unit="st-settings", says="its settings were changed", stale=True, before="cp /usr/bin/sleep /usr/local/bin/{unit}; mkdir -p /etc/{unit}; date >/etc/{unit}/{unit}.conf",
          then="touch -d '+2 seconds' /etc/{unit}/{unit}.conf"),
    State(unit="st-certificate", says="its certificate was renewed", stale=True, before=_TLS, command="/usr/bin/python3 /usr/local/bin/{unit}.py",
          then="cp /root/new.pem /etc/{unit}/cert.pem; cp /root/new.key /etc/{unit}/key.key; touch -d '+2 seconds' /etc/{unit}/cert.pem"),
    State(unit="st-unit", says="its unit was changed and systemd not told", stale=True, then="sed -i s/infinity/9000000/ /etc/systemd/system/{unit}.service"),
)  # fmt: skip


def fetched(folder: Path) -> list[Path]:
    """The packages, by the ordinary client."""
    subprocess.run(
        ["apt-get", "download", *PACKAGES],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return sorted(folder.glob("*.deb"))


def unpacked(package: Path) -> bytes:
    """The files of a package, as a tar."""
    return subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True).stdout


async def prepare(lab: Lab, folder: Path) -> None:
    """needrestart in the guest, the certificates, and the twelve services."""
    for tar in map(unpacked, fetched(folder)):
        await lab.ssh(HOST, ["tar", "-C", "/", "-x", "--keep-directory-symlink"], stdin=tar, timeout=900)
    for name in ("old", "new"):
        made = make("web.example.test")
        await lab.ssh(HOST, ["sh", "-c", f"cat >/root/{name}.pem"], stdin=made.pem.encode())
        await lab.ssh(HOST, ["sh", "-c", f"cat >/root/{name}.key"], stdin=made.key.encode())
    lines = []
    for state in STATES:
        told = {"unit": state.unit}
        service = f"[Service]\\nExecStart={state.command.format(**told)}\\n[Install]\\nWantedBy=multi-user.target\\n"
        lines += [
            state.before.replace("{unit}", state.unit),
            f"printf '{service}' >/etc/systemd/system/{state.unit}.service",
        ]
    units = " ".join(state.unit for state in STATES)
    lines += [
        "systemctl daemon-reload",
        f"systemctl enable -q {units}",
        f"systemctl start {units}",
        "sleep 3",
    ]
    lines += [state.then.replace("{unit}", state.unit) for state in STATES]
    await lab.ssh(HOST, ["sh", "-e"], stdin="\n".join(lines).encode(), timeout=900)


async def compare() -> None:
    """Print the table."""
    lab = await Lab.up("needrestart", "gateway-staging", progress=lambda *_: None, owner_pid=os.getpid())
    try:
        with TemporaryDirectory() as folder:
            await prepare(lab, Path(folder))
        clock = SystemClock()
        began = clock.now()
        said = await lab.ssh(HOST, ["needrestart", "-b", "-r", "l"], timeout=1800)
        needrestart_took = (clock.now() - began).total_seconds()
        reach = Reach(ssh=HOST, ssh_config=str(lab.ssh_config))
        fleet = Fleet(
            version=1,
            name="bench",
            stages=(Stage(name="s"),),
            hosts={HOST: Host(stage="s", roles=("r",), reach=reach)},
        )
        world = open_world(fleet)
        began = clock.now()
        found = (await audit(world, (HOST,))).audits[HOST]
        took = (clock.now() - began).total_seconds()
        await world.close()
    finally:
        await lab.down()
    theirs = {
        line.partition(": ")[2].removesuffix(".service")
        for line in said.splitlines()
        if line.startswith("NEEDRESTART-SVC")
    }
    ours: dict[str, list[str]] = {}
    for one in found.findings:
        if one.name.startswith(("restart.", "running.unit")):
            ours.setdefault(one.what.split(" ")[0].removesuffix(".service"), []).append(one.name)
    print("| service | state | to be found | needrestart -b | seatrial drift |\n|---|---|---|---|---|")
    for state in STATES:
        mine = ", ".join(ours.get(state.unit, ())) or "no"
        print(
            f"| {state.unit} | {state.says} | {'yes' if state.stale else 'no'} | {'yes' if state.unit in theirs else 'no'} | {mine} |"
        )
    known = {state.unit for state in STATES}
    print(
        f"\nothers named by needrestart: {', '.join(sorted(theirs - known)) or 'none'}; by seatrial drift: {', '.join(sorted(set(ours) - known)) or 'none'}"
    )
    kernel = "; ".join(line for line in said.splitlines() if line.startswith("NEEDRESTART-K"))
    print(
        f"of kernels needrestart says: {kernel}; seatrial drift: {', '.join(one.because for one in found.findings if one.name.startswith('boot.')) or 'nothing'}"
    )
    print(
        f"wall s on a guest under software emulation: needrestart {needrestart_took:.0f}, seatrial drift {took:.0f}"
    )


if __name__ == "__main__":
    asyncio.run(compare())
