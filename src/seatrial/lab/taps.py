"""A program of its own, run inside a lab's namespaces: opens taps and hands their descriptors to the warden.

Called as `taps.py SOCKET NAME...`. A tap belongs to the network namespace in which it is opened, and QEMU runs
outside; so the descriptors travel over a unix socket. It imports nothing of Seatrial, so that it starts quickly.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
import sys

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000


def main() -> None:
    """Open one tap for each name. Without IFF_VNET_HDR: only packets of real size cross the lab's wires."""
    opened = array.array("i")
    for name in sys.argv[2:]:
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
        opened.append(tap)
    with socket.socket(fileno=int(sys.argv[1])) as warden:
        warden.sendmsg([b"taps"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, opened)])


if __name__ == "__main__":
    main()
