"""What an apply would change, as tables: it adds, and takes away only what it may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.exports.plan import Mismatch, mismatch, plan
from seatrial.exports.table import Table, read_table
from seatrial.model.exports import Removals

RW, RO = frozenset({"rw"}), frozenset({"ro"})


def table(*paths: str, options: frozenset[str] = RW) -> Table:
    return {(f"/srv/{path}", "192.0.2.0/24"): options for path in paths}


MANY = tuple(f"p{number:02}" for number in range(20))


@pytest.mark.parametrize(
    ("wanted", "there", "limits", "allowed", "becomes", "because"),
    [
        (table("a"), {}, (0, 10), False, table("a"), ""),
        (table("a", "b"), table("a"), (0, 10), False, table("a", "b"), ""),
        (table("a"), table("a"), (0, 10), False, table("a"), ""),
        # By itself it only adds.
        (table("b"), table("a"), (0, 10), False, table("a", "b"), "1 of 1 entries would go or change, and by itself it only adds"),
        # An empty answer takes nothing, whatever the limits say; a person's word does.
        ({}, table("a"), (100, 100), False, table("a"), "the source wants nothing to be served, and 1 entries are"),
        ({}, table("a"), (0, 0), True, {}, ""),
        ({}, {}, (0, 0), False, {}, ""),
        # Both limits hold.
        (table(*MANY[1:]), table(*MANY), (1, 10), False, table(*MANY[1:]), ""),
        (table(*MANY[2:]), table(*MANY), (1, 10), False, table(*MANY), "2 of 20 entries would go or change, and 1 may by itself"),
        (table(*MANY[3:]), table(*MANY), (9, 10), False, table(*MANY), "3 of 20 entries would go or change, more than 10 %"),
        (table(*MANY[3:]), table(*MANY), (9, 10), True, table(*MANY[3:]), ""),
        # Half an answer looks like many removals, and what it has of new ones is added all the same.
        (
            {**table(*MANY[:10]), **table("new")},
            table(*MANY),
            (5, 100),
            False,
            table(*MANY, "new"),
            "10 of 20 entries would go or change, and 5 may by itself",
        ),
        # Other options may shut somebody out, so they count like a removal.
        (table("a", options=RO), table("a"), (0, 100), False, table("a"), "1 of 1 entries would go or change, and by itself it only adds"),
        (table("a", options=RO), table("a"), (1, 100), False, table("a", options=RO), ""),
    ],
)  # fmt: skip
def test_an_apply_adds_and_takes_away_only_what_it_may(
    wanted: Table, there: Table, limits: tuple[int, float], allowed: bool, becomes: Table, because: str
) -> None:
    planned = plan(wanted, {"nfs-1": there}, Removals(most=limits[0], share=limits[1]), allowed=allowed)
    assert (dict(planned.table), planned.because) == (dict(becomes), because)


def test_what_only_one_host_of_a_pair_has_is_kept_on_both() -> None:
    planned = plan(table("a"), {"nfs-1": table("a"), "nfs-2": table("b")}, Removals(), allowed=False)
    assert dict(planned.table) == dict(table("a", "b"))
    assert read_table(planned.text) == planned.table


TABLES = st.dictionaries(
    st.tuples(st.sampled_from([f"/srv/{letter}" for letter in "abcdefgh"]), st.sampled_from(["h1", "h2"])),
    st.sampled_from([RW, RO]),
)


@given(wanted=TABLES, first=TABLES, second=TABLES, most=st.integers(0, 4), share=st.floats(0, 100))
def test_whatever_is_wanted_nothing_goes_beyond_the_limits(
    wanted: Table, first: Table, second: Table, most: int, share: float
) -> None:
    planned = plan(wanted, {"nfs-1": first, "nfs-2": second}, Removals(most=most, share=share), allowed=False)
    there = {**second, **first}
    lost = [one for one in there if planned.table.get(one) != there[one]]
    assert len(lost) <= most
    assert 100 * len(lost) <= share * len(there) or not lost
    assert set(wanted) <= set(planned.table)
    assert not lost or wanted
    assert planned.removed | planned.changed == set(lost)


def test_a_host_is_told_what_it_has_otherwise() -> None:
    wanted = {**table("a", "b"), **table("c", options=RO)}
    file = {**table("a", "c"), **table("old")}
    served = {one: frozenset({"sync", "sec=sys", *options}) for one, options in table("a").items()}
    found = mismatch(wanted, file, served)
    assert found.sentence == (
        "not in its file: /srv/b to 192.0.2.0/24; "
        "wanted and not served: /srv/b to 192.0.2.0/24, /srv/c to 192.0.2.0/24; "
        "with other options: /srv/c to 192.0.2.0/24; "
        "there and not wanted: /srv/old to 192.0.2.0/24"
    )
    assert mismatch(wanted, wanted, None) == Mismatch()
    # Read-only where it should be writable is not what is wanted.
    assert mismatch(table("a"), table("a"), table("a", options=RO)).unserved
