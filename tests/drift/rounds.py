"""All rounds of cases on one guest, in an order in which none stands in another one's way, with what each came to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from seatrial.clock import SystemClock, monotonic
from seatrial.lab.lab import Lab
from tests.drift.cases import (
    BOOT,
    CERTIFICATES,
    ETCD,
    ETCD_RENEWED,
    FORGETS_WHAT_IT_WOULD_NOT_DO,
    FURTHER,
    HARDWARE,
    KEEPS_ITS_JOURNAL,
    NETWORK,
    PEERS,
    SERVICES,
    SETTINGS,
    Case,
)
from tests.drift.guest import (
    HOST,
    Round,
    Row,
    audited,
    described,
    disk_warns,
    rebooted,
    round_of,
    run,
    supplied,
    words,
)

PLAIN: dict[str, tuple[Case, ...]] = {
    "settings": SETTINGS,
    "network": NETWORK,
    "services": SERVICES,
    **{f"boot {number}": some for number, some in enumerate(BOOT, start=1)},
}
SUPPLIED: dict[str, tuple[Case, ...]] = {
    **{f"further {number}": some for number, some in enumerate(FURTHER, start=1)},
}
TLS: dict[str, tuple[Case, ...]] = {
    f"certificates {number}": some for number, some in enumerate(CERTIFICATES, start=1)
}
AGAIN = "etcd reads again"
CONSOLE = Case(
    name="a host that does not answer stands in its rescue shell",
    put="systemctl --no-block isolate emergency.target",
    found=("boot.console", "console"),
    mend="press the reset button",
)


def every_case() -> list[Case]:
    """All cases of all rounds."""
    some = (*PLAIN.values(), *SUPPLIED.values(), *TLS.values(), HARDWARE, PEERS, (CONSOLE,))
    return [case for cases in some for case in cases]


async def rounds(lab: Lab, only: Collection[str] = ()) -> AsyncIterator[tuple[str, Round]]:
    """Each round with its name, when it is over. With `only` those of these names, and what they want beforehand."""

    def wanted(*names: str) -> bool:
        return not only or not set(only).isdisjoint(names)

    for name, cases in PLAIN.items():
        if wanted(name):
            yield name, await round_of(lab, cases)
    if wanted(*SUPPLIED, *TLS, AGAIN, "peers", "hardware"):
        await supplied(lab)
    for name, cases in SUPPLIED.items():
        if wanted(name):
            yield name, await round_of(lab, cases)
    if wanted(*TLS, AGAIN):
        await run(lab, ETCD)
    for name, cases in TLS.items():
        if wanted(name):
            yield name, await round_of(lab, cases)
    if wanted(AGAIN):
        yield AGAIN, await nothing(lab, ETCD_RENEWED.replace("server-new", "server-again"))
    if wanted(*TLS, AGAIN):
        # The next boots are other rounds', and find a proxy that was ended at a boot before its etcd was there.
        await run(lab, "systemctl disable -q --now etcd-proxy.service etcd.service")
    if wanted("peers"):
        yield "peers", await _peers(lab)
    if wanted("hardware"):
        yield "hardware", await _hardware(lab)
    if wanted("console"):
        yield "console", await _console(lab)


async def nothing(lab: Lab, put: str) -> Round:
    """A round in which nothing is to be found."""
    await run(lab, put)
    found = await audited(lab)
    left = tuple(words(one.name, one.what, one.because) for one in found.standing)
    return Round(rows=(), missed=(), besides=left, left=left)


async def _peers(lab: Lab) -> Round:
    await run(
        lab,
        "dpkg -i /root/seatrial-example_1.0_all.deb; echo '/srv/peers 192.0.2.0/25(ro,no_subtree_check,fsid=9)' >>/etc/exports; mkdir -p /srv/peers; exportfs -ra",
    )
    return await round_of(lab, PEERS, await described(lab))


async def _hardware(lab: Lab) -> Round:
    """The boot before is kept; the guest's own disk warns, until it is another one."""
    await run(lab, FORGETS_WHAT_IT_WOULD_NOT_DO)
    await run(lab, KEEPS_ITS_JOURNAL)
    await rebooted(lab)
    await disk_warns(lab, 4)
    # The disk's warning goes with the reboot that another case ends with: QEMU starts anew, with a disk that is well.
    return await round_of(lab, (*HARDWARE[1:], HARDWARE[0]))


async def _console(lab: Lab) -> Round:
    """Into the rescue shell and out again by the reset button, which is all that is left then."""
    await lab.ssh(HOST, ["sh", "-c", CONSOLE.put])
    for _ in range(60):
        silent = await audited(lab, tries=1)
        if any(one.name == "boot.console" for one in silent.findings):
            break
        await SystemClock().sleep(3)
    found = next((one for one in silent.findings if one.name == "boot.console"), None)
    since = monotonic()
    await lab.reset(HOST)
    await lab.wait_for_boot(HOST, since=since)
    after = await audited(lab)
    assert after.unknown == ()
    left = tuple(words(one.name, one.what, one.because) for one in after.standing)
    if found is None:
        return Round(rows=(), missed=(CONSOLE.name,), besides=(), left=left)
    gone = not any(one.name == "boot.console" for one in after.standing)
    return Round(
        rows=(Row(case=CONSOLE, found=found, ran=CONSOLE.mend, how="by hand", gone=gone),),
        missed=(),
        besides=(),
        left=left,
    )
