"""Binding: joins the phrases of a text into items, gives each what the words around its phrase say, and merges mentions."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.items import (
    DEFINITE,
    DETAIL_ENDINGS,
    HOST_DETAILS,
    PATTERN_OF,
    Item,
    add_values,
    as_hair,
    read_chunk,
    same_thing,
)
from ufine_kit.text.negation import polarity
from ufine_kit.text.tokens import Tokens

LINKS = frozenset("that which is are was were be being both all a an also in of colored coloured dyed cut styled looks look appears "
    "appear seems seem worn kept left , color colour shade tone the mostly and with-in quite very rather made crafted material entirely whose".split())  # fmt: skip
SUBJECTS = frozenset("it they which that these those this color colour both one".split())
REACHING = frozenset("reach reaches reaching reached fall falls falling fell extend extends extending ends end ending stop stops hit "
    "hits hitting come comes coming hang hangs hanging down below above past to cascade cascades cascading covers covering touches "
    "touching brushes flows flowing drops long length".split())  # fmt: skip
NOT_REACHING = frozenset("over around across on in under behind from slung draped carried worn".split())
REACH_OF = {
    "knee": "knee", "knees": "knee", "ankle": "ankle", "ankles": "ankle", "floor": "ankle", "ground": "ankle", "heel": "ankle",
    "heels": "ankle", "feet": "ankle", "foot": "ankle", "calf": "calf", "calves": "calf", "shin": "calf", "shins": "calf", "thigh": "thigh",
    "thighs": "thigh", "mid-thigh": "thigh", "mid-calf": "calf", "hip": "hip", "hips": "hip", "waist": "hip", "butt": "hip",
    "buttocks": "hip", "navel": "hip", "bellybutton": "hip", "belly-button": "hip", "crotch": "hip", "shoulder": "shoulder",
    "shoulders": "shoulder", "chest": "shoulder", "collarbone": "shoulder", "neck": "shoulder", "chin": "shoulder", "ears": "ear",
    "ear": "ear", "elbow": "elbow", "elbows": "elbow", "back": "back",
}  # fmt: skip
REACHERS = frozenset("hair upper lower skirt dress".split())


def read_items(tokens: Tokens, found: list[Chunk], lexicon: lx.Lexicon) -> list[Item]:
    """All items of a text in order of first mention, mentions merged, details bound to their hosts."""
    negated = polarity(tokens, found)
    inside = [-1] * (len(tokens) + 1)
    for index, chunk in enumerate(found):
        inside[chunk.first : chunk.head + 1] = [index] * (chunk.head + 1 - chunk.first)
    read = [read_chunk(tokens, chunk, negated[index], lexicon) for index, chunk in enumerate(found)]
    for index, (new, _) in enumerate(read):
        told = read[index - 1][0] if index and linked_by(tokens, found, index, "of") else new
        read[index][1].extend(after_phrase(tokens, found, inside, index, told, lexicon))
        as_hair(new)
        if index and shares_modifier(tokens, found[index - 1], found[index]) and new.kind == "item":
            for value in read[index - 1][0].values.get("colour", ()):
                new.allow("colour", value)
    items, mentions = gather(tokens, found, read, lexicon)
    subjects_pronouns(tokens, found, inside, mentions, lexicon)
    implied_items(tokens, inside, items, lexicon)
    elliptical(tokens, inside, items, lexicon)
    sides(tokens, found, mentions, inside)
    return items


def gather(
    tokens: Tokens, found: list[Chunk], read: list[tuple[Item, list[Item]]], lexicon: lx.Lexicon
) -> tuple[list[Item], list[Item]]:
    """Items with mentions merged, and for each chunk the item it speaks of; details find their hosts here."""
    items: list[Item] = []
    mentions: list[Item] = []
    waiting: list[Item] = []
    for index, (new, hyphened) in enumerate(read):
        if new.head == "fur_trim" and not new.values and index and linked_by(tokens, found, index, "of"):
            read[index - 1][0].say("material", "fur")
            mentions.append(mentions[-1])
            continue
        if new.kind == "detail":
            if index + 1 < len(read) and linked_by(tokens, found, index + 1, "of", "on") and read[index + 1][0].kind == "item":
                waiting.append(new)
                mentions.append(new)
                continue
            new.host = host_of(tokens, found, mentions, index, lexicon)
        mention = merge(tokens, items, new, found[index], lexicon)
        mentions.append(mention)
        if new.kind == "item" and waiting:
            for detail in waiting:
                detail.host = mention
                fold_detail(detail, items)
            waiting = []
        for detail in hyphened:
            detail.host = mention
            fold_detail(detail, items)
    items += waiting
    return items, mentions


def linked_by(tokens: Tokens, found: list[Chunk], index: int, *links: str) -> bool:
    """`soles of his shoes`: whether a phrase hangs on the one before by one of the links and at most two articles."""
    gap = range(found[index - 1].head + 1, found[index].first)
    return 0 < len(gap) <= 3 and tokens.words[gap[0]] in links and all(tokens.tags[i] == lx.DETERMINER for i in gap[1:])


def merge(tokens: Tokens, items: list[Item], new: Item, chunk: Chunk, lexicon: lx.Lexicon) -> Item:
    """Add a mention to the item it speaks of again, or as a new item; the item that holds it."""
    if new.kind == "detail" and new.head in HOST_DETAILS and new.host is not None and "side" not in new.values:
        fold_detail(new, items)
        return new.host
    before = tokens.words[chunk.first - 1] if chunk.first else ""
    for old in reversed(items):
        if same_thing(old, new, before in DEFINITE or before in ("a", "an") and not new.values, lexicon.colours):
            absorb(old, new)
            return old
    items.append(new)
    return new


def absorb(old: Item, new: Item) -> None:
    """Take over what a later mention adds."""
    for slot, values in new.values.items():
        old.values.setdefault(slot, set()).update(values)
    for slot, values in new.soft.items():
        old.soft.setdefault(slot, set()).update(values)
    if new.count is not None and (old.count is None or old.count < new.count):
        old.count = new.count


def fold_detail(detail: Item, items: list[Item]) -> None:
    """Sleeves, stripes, frames and hoods become values of their host; other details stay items bound to it."""
    host = detail.host
    if host is None or detail.head not in HOST_DETAILS or "side" in detail.values:
        items.append(detail)
        return
    colours = detail.values.get("colour", set())
    if detail.head == "sleeve":
        for value in detail.values.get("length", set()) | detail.values.get("sleeve", set()):
            if value in ("short", "long", "medium", "half", "none") and not detail.absent:
                host.say("sleeve", "half" if value == "medium" else value)
        if detail.absent:
            host.say("sleeve", "none")
        for value in colours:
            host.allow("colour", value)
        return
    if detail.head == "hood":
        if not detail.absent:
            host.say("closure", "hooded")
        return
    if detail.head == "neckline":
        for value in detail.values.get("neck", ()):
            host.say("neck", value)
        return
    if detail.head in ("frame", "lens"):
        for value in colours:
            if detail.head == "frame":
                host.say("colour", value)
            else:
                host.allow("colour", value)
        return
    for value in detail.values.get("pattern", set()) or {PATTERN_OF.get(detail.head, "printed")}:
        if not detail.absent:
            host.say("pattern", value)
    for value in colours:
        host.allow("colour", value)
    host.say("markings", "yes")
    for value in colours:
        host.values.setdefault("marking colour", set()).add(value)


def host_of(tokens: Tokens, found: list[Chunk], mentions: list[Item], index: int, lexicon: lx.Lexicon) -> Item | None:
    """The item a detail belongs to: the last item named before it (details of one item follow each other)."""
    detail = lexicon.head(tokens.words[found[index].head])
    wanted = HOSTS["sleeve"] if detail.canonical in ("sleeve", "hood", "collar", "neckline") else HOSTS.get(detail.concept)
    for item in reversed(mentions):
        host = item if item.kind in ("item", "generic") else item.host
        if host is not None and not host.absent and (wanted is None or host.concept in wanted):
            return host
    return None


HOSTS = {
    "sleeve": frozenset(("upper", "dress")),
    "shoes": frozenset(("shoes",)), "upper": frozenset(("upper", "dress", "lower", "skirt", "bag")), "hat": frozenset(("hat",)),
    "bag": frozenset(("bag", "dress", "upper", "shoes", "hat", "glasses", "other")), "glasses": frozenset(("glasses",)),
}  # fmt: skip


def shares_modifier(tokens: Tokens, before: Chunk, chunk: Chunk) -> bool:
    """`black shirt and pants`: the second noun may share the first one's colour."""
    return chunk.first == chunk.head and chunk.first - before.head == 2 and tokens.tags[chunk.first - 1] == lx.AND


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
            detail = Item(DETAIL_ENDINGS[word], "detail", item.concept, tokens.starts[at], tokens.ends[at], True, item.absent, item)
            for value in predicate_values(tokens, inside, at + 2, lexicon):
                add_values(detail, (value,))
            return [detail] if detail.values else []
        if tag == lx.MODIFIER and inside[at] < 0:
            if denied or (not linked and at > found[index].head + 3):
                break
            if word not in ("young", "old", "tall", "thin", "slim") or item.kind == "body":
                add_values(item, lexicon.entries[word].values)
                if item.kind == "body":
                    item.say("looks", word)
                linked = True
        elif tag == lx.NEGATOR:
            denied = True
        elif tag == lx.STOP or not (word in LINKS or tag in (lx.ADVERB, lx.AND, lx.COPULA, lx.UNKNOWN)):
            break
        elif word == "with" or (tag == lx.COMMA and not linked and words[at + 1 : at + 2] not in (["which"], ["that"])):
            break
        at += 1
    if item.concept in REACHERS:
        reach(tokens, found[index].head + 1, end, item)
    return []


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
    for at, word in enumerate(words):
        last = heads.get(at, last)
        if tags[at] != lx.COPULA or last < 0 or at == 0:
            continue
        subject = words[at - 1]
        targets: list[Item] = []
        if subject in SUBJECTS and at - 2 != found[last].head:
            targets = [mentions[last]]
        elif at - 1 == found[last].head and last and shares_predicate(tokens, found, last):
            targets = [mentions[last - 1]]
        elif tags[at - 1] == lx.BODY and place_between(tokens, found[last].head + 1, at):
            targets = [mentions[last]]
        for value in predicate_values(tokens, inside, at + 1, lexicon):
            for item in targets:
                add_values(item, (value,))


