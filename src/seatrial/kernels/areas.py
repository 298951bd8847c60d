"""Which parts of the kernel a failure, a role, a module or a setting points to: an explicit table, and a Query of it. Pure.

The words on the right are those that stand in front of a patch's subject (`netfilter: nf_tables: ...`) or in it. The
table says what a person who knows the kernel would look for; it was written down before it was measured, and no
single word in it was chosen by a known culprit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from seatrial.kernels.words import stem, words_of

# How much is believed of a word that ...
SAID = 1.0  # ... stands in the symptom itself
MEANT = 0.8  # ... the table has for a word of the symptom, or for a check or a flow that failed
ROLE = 0.3  # ... the table has for a role of the host
LOADED = 0.3  # ... belongs to a module that is loaded there, or to its configuration
# Words of a symptom that name no part of a kernel, however often they stand there.
_IDLE = frozenset(
    words_of(
        "lost lose losing fine flow flows fail fails failed failing failure answer answers answered answering went"
        " arrived out host hosts kernel percent after before slow slower high rises rose hang hangs hung told apart"
        " carried carry probe probes candidate good bad error problem broken works work traffic"
    )
)

# What people and checks say, and where that is in a kernel.
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"translat|\bs?nat\b|\bdnat\b|masquerad|floating", "netfilter conntrack nf_conntrack nf_nat nat nft nf_tables"),
    (r"conntrack|connection track|table of connections", "netfilter conntrack nf_conntrack"),
    (r"repl(?:y|ies)|answers? (?:is|are|was|were)? ?lost", "conntrack route fib neighbour"),
    (r"\bflows?\b|packets?|forward", "net ip ipv4 ipv6 skb"),
    (r"\btcp\b|connections?\b", "tcp inet net"),
    (r"\budp\b", "udp net"),
    (r"\bicmp\b|\bping\b", "icmp ipv4 ipv6"),
    (r"\bipv6\b|\bip6", "ipv6 ndisc addrconf ip6"),
    (r"large|\bmtu\b|fragment|\bdf\b", "mtu pmtu fragment gso gro tso ip_output tunnel"),
    (r"\broutes?\b|routing", "route fib nexthop ipv4 ipv6 fib_rules"),
    (r"\bvrf\b", "vrf l3mdev"),
    (r"\bvrrp\b|keepalived|virtual address|owner of", "arp neighbour igmp macvlan multicast ipvs"),
    (r"\bvlan\b|802\.1q", "vlan 8021q bridge"),
    (r"\bbond", "bonding team"),
    (r"\bbridge", "bridge br_netfilter fdb"),
    (r"tunnel|vxlan|geneve|\bgre\b", "vxlan geneve gre ip_tunnel ip6_tunnel tunnel"),
    (r"\bqdisc|shap(?:e|ing)|traffic control", "sched net_sched sch act cls fq_codel htb"),
    (r"firewall|\bnft|iptables", "netfilter nf_tables nft x_tables iptables ipset"),
    (r"ipsec|\bvpn\b", "xfrm esp ah wireguard"),
    (r"\bdns\b", "udp"),
    (r"\bhttps?\b|\bldap\b", "tcp"),
    (r"\btls\b|certificate", "tls crypto"),
    (r"\bnfs|\bexports?\b|\bshares?\b|stale", "nfs nfsd nfsv4 sunrpc svcrdma lockd pnfs rpc"),
    (r"\bdrbd\b|replica", "drbd block"),
    (r"\block(?:s|ed|ing)?\b", "lockd locks locking"),
    (r"\bload\b|d state|\brunnable", "sched psi loadavg workqueue nfsd block"),
    (r"\bdisk|iowait|\bi/?o\b|latency", "block blk mq nvme scsi dm md"),
    (r"scheduler|\bcfq\b|deadline|\bbfq\b", "block bfq mq deadline elevator"),
    (r"memory|\boom\b|swap|pressure", "mm memcg vmscan slab swap"),
    (r"\bcpu\b|steal", "sched cpufreq cpuidle x86"),
    (r"\bclock|\btime\b|\bntp\b", "timekeeping ntp clocksource hrtimer ptp tsc"),
    (r"panic|oops|\bbug\b|died|did not come back|came back on", "init rcu mm x86 acpi efi pci"),
    (r"\bboot|console|initramfs", "efi acpi x86 init pci dm tty"),
    (r"file ?systems?|\bmounts?\b|read-only", "vfs fs ext4 xfs btrfs jbd2 overlayfs"),
    (r"\bvms?\b|guests?\b|hypervisor|virtual machine", "kvm vhost virtio vfio iommu"),
    (r"\braid\b", "md raid dm"),
    (r"\bwi-?fi\b|wireless", "wifi cfg80211 mac80211"),
    (r"\busb\b", "usb xhci"),
    (r"graphic|screen|display", "drm"),
    (r"\bcontainers?\b|kubernetes|cgroup", "cgroup overlayfs memcg net bridge"),
)  # fmt: skip

# Roles by what is in their names.
_ROLES: tuple[tuple[str, str], ...] = (
    (r"gate|router|\bgw\b|firewall|\bnat\b|edge", "netfilter conntrack nf_tables nf_nat nat net ipv4 ipv6 route arp"),
    (r"nfs|storage|\bfile", "nfs nfsd sunrpc lockd block md dm xfs ext4 drbd"),
    (r"hyper|compute|virt|kvm", "kvm vhost virtio iommu vfio x86 tun"),
    (r"database|\bdb\b|sql", "block mm ext4 xfs aio io_uring nvme"),
    (r"balanc|proxy|\blb\b", "tcp ipvs net netfilter conntrack"),
    (r"kube|container|worker", "cgroup overlayfs memcg bridge netfilter vxlan"),
)  # fmt: skip

# Modules whose patches go by another name than theirs. Every module also stands for its own name and its parts.
_MODULES: tuple[tuple[str, str], ...] = (
    (r"(?:nf|nft|xt|ip6?t|ebt|nfnetlink|ip_set|ip6?_tables|x_tables)(?:_.*)?", "netfilter"),
    (r"nf_conntrack.*", "conntrack"),
    (r"(?:nf|nft|xt|iptable)_?nat|.*masquerade.*", "nat"),
    (r"8021q", "vlan"),
    (r"br_netfilter", "bridge"),
    (r"(?:sch|cls|act|em)_.*", "sched net_sched"),
    (r"mlx5_.*", "mlx5 mlx5e"),
    (r"(?:sunrpc|nfs|nfsd|nfsv[34]|auth_rpcgss|lockd|grace)", "nfs nfsd sunrpc"),
    (r"(?:raid\d+|md_mod|raid456)", "md raid"),
    (r"dm_.*", "dm"),
    (r"kvm.*|vhost.*", "kvm vhost"),
    (r"(?:esp[46]|ah[46]|xfrm.*)", "xfrm"),
    (r"(?:snd.*)", "alsa asoc"),
)  # fmt: skip
# Modules that are everywhere, and parts of names that mean nothing by themselves.
_COMMON = frozenset(
    re.findall(r"\w+", "core common lib mod main generic helper algo ip net tables x86 pci dev class hid")
)


@dataclass(slots=True)
class _Weights:
    words: dict[str, float] = field(default_factory=dict)
    because: dict[str, list[str]] = field(default_factory=dict)

    def add(self, words: Iterable[str], weight: float, because: str) -> None:
        for word in words:
            # Two reasons for one word are more than either, and never more than certain.
            self.words[word] = 1.0 - (1.0 - self.words.get(word, 0.0)) * (1.0 - weight)
            told = self.because.setdefault(word, [])
            if because not in told:
                told.append(because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for: `words` with how much each is believed (0 to 1), `because` where each comes from.

    `arch` is the architecture of the hosts, "" when it is not known.
    """

    words: Mapping[str, float]
    because: Mapping[str, tuple[str, ...]]
    arch: str = ""


