"""Tokens of a description with character offsets and word classes, as parallel rows for quick reading."""

from __future__ import annotations

import re
from typing import NamedTuple

from ufine_kit.text import lexicon as lx

# A word with inner hyphens or apostrophes; an empty line; any one mark that bounds or joins. Quotes and stars are no tokens.
TOKEN = re.compile(r"[^\W_]+(?:[-'’‑][^\W_]+)*|\n[ \t\r]*\n|[.,;:!?()\[\]{}/&|<>=+–—•…。，、]")
MARKS = {",": lx.COMMA, "，": lx.COMMA, "、": lx.COMMA, "/": lx.AND, "&": lx.AND, "+": lx.AND}
JOINERS = frozenset(("and", "or", "and/or", "n"))


class Tokens(NamedTuple):
    """Row i of each list is token i: `start:end` in the text, lower-case word, class letter."""

    starts: list[int]
    ends: list[int]
    words: list[str]
    tags: list[str]

    def __len__(self) -> int:
        return len(self.words)

    def first(self, count: int) -> Tokens:
        """The first tokens only."""
        return Tokens(self.starts[:count], self.ends[:count], self.words[:count], self.tags[:count])


def tokenize(text: str, lexicon: lx.Lexicon) -> Tokens:
    """Cut a text into tokens; pairs such as `back pack` and `knee length` become one token with its canonical word."""
    starts: list[int] = []
    ends: list[int] = []
    words: list[str] = []
    tags: list[str] = []
    entries, firsts, joins = lexicon.entries, lexicon.join_firsts, lexicon.joins
    previous = ""
    for match in TOKEN.finditer(text):
        raw = match.group()
        word = raw.lower()
        start, end = match.span()
        if previous in firsts and (previous, word) in joins and start - ends[-1] == 1:
            word = joins[previous, word]
            ends[-1], words[-1], tags[-1] = end, word, entries[word].tag
            previous = word
            continue
        if word in JOINERS:
            tag = lx.AND
        elif word[0].isalnum():
            tag = entries[word].tag
        else:
            tag = MARKS.get(word, lx.STOP)
        starts.append(start)
        ends.append(end)
        words.append(word)
        tags.append(tag)
        previous = word
    return Tokens(starts, ends, words, tags)