def place_between(tokens: Tokens, start: int, end: int) -> bool:
    """`the scarf around the neck is red`: only a place on the body stands between noun and verb."""
    kinds = (lx.PREPOSITION, lx.DETERMINER, lx.BODY)
    return 0 < end - start <= 4 and all(tokens.tags[i] in kinds or tokens.words[i] in ("left", "right") for i in range(start, end))


def shares_predicate(tokens: Tokens, found: list[Chunk], index: int) -> bool:
    """`her shirt and pants are black`: two nouns joined by `and` before one verb."""
    gap = range(found[index - 1].head + 1, found[index].first)
    return 0 < len(gap) <= 2 and tokens.tags[gap[0]] == lx.AND


def predicate_values(
    tokens: Tokens, inside: list[int], at: int, lexicon: lx.Lexicon
) -> list[tuple[str, str]]:
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


def implied_items(tokens: Tokens, inside: list[int], items: list[Item], lexicon: lx.Lexicon) -> None:
    """`bearded`, `barefoot`, `long-haired`, `a blonde woman`, `bald`: items that an adjective of the person says."""
    for at, word in enumerate(tokens.words):
        if inside[at] >= 0:
            continue
        name, values = lexicon.implied.get(word, ""), ()
        if word.endswith("-haired"):
            name, values = "hair", lexicon.entries[word.removesuffix("-haired")].values
        elif word.endswith(("-faced", "-skinned")):
            name = word.rpartition("-")[2].removesuffix("d").removesuffix("ne") if word.endswith("-skinned") else "face"
        elif word in ("blonde", "blond", "brunette", "redhead"):
            name, values = "hair", lexicon.entries[word].values
        elif word in ("bald", "balding"):
            name, values = "hair", (("hairstyle", "shaved"),)
        if not name:
            continue
        head = lexicon.head(name.lstrip("-"))
        item = Item(head.canonical, head.kind, head.concept, tokens.starts[at], tokens.ends[at], True, name.startswith("-"))
        add_values(item, values)
        if head.kind == "body":
            item.say("looks", word.rpartition("-")[0])
        for old in items:
            if old.head == item.head and old.absent == item.absent:
                absorb(old, item)
                break
        else:
            items.append(item)


