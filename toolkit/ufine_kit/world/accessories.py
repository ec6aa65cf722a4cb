"""Bags and carried things as pieces, on the wearer's own side: which layer each belongs to is decided in `figure`."""

from __future__ import annotations

from ufine_kit.world.body import Body
from ufine_kit.world.palette import COLOURS, RGB, tint
from ufine_kit.world.shapes import Piece, Point, blob, ellipse, limb, polygon


def _box(part: str, x: float, y: float, wide: float, high: float, colour: RGB, round_off: float = 0.012) -> Piece:
    """A rectangle with soft corners, given by its middle and half sizes."""
    r = round_off
    points: list[Point] = [
        (x - wide + r, y - high),
        (x + wide - r, y - high),
        (x + wide, y - high + r),
        (x + wide, y + high - r),
        (x + wide - r, y + high),
        (x - wide + r, y + high),
        (x - wide, y + high - r),
        (x - wide, y - high + r),
    ]
    return polygon(part, points, colour)


def backpack_behind(body: Body) -> list[Piece]:
    """What of a backpack lies behind the body: its edges from the front, its whole side in profile."""
    bag = body.person.bag
    if bag is None or bag.kind != "backpack" or body.facing == "back":
        return []
    colour = COLOURS[bag.colour]
    if body.facing == "front":
        return [_box("bag", 0.0, 0.330, body.bones.waist + 0.034, 0.130, tint(colour, 0.92), 0.03)]
    hump: list[Point] = [
        (-0.030, 0.200),
        (-0.086, 0.205),
        (-0.132, 0.270),
        (-0.138, 0.380),
        (-0.118, 0.450),
        (-0.030, 0.455),
    ]
    pocket: list[Point] = [(-0.106, 0.340), (-0.146, 0.345), (-0.150, 0.420), (-0.110, 0.432)]
    return [blob("bag", hump, colour), blob("bag", pocket, tint(colour, 0.80))]


def backpack_over(body: Body) -> list[Piece]:
    """What of a backpack lies over the clothes: straps from the front and the side, all of it from behind."""
    bag = body.person.bag
    if bag is None or bag.kind != "backpack":
        return []
    colour = COLOURS[bag.colour]
    strap = tint(colour, 0.84)
    if body.facing == "front":
        x = body.bones.shoulder * 0.62
        return [limb("bag", (s * x, 0.176), (s * (x + 0.008), 0.345), 0.0125, 0.0105, strap) for s in (-1, 1)]
    if body.facing == "side":
        return [
            limb("bag", (-0.010, 0.178), (0.026, 0.260), 0.011, 0.011, strap),
            limb("bag", (0.026, 0.260), (-0.030, 0.380), 0.010, 0.008, strap),
        ]
    wide = 0.086 * (0.7 + 0.3 * body.bones.girth)
    return [
        _box("bag", 0.0, 0.325, wide, 0.132, colour, 0.034),
        _box("bag", 0.0, 0.388, wide * 0.76, 0.052, tint(colour, 0.82), 0.016),
        limb("bag", (-wide * 0.6, 0.262), (wide * 0.6, 0.262), 0.0030, 0.0030, tint(colour, 0.62)),
        limb("bag", (-0.014, 0.190), (0.014, 0.190), 0.006, 0.006, strap),
    ]


def _satchel(x: float, y: float, wide: float, high: float, colour: RGB) -> list[Piece]:
    flap = polygon(
        "bag",
        [
            (x - wide, y - high),
            (x + wide, y - high),
            (x + wide * 0.92, y + high * 0.10),
            (x - wide * 0.92, y + high * 0.10),
        ],
        tint(colour, 0.82),
    )
    return [
        _box("bag", x, y, wide, high, colour),
        flap,
        ellipse("bag", (x, y + high * 0.10), 0.007, 0.006, (206, 186, 120), steps=8),
    ]


def side_bag(body: Body) -> list[Piece]:
    """A bag on one side of the body, with its strap or handles."""
    bag = body.person.bag
    if bag is None or bag.kind == "backpack":
        return []
    colour, strap = COLOURS[bag.colour], tint(COLOURS[bag.colour], 0.70)
    wrist = body.bones.arms[bag.side][2]
    if bag.kind == "handbag":
        x, y = wrist[0], wrist[1] + 0.030
        handles = [
            limb("bag", (x + s * 0.030, y + 0.034), (x + s * 0.008, y - 0.010), 0.0042, 0.0042, strap) for s in (-1, 1)
        ]
        return handles + _satchel(x, y + 0.068, 0.052, 0.040, colour)
    if body.facing == "side":
        x, shoulder = -0.004, (-0.010, 0.176)
    else:
        sign = body.bones.side_sign(bag.side, body.pose.facing)
        x, shoulder = sign * (body.bones.hip + 0.020), (sign * body.bones.shoulder * 0.66, 0.174)
    if bag.kind == "tote bag":
        straps = [
            limb("bag", (shoulder[0] + d, shoulder[1]), (x + d * 2, 0.380), 0.0050, 0.0050, strap)
            for d in (-0.012, 0.012)
        ]
        return [
            *straps,
            _box("bag", x, 0.445, 0.058, 0.078, colour, 0.008),
            limb("bag", (x - 0.056, 0.374), (x + 0.056, 0.374), 0.006, 0.006, strap),
        ]
    if bag.kind == "crossbody bag" and body.facing != "side":
        shoulder = (-shoulder[0], shoulder[1])
    return [limb("bag", shoulder, (x, 0.452), 0.0072, 0.0072, strap), *_satchel(x, 0.492, 0.050, 0.042, colour)]


