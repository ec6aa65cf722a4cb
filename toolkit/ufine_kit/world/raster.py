"""From pieces to pixels: an anti-aliased, softly shaded sprite and the map that says which piece each pixel shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ufine_kit.world.shapes import PARTS, Pattern, Piece

EDGE_SHADE = 0.15
ROUND_SHADE = 0.15


@dataclass(frozen=True)
class Sprite:
    """A drawn figure without background.

    `rgba` [H, W, 4] uint8 with premultiplied alpha; `index` [H, W] uint8: 0 where nothing shows, else 1 + the number of
    the piece; `origin` (x, y): where the figure's middle line and ground lie in sprite pixels; `height_px` of the figure.
    """

    rgba: np.ndarray
    index: np.ndarray
    pieces: tuple[Piece, ...]
    origin: tuple[float, float]
    height_px: float

    @property
    def parts(self) -> np.ndarray:
        """Part labels [H, W] uint8, numbers of PARTS."""
        return self.part_numbers[self.index]

    @property
    def part_numbers(self) -> np.ndarray:
        """Part number of every index, [1 + pieces]."""
        return np.array([0, *(PARTS.index(piece.part) for piece in self.pieces)], dtype=np.uint8)


def supersampling(height_px: float) -> int:
    """Samples a pixel and axis: more for small figures, whose edges would else swallow shoes and glasses."""
    return 2 if height_px >= 180 else 3 if height_px >= 100 else 4


def _pattern_weight(pattern: Pattern, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Share of the second colour at figure coordinates (u, v), both [N]."""
    a, b = u / pattern.repeat + 0.25, v / pattern.repeat
    if pattern.kind == "horizontal stripes":
        return (b % 1 < 0.45).astype(np.float32)
    if pattern.kind == "vertical stripes":
        return (a % 1 < 0.42).astype(np.float32)
    if pattern.kind == "checks":
        return 0.5 * ((a % 1 < 0.42).astype(np.float32) + (b % 1 < 0.42))
    if pattern.kind == "dots":
        a = a + 0.5 * (np.floor(b) % 2)
        return ((a % 1 - 0.5) ** 2 + (b % 1 - 0.5) ** 2 < 0.085).astype(np.float32)
    return (v > 0.345).astype(np.float32)  # colour block


def _groups(pieces: Sequence[Piece]) -> np.ndarray:
    """Group of every index, [1 + pieces]: a contour runs between groups, not between thigh and shin of one trouser leg."""
    names: dict[tuple[object, ...], int] = {}
    keys = [(piece.part, piece.colour, piece.detail.endswith("sleeves")) for piece in pieces]
    return np.array([0, *(names.setdefault(key, len(names) + 1) for key in keys)], dtype=np.uint8)


def _edges(index: np.ndarray, pieces: Sequence[Piece]) -> np.ndarray:
    """How dark the contours are at every sample, [H, W] uint8: 0, 1 or 2."""
    lines = _groups(pieces)[index]
    edges = np.zeros(index.shape, np.uint8)
    edges[:, 1:] += lines[:, 1:] != lines[:, :-1]
    edges[1:] += lines[1:] != lines[:-1]
    return edges


def _paint(index: np.ndarray, pieces: Sequence[Piece], grid: tuple[float, float, float], light: float) -> np.ndarray:
    """RGBA [H, W, 4] uint8 of an index map at the sampling resolution; `grid` is (samples per figure unit, left, top)."""
    scale, left, top = grid
    rows, columns = np.nonzero(index)  # only what the figure covers is worked on, [N]
    number = index[rows, columns]
    x = ((np.arange(index.shape[1], dtype=np.float32) + 0.5) / scale + left)[columns]  # figure units
    y = ((np.arange(index.shape[0], dtype=np.float32) + 0.5) / scale + top)[rows]
    axes = np.zeros((len(pieces) + 1, 3), np.float32)
    axes[1:] = [piece.axis for piece in pieces]
    across = axes[:, 0][number] * x + axes[:, 1][number] * y + axes[:, 2][number]
    np.clip(across, -1.15, 1.15, out=across)
    shade = (light * 0.10 - ROUND_SHADE * across) * across
    shade += 1.03 - EDGE_SHADE * _edges(index, pieces)[rows, columns]
    colours = np.zeros((len(pieces) + 1, 3), np.float32)
    colours[1:] = [piece.colour for piece in pieces]
    painted = colours[number]
    for pattern, covered in _patterned(pieces).items():
        of_pattern = np.flatnonzero(covered[number])
        weight = _pattern_weight(pattern, x[of_pattern], y[of_pattern])[:, None]
        painted[of_pattern] += weight * (np.asarray(pattern.colour, np.float32) - painted[of_pattern])
    painted *= shade[:, None]
    np.clip(painted, 0, 255, out=painted)
    rgba = np.zeros((*index.shape, 4), np.uint8)
    rgba[rows, columns, :3] = painted
    rgba[rows, columns, 3] = 255
    return rgba


def _patterned(pieces: Sequence[Piece]) -> dict[Pattern, np.ndarray]:
    """For every pattern, which indices carry it, [1 + pieces] bool."""
    carried: dict[Pattern, np.ndarray] = {}
    for number, piece in enumerate(pieces, 1):
        if piece.pattern is not None:
            carried.setdefault(piece.pattern, np.zeros(len(pieces) + 1, bool))[number] = True
    return carried


def render(pieces: Sequence[Piece], height_px: float, light: float = 0.4) -> Sprite:
    """Draw pieces as a figure `height_px` high; `light` runs from -1 (from the left) to 1 (from the right)."""
    samples = supersampling(height_px)
    points = np.concatenate([piece.points for piece in pieces])
    low, high = points.min(axis=0), points.max(axis=0)
    left_px, top_px = np.floor(low * height_px) - 1  # whole pixels, so that a sprite can be pasted anywhere
    wide, tall = (np.ceil(high * height_px) - (left_px, top_px) + 1).astype(int)
    scale = height_px * samples
    canvas = Image.new("L", (int(wide) * samples, int(tall) * samples))
    pen = ImageDraw.Draw(canvas)
    shift = np.array([left_px, top_px]) * samples
    for number, piece in enumerate(pieces, 1):
        pen.polygon((piece.points * scale - shift).ravel().tolist(), fill=number)
    index = np.asarray(canvas)
    rgba = _paint(index, pieces, (scale, left_px / height_px, top_px / height_px), light)
    small = np.array(Image.fromarray(rgba).reduce(samples))
    small[..., :3] = small[..., :3].astype(np.uint16) * small[..., 3:] // 255
    shown = index[samples // 2 :: samples, samples // 2 :: samples]
    topmost = np.maximum.reduce([index[a::samples, b::samples] for a in range(samples) for b in range(samples)])
    shown = np.where(small[..., 3] < 128, 0, np.where(shown > 0, shown, topmost)).astype(np.uint8)
    return Sprite(small, shown, tuple(pieces), (float(-left_px), float(height_px - top_px)), height_px)
