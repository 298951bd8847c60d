"""Ranks the patches between two versions by how well they fit what failed, and says why in words. Pure.

A patch is a short document of two fields, the subsystems in front of its subject and the rest; the words of the query
are weighed by how rare they are among the patches (inverse document frequency, Spärck Jones 1972), and a subject that
names other subsystems as well counts for less (the cosine of its subsystems with the query's). What a later version
takes back comes first. bench/suspects.md says how often that is right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from seatrial.errors import InputError
from seatrial.kernels.areas import Query
from seatrial.kernels.changelog import Changelog, Patch
from seatrial.kernels.reverts import regressions, undoings
from seatrial.kernels.versions import compare, resolve
from seatrial.kernels.words import parts_of, prefix_of, words_of

# A word in the rest of a subject against one in front of it.
BODY = 0.5
# At which gain a patch is half believed; a rare subsystem that the symptom names has 6 to 8.
HALF = 6.0
# What kind of change is taken back more often than others, by the first word of the subject and by having a CVE's
# number: odds of 1.3 to 1.7, measured on reverts of 5.10 (bench/suspects.md). Other words told nothing on other series.
CHANGES = frozenset(
    words_of(
        "make set disable convert limit always change remove use drop enable add move replace switch allow"
        " defer reduce increase rework update"
    )
)
MENDS = frozenset(words_of("fix prevent correct initialize handle return ensure check avoid"))
NATURE = 0.4
KNOWN_CVE = -0.5
# Architectures that go by a wider name in a changelog.
_WIDER: Mapping[str, tuple[str, ...]] = {
    "amd64": ("amd64", "x86"),
    "i386": ("i386", "x86"),
    "arm64": ("arm64", "arm*"),
    "armhf": ("armhf", "arm*", "armel"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A patch to look at. `score` is 0 to 1 and only ranks; `reverted_in` is the version that takes it back."""

    version: str
    subject: str
    score: float
    because: tuple[str, ...]
    reverted_in: str | None = None
    link: str = ""
    upstream: str = ""

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "version": self.version,
            "subject": self.subject,
            "score": self.score,
            "because": list(self.because),
            "reverted_in": self.reverted_in,
            "upstream": self.upstream or None,
            "link": self.link or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Suspects, the first to look at first; `examined` is how many patches are between the two versions."""

    old: str
    new: str
    examined: int
    suspects: tuple[Suspect, ...] = ()
    reverted: int = 0

    def document(self, top: int) -> dict[str, object]:
        """As JSON: the first `top` of them."""
        return {
            "suspects": [suspect.document() for suspect in self.suspects[:top]],
            "examined": self.examined,
            "old": self.old,
            "new": self.new,
            "reverted_later": self.reverted,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The patches between two versions, and what of the changelog is newer (`later`), newest first."""

    old: str
    new: str
    patches: tuple[Patch, ...]
    later: tuple[Patch, ...] = field(default=())


def span(log: Changelog, old: str, new: str) -> Span:
    """What `new` has and `old` has not. Raises InputError for a version that is not there, or the wrong way round."""
    newer = _version(log, new)
    older = _version(log, old, among=newer)
    if compare(older, newer) >= 0:
        raise InputError(
            f"{older} is not older than {newer}", hint="give the good kernel first, the bad one second"
        )
    first: dict[str, int] = {}
    for place, version in enumerate(log.versions):
        first.setdefault(version, place)
    begin = first[newer]
    end = first.get(older, len(log.versions))
    between, after = set(log.versions[begin:end]), set(log.versions[:begin])
    return Span(
        old=older,
        new=newer,
        patches=tuple(
            patch for patch in log.patches if patch.version in between and compare(patch.version, older) > 0
        ),
        later=tuple(patch for patch in log.patches if patch.version in after),
    )


def _version(log: Changelog, name: str, among: str = "") -> str:
    found = resolve(name, log.versions, log.abis)
    if found is not None:
        return found
    # A version between two that are listed (of a point release, say) is a good beginning as well.
    if among and name[:1].isdigit() and compare(log.versions[-1], name) < 0 < compare(among, name):
        return name
    near = [
        version for version in log.versions if version.startswith(name.split("-")[0].rpartition(".")[0] + ".")
    ]
    known = ", ".join((near or list(log.versions))[:5])
    raise InputError(
        f"the changelog has no version {name!r}; it goes from {log.versions[-1]} to {log.versions[0]}",
        hint=f"give a package's version (dpkg -l 'linux-image*' shows them), such as: {known}",
    )


