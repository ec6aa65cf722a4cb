"""Where a phrase begins: walks left from each head noun over what may modify it, and says which heads are no phrase."""

from __future__ import annotations

from typing import NamedTuple

from ufine_kit.text import lexicon as lx
from ufine_kit.text.tokens import Tokens


class Chunk(NamedTuple):
    """Token indices: the phrase is tokens first..head, both included."""

    first: int
    head: int


SPATIAL = frozenset("front side back rear chest middle center centre shoulder".split())
SIDES = frozenset("left right upper lower front rear outer inner other exposed middle".split())
LIMB_LOOKS = frozenset(
    "bare naked tattooed muscular slim slender thin thick long short broad narrow wide skinny chubby strong tanned fair pale hairy "
    "toned plump tan white dark brown black athletic shapely lean stocky sturdy bald shaved shaven balding hairless big large "
    "small painted red pink manicured flat round protruding heavy fat".split()
)
FRAME_BUILDS = frozenset(
    "slender slim athletic lean medium large petite small stocky tall sturdy muscular thin robust average broad bulky strong "
    "delicate lanky wiry compact skinny heavy solid stout well-built slight".split()
)
WEAR_KINDS = frozenset("casual formal sports business summer winter evening everyday athletic street sport gym work party".split())
BARE_REFUSED = frozenset("pack hem chain bottom bottoms line band edge spot block panel wear square character word number writing hobo piece ball "
    "wing symbol image picture star heart layer fan hole rip slit tag border text detail accent decoration cup seam streak layers "
    "lines bands edges spots blocks panels words".split())  # heads that say nothing of looks without a modifier
BARE_AFTER_WITH = frozenset("line band edge spot word number writing symbol image picture star heart layer hole rip slit tag text detail "
    "accent decoration seam streak layers lines bands edges spots words letters characters symbols ball fan cup".split())
OF_REFUSED = frozenset("top bottom number edge edges heel heels side waist head face body foot feet back line image picture layer band".split())
VERBISH = frozenset("frames frame tops top dresses dress ties tie watches watch buttons zips zip caps belts checks check trims masks mask "
    "lines prints bags pockets patches flowers cuffs hoods edges borders bands spots wears wear coats scarfs fans rings laces pumps "
    "loafers book books phone phones bikes bike cycles cycle jersey cards texts labels tags pads".split())
GUESSED = frozenset((lx.UNKNOWN, lx.PLURAL_UNKNOWN))
BEFORE_NOUNS = frozenset((lx.HEAD, lx.MODIFIER, lx.UNKNOWN, lx.PLURAL_UNKNOWN, lx.PERSON, lx.PLACE, lx.BODY))
NAMED_BY_FORM = frozenset("button-up button-down zip-up crew-neck v-neck lace-up slip-on two-piece three-piece".split())
TELLING = frozenset(("colour", "pattern", "material"))
TAKING = frozenset("wearing wears wore wear carrying carries carried carry holding holds held hold hugging gripping grips clutching clutches "
    "grasping pulling pushing dragging donning dons sporting lugging swinging".split())
SLEEVE_LIKE = frozenset(("sleeve", "collar"))
CASES = frozenset("bag bags case cases box boxes pouch backpack basket".split())
DOWN_HEADS = frozenset("jacket jackets coat coats vest vests parka parkas".split())
PERSONAL = frozenset("tall young old elderly middle-aged aged mature thin slim slender short fat bald handsome beautiful".split())
WEAR_IN = frozenset("in into inside from".split())
LEFT_OUT_IN_PLACE = frozenset("pocket pockets".split())
ITEM_PAIRS = {
    "shirt": "dress jacket", "sweater": "dress vest coat", "hoodie": "jacket sweatshirt sweater", "jeans": "jacket shorts skirt pants",
    "jean": "jacket shorts skirt pants vest shirt dress", "vest": "top", "jumper": "dress", "blazer": "dress jacket", "coat": "dress",
    "skirt": "suit", "pants": "suit", "sweatshirt": "dress jacket", "cardigan": "sweater jacket coat", "pullover": "hoodie sweater sweatshirt",
    "kimono": "robe", "book": "bag", "bib": "tights shorts overalls", "camera": "bag", "phone": "case", "legging": "pants", "mask": "cover", "cape": "coat", "stocking": "cap",
    "newsboy": "cap", "chain": "necklace bracelet bag strap", "teddy": "bear", "top": "knot", "pearl": "necklace", "hair": "clip band tie bow", "sock": "boots", "helmet": "hat", "visor": "cap hat", "bucket": "hat", "backpack": "bag",
    "duffle": "bag coat", "clutch": "bag purse", "bike": "helmet shorts", "bicycle": "helmet", "motorcycle": "helmet jacket",
    "t-shirt": "dress", "tshirt": "dress", "tunic": "top dress shirt", "wrist": "watch", "slipper": "shoes", "sandal": "shoes",
    "loafer": "shoes", "sneaker": "shoes boots", "boot": "shoes socks", "tie": "clip", "tights": "pants", "trouser": "pants suit",
    "pant": "suit", "denim": "jacket", "turtleneck": "sweater shirt top", "headscarf": "veil", "suspender": "skirt pants", "overall": "dress",
}  # fmt: skip
PAIRS = {first: frozenset(seconds.split()) for first, seconds in ITEM_PAIRS.items()}


