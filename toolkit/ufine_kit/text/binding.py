"""Binding: joins the phrases of a text into items, gives each what the words around its phrase say, and merges mentions."""

from __future__ import annotations

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.following import after_phrase, subjects_pronouns
from ufine_kit.text.items import Item, add_values, as_hair, imply, read_chunk
from ufine_kit.text.mentions import absorb, gather, linked_by, shares_modifier
from ufine_kit.text.negation import polarity
from ufine_kit.text.sides import sides
from ufine_kit.text.tokens import Tokens


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
        imply(new)
        as_hair(new)
        if index and shares_modifier(tokens, found[index - 1], found[index]) and new.kind == "item":
            for value in read[index - 1][0].values.get("colour", ()):
                new.allow("colour", value)
    items, mentions = gather(tokens, found, read, lexicon)
    subjects_pronouns(tokens, found, inside, mentions, lexicon)
    implied_items(tokens, inside, items, lexicon)
    elliptical(tokens, inside, items, lexicon)
    sides(tokens, found, mentions, inside, items)
    return items


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
        item = Item(
            head.canonical, head.kind, head.concept, tokens.starts[at], tokens.ends[at], True, name.startswith("-")
        )
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
        told = any(
            item.head == "clothes" and colours[:1] == sorted(item.values.get("colour", ())) for item in items[-40:]
        )
        if colours and not told and not named_after and not (at and inside[at - 1] >= 0 and word == "in"):
            item = Item("clothes", "generic", "upper", tokens.starts[then], tokens.ends[then], True)
            item.say("colour", colours[0])
            for other in items:
                if other.concept in ("upper", "lower", "skirt", "dress", "shoes") and "colour" not in other.values:
                    other.allow("colour", colours[0])
            items.append(item)
