"""Lower garments and shoes as pieces, cut to the legs of the figure."""

from __future__ import annotations

from ufine_kit.world.body import Body
from ufine_kit.world.palette import COLOURS, RGB, tint
from ufine_kit.world.shapes import Piece, Point, between, blob, ellipse, limb, moved, patterned, symmetric

LEG_ENDS = {"short": 0.45, "knee-length": 0.98, "cropped": 1.55, "full": 1.96}  # 0 hip, 1 knee, 2 ankle
SKIRT_ENDS = {"short": 0.640, "knee-length": 0.735, "full": 0.885}
WIDTHS = {"trousers": 1.04, "jeans": 0.97, "sweatpants": 1.14, "leggings": 0.95, "shorts": 1.14}


def trouser_leg(body: Body, side: str) -> list[Piece]:
    """One leg of the lower garment; empty under a skirt."""
    worn = body.person.lower
    if worn.kind == "skirt":
        return []
    hip, knee, ankle = body.bones.legs[side]
    colour, wide = tint(COLOURS[worn.colour], body.shade(side)), WIDTHS[worn.kind] * body.bones.girth
    reach, tight = LEG_ENDS[worn.length], worn.kind in ("leggings", "sweatpants")
    pattern = patterned(worn.pattern, worn.second)
    end = between(hip, knee, reach) if reach <= 1 else between(knee, ankle, reach - 1)
    r_hip, r_knee, r_end = 0.050 * wide, 0.039 * wide, (0.026 if tight else 0.031) * wide
    pieces = []
    if reach > 1:
        pieces.append(limb("lower", knee, end, r_knee, r_end, colour, pattern, "lower length", 0.3))
        pieces.append(limb("lower", hip, knee, r_hip, r_knee, colour, pattern))
        if worn.kind == "sweatpants":
            pieces.append(
                limb(
                    "lower",
                    moved(end, -r_end * 0.8, 0),
                    moved(end, r_end * 0.8, 0),
                    0.008,
                    0.008,
                    tint(colour, 0.8),
                    detail="lower kind",
                )
            )
    else:
        pieces.append(
            limb("lower", hip, end, r_hip, r_knee * (0.95 + 0.25 * (1 - reach)), colour, pattern, "lower length", 0.3)
        )
    if worn.pattern == "side stripes" and worn.second:
        pieces += _stripe(body, side, hip, knee, end, (r_hip, r_knee, r_end), COLOURS[worn.second], reach)
    return pieces


def _stripe(
    body: Body,
    side: str,
    hip: Point,
    knee: Point,
    end: Point,
    radii: tuple[float, float, float],
    colour: RGB,
    reach: float,
) -> list[Piece]:
    """A stripe down the outside of a leg, which a profile shows in the middle of the near leg."""
    sign = 0.0 if body.facing == "side" else body.bones.side_sign(side, body.pose.facing) * 0.66
    if body.facing == "side" and side == body.far:
        return []
    a, b, c = (moved(joint, sign * r, 0.0) for joint, r in zip((hip, knee, end), radii, strict=True))
    wide = 0.010
    if reach <= 1:
        return [limb("lower", a, c, wide, wide, colour, detail="lower pattern")]
    return [
        limb("lower", a, b, wide, wide, colour, detail="lower pattern"),
        limb("lower", b, c, wide, wide * 0.9, colour, detail="lower pattern"),
    ]


def waist(body: Body) -> list[Piece]:
    """Hips of the trousers, or the whole skirt."""
    worn, b = body.person.lower, body.bones
    colour, pattern = COLOURS[worn.colour], patterned(worn.pattern, worn.second)
    wide = b.hip + 0.003 if body.facing != "side" else 0.062 * b.girth
    if worn.kind != "skirt":
        return [
            blob(
                "lower",
                symmetric([(wide * 0.92, 0.470), (wide, 0.505), (wide * 0.94, 0.545), (0.0, 0.562)]),
                colour,
                pattern,
            )
        ]
    end = SKIRT_ENDS[worn.length]
    flare = wide * 1.12 + 0.050 * (end - 0.5) / 0.4
    skirt = symmetric(
        [(wide * 0.9, 0.460), (wide * 1.02, 0.520), (flare, end - 0.012), (flare * 0.97, end), (0.0, end + 0.008)]
    )
    folds = [
        limb("lower", (s * wide * 0.35, 0.55), (s * flare * 0.42, end - 0.004), 0.0022, 0.0022, tint(colour, 0.8))
        for s in (-1, 1)
    ]
    return [blob("lower", skirt, colour, pattern, "lower length"), *(folds if worn.pattern == "plain" else [])]


