"""Which patch a later one takes back: every way in which packagers have written it, and what is no such thing."""

from __future__ import annotations

import pytest

from seatrial.kernels.changelog import Patch, read_changelog
from seatrial.kernels.reverts import Undoing, taken_back, undoings
from tests.kernels.test_changelog import golden


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ('Revert "net: a: b"', ("net: a: b",)),
        ('scsi: Revert "scsi: fcoe: Fix"', ("scsi: fcoe: fix", "scsi: scsi: fcoe: fix")),
        (
            'vrf: Revert "Reset skb conntrack connection..."',
            ("reset skb conntrack connection", "vrf: reset skb conntrack connection"),
        ),
        ('mm: revert "mm: shmem: fix"', ("mm: shmem: fix", "mm: mm: shmem: fix")),
        ('Revert 337f13046ff0 ("futex: Allow it")', ("futex: allow it",)),
        ('wifi: cfg80211: Partial revert "wifi: x"', ("wifi: x", "wifi: cfg80211: wifi: x")),
        ("drm: revert Exit idle optimizations", ("exit idle optimizations", "drm: exit idle optimizations")),
        ('Revert "Revert "net: a: b""', ()),
        ('Revert "Reapply "net: a: b""', ()),
        ("ovl: fix missing revert_creds() on error path", ()),
        ("net: fix a leak in the reverting of rules", ()),
        ("nothing of that kind", ()),
    ],
)
def test_what_a_subject_takes_back(subject: str, names: tuple[str, ...]) -> None:
    assert taken_back(subject) == names


def log(*pairs: tuple[str, str]) -> tuple[Patch, ...]:
    return tuple(Patch(version=version, subject=subject) for version, subject in pairs)


def test_the_patch_of_2021_is_found_by_half_of_its_subject() -> None:
    patches = golden("debian").patches
    (undone,) = [one for one in undoings(patches) if "conntrack" in patches[one.by].subject]
    assert patches[undone.patch].subject == "vrf: Reset skb conntrack connection on VRF rcv"
    assert patches[undone.by].version == "5.10.84-1"
    assert undone.is_revert


def test_a_revert_names_an_older_patch_and_never_a_newer_one() -> None:
    assert undoings(log(("2", "net: a"), ("1", 'Revert "net: a"'))) == []
    assert undoings(log(("2", 'Revert "net: a"'), ("1", "net: a"))) == [
        Undoing(patch=1, by=0, is_revert=True)
    ]


def test_inside_one_version_what_stands_further_up_came_first() -> None:
    assert undoings(log(("1", "net: a"), ("1", 'Revert "net: a"'))) == [
        Undoing(patch=0, by=1, is_revert=True)
    ]
    assert undoings(log(("1", 'Revert "net: a"'), ("1", "net: a"))) == []


def test_the_newest_of_several_is_meant() -> None:
    patches = log(("3", 'Revert "net: a"'), ("2", "net: a"), ("1", "net: a"))
    assert [one.patch for one in undoings(patches)] == [1]


def test_half_a_subject_that_fits_two_patches_names_neither() -> None:
    half = 'Revert "net: reset the connection..."'
    patches = log(
        ("2", half), ("1", "net: reset the connection once"), ("1", "net: reset the connection twice")
    )
    assert undoings(patches) == []


def test_a_patch_that_is_named_in_fixes_is_mended_and_not_reverted() -> None:
    text = 'commit 0123456789ab\n\n    Linux 1.0.2\n\ncommit 1123456789ab\n\n    net: b\n    \n    Fixes: 2123456789ab ("net: a")\n\ncommit 3123456789ab\n\n    Linux 1.0.1\n\ncommit 2123456789ab\n\n    net: a\n'
    assert undoings(read_changelog(text).patches) == [Undoing(patch=1, by=0, is_revert=False)]
