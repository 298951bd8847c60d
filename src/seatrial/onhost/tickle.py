# ruff: noqa: D103, UP031
"""Make clients of a service that has moved here connect again at once, in place of when their next retransmission is due.

What is in: `python3 - SERVICE PORT CLIENT:PORT ...` waits until the address is on this machine (a minute at most), and sends
each client an acknowledgement of nothing that it knows. The client answers it with its own, to a connection that is not known
here, and so is told by this kernel that there is none: it connects anew. Nothing is read and nothing else is sent. IPv4 only.
"""

from __future__ import annotations

import socket
import struct
import sys
import time

LIMIT = 60.0
# The kernel of a client answers such a segment at most twice a second, and a first one may meet an old neighbour entry.
TIMES = (0.0, 0.6, 1.4)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def segment(service: str, port: int, client: str, to: int) -> bytes:
    # Source, destination, sequence, acknowledgement, five words of header, ACK, window, checksum, urgent.
    head = struct.pack("!HHIIBBHHH", port, to, 1, 1, 5 << 4, 0x10, 1024, 0, 0)
    pseudo = (
        socket.inet_aton(service)
        + socket.inet_aton(client)
        + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head))
    )
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


def main(service: str, port: int, clients: list[str]) -> None:
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    ends = time.monotonic() + LIMIT
    while True:
        try:
            sender.bind((service, 0))
            break
        except OSError:
            if time.monotonic() > ends:
                return
            time.sleep(0.05)
    began = time.monotonic()
    for at in TIMES:
        time.sleep(max(0.0, began + at - time.monotonic()))
        for client in clients:
            host, _, to = client.rpartition(":")
            try:
                sender.sendto(segment(service, port, host, int(to)), (host, 0))
            except OSError:
                continue


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
