"""Faults of a running platform: twelve things that go wrong with a gateway or behind it, as values.

What is in: what each is, how it is put on the lab that is up and taken off again, and which components a diagnosis
may name for it. They are about production of the topology `gateway-services`, with gw-p1 as the owner of the virtual
addresses. What is not in: doing it (lab.py), asking and naming, and faults of a candidate kernel (scenario.py).

The rules that lose packets are in tables of their own, `seatrial_fault`, so that taking one off touches nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from seatrial.lab.gateway import PRODUCTION, VRF, VRF_TABLE
from seatrial.lab.services import TLS_PORT
from seatrial.model.observation import Diagnosis

OWNER, STANDBY = PRODUCTION.routers
GROUP = "gw-p"
SERVICES = f"{PRODUCTION.short}-services"
_TABLE = "seatrial_fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPlace:
    """A shell script for a host or an endpoint; `@HOME@` is the lab's directory in an endpoint's."""

    place: str
    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A program of an endpoint is to run, to hang with its ports open, or to be stopped."""

    program: str
    state: Literal["running", "hung", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The virtual addresses of a group are with this host."""

    group: str
    to: str


Deed = OnPlace | Kept | Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong. `named` are the components of which a diagnosis has to name one, each by itself."""

    name: str
    says: str
    put: tuple[Deed, ...]
    off: tuple[Deed, ...]
    named: tuple[str, ...]

    def is_named_first(self, diagnosis: Diagnosis) -> bool:
        """Whether the first suspect is one of `named` alone, or cannot be told apart from it."""
        if not diagnosis.suspects:
            return False
        first = diagnosis.suspects[0]
        return any(
            set(alike) == {name} for alike in (first.components, *first.same_evidence) for name in self.named
        )


def _dropping(name: str, says: str, named: tuple[str, ...], table: str, rules: str) -> Fault:
    """A fault of the owner that is a table of rules; `table` is the family."""
    return Fault(
        name=name,
        says=says,
        put=(OnPlace(place=OWNER, script=f"nft 'table {table} {_TABLE} {{ {rules} }}'"),),
        off=(OnPlace(place=OWNER, script=_without(table)),),
        named=named,
    )


def _without(table: str) -> str:
    # Added first, so that it is no error when there is none.
    return f"nft 'add table {table} {_TABLE}; delete table {table} {_TABLE}'"


def _service(program: str, state: Literal["hung", "stopped"], says: str) -> Fault:
    whole = f"{SERVICES}-{program}"
    return Fault(
        name=f"{program}-{'hung' if state == 'hung' else 'down'}",
        says=says,
        put=(Kept(program=whole, state=state),),
        off=(Kept(program=whole, state="running"),),
        named=(f"{program} at {PRODUCTION.services}",),
    )


_FORWARD = "chain forward { type filter hook forward priority -10;"

FAULTS = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            _dropping(
                "nat-reply",
                f"{OWNER} drops the answers to translated flows, as in 2021",
                (f"{GROUP}:reply-translation",),
                "inet",
                f"{_FORWARD} ct direction reply ct status snat counter drop; }};",
            ),
            _dropping(
                "nat-source",
                f"{OWNER} translates to its own address instead of the virtual one",
                (f"{GROUP}:snat",),
                "inet",
                "chain postrouting { type nat hook postrouting priority srcnat - 1; "
                f'ip saddr {PRODUCTION.lan_range} oifname "wan0" counter snat ip to {PRODUCTION.wan(2)}; }};',
            ),
            Fault(
                name="no-dnat",
                says=f"{OWNER} has lost the translation of the floating address {PRODUCTION.vm_translated}",
                put=(OnPlace(place=OWNER, script="nft flush chain inet gateway prerouting"),),
                off=(OnPlace(place=OWNER, script="nft -f /etc/nftables.conf"),),
                named=(f"{GROUP}:dnat",),
            ),
            _dropping(
                "mtu-hole",
                f"{OWNER} drops packets of more than 1400 bytes and tells nobody",
                (f"{GROUP}:large packets",),
                "inet",
                f'{_FORWARD} oifname "wan0" meta length > 1400 counter drop; }};',
            ),
            _dropping(
                "one-way",
                f"what p-vm-public sends is lost before {OWNER}, what is sent to it is not",
                (f"p-vm-public>{GROUP}",),
                "netdev",
                f'chain in {{ type filter hook ingress device "lan0" priority 0; '
                f"ip saddr {{ {PRODUCTION.vm_public_lan}, {PRODUCTION.vm_public} }} counter drop; }};",
            ),
            _dropping(
                "loss-20",
                f"a fifth of what goes from {OWNER} to p-outside is lost",
                (f"{GROUP}>p-outside",),
                "netdev",
                f'chain out {{ type filter hook egress device "wan0" priority 0; '
                f"ip daddr {PRODUCTION.outside} numgen random mod 100 < 20 counter drop; }};",
            ),
            _service("dns", "stopped", f"the DNS server on {SERVICES} does not run"),
            _service("ldap", "stopped", f"the LDAP server on {SERVICES} does not run"),
            _service("nfs", "hung", f"the NFS server on {SERVICES} hangs: its port accepts, nothing answers"),
            Fault(
                name="wrong-certificate",
                says=f"the certificate on {SERVICES} was renewed, and the old one is still served",
                put=(
                    OnPlace(
                        place=SERVICES,
                        script=f"cd @HOME@/{SERVICES}-tls; cp renewed.pem fresh; mv fresh tls.pem",
                    ),
                ),
                off=(
                    OnPlace(
                        place=SERVICES,
                        script=f"cd @HOME@/{SERVICES}-tls; cp first.pem fresh; mv fresh tls.pem",
                    ),
                ),
                named=(f"certificate at {PRODUCTION.services} port {TLS_PORT}",),
            ),
            Fault(
                name="vrf",
                says=f"lan0 of {OWNER} is not in its VRF any more",
                # The card goes down and up by that, so the peer takes over: the addresses are brought back to the fault.
                put=(
                    OnPlace(place=OWNER, script="ip link set lan0 nomaster"),
                    Moved(group=GROUP, to=OWNER),
                ),
                off=(
                    OnPlace(
                        place=OWNER,
                        script=f"ip link set lan0 master {VRF}; ip route replace table {VRF_TABLE} "
                        f"{PRODUCTION.floating_range} via {PRODUCTION.vm_public_lan} dev lan0",
                    ),
                    Moved(group=GROUP, to=OWNER),
                ),
                named=(VRF,),
            ),
            Fault(
                name="two-owners",
                says=f"{STANDBY} does not hear its peer and takes the virtual addresses as well",
                put=(
                    OnPlace(
                        place=STANDBY,
                        script=f"nft 'table inet {_TABLE} {{ chain in {{ type filter hook input priority 0; "
                        "ip protocol vrrp counter drop; }; chain out { type filter hook output priority 0; "
                        "ip protocol vrrp counter drop; }; }'; "
                        f"until ip -o -4 address show dev wan0 | grep -qF ' {PRODUCTION.wan_gateway}/'; do sleep 0.2; done",
                    ),
                ),
                off=(
                    # Stopped while it is deaf: at the first word the peer with the lower address would give way.
                    OnPlace(
                        place=STANDBY,
                        script=f"systemctl stop keepalived; {_without('inet')}; systemctl start keepalived",
                    ),
                    Moved(group=GROUP, to=OWNER),
                ),
                named=(f"owner of {PRODUCTION.wan_gateway}",),
            ),
        )
    }
)
