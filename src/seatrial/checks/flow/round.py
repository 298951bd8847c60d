"""One round of flow probes as Commands: who listens, who sends, who is asked what arrived and who carried it.

What is in: the Round and how it is made from the fleet's flows. What is not: running it (the engine does: listen
everywhere, then send from everywhere at once, then collect and carried at once, the last two within 10 s of the
end of sending, since closed connections leave a carrier's table then) and reading the answers (tally.py).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from seatrial.checks.onhost import script
from seatrial.model.command import Bundle, Command
from seatrial.model.fleet import Fleet, Flow

WAIT = 2.0  # seconds that an answer may take
LONGEST = 20.0  # seconds of sending: a carrier forgets an unanswered UDP probe after 30
MARGIN = 45.0  # seconds that a listener outlives the sending, for slow logins
MOST_ENTRIES = 20000
ENTRY_BYTES = 160

# Reads the table of connections and changes nothing. grep throws away what cannot be ours at a cost that a table of
# a million entries bears; awk looks at the original direction only. The last line proves that nothing is missing.
CARRIED = r"""
limit=$1 rough=$2
shift 2
if [ ! -e /proc/sys/net/netfilter/nf_conntrack_count ] && [ ! -e /proc/net/nf_conntrack ]; then
    echo "none"
    exit 0
elif command -v conntrack >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    table() {
        conntrack -L -f ipv4 2>/dev/null || echo broken
        case $* in *:*) conntrack -L -f ipv6 2>/dev/null || echo broken ;; esac
    }
elif [ -e /proc/net/nf_conntrack ]; then
    [ -r /proc/net/nf_conntrack ] || { echo "denied"; exit 0; }
    # The file passes over entries where others are deleted while it is read: three readings hardly miss the same one.
    table() { for reading in 1 2 3; do cat /proc/net/nf_conntrack || echo broken; done; }
else
    echo "conntrack: not found" >&2
    exit 127
