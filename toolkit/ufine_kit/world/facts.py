"""What is true of one picture of a person, as (item, attribute, value): the ground that every text stands on."""

from __future__ import annotations

from typing import NamedTuple

from ufine_kit.world.people import Person
from ufine_kit.world.view import View

ITEMS = (
    "person",
    "hair",
    "headwear",
    "glasses",
    "upper",
    "outer",
    "lower",
    "shoes",
    "bag",
    "carried",
    "posture",
    "place",
)


class Fact(NamedTuple):
    """One visible attribute. `value` is `none` where an item is visibly absent (attribute `presence`)."""

    item: str
    attribute: str
    value: str


def _who(person: Person, visible: frozenset[str]) -> list[Fact]:
    facts = []
    if visible & {"head", "upper", "outer"}:
        facts.append(Fact("person", "gender", person.gender))
    if "face" in visible or (person.age == "elderly" and "hair" in visible):
        facts.append(Fact("person", "age", person.age))
    if "build" in visible:
        facts.append(Fact("person", "build", person.build))
    return facts


def _hair(person: Person, visible: frozenset[str]) -> list[Fact]:
    if person.hair.length == "bald":
        return [Fact("hair", "length", "bald")] if "head" in visible and person.headwear is None else []
    if "hair" not in visible:
        return []
    facts = [Fact("hair", "colour", person.hair.colour)]
    if "hair length" in visible:
        facts.append(Fact("hair", "length", person.hair.length))
    if "hair style" in visible:
        facts.append(Fact("hair", "style", person.hair.style))
    return facts


def _on_the_head(person: Person, view: View) -> list[Fact]:
    visible, facts = view.visible, []
    if person.headwear is not None and "headwear" in visible:
        facts += [Fact("headwear", "kind", person.headwear.kind), Fact("headwear", "colour", person.headwear.colour)]
    elif person.headwear is None and "head" in visible:
        facts.append(Fact("headwear", "presence", "none"))
    if person.glasses is not None and "glasses" in visible:
        facts.append(Fact("glasses", "kind", person.glasses))
    elif person.glasses is None and "face" in visible:
        facts.append(Fact("glasses", "presence", "none"))
    return facts


def _patterned(item: str, pattern: str, second: str | None) -> list[Fact]:
    facts = [Fact(item, "pattern", pattern)]
    return facts if second is None else [*facts, Fact(item, "second colour", second)]


def _upper(person: Person, visible: frozenset[str]) -> list[Fact]:
    worn, facts = person.upper, []
    if "upper" in visible:
        facts.append(Fact("upper", "colour", worn.colour))
        if "upper kind" in visible:
            facts.append(Fact("upper", "kind", worn.kind))
        if "upper pattern" in visible:
            facts += _patterned("upper", worn.pattern, worn.second)
        if "upper sleeves" in visible:
            facts.append(Fact("upper", "sleeves", worn.sleeves))
    if person.outer is not None and "outer" in visible:
        facts += [Fact("outer", "kind", person.outer.kind), Fact("outer", "colour", person.outer.colour)]
        if "outer closing" in visible:
            facts.append(Fact("outer", "closing", "closed" if person.outer.closed else "open"))
    return facts


def _lower(person: Person, visible: frozenset[str]) -> list[Fact]:
    worn, facts = person.lower, []
    if "lower" in visible:
        facts += [Fact("lower", "kind", worn.kind), Fact("lower", "colour", worn.colour)]
        if "lower pattern" in visible:
            facts += _patterned("lower", worn.pattern, worn.second)
        if "lower length" in visible:
            facts.append(Fact("lower", "length", worn.length))
    if "shoes" in visible:
        facts += [Fact("shoes", "kind", person.shoes.kind), Fact("shoes", "colour", person.shoes.colour)]
        if "shoes sole" in visible and person.shoes.sole is not None:
            facts.append(Fact("shoes", "sole", person.shoes.sole))
    return facts


def _belongings(person: Person, view: View) -> list[Fact]:
    visible, facts = view.visible, []
    if person.bag is not None and "bag" in visible:
        facts += [
            Fact("bag", "kind", person.bag.kind),
            Fact("bag", "colour", person.bag.colour),
            Fact("bag", "side", person.bag.side),
        ]
    elif person.bag is None and "whole figure" in visible and view.facing in ("front", "back"):
        facts.append(Fact("bag", "presence", "none"))
    if person.carried is not None and "carried" in visible:
        held = person.carried
        facts += [
            Fact("carried", "kind", held.kind),
            Fact("carried", "colour", held.colour),
            Fact("carried", "hand", held.hand),
        ]
    return facts


def facts_of(person: Person, view: View) -> tuple[Fact, ...]:
    """Everything that can truly be said of this picture, in the order of ITEMS; what it does not show is left out.

    Sides and hands are the person's own; `posture facing` left or right is the picture's.
    """
    posture = [Fact("posture", "facing", view.facing)]
    if "stance" in view.visible:
        posture.append(Fact("posture", "movement", "walking" if view.walking else "standing"))
    facts = [
        *_who(person, view.visible),
        *_hair(person, view.visible),
        *_on_the_head(person, view),
        *_upper(person, view.visible),
        *_lower(person, view.visible),
        *_belongings(person, view),
        *posture,
        *([Fact("place", "kind", view.place)] if view.place else []),
    ]
    return tuple(facts)
