"""Upper garments and outer layers as pieces, cut to the torso and arms of the figure."""

from __future__ import annotations

from ufine_kit.world.body import Body
from ufine_kit.world.palette import COLOURS, RGB, tint
from ufine_kit.world.shapes import Pattern, Piece, Point, between, blob, ellipse, limb, patterned, polygon, symmetric

HEMS = {
    "t-shirt": 0.515,
    "shirt": 0.525,
    "polo shirt": 0.515,
    "blouse": 0.520,
    "sweater": 0.520,
    "hoodie": 0.525,
    "vest top": 0.510,
}
OUTER_HEMS = {"jacket": 0.535, "coat": 0.700, "blazer": 0.565, "cardigan": 0.575, "padded vest": 0.530}


def _torso(body: Body, hem: float, ease: float) -> list[Point]:
    """Outline of a garment over the torso down to `hem`; `ease` is how loose it sits."""
    b = body.bones
    if body.facing == "side":
        chest = (0.066 if body.person.gender == "man" else 0.074) * (0.6 + 0.4 * b.girth) + ease
        waist, hip = 0.056 * b.girth**1.3 + ease, 0.064 * (0.5 + 0.5 * b.girth) + ease
        return [
            (-0.030, 0.160),
            (0.028, 0.164),
            (chest * 0.84, 0.225),
            (chest * 0.90, 0.275),
            (waist, 0.380),
            (hip, hem - 0.03),
            (hip * 0.98, hem),
            (-hip * 1.05, hem),
            (-hip * 1.08, hem - 0.05),
            (-waist * 0.92, 0.370),
            (-chest * 0.98, 0.260),
            (-chest * 0.82, 0.195),
        ]
    half: list[Point] = [
        (0.030, 0.162),
        (b.shoulder * 0.80, 0.176),
        (b.shoulder * 1.0, 0.203),
        (b.chest + ease, 0.275),
        (b.waist + ease, 0.385),
        (b.hip + ease, hem - 0.02),
        (b.hip + ease, hem),
    ]
    return symmetric(half)


def sleeve(
    body: Body, side: str, colour: RGB, length: str, pattern: Pattern | None, part: str, ease: float
) -> list[Piece]:
    """A sleeve over one arm; empty where sleeveless."""
    if length == "sleeveless":
        return []
    shoulder, elbow, wrist = body.bones.arms[side]
    colour, girth = tint(colour, body.shade(side)), body.bones.girth
    r0, r1 = 0.033 * girth + ease, 0.029 * girth + ease
    if length == "short":
        return [
            limb(
                part, shoulder, between(shoulder, elbow, 0.62), r0, r1 + 0.003, colour, pattern, f"{part} sleeves", 0.3
            )
        ]
    cuff = between(elbow, wrist, 0.90)
    return [
        limb(part, elbow, cuff, r1, 0.023 + ease, colour, pattern, f"{part} sleeves", 0.3),
        limb(part, shoulder, elbow, r0, r1, colour, pattern, f"{part} sleeves"),
    ]


def upper_sleeve(body: Body, side: str) -> list[Piece]:
    """The upper garment's sleeve."""
    worn = body.person.upper
    pattern = patterned(worn.pattern, worn.second) if worn.pattern != "colour block" else None
    return sleeve(body, side, COLOURS[worn.colour], worn.sleeves, pattern, "upper", 0.0)


def upper(body: Body) -> list[Piece]:
    """The upper garment without its sleeves."""
    worn, colour = body.person.upper, COLOURS[body.person.upper.colour]
    ease = 0.008 if worn.kind in ("hoodie", "sweater") else 0.003
    pieces = [blob("upper", _torso(body, HEMS[worn.kind], ease), colour, patterned(worn.pattern, worn.second))]
    if worn.kind in ("sweater", "hoodie"):
        hem, width = HEMS[worn.kind], (body.bones.hip if body.facing != "side" else 0.060 * body.bones.girth) + ease
        pieces.append(
            limb("upper", (-width * 0.92, hem - 0.008), (width * 0.92, hem - 0.008), 0.009, 0.009, tint(colour, 0.86))
        )
    if worn.pattern == "print" and worn.second and body.facing == "front":
        pieces += _print(COLOURS[worn.second], colour)
    return pieces + _collar(body, colour)


def _print(second: RGB, colour: RGB) -> list[Piece]:
    return [
        polygon(
            "upper", [(-0.050, 0.258), (0.050, 0.258), (0.050, 0.345), (-0.050, 0.345)], second, detail="upper pattern"
        ),
        ellipse("upper", (0.0, 0.302), 0.024, 0.026, colour, "upper pattern"),
    ]


