"""Whether a head noun stands for a look or a carried thing in its sentence, or for a verb, a place or a part of the body."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.tokens import Tokens
from ufine_kit.text.wordsets import word_sets

SETS = word_sets("phrases")

SIDES = SETS["sides"]


LIMB_LOOKS = SETS["limb_looks"]


FRAME_BUILDS = SETS["frame_builds"]


WEAR_KINDS = SETS["wear_kinds"]


BARE_REFUSED = SETS["bare_refused"]


BARE_AFTER_WITH = SETS["bare_after_with"]


OF_REFUSED = SETS["of_refused"]


VERBISH = SETS["verbish"]


WEAR_IN = frozenset(["in", "into", "inside", "from"])


LEFT_OUT_IN_PLACE = frozenset(["pocket", "pockets"])


def is_phrase(tokens: Tokens, first: int, at: int, lexicon: lx.Lexicon) -> bool:
    """Whether the head at `at` with modifiers from `first` is a phrase on looks or carried things in this sentence."""
    words, tags = tokens.words, tokens.tags
    word = words[at]
    head = lexicon.entries[word].head
    assert head is not None, "only heads are asked about"
    before = first - 1
    previous, previous_tag = (words[before], tags[before]) if before >= 0 else ("", lx.STOP)
    after, after_tag = (words[at + 1], tags[at + 1]) if at + 1 < len(tokens) else ("", lx.STOP)
    if head.kind == "body":
        return body_phrase(tokens, first, at, head)
    if word in VERBISH and first == at:
        if previous_tag in (lx.PRONOUN, lx.PERSON, lx.AUXILIARY) or previous == "to":
            return False
        if (after_tag == lx.DETERMINER and previous_tag in (lx.HEAD, lx.PLACE, lx.AND)) or (
            after in ("his", "her") and previous_tag != lx.DETERMINER
        ):
            return False
    if word in OF_REFUSED and after == "of" and first == at:
        return False
    if (word in ("top", "tops") and first == at and previous in ("on", "at", "from", "to")) or (
        word == "top" and previous == "the" and before > 0 and words[before - 1] in ("on", "at", "from", "to", "near")
    ):
        return False
    if word in ("wear", "wears"):
        return first < at and words[at - 1] in WEAR_KINDS
    if word == "frame" and first < at and all(w in FRAME_BUILDS for w in words[first:at]):
        return True
    if (
        word in ("heel", "heels")
        and first == at
        and previous_tag == lx.DETERMINER
        and tags[before - 1] in (lx.PREPOSITION, lx.VERB)
        and words[before - 1] not in ("in", "with", "wearing", "wears")
    ):
        return False
    if word in LEFT_OUT_IN_PLACE and in_place(tokens, before):
        return False
    if (word == "camera" and previous == "the") or (
        first == at and head.kind == "detail" and part_as_place(tokens, before)
    ):
        return False
    if word in ("image", "picture") and previous in ("the", "this", "that"):
        return False
    if first == at and word in BARE_REFUSED:
        return predicate_of_looks(tokens, at, False) or (
            word in BARE_AFTER_WITH
            and previous_tag in (lx.DETERMINER, lx.PREPOSITION)
            and previous in ("with", "a", "an", "some", "several", "two")
        )
    return True


def part_as_place(tokens: Tokens, before: int) -> bool:
    """`a bow at the collar`, `stripes down the sleeves`: a bare part of a garment that only says where."""
    if before < 1 or tokens.words[before] not in ("the", "his", "her", "its", "their", "both"):
        return False
    return tokens.words[before - 1] in (
        "at",
        "on",
        "around",
        "along",
        "near",
        "across",
        "down",
        "below",
        "above",
        "to",
        "by",
        "from",
    )


def in_place(tokens: Tokens, before: int) -> bool:
    """`in his pocket`: a pocket that is a place, not a look."""
    at = before
    while at >= 0 and tokens.tags[at] == lx.DETERMINER:
        at -= 1
    return at >= 0 and tokens.words[at] in WEAR_IN


def body_phrase(tokens: Tokens, first: int, at: int, head: lx.Head) -> bool:
    """A word of the body counts only with an adjective of looks, before it or after a verb of being."""
    words, tags = tokens.words, tokens.tags
    limb = (head.concept == "other" and head.canonical != "build") or head.canonical == "head"
    described = [
        w
        for w, tag in zip(words[first:at], tags[first:at], strict=True)
        if tag in (lx.MODIFIER, lx.UNKNOWN) and w not in SIDES
    ]
    if described:
        return not limb or any(w in LIMB_LOOKS for w in described)
    return predicate_of_looks(tokens, at, limb)


def predicate_of_looks(tokens: Tokens, at: int, limb: bool) -> bool:
    """`skin is fair`, `a build that looks muscular`: a verb of being and an adjective of looks follow the noun."""
    words, tags = tokens.words, tokens.tags
    at += 1
    if at < len(tokens) and words[at] in ("that", "which"):
        at += 1
    if at >= len(tokens) or tags[at] != lx.COPULA:
        return False
    at += 1
    while at < len(tokens) and (tags[at] == lx.ADVERB or words[at] in ("a", "an", "to", "be")):
        at += 1
    if limb and at < len(tokens) and words[at] in LIMB_LOOKS:
        return not run_meets_head(tokens, at)
    if at >= len(tokens) or tags[at] != lx.MODIFIER or run_meets_head(tokens, at):
        return False
    return not limb and words[at] not in SIDES and not (words[at].endswith("ed") and len(words[at]) > 3)


def run_meets_head(tokens: Tokens, at: int) -> bool:
    """Whether the modifiers from `at` belong to a noun of their own: `on his feet are black sports shoes`."""
    while at < len(tokens) and tokens.tags[at] in (lx.MODIFIER, lx.UNKNOWN, lx.AND):
        at += 1
    return at < len(tokens) and tokens.tags[at] == lx.HEAD
