# ruff: noqa: D103
"""What the kernel thinks of its own clock: adjtimex, asked by python3 from stdin because no tool of Debian's base shows it.

What is in: reading (`modes` is 0), as one JSON document. What is not in: any change of the clock, and any judgement.
It runs wherever Python is 3.7 or newer.
"""

from __future__ import annotations

import ctypes
import json
import sys

STA_UNSYNC = 0x0040
STA_NANO = 0x2000
TIME_ERROR = 5


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, which is the same for all libcs; the kernel writes no more than the rest."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    ]


def main() -> int:
    told = Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    if state < 0:
        sys.stderr.write("adjtimex: errno " + str(ctypes.get_errno()) + "\n")
        return 1
    answer = {
        "synchronised": state != TIME_ERROR and not told.status & STA_UNSYNC,
        "offset": told.offset / (1e9 if told.status & STA_NANO else 1e6),
        "error": told.maxerror / 1e6,
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
