"""Polarity: which phrases a sentence says are absent (`no hat`, `without a bag or glasses`, `shoes are not visible`)."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.tokens import Tokens
from ufine_kit.text.wordsets import word_sets

SETS = word_sets("negation")
DENYING = SETS["denying"]
NOTS = SETS["nots"]
HAVING = SETS["having"]
OPEN = frozenset((lx.DETERMINER, lx.ADVERB))
UNSEEN = SETS["unseen"]
REACH = 8


def polarity(tokens: Tokens, found: list[Chunk]) -> list[bool]:
    """One flag a chunk: True where its item is said not to be there (or not to be seen)."""
    result: list[bool] = []
    for index, chunk in enumerate(found):
        absent = denied_before(tokens, chunk) or denied_after(tokens, chunk)
        if not absent and index and result[-1]:
            absent = continues_denial(tokens, found[index - 1], chunk)
        result.append(absent)
    return result


def denied_before(tokens: Tokens, chunk: Chunk) -> bool:
    """Look left over articles and verbs of having for a word of denial."""
    words, tags = tokens.words, tokens.tags
    at, steps, verbs = chunk.first - 1, 0, 0
    while at >= 0 and steps < REACH:
        word, tag = words[at], tags[at]
        if word in DENYING and tag != lx.STOP:
            return not (word == "without" and words[at + 1 : at + 2] == ["a"] and words[at + 2 : at + 3] == ["doubt"])
        if tag == lx.NEGATOR or word in NOTS:
            return words[at + 1 : at + 2] != ["only"] and (
                verbs > 0 or words[at + 1 : at + 2] in (["a"], ["any"], ["the"], ["an"])
            )
        if word in HAVING:
            verbs += 1
        elif tag not in OPEN and word not in ("of", "kind", "type", "sort", "sign", "signs", "trace", "pair", "form"):
            return False
        at, steps = at - 1, steps + 1
    return False


def denied_after(tokens: Tokens, chunk: Chunk) -> bool:
    """`shoes are not visible`, `hair cannot be seen`, `hat: none`."""
    words = tokens.words
    after = words[chunk.head + 1 : chunk.head + 6]
    if not after:
        return False
    if after[0] in (":", "-") and after[1:2] == ["none"]:
        return True
    denying = next(
        (i for i, word in enumerate(after[:3]) if word in NOTS or tokens.tags[chunk.head + 1 + i] == lx.NEGATOR), None
    )
    if denying is None:
        return after[0] in ("is", "are") and after[1:2] in (["absent"], ["missing"], ["invisible"])
    return any(word in UNSEEN for word in after[denying + 1 :])


def continues_denial(tokens: Tokens, previous: Chunk, chunk: Chunk) -> bool:
    """`no hat or glasses`, `without a hat, scarf or bag`: the denial of the phrase before holds for this one too."""
    between = range(previous.head + 1, chunk.first)
    words = [tokens.words[i] for i in between]
    if not words or len(words) > 3:
        return False
    rest = [word for word in words if tokens.tags[previous.head + 1 + words.index(word)] != lx.DETERMINER]
    if rest and all(word in ("or", "nor", ",", "/", "and/or") for word in rest):
        if "or" in rest or "nor" in rest or "/" in rest or "and/or" in rest:
            return True
        return list_ends_in_or(tokens, chunk.head + 1)
    bare = chunk.first == chunk.head and len(words) == 1
    return bare and words[0] == "and" and not denied_after(tokens, previous)


def list_ends_in_or(tokens: Tokens, at: int) -> bool:
    """Whether a list that goes on from `at` is closed by `or` / `nor` before its sentence ends."""
    for index in range(at, min(at + 10, len(tokens))):
        if tokens.words[index] in ("or", "nor"):
            return True
        if tokens.tags[index] not in (lx.COMMA, lx.HEAD, lx.MODIFIER, lx.UNKNOWN, lx.DETERMINER):
            return False
    return False
