"""Contradictions between descriptions of one crop or one person, told from two writers' names for one look."""

from __future__ import annotations

from dataclasses import dataclass

from ufine_kit.text import lexicon as lx
from ufine_kit.text.attributes import Reading
from ufine_kit.text.differences import align
from ufine_kit.text.items import Item

# Basic colours that light and distance make one for two honest writers.
NEAR = frozenset(
    frozenset(pair.split(":"))
    for pair in (
        "black:grey white:grey white:beige brown:beige red:orange red:pink pink:purple blue:purple blue:grey orange:yellow orange:brown yellow:beige"
    ).split()
)
PARTS = frozenset(("hair", "hat", "upper", "lower", "skirt", "dress", "shoes", "bag"))
STABLE = frozenset(("hair", "upper", "lower", "skirt", "dress"))
DARK = frozenset(("black", "blue", "grey", "brown", "purple", "green", "red"))


@dataclass(frozen=True)
class Conflict:
    """What two texts disagree on: slot, the words of each, spans in each (None for the person as a whole)."""

    slot: str
    was: str
    now: str
    span_a: tuple[int, int] | None
    span_b: tuple[int, int] | None


def conflicts(a: Reading, b: Reading, same_crop: bool, lexicon: lx.Lexicon) -> list[Conflict]:
    """Disagreements that two honest writers do not have; what may change between crops is asked within one crop only."""
    found: list[Conflict] = []
    if len(a.person.gender) == 1 and len(b.person.gender) == 1 and a.person.gender != b.person.gender:
        found.append(Conflict("gender", *a.person.gender, *b.person.gender, None, None))
    alone = [{part: [x for x in reading.items if x.concept == part and x.kind == "item" and not x.absent] for part in PARTS} for reading in (a, b)]
    for x, y in align([i for i in a.items if i.kind == "item"], [i for i in b.items if i.kind == "item"], lexicon):
        spans = ((x.start, x.end), (y.start, y.end))
        if x.absent != y.absent:
            if same_crop:
                found.append(Conflict(x.head, word(x.absent), word(y.absent), *spans))
            continue
        if not same_crop and x.concept not in STABLE:
            continue
        single = x.concept in PARTS and len(alone[0].get(x.concept, ())) == 1 and len(alone[1].get(y.concept, ())) == 1
        if not single and not (x.head == y.head and only(a, x) and only(b, y)):
            continue
        if far(x, y, lexicon):
            found.append(Conflict(x.head, ", ".join(sorted(x.values["colour"])), ", ".join(sorted(y.values["colour"])), *spans))
        if same_crop and (x.values.get("side"), y.values.get("side")) in (({"left"}, {"right"}), ({"right"}, {"left"})):
            found.append(Conflict(f"{x.head} side", *x.values["side"], *y.values["side"], *spans))
    return found


def word(absent: bool) -> str:
    """Polarity in a word."""
    return "absent" if absent else "present"


def only(reading: Reading, item: Item) -> bool:
    """Whether no other item of the text has the same head noun."""
    return sum(other.head == item.head for other in reading.items) == 1


def far(x: Item, y: Item, lexicon: lx.Lexicon) -> bool:
    """Whether no colour of one item may be a colour of the other, allowing for light and for `dark`."""
    first, second = (
        {base for value in item.values.get("colour", ()) for base in lexicon.colours.get(value, {value})} for item in (x, y)
    )
    if not first or not second or "multicolour" in first | second:
        return False
    soft = {base for item in (x, y) for value in item.soft.get("colour", ()) for base in lexicon.colours.get(value, {value})}
    if soft & (first | second):
        return False
    if x.head == "hair" and first | second <= {"black", "brown"}:
        return False
    if "dark" in x.values.get("shade", set()) | y.values.get("shade", set()) and first & DARK and second & DARK:
        return False
    return not any(v == w or frozenset((v, w)) in NEAR for v in first for w in second)
