"""Items: what a description says is worn or carried, each with the values bound to it (colour, pattern, side, count, ...).

Built from phrases (`chunk`), what follows them (`is black`, `with short sleeves`, `in her left hand`) and words that imply an
item (`bearded`, `barefoot`). Comparing two lists of items is `attributes`' work.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ufine_kit.text import lexicon as lx
from ufine_kit.text.chunk import Chunk
from ufine_kit.text.tokens import Tokens
from ufine_kit.text.wordsets import pair_sets, word_map, word_sets

NUMBERS = dict(
    zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], range(1, 11), strict=True)
)
SETS = word_sets("items")
DEFINITE = SETS["definite"]
HOST_DETAILS = {"sleeve", "hood", "frame", "stripe", "dot", "check", "flowers", "pattern", "lens", "line", "neckline"}
PATTERN_OF = {"stripe": "striped", "dot": "dotted", "check": "plaid", "flowers": "floral", "line": "striped"}
DETAIL_ENDINGS = word_map("detail_endings")
REACHES = {
    "knee": "knee",
    "ankle": "ankle",
    "calf_length": "calf",
    "thigh": "thigh",
    "waist_length": "hip",
    "shoulder_length": "shoulder",
}


@dataclass
class Item:
    """One thing a text speaks of: `values` by slot are said of it, `soft` ones may hold; `host` is what a detail is part of."""

    head: str
    kind: str
    concept: str
    start: int
    end: int
    plural: bool = False
    absent: bool = False
    host: Item | None = None
    count: int | None = None
    values: dict[str, set[str]] = field(default_factory=dict)
    soft: dict[str, set[str]] = field(default_factory=dict)
    named: str = ""

    def say(self, slot: str, value: str) -> None:
        """Add a value to a slot."""
        self.values.setdefault(slot, set()).add(value)

    def allow(self, slot: str, value: str) -> None:
        """Add a value that may hold, without being said outright."""
        self.soft.setdefault(slot, set()).add(value)


def read_chunk(tokens: Tokens, chunk: Chunk, absent: bool, lexicon: lx.Lexicon) -> tuple[Item, list[Item]]:
    """The item of one phrase with its attributive values, and the details that hyphenated words name (`white-soled`)."""
    words = tokens.words
    head = lexicon.head(words[chunk.head])
    item = Item(
        head.canonical,
        head.kind,
        head.concept,
        tokens.starts[chunk.first],
        tokens.ends[chunk.head],
        head.plural,
        absent,
    )
    item.named = words[chunk.head]
    details: list[Item] = []
    for slot, value in lexicon.entries[item.named].values:  # a fleece is of fleece, a turtleneck has a high neck
        item.allow(slot, value)
    for at in range(chunk.first, chunk.head):
        word = words[at]
        if word in ("left", "right"):
            item.say("side", word)
            continue
        if word == "down":
            item.say("material", "down")
            continue
        detail = DETAIL_ENDINGS.get(word.rpartition("-")[2]) if "-" in word else None
        if detail is not None:
            details.append(hyphen_detail(word, detail, item, lexicon))
            continue
        if word in ("sleeve", "sleeved", "sleeves") and at > chunk.first:
            move_sleeve(item, words[at - 1], lexicon)
            continue
        add_values(item, lexicon.entries[word].values)
        if item.kind == "body":
            item.say("looks", word)
    item.count = counted(tokens, chunk, head)
    return item, [detail for detail in details if detail.values]


def hyphen_detail(word: str, canonical: str, host: Item, lexicon: lx.Lexicon) -> Item:
    """`white-soled` says: soles, white."""
    detail = Item(canonical, "detail", host.concept, host.start, host.end, True, host.absent, host)
    add_values(detail, lexicon.entries[word.rpartition("-")[0]].values)
    return detail


def add_values(item: Item, values: tuple[tuple[str, str], ...]) -> None:
    """Put lexicon values into their slots; lengths that name a place on the body go to `reach`."""
    for slot, value in values:
        if slot == "length" and value in REACHES:
            item.say("reach", REACHES[value])
        elif item.concept == "hair":
            if slot in HAIR_SLOTS:
                item.say(slot, value)
            elif value == "loose":
                item.say("hairstyle", "loose_hair")
        elif (
            (slot == "fit" and item.concept not in FITTING)
            or (slot == "hairstyle" and item.head != "head")
            or item.head == "build"
        ):
            continue
        else:
            item.say(slot, value)


FITTING = frozenset(("upper", "lower", "skirt", "dress"))
HAIR_SLOTS = frozenset(("colour", "shade", "length", "reach", "hairstyle"))
ARRANGED = frozenset(("ponytail", "bun", "braid", "bob", "locks"))


def as_hair(item: Item) -> None:
    """A ponytail, braids, a bob or a bald head speak of the hair."""
    if item.head in ARRANGED:
        item.say("arrangement", item.head)
        item.head, item.kind = "hair", "item"
    elif item.head == "head" and "shaved" in item.values.get("hairstyle", ()):
        item.head, item.kind, item.concept = "hair", "item", "hair"
        item.values = {"hairstyle": {"shaved"}}


def move_sleeve(item: Item, word: str, lexicon: lx.Lexicon) -> None:
    """`short sleeve shirt`: the length is the sleeves', not the shirt's."""
    for slot, value in lexicon.entries[word].values:
        if slot == "length":
            item.values.get("length", set()).discard(value)
            item.say("sleeve", value)
    if word in ("half", "three-quarter", "quarter", "medium"):
        item.say("sleeve", "half")


def imply(item: Item) -> None:
    """What a noun itself says: jeans are denim, a hoodie has a hood."""
    if "colour" not in item.values:
        for colour in {"dark": ("black", "brown", "navy", "charcoal"), "light": ("white", "beige", "silver")}.get(
            next(iter(sorted(item.values.get("shade", ())))) if item.values.get("shade") else "", ()
        ):
            item.allow("colour", colour)
    if item.head == "jeans":
        item.allow("material", "denim")
    if item.head == "hoodie":
        item.allow("closure", "hooded")
    if item.head in ("tshirt", "polo"):
        item.allow("sleeve", "short")
    if item.named.startswith(("turtle", "polo-n", "polon", "roll")):
        item.say("neck", "high")
    if item.head == "tank":
        item.allow("sleeve", "none")
    if item.head == "locks":
        item.allow("hairstyle", "curly")
    if item.named.startswith("high-heel"):
        item.allow("closure", "heeled")
    if item.head == "heels":
        item.allow("closure", "heeled")


def counted(tokens: Tokens, chunk: Chunk, head: lx.Head) -> int | None:
    """How many: a number word or digit before the phrase, 1 for a singular with an article, None where nothing says."""
    at = chunk.first - 1
    if at >= 0 and tokens.words[at] in NUMBERS:
        return NUMBERS[tokens.words[at]]
    if at >= 0 and tokens.words[at].isdigit() and len(tokens.words[at]) < 3:
        return int(tokens.words[at])
    if at >= 0 and tokens.words[at] in ("couple", "of") and tokens.words[max(0, at - 1)] == "couple":
        return 2
    if not head.plural and at >= 0 and tokens.words[at] in ("a", "an", "the", "his", "her", "single"):
        return 1
    return None


def same_thing(old: Item, new: Item, definite: bool, colours: dict[str, frozenset[str]]) -> bool:
    """Whether a later mention is the earlier item again."""
    if (
        old.head != new.head
        or old.absent != new.absent
        or (old.host is not None and new.host is not None and old.host is not new.host)
    ):
        return False
    if old.head == "hair":
        return True
    if (old.count or 1) != (new.count or 1) and not definite:
        return False
    for slot in ("colour", "side"):
        a, b = old.values.get(slot), new.values.get(slot)
        if a and b and not any(agree(slot, x, y, colours) for x in a for y in b):
            return False
    return definite or not (new.values and old.values) or old.values.get("colour") == new.values.get("colour")


def agree(slot: str, a: str, b: str, colours: dict[str, frozenset[str]]) -> bool:
    """Whether two values of a slot may be two writers' names for one look."""
    if a == b:
        return True
    if slot == "colour":
        if a == "multicolour" or b == "multicolour":
            return True
        return bool(colours.get(a, frozenset([a])) & colours.get(b, frozenset([b])))
    return frozenset((a, b)) in ALIKE.get(slot, ())


ALIKE = pair_sets("alike")
