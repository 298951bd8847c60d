"""The topology `gateway`: two stages with the cloud gateways of 2021. What is in: addresses and each host's files.

Staging has one gateway; production has two that share their addresses by VRRP. Behind them are a VM without a
floating address, whose traffic is translated, and one that holds a routed public address, whose traffic is not.
What is not in: laying wires and booting. All addresses are documentation addresses (RFC 5737).

    stage       LAN (private)     floating            WAN
    staging     192.0.2.0/25      198.51.100.0/25     203.0.113.0/25
    production  192.0.2.128/25    198.51.100.128/25   203.0.113.128/25

    last octet  +1 gateway's LAN side (virtual in production), +2 and +3 the routers' own, +10 vm-private,
                +11 vm-public (and +10 in the floating range; +20 there is translated to it, where there are
                services); on the WAN +9 the gateway (virtual in production),
                +2 and +3 the routers' own, +20 outside, +30 services

Traffic moves in production when a router's /run/seatrial/yield holds 1 (its VRRP priority falls from 100 to 50 and
the peer takes over); writing 0 again gives it an equal priority, and the addresses stay where they are.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from seatrial.lab import services
from seatrial.lab.topology import YIELD_FILE, Endpoint, LabHost, Nic, Program, Topology

DOMAIN = "example.test"
HTTP_PORT = 80
VRF = "vrf-gw"
VRF_TABLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAddresses:
    """The address table of one stage. `base` is what is added to the last octets in the module's docstring."""

    stage: str
    short: str
    base: int
    routers: tuple[str, ...]

    def _in(self, prefix: str, last: int) -> str:
        return f"{prefix}.{self.base + last}"

    def lan(self, last: int) -> str:
        """An address of the private range."""
        return self._in("192.0.2", last)

    def floating(self, last: int) -> str:
        """An address of the floating range."""
        return self._in("198.51.100", last)

    def wan(self, last: int) -> str:
        """An address of the outer segment."""
        return self._in("203.0.113", last)

    @property
    def lan_range(self) -> str:
        """The private range, which is translated."""
        return f"{self.lan(0)}/25"

    @property
    def floating_range(self) -> str:
        """The floating range, which is routed and not translated."""
        return f"{self.floating(0)}/25"

    @property
    def lan_gateway(self) -> str:
        """The endpoints' next hop."""
        return self.lan(1)

    @property
    def wan_gateway(self) -> str:
        """The gateway's outer address: next hop towards the floating range, and the source of what is translated."""
        return self.wan(9)

    @property
    def vm_private(self) -> str:
        """The VM without a floating address."""
        return self.lan(10)

    @property
    def vm_public(self) -> str:
        """The floating address of the other VM."""
        return self.floating(10)

    @property
    def vm_translated(self) -> str:
        """The floating address that the gateway translates to the same VM's private one (with services only)."""
        return self.floating(20)

    @property
    def vm_public_lan(self) -> str:
        """The private address of the VM that has floating ones."""
        return self.lan(11)

    @property
    def outside(self) -> str:
        """Somebody on the WAN side."""
        return self.wan(20)

    @property
    def services(self) -> str:
        """DNS and HTTP on the WAN side."""
        return self.wan(30)


STAGING = StageAddresses(stage="staging", short="s", base=0, routers=("gw-s1",))
PRODUCTION = StageAddresses(stage="production", short="p", base=128, routers=("gw-p1", "gw-p2"))
STAGES = (STAGING, PRODUCTION)


def gateway_topology(
    name: str = "gateway", stages: tuple[StageAddresses, ...] = STAGES, *, extended: bool = False
) -> Topology:
    """Both stages, or the given ones. `extended`: with LDAP, HTTPS and NFS, and a translation on the way in."""
    return Topology(
        name=name,
        segments=tuple(f"{stage.short}-{side}" for stage in stages for side in ("lan", "wan")),
        hosts=tuple(host for stage in stages for host in _routers(stage, extended)),
        endpoints=tuple(endpoint for stage in stages for endpoint in _endpoints(stage, extended)),
    )


def staging_topology() -> Topology:
    """Staging alone: one host to boot, for trying what one host is enough for."""
    return gateway_topology("gateway-staging", (STAGING,))


