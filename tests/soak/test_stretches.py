"""What a rollout has measured, judged: what is asked for and missing, one-sided, thin, cut off or out of time is no pass."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from seatrial.model.measure import Measure
from seatrial.soak import judge as rules
from seatrial.soak.samples import Series, read
from seatrial.soak.stretches import together, verdict

DISK, LOAD = "disk.vda.latency", "load.1"
MANY = 16


def measure(*series: str, **more: Any) -> Measure:
    declared = {"series": list(series), "baseline": "2m", "least": "2m", "most": "10m", **more}
    return Measure.model_validate_json(json.dumps(declared))


def rows(dice: random.Random, at: float, level: float) -> list[list[float]]:
    return [[at + second, level * math.exp(dice.gauss(0, 0.2)), 50.0] for second in range(15)]


def stretch(
    arm: str, number: int, *, at: float | None = None, ratio: float = 1.0, **series: Any
) -> dict[str, Any]:
    """One that has nothing wrong with it: 15 s of two series under load."""
    at = 1000.0 + 20 * number if at is None else at
    dice = random.Random(f"{arm} {number}")
    level = ratio if arm == "candidate" else 1.0
    made = {DISK: rows(dice, at, 2 * level), LOAD: [row[:2] for row in rows(dice, at, level)]}
    return {
        "arm": arm, "place": "h", "at": at, "round": number, "boot_id": arm, "kernel": arm, "seconds": 15.0,
        "loaded": 15.0, "series": {**made, **series}, "missing": [],
    }  # fmt: skip


def both(**more: Any) -> list[dict[str, Any]]:
    return [stretch(arm, number, **more) for arm in ("good", "candidate") for number in range(MANY)]


def judged(stretches: list[dict[str, Any]], *series: str, **more: Any) -> tuple[str, str]:
    said = verdict(stretches, measure(*(series or (DISK, LOAD)), **more))
    json.dumps(said, allow_nan=False)
    return said["outcome"], said["because"]


def test_nothing_wrong_is_a_pass_and_twice_as_slow_is_none() -> None:
    assert judged(both())[0] == "pass"
    outcome, because = judged(both(ratio=2.5))
    assert outcome == "fail" and "x the good kernel's" in because


@pytest.mark.parametrize("pattern", ["mount.*.latency", "nfs-c1:mount.*.latency", "disk.vdz.latency"])
def test_what_was_asked_for_and_is_nowhere_is_unknown_with_the_reason(pattern: str) -> None:
    stretches = both()
    stretches[-1]["missing"] = ["nfs-c1 did not answer: No route to host"]
    outcome, because = judged(stretches, DISK, pattern)
    assert outcome == "unknown"
    assert because == f"there is nothing of {pattern}: nfs-c1 did not answer: No route to host"


@pytest.mark.parametrize(("arm", "lacking"), [("good", "candidate"), ("candidate", "good")])
@pytest.mark.parametrize("asked", ["disk.vdb.latency", "disk.*.latency"])
def test_what_is_there_on_one_kernel_only_is_unknown(arm: str, lacking: str, asked: str) -> None:
    stretches = both()
    for one in stretches:
        if one["arm"] == arm:
            one["series"]["disk.vdb.latency"] = one["series"][DISK]
    outcome, because = judged(stretches, DISK, asked)
    assert (outcome, because) == ("unknown", f"disk.vdb.latency: there is no sample of {lacking}")


def test_what_a_pattern_meets_now_and_then_is_left_out_and_told_but_not_what_was_asked_for_by_name() -> None:
    stretches = both()
    stretches[-1]["series"]["disk.sdb.latency"] = [[2000.0, 3.0, 1.0]]
    outcome, because = judged(stretches, "disk.*.latency")
    assert outcome == "pass"
    assert because.endswith("; too few samples, so left out: disk.sdb.latency")
    outcome, because = judged(stretches, "disk.*.latency", "disk.sdb.latency")
    assert (outcome, because) == ("unknown", "disk.sdb.latency: there is no sample of good")


def test_a_sampler_that_died_on_a_client_is_the_reason_that_is_told() -> None:
    stretches = both()
    for one in stretches:
        if one["arm"] == "good":
            one["series"]["c1:mount./m.read.latency"] = one["series"][DISK]
        else:
            one["missing"] = ["c1: the sampler was cut off after 0 samples"]
    outcome, because = judged(stretches, DISK, "c1:mount.*.latency")
    assert outcome == "unknown"
    assert because == (
        "c1:mount./m.read.latency: there is no sample of candidate: c1: the sampler was cut off after 0 samples"
    )


def test_an_empty_arm_is_unknown() -> None:
    outcome, because = judged([one for one in both() if one["arm"] == "candidate"])
    assert outcome == "unknown" and "there is no sample of good" in because
    outcome, because = judged([one for one in both() if one["arm"] == "good"])
    assert (outcome, because) == ("unknown", "nothing counts yet (it settles, or has too little load)")


@pytest.mark.parametrize("jump", [-86400.0, 86400.0], ids=["back", "forth"])
@pytest.mark.parametrize("against", ["before", "peer"])
def test_a_clock_that_jumps_between_stretches_changes_nothing(jump: float, against: str) -> None:
    def stretches(by: float) -> list[dict[str, Any]]:
        made = []
        for arm in ("good" if against == "before" else "peer", "candidate"):
            for number in range(MANY):
                made.append(stretch(arm, number, at=1000.0 + 20 * number + by * (number >= MANY // 2)))
        return made

    straight, jumped = (verdict(stretches(by), measure(DISK, against=against)) for by in (0.0, jump))
    assert jumped == straight
    assert straight["outcome"] == "pass"


@pytest.mark.parametrize("jump", [-7.0, 3600.0], ids=["back", "forth"])
def test_a_clock_that_jumps_within_a_stretch_makes_no_pair_of_what_was_not_at_the_same_time(
    jump: float,
) -> None:
    stretches = []
    for number in range(MANY):
        peer, candidate = stretch("peer", number), stretch("candidate", number)
        for row in candidate["series"][DISK][5:]:
            row[0] += jump
        stretches += [peer, candidate]
    (one,) = together(stretches, measure(DISK, against="peer")).series["peer"]
    assert isinstance(one, Series)
    assert all(later > earlier for earlier, later in zip(one.candidate.t, one.candidate.t[1:], strict=False))
    outcome, because = judged(stretches, DISK, against="peer")
    if jump > 0:
        assert outcome == "unknown"
        assert "have a partner in the other arm at the same time" in because


def test_without_load_nothing_counts() -> None:
    stretches = both()
    for one in stretches:
        if one["arm"] == "candidate":
            one["loaded"] = 0.0
    assert judged(stretches) == ("unknown", "nothing counts yet (it settles, or has too little load)")


def test_against_both_one_that_fails_is_enough_and_the_error_rate_is_shared() -> None:
    good, peer, candidate = (
        [stretch(arm, number) for number in range(MANY)] for arm in ("good", "peer", "candidate")
    )
    said = verdict([*good, *peer, *candidate], measure(DISK, against="both"))
    assert said["outcome"] == "pass"
    assert said["loaded"] == {"candidate": 240.0, "good": 240.0, "peer": 240.0}
    # As slow as what was before and three times its peer: something else made both arms slow, and that is no pass.
    slow = [stretch("good", number) | {"series": stretch("candidate", number, ratio=3.0)["series"]} for number in range(MANY)]  # fmt: skip
    also = [stretch("candidate", number, ratio=3.0) for number in range(MANY)]
    said = verdict([*slow, *peer, *also], measure(DISK, against="both"))
    assert said["outcome"] == "fail"
    assert said["because"].startswith(f"{DISK} (against peer) is ")
    outcomes = {one["series"]: one["outcome"] for one in said["series"]}
    assert outcomes[f"{DISK} (against before)"] != "fail"
    alone = verdict([*peer, *also], measure(DISK, against="peer"))
    needed = [one["because"].rpartition(" of ")[2] for one in (*said["series"], *alone["series"])]
    assert needed[1:] == ["200", "100"]


def test_what_does_not_matter_in_its_own_units_is_heard_in_every_comparison() -> None:
    slow = [
        stretch(arm, number, ratio=2.5) for arm in ("good", "peer", "candidate") for number in range(MANY)
    ]
    for matters, outcome in (({}, "fail"), ({"disk.*": 50.0}, "pass")):
        said = verdict(slow, measure(DISK, against="both", matters=matters))
        assert said["outcome"] == outcome


def test_a_query_that_had_no_answer_is_unknown_and_one_that_had_is_judged_whatever_its_labels() -> None:
    asked = {"q": {"from": "h", "url": "http://192.0.2.1:9090", "query": 'x{i="$host"}'}}
    stretches = both()
    stretches[-1]["missing"] = ["the query q to http://192.0.2.1:9090: Connection refused"]
    outcome, because = judged(stretches, DISK, promql=asked)
    assert outcome == "unknown"
    assert because == "there is nothing of promql.q: the query q to http://192.0.2.1:9090: Connection refused"
    for one in stretches:
        one["series"]['promql.q{i="$host:9100",job="a[1]"}'] = one["series"][LOAD]
    assert judged(stretches, DISK, promql=asked)[0] == "pass"
    for one in stretches:
        if one["arm"] == "candidate":
            for row in one["series"]['promql.q{i="$host:9100",job="a[1]"}']:
                row[1] *= 3
    outcome, because = judged(stretches, DISK, promql=asked)
    assert outcome == "fail" and because.startswith('promql.q{i="$host:9100",job="a[1]"} is ')


def test_what_only_the_carrier_makes_is_not_compared_with_a_peer() -> None:
    stretches = [stretch(arm, number) for arm in ("good", "peer", "candidate") for number in range(MANY)]
    for one in stretches:
        if one["arm"] != "peer":
            for name in ("c1:load.1", "load.files.write", "rtt.f"):
                one["series"][name] = one["series"][LOAD]
            one["series"]["flow.f"] = [[one["at"], 0.0, 32.0]]
    said = verdict(stretches, measure(DISK, "c1:load.1", "load.files.*", "rtt.*", against="both"))
    against = {
        one["series"].rpartition(" (")[2] for one in said["series"] if not one["series"].startswith(DISK)
    }
    assert against == {"against before)"}
    assert said["missing"] == []
    # Alone with a peer there is nothing to compare them with, and that is told.
    said = verdict(stretches, measure(DISK, "load.files.*", against="peer"))
    assert (said["outcome"], said["missing"]) == ("unknown", ["load.files.*"])


def test_a_journal_of_before_there_was_both_is_read_as_it_was() -> None:
    stretches = [stretch(arm, number) for arm in ("good", "candidate") for number in range(MANY)]
    for one in stretches:
        del one["round"]
    said = verdict(stretches, measure(DISK, against="peer"))
    assert said["outcome"] == "pass"


HEADS = {"value": "series,arm,t,value", "count": "series,arm,t,failed,sent"}
LINES = 300


def csv(head: str, candidate: Any) -> bytes:
    """A file with a fine series and one whose candidate has `candidate(n)` in line n."""
    dice = random.Random(7)
    lines = [HEADS[head]]
    for number in range(LINES):
        for arm in ("good", "candidate"):
            value = math.exp(dice.gauss(0, 0.1))
            fine = f"{value:.6g}" if head == "value" else "0,100"
            lines.append(f"fine,{arm},{number},{fine}")
            said = candidate(number) if arm == "candidate" else (number, fine)
            if said is not None:
                lines.append(f"odd,{arm},{said[0]},{said[1]}")
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("head", "candidate", "said"),
    [
        ("value", lambda n: (n - 50 * (n >= 100), 1.0 + n % 7), "the clock of candidate does not go forward"),
        ("value", lambda n: (n + 3600 * (n >= 100), 1.0 + n % 7), "only 100 of 300 samples have a partner"),
        ("value", lambda n: (n, (n * 30_000_000) % 2**32), "grows with nearly every sample, like a counter"),
        ("value", lambda n: (n, 5 + n % 3 - 2**32 * (n == 143)), "did a counter wrap or reset?"),
        ("value", lambda n: (n, 5 + n % 3 - 91_000 * (n == 80)), "did a counter wrap or reset?"),
        ("value", lambda n: (n, "nan" if n == 9 else 1.0 + n % 7), "nan at t = 9, which is no measurement"),
        ("value", lambda n: (n, "inf" if n == 9 else 1.0 + n % 7), "inf at t = 9, which is no measurement"),
        ("value", lambda n: None, "there is no sample of candidate"),
        ("value", lambda n: (n, 1.0 + n % 7) if n < 4 else None, "there are 4 pairs of samples"),
        ("count", lambda n: (n, "5,4" if n == 50 else "0,100"), "more failed than sent at t = 50"),
        ("count", lambda n: (n, "-4294967290,100" if n == 50 else "0,100"), "did a counter wrap or reset?"),
        ("count", lambda n: (n, "nan,100" if n == 50 else "0,100"), "nan at t = 50, which is no count"),
        ("count", lambda n: None, "there is no sample of candidate"),
    ],
)  # fmt: skip
def test_a_file_with_one_series_that_cannot_be_judged_is_unknown_as_a_whole(
    head: str, candidate: Any, said: str
) -> None:
    found = rules.judge(read(csv(head, candidate), filename="f.csv"), min_effect=1.5)
    outcomes = {one.series: (str(one.outcome), one.because) for one in found}
    assert outcomes["fine"][0] == "pass", outcomes["fine"]
    assert outcomes["odd"][0] == "unknown"
    assert said in outcomes["odd"][1]
    assert str(rules.summary(found).outcome) == "unknown"
