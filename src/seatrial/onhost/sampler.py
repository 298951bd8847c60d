# ruff: noqa: D102, D103, PTH123, PTH208, SIM115, UP035
"""The sampler: reads how a host is doing, some times a second or less, and says the numbers as the kernel has them.

What is in: `python3 - SPEC` with SPEC as JSON: `seconds` to run, `every` so many seconds, `mounts` and `devices` to look
at (all NFS mounts, all whole disks when absent), `ports` whose TCP clients are told apart (NFS when absent), `root`
where /proc is below (for captured ones). It prints one JSON line that says which boot this is, then one for each
sample: `t` is the uptime, `v` the numbers by name, counters as they stand; the last one has what was new in the kernel's
log. What cannot be read is left out: a gap is no zero. It runs wherever Python is 3.7 or newer. What is not in: rates,
and any judgement, which are soak/readings.py's.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import sys
import time
from typing import Any, Callable, Iterator

LONGEST = 600.0
LEAST = 0.2
MOST_NAMES = 8
MOST_CLIENTS = 64
MOST_STATES = 1 << 18
MOST_MESSAGES = 10
NFS_PORT = 2049
# Looking through all processes, or counting what clients hold, may cost so much of one core in the mean, and no more.
LOOKING = 0.003
WHOLE_DISK = re.compile(
    r"(?:sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|md\d+|drbd\d+|dm-\d+|mmcblk\d+)\Z"
)
# Of nfsd's counters for NFSv4 operations, the numbers of those that clients wait for.
NFS4_OPERATIONS = {
    "access": 3,
    "close": 4,
    "commit": 5,
    "create": 6,
    "getattr": 9,
    "lookup": 15,
    "open": 18,
    "read": 25,
    "remove": 28,
    "rename": 29,
    "write": 38,
}


class Sources:
    """The files that stay open between samples: reading one anew costs a third of opening it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.files: dict[str, Any] = {}
        self.devices = spec.get("devices")
        self.mounts = spec.get("mounts")
        self.root = str(spec.get("root", ""))
        self.next_look = self.next_count = 0.0
        self.messages = 0
        self.new: list[str] = []
        self.kmsg = open_kmsg()
        self.clients = Clients(spec.get("ports", [NFS_PORT]))

    def read(self, path: str) -> str:
        held = self.files.get(path)
        if held is None:
            held = self.files[path] = open(self.root + path, "rb", buffering=0)
        held.seek(0)
        pieces = []
        while True:
            piece = held.read(65536)
            if not piece:
                break
            pieces.append(piece)
        return b"".join(pieces).decode("utf-8", "replace")

    def once(self, path: str, most: int) -> bytes:
        """What is there, or as much of it as is wanted: the kernel gives a page at a time."""
        pieces, left = [], most
        with open(path, "rb", buffering=0) as held:
            while left > 0:
                piece = held.read(left)
                if not piece:
                    break
                pieces.append(piece)
                left -= len(piece)
        return b"".join(pieces)


def open_kmsg() -> int:
    """The kernel's messages from now on; -1 where this login may not read them."""
    try:
        number = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(number, 0, os.SEEK_END)
        return number
    except OSError:
        return -1


def load(s: Sources, v: dict[str, float]) -> None:
    words = s.read("/proc/loadavg").split()
    v["load.1"], v["load.5"], v["load.15"] = (float(word) for word in words[:3])


def stat(s: Sources, v: dict[str, float]) -> None:
    for line in s.read("/proc/stat").splitlines():
        word, _, rest = line.partition(" ")
        if word == "ctxt":
            v["context.switches"] = float(rest)
        elif word == "procs_running":
            v["run.queue"] = float(rest)
        elif word == "procs_blocked":
            v["blocked"] = float(rest)
        elif word == "cpu":
            ticks = [float(number) for number in rest.split()]
            v["cpu.idle"], v["cpu.all"] = ticks[3], sum(ticks[:8])
            v["cpu.iowait"], v["cpu.softirq"] = ticks[4], ticks[6]


