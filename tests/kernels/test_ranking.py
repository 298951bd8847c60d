"""The order of suspects: what was taken back comes first, then what fits the failure, and each says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatrial.errors import InputError
from seatrial.kernels.areas import Query, query
from seatrial.kernels.changelog import Changelog, Patch, read_changelog
from seatrial.kernels.ranking import Ranking, Span, rank, span
from tests.kernels.test_changelog import golden

TRANSLATED = query(
    symptom="replies of translated flows lost", roles=["gateway"], modules=["vrf", "nf_conntrack"]
)


def between(*subjects: str, later: tuple[Patch, ...] = (), **more: Any) -> Span:
    patches = tuple(Patch(version="2-1", subject=subject, upstream="2.0", **more) for subject in subjects)
    return Span(old="1-1", new="2-1", patches=patches, later=later)


def order(ranking: Ranking) -> list[str]:
    return [suspect.subject for suspect in ranking.suspects]


OTHERS = tuple(f"drm/amd/display: fix plane {number}" for number in range(30))


def test_the_patch_of_2021_comes_first_and_is_said_to_have_been_taken_back() -> None:
    log = golden("debian")
    found = rank(span(log, "5.10.40-1", "5.10.70-1"), TRANSLATED)
    first = found.suspects[0]
    assert first.subject == "vrf: Reset skb conntrack connection on VRF rcv"
    assert first.reverted_in == "5.10.84-1"
    assert "5.10.84-1 takes it back" in first.because[0]
    assert any("vrf is in use there" in reason for reason in first.because)
    assert found.reverted == 1
    assert found.examined == len([p for p in log.patches if p.version in ("5.10.70-1", "5.10.46-5")])


def test_without_the_later_changelog_nothing_is_said_to_be_taken_back() -> None:
    known_then = replace(span(golden("debian"), "5.10.40-1", "5.10.70-1"), later=())
    found = rank(known_then, TRANSLATED)
    assert {suspect.reverted_in for suspect in found.suspects} == {None}
    assert "vrf: Reset skb conntrack connection on VRF rcv" in order(found)[:3]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        (query(symptom="NFS hangs, stale handles"), "nfsd: x: change y"),
        (query(failed=["translated tcp flow"]), "netfilter: nf_nat: change y"),
        (query(modules=["mlx5_core"]), "net/mlx5e: change y"),
        (query(failed=["vrrp"]), "ipv4: igmp: change y"),
        (query(failed=["disk latency"]), "block, bfq: change y"),
        (query(roles=["hypervisor"]), "KVM: x86: change y"),
        (query(modules=["br_netfilter"], symptom="bridge"), "net: bridge: change y"),
        (query(failed=["large udp flow"]), "ipv4: fix the pmtu of tunnels"),
    ],
)
def test_what_failed_or_is_in_use_decides_which_subsystem_comes_first(asked: Query, first: str) -> None:
    some = (
        *OTHERS, "nfsd: x: change y", "netfilter: nf_nat: change y", "net/mlx5e: change y", "ipv4: igmp: change y",
        "block, bfq: change y", "KVM: x86: change y", "net: bridge: change y", "ipv4: fix the pmtu of tunnels",
    )  # fmt: skip
    assert order(rank(between(*some), asked))[0] == first


def test_the_same_subsystem_alone_counts_for_more_than_among_others() -> None:
    found = rank(between(*OTHERS, "net: wwan: t7xx: change y", "net: change y"), query(symptom="net"))
    assert order(found)[:2] == ["net: change y", "net: wwan: t7xx: change y"]


def test_a_change_of_behaviour_comes_before_a_mending_of_the_same_subsystem() -> None:
    found = rank(between(*OTHERS, "vrf: fix a leak", "vrf: always reset it"), query(symptom="vrf"))
    assert order(found)[:2] == ["vrf: always reset it", "vrf: fix a leak"]
    assert any("taken back more often" in reason for reason in found.suspects[0].because)


def test_a_patch_for_another_architecture_is_not_suspected() -> None:
    foreign = Patch(version="2-1", subject="net: reset it", arches=("armhf",))
    ours = Patch(version="2-1", subject="net: reset that", arches=("x86",))
    span_of_two = Span(old="1-1", new="2-1", patches=(foreign, ours))
    found = rank(span_of_two, query(symptom="net", arch="amd64"))
    assert [suspect.score > 0 for suspect in found.suspects] == [True, False]
    assert "the hosts are amd64" in found.suspects[1].because[0]
    assert all(suspect.score > 0 for suspect in rank(span_of_two, query(symptom="net")).suspects)


def test_what_was_taken_back_and_has_nothing_to_do_with_it_does_not_come_before_what_fits() -> None:
    later = (Patch(version="3-1", subject='Revert "drm/amd/display: fix plane 3"'),)
    found = rank(between(*OTHERS, "netfilter: nf_nat: change y", later=later), TRANSLATED)
    assert order(found)[0] == "netfilter: nf_nat: change y"
    known = next(suspect for suspect in found.suspects if suspect.reverted_in)
    assert known.subject == "drm/amd/display: fix plane 3"


def test_what_the_new_kernel_has_no_more_comes_last() -> None:
    found = rank(between("net: y", "net: z", 'Revert "net: y"'), query(symptom="net"))
    gone = next(suspect for suspect in found.suspects if suspect.subject == "net: y")
    assert "has it no more" in gone.because[0]
    assert order(found)[-1] == "net: y" or gone.score < 0.1


def test_what_is_put_in_again_after_a_revert_is_in_the_new_kernel() -> None:
    found = rank(between("net: y", 'Revert "net: y"', "net: y"), query(symptom="net"))
    newest = [suspect for suspect in found.suspects if suspect.subject == "net: y"]
    assert not any("has it no more" in suspect.because[0] for suspect in newest)


def test_a_later_mending_of_a_regression_lifts_the_patches_of_that_release_and_subsystem() -> None:
    later = (Patch(version="3-1", subject="nfs: keep the mode", regression_in="2.0"),)
    found = rank(between(*OTHERS, "nfs: drop y", "nfsd: drop z", later=later), query(symptom="nfs nfsd"))
    assert order(found)[0] == "nfs: drop y"
    assert "mends a regression of 2.0" in found.suspects[0].because[0]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("5.10.70-1", "5.10.40-1", "is not older than"),
        ("5.10.40-1", "5.10.40-1", "is not older than"),
        ("5.10.40-1", "6.1.0-9-amd64", "the changelog has no version '6.1.0-9-amd64'"),
        ("4.19", "5.10.70-1", "the changelog has no version '4.19'"),
    ],
)
def test_versions_that_make_no_range_are_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        span(golden("debian"), old, new)
    assert says in refused.value.message
    assert refused.value.hint


def test_a_version_between_two_that_are_listed_is_a_beginning() -> None:
    log = golden("debian")
    assert {patch.version for patch in span(log, "5.10.50-1", "5.10.70-1").patches} == {"5.10.70-1"}


def test_a_query_of_nothing_ranks_by_the_kind_of_change_and_says_that_nothing_points_there() -> None:
    found = rank(between("net: fix a", "net: drop b"), query())
    assert order(found) == ["net: drop b", "net: fix a"]


def test_hostile_subjects_are_ranked_like_others() -> None:
    text = (
        "linux (2-1) x; urgency=low\n\n"
        + "".join(
            f"  * {subject}\n"
            for subject in (
                "\x1b[31mnet: a",
                ": : :",
                "[]: x",
                "Revert",
                'Revert ""',
                "\u202enet: b",
                "a" * 999,
            )
        )
        + "linux (1-1) x; urgency=low\n"
    )
    log: Changelog = read_changelog(text)
    assert rank(span(log, "1-1", "2-1"), query(symptom="net")).examined == 7
