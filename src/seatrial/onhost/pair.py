# ruff: noqa: D103, PTH115, PTH119, PTH123, PTH207, PTH208, UP031, UP035
"""What a host of an NFS pair shows before and after a move, besides what drbd-nfs.sh tells in a hurry.

What is in: `python3 - SPEC` with SPEC as JSON: `resource`, `volumes` (mount points), `pipes`, `wants` (lists of kind and name). It prints
facts, one a line, `name TAB value ...`: exports that are configured and served, lease and versions, clients, settings, whether
the peer of the replication answers, and who holds a volume; `audited` is the last one. It only reads, and runs wherever
Python is 3.7 or newer. One process asks all of it, since each further one costs a slow host a tenth of a second.
"""

from __future__ import annotations

import glob
import json
import os
import re
import subprocess
import sys
from typing import Any, Iterator

NFSD = "/proc/fs/nfsd"


def fact(*words: object) -> None:
    print("\t".join(" ".join(str(word).split()) for word in words))


def text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def link_of(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def ran(*argv: str, limit: float = 5.0) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=limit, check=False)
    except (OSError, subprocess.SubprocessError):
        return None


def exports() -> None:
    files = ["/etc/exports", *sorted(glob.glob("/etc/exports.d/*.exports"))]
    for file in files:
        # A line may go on with a backslash at its end.
        for line in text(file).replace("\\\n", " ").splitlines():
            line = line.split("#", 1)[0].strip()
            if line:
                fact("export", line)
    for path in sorted({line.split()[0] for line in text("/var/lib/nfs/etab").splitlines() if line.strip()}):
        fact("served", path)


def server() -> None:
    lease, grace = text(NFSD + "/nfsv4leasetime").strip(), text(NFSD + "/nfsv4gracetime").strip()
    if lease:
        fact("lease", lease, grace)
    versions = text(NFSD + "/versions").split()
    if versions:
        fact("versions", *versions)
    for file in ["/etc/nfs.conf", *sorted(glob.glob("/etc/nfs.conf.d/*.conf"))]:
        part = ""
        for line in text(file).splitlines():
            line = line.split("#", 1)[0].strip()
            if line.startswith("["):
                part = line
            key, _, value = line.partition("=")
            if part == "[nfsd]" and key.strip() in ("lease-time", "grace-time", "scope"):
                fact("conf", key.strip(), value.strip())


def clients() -> None:
    for folder in sorted(glob.glob(NFSD + "/clients/*")):
        info: dict[str, str] = {}
        for line in text(folder + "/info").splitlines():
            key, _, value = line.partition(": ")
            info[key] = value.strip('" ')
        states = sum(1 for line in text(folder + "/states").splitlines() if line.startswith("- "))
        number = os.path.basename(folder)
        known = [info.get(key, "") or "-" for key in ("minor version", "address", "status")]
        fact("client", number, *known, states, info.get("name", "") or "-")


def settings(wants: list[list[str]]) -> None:
    for kind, of in wants:
        if kind == "sysctl":
            value = text("/proc/sys/" + of.replace("/", "\0").replace(".", "/").replace("\0", "."))
        elif kind == "scheduler":
            value = "".join(re.findall(r"\[(.*?)\]", text("/sys/block/%s/queue/scheduler" % of)))
        else:
            said = ran("tc", "qdisc", "show", "dev", of)
            value = " ".join(line for line in said.stdout.splitlines() if " root " in line) if said else ""
        fact("want", kind, of, value or "-")


def replication(resource: str) -> None:
    said = ran("drbdsetup", "show", resource)
    shown = re.search(
        r"remote_host\D*?ipv[46]\s+\[?([0-9a-fA-F.:]+?)\]?:\d+\s*;", said.stdout if said else "", re.S
    )
    if not shown:
        fact("link", "unknown")
        return
    asked = ran("ping", "-n", "-q", "-c", "2", "-i", "0.2", "-W", "1", shown.group(1))
    fact("link", shown.group(1), "yes" if asked and asked.returncode == 0 else "no")


def records(pipes: str) -> None:
    pipe = pipes.rstrip("/") + "/nfsd/cld"
    for pid in processes():
        if text("/proc/%s/comm" % pid).strip() == "nfsdcld":
            fact("records", "yes" if pipe in held("/proc/" + pid) else "no")
            return
    fact("records", "no")


def processes() -> Iterator[str]:
    return (name for name in os.listdir("/proc") if name.isdigit())


def mounts(pid: str) -> Iterator[list[str]]:
    """Of each mount its words: number, number of the one below, device, root, where, options, and how it propagates up to `-`."""
    for line in text("/proc/" + pid + "/mountinfo").splitlines():
        words = line.split()
        if len(words) > 6:
            yield words


def below(known: list[list[str]], one: list[str], *kinds: str) -> set[str]:
    """The groups of propagation of the mount that one is mounted on: `shared:1` tells its group, `master:1` follows that one."""
    said = [words for words in known if words[0] == one[1]]
    options = said[0][6 : said[0].index("-")] if said and "-" in said[0] else []
    return {word.partition(":")[2] for word in options if word.partition(":")[0] in kinds}


def keeps(known: list[list[str]], device: str, mount: str, told: set[str]) -> bool:
    """Whether a mount namespace has the device in a way that an unmount here does not take away.

    It takes away what is mounted at the same place on a mount that follows ours, which is what a unit with a /tmp of its own has.
    """
    return any(
        words[2] == device and not (words[4] == mount and told & below(known, words, "shared", "master"))
        for words in known
    )


def holders(mount: str) -> None:
    ours = list(mounts("self"))
    of_it = [words for words in ours if words[4] == mount]
    if not of_it:
        return
    device, told = of_it[-1][2], below(ours, of_it[-1], "shared")
    for words in ours:
        if words[2] == device and words[4] != mount:
            fact("holder", "mount", words[4], mount)
    here, spaces = link_of("/proc/self/ns/mnt"), set()
    for pid in processes():
        base = "/proc/" + pid
        if any(in_mount(path, mount) for path in held(base)) and pid != str(os.getpid()):
            program = text(base + "/comm").strip()
            # The daemon of the clients' records is the service's own, and is stopped with it.
            if program != "nfsdcld":
                unit = re.search(r"([^/]+\.(?:service|scope))\s*$", text(base + "/cgroup"), re.M)
                fact("holder", "process", pid, program, unit.group(1) if unit else "none", mount)
        space = link_of(base + "/ns/mnt")
        if space and space != here and space not in spaces:
            spaces.add(space)
            if keeps(list(mounts(pid)), device, mount, told):
                fact("holder", "namespace", pid, text(base + "/comm").strip(), mount)


def held(base: str) -> Iterator[str]:
    yield link_of(base + "/cwd")
    yield link_of(base + "/root")
    yield link_of(base + "/exe")
    try:
        names = os.listdir(base + "/fd")
    except OSError:
        return
    for name in names:
        yield link_of(base + "/fd/" + name)


def in_mount(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")


def main(spec: dict[str, Any]) -> None:
    exports()
    server()
    clients()
    records(spec["pipes"])
    settings(spec["wants"])
    replication(spec["resource"])
    for mount in spec["volumes"]:
        holders(mount)
    fact("audited")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