def waiting(s: Sources, v: dict[str, float]) -> None:
    """Threads in uninterruptible sleep by name. Looked for only when the kernel says that there are some.

    Where there are thousands of processes that is seldom; `looked` says when it is known who waits.
    """
    if "blocked" not in v:
        return
    if not v["blocked"]:
        v["looked"] = 1.0
        return
    if uptime() < s.next_look:
        return
    began = time.process_time()
    names: dict[str, int] = {}
    for pid in os.listdir(s.root + "/proc"):
        if not pid.isdigit():
            continue
        try:
            with open(s.root + "/proc/" + pid + "/stat", "rb", buffering=0) as held:
                text = held.read(512).decode("utf-8", "replace")
        except OSError:
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        if rest[1:2] == "D":
            # kworker/3:1-events and its kin count as one.
            name = re.split(r"[/:\d]", name)[0] or "unnamed"
            names[name] = names.get(name, 0) + 1
    for name in sorted(names, key=lambda one: -names[one])[:MOST_NAMES]:
        v["waiting." + name] = float(names[name])
    v["looked"] = 1.0
    s.next_look = uptime() + (time.process_time() - began) / LOOKING


def pressure(s: Sources, v: dict[str, float]) -> None:
    for kind in ("cpu", "io", "memory"):
        for line in s.read("/proc/pressure/" + kind).splitlines():
            words = line.split()
            v["pressure." + kind + "." + words[0]] = float(words[-1].partition("=")[2])


def disks(s: Sources, v: dict[str, float]) -> None:
    for line in s.read("/proc/diskstats").splitlines():
        words = line.split()
        name = words[2]
        if name not in s.devices if s.devices is not None else not WHOLE_DISK.match(name):
            continue
        numbers = [float(word) for word in words[3:14]]
        at = "disk." + name + "."
        v[at + "ops"], v[at + "ms"] = numbers[0] + numbers[4], numbers[3] + numbers[7]
        v[at + "sectors"], v[at + "queue"] = numbers[2] + numbers[6], numbers[10]


def nfs_server(s: Sources, v: dict[str, float]) -> None:
    for line in s.read("/proc/net/rpc/nfsd").splitlines():
        words = line.split()
        if words[0] == "rpc":
            v["nfsd.calls"], v["nfsd.bad"] = float(words[1]), float(words[2])
        elif words[0] == "io":
            v["nfsd.read.bytes"], v["nfsd.write.bytes"] = float(words[1]), float(words[2])
        elif words[0] == "proc4ops":
            for name, number in NFS4_OPERATIONS.items():
                v["nfsd." + name] = float(words[2 + number])


def nfs_clients(s: Sources, v: dict[str, float]) -> None:
    """NFSv4 clients by address: how long ago each was heard of, and how many files, locks and delegations it holds.

    A client may hold many thousands: counting them is done as seldom as is cheap enough.
    """
    place = s.root + "/proc/fs/nfsd/clients/"
    numbers = os.listdir(place)
    v["nfsd.clients"] = float(len(numbers))
    counting, began = uptime() >= s.next_count, time.process_time()
    for number in numbers[:MOST_CLIENTS]:
        try:
            info = s.once(place + number + "/info", 4096).decode("utf-8", "replace")
            states = s.once(place + number + "/states", MOST_STATES) if counting else b""
        except OSError:
            # It went away meanwhile.
            continue
        said = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
        at = "nfsd.client." + named(said.get("address", "").strip('"').rpartition(":")[0]) + "."
        renewed = said.get("seconds from last renew", "")
        if renewed.isdigit():
            # An address may have more than one client: the one that is silent for longest counts.
            v[at + "silent"] = max(float(renewed), v.get(at + "silent", 0.0))
        if counting and len(states) < MOST_STATES:
            v[at + "states"] = v.get(at + "states", 0.0) + states.count(b"\n")
    if counting:
        s.next_count = uptime() + (time.process_time() - began) / LOOKING


def named(address: str) -> str:
    """An address as part of a series' name, where a colon stands behind a place."""
    return address.strip("[]").replace(":", "-") or "unnamed"


