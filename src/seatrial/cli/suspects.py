"""`seatrial suspects`: which patches between two kernels to look at first, by two versions or by a rollout."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seatrial.cli.given import bytes_of
from seatrial.cli.options import Database, Json, console, journal, print_json
from seatrial.errors import InputError
from seatrial.kernels.areas import Query, query
from seatrial.kernels.asked import asked_of, failed_trial
from seatrial.kernels.changelog import MOST_BYTES, Changelog, read_changelog
from seatrial.kernels.ranking import Ranking, Suspect, rank, span
from seatrial.kernels.versions import arch_of
from seatrial.model.text import safe
from seatrial.perform import changelogs
from seatrial.perform.changelogs import Found

_ROLLOUT = re.compile(r"r\d+")
# The largest package of a kernel with its debugging symbols is a gigabyte; only its first bytes are read here.
_MOST_FILE = 2_000_000_000

ChangelogFile = Annotated[
    str | None,
    Parameter(
        name="--changelog",
        help="the changelog: text, .gz, a .deb or an .rpm [default: that of NEW, if it is installed here]",
    ),
]
Download = Annotated[
    bool, Parameter(name="--download", negative="", help="let apt fetch the package of NEW for its changelog")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Two kernels as they were named, and what is looked for between them."""

    old: str
    new: str
    query: Query


def suspects(
    old: Annotated[
        str, Parameter(help="the good kernel: a package's version, a release, or a rollout such as r1")
    ],
    new: Annotated[str | None, Parameter(help="the bad kernel")] = None,
    /,
    *,
    changelog: ChangelogFile = None,
    symptom: Annotated[str, Parameter(help="what failed, in words")] = "",
    role: Annotated[tuple[str, ...], Parameter(negative="", help="what the host is")] = (),
    module: Annotated[tuple[str, ...], Parameter(negative="", help="what is loaded there")] = (),
    arch: Annotated[str, Parameter(help="of the host [default: as OLD or NEW end]")] = "",
    top: Annotated[int, Parameter(help="how many to show")] = 10,
    download: Download = False,
    database: Database = None,
    json: Json = False,
) -> int:
    """Rank the patches between OLD and NEW by what failed; with a rollout (r1) all of that comes from its journal.

    A changelog that goes further than NEW tells which of them were taken back later: those come first.
    """
    if top < 1:
        raise InputError(f"--top {top}: at least one patch is wanted", hint="such as --top 10")
    if new is None:
        asked, releases = _of_rollout(old, symptom, database)
        if role or module:
            raise InputError("a rollout says itself what the host is", hint="leave out --role and --module")
    else:
        found = query(symptom=symptom, roles=role, modules=module, arch=arch or arch_of(new) or arch_of(old))
        asked, releases = Asked(old=old, new=new, query=found), {}
    text = asyncio.run(find(asked.new, changelog, download=download, quiet=json))
    if text is None:
        raise changelogs.nowhere(asked.new)
    log = read_changelog(text.text)
    known = {**releases, **text.releases}
    between = span(log, *(asyncio.run(_package(name, log, known)) for name in (asked.old, asked.new)))
    ranking = rank(between, asked.query)
    if json:
        print_json({**ranking.document(top), "changelog": text.where})
    else:
        tell(ranking, log, text.where, top, has_words=bool(asked.query.words))
    return 0


def _of_rollout(name: str, symptom: str, database: str | None) -> tuple[Asked, dict[str, str]]:
    """What a rollout's journal says: both kernels, what failed, and package versions as the host knew them."""
    # Neither the database nor the fleet's parser is wanted for two versions and a file.
    from seatrial.engine.controller import state_of
    from seatrial.fleetfile import parse

    if not _ROLLOUT.fullmatch(name):
        raise InputError(
            f"one version is given, {name!r}, and no other one to compare it with",
            hint="seatrial suspects OLD NEW, or a rollout: seatrial suspects r1",
        )
    state = state_of(journal(database), name)
    trial = failed_trial(state)
    if trial is None:
        raise InputError(
            f"nothing has failed in {name}, so there is nothing to suspect",
            hint="name two kernels to look at all the same: seatrial suspects OLD NEW --symptom TEXT",
        )
    fleet = parse(state.fleet, filename=f"fleet of {name}")
    asked = asked_of(trial, fleet, candidate=state.candidate, symptom=symptom)
    packages = trial.described.get("packages", {})
    good = str(trial.facts.get("good") or trial.described.get("running", ""))
    return Asked(old=good, new=state.candidate, query=asked), {str(k): str(v) for k, v in packages.items()}


async def find(release: str, file: str | None, *, download: bool, quiet: bool) -> Found | None:
    """The changelog that was asked for, else the one that is at hand; None when there is none."""
    if file is not None:
        data = bytes_of(
            file,
            most=_MOST_FILE if file.endswith((".deb", ".rpm")) else MOST_BYTES,
            what="give a changelog, a .deb or an .rpm",
            too_large="give the changelog of one package",
        )
        if not quiet and data.startswith((b"!<arch>\n", b"\xed\xab\xee\xdb")):
            print(f"changelog    unpacking {file}", file=sys.stderr)
        return await changelogs.from_file(Path(file), data)
    if (found := await changelogs.installed(release)) is not None:
        return found
    if download:
        if not quiet:
            print(f"changelog    apt fetches linux-image-{release}", file=sys.stderr)
        return await changelogs.downloaded(release)
    return None


async def _package(name: str, log: Changelog, known: dict[str, str]) -> str:
    """The package's version of a release, where the changelog itself does not say it."""
    from seatrial.kernels.versions import resolve

    if version := known.get(name):
        return version
    if resolve(name, log.versions, log.abis) is not None:
        return name
    return await changelogs.version_of(name) or name


def tell(ranking: Ranking, log: Changelog, where: str, top: int, *, has_words: bool) -> None:
    """For people: one patch a line, and below it why."""
    out = console()
    shown = ranking.suspects[:top]
    known = (
        f"; by it {ranking.reverted} of them were taken back later" if log.versions[0] != ranking.new else ""
    )
    head = (
        f"{ranking.examined:,} patches from {ranking.old} to {ranking.new}, the first {len(shown)} to look at"
    )
    out.print(head, markup=False, style="bold")
    out.print(f"changelog    {safe(where)}, up to {safe(log.versions[0])}{known}", markup=False)
    if not has_words:
        out.print(
            "nothing was said of what failed: --symptom TEXT, --role or --module put the likely ones first"
        )
    for place, suspect in enumerate(shown, start=1):
        _tell_one(place, suspect)


def _tell_one(place: int, suspect: Suspect) -> None:
    out = console()
    upstream = f", {suspect.upstream}" if suspect.upstream else ""
    out.print(
        f"{place:>3}. {safe(suspect.subject)}", markup=False, style="red" if suspect.reverted_in else None
    )
    out.print(f"     {safe(suspect.version)}{safe(upstream)}   score {suspect.score:.2f}", markup=False)
    if suspect.reverted_in:
        out.print(f"     KNOWN: taken back in {safe(suspect.reverted_in)}", markup=False)
    for reason in suspect.because:
        out.print(f"     {safe(reason)}", markup=False)
    if suspect.link:
        out.print(f"     {safe(suspect.link)}", markup=False)