def shoe(body: Body, side: str) -> list[Piece]:
    """One shoe at the ankle, with its sole."""
    worn = body.person.shoes
    ankle, knee = body.bones.legs[side][2], body.bones.legs[side][1]
    colour = tint(COLOURS[worn.colour], body.shade(side))
    pieces = _side_shoe(body, ankle, colour) if body.facing == "side" else _end_shoe(body, ankle, colour)
    if worn.kind == "boots":
        pieces.append(
            limb(
                "shoes",
                between(ankle, knee, 0.30),
                moved(ankle, 0, 0.01),
                0.035 * body.bones.girth**0.5,
                0.029,
                colour,
                detail="shoes kind",
            )
        )
    return pieces


def _end_shoe(body: Body, ankle: Point, colour: RGB) -> list[Piece]:
    """A shoe seen along its length: from the toes, or from the heel."""
    worn, (x, y) = body.person.shoes, ankle
    wide, ground = (0.030 if body.facing == "back" else 0.034), y + 0.052
    top = y - 0.006
    pieces: list[Piece] = []
    if worn.sole is not None:
        pieces.append(
            limb(
                "shoes",
                (x - wide * 0.8, ground - 0.006),
                (x + wide * 0.8, ground - 0.006),
                0.0105,
                0.0105,
                COLOURS[worn.sole],
                detail="shoes sole",
            )
        )
    upper_half: list[Point] = [(0.018, top), (wide * 0.95, y + 0.020), (wide, ground - 0.012), (0.0, ground - 0.008)]
    if worn.kind == "sandals":
        foot = blob("skin", [(x + px, py) for px, py in symmetric(upper_half)], body.skin)
        bands = [
            limb("shoes", (x - wide * 0.8, h), (x + wide * 0.8, h), 0.0085, 0.0085, colour)
            for h in (y + 0.012, y + 0.036)
        ]
        return [
            foot,
            *bands,
            limb(
                "shoes",
                (x - wide * 0.8, ground - 0.003),
                (x + wide * 0.8, ground - 0.003),
                0.006,
                0.006,
                tint(colour, 0.7),
            ),
        ]
    pieces.append(blob("shoes", [(x + px, py) for px, py in symmetric(upper_half)], colour))
    if worn.kind in ("sneakers", "canvas shoes") and body.facing == "front":
        light = tint(colour, 1.55) if sum(colour) < 480 else tint(colour, 0.7)
        pieces += [
            limb("shoes", (x - 0.012, y + d), (x + 0.012, y + d), 0.0026, 0.0026, light, detail="shoes kind")
            for d in (0.012, 0.022)
        ]
        if worn.kind == "canvas shoes":
            pieces.append(ellipse("shoes", (x, ground - 0.019), wide * 0.7, 0.009, (238, 238, 234), "shoes kind"))
    return pieces


def _side_shoe(body: Body, ankle: Point, colour: RGB) -> list[Piece]:
    """A shoe seen from its side, toes to the right."""
    worn, (x, y) = body.person.shoes, ankle
    ground = y + 0.052
    heel, toe = x - 0.034, x + 0.074
    outline: list[Point] = [
        (x - 0.026, y - 0.008),
        (x + 0.022, y - 0.008),
        (x + 0.034, y + 0.016),
        (toe - 0.012, y + 0.026),
        (toe, ground - 0.014),
        (toe - 0.006, ground - 0.006),
        (heel, ground - 0.006),
        (heel, y + 0.020),
    ]
    if worn.kind == "sandals":
        bands = [
            limb("shoes", (x + d, y + 0.004 + d * 0.3), (x + d + 0.012, ground - 0.008), 0.0085, 0.0085, colour)
            for d in (-0.022, 0.034)
        ]
        return [
            blob("skin", outline, tint(body.skin, 0.96)),
            *bands,
            limb(
                "shoes", (heel + 0.004, ground - 0.004), (toe - 0.006, ground - 0.004), 0.007, 0.007, tint(colour, 0.7)
            ),
        ]
    pieces = [blob("shoes", outline, colour)]
    if worn.sole is not None:
        pieces.append(
            limb(
                "shoes",
                (heel + 0.006, ground - 0.006),
                (toe - 0.008, ground - 0.006),
                0.0105,
                0.0100,
                COLOURS[worn.sole],
                detail="shoes sole",
            )
        )
    if worn.kind in ("sneakers", "canvas shoes"):
        light = tint(colour, 1.55) if sum(colour) < 480 else tint(colour, 0.7)
        pieces += [
            limb("shoes", (x + d, y + 0.004), (x + d + 0.008, y + 0.020), 0.0026, 0.0026, light, detail="shoes kind")
            for d in (0.014, 0.024)
        ]
        if worn.kind == "canvas shoes":
            pieces.append(ellipse("shoes", (toe - 0.014, ground - 0.020), 0.013, 0.009, (238, 238, 234), "shoes kind"))
    return pieces
