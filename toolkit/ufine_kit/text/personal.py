"""Personal data in a description: e-mail addresses, links, phone numbers, number plates, and names after a title."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ufine_kit.text.finding import Span
from ufine_kit.text.patterns import pattern

EMAIL = pattern("email")
URL = pattern("url", re.IGNORECASE)
PHONE = pattern("phone")
YEARS = pattern("years")
PLATE = pattern("plate")
PLATE_NEAR = pattern("plate_near", re.IGNORECASE)
PLATE_LIKE = pattern("plate_like")
TITLED = pattern("titled")
HANDLE = pattern("handle", re.IGNORECASE)
HINT = re.compile(r"\d|@|\.\w|://")  # addresses, links and numbers hold one of these
NameFinder = Callable[[str], Iterable[tuple[int, int]]]


def personal_data(text: str, names: NameFinder | None = None) -> tuple[Span, ...]:
    """All evidence of personal data; `names` gives spans of person names where a model for them is at hand."""
    found = [match.span() for match in TITLED.finditer(text)]
    if HINT.search(text) is not None:
        for one in (EMAIL, URL, HANDLE, PLATE):
            found += [match.span() for match in one.finditer(text)]
        found += [m.span() for m in PHONE.finditer(text) if is_phone(m.group())]
    for near in PLATE_NEAR.finditer(text):
        window = text[max(0, near.start() - 16) : near.end() + 40]
        offset = max(0, near.start() - 16)
        found += [(offset + m.start(), offset + m.end()) for m in PLATE_LIKE.finditer(window)]
    if names is not None:
        found += list(names(text))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(Span(start, end, text[start:end]) for start, end in merged)


def is_phone(match: str) -> bool:
    """Seven digits or more that are no pair of years; a bare number under eight digits is a number."""
    digits = sum(letter.isdigit() for letter in match)
    if YEARS.fullmatch(match.strip()):
        return False
    return digits >= 8 or (digits == 7 and not match.isdigit())


def open_names(model: str) -> NameFinder:
    """Person names by an installed spaCy model (name or folder) with an entity recogniser."""
    from ufine_kit.text.spacy_phrases import open_model

    pipeline: Any = open_model(model)
    return lambda text: [(e.start_char, e.end_char) for e in pipeline(text).ents if e.label_ == "PERSON"]
