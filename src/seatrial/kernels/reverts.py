"""Which patch a later one takes back or mends, as far as their subjects say so. Pure.

What is in: pairs of (what was wrong, what says so). What is not: whether that has to do with anything that failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seatrial.kernels.changelog import Patch
from seatrial.kernels.words import prefix_of

_REVERT = re.compile(
    r"(?P<before>(?:[\w\-/.,+* ()]{1,60}: +)*)(?:partial(?:ly)? +)?revert(?:s|ing|ed)?\b:?(?: +of)?(?: +commit)? +(?P<what>.+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"'](.+)[\"']")
_SPACE = re.compile(r"\s+")
# A subject that is cut off ("Reset skb conntrack connection...") names one patch when this much of it is left.
_LEAST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """`patch` was taken back (or mended) by `by`, which came later; both are indices into a changelog.

    `is_again` is whether a patch of the same subject came after that.
    """

    patch: int
    by: int
    is_revert: bool
    is_again: bool = False


def plain(subject: str) -> str:
    """A subject by which two spellings of it are the same: case, spaces, dots and quotes at the end do not count."""
    return _SPACE.sub(" ", subject).strip(" .\"'").lower()


def taken_back(subject: str) -> tuple[str, ...]:
    """The subjects that this one may mean to revert, the most literal first; () when it reverts nothing.

    A revert of a revert takes nothing back: it brings a patch in again.
    """
    if "evert" not in subject:
        return ()
    found = _REVERT.match(subject)
    if found is None:
        return ()
    what, before = found["what"], found["before"].strip()
    quoted = _QUOTED.search(what)
    inner = quoted[1] if quoted else what
    if inner.lower().lstrip("\"' ").startswith(("revert ", "reapply ")):
        return ()
    # `vrf: Revert "Reset skb ..."` leaves out of the quotes what stands before them.
    names = [inner, f"{before} {inner}"] if before else [inner]
    return tuple(dict.fromkeys(plain(name) for name in names))


class _Index:
    """Where each subject stands, for finding a whole one or the beginning of one."""

    def __init__(self, patches: Sequence[Patch]) -> None:
        self._whole: dict[str, list[int]] = {}
        self._begun: dict[str, set[str]] = {}
        for at, patch in enumerate(patches):
            name = plain(patch.subject)
            if name not in self._whole:
                self._begun.setdefault(name[:_LEAST], set()).add(name)
            self._whole.setdefault(name, []).append(at)

    def find(self, name: str, cut: bool) -> list[int]:
        found = self._whole.get(name, [])
        if found or not cut or len(name) < _LEAST:
            return found
        longer = [whole for whole in self._begun.get(name[:_LEAST], ()) if whole.startswith(name)]
        return self._whole[longer[0]] if len(longer) == 1 else []


def undoings(patches: Sequence[Patch], *, older: Sequence[Patch] | None = None) -> list[Undoing]:
    """What later patches say of earlier ones; `patches` are newest version first, as a changelog has them.

    A revert names the newest patch of that subject that stands in an older version, or in the same version further
    up. `older`, where given, are the only ones that may be named (the same objects).
    """
    index = _Index(patches)
    wanted = None if older is None else {id(patch) for patch in older}
    found = []
    for at, patch in enumerate(patches):
        for name, is_revert in _named(patch):
            cut = "..." in patch.subject or "…" in patch.subject
            places = index.find(name, cut)
            before = [place for place in places if _is_before(patches, place, at)]
            if before and (wanted is None or id(patches[before[0]]) in wanted):
                again = any(_is_before(patches, at, place) for place in places)
                found.append(Undoing(patch=before[0], by=at, is_revert=is_revert, is_again=again))
                break
    return found


def _is_before(patches: Sequence[Patch], place: int, at: int) -> bool:
    """Versions come newest first; inside one version the patches are in the order in which they were applied."""
    if patches[place].version == patches[at].version:
        return place < at
    return place > at


def _named(patch: Patch) -> Iterator[tuple[str, bool]]:
    for name in taken_back(patch.subject):
        yield name, True
    for subject in patch.fixes:
        yield plain(subject), False


def regressions(patches: Sequence[Patch]) -> dict[tuple[str, str], Patch]:
    """What is said to mend a regression, by (upstream version that brought it, subsystem), the oldest of each."""
    return {
        (patch.regression_in, prefix_of(patch.subject)): patch
        for patch in patches
        if patch.regression_in and not taken_back(patch.subject)
    }
