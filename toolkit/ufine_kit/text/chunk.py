"""Where a phrase begins: walks left from each head noun over what may modify it, and says which heads are no phrase."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from ufine_kit.text import lexicon as lx
from ufine_kit.text.standing import is_phrase, run_meets_head
from ufine_kit.text.tokens import Tokens
from ufine_kit.text.wordsets import word_sets


class Chunk(NamedTuple):
    """Token indices: the phrase is tokens first..head, both included."""

    first: int
    head: int


SETS = word_sets("phrases")
SPATIAL = SETS["spatial"]
GUESSED = frozenset((lx.UNKNOWN, lx.PLURAL_UNKNOWN))
BEFORE_NOUNS = frozenset((lx.HEAD, lx.MODIFIER, lx.UNKNOWN, lx.PLURAL_UNKNOWN, lx.PERSON, lx.PLACE, lx.BODY))
NAMED_BY_FORM = SETS["named_by_form"]
TELLING = frozenset(("colour", "pattern", "material"))
TAKING = SETS["taking"]
SLEEVE_LIKE = frozenset(("sleeve", "collar"))
CASES = SETS["cases"]
DOWN_HEADS = SETS["down_heads"]
PERSONAL = SETS["personal"]
PAIRS = word_sets("item_pairs")
ING_PAIRS = frozenset((("reading", "glasses"), ("reading", "book"), ("drinking", "bottle"), ("smoking", "jacket")))


def chunks(tokens: Tokens, lexicon: lx.Lexicon) -> list[Chunk]:
    """Every phrase of the tokens in order."""
    found: list[Chunk] = []
    floor = 0
    tags = tokens.tags
    for at, tag in enumerate(tags):
        if tag in GUESSED or tokens.words[at] in NAMED_BY_FORM:
            if at + 1 < len(tags) and tags[at + 1] in BEFORE_NOUNS:
                continue
            first = left_edge(tokens, at, floor, lexicon)
            if stands_for_item(tokens, first, at, lexicon):
                found.append(Chunk(first, at))
                floor = at + 1
            continue
        if tag != lx.HEAD or modifies_next(tokens, at, lexicon):
            continue
        first = left_edge(tokens, at, floor, lexicon)
        if is_phrase(tokens, first, at, lexicon):
            found.append(Chunk(first, at))
        floor = at + 1
    return found


def stands_for_item(tokens: Tokens, first: int, at: int, lexicon: lx.Lexicon) -> bool:
    """Whether an unlisted word is a thing worn or carried: `wearing black cleats`, `holding a yoga mat`."""
    words, tags = tokens.words, tokens.tags
    word = words[at]
    if (
        len(word) < 3
        or not (word.isalpha() or word in NAMED_BY_FORM)
        or (at + 1 < len(tags) and tags[at + 1] in BEFORE_NOUNS)
    ):
        return False
    if at + 1 < len(tags) and words[at + 1] == "of":
        return False
    before = first - 1
    if word in NAMED_BY_FORM:
        return before >= 0 and tags[before] == lx.DETERMINER
    article = before >= 0 and words[before] in ("a", "an", "some", "his", "her", "two")
    while before >= 0 and tags[before] in (lx.DETERMINER, lx.AND, lx.COMMA):
        before -= 1
    if before >= 0 and words[before] in TAKING and (article or first < at):
        return True
    looks = any(slot in TELLING for w in words[first:at] for slot, _ in lexicon.entries[w].values)
    return looks and (before < 0 or tags[before] in (lx.VERB, lx.STOP, lx.HEAD) or words[before] in ("with", "in"))


def modifies_next(tokens: Tokens, at: int, lexicon: lx.Lexicon) -> bool:
    """Whether the head at `at` only describes the head right after it: `shirt collar`, `dress shoes`, `ankle boots`."""
    if at + 1 >= len(tokens):
        return False
    if tokens.words[at] in SLEEVE_LIKE and tokens.tags[at + 1] == lx.MODIFIER:
        return run_meets_head(tokens, at + 1)
    if tokens.tags[at + 1] != lx.HEAD:
        return False
    word, after = tokens.words[at], tokens.words[at + 1]
    first, second = lexicon.entries[word].head, lexicon.entries[after].head
    if first is None or second is None:
        return False
    if "-" in word and not lexicon.entries[word].listed:
        return True
    if (word in PAIRS and after in PAIRS[word]) or (
        word.removesuffix("s") in PAIRS and after in PAIRS[word.removesuffix("s")]
    ):
        return True
    if (
        first.kind == second.kind == "item"
        and first.concept == second.concept
        and not first.plural
        and first.concept != "other"
    ):
        return True
    if after in CASES and first.concept == "other" and not first.plural:
        return True
    if first.plural:
        return second.kind == "detail" and first.kind == "item" and not second.plural
    if second.kind == "detail":
        return True
    if first.kind == "body":
        return second.kind in ("item", "generic") and second.concept != "hair"
    return first.kind == "detail" or word in lexicon.modifying or second.kind == "generic"


def left_edge(tokens: Tokens, head: int, floor: int, lexicon: lx.Lexicon) -> int:
    """Index of the first token of the phrase that ends in `head`; never left of `floor`."""
    words, tags = tokens.words, tokens.tags
    first = run_start(tokens, head, floor, lexicon)
    if first == head:
        return first
    edges = [first]
    noun = lexicon.entries[words[head]].head
    of_body = noun is not None and noun.kind == "body"
    while first - 2 >= floor and tags[first - 1] in (lx.AND, lx.COMMA):
        mark = first - 1
        oxford = tags[mark] == lx.AND and tags[mark - 1] in (lx.COMMA, lx.AND) and mark - 2 >= floor
        if oxford:
            mark -= 1
        last = mark - 1
        if not joinable(tokens, last, lexicon, of_body):
            break
        start = run_start(tokens, last + 1, floor, lexicon)
        if oxford and (start - 2 < floor or tags[start - 1] != lx.COMMA or tags[start - 2] != lx.MODIFIER):
            break  # "a hat, and grey shoes" is a list; "red, white, and blue shoes" are one thing
        edges.append(start)
        first = start
    return settle(tokens, edges, floor, lexicon, words, tags)


def settle(tokens: Tokens, edges: list[int], floor: int, lexicon: lx.Lexicon, words: list[str], tags: list[str]) -> int:
    """Choose among the starts that joining offers: a chain that hangs on a verb of being or on a noun is none."""
    if len(edges) == 1:
        return edges[0]
    first = edges[-1]
    before = first - 1
    while before >= 0 and tags[before] == lx.ADVERB:
        before -= 1
    tag = tags[before] if before >= 0 else lx.STOP
    if tag in (lx.HEAD, lx.PERSON, lx.BODY) or (tag == lx.COPULA and not inverted(tokens, before, lexicon)):
        return edges[0]
    if tag == lx.COMMA and before + 1 == first:
        return joined_by_and(tags, edges)
    if (
        before > 0
        and words[before] == "of"
        and tags[before - 1] != lx.DETERMINER
        and lx.COMMA in (tags[edge - 1] for edge in edges[:-1])
    ):
        return edges[0]  # "a shirt of blue denim, cargo trousers"
    if before >= 0 and words[before] == "in":
        if before and tags[before - 1] == lx.HEAD and has_colour(lexicon, words[before + 1]):
            return edges[0]  # "tights in black and tan boots"
        for edge in edges[:-1]:
            if tags[edge - 1] == lx.COMMA and has_colour(lexicon, words[edge - 2]):
                return edge  # "a jumper in oatmeal, ripped jeans"
    commas = [edge for edge in edges[:-1] if tags[edge - 1] == lx.COMMA]
    if commas and all(tags[edge - 1] == lx.COMMA for edge in edges[:-1]) and tag in (lx.PREPOSITION, lx.VERB, lx.STOP):
        # "in black, white shoes": two colours side by side without `and` are two things
        for edge in commas:
            if has_colour(lexicon, words[edge - 2]) and has_colour(lexicon, words[edge]):
                return edges[0]
    return first


def joined_by_and(tags: list[str], edges: list[int]) -> int:
    """The farthest start that only `and` joins to the phrase: `a hat, black and white shoes`."""
    for edge, farther in pairwise(edges):
        if tags[edge - 1] != lx.AND:
            return edge
        del farther
    return edges[-1]


def inverted(tokens: Tokens, copula: int, lexicon: lx.Lexicon) -> bool:
    """`On his feet are black and white shoes`: the verb of being follows a place, its noun comes after it."""
    at = copula - 1
    if at < 1 or tokens.tags[at] not in (lx.BODY, lx.PLACE, lx.HEAD):
        return False
    head = lexicon.entries[tokens.words[at]].head
    if head is not None and head.kind != "body":
        return False
    while at > 0 and tokens.tags[at - 1] in (lx.DETERMINER, lx.MODIFIER, lx.BODY):
        at -= 1
    return at > 0 and tokens.tags[at - 1] == lx.PREPOSITION


def has_colour(lexicon: lx.Lexicon, word: str) -> bool:
    """Whether a word names a colour or a shade of one."""
    return any(slot in ("colour", "shade") for slot, _ in lexicon.entries[word].values)


def joinable(tokens: Tokens, at: int, lexicon: lx.Lexicon, of_body: bool) -> bool:
    """Whether token `at` may end the left part of `A and B noun` or `A, B noun`."""
    tag, word = tokens.tags[at], tokens.words[at]
    if tag == lx.MODIFIER:
        return (
            of_body
            or (word not in lexicon.nouns and word not in PERSONAL)
            or word == "short"
            or (word in ("thin", "slim", "old") and tokens.tags[at + 1] == lx.COMMA)
        )
    if tag == lx.HEAD:
        head = lexicon.entries[word].head
        return head is not None and not head.plural and bool(lexicon.entries[word].values)
    return False


def run_start(tokens: Tokens, end: int, floor: int, lexicon: lx.Lexicon) -> int:
    """Leftmost index of the unbroken run of modifiers that ends right before `end`."""
    words, tags = tokens.words, tokens.tags
    at = end
    while at > floor and extends(tokens, at - 1, end, lexicon):
        at -= 1
    while at < end and tags[at] == lx.ADVERB and words[at] not in DEGREES and not words[at].endswith("ly"):
        at += 1
    return at


def extends(tokens: Tokens, at: int, end: int, lexicon: lx.Lexicon) -> bool:
    """Whether the token at `at` belongs to the run of modifiers that begins right after it and ends before `end`."""
    words, tags = tokens.words, tokens.tags
    word, tag = words[at], tags[at]
    after, after_tag = (words[at + 1], tags[at + 1]) if at + 1 < len(tokens) else ("", lx.STOP)
    if tag == lx.MODIFIER:
        return True
    if tag == lx.UNKNOWN:
        return not (at and tags[at - 1] in BEFORE_VERBS and after_tag != lx.MODIFIER)
    if word == "down":
        return after in DOWN_HEADS
    if tag == lx.ADVERB:
        return at + 1 < end and word not in lexicon.vague and after_tag in (lx.MODIFIER, lx.UNKNOWN)
    if word in SLEEVE_LIKE and after_tag == lx.MODIFIER:
        return True
    if tag == lx.HEAD:
        return modifies_next(tokens, at, lexicon) or after in KIND_WORDS
    if tag == lx.VERB:
        return at + 1 == end and ((word, after) in ING_PAIRS or unlisted_ing(tokens, at, lexicon))
    return tag in (lx.BODY, lx.PLACE) and after_tag == lx.HEAD and noun_before(tokens, at, at + 1, lexicon)


DEGREES = frozenset(("very", "slightly", "too"))
BEFORE_VERBS = frozenset((lx.PRONOUN, lx.AUXILIARY, lx.NEGATOR))
KIND_WORDS = frozenset(("style", "coloured", "colored", "color", "colour", "type"))


def unlisted_ing(tokens: Tokens, at: int, lexicon: lx.Lexicon) -> bool:
    """`white nursing shoes`: an -ing word that is no known verb, between an adjective or article and the head."""
    word = tokens.words[at]
    return (
        word.endswith("ing")
        and not lexicon.entries[word].listed
        and at > 0
        and tokens.tags[at - 1] in (lx.MODIFIER, lx.DETERMINER)
    )


def noun_before(tokens: Tokens, before: int, at: int, lexicon: lx.Lexicon) -> bool:
    """`ankle boots`, `chest pocket`, `side stripes`: a place on the body or the item that names a kind of the head."""
    head = lexicon.entries[tokens.words[at]].head
    word = tokens.words[before]
    if head is None or head.kind == "body":
        return False
    if tokens.tags[before] == lx.PLACE:
        return word in SPATIAL
    return (
        not word.endswith("s")
        and (head.kind in ("item", "generic") or word in SPATIAL or head.canonical == "strap")
        and head.concept != "hair"
    )
