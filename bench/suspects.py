"""How early `seatrial suspects` names a patch that is known to be bad, beside counting keywords and beside chance.

What is in: the data set, made from Debian's changelogs by one rule; the peers; the tables. A case is a `Revert "..."`
whose subject stands in an older version of the same series. The symptom is made of the revert's own subsystem and of
nothing else of its text, and every version from the revert on is hidden. What is not: any changelog. They are fetched
by apt into the cache, or given.

5.10 is the series at which the table of kinds of changes was made. A culprit that is reverted there is in no other row,
and each culprit is in one row only, so that no figure of the others is fitted.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from seatrial.kernels.areas import Query, query
from seatrial.kernels.changelog import Changelog, Patch, read_changelog
from seatrial.kernels.ranking import Span, rank, span
from seatrial.kernels.reverts import plain, taken_back, undoings
from seatrial.kernels.versions import upstream_of
from seatrial.kernels.words import parts_of, words_of
from seatrial.perform.changelogs import text_of

SUITES = {"bullseye": "5.10", "bookworm": "6.1", "trixie": "6.12"}
TUNED_ON = "bullseye"
SYMPTOMS = ("whole subsystem", "widest word of it", "nothing")
# The package with the whole changelog of the source that is the least to fetch: 2 to 3 MB.
PACKAGE = "linux-libc-dev"


# --- the data ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A patch that was taken back, the revert, and the patches of the kernels that had it and not its revert."""

    culprit: Patch
    revert: Patch
    between: Span

    def symptom(self, kind: str) -> str:
        """What is said of the failure: words of the revert's subsystem."""
        fronts = parts_of(self.revert.subject)[0]
        return {"whole subsystem": " ".join(fronts), "widest word of it": " ".join(fronts[:1])}.get(kind, "")


def cases(log: Changelog, seen: set[str]) -> Iterator[Case]:
    """Every case of a changelog whose culprit is not in `seen`; adds it there."""
    order = list(dict.fromkeys(log.versions))
    place = {version: number for number, version in enumerate(order)}
    for undone in undoings(log.patches):
        culprit, revert = log.patches[undone.patch], log.patches[undone.by]
        name = plain(culprit.subject)
        begin, end = place[revert.version], place[culprit.version]
        if (
            begin == end
            or series(culprit.version) != series(revert.version)
            # A packager's own change is no patch of the kernel, and a revert that is reverted is none either.
            or not culprit.upstream
            or taken_back(culprit.subject)
            or name in seen
            or end + 1 >= len(order)
        ):
            continue
        seen.add(name)
        yield Case(culprit=culprit, revert=revert, between=span(log, order[end + 1], order[begin + 1]))


def series(version: str) -> str:
    """5.10 of 5.10.70-1."""
    return ".".join(upstream_of(version).split("~")[0].split(".")[:2])


def fetch(suite: str) -> str:
    """The changelog of Debian's linux in a suite, by apt with lists of its own, from where this machine has its packages."""
    home = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seatrial" / "changelogs" / suite
    )
    if not list(home.glob("*.deb")):
        for folder in ("lists/partial", "archives/partial"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        sites = _run("apt-get", "indextargets", "Created-By: Packages", "--format", "$(REPO_URI)").split()
        keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        lines = []
        for site in dict.fromkeys(sites):
            name = site.rstrip("/").rpartition("/")[2]
            if name == "debian":
                lines.append(f"deb {keyring} {site} {suite} main")
            elif name == "debian-security":
                lines.append(f"deb {keyring} {site} {suite}-security main")
        (home / "sources.list").write_text("\n".join(lines) + "\n")
        (home / "status").touch()
        own = [
            f"-oDir::Etc::sourcelist={home}/sources.list", "-oDir::Etc::sourceparts=/dev/null",
            f"-oDir::State::lists={home}/lists", f"-oDir::State::status={home}/status", f"-oDir::Cache={home}",
            "-oAcquire::Languages=none", "-oAcquire::Check-Valid-Until=false", "-oAPT::Sandbox::User=root",
        ]  # fmt: skip
        _run("apt-get", "-q", *own, "update")
        _run("apt-get", "-q", *own, "download", PACKAGE, at=home)
    (package,) = home.glob("*.deb")
    files = "dpkg-deb --fsys-tarfile \"$1\" | tar -xO --wildcards './usr/share/doc/*/changelog*.gz'"
    packed = subprocess.run(["sh", "-c", files, "sh", str(package)], check=True, capture_output=True).stdout
    return text_of(packed, str(package))


def _run(*argv: str, at: Path | None = None) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=at).stdout


