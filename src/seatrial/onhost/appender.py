# ruff: noqa: D103, PTH110, PTH120, PTH123, UP031, UP035
"""What clients feel of a move: records appended and synced one after the other, and a lock that is held all the while.

What is in, as `python3 - VERB ...`:
`append DATA LOG STOP` appends records with a checksum to DATA, syncs each, and writes a line to LOG for each one that was
acknowledged (number, when it was begun and when it was acknowledged, in seconds of this machine's own clock), until STOP is
there; `verify DATA LOG` reads every acknowledged record again; `hold FILE STOP` keeps a lock and uses it, `want FILE` says
whether another client is refused it. Each prints one JSON line at its end. It runs wherever Python is 3.7 or newer.
What is not in: any judgement.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import sys
import time
from typing import Any, Callable

SIZE = 4096
HEAD = 8 + 32


def record(number: int) -> bytes:
    body = hashlib.sha256(b"record %d" % number).digest() * ((SIZE - HEAD) // 32)
    body += bytes(SIZE - HEAD - len(body))
    return number.to_bytes(8, "big") + hashlib.sha256(body).digest() + body


def append(data: str, log: str, stop: str) -> dict[str, Any]:
    number = 0
    problems: list[str] = []
    folder = os.open(os.path.dirname(data) or ".", os.O_RDONLY)
    with open(data, "ab", buffering=0) as file, open(log, "w") as told:
        os.fsync(folder)
        while not os.path.exists(stop):
            began = time.monotonic()
            try:
                file.write(record(number))
                os.fsync(file.fileno())
            except OSError as error:
                # A hard mount waits; what it gives back all the same is told, and the record is not counted.
                problems.append("record %d: %s" % (number, error))
                if len(problems) > 20:
                    break
                continue
            told.write("%d %.6f %.6f\n" % (number, began, time.monotonic()))
            told.flush()
            number += 1
    return {"records": number, "problems": problems}


def verify(data: str, log: str) -> dict[str, Any]:
    with open(log) as told:
        wanted = {int(line.split()[0]) for line in told if line.count(" ") == 2}
    found, broken = set(), 0
    with open(data, "rb") as file:
        while True:
            one = file.read(SIZE)
            if len(one) < SIZE:
                break
            number = int.from_bytes(one[:8], "big")
            if record(number) == one:
                found.add(number)
            else:
                broken += 1
    lost = sorted(wanted - found)
    return {"acknowledged": len(wanted), "lost": len(lost), "first_lost": lost[:10], "broken": broken}


def hold(path: str, stop: str) -> dict[str, Any]:
    problems: list[str] = []
    uses = 0
    with open(path, "r+b", buffering=0) as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        while not os.path.exists(stop):
            try:
                # The kernel says here if the lock was lost and not reclaimed: nothing may be written under it any more.
                file.seek(0)
                file.write(b"%d\n" % uses)
                os.fsync(file.fileno())
                uses += 1
            except OSError as error:
                problems.append(str(error))
                if len(problems) > 20:
                    break
            time.sleep(0.5)
    return {"uses": uses, "problems": problems}


def want(path: str) -> dict[str, Any]:
    with open(path, "r+b", buffering=0) as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return {"refused": True}
            return {"refused": False, "problem": str(error)}
        fcntl.lockf(file, fcntl.LOCK_UN)
        return {"refused": False}


VERBS: dict[str, Callable[..., dict[str, Any]]] = {
    "append": append,
    "verify": verify,
    "hold": hold,
    "want": want,
}

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])), flush=True)
