"""A person's events: CSV and JSON lines, seconds and times of day, and one sentence for each way to get them wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.picture.events import read, within
from seatrial.picture.values import Clock


@pytest.mark.parametrize(
    "text",
    [
        't,text\n60,"failover, at last"\n30,armed\n',
        '\ufefft, text\r\n30,armed\r\n\r\n60,"failover, at last"\r\n',
        '{"t": 60, "text": "failover, at last"}\n\n{"t": "30", "text": "armed", "more": 1}\n',
    ],
    ids=["csv", "csv of another system", "json lines"],
)
def test_events_are_read_in_the_order_of_time(text: str) -> None:
    assert [(mark.t, mark.text) for mark in read(text.encode(), filename="e")] == [
        (30, "armed"),
        (60, "failover, at last"),
    ]


@pytest.mark.parametrize(
    "t", ["2017-06-29T18:45:00Z", "2017-06-29T20:45:00+02:00", "2017-06-29 18:45", "1498761900"]
)
def test_a_time_of_day_is_seconds_since_1970(t: str) -> None:
    (mark,) = read(f"t,text\n{t},failover\n".encode(), filename="e")
    assert mark.t == 1498761900


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a,b\n1,x\n", "e:1: the header is a,b"),
        (b"", "e:1: the header is "),
        (b"t,text\n1\n", "e:2: 1 columns, not 2"),
        (b"t,text\nsoon,x\n", "e:2: t is 'soon', which is no moment"),
        (b"t,text\nnan,x\n", "e:2: t is 'nan', which is no moment"),
        (b"t,text\n1, \n", "e:2: an event needs a text"),
        (b'{"t": 1, "text": "x"}\n{"t": 1\n', "e:2: that is no JSON"),
        (b'{"t": true, "text": "x"}\n', "e:1: t is 'True', which is no moment"),
        (b'{"t": 1, "text": 5}\n', "e:1: an event needs a text"),
        (b'{"text": "x"}\n', "e:1: there is no t or no text"),
        (b"t,text\n1,\xff\n", "e:2: that is not UTF-8"),
        (b"t,text\n" + b"1,x\n" * 201, "e has 201 events, more than 200"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text, filename="e")
    assert said in caught.value.message
    assert caught.value.hint


def test_an_event_far_from_the_samples_is_on_another_clock() -> None:
    marks = read(b"t,text\n1498761900,failover\n", filename="e")
    with pytest.raises(InputError, match="is far from the samples, which go from 0 to 100"):
        within(marks, 0, 100, Clock.SECONDS, filename="e")
    assert within(read(b"t,text\n-50,before\n190,after\n", filename="e"), 0, 100, Clock.SECONDS, filename="e")


@given(st.binary(max_size=200))
def test_whatever_is_in_the_file_there_is_an_answer_or_one_sentence(data: bytes) -> None:
    for head in (b"", b"t,text\n", b'{"t": 1, "text": "x"}\n{"t":'):
        try:
            read(head + data, filename="e")
        except InputError as error:
            assert error.hint
