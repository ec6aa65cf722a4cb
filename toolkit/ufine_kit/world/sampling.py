"""Sampling of people: every identity from its own seed, some of them made nearly alike to their neighbour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ufine_kit.world import palette
from ufine_kit.world.people import Bag, Carried, Hair, Headwear, Lower, Outer, Person, Shoes, Upper

Table = tuple[tuple[str, float], ...]

GARMENT: Table = tuple(
    (name, 2.0 if name in ("black", "white", "grey", "navy", "blue") else 1.0) for name in palette.COLOURS
)
DENIM: Table = (("blue", 3), ("navy", 3), ("light blue", 2), ("black", 2), ("grey", 1), ("white", 0.5))
SOLES: Table = (("white", 4), ("black", 2), ("brown", 1.5), ("grey", 1.5), ("red", 0.5))
THINGS: Table = (
    ("phone", 3),
    ("paper cup", 2),
    ("shopping bag", 3),
    ("umbrella", 2),
    ("book", 2),
    ("bottle", 2),
    ("suitcase", 1.5),
)
PATTERNS: Table = (
    ("plain", 9),
    ("horizontal stripes", 3),
    ("vertical stripes", 2),
    ("checks", 2.5),
    ("dots", 1.5),
    ("print", 3),
    ("colour block", 2),
)
UPPERS: dict[str, Table] = {
    "man": (("t-shirt", 5), ("shirt", 4), ("polo shirt", 2), ("sweater", 3), ("hoodie", 3), ("vest top", 0.7)),
    "woman": (("t-shirt", 5), ("shirt", 2.5), ("blouse", 3), ("sweater", 3), ("hoodie", 2), ("vest top", 1.5)),
}
LOWERS: dict[str, Table] = {
    "man": (("trousers", 5), ("jeans", 4), ("sweatpants", 2), ("shorts", 3)),
    "woman": (("trousers", 3.5), ("jeans", 3.5), ("leggings", 2), ("sweatpants", 1), ("shorts", 1.5), ("skirt", 3.5)),
}
SLEEVES: dict[str, Table] = {
    "t-shirt": (("short", 9), ("long", 1)),
    "polo shirt": (("short", 9), ("long", 1)),
    "shirt": (("long", 3), ("short", 2)),
    "blouse": (("long", 3), ("short", 2), ("sleeveless", 1)),
    "sweater": (("long", 1),),
    "hoodie": (("long", 1),),
    "vest top": (("sleeveless", 1),),
}
LENGTHS: dict[str, Table] = {
    "shorts": (("short", 1), ("knee-length", 2)),
    "skirt": (("short", 1.5), ("knee-length", 2), ("full", 1.5)),
    "leggings": (("full", 3), ("cropped", 1)),
    "trousers": (("full", 4), ("cropped", 1)),
    "jeans": (("full", 5), ("cropped", 1)),
    "sweatpants": (("full", 1),),
}


def pick(rng: np.random.Generator, table: Table) -> str:
    """One value of a weighted table (far faster than `Generator.choice` on so few values)."""
    left = rng.random() * sum(weight for _, weight in table)
    for value, weight in table:
        left -= weight
        if left < 0:
            return value
    return table[-1][0]


def _second(rng: np.random.Generator, colour: str) -> str:
    choices = palette.contrasting(colour)
    return choices[int(rng.integers(len(choices)))]


def _hair(rng: np.random.Generator, gender: str, age: str) -> Hair:
    lengths: Table = (("bald", 0.7), ("short", 9), ("shoulder-length", 0.5), ("long", 0.3))
    if gender == "woman":
        lengths = (("short", 2), ("shoulder-length", 3), ("long", 4))
    length = pick(rng, lengths)
    styles: Table = (("straight", 5), ("curly", 2))
    if length in ("long", "shoulder-length"):
        styles = (("straight", 4), ("curly", 2), ("ponytail", 3), ("bun", 1.5))
    colours: Table = (("black", 5), ("brown", 4), ("blond", 2.5), ("auburn", 1.5), ("grey", 0.5))
    if age == "elderly":
        colours = (("grey", 4), ("white", 4))
    return Hair(length, pick(rng, colours), pick(rng, styles))


def _upper(rng: np.random.Generator, gender: str) -> Upper:
    kind, colour, pattern = pick(rng, UPPERS[gender]), pick(rng, GARMENT), pick(rng, PATTERNS)
    second = _second(rng, colour) if pattern != "plain" else None
    return Upper(kind, colour, pattern, second, pick(rng, SLEEVES[kind]))


def _outer(rng: np.random.Generator, under: Upper) -> Outer | None:
    if rng.random() > 0.3:
        return None
    kinds: Table = (("jacket", 4), ("coat", 3), ("blazer", 2), ("cardigan", 2), ("padded vest", 1.5))
    kind = pick(rng, kinds)
    colours = tuple(row for row in GARMENT if row[0] in palette.contrasting(under.colour, 200.0))
    return Outer(kind, pick(rng, colours), kind != "padded vest" and rng.random() < 0.25)


def _lower(rng: np.random.Generator, gender: str) -> Lower:
    kind = pick(rng, LOWERS[gender])
    colour = pick(rng, DENIM if kind == "jeans" else GARMENT)
    patterns: dict[str, Table] = {
        "sweatpants": (("plain", 2), ("side stripes", 2)),
        "leggings": (("plain", 3), ("side stripes", 1)),
        "skirt": (("plain", 3), ("checks", 1), ("dots", 1)),
        "shorts": (("plain", 3), ("side stripes", 1), ("checks", 1)),
        "trousers": (("plain", 5), ("checks", 1)),
    }
    pattern = pick(rng, patterns.get(kind, (("plain", 1.0),)))
    second = _second(rng, colour) if pattern != "plain" else None
    return Lower(kind, colour, pattern, second, pick(rng, LENGTHS[kind]))


def _shoes(rng: np.random.Generator) -> Shoes:
    kinds: Table = (("sneakers", 6), ("leather shoes", 3), ("boots", 2), ("sandals", 1.5), ("canvas shoes", 2))
    kind, colour = pick(rng, kinds), pick(rng, GARMENT)
    if kind == "sandals":
        return Shoes(kind, colour, None)
    soles = (
        tuple(row for row in SOLES if row[0] != colour) if kind != "leather shoes" else (("black", 1.0), ("brown", 1.0))
    )
    return Shoes(kind, colour, pick(rng, soles))


def _bag(rng: np.random.Generator, gender: str) -> Bag | None:
    kinds: Table = (("none", 5), ("backpack", 4), ("shoulder bag", 2), ("crossbody bag", 2.5), ("tote bag", 1.5))
    if gender == "woman":
        kinds = (*kinds, ("handbag", 3))
    kind, colour, side = pick(rng, kinds), pick(rng, GARMENT), ("left", "right")[int(rng.integers(2))]
    return None if kind == "none" else Bag(kind, colour, "back" if kind == "backpack" else side)


def _carried(rng: np.random.Generator, bag: Bag | None) -> Carried | None:
    if rng.random() > 0.38:
        return None
    kind, colour, hand = pick(rng, THINGS), pick(rng, GARMENT), ("left", "right")[int(rng.integers(2))]
    if bag is not None and bag.side in ("left", "right"):  # the hand beside a bag stays free
        hand = "right" if bag.side == "left" else "left"
    return Carried(kind, "white" if kind == "paper cup" else colour, hand)


def _fresh(identity: int, rng: np.random.Generator) -> Person:
    gender = ("man", "woman")[int(rng.integers(2))]
    age = pick(rng, (("young", 5), ("middle-aged", 3), ("elderly", 1.5)))
    build = pick(rng, (("slim", 3), ("medium", 4), ("sturdy", 2.5)))
    hair, upper, bag = _hair(rng, gender, age), _upper(rng, gender), _bag(rng, gender)
    kind = pick(rng, (("none", 7), ("cap", 2), ("beanie", 1), ("sun hat", 0.8)))
    if hair.style == "bun" and kind != "none":
        kind = "none"
    return Person(
        identity=identity,
        gender=gender,
        age=age,
        build=build,
        skin=int(rng.integers(len(palette.SKINS))),
        hair=hair,
        headwear=None if kind == "none" else Headwear(kind, pick(rng, GARMENT)),
        glasses={"none": None}.get(worn := pick(rng, (("none", 7), ("glasses", 2), ("sunglasses", 1))), worn),
        upper=upper,
        outer=_outer(rng, upper),
        lower=_lower(rng, gender),
        shoes=_shoes(rng),
        bag=bag,
        carried=_carried(rng, bag),
    )


def _recoloured(name: str) -> Callable[[Person, np.random.Generator], Person]:
    """A change of one item's colour to one that contrasts with the old, and with the sole where there is one."""

    def change(person: Person, rng: np.random.Generator) -> Person:
        old = getattr(person, name)
        choices = [colour for colour in palette.contrasting(old.colour, 220.0) if colour != getattr(old, "sole", None)]
        colour = choices[int(rng.integers(len(choices)))]
        swap: dict[str, Any] = {"colour": colour}
        if getattr(old, "second", None) is not None:
            swap["second"] = _second(rng, colour)
        return replace(person, **{name: replace(old, **swap)})

    return change