# --- the methods: a score for each patch, the more the worse ---

Method = Callable[[Case, str], Sequence[float]]


def ours(case: Case, symptom: str) -> list[float]:
    """The product's own ranking, without what came later."""
    return _scores(replace(case.between, later=()), query(symptom=symptom))


def ours_later(case: Case, symptom: str) -> list[float]:
    """The same with the later changelog at hand."""
    return _scores(case.between, query(symptom=symptom))


def _scores(between: Span, asked: Query) -> list[float]:
    ranked = rank(between, asked).suspects
    found: dict[tuple[str, str], float] = {}
    for suspect in ranked:
        found.setdefault((suspect.version, suspect.subject), suspect.score)
    return [found[patch.version, patch.subject] for patch in between.patches]


def keywords(case: Case, symptom: str) -> list[float]:
    """How many words of the symptom stand in the subject: what grep and a sort would do."""
    wanted = set(words_of(symptom))
    return [float(len(wanted & set(words_of(patch.subject)))) for patch in case.between.patches]


def chance(case: Case, _symptom: str) -> list[float]:
    """Any order is as good as any other."""
    return [0.0] * len(case.between.patches)


METHODS: dict[str, Method] = {"seatrial": ours, "keyword count": keywords, "random": chance}


def place(case: Case, scores: Sequence[float]) -> float:
    """The culprit's rank from 1; among equals the one that it has on average, whatever the order of the file is."""
    at = next(number for number, patch in enumerate(case.between.patches) if patch is case.culprit)
    mine = scores[at]
    return sum(one > mine for one in scores) + (sum(one == mine for one in scores) + 1) / 2


# --- the tables ---


def row(name: str, places: Sequence[float], sizes: Sequence[int]) -> str:
    """Median rank, and the shares in the first 10, the first 50 and the first 1 % of the range."""
    if not places:
        return f"| {name} | 0 | | | | |"
    shares = [
        sum(one <= 10 for one in places),
        sum(one <= 50 for one in places),
        sum(one <= max(1, math.ceil(size / 100)) for one, size in zip(places, sizes, strict=True)),
    ]
    cells = " | ".join(f"{100 * share / len(places):.0f} %" for share in shares)
    return f"| {name} | {len(places)} | {median(places):g} | {cells} |"


def tables(found: dict[str, list[Case]]) -> None:
    """Print them."""
    print("| series | patches | culprits | patches in a range: median, largest |\n|---|---|---|---|")
    for suite, some in found.items():
        sizes = [len(case.between.patches) for case in some]
        print(f"| {label(suite)} | {PATCHES[suite]:,} | {len(some)} | {median(sizes):,g}, {max(sizes):,} |")
    for symptom in SYMPTOMS:
        print(f"\nThe symptom is: {symptom}\n")
        print("| | culprits | median rank | first 10 | first 50 | first 1 % |\n|---|---|---|---|---|---|")
        for suite, some in found.items():
            for method, scores in METHODS.items():
                told(f"{label(suite)}, {method}", some, scores, symptom)
        held = [case for suite, some in found.items() if suite != TUNED_ON for case in some]
        for method, scores in METHODS.items():
            told(f"all that are held out, {method}", held, scores, symptom)
    print("\nThe later changelog is at hand, and the symptom is the whole subsystem\n")
    print("| | culprits | median rank | first | first 10 | behind none but others that were taken back |")
    print("|---|---|---|---|---|---|")
    for suite, some in found.items():
        scored = [(case, ours_later(case, case.symptom("whole subsystem"))) for case in some]
        places = [place(case, scores) for case, scores in scored]
        shares = [
            sum(one <= 1 for one in places),
            sum(one <= 10 for one in places),
            sum(behind_known_only(case, scores) for case, scores in scored),
        ]
        cells = " | ".join(f"{100 * share / len(places):.0f} %" for share in shares)
        print(f"| {label(suite)} | {len(places)} | {median(places):g} | {cells} |", flush=True)


