"""Left and right: which item a side belongs to, and where the person faces."""

from __future__ import annotations

from bisect import bisect_left

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.items import Item
from ufine_kit.text.tokens import Tokens
from ufine_kit.text.wordsets import word_sets

SETS = word_sets("binding")

NEAREST = 8  # phrases on either side of the word that are asked
LEFT_AS = SETS["left_as"]


def faces(tokens: Tokens, at: int) -> bool:
    """`facing left`, `turned to the right`: the side is where the person looks or goes, not where an item is."""
    before = [
        word
        for word in tokens.words[max(0, at - 3) : at]
        if word not in ("the", "to", "his", "her", "slightly", "towards", "toward")
    ]
    body = tokens.tags[at + 1 : at + 2] in ([lx.BODY], [lx.HEAD], [lx.MODIFIER])
    return bool(before) and before[-1] in FACING and not body


FACING = SETS["facing"]


def sides(tokens: Tokens, found: list[Chunk], mentions: list[Item], inside: list[int], items: list[Item]) -> None:
    """Bind `left` and `right` to the item they speak of: the one named before in the clause, else the next one."""
    words, tags = tokens.words, tokens.tags
    for at, word in enumerate(words):
        if word not in ("left", "right") or inside[at] >= 0:
            continue
        after = words[at + 1] if at + 1 < len(words) else ""
        if after != "of" and (tags[at + 1 : at + 2] in ([lx.PREPOSITION], [lx.VERB]) or after in LEFT_AS):
            continue  # "right below", "left open"
        if faces(tokens, at):
            item = Item("facing", "item", "other", tokens.starts[at], tokens.ends[at])
            item.say("side", word)
            items.append(item)
            continue
        index = side_item(tokens, found, mentions, at)
        if index is not None:
            mentions[index].say("side", word)


LIMBS = SETS["limbs"]


def side_item(tokens: Tokens, found: list[Chunk], mentions: list[Item], at: int) -> int | None:
    """Which chunk a side belongs to; what hangs on an arm, hand or shoulder is carried, not worn."""
    middle = bisect_left(found, at, key=lambda chunk: chunk.first)
    near_before, near_after = range(max(0, middle - NEAREST), middle), range(middle, min(len(found), middle + NEAREST))
    before = [i for i in near_before if not breaks(tokens, found[i].head + 1, at)]
    after = [i for i in near_after if not breaks(tokens, at, found[i].first)]
    if any(word in LIMBS for word in tokens.words[at + 1 : at + 3]):
        carried = ([i for i in side if mentions[i].concept in ("bag", "other")] for side in (before, after))
        held_before, held_after = carried
        if held_before or held_after:
            before, after = held_before, held_after
    if clause_start(tokens, at) and after:
        return after[0]
    return before[-1] if before else after[0] if after else None


def breaks(tokens: Tokens, start: int, end: int) -> bool:
    """Whether a sentence ends between two tokens."""
    return any(tokens.tags[i] == lx.STOP for i in range(start, end))


def clause_start(tokens: Tokens, at: int) -> bool:
    """`In her left hand she ...`, `, while his right hand holds ...`: the side opens its clause."""
    before = at - 1
    while before >= 0 and tokens.tags[before] in (lx.DETERMINER, lx.PREPOSITION):
        before -= 1
    return before < 0 or tokens.tags[before] in (lx.STOP, lx.COMMA, lx.CONJUNCTION, lx.AND)
