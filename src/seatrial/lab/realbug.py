"""The real bug of 2021 in today's candidate: Debian's own vrf.c with the one call that was reverted put back.

The patch that upstream reverted in 55161e67d44f resets the conntrack entry of a packet that enters a VRF, so that the
answers to translated flows are not recognised. What is in: that call, and keeping the module in the cache. What is not:
fetching and building (modules.py), and putting it on a host (scenario.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from seatrial.errors import LabError
from seatrial.lab import modules
from seatrial.lab.image import Progress
from seatrial.lab.places import cache_home

MODULE = "drivers/net/vrf"
_HOOK = "\tif (nf_hook(pf, hook, net, NULL, skb, dev, NULL, vrf_rcv_finish) != 1)"
_CALL = "\tnf_reset_ct(skb);\n\n"


async def build(release: str, progress: Progress) -> Path:
    """The bad vrf.ko for a kernel release, from the cache or built now. Raises LabError."""
    home = cache_home() / "modules" / release
    module = home / "vrf.ko"
    if module.is_file():
        return module
    home.mkdir(parents=True, exist_ok=True)
    work = home / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        progress("downloading the candidate's source and headers", 0.0)
        headers = await modules.fetch_headers(release, work)
        tree = await modules.fetch_source(release, work, MODULE)
        source = tree / f"{MODULE}.c"
        source.write_text(patch(source.read_text()))
        progress("building vrf.ko with the bug of 2021", 0.7)
        built = await modules.build(headers, release, tree, MODULE)
        built.replace(module)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress("vrf.ko built, cached from now on", None)
    return module


def patch(source: str) -> str:
    """vrf.c with the reverted call. Raises LabError when the source no longer looks as it did."""
    if source.count(_HOOK) != 1:
        raise LabError(
            "vrf.c of this kernel has changed: the place of the reverted call was not found",
            hint="use --scenario gateway-2021, which needs no module",
        )
    return source.replace(_HOOK, _CALL + _HOOK)