def rank(between: Span, asked: Query) -> Ranking:
    """All patches of the span, the most suspicious first; equal ones in the order of the changelog."""
    later = [*between.later, *between.patches]
    named = {undone.patch: undone for undone in undoings(later, older=between.patches)}
    offset = len(between.later)
    mended = regressions(between.later)
    weigh = _Scale(between.patches, asked)
    found: list[tuple[float, int, Suspect]] = []
    taken = 0
    for place, patch in enumerate(between.patches):
        because: list[str] = []
        gain = weigh.gain(patch, because)
        # The upper half is for what is known to have been taken back or mended.
        score = gain / (gain + HALF) / 2 if gain > 0 else 0.0
        undone = named.get(place + offset)
        reverted_in = None
        if undone is not None:
            by = later[undone.by]
            if undone.by < offset:
                taken += undone.is_revert
                reverted_in = by.version if undone.is_revert else None
                word = "takes it back" if undone.is_revert else "mends it"
                because.insert(0, f"{by.version} {word}: {by.subject}")
                # What has nothing to do with the failure is not put before what has.
                score = 0.5 + score if gain > 0 or not asked.words else 0.25
            elif undone.is_revert and not undone.is_again:
                because.insert(0, f"{between.new} has it no more: {by.version} takes it back")
                score *= 0.1
        elif (by_regression := mended.get((patch.upstream, prefix_of(patch.subject)))) and gain > 0:
            because.insert(
                0,
                f"{by_regression.version} mends a regression of {patch.upstream} there: {by_regression.subject}",
            )
            score = 0.25 + score / 2
        suspect = Suspect(
            version=patch.version,
            subject=patch.subject,
            score=round(score, 4),
            because=tuple(because) or ("nothing points to it",),
            reverted_in=reverted_in,
            link=patch.link,
            upstream=patch.upstream,
        )
        found.append((-score, place, suspect))
    found.sort(key=lambda one: one[:2])
    return Ranking(
        old=between.old,
        new=between.new,
        examined=len(between.patches),
        suspects=tuple(suspect for _, _, suspect in found),
        reverted=taken,
    )


class _Scale:
    """How rare each word is among the patches of a span, and what a patch gains by the words of the query."""

    def __init__(self, patches: Sequence[Patch], asked: Query) -> None:
        self._asked = asked
        count: Counter[str] = Counter()
        for patch in patches:
            fronts, rest = parts_of(patch.subject)
            count.update({*fronts, *words_of(rest)})
        self._all = len(patches)
        self._count = count
        # Rare words could be worth without end; the prior on the kind of change is measured against the best.
        self._best = max((weight * self._rare(word) for word, weight in asked.words.items()), default=HALF)

    def _rare(self, word: str) -> float:
        return math.log(1.0 + self._all / self._count[word]) if self._count[word] else 0.0

    def gain(self, patch: Patch, because: list[str]) -> float:
        """What speaks for the patch, in nats; appends the reasons in words."""
        fronts, rest = parts_of(patch.subject)
        weights = self._asked.words
        hit = [word for word in fronts if word in weights]
        body = [word for word in dict.fromkeys(words_of(rest)) if word in weights and word not in fronts]
        front = sum(weights[word] * self._rare(word) for word in hit)
        if hit and len(hit) < len(fronts):
            mine = sum(self._rare(word) ** 2 for word in hit)
            front *= math.sqrt(mine / sum(self._rare(word) ** 2 for word in fronts))
        gain = front + BODY * sum(weights[word] * self._rare(word) for word in body)
        if not weights:
            # With nothing asked for, the kind of change is all that there is to go by.
            gain = NATURE + abs(KNOWN_CVE)
        if gain <= 0 or not self._is_ours(patch, because):
            return 0.0
        because += self._told(hit, body)
        return max(gain + self._nature(patch, rest, because) * self._best / HALF, 0.01)

    def _is_ours(self, patch: Patch, because: list[str]) -> bool:
        arch = self._asked.arch
        if not arch or not patch.arches:
            return True
        wider = _WIDER.get(arch, (arch,))
        if any(one in wider or (one.endswith("*") and arch.startswith(one[:-1])) for one in patch.arches):
            return True
        if any(one.startswith("!") for one in patch.arches):
            return True
        because.append(f"it is for {', '.join(patch.arches)} only, and the hosts are {arch}")
        return False

    def _told(self, hit: list[str], body: list[str]) -> list[str]:
        told = []
        for words, where in ((hit, "subsystem"), (body, "word")):
            for word in sorted(words, key=lambda one: -self._asked.words[one] * self._rare(one))[:3]:
                told.append(
                    f"{where} {word}: {' and '.join(self._asked.because.get(word, ('asked for',))[:2])}"
                )
        return told

    def _nature(self, patch: Patch, rest: str, because: list[str]) -> float:
        words = words_of(rest)
        first = words[0] if words else ""
        found = KNOWN_CVE if patch.cves else 0.0
        if first in CHANGES:
            because.append("it changes what the kernel does, which is taken back more often than a mending")
            return found + NATURE
        return found - NATURE if first in MENDS else found
