"""A whole figure: all pieces of a person in a pose, in the order they are painted."""

from __future__ import annotations

from ufine_kit.world import accessories, body, bottoms, hair, headgear, tops
from ufine_kit.world.body import Body
from ufine_kit.world.people import Person
from ufine_kit.world.pose import Pose, bones
from ufine_kit.world.shapes import Piece


def _leg(figure: Body, side: str) -> list[Piece]:
    under = [*body.leg_skin(figure, side)]
    cloth, shoe = bottoms.trouser_leg(figure, side), bottoms.shoe(figure, side)
    return (
        [*under, *shoe, *cloth]
        if figure.person.lower.length == "full" and figure.person.shoes.kind != "boots"
        else [*under, *cloth, *shoe]
    )


def _arm(figure: Body, side: str) -> list[Piece]:
    return [*body.arm_skin(figure, side), *tops.upper_sleeve(figure, side), *tops.outer_sleeve(figure, side)]


def _held(figure: Body, side: str) -> list[Piece]:
    """What hangs from one hand or on one side of the body."""
    person = figure.person
    bag = accessories.side_bag(figure) if person.bag is not None and person.bag.side == side else []
    return bag + (accessories.carried(figure) if person.carried is not None and person.carried.hand == side else [])


def _clothed(figure: Body) -> list[Piece]:
    return [*bottoms.waist(figure), *tops.upper(figure), *tops.outer(figure)]


def _head(figure: Body) -> list[Piece]:
    return [*body.head(figure), *hair.hair_over(figure), *headgear.glasses(figure), *headgear.headwear(figure)]


def _front(figure: Body) -> list[Piece]:
    arms = [piece for side in ("left", "right") for piece in _arm(figure, side)]
    legs = [piece for side in ("left", "right") for piece in _leg(figure, side)]
    held = [piece for side in ("left", "right") for piece in _held(figure, side)]
    behind = [*hair.hair_behind(figure), *accessories.backpack_behind(figure)]
    return [
        *behind,
        *legs,
        *body.neck(figure),
        *_clothed(figure),
        *accessories.backpack_over(figure),
        *arms,
        *held,
        *_head(figure),
    ]


def _back(figure: Body) -> list[Piece]:
    ahead = {
        side
        for side in ("left", "right")
        if (c := figure.person.carried) is not None and c.hand == side and c.kind in ("phone", "paper cup", "book")
    }
    arms = {side: [*_arm(figure, side)] for side in ("left", "right")}
    legs = [piece for side in ("left", "right") for piece in _leg(figure, side)]
    hidden = [piece for side in sorted(ahead) for piece in (*_held(figure, side), *arms[side])]
    shown = [piece for side in ("left", "right") if side not in ahead for piece in (*arms[side], *_held(figure, side))]
    bags = [
        piece
        for side in sorted(ahead)
        for piece in (accessories.side_bag(figure) if figure.person.bag and figure.person.bag.side == side else [])
    ]
    clothed = [*legs, *body.neck(figure), *_clothed(figure)]
    return [*hidden, *clothed, *shown, *bags, *_head(figure), *accessories.backpack_over(figure)]


def _profile(figure: Body) -> list[Piece]:
    near, far = figure.pose.near, figure.far
    away = [*_held(figure, far), *_arm(figure, far), *_leg(figure, far)]
    middle = [
        *accessories.backpack_behind(figure),
        *_leg(figure, near),
        *body.neck(figure),
        *_clothed(figure),
        *accessories.strap_across(figure),
    ]
    return [
        *away,
        *middle,
        *_head(figure),
        *accessories.backpack_over(figure),
        *_arm(figure, near),
        *_held(figure, near),
    ]


def pieces(person: Person, pose: Pose) -> list[Piece]:
    """All pieces of `person` in `pose`, from back to front; a profile to the left is turned round, its sides with it."""
    figure = Body(person, pose, bones(person, pose))
    if pose.facing == "front":
        return _front(figure)
    if pose.facing == "back":
        return _back(figure)
    drawn = _profile(figure)
    return drawn if pose.facing == "right" else [piece.mirrored() for piece in drawn]
