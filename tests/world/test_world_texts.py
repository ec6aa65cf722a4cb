"""Texts of the world: of the papers' lengths, varied, and true of what a crop shows and of nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ufine_kit.world import (
    GRANULARITIES,
    STYLES,
    Person,
    View,
    describe,
    draw_crop,
    facts_of,
    sample_people,
    sample_writers,
)
from ufine_kit.world.facts import Fact
from ufine_kit.world.lexicon import SYNONYMS
from ufine_kit.world.palette import COLOURS, HAIR_COLOURS
from ufine_kit.world.phrasing import Voice
from ufine_kit.world.texts import compose

pytestmark = pytest.mark.full

COLOUR_WORDS = {word for name in [*COLOURS, *HAIR_COLOURS] for word in SYNONYMS.get(name, (name,))}
ALL = [(granularity, style) for granularity in GRANULARITIES for style in STYLES]


@cache
def shown() -> list[tuple[Person, View]]:
    """People and what a crop shows of each: drawn when the first test asks for it, and only looked at."""
    return [(person, draw_crop(person, 1, (128, 64)).view) for person in sample_people(240, seed=21)]


def texts(granularity: str, style: str, rng: int = 4) -> list[str]:
    return [describe(person, view, granularity, style, rng=rng) for person, view in shown()]


def words_for(value: str) -> tuple[str, ...]:
    return SYNONYMS.get(value, (value,))


def says(text: str, value: str) -> bool:
    return any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in words_for(value))


@pytest.mark.parametrize(
    ("granularity", "average", "tolerance"), [("coarse", 23, 1.5), ("medium", 37, 2), ("fine", 80, 4)]
)
def test_texts_are_as_long_as_the_papers_say(granularity, average, tolerance):
    lengths = [len(text.split()) for style in STYLES for text in texts(granularity, style)]
    assert np.mean(lengths) == pytest.approx(average, abs=tolerance)
    assert np.std(lengths) > 3


def test_the_granularities_keep_apart():
    medians = [np.median([len(text.split()) for text in texts(granularity, "plain")]) for granularity in GRANULARITIES]
    assert medians[0] < 30 <= medians[1] < 50 <= medians[2]


@pytest.mark.parametrize(("granularity", "style"), ALL)
def test_texts_speak_of_no_colour_that_is_not_there(granularity, style):
    for (person, view), text in zip(shown(), texts(granularity, style), strict=True):
        said = re.sub(r"\bcolou?r\w*", " ", text.lower())
        for _, attribute, value in facts_of(person, view):
            if attribute in ("colour", "second colour", "sole"):
                for word in sorted(words_for(value), key=len, reverse=True):
                    said = re.sub(rf"\b{re.escape(word)}\b", " ", said)
        left = {word for word in COLOUR_WORDS if re.search(rf"\b{re.escape(word)}\b", said)}
        assert not left, text


@pytest.mark.parametrize("style", STYLES)
def test_a_fine_text_names_every_visible_core_garment(style):
    for (person, view), text in zip(shown(), texts("fine", style), strict=True):
        for item, attribute, value in facts_of(person, view):
            if item in ("lower", "shoes", "outer") and attribute in ("kind", "colour"):
                assert says(text, value), (item, value, text)
            if item in ("upper", "hair") and attribute == "colour":
                assert says(text, value), (item, value, text)


@pytest.mark.parametrize(("granularity", "style"), ALL)
def test_hidden_things_are_not_spoken_of(granularity, style):
    for (person, view), text in zip(shown(), texts(granularity, style), strict=True):
        for thing in (person.bag, person.carried, person.headwear, person.outer):
            item = {person.bag: "bag", person.carried: "carried", person.headwear: "headwear", person.outer: "outer"}[
                thing
            ]
            others = {fact.value for fact in facts_of(person, view)}
            if thing is not None and item not in view.visible and thing.kind not in others:
                assert not says(text, thing.kind), text


@pytest.mark.parametrize("style", STYLES)
def test_sides_are_the_wearers_own(style):
    told = 0
    for (person, view), text in zip(shown(), texts("fine", style), strict=True):
        sides = {fact.value for fact in facts_of(person, view) if fact.attribute in ("side", "hand")}
        for side in re.findall(r"\b(left|right) (?:hand|hip|shoulder|side)\b", text):
            assert side in sides, text
            told += 1
    assert told > 30


@pytest.mark.parametrize(("granularity", "style"), ALL)
def test_every_text_is_clean(granularity, style):
    for text in texts(granularity, style):
        assert text == text.strip()
        assert not re.search(r"[{}]|  |\.\.| \.|None", text), text
        assert text[0].isupper()
        assert text.endswith(".")
        assert not re.search(r"\ba (?=[aeio])|\ban (?=[^aeiou\s])", text, re.IGNORECASE), text


def test_nobodys_skin_is_described():
    joined = " ".join(text for style in STYLES for text in texts("fine", style)).lower()
    assert not re.search(r"\bskin|complexion|ethnic|attractive|pretty\b", joined)


def test_texts_of_one_picture_differ():
    person, view = shown()[0]
    many = {describe(person, view, "fine", style, rng=rng) for style in STYLES for rng in range(10)}
    assert len(many) == 40
    assert describe(person, view, rng=3) == describe(person, view, rng=3)


def test_a_writers_habits_rule_the_words():
    habits = {"trousers": "pants", "grey": "gray", "glasses": "eyeglasses"}
    for person, view in shown()[:80]:
        text = describe(person, view, "fine", "plain", habits, 1)
        assert not re.search(r"\btrousers\b|\bgrey\b|wears glasses", text)


def test_facts_hold_for_the_person():
    for person, view in shown():
        seen = person.attributes()
        for item, attribute, value in facts_of(person, view):
            if item in ("posture", "place") or attribute == "presence":
                continue
            if item == "person":
                assert seen[attribute] == value
            elif item == "glasses":
                assert seen["glasses"] == value
            elif (item, attribute) == ("outer", "closing"):
                assert seen["outer"]["closed"] == (value == "closed")
            else:
                assert seen[item][{"second colour": "second"}.get(attribute, attribute)] == value


@pytest.mark.parametrize(
    ("item", "words"), [("bag", "No bag|no bag"), ("glasses", "glasses"), ("headwear", "hat|head")]
)
def test_absence_is_told_only_where_it_shows(item, words):
    facts = [Fact("person", "gender", "man"), Fact("upper", "colour", "red"), Fact("posture", "facing", "front")]
    with_absence = [*facts, Fact(item, "presence", "none")]
    told = [compose(with_absence, "fine", "plain", Voice(np.random.default_rng(k))) for k in range(20)]
    silent = [compose(facts, "fine", "plain", Voice(np.random.default_rng(k))) for k in range(20)]
    assert any(re.search(words, text) for text in told)
    assert not any(re.search(words, text) for text in silent)


def test_a_crop_that_shows_almost_nothing_still_has_a_text():
    person, view = shown()[0]
    for granularity, style in ALL:
        assert describe(person, replace(view, visible=frozenset()), granularity, style).endswith(".")


def test_sampled_writers_have_words_of_their_own():
    one, other = sample_writers(2, seed=3)
    assert one.habits != other.habits
    assert sample_writers(2, seed=3) == [one, other]
