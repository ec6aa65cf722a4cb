"""What an unlisted word may be, by its form: hyphenated descriptions, participles, adverbs and misspelt head nouns."""

from __future__ import annotations

from functools import lru_cache

from ufine_kit.text import lexicon as lx
from ufine_kit.text.wordsets import word_sets

# Heads long enough that one wrong letter rarely makes another English word.
SETS = word_sets("morphology")
SPELLING_TARGETS = SETS["spelling_targets"]
REAL_NEIGHBOURS = SETS["real_neighbours"]
PLAIN_S = ("ss", "us", "is", "ous", "'s", "’s")
UNKNOWN = lx.Entry(lx.UNKNOWN, None, (), False)
BORDER = lx.Entry(lx.PLURAL_UNKNOWN, None, (), False)
FUSED_LY = SETS["fused_ly"]


def guess(word: str, entries: lx.Entries) -> lx.Entry:
    """Class and values of a word that no table lists."""
    if not word or (word[0].isdigit() and "-" not in word):
        return lx.Entry(lx.DETERMINER, None, (), False)
    if word.endswith(("'s", "’s", "s'", "s’")) or "n't" in word or "n’t" in word:
        return lx.Entry(lx.NEGATOR if "n't" in word or "n’t" in word else lx.DETERMINER, None, (), False)
    for mark in ("’", "‑"):
        if mark in word:
            return entries[word.replace(mark, "'" if mark == "’" else "-")]
    if "-" in word:
        return hyphenated(word, entries)
    if len(word) >= 5 and word not in REAL_NEIGHBOURS:
        target = misspellings().get(word)
        if target is not None and target in entries:
            found = entries[target]
            return lx.Entry(found.tag, found.head, found.values, False)
    if word.endswith("ly") and word not in FUSED_LY:
        return lx.Entry(lx.ADVERB, None, (), False)
    if word.endswith("ing") and len(word) > 5:
        return lx.Entry(lx.VERB, None, (), False)
    if word.endswith(("coloured", "colored")):
        return lx.Entry(lx.MODIFIER, None, entries[word.removesuffix("coloured").removesuffix("colored")].values, False)
    if word.endswith(("ed", "ish", "less", "like")):
        return lx.Entry(lx.MODIFIER, None, (), False)
    if word.endswith("s") and not word.endswith(PLAIN_S) and len(word) > 3:
        return BORDER
    return UNKNOWN


def hyphenated(word: str, entries: lx.Entries) -> lx.Entry:
    """`dark-blue`, `v-shaped`, `mini-skirt`: the values of the parts; a head where the last part or the whole is one."""
    parts = [part for part in word.split("-") if part]
    joined = "".join(parts)
    if joined in entries and entries[joined].head is not None:
        return entries[joined]
    if not parts:
        return UNKNOWN
    last = entries[parts[-1]] if len(parts) > 1 else UNKNOWN
    values = tuple(value for part in parts for value in entries[part].values) if len(parts) < 6 else ()
    if last.head is not None and last.head.kind == "item" and parts[-1] not in ("sole", "polo"):
        return lx.Entry(lx.HEAD, last.head, values, False)
    return lx.Entry(lx.MODIFIER, None, values, False)


@lru_cache(maxsize=1)
def misspellings() -> dict[str, str]:
    """Every form one slip (a letter lost, doubled, exchanged with its neighbour or replaced) away from a target."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    slips: dict[str, str] = {}
    for target in sorted(SPELLING_TARGETS):
        for at in range(len(target)):
            before, after = target[:at], target[at + 1 :]
            slips.setdefault(before + after, target)
            if after:
                slips.setdefault(before + after[0] + target[at] + after[1:], target)
            if len(target) > 5:
                for letter in letters:
                    slips.setdefault(before + letter + after, target)
                    slips.setdefault(target[: at + 1] + letter + after, target)
            else:
                slips.setdefault(target[: at + 1] + target[at] + after, target)
    for target in sorted(SPELLING_TARGETS):
        slips.pop(target, None)
    return slips