class Clients:
    """Bytes and repeated segments of the TCP clients of some ports, by address, as the kernel counts them for each socket.

    It is asked through netlink (sock_diag), which needs no program and no rule of a firewall. What a connection had
    carried before it was first seen does not count, and neither does what it carries after it was seen last.
    """

    def __init__(self, ports: list[int]) -> None:
        self.ports = [int(port) for port in ports]
        self.sock: Any = None
        self.seen: dict[bytes, tuple[str, tuple[int, int, int]]] = {}
        self.sums: dict[str, list[float]] = {}
        self.begun = False

    def ask(self) -> None:
        seen: dict[bytes, tuple[str, tuple[int, int, int]]] = {}
        try:
            if self.sock is None:
                self.sock = socket.socket(16, socket.SOCK_RAW, 4)
                self.sock.settimeout(1.0)
            for port in self.ports:
                for family in (socket.AF_INET, socket.AF_INET6):
                    for said in self.dump(family, port):
                        note(said, seen)
        except OSError:
            # What is still to come of this answer must not be taken for the next one.
            if self.sock is not None:
                self.sock.close()
            self.sock = None
            raise
        self.add(seen)

    def dump(self, family: int, port: int) -> Iterator[bytes]:
        # The kernel passes over all others: a port of our own that is at least and at most this one.
        only = struct.pack("=BBHBBHBBHBBH", 2, 8, 20, 0, 0, port, 3, 8, 12, 0, 0, port)
        # Established TCP connections (state 1), with what TCP_INFO has.
        body = struct.pack("=BBBBI48x", family, 6, 2, 0, 1 << 1) + struct.pack("=HH", 20, 1) + only
        self.sock.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, 1, 0) + body)
        while True:
            for kind, said in messages_in(self.sock.recv(1 << 17)):
                if kind == 3:
                    return
                if kind == 2:
                    raise OSError("sock_diag does not answer")
                yield said

    def add(self, seen: dict[bytes, tuple[str, tuple[int, int, int]]]) -> None:
        for cookie, (name, now) in seen.items():
            # A connection that is new since the last sample began meanwhile; those of the first one did long ago.
            before = self.seen[cookie][1] if cookie in self.seen else (0, 0, 0) if self.begun else now
            if name not in self.sums and len(self.sums) >= MOST_CLIENTS:
                name = "others"
            sums = self.sums.setdefault(name, [0.0, 0.0, 0.0])
            for number in range(3):
                sums[number] += max(now[number] - before[number], 0)
        self.seen, self.begun = seen, True


