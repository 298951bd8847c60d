"""A kernel package's changelog as patches, each with the version that brought it. Pure: text in, values out.

Four forms are read: Debian's and Ubuntu's changelog, that of an RPM, and `git log` (as kernel.org's ChangeLog files
are). What is not in: where the text comes from, and what a later patch says of an earlier one (reverts.py). Lines that
fit no form are passed over and counted, so that a broken file can be told from a short one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seatrial.errors import InputError

# A changelog of Debian's kernel has 75,000 lines in 4 MB; ten times that is no changelog any more.
MOST_BYTES = 64 * 1024 * 1024
MOST_PATCHES = 1_000_000
MOST_SUBJECT = 1000

_DEBIAN = re.compile(r"([a-z0-9][a-z0-9+.-]*) \(([^() \t]{1,100})\)((?: +[-+.:~\w]+)*) *;")
_RPM = re.compile(r"\* \w{3} \w{3} +\d{1,2}(?: [\d:]+ \w+)? \d{4} (.{1,300})$")
_RPM_VERSION = re.compile(r"(?:\[|- ?|\s)([\w.+~^]*\d\.[\w.+~^]+-[\w.+~^]+)\]?$")
_GIT = re.compile(r"commit ([0-9a-f]{12,64})\b")
_UPSTREAM = re.compile(r"(https?://\S+/ChangeLog-(\d[\w.-]*))$|.*\bv?(\d+\.\d+\.\d+) upstream stable release")
# Work on the package, which changes no kernel.
_HEADING = re.compile(
    r'New upstream (?:stable )?(?:update|release|version)|Bump ABI|Ignore ABI|Refresh "|(?:\[rt\] )(?:Update to|Refresh|Drop|Add new signing key)'
)
_ITEM = re.compile(r"( {2,12})([*+-]) +(\S.*)$")
_ARCH = re.compile(r"\[([a-z0-9*,!| ]{2,80})\] +")
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,7}\b")
_REGRESSION = re.compile(r"\(regress?ion in ([\w.~+-]+)\)")
_ABI = re.compile(r" +\* +Bump ABI to (\w+)")
# What packagers put behind the subject: no word of the patch itself.
_NOTE = re.compile(
    r" *(?:\((?:CVE-[^()]*|regress?ion in [^()]*|Closes: [^()]*|LP: [^()]*)\)|\[[\d, ]{5,}\]|\{CVE[^{}]*\})$"
)
_AUTHOR = re.compile(r" \([A-Z][^()\"]{2,60}\)$")
_RELEASED = re.compile(r"Linux (\d[\w.-]*)$")
_FIXES = re.compile(r"Fixes: +([0-9a-f]{8,40}) +\([\"'](.+)[\"']\)")
_HEX = re.compile(r"\b[0-9a-f]{12,40}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One change. `version` is the package's, `upstream` the stable release it came from ("" when none is named).

    `arches` are those it is said to touch (all when empty), `link` leads to where upstream lists it, `commit` is its
    id where the changelog has one. `regression_in` is the upstream version whose regression it is said to mend,
    `fixes` the subjects of patches that it names in `Fixes:`.
    """

    version: str
    subject: str
    upstream: str = ""
    link: str = ""
    arches: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    commit: str = ""
    regression_in: str = ""
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changelog:
    """All patches, newest version first. `versions` as they stand, `abis` beside them; `unread` counts odd lines."""

    patches: tuple[Patch, ...]
    versions: tuple[str, ...]
    abis: tuple[str, ...]
    unread: int = 0


def read_changelog(text: str) -> Changelog:
    """Read a changelog of any of the forms. Raises InputError for text that has no version in it."""
    lines = text.splitlines()
    for form, begins in ((_debian, _DEBIAN), (_git, _GIT), (_rpm, _RPM)):
        if any(begins.match(line) for line in lines[:200]):
            log = form(lines)
            if log.versions:
                return log
    raise InputError(
        "this is no changelog of a kernel package: no version stands in its first 200 lines",
        hint="give Debian's changelog.gz, the .deb itself, the output of `rpm -q --changelog`, or a ChangeLog of kernel.org",
    )


