"""The CSV of `seatrial soak judge`: what is read, and what is refused with the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import InputError
from seatrial.soak.samples import CountSeries, Series, read

VALUES = b"series,arm,t,value\n"


def test_values_are_read_in_the_order_of_the_file_however_the_arms_are_mixed() -> None:
    rows = b"b,candidate,0,3\r\na,good,0,1\r\n\r\nb,good,0,2\r\nb,good,5,2.5\r\n"
    found = read(b"\xef\xbb\xbf" + VALUES + rows, filename="f.csv")
    assert [one.name for one in found] == ["b", "a"]
    first = found[0]
    assert isinstance(first, Series)
    assert first.good.t.tolist() == [0, 5]
    assert first.good.value.tolist() == [2, 2.5]
    assert first.candidate.value.tolist() == [3]
    assert found[1].candidate.t.tolist() == []


def test_work_and_counts_are_read() -> None:
    (one,) = read(b"series,arm,t,value,work\ns,good,0,1,7\n", filename="f.csv")
    assert isinstance(one, Series)
    assert one.good.work is not None
    assert one.good.work.tolist() == [7]
    (other,) = read(b"series,arm,t,failed,sent\ns,good,0,1,7\n", filename="f.csv")
    assert isinstance(other, CountSeries)
    assert (other.good.failed.tolist(), other.good.sent.tolist()) == ([1], [7])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "f.csv is empty"),
        (VALUES, "f.csv has a header and no samples"),
        (b"series,arm,t,t\ns,good,0,1\n", "f.csv:1: the column t is there twice"),
        (b"time,value\n", "f.csv:1: the header is time,value"),
        (VALUES + b"s,good,0,1\nseries,arm,t,value\n", "f.csv:3: the header is there a second time"),
        (VALUES + b"s,good,0,1\ns,good,0\n", "f.csv:3: 3 columns, not 4"),
        (VALUES + b"s,good,0,1,2\n", "f.csv:2: 5 columns, not 4"),
        (VALUES + b"s,canary,0,1\n", "f.csv:2: the arm is 'canary'"),
        (VALUES + b" ,good,0,1\n", "f.csv:2: the series has no name"),
        (VALUES + b"s,good,0,1\n\ns,good,1,fast\n", "f.csv:4: value is 'fast', which is no number"),
        (VALUES + b"s,good,,1\n", "f.csv:2: t is '', which is no number"),
        (VALUES + b"s,good,0,1\ns\xff,good,0,1\n", "f.csv:3: that is not UTF-8"),
        (VALUES + b"s,good,0,\x00\n", "f.csv:2: there is a zero byte, so it is no CSV"),
        (VALUES + b's,good,0,"' + b"1" * 200_000 + b'"\n', "f.csv:2: field larger than field limit"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_format(data: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data, filename="f.csv")
    assert caught.value.message.startswith(said)
    assert caught.value.exit_code == 2
    assert caught.value.hint


NUMBERS = st.sampled_from(
    ["0", "1.5", "-2e3", "1e999", "0.1", "7", "nan", " 3", "1_0", "", "x", "1-2", "0x1p3", "5,6"]
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", " "]),
            st.sampled_from(["good", "candidate", "bad"]),
            NUMBERS,
            st.sampled_from(["0", "2.5"]),
        ),
        max_size=4,
    ),
    st.integers(min_value=1, max_value=12),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_plain_file_is_read_as_one_that_has_to_be_read_with_care(
    rows: list[tuple[str, str, str, str]], times: int, end: str
) -> None:
    """A quoted header's name makes no difference to what is read, and sends it the careful way."""
    lines = [",".join(row) for row in rows for _ in range(times)]
    plain, careful = (
        end.join([head, *lines, ""]).encode() for head in ("series,arm,t,value", '"series",arm,t,value')
    )

    def told(data: bytes) -> str:
        try:
            return repr([str(one) for one in read(data, filename="f")])
        except InputError as error:
            return error.message

    assert told(plain) == told(careful)
