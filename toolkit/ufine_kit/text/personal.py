"""Personal data in a description: e-mail addresses, links, phone numbers, number plates, and names after a title."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ufine_kit.text.finding import Span

EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
URL = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"']{1,300}|\bwww\.[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}[^\s<>\"',]{0,200}"
    r"|\b[\w-]{2,63}\.(?:com|org|net|cn|edu|gov|co\.uk|io|info)\b(?:/[^\s<>\"']{0,200})?",
    re.IGNORECASE,
)
PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?![\w])")
YEARS = re.compile(r"(?:19|20)\d\d[ -]+(?:19|20)\d\d")
PLATE = re.compile(r"\b(?:[A-Z]{2}\d{2} ?[A-Z]{3}|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][· ]?[A-Z0-9]{5,6})\b")
PLATE_NEAR = re.compile(r"\b(?:plates?|licen[cs]e|registration|number plate|reg(?:istered)?\.?)\b", re.IGNORECASE)
PLATE_LIKE = re.compile(r"\b(?=[A-Z0-9 -]{0,9}\d)(?=[A-Z0-9 -]{0,9}[A-Z])[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5}\b")
TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? [A-Z][a-z]+(?: [A-Z][a-z]+)?|\b(?:named|(?:his|her|whose) name is|name is) [A-Z][a-z]+(?: [A-Z][a-z]+)?")
HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z_][\w.]{2,30}\b|\b(?:wechat|whatsapp|weixin|qq|instagram|telegram)\b\W{0,3}(?:id|number|no\.?)?\W{0,3}[\w.-]*\d[\w.-]*", re.IGNORECASE)
NameFinder = Callable[[str], Iterable[tuple[int, int]]]


def personal_data(text: str, names: NameFinder | None = None) -> tuple[Span, ...]:
    """All evidence of personal data; `names` gives spans of person names where a model for them is at hand."""
    found: list[tuple[int, int]] = []
    for pattern in (EMAIL, URL, HANDLE, PLATE, TITLED):
        found += [match.span() for match in pattern.finditer(text)]
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
