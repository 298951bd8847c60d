"""What a watch says and counts: news only where something changed, a silent place told once, figures that a linter takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.result import Outcome, Result
from seatrial.report.figures import METRICS, exposed
from seatrial.report.watched import News, Turn, Watched
from tests.report.test_formats import lint

P, F, U = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN
BEGAN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PLACES = {"flow": frozenset({"inside", "outside", "gw"}), "portal": frozenset({"outside"})}


def began() -> Watched:
    return Watched(began=BEGAN, interval=30.0, version="0.1.0")


def turn(
    number: int,
    flow: Outcome = P,
    portal: Outcome = P,
    *,
    silent: Mapping[str, str] | None = None,
    rested: frozenset[str] = frozenset(),
    components: tuple[tuple[str, ...], ...] = (),
    **more: Any,
) -> Turn:
    silent = silent or {}
    results = (
        Result(check="flow", outcome=flow, because=f"{flow}", vantage="inside", evidence=packets(flow)),
        Result(check="portal", outcome=portal, because=f"{portal}", vantage="outside", hint="look"),
    )
    return Turn(
        at=BEGAN + timedelta(seconds=30 * number),
        seconds=2.0,
        results=results,
        places=tuple(PLACES[result.check] for result in results),
        silent=silent,
        rested=rested,
        answered=frozenset({"inside", "outside", "gw"} - silent.keys()),
        components=components,
        sentence=f"it is {components[0][0]}" if components else "",
        **more,
    )


def packets(outcome: Outcome) -> dict[str, Any]:
    answered = {P: 32, F: 20}.get(outcome, 0)
    return {"asked": 32, "answered": answered, "lost": 100 * (32 - answered) / 32, "rtt_ms": 1.5}


def told(news: list[News]) -> list[tuple[str, str, str]]:
    return [(one.event, one.subject, one.mark) for one in news]


def value(watched: Watched, name: str, **labels: str) -> float | None:
    return next((v for n, have, v in watched.samples() if n == f"seatrial_{name}" and have == labels), None)


def test_a_round_in_which_nothing_changed_says_nothing() -> None:
    watched = began()
    assert told(watched.feed(turn(0))) == [("round", "first round", "ok")]
    assert [watched.feed(turn(number)) for number in range(1, 5)] == [[], [], [], []]


def test_the_first_round_tells_what_is_wrong_already() -> None:
    news = began().feed(turn(0, F, components=(("gw:snat",),)))
    assert told(news) == [
        ("check", "flow", "FAIL"),
        ("diagnosis", "diagnosis", ""),
        ("round", "first round", ""),
    ]


def test_a_change_is_told_once_in_each_direction() -> None:
    watched = began()
    watched.feed(turn(0))
    assert told(watched.feed(turn(1, F))) == [("check", "flow", "FAIL")]
    assert watched.feed(turn(2, F)) == []
    back = watched.feed(turn(3))
    assert told(back) == [("check", "flow", "ok"), ("round", "all is well", "ok")]
    assert back[0].document["before"] is F and back[0].document["outcome"] is P


def test_another_diagnosis_is_news_and_the_same_one_is_not() -> None:
    watched = began()
    watched.feed(turn(0, F, components=(("gw:snat",), ("wan",))))
    assert watched.feed(turn(1, F, components=(("gw:snat",),))) == []
    assert told(watched.feed(turn(2, F, components=(("wan",),)))) == [("diagnosis", "diagnosis", "")]
    assert value(watched, "diagnosis_info", components="wan", rank="1") == 1


def test_a_silent_place_is_told_once_in_place_of_all_that_needs_it() -> None:
    watched = began()
    watched.feed(turn(0))
    (gone,) = watched.feed(turn(1, U, U, silent={"outside": "outside cannot be reached: refused"}))
    assert (gone.event, gone.subject, gone.mark) == ("vantage.silent", "outside", "UNKNOWN")
    assert gone.text == "has not answered since 12:00:00; what needs it (2) is unknown, not failed"
    assert gone.detail == ("outside cannot be reached: refused",)
    assert watched.feed(turn(2, U, U, silent={"outside": "again"}, rested=frozenset({"outside"}))) == []
    assert value(watched, "vantage_up", vantage="outside") == 0
    assert value(watched, "vantage_up", vantage="gw") == 1
    back = watched.feed(turn(7))
    assert told(back) == [("vantage.back", "outside", "ok"), ("round", "all is well", "ok")]
    assert back[0].text == "answers again, after 3 m 30 s"
    assert value(watched, "vantage_up", vantage="outside") == 1


def test_what_is_other_than_before_the_silence_is_told_after_it() -> None:
    watched = began()
    watched.feed(turn(0, F))
    watched.feed(turn(1, U, U, silent={"outside": "gone"}))
    news = watched.feed(turn(2, F, F))
    assert told(news) == [("vantage.back", "outside", "ok"), ("check", "portal", "FAIL")]


def test_a_place_that_never_answered_is_silent_since_the_beginning() -> None:
    news = began().feed(turn(0, U, U, silent={"outside": "gone"}))
    assert "since the watch began (12:00:00)" in news[0].text


def test_a_failure_beside_a_silent_place_is_told_all_the_same() -> None:
    watched = began()
    watched.feed(turn(0))
    news = watched.feed(turn(1, F, U, silent={"outside": "gone"}))
    assert told(news) == [("vantage.silent", "outside", "UNKNOWN"), ("check", "flow", "FAIL")]


def test_when_a_check_was_asked_last_stands_still_while_its_place_is_left_in_peace() -> None:
    watched = began()
    watched.feed(turn(0))
    watched.feed(turn(3, U, U, silent={"outside": "gone"}, rested=frozenset({"outside"})))
    stamp = "check_last_asked_timestamp_seconds"
    assert value(watched, stamp, check="portal", vantage="outside") == BEGAN.timestamp()
    # A flow that passes was asked, although a standby of its group was left in peace.
    watched.feed(turn(4, P, U, silent={"outside": "gone"}, rested=frozenset({"outside"})))
    assert value(watched, stamp, check="flow", vantage="inside") == BEGAN.timestamp() + 120


def test_packets_are_lost_only_where_both_ends_are_known() -> None:
    watched = began()
    for number, outcome in enumerate((P, F, U, F)):
        watched.feed(turn(number, outcome))
    flow = {"check": "flow", "vantage": "inside"}
    assert value(watched, "check_packets_sent_total", **flow) == 96
    assert value(watched, "check_packets_lost_total", **flow) == 24
    assert value(watched, "check_results_total", outcome="fail", **flow) == 2


def test_a_slow_round_and_a_broken_one_are_counted_and_told_once() -> None:
    watched = began()
    watched.feed(turn(0))
    assert told(watched.feed(turn(3, skipped=2))) == [("slow", "watch", "")]
    assert watched.feed(turn(5, skipped=1)) == []
    # One that is on the edge of its time is no news every time.
    assert [watched.feed(turn(number)) for number in range(6, 15)] == [[]] * 9
    assert told(watched.feed(turn(15))) == [("in-time", "watch", "")]
    broken = Turn(at=BEGAN, broken="OSError: no more files")
    assert told(watched.feed(broken)) == [("broken", "watch", "UNKNOWN")]
    assert watched.feed(broken) == []
    assert told(watched.feed(turn(18))) == [("mended", "watch", "ok")]
    assert value(watched, "watch_rounds_total") == 16
    assert value(watched, "watch_rounds_skipped_total") == 3
    assert value(watched, "watch_rounds_broken_total") == 2


def test_a_broken_round_leaves_what_is_known_as_it_was() -> None:
    watched = began()
    watched.feed(turn(0, F))
    watched.feed(Turn(at=BEGAN, broken="OSError"))
    assert watched.outcome is F
    assert value(watched, "check_outcome", check="flow", vantage="inside", outcome="fail") == 1


def test_the_figures_are_in_the_table_and_the_linter_has_nothing_to_say() -> None:
    watched = began()
    assert lint(exposed(watched.samples())) == ""
    watched.feed(turn(0, F, components=(("gw:snat", "wan"), ("lan",))))
    watched.feed(turn(1, U, U, silent={"outside": "gone"}))
    text = exposed(watched.samples())
    assert lint(text) == ""
    told_of = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert told_of == {metric.name for metric in METRICS} - NOT_NOW


# After a round in which nothing failed nothing is diagnosed, and a watch has no baseline.
NOT_NOW = {"seatrial_diagnosis_info", "seatrial_check_change"}

turns = st.builds(
    turn,
    st.integers(0, 50),
    st.sampled_from([P, F, U]),
    st.sampled_from([P, F, U]),
    silent=st.dictionaries(st.sampled_from(["inside", "outside", "gw"]), st.text(max_size=20)),
    skipped=st.integers(0, 3),
)


@given(st.lists(turns, max_size=12))
def test_nothing_is_told_twice_in_a_row(some: list[Turn]) -> None:
    watched = began()
    last: dict[str, Outcome] = {}
    for one in some:
        for news in watched.feed(one):
            assert news.text.isprintable() and news.document["event"] == news.event
            if news.event == "check":
                assert last.get(news.subject) is not news.data["outcome"]
                last[news.subject] = news.data["outcome"]
        # The same round once more has no news but that of a pace that is still slow or in time again.
        assert watched.feed(one) == []
    assert value(watched, "watch_rounds_total") == 2 * len(some)
