"""Attributes with binding: reads what a text says of whom and which item, and compares two texts of one person.

`compare(a, b)` answers what the second text lost, added, swapped between items or contradicted; synonyms are no difference.
"""

from __future__ import annotations

from dataclasses import dataclass

from ufine_kit.text import lexicon as lx
from ufine_kit.text.binding import read_items
from ufine_kit.text.chunk import chunks
from ufine_kit.text.differences import Comparison, Difference, item_differences, person_differences
from ufine_kit.text.items import Item
from ufine_kit.text.person import Person, read_person
from ufine_kit.text.tokens import tokenize

__all__ = ["Comparison", "Difference", "Reading", "compare", "compare_readings", "read"]


MOST_TOKENS = 1500  # of a text that are read for attributes; the longest description asked for has 218 words


@dataclass(frozen=True)
class Reading:
    """What one text says: its items with their values, and its words on the person."""

    items: tuple[Item, ...]
    person: Person


def read(text: str, lexicon: lx.Lexicon | None = None) -> Reading:
    """Items and person words of a text."""
    words = lexicon or lx.load()
    tokens = tokenize(text, words).first(MOST_TOKENS)
    inside = [False] * len(tokens)
    found = chunks(tokens, words)
    for chunk in found:
        if words.head(tokens.words[chunk.head]).kind != "body":
            inside[chunk.first : chunk.head + 1] = [True] * (chunk.head + 1 - chunk.first)
    return Reading(tuple(read_items(tokens, found, words)), read_person(tokens, inside, words))


def compare(a: str, b: str, lexicon: lx.Lexicon | None = None) -> Comparison:
    """Differences of text `b` against text `a`; all four parts are empty where `b` only says the same otherwise."""
    words = lexicon or lx.load()
    return compare_readings(read(a, words), read(b, words), words)


def compare_readings(a: Reading, b: Reading, lexicon: lx.Lexicon) -> Comparison:
    """`compare` for texts that were read before."""
    found = [*item_differences(list(a.items), list(b.items), lexicon), *person_differences(a.person, b.person)]
    return Comparison(
        *(tuple(d for d in found if kind in d.kinds) for kind in ("lost", "added", "swapped", "contradicted"))
    )
