"""Outlines in figure units: smooth blobs, tapered limbs, ellipses, and the coloured pieces made of them.

A figure is 1.0 high: y runs from the crown (0) to the ground (1), x from the middle to the right of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ufine_kit.world.palette import COLOURS, RGB

Point = tuple[float, float]
Axis = tuple[float, float, float]  # t = a x + b y + c runs from -1 to 1 across the shape

PARTS = (
    "background",
    "skin",
    "face",
    "hair",
    "headwear",
    "glasses",
    "upper",
    "outer",
    "lower",
    "shoes",
    "bag",
    "carried",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern over a piece: its name, second colour and the distance of one repeat, in figure units."""

    kind: str
    colour: RGB
    repeat: float = 0.06


@dataclass(frozen=True, slots=True)
class Piece:
    """One outline of one colour. `part` is one of PARTS; `detail` names what can only be told when this piece shows."""

    part: str
    points: np.ndarray  # [N, 2] figure units
    axis: Axis
    colour: RGB
    pattern: Pattern | None = None
    detail: str = ""

    def mirrored(self) -> Piece:
        """The same piece seen the other way round (left and right of the picture exchanged)."""
        a, b, c = self.axis
        return replace(self, points=self.points * np.array([-1.0, 1.0]), axis=(a, -b, -c) if a else self.axis)


REPEATS = {"horizontal stripes": 0.066, "vertical stripes": 0.048, "checks": 0.062, "dots": 0.058, "colour block": 1.0}


def patterned(kind: str, second: str | None) -> Pattern | None:
    """The pattern of that name that is woven in; None for plain cloth and for prints, which are pieces of their own."""
    return None if second is None or kind not in REPEATS else Pattern(kind, COLOURS[second], REPEATS[kind])


@cache
def _spline(steps: int) -> np.ndarray:
    """Catmull-Rom weights of `steps` points on one span, [steps, 4]."""
    t = np.arange(steps)[:, None] / steps
    return 0.5 * np.concatenate(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], axis=1
    )


_HALF_TURN = [(math.cos(k * math.pi / 6), math.sin(k * math.pi / 6)) for k in range(7)]


@cache
def _circle(steps: int) -> np.ndarray:
    angles = np.arange(steps) * (2 * math.pi / steps)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def across(points: np.ndarray) -> Axis:
    """Shading axis from the left to the right edge of a shape."""
    low, high = float(points[:, 0].min()), float(points[:, 0].max())
    half = max((high - low) / 2, 1e-4)
    return 1 / half, 0.0, -(low + high) / 2 / half


def smooth(points: Sequence[Point], steps: int = 4) -> np.ndarray:
    """Closed smooth curve through `points`, [N * steps, 2]."""
    knots = np.asarray(points, dtype=np.float64)
    n = len(knots)
    around = knots[(np.arange(n)[:, None] + np.arange(-1, 3)[None]) % n]  # [N, 4, 2]
    return np.matmul(_spline(steps)[None], around).reshape(-1, 2)


def symmetric(half: Sequence[Point]) -> list[Point]:
    """A right half (x >= 0, from top to bottom) closed by its mirror image."""
    return [*half, *((-x, y) for x, y in reversed(half) if x > 1e-9)]


def blob(
    part: str, points: Sequence[Point], colour: RGB, pattern: Pattern | None = None, detail: str = "", steps: int = 4
) -> Piece:
    """A smooth closed piece."""
    outline = smooth(points, steps)
    return Piece(part, outline, across(outline), colour, pattern, detail)


def polygon(part: str, points: Sequence[Point], colour: RGB, pattern: Pattern | None = None, detail: str = "") -> Piece:
    """A piece with corners."""
    outline = np.asarray(points, dtype=np.float64)
    return Piece(part, outline, across(outline), colour, pattern, detail)


def ellipse(part: str, centre: Point, rx: float, ry: float, colour: RGB, detail: str = "", steps: int = 16) -> Piece:
    """An upright ellipse."""
    outline = _circle(steps) * (rx, ry) + centre
    return Piece(part, outline, (1 / max(rx, 1e-4), 0.0, -centre[0] / max(rx, 1e-4)), colour, None, detail)


def limb(
    part: str,
    start: Point,
    end: Point,
    r0: float,
    r1: float,
    colour: RGB,
    pattern: Pattern | None = None,
    detail: str = "",
    cap: float = 1.0,
) -> Piece:
    """A tapered piece from `start` (radius r0) to `end` (radius r1), shaded across; `cap` 1 ends it round, 0 flat."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1e-6
    nx, ny = -dy / length, dx / length  # points to the left of the way from start to end
    ux, uy = dx / length, dy / length
    points: list[Point] = []
    for (cx, cy), radius, sign, round_off in ((start, r0, 1.0, 1.0), (end, r1, -1.0, cap)):
        for cosine, sine in _HALF_TURN:
            a, b = sign * radius * cosine, -sign * radius * sine * round_off
            points.append((cx + a * nx + b * ux, cy + a * ny + b * uy))
    radius = max((r0 + r1) / 2, 1e-4)
    sign = 1.0 if nx >= 0 else -1.0
    a, b = sign * nx / radius, sign * ny / radius
    mid = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    return Piece(part, np.asarray(points), (a, b, -(a * mid[0] + b * mid[1])), colour, pattern, detail)


def between(start: Point, end: Point, share: float) -> Point:
    """The point at `share` of the way from `start` to `end`."""
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def moved(point: Point, dx: float, dy: float) -> Point:
    """The point shifted."""
    return point[0] + dx, point[1] + dy
