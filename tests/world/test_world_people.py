"""People of the world: one by one the same for ever, all of them different, twins nearly alike."""

from __future__ import annotations

import json
from functools import cache

import pytest

from ufine_kit.world import Person, palette
from ufine_kit.world.sampling import sample_people, sample_person

pytestmark = pytest.mark.xdist_group("crowd")


@cache
def crowd() -> list[Person]:
    """Sampled when the first test asks for them, and only looked at."""
    return sample_people(3000, seed=5)


def differences(one: dict, other: dict, path: str = "") -> set[str]:
    """Paths of the attributes in which two people differ."""
    found = set()
    for key in one:
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            found |= differences(one[key], other[key], f"{path}{key}.")
        elif one[key] != other[key]:
            found.add(path + key)
    return found


def test_a_person_is_the_same_whatever_the_count():
    assert sample_people(40, seed=5) == crowd()[:40]
    assert sample_people(10, seed=5, start=100) == crowd()[100:110]
    assert sample_person(2999, seed=5) == crowd()[2999]


def test_other_seeds_give_other_people():
    assert all(
        one.attributes() != other.attributes() for one, other in zip(crowd(), sample_people(50, seed=6), strict=False)
    )


def test_no_two_of_three_thousand_look_the_same():
    assert len({json.dumps(person.attributes(), sort_keys=True) for person in crowd()}) == len(crowd())


def test_a_tenth_of_the_people_are_twins_by_default():
    assert sum(person.twin_of is not None for person in crowd()) / len(crowd()) == pytest.approx(0.1, abs=0.02)
    assert not any(person.twin_of is not None for person in sample_people(500, seed=5, near_alike=0.0))


def test_twins_differ_from_their_neighbour_in_colours_alone():
    for person in crowd():
        if person.twin_of is None:
            continue
        assert person.twin_of == person.identity - 1
        changed = differences(person.attributes(), crowd()[person.twin_of].attributes())
        colours = {path for path in changed if path.endswith(".colour")}
        assert 1 <= len(colours) <= 2
        assert changed - colours <= {"upper.second", "lower.second"}


def test_half_of_the_people_can_be_twins():
    twins = [person for person in sample_people(200, seed=1, near_alike=0.5) if person.twin_of is not None]
    assert len(twins) == 100


@pytest.mark.parametrize("garment", ["upper", "lower"])
def test_patterns_stand_out_from_their_cloth(garment):
    for person in crowd():
        worn = getattr(person, garment)
        assert (worn.second is None) == (worn.pattern == "plain")
        if worn.second is not None:
            assert palette.distance(palette.COLOURS[worn.second], palette.COLOURS[worn.colour]) >= 200


def test_hands_and_sides_do_not_collide():
    for person in crowd():
        if person.bag is not None:
            assert (person.bag.side == "back") == (person.bag.kind == "backpack")
            if person.carried is not None and person.bag.side != "back":
                assert person.carried.hand != person.bag.side


def test_every_kind_of_thing_is_worn_by_somebody():
    seen = {
        "hair": {person.hair.length for person in crowd()},
        "style": {person.hair.style for person in crowd()},
        "headwear": {person.headwear.kind for person in crowd() if person.headwear},
        "outer": {person.outer.kind for person in crowd() if person.outer},
        "bag": {person.bag.kind for person in crowd() if person.bag},
        "carried": {person.carried.kind for person in crowd() if person.carried},
        "colour": {person.upper.colour for person in crowd()},
    }
    assert {name: len(kinds) for name, kinds in seen.items()} == {
        "hair": 4,
        "style": 4,
        "headwear": 3,
        "outer": 5,
        "bag": 5,
        "carried": 7,
        "colour": len(palette.COLOURS),
    }


@pytest.mark.parametrize("name", palette.COLOURS)
def test_every_colour_is_nearest_to_itself_and_has_company_that_contrasts(name):
    assert palette.nearest(palette.COLOURS[name]) == name
    assert len(palette.contrasting(name)) >= 4
