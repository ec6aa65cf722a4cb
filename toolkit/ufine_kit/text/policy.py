"""Policy words: where a description judges ethnicity, skin or attractiveness (and, if asked, age) of the person."""

from __future__ import annotations

import re

from ufine_kit.text.finding import Span
from ufine_kit.text.patterns import pattern
from ufine_kit.text.words import word_set
from ufine_kit.text.wordsets import word_sets

ETHNICITY = pattern("ethnicity", re.IGNORECASE)
SKIN = pattern("skin", re.IGNORECASE)
CHARM = pattern("charm", re.IGNORECASE)
# `the black man`: colours are common words, so they have a pattern of their own that fails fast.
COLOUR_OF_PERSON = pattern("colour_of_person", re.IGNORECASE)
AGE = pattern("age", re.IGNORECASE)
GROUPS = {"ethnicity": ETHNICITY, "skin": SKIN, "attractiveness": CHARM, "age": AGE}
TRIGGERS = word_sets("policy")
REFUSED = ("ethnicity", "skin", "attractiveness")


def policy_words(text: str, groups: tuple[str, ...] = REFUSED) -> dict[str, tuple[Span, ...]]:
    """Evidence per group that occurs; a recipe chooses the groups it refuses."""
    said = word_set(text.replace("-", " "))
    found = {
        name: tuple(Span(*m.span(), m.group()) for m in GROUPS[name].finditer(text))
        if not said.isdisjoint(TRIGGERS[name])
        else ()
        for name in groups
    }
    if "ethnicity" in groups:
        found["ethnicity"] += tuple(Span(*m.span(), m.group()) for m in COLOUR_OF_PERSON.finditer(text))
    return {name: spans for name, spans in found.items() if spans}
