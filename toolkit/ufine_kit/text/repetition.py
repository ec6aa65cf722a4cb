"""Repetition within one text: words, groups of words and sentences said again."""

from __future__ import annotations

import re

from ufine_kit.text import lexicon as lx
from ufine_kit.text.finding import Span
from ufine_kit.text.words import WORD, sentence_spans

LONG_RUN, TELLING_RUN = 10, 8

SAME_WORD = re.compile(r"\b(\w{2,30})(?:\W{1,3}\1\b){2,}", re.IGNORECASE)


def repeated(text: str) -> tuple[Span, ...]:
    """A word or group thrice in a row, ten words (or eight with two looks) in the same order twice, a sentence twice."""
    thrice = SAME_WORD.search(text)
    if thrice is not None:
        return (Span(thrice.start(), thrice.end(), thrice.group()),)
    found = [(m.group().lower(), m.start(), m.end()) for m in WORD.finditer(text)]
    short, spans = again(found, 5), loops(found)
    if short and not spans:  # what holds for longer runs holds for their first five words
        spans = again(found, LONG_RUN) or [
            span for span in again(found, TELLING_RUN) if looks_in(text[slice(*span)]) >= 2
        ]
        if not spans:
            spans = short if len(found) >= 15 and len(short) * 3 >= len(found) else sentence_again(text)
    return (Span(*spans[0], text[slice(*spans[0])]),) if spans else ()


def looks_in(text: str) -> int:
    """How many words of a text name a colour, pattern, material or the like."""
    entries = lx.load().entries
    return sum(bool(entries[word].values) for word in WORD.findall(text.lower()))


def loops(found: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
    """The first group of two to six words that stands three times in a row."""
    words = [word for word, _, _ in found]
    for size in range(2, 7):
        same = 0
        for at in range(size, len(words)):
            same = same + 1 if words[at] == words[at - size] else 0
            if same == 2 * size:
                return [(found[at - 3 * size + 1][1], found[at][2])]
    return []


def sentence_again(text: str) -> list[tuple[int, int]]:
    """Sentences of five words or more that were said before."""
    sentences: set[tuple[str, ...]] = set()
    for start, end in sentence_spans(text):
        words = tuple(WORD.findall(text[start:end].lower()))
        if words in sentences and len(words) >= 5:
            return [(start, end)]
        sentences.add(words)
    return []


def again(found: list[tuple[str, int, int]], size: int) -> list[tuple[int, int]]:
    """Spans of word runs of a size that stood earlier in the text without overlap."""
    first: dict[tuple[str, ...], int] = {}
    spans: list[tuple[int, int]] = []
    for at in range(len(found) - size + 1):
        run = tuple(word for word, _, _ in found[at : at + size])
        if at - first.setdefault(run, at) >= size:
            spans.append((found[at][1], found[at + size - 1][2]))
    return spans