def strap_across(body: Body) -> list[Piece]:
    """In profile, the strap of a crossbody bag hung on the far side shows across the near side's chest."""
    bag = body.person.bag
    if bag is None or bag.kind != "crossbody bag" or body.facing != "side" or bag.side == body.pose.near:
        return []
    return [limb("bag", (-0.008, 0.176), (0.046, 0.300), 0.0072, 0.0072, tint(COLOURS[bag.colour], 0.70))]


def carried(body: Body) -> list[Piece]:
    """The thing in one hand."""
    held = body.person.carried
    if held is None:
        return []
    colour = COLOURS[held.colour]
    elbow, wrist = body.bones.arms[held.hand][1:]
    x, y = wrist[0] + 0.1 * (wrist[0] - elbow[0]), wrist[1] + 0.1 * (wrist[1] - elbow[1])
    return _in_hand(held.kind, x, y, colour)


def _in_hand(kind: str, x: float, y: float, colour: RGB) -> list[Piece]:
    dark = tint(colour, 0.72)
    if kind == "phone":
        return [
            _box("carried", x, y - 0.022, 0.019, 0.032, colour, 0.006),
            _box("carried", x, y - 0.024, 0.014, 0.023, (150, 190, 214), 0.003),
        ]
    if kind == "paper cup":
        lid = limb("carried", (x - 0.018, y - 0.050), (x + 0.018, y - 0.050), 0.005, 0.005, (70, 60, 56))
        return [
            polygon(
                "carried",
                [(x - 0.021, y - 0.048), (x + 0.021, y - 0.048), (x + 0.015, y + 0.014), (x - 0.015, y + 0.014)],
                colour,
            ),
            lid,
            polygon(
                "carried",
                [(x - 0.0195, y - 0.030), (x + 0.0195, y - 0.030), (x + 0.017, y - 0.006), (x - 0.017, y - 0.006)],
                (150, 108, 72),
            ),
        ]
    if kind == "book":
        return [
            _box("carried", x, y - 0.016, 0.036, 0.046, colour, 0.004),
            _box("carried", x, y - 0.026, 0.022, 0.010, tint(colour, 1.5), 0.002),
        ]
    if kind == "bottle":
        return [
            _box("carried", x, y + 0.012, 0.015, 0.044, colour, 0.008),
            _box("carried", x, y - 0.040, 0.008, 0.010, dark, 0.002),
        ]
    if kind == "umbrella":
        rod = limb("carried", (x, y - 0.034), (x, y + 0.30), 0.0050, 0.0036, (60, 52, 48))
        cloth: list[Point] = [
            (x - 0.010, y + 0.030),
            (x + 0.010, y + 0.030),
            (x + 0.021, y + 0.110),
            (x + 0.004, y + 0.270),
            (x - 0.004, y + 0.270),
            (x - 0.021, y + 0.110),
        ]
        return [
            rod,
            blob("carried", cloth, colour),
            limb("carried", (x, y - 0.038), (x + 0.016, y - 0.044), 0.006, 0.005, (96, 66, 44)),
        ]
    if kind == "suitcase":
        handle = limb("carried", (x, y), (x, 0.74), 0.0055, 0.0055, (120, 122, 128))
        ribs = [limb("carried", (x + d, 0.765), (x + d, 0.955), 0.0026, 0.0026, dark) for d in (-0.022, 0.022)]
        wheels = [ellipse("carried", (x + d, 0.985), 0.012, 0.012, (40, 40, 44), steps=10) for d in (-0.034, 0.034)]
        return [handle, *wheels, _box("carried", x, 0.860, 0.054, 0.116, colour, 0.016), *ribs]
    handles = [
        limb("carried", (x + s * 0.026, y + 0.050), (x + s * 0.006, y + 0.004), 0.0038, 0.0038, dark) for s in (-1, 1)
    ]
    sack: list[Point] = [(x - 0.040, y + 0.044), (x + 0.040, y + 0.044), (x + 0.052, y + 0.156), (x - 0.052, y + 0.156)]
    return [
        *handles,
        polygon("carried", sack, colour),
        polygon(
            "carried",
            [(x - 0.024, y + 0.086), (x + 0.024, y + 0.086), (x + 0.026, y + 0.120), (x - 0.026, y + 0.120)],
            tint(colour, 1.4) if sum(colour) < 500 else dark,
        ),
    ]
