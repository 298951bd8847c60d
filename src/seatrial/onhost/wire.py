# ruff: noqa: UP006, UP035, UP045, D103
"""What both ends of a flow probe share: how a probe is marked, how large it is, what a socket must be told.

What is not in: an end. This text takes the place of the import in beacon.py and prober.py when they are sent to
a vantage, so it has no __future__ line, and like them it runs on Python 3.7 with nothing but the standard library.
"""

import ctypes
import hashlib
import json
import resource
import socket
import struct
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

LIFETIME = 120.0  # seconds; the longest that a listener lives or a round of sending takes
MOST_PROBES = 20000
MOST_CONNECTIONS = 4096
MOST_SOURCES = 64
MOST_ORPHANS = 4096
MOST_ECHO = 65536
TCP_HEAD = 18  # the token and the number of bytes that follow it
MTU_DISCOVER = {4: (socket.IPPROTO_IP, 10), 6: (socket.IPPROTO_IPV6, 23)}
DONT, PROBE = 0, 3
OVERHEAD = {("udp", 4): 28, ("udp", 6): 48, ("icmp", 4): 28, ("icmp", 6): 48, ("tcp", 4): 40, ("tcp", 6): 60}
ECHO = {4: (8, 0), 6: (128, 129)}
RESET = struct.pack("ii", 1, 0)


def token_of(run: str, index: int, seq: int) -> bytes:
    """14 bytes that say whose probe this is; short, so that they fit a small packet."""
    return tag_of(run) + struct.pack("!HI", index, seq)


def tag_of(run: str) -> bytes:
    return b"sT" + hashlib.sha256(run.encode()).digest()[:6]


def read_token(tag: bytes, data: bytes) -> Optional[Tuple[int, int]]:
    if len(data) < 14 or data[:8] != tag:
        return None
    index, seq = struct.unpack_from("!HI", data, 8)
    return index, seq


def family_of(version: int) -> socket.AddressFamily:
    return socket.AF_INET if version == 4 else socket.AF_INET6


def version_of(address: str) -> int:
    return 6 if ":" in address else 4


def plain(address: str) -> str:
    return address.split("%")[0]


def attach_filter(sock: socket.socket, program: List[Tuple[int, int, int, int]]) -> None:
    """Let the kernel throw away what is not ours, so that a busy host costs nothing."""
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(code)
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", len(program), ctypes.addressof(held)))


def set_df(sock: socket.socket, version: int, df: bool) -> None:
    """With DF, probes keep their size whatever path MTU the kernel remembers: a hole must show every time."""
    level, option = MTU_DISCOVER[version]
    if version == 4 or df:
        sock.setsockopt(level, option, PROBE if df else DONT)
    if version == 6 and df:
        sock.setsockopt(socket.IPPROTO_IPV6, 62, 1)


def raise_limit() -> int:
    """Allow as many sockets as this login may have, at most 8192; returns how many there may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - 64, 16)


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1]))
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(version: int, ident: int, seq: int, payload: bytes) -> bytes:
    kind = ECHO[version][0]
    head = struct.pack("!BBHHH", kind, 0, 0, ident, seq & 0xFFFF)
    if version == 4:
        head = struct.pack("!BBHHH", kind, 0, checksum(head + payload), ident, seq & 0xFFFF)
    return head + payload


def answer_with(verbs: Dict[str, Callable[[Dict[str, Any]], Dict[str, Any]]], words: List[str]) -> int:
    """Run the verb that was asked for and print its answer as one JSON document."""
    if len(words) != 2 or words[0] not in verbs:
        sys.stderr.write("usage: python3 - " + "|".join(verbs) + " SPEC\n")
        return 2
    answer = verbs[words[0]](json.loads(words[1]))
    sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
    return 0