def _collar(body: Body, colour: RGB) -> list[Piece]:
    """Neckline, collar, buttons, hood and strings: what tells one kind of upper garment from another."""
    kind, dark, light = body.person.upper.kind, tint(colour, 0.78), tint(colour, 1.22)
    front = body.facing == "front"
    if kind == "hoodie":
        hood = {
            "front": (0.0, 0.172, 0.056, 0.022),
            "back": (0.0, 0.192, 0.060, 0.034),
            "side": (-0.040, 0.176, 0.034, 0.030),
        }[body.facing]
        pieces = [ellipse("upper", hood[:2], hood[2], hood[3], dark, "upper kind")]
        if front:
            pieces += [
                limb("upper", (s * 0.016, 0.190), (s * 0.018, 0.250), 0.0034, 0.0034, light, detail="upper kind")
                for s in (-1, 1)
            ]
            pieces.append(
                polygon(
                    "upper",
                    [(-0.050, 0.400), (0.050, 0.400), (0.066, 0.465), (-0.066, 0.465)],
                    dark,
                    detail="upper kind",
                )
            )
        return pieces
    if not front:
        return []
    if kind in ("shirt", "polo shirt", "blouse"):
        low = 0.262 if kind == "polo shirt" else HEMS[kind] - 0.01
        pieces = [polygon("skin", [(-0.020, 0.158), (0.020, 0.158), (0.0, 0.196)], body.skin)]
        pieces.append(limb("upper", (0.0, 0.200), (0.0, low), 0.0036, 0.0036, dark, detail="upper kind"))
        pieces += [
            polygon(
                "upper",
                [(s * 0.030, 0.150), (s * 0.046, 0.176), (s * 0.022, 0.206), (0.0, 0.190)],
                light,
                detail="upper kind",
            )
            for s in (-1, 1)
        ]
        return pieces
    width, depth = {"t-shirt": (0.028, 0.022), "sweater": (0.026, 0.014), "vest top": (0.042, 0.046)}[kind]
    ring = [ellipse("upper", (0.0, 0.164), width + 0.007, depth + 0.008, dark)] if kind != "vest top" else []
    return [*ring, ellipse("skin", (0.0, 0.162), width, depth, body.skin)]


def outer_sleeve(body: Body, side: str) -> list[Piece]:
    """The outer layer's sleeve."""
    worn = body.person.outer
    if worn is None or worn.kind == "padded vest":
        return []
    return sleeve(body, side, COLOURS[worn.colour], "long", None, "outer", 0.007)


def outer(body: Body) -> list[Piece]:
    """The outer layer without its sleeves: open in front unless closed."""
    worn = body.person.outer
    if worn is None:
        return []
    colour, hem = COLOURS[worn.colour], OUTER_HEMS[worn.kind]
    outline, dark = _torso(body, hem, 0.014), tint(COLOURS[worn.colour], 0.76)
    if body.facing == "back" or (worn.closed and body.facing == "front"):
        pieces = [blob("outer", outline, colour)]
        if worn.closed and body.facing == "front":
            pieces += [
                limb("outer", (0.0, 0.185), (0.0, hem - 0.01), 0.004, 0.004, dark, detail="outer closed"),
                *_lapels(body, dark),
            ]
        return pieces + _quilting(body, dark)
    if body.facing == "side":
        edge = 0.10 if worn.closed else 0.018
        pieces = [
            blob("outer", [(min(x, edge + 0.10 * max(0.0, y - 0.3)) if x > 0 else x, y) for x, y in outline], colour)
        ]
        return pieces + _quilting(body, dark)
    gap = 0.034
    right = [
        (gap * 0.8, 0.163),
        (body.bones.shoulder * 0.80, 0.174),
        (body.bones.shoulder * 1.02, 0.203),
        (body.bones.chest + 0.014, 0.275),
        (body.bones.waist + 0.016, 0.385),
        (body.bones.hip + 0.016, hem - 0.01),
        (body.bones.hip + 0.010, hem),
        (gap + 0.012, hem),
        (gap, 0.380),
        (gap, 0.240),
    ]
    pieces = [blob("outer", [(s * x, y) for x, y in right], colour) for s in (-1, 1)]
    return pieces + _lapels(body, dark) + _quilting(body, dark)


def _lapels(body: Body, dark: RGB) -> list[Piece]:
    if body.person.outer is None or body.person.outer.kind not in ("blazer", "coat"):
        return []
    return [
        polygon(
            "outer",
            [(s * 0.028, 0.158), (s * 0.062, 0.186), (s * 0.054, 0.250), (s * 0.036, 0.300)],
            dark,
            detail="outer kind",
        )
        for s in (-1, 1)
    ]


def _quilting(body: Body, dark: RGB) -> list[Piece]:
    if body.person.outer is None or body.person.outer.kind != "padded vest":
        return []
    width = body.bones.chest if body.facing != "side" else 0.050
    sides = (
        [(-width, -0.036), (0.036, width)]
        if body.facing == "front"
        else [(-width, width if body.facing == "back" else 0.012)]
    )
    return [
        limb("outer", (a, y), (b, y), 0.0026, 0.0026, dark, detail="outer kind")
        for a, b in sides
        for y in (0.24, 0.30, 0.36, 0.42, 0.48)
    ]
