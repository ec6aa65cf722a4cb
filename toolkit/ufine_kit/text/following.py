"""What follows a phrase and speaks of its item: `is black`, `in red`, `tied back`, `falls below the knee`, `it is blue`."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.items import DETAIL_ENDINGS, Item, add_values
from ufine_kit.text.tokens import Tokens
from ufine_kit.text.wordsets import word_map, word_sets

SETS = word_sets("binding")

LINKS = SETS["links"]


SUBJECTS = SETS["subjects"]


REACHING = SETS["reaching"]


NOT_REACHING = SETS["not_reaching"]


REACH_OF = word_map("reach_of")


REACHERS = frozenset(["hair", "upper", "lower", "skirt", "dress"])


def after_phrase(
    tokens: Tokens, found: list[Chunk], inside: list[int], index: int, item: Item, lexicon: lx.Lexicon
) -> list[Item]:
    """Values that follow the phrase: `is short and black`, `in red`, `tied back`; a detail it names (`laced in orange`)."""
    words, tags = tokens.words, tokens.tags
    at = found[index].head + 1
    end = found[index + 1].first if index + 1 < len(found) else len(tokens)
    linked, denied = False, False
    while at < end:
        word, tag = words[at], tags[at]
        if word in DETAIL_ENDINGS and tag != lx.HEAD and words[at + 1 : at + 2] in (["in"], ["with"]):
            detail = Item(
                DETAIL_ENDINGS[word],
                "detail",
                item.concept,
                tokens.starts[at],
                tokens.ends[at],
                True,
                item.absent,
                item,
            )
            for value in predicate_values(tokens, inside, at + 2, lexicon):
                add_values(detail, (value,))
            return [detail] if detail.values else []
        if tag == lx.MODIFIER and inside[at] < 0:
            if denied or (not linked and at > found[index].head + 5):
                break
            if word not in ("young", "old", "tall", "thin", "slim") or item.kind == "body":
                add_values(item, lexicon.entries[word].values)
                if item.kind == "body":
                    item.say("looks", word)
                linked = True
        elif tag == lx.NEGATOR:
            denied = True
        elif tag == lx.COMMA and not linked and apposition(tokens, inside, at + 1, lexicon):
            linked = True
        elif (
            tag == lx.STOP
            or not (word in LINKS or tag in (lx.ADVERB, lx.AND, lx.COPULA, lx.UNKNOWN))
            or word == "with"
            or (tag == lx.COMMA and not linked and words[at + 1 : at + 2] not in (["which"], ["that"]))
        ):
            break
        at += 1
    if item.concept in REACHERS:
        reach(tokens, found[index].head + 1, end, item)
    return []


def apposition(tokens: Tokens, inside: list[int], at: int, lexicon: lx.Lexicon) -> bool:
    """`a blouse, short-sleeved and ...`, `a bag, yellow in colour`: a look after the comma that no other noun takes."""
    if at >= len(tokens) or tokens.tags[at] != lx.MODIFIER or inside[at] >= 0:
        return False
    return bool(lexicon.entries[tokens.words[at]].values)


def reach(tokens: Tokens, start: int, end: int, item: Item) -> None:
    """`falls below her shoulders`, `that end just above the knee`: how far down the item comes."""
    going = False
    for at in range(start, min(end, start + 14)):
        word = tokens.words[at]
        if tokens.tags[at] == lx.STOP and word != ",":
            return
        if word in REACHING:
            going = True
        elif word in NOT_REACHING:
            going = False
        elif going and word in REACH_OF:
            item.say("reach", REACH_OF[word])
            return


def subjects_pronouns(
    tokens: Tokens, found: list[Chunk], inside: list[int], mentions: list[Item], lexicon: lx.Lexicon
) -> None:
    """`It is black.`, `they are blue`, `the colour is white`, and a predicate shared by two joined nouns."""
    words, tags = tokens.words, tokens.tags
    heads = {chunk.head: index for index, chunk in enumerate(found)}
    last = -1
    for at in range(len(words)):
        last = heads.get(at, last)
        if tags[at] != lx.COPULA or last < 0 or at == 0:
            continue
        subject = words[at - 1]
        targets: list[Item] = []
        if subject in SUBJECTS and at - 2 != found[last].head:
            targets = [mentions[last]]
        elif at - 1 == found[last].head and last and shares_predicate(tokens, found, last):
            targets = [mentions[last - 1]]
        elif (
            at - 3 <= found[last].head < at - 2 and tags[found[last].head + 1] == lx.PRONOUN and tags[at - 1] == lx.VERB
        ):
            targets = [mentions[last]]  # "the jacket he wore was white"
        elif tags[at - 1] == lx.BODY and place_between(tokens, found[last].head + 1, at):
            targets = [mentions[last]]
        for value in predicate_values(tokens, inside, at + 1, lexicon):
            for item in targets:
                add_values(item, (value,))


def place_between(tokens: Tokens, start: int, end: int) -> bool:
    """`the scarf around the neck is red`: only a place on the body stands between noun and verb."""
    kinds = (lx.PREPOSITION, lx.DETERMINER, lx.BODY)
    return 0 < end - start <= 4 and all(
        tokens.tags[i] in kinds or tokens.words[i] in ("left", "right") for i in range(start, end)
    )


def shares_predicate(tokens: Tokens, found: list[Chunk], index: int) -> bool:
    """`her shirt and pants are black`: two nouns joined by `and` before one verb."""
    gap = range(found[index - 1].head + 1, found[index].first)
    return 0 < len(gap) <= 2 and tokens.tags[gap[0]] == lx.AND


def predicate_values(tokens: Tokens, inside: list[int], at: int, lexicon: lx.Lexicon) -> list[tuple[str, str]]:
    """Values after a verb of being, up to the first word that is no adjective."""
    values: list[tuple[str, str]] = []
    while at < len(tokens) and inside[at] < 0:
        tag = tokens.tags[at]
        if tag == lx.MODIFIER:
            values += [pair for pair in lexicon.entries[tokens.words[at]].values if pair[0] != "size"]
        elif tag not in (lx.ADVERB, lx.AND, lx.DETERMINER) and tokens.words[at] not in ("in", "of"):
            break
        at += 1
    return values