def services_topology() -> Topology:
    """Production alone with all services: what the faults are about (faults.py)."""
    return gateway_topology("gateway-services", (PRODUCTION,), extended=True)


def _routers(stage: StageAddresses, extended: bool) -> list[LabHost]:
    pair = len(stage.routers) > 1
    hosts = []
    for index, name in enumerate(stage.routers):
        own = 2 + index
        lan = [f"{stage.lan(own)}/25"] + ([] if pair else [f"{stage.lan_gateway}/25"])
        wan = [f"{stage.wan(own)}/25"] + ([] if pair else [f"{stage.wan_gateway}/25"])
        nics = (
            Nic(name="lan0", segment=f"{stage.short}-lan", addresses=tuple(lan)),
            Nic(name="wan0", segment=f"{stage.short}-wan", addresses=tuple(wan)),
        )
        files = [
            ("etc/nftables.conf", 0o644, _nft(stage, extended)),
            ("etc/seatrial-lab/network", 0o755, _network(stage, nics, pair)),
            ("etc/sysctl.d/60-gateway.conf", 0o644, "net.ipv4.ip_forward=1\n"),
        ]
        if pair:
            files.append(("etc/keepalived/keepalived.conf", 0o644, _keepalived(stage, name)))
            # Gone with the first reboot, as /run is: only the lab's beginning has an order.
            files.append((YIELD_FILE.removeprefix("/"), 0o644, f"{min(index, 1)}\n"))
        hosts.append(
            LabHost(
                name=name,
                stage=stage.stage,
                role="gateway",
                nics=nics,
                files=tuple(files),
                group="gw-p" if pair else None,
                first_owner=index == 0,
            )
        )
    return hosts


def _network(stage: StageAddresses, nics: tuple[Nic, ...], pair: bool) -> str:
    """What the host's network unit runs at every boot. Names come from the order of the cards on the PCI bus."""
    lines = ["link set lo up", f"link add {VRF} type vrf table {VRF_TABLE}", f"link set {VRF} up"]
    for index, nic in enumerate(nics, start=1):
        lines += [f"link set eth{index} name {nic.name}", f"link set {nic.name} master {VRF}"]
        # Every address but a floating one is assigned before the link comes up, as in any Debian configuration.
        lines += [f"address add {address} dev {nic.name}" for address in nic.addresses]
        lines += [f"link set {nic.name} up"]
    lines += [
        f"route add table {VRF_TABLE} {stage.floating_range} via {stage.lan(11)} dev lan0",
        f"route add table {VRF_TABLE} unreachable default metric 4278198272",
    ]
    batch = "\n".join(lines)
    keepalived = "systemctl start --no-block keepalived.service\n" if pair else ""
    return (
        "#!/bin/sh\n"
        "# The management card first and by itself: a kernel that breaks the others can still be asked.\n"
        "ip -batch - <<'MANAGEMENT'\n"
        "link set eth0 name mgmt0\naddress add 10.0.2.15/24 dev mgmt0\nlink set mgmt0 up\nMANAGEMENT\n"
        f"ip -force -batch - <<'TRAFFIC'\n{batch}\nTRAFFIC\n"
        "echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct\n"
        # The default goes by memory; in so small a guest two minutes of quick rounds would fill the table.
        "echo 65536 >/proc/sys/net/netfilter/nf_conntrack_max\n"
        "echo 1 >/proc/sys/net/ipv4/ip_forward\n"
        "nft -f /etc/nftables.conf\n"
        f"{keepalived}"
    )


def _nft(stage: StageAddresses, extended: bool) -> str:
    landing = "        ct status dnat counter accept\n" if extended else ""
    translation = f"""    chain prerouting {{
        type nat hook prerouting priority dstnat; policy accept;
        ip daddr {stage.vm_translated} iifname "wan0" counter dnat ip to {stage.vm_public_lan}
    }}
"""
    return f"""#!/usr/sbin/nft -f
# What leaves the private range gets the gateway's outer address; what was not asked for does not come in.
flush ruleset
table inet gateway {{
    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state established,related counter accept
        ip saddr {stage.lan_range} oifname "wan0" counter accept
        ip saddr {stage.floating_range} oifname "wan0" counter accept
        ip daddr {stage.floating_range} oifname "lan0" counter accept
{landing}        counter
    }}
{translation if extended else ""}    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {stage.lan_range} oifname "wan0" counter snat ip to {stage.wan_gateway}
    }}
}}
"""


