"""Routes, rules of the firewall, queueing disciplines and exports: set by hand and lost, or configured and not in force."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote

from seatrial.drift.facts import Facts
from seatrial.drift.find.made import DANGER, WARNING, finding
from seatrial.drift.read.running import InForce, Route
from seatrial.drift.read.text import shown
from seatrial.model.finding import Finding, When

# Devices that a program makes together with their routes.
_MADE_BY_PROGRAMS = re.compile(
    r"^(?:wg|tun|tap|cali|cilium|flannel|cni|veth|br-|docker|virbr|lxd|lxc|tailscale|podman|ppp|weave|kube)"
)
_OWN_RULES = {"0", "32766", "32767", "1000", "220", "5210", "5230", "5250", "5270"}
_ORDINARY_QDISCS = frozenset({"noqueue", "mq", "fq_codel", "pfifo_fast", "fq"})
_PROGRAMS_TABLES = (
    "DOCKER",
    "LIBVIRT",
    "KUBE-",
    "f2b",
    "firewalld",
    "LXD",
    "CNI-",
    "ufw",
    "cali",
    "CILIUM",
    "nixos",
)
_OPTIONS = (
    ("rw", "ro"),
    ("sync", "async"),
    ("root_squash", "no_root_squash"),
    ("secure", "insecure"),
    ("no_all_squash", "all_squash"),
)
_TC = re.compile(
    r"qdisc\s+(?:add|replace|change)\s+dev\s+(\S+)\s+(?:root\s+)?(?:handle\s+\S+\s+)?(?:root\s+)?(\w+)"
)
_ADDED = re.compile(r"(?:add|insert) rule (?:(ip|ip6|inet|arp|bridge|netdev) )?(\S+) (\S+) (.*?);?$")
_COUNTED = re.compile(r"\bcounter packets \d+ bytes \d+")
_PRIORITIES = {
    "raw": "-300",
    "mangle": "-150",
    "dstnat": "-100",
    "filter": "0",
    "security": "50",
    "srcnat": "100",
}


def routes(facts: Facts) -> Iterator[Finding]:
    """Routes that were added by hand."""
    for route in facts.running.routes:
        device = _after(route, "dev")
        if not route.by_hand or route.table == "local" or _MADE_BY_PROGRAMS.match(device):
            continue
        goal = route.text.split(" ")[0]
        if goal.startswith(("fe80:", "ff00:", "multicast")) or _route_at_boot(
            facts.running, goal, _after(route, "via"), device
        ):
            continue
        yield _route_lost(route, goal, device)


def _route_lost(route: Route, goal: str, device: str) -> Finding:
    table = f" table {route.table}" if route.table else ""
    keep = f"let `ip -{route.family} route add {route.text}` run at boot: as an `up` line of {device or 'its device'} in /etc/network/interfaces, or as [Route] in its .network file"
    drop = f"ip -{route.family} route del {goal}{table}"
    # Without its default route nobody reaches the host again, and nobody is to be told to delete it.
    last = goal == "default" and not table
    return finding(
        "running.route",
        DANGER if last else WARNING,
        f"{route.family} {goal}{table}",
        f"the route {route.text} was added by hand: the next boot is without it",
        keep if last else drop,
        instead="" if last else keep,
    )


def _after(route: Route, word: str) -> str:
    words = route.text.split(" ")
    return words[words.index(word) + 1] if word in words[:-1] else ""


def _route_at_boot(running: InForce, goal: str, via: str, device: str) -> bool:
    if goal == "default":
        # Whoever has an address by DHCP has its gateway from there too.
        return (
            (bool(via) and running.at_boot(via))
            or running.at_boot("dhcp")
            or running.at_boot("default", device or "dev")
        )
    return running.at_boot(goal) or (bool(via) and running.at_boot(goal.partition("/")[0], via))


def rules(facts: Facts) -> Iterator[Finding]:
    """Policy rules that were added by hand."""
    for rule in facts.running.rules:
        priority, _, text = rule.text.partition(":")
        if priority in _OWN_RULES or not rule.by_hand or "l3mdev" in text:
            continue
        words = text.split()
        marks = [
            words[at + 1]
            for at, word in enumerate(words[:-1])
            if word in ("from", "to", "fwmark", "lookup") and words[at + 1] != "all"
        ]
        if marks and any(facts.running.at_boot("rule", mark) for mark in marks):
            continue
        yield finding(
            "running.rule",
            WARNING,
            f"{rule.family} {priority}",
            f"the rule {' '.join(words)} (priority {priority}) was added by hand: the next boot is without it",
            fix=f"ip -{rule.family} rule del priority {priority}",
            instead="let `ip rule add` of it run at boot, or write [RoutingPolicyRule] into a .network file",
        )


def qdiscs(facts: Facts) -> Iterator[Finding]:
    """Shaping that a hand put in force, and shaping that something at boot would put back."""
    running = facts.running
    configured = _configured_qdiscs(running)
    default = running.sysctls.get("net/core/default_qdisc", "")
    for one in running.qdiscs:
        wanted = configured.get(one.device)
        if wanted is not None and wanted != one.kind:
            yield finding(
                "running.qdisc",
                WARNING,
                one.device,
                f"{one.device} has {one.kind} at its root, and what runs at boot sets {wanted}",
                fix=_line_of(running, one.device),
                instead=f"take the tc line of {one.device} out of what runs at boot",
            )
        elif (
            wanted is None
            and one.kind not in {*_ORDINARY_QDISCS, default}
            and not _MADE_BY_PROGRAMS.match(one.device)
        ):
            if running.at_boot("/systemd/network/", one.kind) or running.at_boot("qdisc", one.device):
                continue
            yield finding(
                "running.qdisc-lost",
                WARNING,
                one.device,
                f"{one.device} is shaped by {one.text}, set by hand: the next boot is without it",
                fix=f"tc qdisc del dev {one.device} root",
                instead=f"let the `tc qdisc replace dev {one.device} root {one.kind} ...` run at boot by a unit",
            )


def _configured_qdiscs(running: InForce) -> Mapping[str, str]:
    found = {}
    for line in running.boot_lines:
        match = _TC.search(line.partition(":")[2])
        if match and "$" not in match.group(0) and match.group(2) not in ("parent", "ingress", "clsact"):
            found[match.group(1)] = match.group(2)
    return found


def _line_of(running: InForce, device: str) -> str:
    """The command that something at boot runs, so that it can be run again whatever is at the root now."""
    for line in running.boot_lines:
        text = line.partition(":")[2]
        if (match := _TC.search(text)) and match.group(1) == device:
            words = re.split(r"[;&|}]|\s#", text[match.start() :])[0].split()
            return " ".join(["tc", "qdisc", "replace", *words[2:]])
    return f"tc qdisc replace dev {device} root"


def firewall(facts: Facts) -> Iterator[Finding]:
    """The rules in force against those that are loaded at boot."""
    running = facts.running
    now, file = statements(running.nft), statements(_file_lines(running))
    own = {place: some for place, some in now.items() if not _of_a_program(facts, place, now)}
    loaded = running.at_boot("nft", "nftables.conf") or _enabled(facts, "nftables.service")
    if running.nft_problem and loaded and running.nft_file:
        yield finding(
            "running.nft-broken",
            DANGER,
            "/etc/nftables.conf",
            f"the next boot loads no rules: {running.nft_problem}",
            fix="mend /etc/nftables.conf until nft -c -f /etc/nftables.conf says nothing",
        )
        return
    tables = sorted({place.partition(" chain ")[0] for place in own if place.startswith("table ")})
    if tables and file and not loaded:
        yield finding(
            "running.nft-unloaded",
            DANGER,
            "nftables.service",
            f"nothing loads /etc/nftables.conf at boot: the next boot is without {shown(tables)}",
            fix="systemctl enable nftables.service",
        )
        return
    for table in tables:
        if not any(place == table or place.startswith(f"{table} ") for place in file):
            yield finding(
                "running.nft-lost",
                WARNING,
                table,
                f"{table} is in no file that is loaded at boot: the next boot is without it",
                fix=f"nft list {table} >>/etc/nftables.conf",
                instead=f"nft delete {table}",
            )
    if loaded:
        yield from _rules(own, file, _load_again(running, now, file))


def _load_again(
    running: InForce, now: Mapping[str, Counter[str]], file: Mapping[str, Counter[str]]
) -> tuple[str, str]:
    """The command that puts the file in force in place of what is there, and a warning where that takes more with it.

    A file that does not empty its tables itself adds each rule once more; one that empties all takes other programs' too.
    """
    flushes = any(line.strip().startswith("flush ruleset") for line in _file_lines(running))
    here = {place.partition(" chain ")[0] for place in now if place.startswith("table ")}
    filed = {place.partition(" chain ")[0] for place in file if place.startswith("table ")}
    if flushes:
        others = sorted(here - filed)
        return "nft -f /etc/nftables.conf", (
            f" (loading the file takes {shown(others)} away as well: restart the programs of these after it)"
            if others
            else ""
        )
    deletes = "".join(f"delete {table}\\n" for table in sorted(here & filed))
    return f"(printf {quote(deletes)}; cat /etc/nftables.conf) | nft -f -", ""


def _rules(
    now: Mapping[str, Counter[str]], file: Mapping[str, Counter[str]], again: tuple[str, str]
) -> Iterator[Finding]:
    """Chains of both with another number of rules: the same rule may be spelled in two ways, a number may not."""
    for place, mine in now.items():
        theirs = file.get(place)
        table = place.partition(" chain ")[0]
        if theirs is None:
            if any(other == table or other.startswith(f"{table} ") for other in file) and " chain " in place:
                yield _lost(place, "the whole chain", again)
            continue
        if sum(mine.values()) > sum(theirs.values()):
            yield _lost(place, shown([f"`{rule}`" for rule in (mine - theirs)] or ["a rule"], 2), again)
        elif sum(mine.values()) < sum(theirs.values()):
            yield _absent(place, shown([f"`{rule}`" for rule in (theirs - mine)] or ["a rule"], 2), again)
    for place in file:
        if place not in now and " chain " in place:
            yield _absent(place, "the whole chain", again)


def _lost(place: str, what: str, again: tuple[str, str]) -> Finding:
    return finding(
        "running.nft-lost",
        WARNING,
        place,
        f"in {place} {what} was added by hand: the next boot is without it{again[1]}",
        fix=again[0],
        instead="write the rule into /etc/nftables.conf",
    )


def _absent(place: str, what: str, again: tuple[str, str]) -> Finding:
    return finding(
        "running.nft",
        WARNING,
        place,
        f"in {place} {what} is in /etc/nftables.conf and not in force: the next boot loads it{again[1]}",
        fix=again[0],
        instead="take it out of /etc/nftables.conf",
    )


def _file_lines(running: InForce) -> Iterable[str]:
    """The lines of the file in the order of loading: what is included first, since its tables are the same to us."""
    main = running.nft_file.get("/etc/nftables.conf", ())
    yield from (
        line for path, lines in running.nft_file.items() if path != "/etc/nftables.conf" for line in lines
    )
    yield from main


def statements(lines: Iterable[str]) -> dict[str, Counter[str]]:
    """The rules of each chain and table, by their place: what `nft list` prints, and files that are written alike."""
    found: dict[str, Counter[str]] = {}
    stack: list[str] = []
    for line in lines:
        if added := _ADDED.match(line.strip()):
            family, table, chain, rule = added.groups()
            found.setdefault(f"table {family or 'ip'} {table} chain {chain}", Counter())[_plain(rule)] += 1
            continue
        for part in _parts(line):
            if part == "}":
                stack = stack[:-1]
            elif part.endswith("{"):
                stack.append(part[:-1].strip())
                if stack[0].startswith("table") and (len(stack) == 1 or stack[-1].startswith("chain")):
                    found.setdefault(" ".join(_named(word) for word in stack), Counter())
            elif (
                part
                and len(stack) == 2
                and stack[1].startswith("chain")
                and not part.startswith(("type ", "policy ", "comment "))
            ):
                found[" ".join(_named(word) for word in stack)][_plain(part)] += 1
    return found


def _named(word: str) -> str:
    # A table without a family is one of IPv4.
    words = word.split()
    return f"table ip {words[1]}" if len(words) == 2 and words[0] == "table" else " ".join(words)


def _parts(line: str) -> Iterator[str]:
    """A line cut where a block begins or ends; the braces of a set stay where they are."""
    line = line.partition(" #")[0].strip()
    while opened := re.match(
        r"\s*((?:table|chain|set|map|flowtable|counter|quota|limit|ct helper|ct timeout)\b[^{;]*)\{", line
    ):
        yield f"{opened.group(1).strip()} {{"
        line = line[opened.end() :]
    depth, start = 0, 0
    for at, letter in enumerate(line):
        depth += letter == "{"
        if letter == "}":
            if depth == 0:
                yield line[start:at].strip()
                yield "}"
                start = at + 1
            else:
                depth -= 1
        elif letter == ";" and depth == 0:
            yield line[start:at].strip()
            start = at + 1
    yield line[start:].strip()


def _plain(rule: str) -> str:
    return _COUNTED.sub("counter", rule).replace('"', "")


def _of_a_program(facts: Facts, place: str, now: Mapping[str, Counter[str]]) -> bool:
    table = place.partition(" chain ")[0]
    if facts.running.iptables_file and table in {
        f"table {family} {name}" for family in ("ip", "ip6") for name in ("filter", "nat", "mangle", "raw")
    }:
        return True
    return any(
        mark in other or any(mark in rule for rule in some)
        for other, some in now.items()
        if other == table or other.startswith(f"{table} ")
        for mark in _PROGRAMS_TABLES
    )


def _enabled(facts: Facts, unit: str) -> bool:
    return unit in facts.services.unit_files


def iptables(facts: Facts) -> Iterator[Finding]:
    """Rules of iptables against /etc/iptables/rules.v4, where that is loaded at boot."""
    now, file = (
        Counter(
            line
            for line in lines
            if line.startswith("-A") and not any(mark in line for mark in _PROGRAMS_TABLES)
        )
        for lines in (facts.running.iptables, facts.running.iptables_file)
    )
    if not facts.running.iptables_file:
        return
    if lost := list(now - file):
        yield finding(
            "running.iptables-lost",
            WARNING,
            "rules.v4",
            f"{shown([f'`{rule}`' for rule in lost], 2)} {'is' if len(lost) == 1 else 'are'} in force and not in /etc/iptables/rules.v4: the next boot is without",
            fix="iptables-save >/etc/iptables/rules.v4",
            instead="iptables-restore /etc/iptables/rules.v4",
        )
    if absent := list(file - now):
        yield finding(
            "running.iptables",
            WARNING,
            "rules.v4",
            f"{shown([f'`{rule}`' for rule in absent], 2)} {'is' if len(absent) == 1 else 'are'} in /etc/iptables/rules.v4 and not in force: the next boot loads it",
            fix="iptables-restore /etc/iptables/rules.v4",
        )


def exports(facts: Facts) -> Iterator[Finding]:
    """What is exported against /etc/exports and /etc/exports.d."""
    running = facts.running
    if not running.exports and not _serves(facts):
        return
    for path, client in running.exports_file:
        if (path, client) not in running.exports:
            yield finding(
                "running.export",
                WARNING,
                f"{path} {client}",
                f"{path} is exported to {client} in /etc/exports and not in force: the next start of the server, or a failover, brings it",
                fix="exportfs -ra",
                when=When.RESTART,
            )
    for (path, client), options in running.exports.items():
        wanted = running.exports_file.get((path, client))
        if wanted is None:
            yield finding(
                "running.export-lost",
                DANGER,
                f"{path} {client}",
                f"{path} is exported to {client} by hand and stands in no file: the next boot or failover drops its clients",
                fix=f"echo {quote(exports_line(path, client, options))} >>/etc/exports && exportfs -ra",
                instead=f"exportfs -u {quote(f'{client}:{path}')}",
                when=When.FAILOVER,
            )
        elif other := _differing(options, wanted):
            yield finding(
                "running.export",
                WARNING,
                f"{path} {client}",
                f"{path} is exported to {client} with {shown([now for now, _ in other])}, and /etc/exports says {shown([then for _, then in other])}",
                fix="exportfs -ra",
                when=When.RESTART,
            )


def exports_line(path: str, client: str, options: frozenset[str]) -> str:
    """A line of exports(5)."""
    told = f'"{path}"' if " " in path else path
    return f"{told} {client}({_written(options)})"


def _written(options: frozenset[str]) -> str:
    kept = [
        word
        for word in (
            "rw",
            "ro",
            "sync",
            "async",
            "no_root_squash",
            "root_squash",
            "no_subtree_check",
            "crossmnt",
            "insecure",
        )
        if word in options
    ]
    return (
        ",".join(
            (
                *kept,
                *sorted(word for word in options if word.startswith(("fsid=", "sec=")) and word != "sec=sys"),
            )
        )
        or "ro"
    )


def _serves(facts: Facts) -> bool:
    unit = facts.services.units.get("nfs-server.service") or facts.services.units.get(
        "nfs-kernel-server.service"
    )
    return unit is not None and unit.active == "active"


def _differing(now: frozenset[str], wanted: frozenset[str]) -> list[tuple[str, str]]:
    found = []
    for one, other in _OPTIONS:
        for mine, theirs in ((one, other), (other, one)):
            if mine in now and theirs in wanted:
                found.append((mine, theirs))
    return found
