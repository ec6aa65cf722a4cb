"""Hair as pieces: behind the shoulders, and on and around the head, for every length and style."""

from __future__ import annotations

from ufine_kit.world.body import Body
from ufine_kit.world.palette import RGB, tint
from ufine_kit.world.shapes import Piece, Point, blob, ellipse, smooth, symmetric


def _curls(line: list[Point], colour: RGB, radius: float) -> list[Piece]:
    """Round curls along an open line."""
    knots = smooth(line, 2)[:-1]  # the last lies between the two ends, where there may be a face
    return [
        ellipse(
            "hair", (float(x), float(y)), radius, radius * 0.92, tint(colour, 1.05 if k % 2 else 0.94), "hair style", 10
        )
        for k, (x, y) in enumerate(knots)
    ]


def _reach(length: str) -> float:
    return {"short": 0.128, "shoulder-length": 0.188, "long": 0.300}[length]


def hair_behind(body: Body) -> list[Piece]:
    """Hair that hangs behind neck and shoulders, seen from the front."""
    hair = body.person.hair
    if hair.length not in ("shoulder-length", "long") or hair.style in ("ponytail", "bun") or body.facing != "front":
        return []
    reach = _reach(hair.length)
    half: list[Point] = [(0.0, 0.0), (0.046, 0.022), (0.062, 0.090), (0.068, reach * 0.8), (0.056, reach), (0.0, reach)]
    pieces = [blob("hair", symmetric(half), tint(body.hair, 0.82))]
    if hair.style == "curly":
        for s in (-1, 1):
            pieces += _curls([(s * x, y) for x, y in half[1:-1]], tint(body.hair, 0.85), 0.019)
    return pieces


def _front_hair(body: Body) -> list[Piece]:
    hair, colour = body.person.hair, body.hair
    top: list[Point] = [
        (-0.052, 0.076),
        (-0.054, 0.040),
        (-0.034, 0.004),
        (0.0, -0.004),
        (0.034, 0.004),
        (0.054, 0.040),
        (0.052, 0.076),
        (0.042, 0.062),
        (0.032, 0.040),
        (0.010, 0.034),
        (-0.018, 0.037),
        (-0.036, 0.044),
        (-0.043, 0.062),
    ]
    pieces = [blob("hair", top, colour)]
    if hair.style == "bun":
        pieces.insert(0, ellipse("hair", (0.0, -0.008), 0.027, 0.024, tint(colour, 0.9), "hair style"))
    elif hair.length in ("shoulder-length", "long") and hair.style != "ponytail":
        low = min(_reach(hair.length), 0.25)
        for s in (-1, 1):
            lock: list[Point] = [
                (s * 0.042, 0.036),
                (s * 0.056, 0.060),
                (s * 0.066, low * 0.8),
                (s * 0.054, low),
                (s * 0.042, low * 0.85),
                (s * 0.046, 0.085),
            ]
            pieces.append(blob("hair", lock, colour))
    if hair.style == "curly":
        pieces += _curls(top[:7], colour, 0.017)
    return pieces


def _back_hair(body: Body) -> list[Piece]:
    hair, colour = body.person.hair, body.hair
    reach = 0.128 if hair.style in ("ponytail", "bun") else _reach(hair.length)
    width = 0.053 if reach < 0.15 else 0.066
    half: list[Point] = [
        (0.0, -0.004),
        (0.036, 0.004),
        (0.054, 0.044),
        (width, 0.100),
        (width * 0.9, reach * 0.94),
        (0.0, reach),
    ]
    pieces = [blob("hair", symmetric(half), colour)]
    if hair.style == "ponytail":
        end = 0.235 if hair.length == "shoulder-length" else 0.315
        pieces.append(
            blob(
                "hair",
                [
                    (-0.014, 0.055),
                    (0.014, 0.055),
                    (0.028, 0.120),
                    (0.020, end * 0.85),
                    (0.0, end),
                    (-0.018, end * 0.85),
                    (-0.026, 0.120),
                ],
                tint(colour, 0.86),
                detail="hair style",
            )
        )
        pieces.append(ellipse("hair", (0.0, 0.058), 0.015, 0.008, tint(colour, 0.5), "hair style"))
    elif hair.style == "bun":
        pieces.append(ellipse("hair", (0.0, 0.030), 0.031, 0.029, tint(colour, 0.86), "hair style"))
    elif hair.style == "curly":
        pieces += _curls(symmetric(half), colour, 0.018)
    return pieces


def _side_hair(body: Body) -> list[Piece]:
    hair, colour = body.person.hair, body.hair
    cap: list[Point] = [
        (0.042, 0.034),
        (0.020, 0.000),
        (-0.022, -0.002),
        (-0.056, 0.034),
        (-0.060, 0.082),
        (-0.040, 0.124),
        (-0.020, 0.108),
        (-0.016, 0.078),
        (0.004, 0.060),
        (0.016, 0.036),
    ]
    pieces: list[Piece] = []
    if hair.style == "ponytail":
        end = 0.225 if hair.length == "shoulder-length" else 0.300
        pieces.append(
            blob(
                "hair",
                [
                    (-0.046, 0.040),
                    (-0.074, 0.062),
                    (-0.092, 0.120),
                    (-0.080, end),
                    (-0.064, end * 0.9),
                    (-0.060, 0.120),
                ],
                tint(colour, 0.9),
                detail="hair style",
            )
        )
    elif hair.style == "bun":
        pieces.append(ellipse("hair", (-0.064, 0.034), 0.026, 0.025, tint(colour, 0.9), "hair style"))
    elif hair.length in ("shoulder-length", "long"):
        low = _reach(hair.length)
        pieces.append(
            blob(
                "hair",
                [
                    (-0.010, 0.030),
                    (-0.056, 0.040),
                    (-0.072, low * 0.8),
                    (-0.060, low),
                    (-0.024, low * 0.97),
                    (-0.006, 0.120),
                    (0.006, 0.070),
                ],
                colour,
            )
        )
    pieces.append(blob("hair", cap, colour))
    if hair.style == "curly":
        pieces += _curls(cap[:6], colour, 0.017)
    return pieces


def hair_over(body: Body) -> list[Piece]:
    """Hair on and around the head, over everything behind it."""
    if body.person.hair.length == "bald":
        return []
    return {"front": _front_hair, "back": _back_hair, "side": _side_hair}[body.facing](body)