def _keepalived(stage: StageAddresses, name: str) -> str:
    # Priorities are equal, so a router that comes back, or whose yield file says 0 again, takes nothing from its
    # peer. A weight of -50 makes a yielding router the weaker one; if the peer is dead it still carries traffic.
    def instance(side: str, ident: int, address: str) -> str:
        return f"""
vrrp_instance {side} {{
    state BACKUP
    interface {side}0
    virtual_router_id {ident}
    priority 100
    advert_int 1
    garp_master_delay 1
    garp_master_repeat 3
    virtual_ipaddress {{
        {address}/25 dev {side}0
    }}
}}
"""

    return (
        f"""global_defs {{
    router_id {name}
    vrrp_garp_master_refresh 10
}}

track_file yield {{
    file {YIELD_FILE}
    weight -50
}}

vrrp_sync_group gateway {{
    group {{
        lan
        wan
    }}
    track_file {{
        yield
    }}
}}
"""
        + instance("lan", 51, stage.lan_gateway)
        + instance("wan", 52, stage.wan_gateway)
    )


def _endpoints(stage: StageAddresses, extended: bool) -> list[Endpoint]:
    lan, wan = f"{stage.short}-lan", f"{stage.short}-wan"

    def endpoint(
        role: str, nic: Nic, routes: tuple[str, ...], programs: tuple[Program, ...] = ()
    ) -> Endpoint:
        name = f"{stage.short}-{role}"
        return Endpoint(
            name=name, role=role, stage=stage.stage, nics=(nic,), routes=routes, programs=programs
        )

    inward = (f"{stage.floating_range} via {stage.wan_gateway}",)
    return [
        endpoint(
            "vm-private",
            Nic(name="eth0", segment=lan, addresses=(f"{stage.vm_private}/25",)),
            (f"default via {stage.lan_gateway}",),
        ),
        endpoint(
            "vm-public",
            Nic(name="eth0", segment=lan, addresses=(f"{stage.lan(11)}/25", f"{stage.vm_public}/32")),
            (f"default via {stage.lan_gateway} src {stage.vm_public}",),
        ),
        endpoint(
            "outside",
            Nic(name="eth0", segment=wan, addresses=(f"{stage.outside}/25",)),
            # It knows a way to the private range, so that what keeps it out is the firewall and not luck.
            (*inward, f"{stage.lan_range} via {stage.wan_gateway}"),
        ),
        endpoint(
            "services",
            Nic(name="eth0", segment=wan, addresses=(f"{stage.services}/25",)),
            inward,
            (_dns(stage), _http(stage), *(_further(stage) if extended else ())),
        ),
    ]


def _further(stage: StageAddresses) -> tuple[Program, ...]:
    at = stage.services
    return (services.ldap(at), services.tls(at, f"www.{DOMAIN}"), services.nfs(at))


def _dns(stage: StageAddresses) -> Program:
    names = {
        "www": stage.services,
        "ns": stage.services,
        "outside": stage.outside,
        "gw": stage.wan_gateway,
        "vm-public": stage.vm_public,
    }
    argv = [
        # It stays root, since a change of user would make it forget that it has to die with the warden.
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--group=root",
        "--no-resolv", "--no-hosts", "--no-poll", "--cache-size=0", "--bind-interfaces", "--except-interface=lo",
        f"--listen-address={stage.services}", f"--auth-server=ns.{DOMAIN},{stage.services}",
        f"--auth-zone={DOMAIN}", f"--local=/{DOMAIN}/", "--log-facility=-",
        *(f"--host-record={name}.{DOMAIN},{address}" for name, address in names.items()),
    ]  # fmt: skip
    return Program(name="dns", argv=tuple(argv))


def _http(stage: StageAddresses) -> Program:
    # The directory is the empty one that the warden starts its programs in, with one page.
    argv = (
        sys.executable,
        "-I",
        "-m",
        "http.server",
        "--bind",
        stage.services,
        "--directory",
        "@WWW@",
        str(HTTP_PORT),
    )
    return Program(name="http", argv=argv)