def query(
    *,
    symptom: str = "",
    failed: Iterable[str] = (),
    roles: Iterable[str] = (),
    modules: Iterable[str] = (),
    arch: str = "",
) -> Query:
    """What failed and what the host is, as words of kernel subsystems.

    `symptom` is a person's or the diagnosis's text, `failed` are kinds of checks and what they said, `modules` those
    that are loaded (and names of drivers, file systems and queueing disciplines in use).
    """
    weights = _Weights()
    said = [word for word in words_of(symptom) if word not in _IDLE]
    weights.add(said, SAID, "the symptom says so")
    _mean(weights, symptom, _MEANINGS, MEANT, "the symptom")
    for what in dict.fromkeys(failed):
        _mean(weights, what, _MEANINGS, MEANT, f"what failed ({what[:60]})")
    for role in dict.fromkeys(roles):
        _mean(weights, role, _ROLES, ROLE, f"role {role}")
    for module in dict.fromkeys(modules):
        _load(weights, module)
    because = {word: tuple(told) for word, told in weights.because.items()}
    return Query(words=weights.words, because=because, arch=arch)


def _mean(weights: _Weights, text: str, table: tuple[tuple[str, str], ...], weight: float, why: str) -> None:
    low = text.lower()
    # One reason counts once, however many lines of the table it fits.
    words = [word for pattern, words in table if re.search(pattern, low) for word in map(stem, words.split())]
    weights.add(dict.fromkeys(words), weight, why)


def _load(weights: _Weights, module: str) -> None:
    name = module.lower().replace("-", "_")
    words = {name, *(part for part in name.split("_") if len(part) > 2 and part not in _COMMON)}
    for pattern, more in _MODULES:
        if re.fullmatch(pattern, name):
            words.update(more.split())
    weights.add(sorted(map(stem, words)), LOADED, f"{module} is in use there")
