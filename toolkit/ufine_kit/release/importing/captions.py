"""Captions as they come: kept word for word, flagged where they are odd; only control characters are taken out of them."""

from __future__ import annotations

import re

from ufine_kit.text.language import other_script
from ufine_kit.text.words import WORD

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MARKUP = re.compile(r"</?[A-Za-z!][^<>]{0,200}>|&(?:#\d+|#x[0-9a-fA-F]+|[a-z]{2,8});|\]\((?:https?|javascript):")
# What people found in RSTPReid: lines of scripts that landed in the captions.
_CODE = re.compile(
    r"\b(?:import \w+$|def \w+\(|print\(|return \w+\[|for \w+ in range|\w+\.append\(|self\.\w+)|==|\{\}", re.M
)


def clean(text: str) -> tuple[str, list[str]]:
    """The caption as it is stored, and the notes it earns: `control`, `markup`, `script`, `code`, `empty_caption`."""
    notes: list[str] = []
    kept = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    if kept != text:
        notes.append("control")
    notes += [word for word, sign in (("markup", _MARKUP), ("code", _CODE)) if sign.search(kept)]
    if other_script(kept):
        notes.append("script")
    if not WORD.search(kept):
        notes = ["empty_caption"]
    return kept, notes
