"""Words and sentences by one written rule, so that a word count means the same in every stage.

A word is a longest run of letters and digits, in any script, with single hyphens, apostrophes or combining marks inside it
(`T-shirt`, `man's`, `long-sleeved` are one word each; `black/white` are two). A sentence ends at `.`, `!` or `?` followed by
white space or the end of the text (not after a single capital or a title such as `Mr.`), or at an empty line.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f]|[-'’‑](?=[^\W_]))*")
SENTENCE_END = re.compile(r"(?<![.!?。！？])[.!?。！？]++[\"'”’)\]]*+(?=\s|$)|\n[ \t\r]*\n")
TITLES = frozenset(("mr", "mrs", "ms", "dr", "st", "e.g", "i.e", "approx", "no", "vs"))


def words(text: str) -> list[str]:
    """The words of a text as written, in order."""
    return WORD.findall(text)


@lru_cache(maxsize=8)
def word_set(text: str) -> frozenset[str]:
    """The different words of a text in lower case; remembered for the rules that ask one text after another."""
    return frozenset(WORD.findall(text.lower()))


def count(text: str) -> int:
    """Number of words of a text."""
    return sum(1 for _ in WORD.finditer(text))


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the sentences that hold at least one word, white space around them left out."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in SENTENCE_END.finditer(text):
        before = text[max(start, match.start() - 8) : match.start()].rsplit(None, 1)[-1:]
        if (
            match.group().startswith(".")
            and before
            and (before[0].lower() in TITLES or re.fullmatch("[A-Z]", before[0]))
        ):
            continue
        add_span(text, start, match.end(), spans)
        start = match.end()
    add_span(text, start, len(text), spans)
    return spans


def add_span(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    """Add the span without white space at its ends, if it holds a word."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if WORD.search(piece):
        spans.append((start + left, start + len(piece.rstrip())))


def sentences(text: str) -> list[str]:
    """The sentences of a text as written."""
    return [text[start:end] for start, end in sentence_spans(text)]