def chunks(tokens: Tokens, lexicon: lx.Lexicon) -> list[Chunk]:
    """Every phrase of the tokens in order."""
    found: list[Chunk] = []
    floor = 0
    tags = tokens.tags
    for at, tag in enumerate(tags):
        if tag in GUESSED or tokens.words[at] in NAMED_BY_FORM:
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
    if len(word) < 3 or not (word.isalpha() or word in NAMED_BY_FORM) or (at + 1 < len(tags) and tags[at + 1] in BEFORE_NOUNS):
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
    if word in PAIRS and after in PAIRS[word] or word.removesuffix("s") in PAIRS and after in PAIRS[word.removesuffix("s")]:
        return True
    if first.kind == second.kind == "item" and first.concept == second.concept and not first.plural and first.concept != "other":
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


def settle(
    tokens: Tokens, edges: list[int], floor: int, lexicon: lx.Lexicon, words: list[str], tags: list[str]
) -> int:
    """Choose among the starts that joining offers: a chain that hangs on a verb of being or on a noun is no part of the phrase."""
    if len(edges) == 1:
        return edges[0]
    first = edges[-1]
    before = first - 1
    while before >= 0 and tags[before] == lx.ADVERB:
        before -= 1
    tag = tags[before] if before >= 0 else lx.STOP
    if tag in (lx.COPULA, lx.HEAD, lx.PERSON, lx.BODY) or (tag == lx.COMMA and before + 1 == first):
        return edges[0]
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


def has_colour(lexicon: lx.Lexicon, word: str) -> bool:
    """Whether a word names a colour or a shade of one."""
    return any(slot in ("colour", "shade") for slot, _ in lexicon.entries[word].values)


def joinable(tokens: Tokens, at: int, lexicon: lx.Lexicon, of_body: bool) -> bool:
    """Whether token `at` may end the left part of `A and B noun` or `A, B noun`."""
    tag, word = tokens.tags[at], tokens.words[at]
    if tag == lx.MODIFIER:
        return of_body or word not in lexicon.nouns and word not in PERSONAL or word == "short" or (word in ("thin", "slim", "old") and tokens.tags[at + 1] == lx.COMMA)
    if tag == lx.HEAD:
        head = lexicon.entries[word].head
        return head is not None and not head.plural and bool(lexicon.entries[word].values)
    return False


def run_start(tokens: Tokens, end: int, floor: int, lexicon: lx.Lexicon) -> int:
    """Leftmost index of the unbroken run of modifiers that ends right before `end`."""
    words, tags = tokens.words, tokens.tags
    at = end
    while at > floor:
        before = at - 1
        tag = tags[before]
        if tag == lx.MODIFIER or (words[before] == "down" and words[at : at + 1] and words[at] in DOWN_HEADS):
            at = before
        elif tag == lx.UNKNOWN:
            if before > 0 and tags[before - 1] in (lx.PRONOUN, lx.AUXILIARY, lx.NEGATOR) and tags[at] != lx.MODIFIER:
                break
            at = before
        elif tag == lx.ADVERB:
            if at == end or words[before] in lexicon.vague or tags[at] not in (lx.MODIFIER, lx.UNKNOWN):
                break
            at = before
        elif tag == lx.HEAD and modifies_next(tokens, before, lexicon):
            at = before
        elif tag == lx.VERB and at == end and unlisted_ing(tokens, before, lexicon):
            at = before
        elif words[before] in SLEEVE_LIKE and tags[at] == lx.MODIFIER:
            at = before
        elif tag == lx.HEAD and tags[at] == lx.MODIFIER and words[at] in ("style", "coloured", "colored", "color", "colour", "type"):
            at = before
        elif tag in (lx.BODY, lx.PLACE) and at < len(tags) and tags[at] == lx.HEAD and noun_before(tokens, before, at, lexicon):
            at = before
        else:
            break
    while at < end and tags[at] == lx.ADVERB and words[at] not in ("very", "slightly", "too") and not words[at].endswith("ly"):
        at += 1
    return at


