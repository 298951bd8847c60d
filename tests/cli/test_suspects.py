"""`seatrial suspects` on files of every form, on a real .deb, and on a rehearsed rollout's journal."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "kernels" / "golden"
DEBIAN = GOLDEN / "debian.txt"
ASKED = ("--symptom", "replies of translated flows lost", "--role", "gateway", "--module", "vrf")


def run(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(at),
        "XDG_STATE_HOME": str(at),
        "LC_ALL": "C.UTF-8",
    }
    argv = [sys.executable, "-m", "seatrial", *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, cwd=at)


def suspects(*words: str, at: Path) -> dict[str, object]:
    ended = run("suspects", *words, "--json", at=at)
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert isinstance(document, dict)
    return document


def test_the_document_is_what_the_contract_says(tmp_path: Path) -> None:
    found = suspects("5.10.40-1", "5.10.70-1", "--changelog", str(DEBIAN), *ASKED, "--top", "2", at=tmp_path)
    some = found["suspects"]
    assert isinstance(some, list)
    assert len(some) == 2
    first = some[0]
    assert first["version"] == "5.10.70-1"
    assert first["subject"] == "vrf: Reset skb conntrack connection on VRF rcv"
    assert first["reverted_in"] == "5.10.84-1"
    assert isinstance(first["score"], float)
    assert all(isinstance(reason, str) for reason in first["because"])
    assert some[1]["reverted_in"] is None
    assert found["examined"] == 25


def test_a_person_reads_what_is_known_why_and_where_upstream_has_it(tmp_path: Path) -> None:
    ended = run(
        "suspects", "5.10.40", "5.10.70", "--changelog", str(DEBIAN), *ASKED, "--top", "1", at=tmp_path
    )
    assert ended.returncode == 0
    for line in (
        "  1. vrf: Reset skb conntrack connection on VRF rcv",
        "     KNOWN: taken back in 5.10.84-1",
        "     https://www.kernel.org/pub/linux/kernel/v5.x/ChangeLog-5.10.61",
    ):
        assert line in ended.stdout.splitlines()


def test_gzip_and_a_package_give_the_same_as_the_text(tmp_path: Path) -> None:
    words = ("5.10.40-1", "5.10.70-1", *ASKED)
    plain = suspects(*words, "--changelog", str(DEBIAN), at=tmp_path)["suspects"]
    packed = tmp_path / "changelog.gz"
    packed.write_bytes(gzip.compress(DEBIAN.read_bytes()[:2000]) + gzip.compress(DEBIAN.read_bytes()[2000:]))
    assert suspects(*words, "--changelog", str(packed), at=tmp_path)["suspects"] == plain
    deb = package(tmp_path, packed)
    assert suspects(*words, "--changelog", str(deb), at=tmp_path)["suspects"] == plain
    # The package says itself which version its release is.
    named = suspects("5.10.40-1", "5.10.0-9-amd64", *ASKED, "--changelog", str(deb), at=tmp_path)
    assert named["new"] == "5.10.70-1"


def package(folder: Path, changelog: Path) -> Path:
    root = folder / "root"
    docs = root / "usr/share/doc/linux-image-5.10.0-9-amd64"
    docs.mkdir(parents=True)
    changelog.rename(docs / "changelog.gz")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: linux-image-5.10.0-9-amd64\nVersion: 5.10.70-1\nArchitecture: amd64\n"
        "Maintainer: Some Body <some.body@example.com>\nDescription: a kernel\n"
    )
    deb = folder / "linux.deb"
    argv = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", str(root), str(deb)]
    subprocess.run(argv, check=True, capture_output=True)
    return deb


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("5.10.40-1", "5.10.70-1"), 3, "no changelog of 5.10.70-1 is on this machine"),
        (("5.10.40-1", "5.10.70-1", "--changelog", "none.gz"), 2, "there is no such file"),
        (("5.10.40-1", "5.10.70-1", "--changelog", str(ROOT / "LICENSE")), 2, "this is no changelog"),
        (("5.10.40-1", "5.10.70-1", "--changelog", "broken.gz"), 2, "is no whole gzip file"),
        (("5.10.40-1", "5.10.70-1", "--changelog", "broken.deb"), 4, "did not read the package"),
        (("5.10.70-1", "5.10.40-1", "--changelog", str(DEBIAN)), 2, "is not older than"),
        (("5.10.40-1", "9.9", "--changelog", str(DEBIAN)), 2, "has no version '9.9'"),
        (("5.10.40-1", "5.10.70-1", "--changelog", str(DEBIAN), "--top", "0"), 2, "at least one"),
        (("5.10.40-1",), 2, "no other one to compare it with"),
        (("r7",), 2, "there is no rollout 'r7'"),
        (("5.10.40-1", "../../etc", "--download"), 2, "is no release of a kernel"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_a_hint(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b\x08\x00nonsense" * 5)
    (tmp_path / "broken.deb").write_bytes(b"!<arch>\nnonsense")
    ended = run("suspects", *words, at=tmp_path)
    assert (ended.returncode, says in ended.stderr) == (code, True), ended.stderr
    assert "hint: " in ended.stderr


def test_a_bomb_of_gzip_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.gz", "wb", compresslevel=9) as bomb:
        for _ in range(80):
            bomb.write(bytes(1024 * 1024))
    ended = run("suspects", "1", "2", "--changelog", "bomb.gz", at=tmp_path)
    assert ended.returncode == 2
    assert "when it is unpacked" in ended.stderr


def test_a_rollout_says_itself_what_failed_where(tmp_path: Path) -> None:
    assert run("demo", "--rehearse", at=tmp_path).returncode == 0
    journal = tmp_path / "seatrial/demo/gateway-2021-rehearsed/journal.db"
    text = "linux (6.1.90-1) x; urgency=low\n\n  * Bump ABI to 56\n" + "".join(
        f"  * {subject}\n"
        for subject in (
            "drm: set x",
            "vrf: reset the conntrack entry",
            "netfilter: nf_nat: drop y",
            "nfs: set y",
        )
    )
    (tmp_path / "log").write_text(f"{text}\nlinux (6.1.80-1) x; urgency=low\n\n  * Bump ABI to 47\n")
    found = suspects("r1", "--database", f"sqlite:///{journal}", "--changelog", "log", at=tmp_path)
    some = found["suspects"]
    assert isinstance(some, list)
    assert (found["old"], found["new"]) == ("6.1.80-1", "6.1.90-1")
    assert {one["subject"] for one in some[:2]} == {
        "vrf: reset the conntrack entry",
        "netfilter: nf_nat: drop y",
    }
    assert any("vrf is in use there" in reason for one in some[:2] for reason in one["because"])


def test_a_plan_names_what_is_known_to_be_bad_in_its_candidate(tmp_path: Path) -> None:
    """This machine is the fleet: it says what it runs and has loaded, and is not touched."""
    (tmp_path / "fleet.yaml").write_text(
        "version: 1\nname: one\nstages: [{name: staging}]\n"
        "hosts: {here: {stage: staging, roles: [gateway], reach: {local: true}}}\n"
    )
    running = os.uname().release
    subjects = ("drm: set x", "vrf: set y", "netfilter: nf_nat: drop y")
    text = (
        'linux (99.3-1) x; urgency=low\n\n  * Revert "netfilter: nf_nat: drop y"\n  * Revert "drm: set x"\n\n'
        "linux (99.2-1) x; urgency=low\n\n" + "".join(f"  * {subject}\n" for subject in subjects) + "\n"
        f"linux ({running}) x; urgency=low\n\n  * first\n"
    )
    (tmp_path / "log").write_text(text)
    ended = run("plan", "99.2-1", "--changelog", "log", at=tmp_path)
    assert ended.returncode in (1, 3), ended.stderr
    lines = ended.stdout.splitlines()
    at = lines.index(
        f"patches   3 from {running} to 99.2-1; by 99.3-1, 1 that touch what this fleet uses were taken back later"
    )
    assert lines[at + 1] == "          netfilter: nf_nat: drop y   taken back in 99.3-1"
    found = json.loads(run("plan", "99.2-1", "--changelog", "log", "--json", at=tmp_path).stdout)["patches"]
    assert [one["subject"] for one in found["taken_back"]] == ["netfilter: nf_nat: drop y"]
    # One that ends with the candidate knows nothing of what came later, and says so.
    (tmp_path / "log").write_text(text[text.index("linux (99.2-1)") :])
    assert (
        "what was taken back later is not known"
        in run("plan", "99.2-1", "--changelog", "log", at=tmp_path).stdout
    )