def elliptical(tokens: Tokens, inside: list[int], items: list[Item], lexicon: lx.Lexicon) -> None:
    """`dressed all in black`, `wearing white`: a colour worn without a noun speaks of the clothes."""
    words = tokens.words
    for at, word in enumerate(words[:-1]):
        if word not in ("in", "wearing", "wears"):
            continue
        then = at + 1
        while then < len(words) and words[then] in ("all", "entirely", "completely", "mostly", "full", "dark", "light"):
            then += 1
        if then >= len(words) or inside[then] >= 0 or tokens.tags[then] != lx.MODIFIER:
            continue
        colours = [value for slot, value in lexicon.entries[words[then]].values if slot == "colour"]
        named_after = words[then + 1 : then + 2] in (["color"], ["colour"])
        if colours and not named_after and not (at and inside[at - 1] >= 0 and word == "in"):
            item = Item("clothes", "generic", "upper", tokens.starts[then], tokens.ends[then], True)
            item.say("colour", colours[0])
            for other in items:
                if other.concept in ("upper", "lower", "skirt", "dress", "shoes") and "colour" not in other.values:
                    other.allow("colour", colours[0])
            items.append(item)


LEFT_AS = frozenset("unzipped unbuttoned untucked exposed loose open undone hanging bare uncovered untied visible unfastened free down out".split())


def sides(tokens: Tokens, found: list[Chunk], mentions: list[Item], inside: list[int]) -> None:
    """Bind `left` and `right` to the item they speak of: the one named before in the clause, else the next one."""
    words, tags = tokens.words, tokens.tags
    for at, word in enumerate(words):
        if word not in ("left", "right") or inside[at] >= 0:
            continue
        after = words[at + 1] if at + 1 < len(words) else ""
        if tags[at + 1 : at + 2] in ([lx.PREPOSITION], [lx.VERB]) or after in LEFT_AS:
            if not (word in ("left", "right") and after in ("of",)):
                continue
        index = side_item(tokens, found, mentions, at)
        if index is not None:
            mentions[index].say("side", word)


LIMBS = frozenset("hand hands arm shoulder wrist forearm elbow finger fingers palm ankle".split())


def side_item(tokens: Tokens, found: list[Chunk], mentions: list[Item], at: int) -> int | None:
    """Which chunk a side belongs to; what hangs on an arm, hand or shoulder is carried, not worn."""
    before = [i for i, chunk in enumerate(found) if chunk.head < at and not breaks(tokens, chunk.head + 1, at)]
    after = [i for i, chunk in enumerate(found) if chunk.first > at and not breaks(tokens, at, chunk.first)]
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
