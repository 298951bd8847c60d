"""Work done in a forked child, which may be killed: the parent is told how it ended."""

from __future__ import annotations

import os
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence


def begun(work: Callable[[], object]) -> int:
    """Do it in a child, which is forked by the thread that calls: the child's process id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return pid


def ended(pid: int) -> int:
    """Wait for that child; its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def side_by_side(works: Sequence[Callable[[], object]]) -> None:
    """Do each in a child of its own, a few at once; what a child raised is on standard error.

    Only for works that wait more than they work and share no folder. The children are forked here and not by threads: a
    child that is forked while another thread holds a lock (a logger's, an allocator's) waits for that lock for ever.
    """
    running: deque[int] = deque()
    failed = 0
    for work in works:
        if len(running) >= 2 * len(os.sched_getaffinity(0)):
            failed += ended(running.popleft()) != 0
        running.append(begun(work))
    failed += sum(ended(pid) != 0 for pid in running)
    assert not failed, f"{failed} of {len(works)} failed: see standard error"
