"""Mentions: which phrases speak of one item, and which item a detail (soles, sleeves, stripes, a logo) belongs to."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.items import DEFINITE, HOST_DETAILS, PATTERN_OF, Item, same_thing
from ufine_kit.text.tokens import Tokens


def gather(
    tokens: Tokens, found: list[Chunk], read: list[tuple[Item, list[Item]]], lexicon: lx.Lexicon
) -> tuple[list[Item], list[Item]]:
    """Items with mentions merged, and for each chunk the item it speaks of; details find their hosts here."""
    items: list[Item] = []
    mentions: list[Item] = []
    waiting: list[Item] = []
    for index, (new, hyphened) in enumerate(read):
        stuff = material_of(tokens, found, index, lexicon)
        if stuff and index:
            read[index - 1][0].say("material", stuff)
            mentions.append(mentions[-1])
            continue
        if (
            index
            and mentions[-1].kind != "detail"
            and is_named(tokens, found, index)
            and lx.known(lexicon, mentions[-1].head, new.head)
        ):
            rename(mentions[-1], new)
            mentions.append(mentions[-1])
            continue
        if new.kind == "detail":
            if (
                index + 1 < len(read)
                and linked_by(tokens, found, index + 1, "of", "on")
                and read[index + 1][0].kind == "item"
            ):
                waiting.append(new)
                mentions.append(new)
                continue
            new.host = host_of(tokens, found, mentions, index, lexicon)
        mention = merge(tokens, items, new, found[index], lexicon)
        if new.head == "print" and new.host is not None:
            new.host.allow("pattern", "printed")
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


def is_named(tokens: Tokens, found: list[Chunk], index: int) -> bool:
    """`her shoes are white flats`: two phrases with a verb of being and at most an article between them."""
    gap = range(found[index - 1].head + 1, found[index].first)
    return (
        0 < len(gap) <= 4
        and tokens.tags[gap[0]] == lx.COPULA
        and all(tokens.tags[i] == lx.DETERMINER or tokens.words[i] == "of" for i in gap[1:])
    )


def rename(old: Item, new: Item) -> None:
    """The second phrase says what the first one is."""
    old.head, old.named, old.kind, old.plural = new.head, new.named, new.kind, new.plural
    absorb(old, new)


def material_of(tokens: Tokens, found: list[Chunk], index: int, lexicon: lx.Lexicon) -> str:
    """`a cup made of paper`, `a collar of fur`: a noun that names what the item before it is made of."""
    first, head = found[index].first, found[index].head
    if not index or first != head or tokens.words[first - 1] != "of" or first - found[index - 1].head > 3:
        return ""
    if tokens.words[head] == "fur":
        return "fur"
    return next((value for slot, value in lexicon.entries[tokens.words[head]].values if slot == "material"), "")


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
        if same_thing(old, new, before in DEFINITE or (before in ("a", "an") and not new.values), lexicon.colours):
            absorb(old, new)
            return old
        if again_by_kind(old, new, before, lexicon):
            return old
    items.append(new)
    return new


def again_by_kind(old: Item, new: Item, before: str, lexicon: lx.Lexicon) -> bool:
    """`the shirt` after a T-shirt: a definite mention without values of its own speaks of the like item named before."""
    said = any(new.values.get(slot) for slot in ("colour", "pattern", "material"))
    return (
        before in ("the", "this", "that", "these")
        and not said
        and not old.absent
        and new.kind == "item"
        and lx.known(lexicon, old.head, new.head)
    )


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
    if host is not None and detail.head == "print":
        host.allow("pattern", "printed")
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
    wanted = (
        HOSTS["sleeve"] if detail.canonical in ("sleeve", "hood", "collar", "neckline") else HOSTS.get(detail.concept)
    )
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