def unlisted_ing(tokens: Tokens, at: int, lexicon: lx.Lexicon) -> bool:
    """`white nursing shoes`: an -ing word that is no known verb, between an adjective or article and the head."""
    word = tokens.words[at]
    return word.endswith("ing") and not lexicon.entries[word].listed and at > 0 and tokens.tags[at - 1] in (lx.MODIFIER, lx.DETERMINER)


def noun_before(tokens: Tokens, before: int, at: int, lexicon: lx.Lexicon) -> bool:
    """`ankle boots`, `chest pocket`, `side stripes`: a place on the body or the item that names a kind of the head."""
    head = lexicon.entries[tokens.words[at]].head
    word = tokens.words[before]
    if head is None or head.kind == "body":
        return False
    if tokens.tags[before] == lx.PLACE:
        return word in SPATIAL
    return not word.endswith("s") and (head.kind in ("item", "generic") or word in SPATIAL or head.canonical == "strap") and head.concept != "hair"


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
        if after_tag == lx.DETERMINER and previous_tag in (lx.HEAD, lx.PLACE) or (after in ("his", "her") and previous_tag != lx.DETERMINER):
            return False
    if word in OF_REFUSED and after == "of" and first == at:
        return False
    if word in ("top", "tops") and first == at and previous in ("on", "at", "from", "to") or (
        word == "top" and previous == "the" and before > 0 and words[before - 1] in ("on", "at", "from", "to", "near")
    ):
        return False
    if word in ("wear", "wears"):
        return first < at and words[at - 1] in WEAR_KINDS
    if word == "frame" and first < at and all(w in FRAME_BUILDS for w in words[first:at]):
        return True
    if word in ("heel", "heels") and first == at and previous_tag == lx.DETERMINER and tags[before - 1] in (lx.PREPOSITION, lx.VERB) and words[before - 1] not in ("in", "with", "wearing", "wears"):
        return False
    if word in LEFT_OUT_IN_PLACE and in_place(tokens, before):
        return False
    if word == "camera" and previous == "the" or (first == at and head.kind == "detail" and part_as_place(tokens, before)):
        return False
    if word in ("image", "picture") and previous in ("the", "this", "that"):
        return False
    if first == at and word in BARE_REFUSED:
        return predicate_of_looks(tokens, at, False) or word in BARE_AFTER_WITH and previous_tag in (lx.DETERMINER, lx.PREPOSITION) and previous in ("with", "a", "an", "some", "several", "two")
    return True


def part_as_place(tokens: Tokens, before: int) -> bool:
    """`a bow at the collar`, `stripes down the sleeves`: a bare part of a garment that only says where."""
    if before < 1 or tokens.words[before] not in ("the", "his", "her", "its", "their", "both"):
        return False
    return tokens.words[before - 1] in ("at", "on", "around", "along", "near", "across", "down", "below", "above", "to", "by", "from")


def in_place(tokens: Tokens, before: int) -> bool:
    """`in his pocket`: a pocket that is a place, not a look."""
    at = before
    while at >= 0 and tokens.tags[at] == lx.DETERMINER:
        at -= 1
    return at >= 0 and tokens.words[at] in WEAR_IN


def body_phrase(tokens: Tokens, first: int, at: int, head: lx.Head) -> bool:
    """A word of the body counts only with an adjective of looks, before it or after a verb of being."""
    words, tags = tokens.words, tokens.tags
    limb = head.concept == "other" and head.canonical != "build" or head.canonical == "head"
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
    return not limb and words[at] not in SIDES and not words[at].endswith("ed")


def run_meets_head(tokens: Tokens, at: int) -> bool:
    """Whether the modifiers from `at` belong to a noun of their own: `on his feet are black sports shoes`."""
    while at < len(tokens) and tokens.tags[at] in (lx.MODIFIER, lx.UNKNOWN):
        at += 1
    return at < len(tokens) and tokens.tags[at] == lx.HEAD