fi
table "$@" | grep -F "$rough
broken" | awk -v limit="$limit" -v keys="$*" '
BEGIN { n = split(keys, list, " "); for (i = 1; i <= n; i++) want[list[i]] = 1 }
$1 == "broken" { print; next }
{
    proto = src = dst = port = kind = packets = ""
    for (i = 1; i <= NF; i++) {
        if (proto == "" && $i ~ /^(tcp|udp|icmp|icmpv6)$/) proto = $i
        else if ($i ~ /^src=/) { if (src != "") break; src = substr($i, 5) }
        else if ($i ~ /^dst=/) dst = substr($i, 5)
        else if ($i ~ /^sport=/) port = substr($i, 7)
        else if ($i ~ /^id=/) port = substr($i, 4)
        else if ($i ~ /^(dport|type)=/) kind = substr($i, index($i, "=") + 1)
        else if ($i ~ /^packets=/) packets = substr($i, 9)
    }
    if (!((proto "/" dst "/" kind) in want) || seen[proto, src, port, dst, kind]++) next
    if (++shown <= limit) print proto, src, port, dst, kind, packets
}
END { print "end", shown + 0 }'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The Commands of one round, by vantage, and what is needed to read their answers.

    `probes` is how many each flow gets: what the policy says, or fewer when the rate would make the round longer
    than a carrier remembers. `seconds` is how long the sending takes at most.
    """

    run: str
    flows: Mapping[str, Flow]
    carriers: Mapping[str, tuple[str, ...]]
    probes: int
    seconds: float
    listen: tuple[Bundle, ...]
    send: tuple[Bundle, ...]
    collect: tuple[Bundle, ...]
    carried: tuple[Bundle, ...]


def ask(fleet: Fleet, names: Iterable[str], *, run: str, probes: int, rate: int) -> Round:
    """The round that probes the flows `names`. `run` must be new each time, `rate` is per sending vantage and second.

    Raises KeyError for a name that is no flow.
    """
    flows = {name: fleet.flows[name] for name in dict.fromkeys(names)}
    carriers = {name: _hosts(fleet, flow.by) for name, flow in flows.items()}
    index = {name: number for number, name in enumerate(flows)}
    near = _grouped({name: (flow.source_vantage,) for name, flow in flows.items()})
    far = _grouped({name: (flow.to,) for name, flow in flows.items()})
    busiest = max((len(mine) for mine in near.values()), default=1)
    probes = max(min(probes, int(LONGEST * rate / busiest)), 1)
    seconds = busiest * probes / rate + WAIT
    return Round(
        run=run,
        flows=flows,
        carriers=carriers,
        probes=probes,
        seconds=seconds,
        listen=tuple(_listen(run, place, mine, flows, index, seconds) for place, mine in far.items()),
        # All senders take equally long, so that no carrier has forgotten the first when the last is done.
        send=tuple(
            _send(run, place, mine, flows, index, probes, rate * len(mine) / busiest, seconds)
            for place, mine in near.items()
        ),
        collect=tuple(_collect(run, place, _needs_root(mine, flows)) for place, mine in far.items()),
        carried=tuple(
            _carried(place, [flows[name] for name in mine]) for place, mine in _grouped(carriers).items()
        ),
    )


def _hosts(fleet: Fleet, by: str) -> tuple[str, ...]:
    return fleet.groups[by].hosts if by in fleet.groups else (by,)


def _grouped(places: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, wanted in places.items():
        for place in wanted:
            found.setdefault(place, []).append(name)
    return found


def _listen(
    run: str, place: str, mine: list[str], flows: Mapping[str, Flow], index: Mapping[str, int], seconds: float
) -> Bundle:
    spec = {
        "run": run,
        "lifetime": min(seconds + MARGIN, 120.0),
        "flows": [
            {"flow": name, "index": index[name], **_marks(flows[name]), "df": flows[name].df} for name in mine
        ],
    }
    command = _python("flow.listen", "beacon", "listen", spec, root=_needs_root(mine, flows))
    return Bundle(vantage=place, commands=(command,))


def _send(
    run: str,
    place: str,
    mine: list[str],
    flows: Mapping[str, Flow],
    index: Mapping[str, int],
    probes: int,
    rate: float,
    seconds: float,
) -> Bundle:
    spec = {
        "run": run,
        "rate": rate,
        "wait": WAIT,
        "flows": [
            {
                "flow": name,
                "index": index[name],
                **_marks(flows[name]),
                "size": flows[name].size,
                "df": flows[name].df,
                "count": probes,
            }
            for name in mine
        ],
    }
    command = _python(
        "flow.send", "prober", "send", spec, root=_needs_root(mine, flows), timeout=seconds + 20.0
    )
    return Bundle(vantage=place, commands=(command,))


def _marks(flow: Flow) -> dict[str, object]:
    return {"protocol": flow.protocol, "address": flow.address, "port": flow.port}


def _needs_root(mine: list[str], flows: Mapping[str, Flow]) -> bool:
    """Pings need a raw socket at either end; without it, TCP only loses precision, and few logins may be root."""
    return any(flows[name].protocol == "icmp" for name in mine)


def _collect(run: str, place: str, root: bool) -> Bundle:
    # The listener answers only the user that started it.
    command = _python("flow.collect", "beacon", "collect", {"run": run}, root=root)
    return Bundle(vantage=place, commands=(command,))


def _python(
    name: str, part: str, verb: str, spec: Mapping[str, object], *, root: bool, timeout: float = 20.0
) -> Command:
    return Command(
        name=name,
        argv=("python3", "-", verb, json.dumps(spec, separators=(",", ":"))),
        stdin=script(part),
        safe=False,
        root=root,
        timeout=timeout,
        limit=4 * 1024 * 1024,
        package="python3",
    )


def _carried(place: str, flows: list[Flow]) -> Bundle:
    rough: dict[str, None] = {}
    keys: dict[str, None] = {}
    for flow in flows:
        address = ipaddress.ip_address(flow.address)
        six = address.version == 6
        protocol = "icmpv6" if six and flow.protocol == "icmp" else flow.protocol
        kind = flow.port if flow.port is not None else 128 if six else 8
        # The file in /proc writes every zero of an IPv6 address, the program writes none.
        for spelt in (address.compressed, address.exploded):
            rough[f"dst={spelt} "] = None
            keys[f"{protocol}/{spelt}/{kind}"] = None
    command = Command(
        name="flow.carried",
        argv=("sh", "-c", CARRIED, "seatrial-carried", str(MOST_ENTRIES), "\n".join(rough), *keys),
        root=True,
        timeout=40.0,
        limit=MOST_ENTRIES * ENTRY_BYTES,
        package="conntrack",
    )
    return Bundle(vantage=place, commands=(command,))
