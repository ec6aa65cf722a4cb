"""Phrases by an installed spaCy model: its noun chunks, kept where their head is in the lexicon, trimmed to the convention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ufine_kit.errors import KitError, need
from ufine_kit.text import lexicon as lx
from ufine_kit.text.phrases import Phrase, extract

TRIMMED = frozenset(("DET", "PRON", "NUM", "ADP", "PUNCT", "PART"))


def open_model(name: str) -> Any:
    """A spaCy pipeline by name or folder; raises `KitError` where spaCy or the model is missing."""
    spacy: Any = need("spacy", "text")
    try:
        return spacy.load(name)
    except OSError:
        raise KitError(f"no spaCy model `{name}`", f"python -m spacy download {name}, or name a model folder") from None


def open_phrases(pipeline: Any, lexicon: lx.Lexicon | None = None) -> Callable[[str], list[Phrase]]:
    """A function like `phrases.extract` whose borders come from the model; what the model does not see stays the rules'."""
    words = lexicon or lx.load()

    def by_model(text: str) -> list[Phrase]:
        ruled = {phrase.end: phrase for phrase in extract(text, words)}
        result: dict[int, Phrase] = dict(ruled)
        for chunk in pipeline(text).noun_chunks:
            inner = list(chunk)
            while inner and inner[0].pos_ in TRIMMED:
                inner = inner[1:]
            if not inner:
                continue
            start, end = inner[0].idx, inner[-1].idx + len(inner[-1].text)
            known = ruled.get(end)
            if known is not None:
                result[end] = known._replace(text=text[start:end], start=start)
        return sorted(result.values(), key=lambda phrase: phrase.start)

    return by_model
