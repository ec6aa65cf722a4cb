"""Words and phrases of the texts: noun phrases as people write them, and facts only where they show."""

from __future__ import annotations

import numpy as np
import pytest

from ufine_kit.world import phrasing, sentences
from ufine_kit.world.facts import ITEMS, Fact, facts_of
from ufine_kit.world.lexicon import PLACES, SYNONYMS, article
from ufine_kit.world.people import Hair, Headwear, Lower, Outer, Person, Shoes, Upper
from ufine_kit.world.phrasing import Voice
from ufine_kit.world.texts import STYLES
from ufine_kit.world.view import View

SHIRT = {"kind": "shirt", "colour": "red", "pattern": "checks", "second colour": "white", "sleeves": "short"}


def voices(count: int = 40):
    return [Voice(np.random.default_rng(k)) for k in range(count)]


def view(*visible: str, facing: str = "front") -> View:
    return View(facing, True, "street", None, frozenset(visible), (0, 0, 10, 30))


def person(**changes) -> Person:
    plain = {
        "identity": 0,
        "gender": "man",
        "age": "young",
        "build": "slim",
        "skin": 0,
        "hair": Hair("short", "black", "straight"),
        "headwear": None,
        "glasses": None,
        "upper": Upper("t-shirt", "red", "plain", None, "short"),
        "outer": None,
        "lower": Lower("jeans", "blue", "plain", None, "full"),
        "shoes": Shoes("sneakers", "white", "black"),
        "bag": None,
        "carried": None,
    }
    return Person(**(plain | changes))


def told(item: str, facts) -> dict[str, str]:
    return {fact.attribute: fact.value for fact in facts if fact.item == item}


@pytest.mark.parametrize(
    ("phrase", "whole"), [("orange top", "an orange top"), ("red top", "a red top"), ("auburn", "an auburn")]
)
def test_articles_follow_the_sound(phrase, whole):
    assert article(phrase) == whole


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_are_joined_as_in_prose(parts, text):
    assert phrasing.joined(parts) == text


def test_a_patterned_shirt_names_both_colours_and_its_pattern():
    for voice in voices():
        phrase = phrasing.upper(voice, SHIRT, True)
        assert phrase.startswith(("a ", "an "))
        assert "red" in phrase
        assert "white" in phrase
        assert "check" in phrase or "plaid" in phrase


def test_a_pattern_can_be_left_to_a_sentence_of_its_own():
    assert not any("white" in phrasing.upper(voice, SHIRT, True, plain=True) for voice in voices())


def test_lean_phrases_are_shorter_than_rich_ones():
    shoes = {"kind": "sneakers", "colour": "white", "sole": "black"}
    lean, rich = ([len(phrasing.shoes(voice, shoes, rich).split()) for voice in voices()] for rich in (False, True))
    assert max(lean) < np.mean(rich)


def test_an_upper_garment_of_unknown_kind_is_a_top():
    assert phrasing.upper(voices()[0], {"colour": "red"}, True) == "a red top"


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        ({"length": "bald"}, {"a bald head"}),
        ({"colour": "black"}, {"black hair"}),
        ({"colour": "black", "length": "long", "style": "curly"}, {"long curly black hair"}),
    ],
)
def test_hair_is_told_as_far_as_it_is_known(known, wanted):
    assert {phrasing.hair(voice, known, True) for voice in voices()} == wanted


def test_a_voice_keeps_its_word_to_the_end_of_a_text():
    for voice in voices(10):
        assert len({voice.word("trousers") for _ in range(10)}) == 1
    assert len({voice.word("trousers") for voice in voices()}) == 2
    assert Voice(np.random.default_rng(0), {"trousers": "slacks"}).word("trousers") == "slacks"


def test_plural_things_take_no_article():
    for voice in voices():
        assert phrasing.thing(voice, {"kind": "sunglasses"}) in {
            form for word in SYNONYMS["sunglasses"] for form in (word, f"a pair of {word}")
        }


@pytest.mark.parametrize("facing", ["front", "back", "left", "right"])
@pytest.mark.parametrize("movement", ["walking", "standing", None])
def test_postures_name_the_movement_only_where_it_is_known(facing, movement):
    known = {"facing": facing} | ({"movement": movement} if movement else {})
    for voice in voices():
        text = sentences.posture(voice, known, "his")
        if movement == "standing":
            assert "walk" not in text
        if movement is None:
            assert "walk" not in text
            assert "standing" not in text
        if facing in ("left", "right"):
            assert facing in text


def test_every_prose_style_has_a_sentence_for_every_item():
    wanted = set(ITEMS) - {"person", "place"}
    assert set(sentences.MAIN) == set(STYLES) - {"list"}
    assert all(set(bank) == wanted for bank in sentences.MAIN.values())
    assert set(sentences.LABELS) >= wanted


def test_every_place_can_be_told():
    for places in PLACES.values():
        assert len(places) == len(set(places)) == 3


def test_nothing_visible_gives_no_fact_but_the_view_itself():
    facts = facts_of(person(), view())
    assert {fact.item for fact in facts} == {"posture", "place"}


@pytest.mark.parametrize(
    ("visible", "item", "wanted"),
    [
        (["upper"], "upper", {"colour": "red"}),
        (["upper", "upper kind"], "upper", {"colour": "red", "kind": "t-shirt"}),
        (["upper", "upper pattern"], "upper", {"colour": "red", "pattern": "plain"}),
        (["lower"], "lower", {"kind": "jeans", "colour": "blue"}),
        (["lower", "lower length"], "lower", {"kind": "jeans", "colour": "blue", "length": "full"}),
        (["shoes"], "shoes", {"kind": "sneakers", "colour": "white"}),
        (["shoes", "shoes sole"], "shoes", {"kind": "sneakers", "colour": "white", "sole": "black"}),
        (["hair"], "hair", {"colour": "black"}),
        (["head"], "headwear", {"presence": "none"}),
        (["face"], "glasses", {"presence": "none"}),
        (["whole figure"], "bag", {"presence": "none"}),
    ],
)
def test_facts_follow_what_is_visible(visible, item, wanted):
    assert told(item, facts_of(person(), view(*visible))) == wanted


def test_a_profile_never_says_that_there_is_no_bag():
    assert not told("bag", facts_of(person(), view("whole figure", facing="left")))


def test_a_hat_leaves_open_whether_there_is_hair_under_it():
    bald = person(hair=Hair("bald", "black", "straight"))
    hatted = person(hair=Hair("bald", "black", "straight"), headwear=Headwear("cap", "red"))
    assert told("hair", facts_of(bald, view("head"))) == {"length": "bald"}
    assert not told("hair", facts_of(hatted, view("head", "headwear")))


def test_a_closing_is_told_only_where_the_front_shows():
    coated = person(outer=Outer("coat", "black", True))
    assert told("outer", facts_of(coated, view("outer", "outer closing")))["closing"] == "closed"
    assert "closing" not in told("outer", facts_of(coated, view("outer", facing="back")))


def test_facts_are_plain_triples():
    assert Fact("upper", "colour", "red") == ("upper", "colour", "red")
