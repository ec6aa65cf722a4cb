"""What is worn on the head as pieces: glasses, caps and hats."""

from __future__ import annotations

from ufine_kit.world.body import EYE, Body
from ufine_kit.world.palette import COLOURS, RGB, tint
from ufine_kit.world.shapes import Piece, Point, blob, ellipse, limb, polygon


def glasses(body: Body) -> list[Piece]:
    """Glasses or sunglasses; none are drawn in a back view."""
    kind = body.person.glasses
    if kind is None or body.facing == "back":
        return []
    frame: RGB = (28, 28, 32)
    lens = (44, 42, 50) if kind == "sunglasses" else tint(body.skin, 1.45)
    x = 0.006 * body.pose.turn
    spots = [(x - 0.0195, 0.070), (x + 0.0195, 0.070)] if body.facing == "front" else [(0.030, 0.068)]
    pieces = [
        polygon("glasses", [(x - 0.046, 0.065), (x + 0.046, 0.065), (x + 0.046, 0.0685), (x - 0.046, 0.0685)], frame)
    ]
    if body.facing == "side":
        pieces = [polygon("glasses", [(-0.008, 0.064), (0.030, 0.064), (0.030, 0.068), (-0.008, 0.068)], frame)]
    narrow = 0.8 if body.facing == "side" else 1.0
    for spot in spots:
        pieces.append(ellipse("glasses", spot, 0.0170 * narrow, 0.0140, frame))
        if kind == "glasses":
            pieces.append(ellipse("glasses", spot, 0.0130 * narrow, 0.0102, lens))
            pieces.append(ellipse("glasses", spot, 0.0050, 0.0046, EYE, steps=8))
    return pieces


def headwear(body: Body) -> list[Piece]:
    """Cap, beanie or sun hat."""
    worn = body.person.headwear
    if worn is None:
        return []
    colour, side = COLOURS[worn.colour], body.facing == "side"
    shift = -0.008 if side else 0.0
    dome: list[Point] = [
        (shift - 0.058, 0.046),
        (shift - 0.050, 0.006),
        (shift - 0.022, -0.016),
        (shift + 0.022, -0.016),
        (shift + 0.050, 0.006),
        (shift + 0.058, 0.046),
        (shift, 0.040),
    ]
    if worn.kind == "sun hat":
        brim = ellipse("headwear", (shift, 0.040), 0.096, 0.019, colour, steps=20)
        band = polygon(
            "headwear",
            [(shift - 0.057, 0.026), (shift + 0.057, 0.026), (shift + 0.058, 0.036), (shift - 0.058, 0.036)],
            tint(colour, 0.7),
        )
        return [blob("headwear", dome, colour), brim, band]
    if worn.kind == "beanie":
        cuff = limb("headwear", (shift - 0.044, 0.036), (shift + 0.044, 0.036), 0.015, 0.015, tint(colour, 0.82))
        tip = ellipse("headwear", (shift, -0.026), 0.014, 0.013, tint(colour, 1.15))
        return [blob("headwear", [(x, y - 0.008) for x, y in dome], colour), tip, cuff]
    pieces = [blob("headwear", dome, colour)]
    if side:
        pieces.append(
            blob(
                "headwear",
                [(0.020, 0.034), (0.060, 0.038), (0.098, 0.050), (0.094, 0.056), (0.040, 0.050)],
                tint(colour, 0.82),
            )
        )
    elif body.facing == "front":
        pieces.append(
            blob(
                "headwear",
                [(-0.050, 0.040), (0.0, 0.030), (0.050, 0.040), (0.046, 0.056), (0.0, 0.050), (-0.046, 0.056)],
                tint(colour, 0.78),
            )
        )
    else:
        pieces.append(ellipse("headwear", (0.0, 0.040), 0.014, 0.008, tint(body.hair, 0.9)))
    return pieces
