"""What a text says of the person as a whole: gender, age, build, height and what they do."""

from __future__ import annotations

from dataclasses import dataclass

from ufine_kit.text import lexicon as lx
from ufine_kit.text.tokens import Tokens


@dataclass(frozen=True)
class Person:
    """Sets of canonical words; empty where the text says nothing. `gender` holds `male`, `female` or both."""

    gender: frozenset[str]
    age: frozenset[str]
    age_implied: frozenset[str]
    build: frozenset[str]
    height: frozenset[str]
    actions: frozenset[str]


def read_person(tokens: Tokens, inside: list[bool], lexicon: lx.Lexicon) -> Person:
    """Read the person words of a text; `inside[i]` tells that token i belongs to a phrase on an item."""
    people = lexicon.people
    words = tokens.words
    gender = {name for word in words for name in ("male", "female") if word in people[name]}
    age: set[str] = set()
    implied: set[str] = set()
    build: set[str] = set()
    height: set[str] = set()
    actions: set[str] = set()
    for at, word in enumerate(words):
        if word in lexicon.actions and not inside[at] and done_by_person(tokens, inside, at):
            actions.add(lexicon.actions[word])
        if inside[at]:
            continue
        for name in ("child", "young", "middle", "old"):
            if word in people[name]:
                noun = tokens.tags[at] == lx.PERSON or word in ("boy", "girl", "boys", "girls", "lad", "youth")
                (implied if noun and name == "young" else age).add("young" if name == "child" else name)
                break
        if word in lexicon.builds and describes_person(tokens, at):
            kind = lexicon.builds[word]
            (height if kind == "tall" or (kind == "average" and of_height(tokens, at)) else build).add(kind)
        elif word == "short" and describes_person(tokens, at):
            height.add("short")
    return Person(*(frozenset(found) for found in (gender, age, implied, build, height, actions)))


def done_by_person(tokens: Tokens, inside: list[bool], at: int) -> bool:
    """Not `shoes for running`, `the hat sits on`, `a strap running across`."""
    if at and (
        tokens.words[at - 1] in ("for", "of") or (inside[at - 1] and tokens.words[at].startswith(("sit", "run")))
    ):
        return False
    return tokens.words[at + 1 : at + 2] not in (
        ["across"],
        ["down"],
        ["along"],
        ["around"],
        ["through"],
    ) or tokens.words[at].startswith(("walk", "strol"))


def describes_person(tokens: Tokens, at: int) -> bool:
    """Whether an adjective outside every item stands before a person or a word of the body, or after a verb of being."""
    for step in range(at + 1, min(at + 6, len(tokens))):
        tag, word = tokens.tags[step], tokens.words[step]
        if tag == lx.PERSON or word in (
            "build",
            "physique",
            "figure",
            "stature",
            "body",
            "frame",
            "height",
            "shape",
            "built",
            "size",
        ):
            return True
        if tag == lx.DETERMINER and tokens.tags[step - 1] == lx.COMMA:
            continue
        if tag not in (lx.MODIFIER, lx.AND, lx.COMMA, lx.UNKNOWN, lx.ADVERB):
            break
    before = at - 1
    while before >= 0 and (
        tokens.tags[before] in (lx.ADVERB, lx.MODIFIER, lx.AND, lx.COMMA) or tokens.words[before] == "to"
    ):
        before -= 1
    if before < 1 or tokens.tags[before] != lx.COPULA:
        return False
    subject = tokens.words[before - 1]
    return tokens.tags[before - 1] == lx.PERSON or subject in (
        "build",
        "figure",
        "physique",
        "body",
        "frame",
        "he",
        "she",
        "they",
        "be",
        "stature",
    )


def of_height(tokens: Tokens, at: int) -> bool:
    """`average height`: the word speaks of height, not of build."""
    return any(word in ("height", "stature") for word in tokens.words[at + 1 : at + 4])