def twin(person: Person, identity: int, rng: np.random.Generator) -> Person:
    """A hard negative: the same person but for the colour of one or two garments or of the bag, which most views show."""
    names = ["upper" if person.outer is None else "outer", "lower", "shoes", *(["bag"] if person.bag else [])]
    changes = [_recoloured(name) for name in names]
    alike = replace(person, identity=identity, twin_of=person.identity)
    for place in rng.permutation(len(changes))[: 1 + int(rng.integers(2))]:
        alike = changes[int(place)](alike, rng)
    return alike


def sample_person(identity: int, seed: int = 0, near_alike: float = 0.1) -> Person:
    """Person number `identity` of the world `seed`, the same however many others there are.

    `near_alike` is the share of all identities (0 to 0.5) made nearly alike to the one before: only odd numbers are, each to
    its even neighbour, so no two twins have the same model and none can fall together with another.
    """
    rng = np.random.default_rng([seed, identity])
    drawn = rng.random()
    if identity % 2 == 1 and drawn < 2 * near_alike:
        model = sample_person(identity - 1, seed, near_alike)
        return twin(model, identity, rng)
    return _fresh(identity, rng)


def sample_people(n: int, seed: int = 0, near_alike: float = 0.1, start: int = 0) -> list[Person]:
    """`n` people numbered from `start`; see `sample_person`."""
    return [sample_person(identity, seed, near_alike) for identity in range(start, start + n)]
