"""Changelogs of every form become the same patches, and a broken or hostile one costs neither time nor memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.kernels.changelog import Changelog, Patch, read_changelog

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Changelog:
    return read_changelog((GOLDEN / f"{name}.txt").read_text(encoding="utf-8"))


def one(log: Changelog, subject: str) -> Patch:
    (found,) = [patch for patch in log.patches if patch.subject.startswith(subject)]
    return found


def test_debian_lists_patches_by_version_stable_release_and_link() -> None:
    log = golden("debian")
    assert log.versions == ("5.10.84-1", "5.10.70-1", "5.10.46-5", "5.10.40-1")
    assert log.abis == ("10", "9", "", "")
    assert log.unread == 0
    culprit = one(log, "vrf: Reset skb")
    assert (culprit.version, culprit.upstream) == ("5.10.70-1", "5.10.61")
    assert culprit.link.endswith("/ChangeLog-5.10.61")
    assert one(log, "vrf: Revert").upstream == "5.10.78"


def test_debian_notes_are_read_and_are_no_words_of_the_subject() -> None:
    log = golden("debian")
    split = one(log, "media: firewire")
    assert split.subject == "media: firewire: firedtv-avc: fix a buffer overflow in avc_ca_pmt()"
    assert split.cves == ("CVE-2021-42739",)
    assert one(log, "dts: sun8i").arches == ("armhf",)
    assert one(log, "dts: sun8i").subject == "dts: sun8i: h3: orangepi-plus: Fix ethernet phy-mode"
    own = one(log, "bpf: Wrap aux")
    assert (own.upstream, own.link) == ("", "")


def test_work_on_the_package_is_no_patch() -> None:
    subjects = [patch.subject for patch in golden("debian").patches]
    for word in ("New upstream", "Bump ABI", "Refresh", "[rt]", "Salvatore", "Update to"):
        assert not [subject for subject in subjects if subject.startswith(word)]


def test_a_regression_that_is_mended_is_read_from_its_note() -> None:
    text = 'linux (5.10.257-1) x; urgency=low\n\n  * y:\n    - Revert "ALSA: usb: Increase volume range"\n      (regression in 5.10.249)\n'
    patch = read_changelog(text).patches[-1]
    assert patch.subject == 'Revert "ALSA: usb: Increase volume range"'
    assert patch.regression_in == "5.10.249"


def test_ubuntu_names_its_stable_release_in_the_heading() -> None:
    log = golden("ubuntu")
    assert log.versions == ("5.4.0-91.102", "5.4.0-90.101")
    assert one(log, "vrf: Reset").upstream == "5.4.143"
    assert one(log, "vrf: Revert").upstream == "5.4.157"
    assert one(log, "crypto: ccp").upstream == ""


def test_rpm_has_its_version_at_the_end_of_the_heading() -> None:
    log = golden("rpm")
    assert log.versions == ("5.14.0-162.12.1.el9_1", "5.14.0-162.6.1.el9_1")
    assert one(log, "vrf: Revert").subject == 'vrf: Revert "Reset skb conntrack connection..."'
    assert one(log, "net: atlantic").cves == ("CVE-2022-1234",)
    assert one(log, "net: atlantic").subject == "net: atlantic: fix aq_vec index out of range error"


def test_a_log_of_git_has_commits_and_what_they_fix(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        argv = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path), *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "net: a: first")
    git("commit", "-q", "--allow-empty", "-m", "Linux 5.10.61")
    first = git("rev-parse", "HEAD~1").strip()
    message = f'net: a: do not do that\n\nIt was wrong.\n\nFixes: {first[:12]} ("net: a: first")'
    git("commit", "-q", "--allow-empty", "-m", message)
    git("commit", "-q", "--allow-empty", "-m", "Linux 5.10.62")
    log = read_changelog(git("log"))
    assert log.versions == ("5.10.62", "5.10.61")
    fix, bad = log.patches
    assert (fix.version, fix.subject, fix.fixes) == ("5.10.62", "net: a: do not do that", ("net: a: first",))
    assert (bad.version, bad.commit) == ("5.10.61", first)
    assert bad.link.endswith(first)


@pytest.mark.parametrize(
    "text",
    ["", "\0" * 1000, "hello\n" * 1000, "linux (", "linux () x; y\n", "* * *\n" * 500, "%PDF-1.4\n\xff\xfe"],
)
def test_what_is_no_changelog_is_refused_with_what_to_give(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_changelog(text)
    assert "changelog.gz" in refused.value.hint


def test_a_changelog_that_is_cut_off_or_garbled_gives_what_can_be_read() -> None:
    whole = (GOLDEN / "debian.txt").read_text(encoding="utf-8")
    for length in range(60, len(whole), 97):
        log = read_changelog(whole[:length])
        assert log.versions[0] == "5.10.84-1"
        assert all(patch.subject for patch in log.patches)
    odd = read_changelog(whole + "<<<<<<< HEAD\n\x1b[2Jnonsense\n")
    assert odd.unread == 2


def test_a_line_without_end_is_kept_short() -> None:
    text = "linux (1.2-3) x; urgency=low\n\n  * " + "a: " * 500_000 + "\n" + "    more of it\n" * 100_000
    (patch,) = read_changelog(text).patches
    assert len(patch.subject) <= 1000


def test_two_hundred_thousand_items_are_read_whole() -> None:
    text = "linux (1.2-3) x; urgency=low\n\n" + "  * net: x: fix y (CVE-2024-12345)\n" * 200_000
    assert len(read_changelog(text).patches) == 200_000


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="linux(1.0-) *-;:[]\n\"'RevertAB,#", max_size=400))
def test_nothing_that_follows_a_heading_breaks_the_reading(rest: str) -> None:
    log = read_changelog(f"linux (1.0-1) x; urgency=low\n\n{rest}")
    assert log.versions[0] == "1.0-1"
    assert len(log.versions) == len(log.abis)
