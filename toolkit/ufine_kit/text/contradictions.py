"""Contradictions between descriptions of one crop or one person, told from two writers' names for one look."""

from __future__ import annotations

from dataclasses import dataclass

from ufine_kit.text import lexicon as lx
from ufine_kit.text.attributes import Reading
from ufine_kit.text.items import Item
from ufine_kit.text.pairing import align
from ufine_kit.text.wordsets import pair_sets

# Basic colours that light and distance make one for two honest writers.
NEAR = pair_sets("near")["colours"]
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
    stable: bool


def conflicts(a: Reading, b: Reading, lexicon: lx.Lexicon) -> list[Conflict]:
    """Disagreements that two honest writers of one crop do not have; `stable` ones hold for all crops of the person."""
    found: list[Conflict] = []
    if len(a.person.gender) == 1 and len(b.person.gender) == 1 and a.person.gender != b.person.gender:
        found.append(Conflict("gender", "".join(a.person.gender), "".join(b.person.gender), None, None, True))
    first, second = ([item for item in reading.items if item.kind == "item"] for reading in (a, b))
    for x, y in align(first, second, lexicon):
        spans = ((x.start, x.end), (y.start, y.end))
        if x.absent != y.absent:
            found.append(Conflict(x.head, word(x.absent), word(y.absent), *spans, False))
            continue
        if not far(x, y, lexicon) and not opposite_sides(x, y):
            continue
        single = x.concept in PARTS and present(first, x.concept) == 1 and present(second, y.concept) == 1
        if not single and not (x.head == y.head and only(a, x) and only(b, y)):
            continue
        if far(x, y, lexicon):
            found.append(
                Conflict(
                    x.head,
                    ", ".join(sorted(x.values["colour"])),
                    ", ".join(sorted(y.values["colour"])),
                    *spans,
                    x.concept in STABLE,
                )
            )
        if opposite_sides(x, y):
            found.append(
                Conflict(f"{x.head} side", "".join(x.values["side"]), "".join(y.values["side"]), *spans, False)
            )
    return found


def opposite_sides(x: Item, y: Item) -> bool:
    """One text says left only, the other right only."""
    return (
        {"left", "right"} == x.values.get("side", set()) | y.values.get("side", set())
        and x.values.get("side") != y.values.get("side")
        and (len(x.values.get("side", ())) == len(y.values.get("side", ())) == 1)
    )


def present(items: list[Item], concept: str) -> int:
    """Items of a concept that are there."""
    return sum(item.concept == concept and not item.absent for item in items)


def word(absent: bool) -> str:
    """Polarity in a word."""
    return "absent" if absent else "present"


def only(reading: Reading, item: Item) -> bool:
    """Whether no other item of the text has the same head noun."""
    return sum(other.head == item.head for other in reading.items) == 1


def far(x: Item, y: Item, lexicon: lx.Lexicon) -> bool:
    """Whether no colour of one item may be a colour of the other, allowing for light and for `dark`."""
    first, second = (
        {base for value in item.values.get("colour", ()) for base in lexicon.colours.get(value, {value})}
        for item in (x, y)
    )
    if not first or not second or "multicolour" in first | second:
        return False
    soft = {
        base for item in (x, y) for value in item.soft.get("colour", ()) for base in lexicon.colours.get(value, {value})
    }
    if soft & (first | second):
        return False
    if x.head == "hair" and first | second <= {"black", "brown"}:
        return False
    if "dark" in x.values.get("shade", set()) | y.values.get("shade", set()) and first & DARK and second & DARK:
        return False
    return not any(v == w or frozenset((v, w)) in NEAR for v in first for w in second)
