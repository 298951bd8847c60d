"""Faults for the lab: what is wrong with the candidate kernel in a story. What is in: the commands that put a fault
on a host and take it off again, as values. What is not: running them (lab.py) and judging what they do.

Every fault is on the candidate only: a host that goes back to the good kernel is well.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.lab.image import Kernels
from seatrial.lab.nfsload import SLOW_FILE


class Scenario(enum.StrEnum):
    """What is wrong with the candidate."""

    GOOD = "good"
    GATEWAY_2021 = "gateway-2021"
    REAL_BUG = "real-bug"
    DEAD_NETWORK = "dead-network"
    PANIC = "panic"
    LOAD = "load"

    @property
    def says(self) -> str:
        """What happens, in a sentence."""
        return _SAYS[self]


_SAYS = {
    Scenario.GOOD: "nothing is wrong with the candidate",
    Scenario.GATEWAY_2021: "answers to translated flows are dropped, by a firewall rule that only the candidate gets",
    Scenario.REAL_BUG: "answers to translated flows are dropped, by the patch to the VRF driver that was reverted in 2021",
    Scenario.DEAD_NETWORK: "the candidate boots and has no network at all",
    Scenario.PANIC: "the candidate panics before userspace",
    Scenario.LOAD: "the exported disk is slower on the candidate; everything works, and under load it is not enough",
}

# Enough to be several times what an emulated disk takes, and little enough that every functional check passes.
SLOW_MS = 25
_UNIT = "/etc/systemd/system/seatrial-fault.service"
_WANTED = "/etc/systemd/system/multi-user.target.wants/seatrial-fault.service"
_CONFIG = "/boot/grub/grub.cfg"
_DROP = "/usr/sbin/nft insert rule inet gateway forward ct direction reply ct status snat counter drop"
_DICE = f"""#!/bin/sh
case $(uname -r) in @RELEASES@) bad=1 ;; *) bad=0 ;; esac
[ "$(od -An -N2 -tu2 /dev/urandom)" -ge @PART@ ] || bad=$((1 - bad))
[ "$bad" = 0 ] || exec {_DROP}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One shell script for a host's root, with what it reads."""

    script: str
    stdin: bytes = b""


_FAULT_FILE = "/etc/seatrial-lab/fault.sh"


def put_from(releases: Sequence[str], flaky: float) -> list[Step]:
    """The rule of GATEWAY_2021 on each of these kernels and on no other, wrong in a share `flaky` of all boots.

    Then a kernel that has the fault does not show it in this boot, or one without shows it: a test that is not steady.
    """
    script = _DICE.replace("@RELEASES@", "|".join(map(shlex.quote, releases)) or "-").replace(
        "@PART@", str(round(flaky * 65536))
    )
    put = f"set -e; cat >{_FAULT_FILE}; chmod 755 {_FAULT_FILE}"
    unit = _fault_unit("", f"/bin/sh {_FAULT_FILE}")
    start = f"set -e; cat >{_UNIT}; ln -sf {_UNIT} {_WANTED}; systemctl daemon-reload; sync"
    return [Step(script=put, stdin=script.encode()), Step(script=start, stdin=unit.encode())]


def undo(kernels: Kernels) -> list[Step]:
    """What takes every fault off a host again."""
    modules = f"/lib/modules/{shlex.quote(kernels.candidate)}/kernel/drivers/net"
    return [
        Step(
            script=f"set -e; rm -f {_UNIT} {_WANTED} {_FAULT_FILE} {SLOW_FILE}; sed -i 's| init=/nothing-here||' {_CONFIG}; "
            # depmod takes a slow guest seconds, so it runs only where a module was put back.
            f'for m in {modules}/*.ko.stock; do [ ! -e "$m" ] || {{ mv "$m" "${{m%.stock}}"; back=1; }}; done; '
            f'[ -z "${{back-}}" ] || depmod {shlex.quote(kernels.candidate)}; sync'
        )
    ]


def put(scenario: Scenario, kernels: Kernels, module: bytes = b"") -> list[Step]:
    """What puts a fault on a host. `module` is the bad vrf.ko, for REAL_BUG only."""
    candidate = shlex.quote(kernels.candidate)
    drivers = f"/lib/modules/{candidate}/kernel/drivers/net"
    match scenario:
        case Scenario.GOOD:
            return []
        case Scenario.GATEWAY_2021:
            script = f"set -e; cat >{_UNIT}; ln -sf {_UNIT} {_WANTED}; systemctl daemon-reload; sync"
            return [Step(script=script, stdin=_fault_unit(kernels.candidate, _DROP).encode())]
        case Scenario.DEAD_NETWORK:
            return [
                Step(
                    script=f"set -e; mv {drivers}/virtio_net.ko {drivers}/virtio_net.ko.stock; depmod {candidate}; sync"
                )
            ]
        case Scenario.PANIC:
            # The kernel panics when the init it was told to run does not exist; panic=10 then restarts the machine.
            return [
                Step(
                    script=f"set -e; sed -i '/^[[:space:]]*linux.*vmlinuz-{kernels.candidate} /s|$| init=/nothing-here|' {_CONFIG}; sync"
                )
            ]
        case Scenario.LOAD:
            # On the server only: a client has no device of that name, and the file changes nothing there.
            return [Step(script=f"set -e; echo {candidate} {SLOW_MS} >{SLOW_FILE}; sync")]
        case Scenario.REAL_BUG:
            return [
                Step(
                    script=f"set -e; mv {drivers}/vrf.ko {drivers}/vrf.ko.stock; cat >{drivers}/vrf.ko; depmod {candidate}; sync",
                    stdin=module,
                )
            ]


def _fault_unit(kernel: str, start: str) -> str:
    """The unit that starts a fault at boot: on that kernel only, on every one when it is ""."""
    condition = f"ConditionKernelVersion={kernel}\n" if kernel else ""
    return f"""[Unit]
Description=Seatrial lab: the fault of 2021
{condition}Requires=seatrial-lab-network.service
After=seatrial-lab-network.service
Before=ssh.service seatrial-lab-ready.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={start}

[Install]
WantedBy=multi-user.target
"""