def behind_known_only(case: Case, scores: Sequence[float]) -> bool:
    """Whether every patch that is put before the culprit was taken back later as well."""
    both = [*case.between.later, *case.between.patches]
    known = {id(both[undone.patch]) for undone in undoings(both, older=case.between.patches)}
    mine = next(
        score for score, patch in zip(scores, case.between.patches, strict=True) if patch is case.culprit
    )
    return all(
        id(patch) in known for score, patch in zip(scores, case.between.patches, strict=True) if score > mine
    )


def told(name: str, some: Sequence[Case], scores: Method, symptom: str) -> None:
    """One row."""
    places = [place(case, scores(case, case.symptom(symptom))) for case in some]
    print(row(name, places, [len(case.between.patches) for case in some]), flush=True)


def the_outage(log: Changelog) -> None:
    """The patch of the outage of 2021: between the two kernels of that day, by what was known then, and by what is now."""
    between = span(log, "5.10.40-1", "5.10.70-1")
    print(f"\nThe outage of 2021: {len(between.patches):,} patches from 5.10.40-1 to 5.10.70-1\n")
    print("| what is known | rank, then | rank, with the later changelog |\n|---|---|---|")
    text = "replies of translated flows lost"
    for name, asked in {
        f'"{text}"': query(symptom=text),
        "that, role gateway, modules vrf and nf_conntrack": query(
            symptom=text, roles=["gateway"], modules=["vrf", "nf_conntrack"], arch="amd64"
        ),
        "only the role and the modules, as `plan` asks": query(
            roles=["gateway"], modules=["vrf", "nf_conntrack"], arch="amd64"
        ),
    }.items():
        ranks = [
            1 + next(n for n, one in enumerate(rank(seen, asked).suspects) if "vrf: Reset skb" in one.subject)
            for seen in (replace(between, later=()), between)
        ]
        print(f"| {name} | {ranks[0]} | {ranks[1]} |")


PATCHES: dict[str, int] = {}


def label(suite: str) -> str:
    """How a row is called."""
    return f"{suite} (to {SUITES[suite]})" + (", tuned on" if suite == TUNED_ON else "")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--changelog",
        action="append",
        default=[],
        metavar="SUITE=FILE",
        help="instead of fetching that suite's",
    )
    given = dict(one.split("=", 1) for one in parser.parse_args().changelog)
    logs: dict[str, Changelog] = {}
    for suite in SUITES:
        text = text_of(Path(given[suite]).read_bytes(), given[suite]) if suite in given else fetch(suite)
        began = time.perf_counter()
        logs[suite] = read_changelog(text)
        PATCHES[suite] = len(logs[suite].patches)
        print(
            f"{suite}: {text.count(chr(10)):,} lines read in {time.perf_counter() - began:.2f} s", flush=True
        )
    print()
    # What 5.10 takes back at all, also where the patch itself is in no changelog, was seen when the table was made.
    tuned = {name for patch in logs[TUNED_ON].patches for name in taken_back(patch.subject)}
    seen: set[str] = set()
    found = {TUNED_ON: list(cases(logs[TUNED_ON], seen))}
    seen |= tuned
    found |= {suite: list(cases(log, seen)) for suite, log in logs.items() if suite != TUNED_ON}
    tables(found)
    the_outage(logs[TUNED_ON])


if __name__ == "__main__":
    main()
