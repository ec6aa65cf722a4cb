"""The named colours of the world: what each name looks like and how far two of them are apart; nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterable

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "black": (36, 36, 41),
    "white": (242, 242, 240),
    "grey": (138, 141, 147),
    "red": (202, 46, 50),
    "burgundy": (118, 26, 46),
    "pink": (238, 152, 182),
    "orange": (234, 126, 40),
    "yellow": (240, 206, 70),
    "green": (62, 152, 88),
    "dark green": (28, 78, 58),
    "light blue": (148, 200, 236),
    "blue": (48, 104, 204),
    "navy": (28, 42, 98),
    "purple": (124, 68, 158),
    "brown": (116, 76, 48),
    "beige": (216, 194, 158),
}

HAIR_COLOURS: dict[str, RGB] = {
    "black": (34, 30, 31),
    "brown": (104, 68, 42),
    "auburn": (150, 66, 34),
    "blond": (222, 184, 108),
    "grey": (150, 151, 154),
    "white": (226, 226, 224),
}

# Drawn, never described: the texts of the world say nothing of skin.
SKINS: tuple[RGB, ...] = ((244, 208, 180), (232, 186, 152), (206, 156, 118), (162, 112, 80), (112, 76, 56))


def tint(rgb: RGB, factor: float) -> RGB:
    """Lighter (factor > 1, towards white) or darker (factor < 1) shade of one colour."""
    if factor <= 1:
        red, green, blue = (int(value * factor) for value in rgb)
    else:
        red, green, blue = (int(value + (255 - value) * (factor - 1)) for value in rgb)
    return red, green, blue


def distance(one: Iterable[float], other: Iterable[float]) -> float:
    """Euclidean distance of two colours in RGB, weighted for the eye (redmean without its red term)."""
    return sum(weight * (a - b) ** 2 for weight, a, b in zip((2.0, 4.0, 3.0), one, other, strict=True)) ** 0.5


def nearest(rgb: Iterable[float]) -> str:
    """Name of the colour nearest to `rgb`."""
    wanted = tuple(rgb)
    return min(COLOURS, key=lambda name: distance(wanted, COLOURS[name]))


def contrasting(name: str, least: float = 260.0) -> list[str]:
    """Names that stand out clearly beside `name`, in the palette's order."""
    return [other for other, rgb in COLOURS.items() if distance(rgb, COLOURS[name]) >= least]