def messages_in(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        yield kind, data[at + 16 : at + length]
        at += max((length + 3) & ~3, 16)


def note(said: bytes, seen: dict[bytes, tuple[str, tuple[int, int, int]]]) -> None:
    """One connection of sock_diag's answer: bytes both ways, segments sent, segments sent again."""
    raw = said[24:40]
    if said[0] == socket.AF_INET:
        address = socket.inet_ntop(socket.AF_INET, raw[:4])
    else:
        address = socket.inet_ntop(socket.AF_INET6, raw)
        address = address[7:] if address.startswith("::ffff:") else address
    at = 72
    while at + 4 <= len(said):
        length, kind = struct.unpack_from("=HH", said, at)
        if kind == 2 and length >= 4 + 140:
            acked, received, sent = struct.unpack_from("=QQI", said, at + 4 + 120)
            again = struct.unpack_from("=I", said, at + 4 + 100)[0]
            seen[said[44:52]] = named(address), (acked + received, sent, again)
        at += max((length + 3) & ~3, 4)


def clients(s: Sources, v: dict[str, float]) -> None:
    s.clients.ask()
    for name, (size, sent, again) in s.clients.sums.items():
        at = "client." + name + "."
        v[at + "bytes"], v[at + "sent"], v[at + "again"] = size, sent, again


def nfs_mounts(s: Sources, v: dict[str, float]) -> None:
    """Operations of NFS mounts: how many, and how many ms from being queued to being answered."""
    mount, ours = "", False
    for line in s.read("/proc/self/mountstats").splitlines():
        words = line.split()
        if line.startswith("device "):
            mount, ours = words[4], len(words) > 7 and words[7].startswith("nfs")
            ours = ours and (s.mounts is None or mount in s.mounts)
        elif (
            ours
            and len(words) >= 9
            and words[0].endswith(":")
            and words[0][:-1].isupper()
            and words[1] != "0"
        ):
            at = "mount." + mount + "." + words[0][:-1].lower() + "."
            v[at + "ops"], v[at + "ms"] = float(words[1]), float(words[8])
            v[at + "again"] = float(words[2]) - float(words[1])


def connections(s: Sources, v: dict[str, float]) -> None:
    v["conntrack.entries"] = float(s.read("/proc/sys/net/netfilter/nf_conntrack_count"))
    lines = s.read("/proc/net/stat/nf_conntrack").splitlines()
    names = lines[0].split()
    for name in ("insert_failed", "drop", "early_drop", "invalid"):
        column = names.index(name)
        v["conntrack." + name] = float(sum(int(line.split()[column], 16) for line in lines[1:]))


def packets(s: Sources, v: dict[str, float]) -> None:
    rows = [line.split() for line in s.read("/proc/net/softnet_stat").splitlines()]
    v["softnet.packets"] = float(sum(int(row[0], 16) for row in rows))
    v["softnet.dropped"] = float(sum(int(row[1], 16) for row in rows))
    v["softnet.squeezed"] = float(sum(int(row[2], 16) for row in rows))
    for line in s.read("/proc/net/dev").splitlines()[2:]:
        name, _, rest = line.partition(":")
        numbers = rest.split()
        if name.strip() != "lo":
            at = "net." + name.strip() + "."
            v[at + "bytes"] = float(numbers[0]) + float(numbers[8])
            v[at + "packets"] = float(numbers[1]) + float(numbers[9])
            v[at + "drops"] = float(numbers[3]) + float(numbers[11])


def tcp(s: Sources, v: dict[str, float]) -> None:
    head: list[str] = []
    for line in s.read("/proc/net/snmp").splitlines():
        if line.startswith("Tcp:"):
            words = line.split()
            if not head:
                head = words
                continue
            v["tcp.sent"] = float(words[head.index("OutSegs")])
            v["tcp.again"] = float(words[head.index("RetransSegs")])


def messages(s: Sources, v: dict[str, float]) -> None:
    """How many warnings and worse the kernel has written since the sampler began."""
    if s.kmsg < 0:
        return
    while True:
        try:
            record = os.read(s.kmsg, 8192)
        except BlockingIOError:
            break
        except OSError:
            # EPIPE: the ring went on faster than it was read; what was lost is counted as one.
            s.messages += 1
            continue
        digits, _, rest = record.partition(b",")
        if digits.isdigit() and int(digits) & 7 <= 4:
            s.messages += 1
            if len(s.new) < MOST_MESSAGES:
                line = rest.partition(b";")[2].split(b"\n")[0]
                s.new.append(line[:200].decode("utf-8", "replace"))
    v["kernel.warnings"] = float(s.messages)


SOURCES: tuple[Callable[[Sources, dict[str, float]], None], ...] = (
    load, stat, waiting, pressure, disks, nfs_server, nfs_clients, clients, nfs_mounts, connections, packets, tcp,
    messages,
)  # fmt: skip


def sample(s: Sources, missing: dict[str, int]) -> dict[str, float]:
    v: dict[str, float] = {}
    for source in SOURCES:
        if missing.get(source.__name__, 0) >= 3:
            continue
        try:
            source(s, v)
        except (OSError, ValueError, IndexError, struct.error):
            # What is not there three times is not there: looking again each time would cost.
            missing[source.__name__] = missing.get(source.__name__, 0) + 1
    return v


def uptime() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def main(words: list[str]) -> int:
    spec = json.loads(words[0])
    every = min(max(float(spec.get("every", 1.0)), LEAST), 60.0)
    seconds = min(max(float(spec["seconds"]), 0.0), LONGEST)
    sources = Sources(spec)
    missing: dict[str, int] = {}
    with open("/proc/sys/kernel/random/boot_id") as held:
        boot_id = held.read().strip()
    began = uptime()
    head = {
        "boot_id": boot_id,
        "kernel": os.uname().release,
        "cpus": os.cpu_count() or 1,
        "t": round(began, 3),
    }
    print(json.dumps(head), flush=True)
    for number in range(int(seconds / every) + 1):
        pause = began + number * every - uptime()
        if pause > 0:
            time.sleep(pause)
        elif pause < -every:
            # The host was too busy to be asked in time; that sample is a gap.
            continue
        at = uptime()
        v = sample(sources, missing)
        print(json.dumps({"t": round(at, 3), "v": v}, separators=(",", ":")), flush=True)
    end = {"end": round(uptime(), 3), "cpu": round(time.process_time(), 4), "new": sources.new}
    print(json.dumps(end))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
