"""Who gets which item: balanced, never twice, independent; qualification first and known answers mixed in."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ufine_kit.campaign.items import Item
from ufine_kit.campaign.seats import order, plan, seat_names
from ufine_kit.errors import KitError


def items(people: int, each: int, known: int = 0, first: int = 0) -> list[Item]:
    made = [Item(f"w{p}-{n}", "describe", about={"person_id": f"p{p}"}) for p in range(people) for n in range(each)]
    made += [Item(f"h{n}", "describe", "honeypot", about={"person_id": f"h{n}"}) for n in range(known)]
    return made + [Item(f"q{n}", "describe", "qualify", about={"person_id": f"q{n}"}) for n in range(first)]


def loads(planned, role: str, names: list[str]) -> list[int]:
    counted = Counter(seat for item in planned if item.role == role for seat in item.seats)
    return [counted[name] for name in names]


@settings(derandomize=True, max_examples=15, deadline=None)
@given(
    st.integers(1, 30), st.integers(1, 4), st.integers(0, 9), st.integers(0, 3), st.integers(1, 3), st.integers(0, 8),
    st.integers(0, 5),
)  # fmt: skip
def test_a_plan_is_balanced_and_nobody_meets_an_item_twice(people, each, known, first, overlap, more, seed):
    seats = overlap + more
    planned = plan(items(people, each, known, first), seats, overlap, seed)
    names = seat_names(seats)
    for role in ("work", "honeypot"):
        found = loads(planned, role, names)
        assert max(found) - min(found) <= 1
        assert all(len(set(item.seats)) == len(item.seats) == overlap for item in planned if item.role == role)
    assert all(item.seats == tuple(names) for item in planned if item.role == "qualify")
    if each * overlap <= seats:
        for person in range(people):
            met = Counter(seat for item in planned if item.about["person_id"] == f"p{person}" for seat in item.seats)
            assert max(met.values()) == 1, "enough seats for all questions on an identity"


def test_a_further_round_keeps_identities_from_the_seats_that_met_them():
    first = plan(items(40, 1), 6, 2, 0)
    again = [Item(f"again-{item.item_key}", "describe", about=item.about) for item in first]
    planned = plan(again, 6, 2, 0, first)
    met = {item.about["person_id"]: set(item.seats) for item in first}
    assert not [item for item in planned if met[item.about["person_id"]] & set(item.seats)]
    found = loads(planned, "work", seat_names(6))
    assert max(found) - min(found) <= 1


def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_items():
    given_one, other = items(9, 2), items(9, 2)[::-1]
    assert {i.item_key: i.seats for i in plan(given_one, 4, 2, 7)} == {
        i.item_key: i.seats for i in plan(other, 4, 2, 7)
    }
    assert {i.item_key: i.seats for i in plan(given_one, 4, 2, 7)} != {
        i.item_key: i.seats for i in plan(other, 4, 2, 8)
    }


def test_fewer_seats_than_people_an_item_are_refused():
    with pytest.raises(KitError, match="as many seats") as told:
        plan(items(2, 1), 1, 2, 0)
    assert "--seats 2" in told.value.mend


def test_what_qualifies_comes_first_and_known_answers_are_spread():
    ordered = order(items(100, 1, known=5, first=3), seed=0, seat="seat-01")
    roles = [item.role for item in ordered]
    assert roles[:3] == ["qualify"] * 3
    places = [at - 3 for at, role in enumerate(roles) if role == "honeypot"]
    assert [at // 21 for at in places] == [0, 1, 2, 3, 4], "one in every stretch"
    assert len({at % 21 for at in places}) > 2, "and not to be counted out"
    assert sorted(i.item_key for i in ordered) == sorted(i.item_key for i in items(100, 1, 5, 3))


def test_seats_meet_items_in_orders_of_their_own():
    every = items(20, 1)
    assert order(every, 0, "seat-01") == order(every[::-1], 0, "seat-01") != order(every, 0, "seat-02")
