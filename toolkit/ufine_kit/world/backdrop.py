"""Places behind the people and things in front of them: soft, simple and seeded."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ufine_kit.world.palette import RGB, tint

PLACES = ("street", "hall", "park", "station", "square")
OCCLUDERS = ("planter", "pole", "railing", "bin")

WALLS: dict[str, tuple[RGB, ...]] = {
    "street": ((198, 186, 170), (176, 164, 158), (186, 194, 200), (166, 172, 160)),
    "hall": ((214, 212, 206), (196, 206, 214), (222, 214, 198)),
    "park": ((186, 208, 222), (204, 216, 222), (172, 196, 214)),
    "station": ((206, 212, 212), (188, 198, 204), (212, 204, 190)),
    "square": ((204, 212, 220), (218, 212, 202), (190, 202, 214)),
}
GROUNDS: dict[str, tuple[RGB, ...]] = {
    "street": ((150, 150, 152), (162, 158, 152)),
    "hall": ((186, 178, 166), (172, 176, 180)),
    "park": ((178, 170, 142), (150, 172, 124)),
    "station": ((164, 166, 168), (152, 154, 160)),
    "square": ((184, 176, 164), (172, 172, 170)),
}


def _choose(rng: np.random.Generator, choices: tuple[RGB, ...]) -> RGB:
    return choices[int(rng.integers(len(choices)))]


def _span(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _street(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int, line: int, wall: RGB) -> None:
    step = max(10, int(h * _span(rng, 0.22, 0.34)))
    glass = tint((118, 140, 158), _span(rng, 0.85, 1.15))
    for x in range(int(rng.integers(-step, 1)), w + step, step):
        for y in range(int(h * 0.03), int(line - step * 0.5), int(step * 0.95)):
            pen.rectangle((x + step * 0.2, y, x + step * 0.72, y + step * 0.58), fill=glass, outline=tint(wall, 1.25))
    pen.rectangle((0, line - max(2, h * 0.035), w, line), fill=tint(wall, 0.74))
    pen.line((0, line + h * 0.10, w, line + h * 0.10), fill=(196, 192, 184), width=max(1, h // 110))


def _hall(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int, line: int, wall: RGB) -> None:
    step = max(12, int(h * _span(rng, 0.26, 0.42)))
    for x in range(int(rng.integers(-step, 1)), w + step, step):
        pen.rectangle((x, 0, x + max(2, step * 0.10), line), fill=tint(wall, 0.88))
        if rng.random() < 0.5:
            pen.rectangle(
                (x + step * 0.3, h * 0.16, x + step * 0.82, h * 0.42),
                fill=tint(_choose(rng, ((150, 170, 176), (190, 160, 132), (160, 150, 172))), 1.2),
            )
    pen.rectangle((0, line - max(1, h * 0.02), w, line), fill=tint(wall, 0.7))


def _park(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int, line: int, wall: RGB) -> None:
    pen.rectangle((0, line - h * 0.16, w, line), fill=(134, 162, 116))
    for _ in range(2 + w * 4 // h):
        x, r, green = _span(rng, 0, w), h * _span(rng, 0.09, 0.20), tint((104, 144, 96), _span(rng, 0.75, 1.2))
        top = line - h * _span(rng, 0.30, 0.48)
        pen.rectangle((x - h * 0.012, top, x + h * 0.012, line - h * 0.02), fill=(116, 92, 74))
        pen.ellipse((x - r, top - r, x + r, top + r), fill=green)


def _station(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int, line: int, wall: RGB) -> None:
    step = max(6, int(h * 0.085))
    for y in range(0, line, step):
        pen.line((0, y, w, y), fill=tint(wall, 0.93), width=1)
    for x in range(int(rng.integers(0, step)), w, step):
        pen.line((x, 0, x, line), fill=tint(wall, 0.93), width=1)
    band = _choose(rng, ((92, 124, 156), (156, 108, 96), (104, 140, 120)))
    pen.rectangle((0, h * 0.20, w, h * 0.25), fill=band)
    pen.rectangle((0, line + h * 0.07, w, line + h * 0.09), fill=(222, 196, 96))


def _square(pen: ImageDraw.ImageDraw, rng: np.random.Generator, w: int, h: int, line: int, wall: RGB) -> None:
    x = -int(h * 0.1)
    while x < w:
        wide, top = int(h * _span(rng, 0.12, 0.28)), line - h * _span(rng, 0.15, 0.45)
        pen.rectangle((x, top, x + wide, line), fill=tint(_choose(rng, WALLS["street"]), _span(rng, 0.85, 1.1)))
        x += wide + int(h * 0.02)
    for y in (0.05, 0.12, 0.21):
        pen.line((0, line + h * y, w, line + h * y), fill=tint(wall, 0.8), width=1)


DRESSING = {"street": _street, "hall": _hall, "park": _park, "station": _station, "square": _square}


def backdrop(rng: np.random.Generator, width: int, height: int, place: str, ground_line: float = 0.72) -> np.ndarray:
    """A place [H, W, 3] uint8; the ground begins at the share `ground_line` of the height. Out of focus."""
    shrink = 2 if height >= 120 else 1
    w, h = -(-width // shrink), -(-height // shrink)
    line = int(h * ground_line)
    wall, ground = _choose(rng, WALLS[place]), _choose(rng, GROUNDS[place])
    fade = np.linspace(1.08, 0.92, line, dtype=np.float32)[:, None, None]
    floor = np.linspace(0.90, 1.10, h - line, dtype=np.float32)[:, None, None]
    columns = np.ones((1, w, 1), np.float32)
    pixels = np.concatenate(
        [fade * columns * np.array(wall, np.float32), floor * columns * np.array(ground, np.float32)]
    )
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    DRESSING[place](ImageDraw.Draw(picture), rng, w, h, line, wall)
    if shrink > 1:
        picture = picture.filter(ImageFilter.BoxBlur(max(0.6, h / 160))).resize(
            (width, height), Image.Resampling.BICUBIC
        )
    return np.asarray(picture)


def occluder(
    rng: np.random.Generator, width: int, height: int, kind: str, left: float, right: float
) -> tuple[np.ndarray, np.ndarray]:
    """A thing in front, (rgb [H, W, 3] uint8, mask [H, W] bool), placed about a figure that spans `left` to `right` pixels."""
    picture, mask = Image.new("RGB", (width, height)), Image.new("L", (width, height))
    span = max(right - left, 8.0)
    boxes: list[tuple[tuple[float, float, float, float], RGB]] = []
    if kind == "planter":
        top, x0 = height * _span(rng, 0.74, 0.86), left - span * _span(rng, -0.35, 0.3)
        boxes = [
            ((x0, top, x0 + span * 1.1, height), (142, 112, 92)),
            ((x0 - 2, top - 2, x0 + span * 1.1 + 2, top + height * 0.02), (120, 92, 76)),
        ]
    elif kind == "bin":
        top, x0 = height * _span(rng, 0.66, 0.80), (left - span * 0.12) if rng.random() < 0.5 else (right - span * 0.42)
        boxes = [
            ((x0, top, x0 + span * 0.55, height), (84, 98, 92)),
            ((x0 - 1, top, x0 + span * 0.55 + 1, top + height * 0.022), (60, 70, 66)),
        ]
    elif kind == "pole":
        x0 = left + span * _span(rng, 0.15, 0.75)
        boxes = [((x0, 0, x0 + max(2, span * 0.09), height), (110, 114, 120))]
    else:
        top = height * _span(rng, 0.62, 0.72)
        bars = [
            ((x, top, x + max(1.0, height * 0.009), height), (124, 128, 134))
            for x in np.arange(0, width, height * 0.055)
        ]
        boxes = [((0, top, width, top + max(2, height * 0.018)), (104, 108, 114)), *bars]
    for box, colour in boxes:
        ImageDraw.Draw(picture).rectangle(box, fill=colour)
        ImageDraw.Draw(mask).rectangle(box, fill=255)
    return np.asarray(picture), np.asarray(mask) > 0
