"""Phrases: the maximal adjective-noun phrases on looks and carried things, with exact character spans.

The convention stands in docs/text.md. Polarity is read in `negation`, what a phrase says of its item in `items`.
"""

from __future__ import annotations

from typing import NamedTuple

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk, chunks
from ufine_kit.text.negation import polarity
from ufine_kit.text.tokens import Tokens, tokenize


class Phrase(NamedTuple):
    """`text == description[start:end]`; `head` as written in lower case; `concept` one of the 13 of `lexicon.CONCEPTS`."""

    text: str
    start: int
    end: int
    head: str
    concept: str
    negated: bool


def extract(text: str, lexicon: lx.Lexicon | None = None) -> list[Phrase]:
    """All phrases of a description in reading order; spans are half-open and never overlap."""
    words = lexicon or lx.load()
    tokens = tokenize(text, words)
    found = chunks(tokens, words)
    negated = polarity(tokens, found)
    concepts = concepts_of(tokens, found, words)
    result: list[Phrase] = []
    for chunk, concept, absent in zip(found, concepts, negated, strict=True):
        start, end = tokens.starts[chunk.first], tokens.ends[chunk.head]
        result.append(Phrase(text[start:end], start, end, tokens.words[chunk.head], concept, absent))
    return result


def concepts_of(tokens: Tokens, found: list[Chunk], lexicon: lx.Lexicon) -> list[str]:
    """A marking (stripe, logo, pocket) takes the concept of the item named last before it in the text, else `upper`."""
    result: list[str] = []
    host = "upper"
    for chunk in found:
        head = lexicon.head(tokens.words[chunk.head])
        if head.concept == "host":
            result.append(host)
            continue
        result.append(head.concept)
        if head.kind in ("item", "generic"):
            host = head.concept
    return result