def _debian(lines: list[str]) -> Changelog:
    patches: list[Patch] = []
    versions: list[str] = []
    abis: list[str] = []
    version = upstream = link = item = ""
    unread = 0

    def flush() -> None:
        nonlocal item
        if item and len(patches) < MOST_PATCHES and not _HEADING.match(item):
            patches.append(_patch(item, version, upstream, link))
        item = ""

    for line in lines:
        if line.startswith("  "):
            if version and (found := _ITEM.match(line)):
                flush()
                if found[2] == "*" and len(found[1]) == 2:
                    # A packager's own item: what stood under the stable release before it does not hold for it.
                    upstream = link = ""
                    if abi := _ABI.match(line):
                        abis[-1] = abi[1]
                if named := _UPSTREAM.match(found[3]):
                    upstream, link = named[2] or named[3], named[1] or ""
                else:
                    item = found[3]
            elif version and (named := _UPSTREAM.match(line.strip())):
                flush()
                upstream, link = named[2] or named[3], named[1] or ""
            elif item and line.startswith("    ") and len(item) < MOST_SUBJECT:
                item = f"{item} {line.strip()}"
            elif not line.lstrip().startswith("["):
                flush()
                unread += 1
        else:
            flush()
            if found := _DEBIAN.match(line):
                version, upstream, link = found[2], "", ""
                versions.append(version)
                abis.append("")
            elif line.strip() and not line.startswith(" --"):
                unread += 1
    flush()
    return Changelog(patches=tuple(patches), versions=tuple(versions), abis=tuple(abis), unread=unread)


def _rpm(lines: list[str]) -> Changelog:
    patches: list[Patch] = []
    versions: list[str] = []
    version = item = ""
    unread = 0
    for line in [*lines, ""]:
        if line.startswith(("- ", "* ")) or not line.strip():
            if item and version and len(patches) < MOST_PATCHES:
                patches.append(_patch(item, version, "", ""))
            item = line[2:].strip() if line.startswith("- ") else ""
            if line.startswith("* "):
                head = _RPM.match(line)
                named = _RPM_VERSION.search(head[1].strip()) if head else None
                version = named[1] if named else ""
                if version and version not in versions[-1:]:
                    versions.append(version)
                unread += not version
        elif item and len(item) < MOST_SUBJECT:
            item = f"{item} {line.strip()}"
        else:
            unread += 1
    return Changelog(
        patches=tuple(patches), versions=tuple(versions), abis=("",) * len(versions), unread=unread
    )


def _git(lines: list[str]) -> Changelog:
    patches: list[Patch] = []
    versions: list[str] = []
    version = ""
    for commit, message in _commits(lines):
        subject = message[0] if message else ""
        if released := _RELEASED.match(subject):
            version = released[1]
            versions.append(version)
        elif version and subject and len(patches) < MOST_PATCHES:
            fixes = tuple(found[2] for line in message if (found := _FIXES.match(line)))
            patch = _patch(subject, version, version, "")
            patches.append(replace(patch, commit=commit, fixes=fixes, link=_commit_link(commit)))
    return Changelog(patches=tuple(patches), versions=tuple(versions), abis=("",) * len(versions))


def _commits(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    commit, message = "", list[str]()
    for line in lines:
        if found := _GIT.match(line):
            if commit:
                yield commit, message
            commit, message = found[1], []
        elif line.startswith("    ") and line.strip():
            message.append(line.strip()[:MOST_SUBJECT])
    if commit:
        yield commit, message


def _commit_link(commit: str) -> str:
    return f"https://git.kernel.org/stable/c/{commit}"


def _patch(item: str, version: str, upstream: str, link: str) -> Patch:
    """A patch of the words of one item. The few tests in front spare most items their regular expressions."""
    subject = item[:MOST_SUBJECT]
    cves: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    regression = commit = ""
    if subject.startswith("[") and (arch := _ARCH.match(subject)):
        arches = tuple(part.strip() for part in arch[1].split(",") if part.strip())
        subject = subject[arch.end() :]
    if subject.endswith((")", "]", "}")):
        cves = tuple(dict.fromkeys(_CVE.findall(subject)))
        if found := _REGRESSION.search(subject):
            regression = found[1]
        while note := _NOTE.search(subject):
            subject = subject[: note.start()]
        if not upstream and (author := _AUTHOR.search(subject)):
            subject = subject[: author.start()]
    if "evert" in subject and (named := _HEX.search(subject)):
        commit = named[0]
        link = link or _commit_link(commit)
    return Patch(
        version=version,
        subject=subject,
        upstream=upstream,
        link=link,
        arches=arches,
        cves=cves,
        commit=commit,
        regression_in=regression,
    )
