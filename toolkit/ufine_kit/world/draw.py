"""One crop of one person: figure, place, light, occlusion and noise put together, with its truth."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ufine_kit.world.backdrop import OCCLUDERS, PLACES, backdrop, occluder
from ufine_kit.world.figure import pieces
from ufine_kit.world.people import Person
from ufine_kit.world.pose import sample_pose
from ufine_kit.world.raster import Sprite, render
from ufine_kit.world.view import View, view_of

CROP_SIZE = (384, 128)  # height, width


@dataclass(frozen=True)
class Drawing:
    """A crop: `image` [H, W, 3] uint8, `parts` [H, W] uint8 (numbers of PARTS), and the view that it is."""

    image: np.ndarray
    parts: np.ndarray
    view: View


@dataclass(frozen=True)
class Variation:
    """How far crops vary; `Variation.plain()` is an evenly lit, unhidden, noiseless figure."""

    light: float = 0.18
    scale: float = 0.10
    shift: float = 0.04
    occlusion: float = 0.15
    noise: float = 1.0

    @classmethod
    def plain(cls) -> Variation:
        """Nothing varies but pose and place."""
        return cls(0.0, 0.0, 0.0, 0.0, 0.0)


def _window(sprite: Sprite, x: int, y: int, width: int, height: int) -> tuple[slice, slice, slice, slice]:
    """Rows and columns of the picture, and of the sprite, where a sprite with its corner at (x, y) covers the picture."""
    tall, wide = sprite.index.shape
    top, bottom, left, right = max(y, 0), min(y + tall, height), max(x, 0), min(x + wide, width)
    bottom, right = max(bottom, top), max(right, left)
    return slice(top, bottom), slice(left, right), slice(top - y, bottom - y), slice(left - x, right - x)


def paste(picture: np.ndarray, sprite: Sprite, x: int, y: int) -> tuple[slice, slice, slice, slice]:
    """Lay a sprite over `picture` [H, W, 3] uint8 in place, its corner at (x, y); returns the window it covers."""
    rows, columns, own_rows, own_columns = _window(sprite, x, y, picture.shape[1], picture.shape[0])
    rgba = sprite.rgba[own_rows, own_columns]
    under = picture[rows, columns].astype(np.uint16)
    under *= 255 - rgba[..., 3:].astype(np.uint16)
    under //= 255
    under += rgba[..., :3]
    picture[rows, columns] = np.minimum(under, 255)
    return rows, columns, own_rows, own_columns


def ground_shadow(picture: np.ndarray, x: float, y: float, height_px: float) -> None:
    """Darken the ground under a figure that stands at (x, y), in place."""
    rx, ry = 0.15 * height_px, 0.022 * height_px
    top, bottom = max(0, int(y - ry)), min(picture.shape[0], int(y + ry) + 1)
    left, right = max(0, int(x - rx)), min(picture.shape[1], int(x + rx) + 1)
    if bottom <= top or right <= left:
        return
    rows, columns = np.mgrid[top:bottom, left:right]
    inside = 1 - ((columns - x) / rx) ** 2 - ((rows - y) / ry) ** 2
    dark = 1 - 0.35 * np.clip(inside * 2, 0, 1)[..., None]
    picture[top:bottom, left:right] = (picture[top:bottom, left:right] * dark).astype(np.uint8)


def expose(rng: np.random.Generator, image: np.ndarray, light: float, noise: float) -> np.ndarray:
    """Brightness, colour of the light and sensor noise on [H, W, 3] uint8."""
    gain = 1 + float(rng.uniform(-light, light)) if light else 1.0
    warm = float(rng.uniform(-0.04, 0.04)) if light else 0.0
    lit = image.astype(np.float32)
    lit *= np.array([gain * (1 + warm), gain, gain * (1 - warm)], np.float32)
    if noise:
        spread = float(rng.uniform(1.0, 5.0)) * noise
        grain = rng.integers(0, 256, size=image.shape, dtype=np.uint8).astype(np.float32)
        grain += rng.integers(0, 256, size=image.shape, dtype=np.uint8)
        grain -= 255.0
        lit += grain * (spread / 104.0)  # the sum of two even grains of 256 steps has a deviation of 104
    return np.clip(lit, 0, 255).astype(np.uint8)


def draw_crop(
    person: Person,
    seed: np.random.Generator | int,
    size: tuple[int, int] = CROP_SIZE,
    *,
    facing: str | None = None,
    variation: Variation | None = None,
) -> Drawing:
    """Draw `person` once as a crop of `size` (height, width); the same seed draws the same crop. `facing` fixes the view."""
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng([seed, person.identity, 1])
    vary = variation or Variation()
    height, width = size
    pose = sample_pose(rng, facing)
    place = PLACES[int(rng.integers(len(PLACES)))]
    picture = backdrop(rng, width, height, place, float(rng.uniform(0.62, 0.80))).copy()
    room = min(height * 0.90, width / 0.40)
    tall = room * (1 + float(rng.uniform(-vary.scale, vary.scale * 0.6)))
    sprite = render(pieces(person, pose), tall, float(rng.uniform(-1, 1)))
    middle = width / 2 + float(rng.uniform(-vary.shift, vary.shift)) * width
    ground = height / 2 + tall * 0.50 + float(rng.uniform(-vary.shift, vary.shift)) * height * 0.5
    x, y = round(middle - sprite.origin[0]), round(ground - sprite.origin[1])
    ground_shadow(picture, middle, ground - 0.008 * tall, tall)
    rows, columns, own_rows, own_columns = paste(picture, sprite, x, y)
    index = np.zeros((height, width), np.uint8)
    index[rows, columns] = sprite.index[own_rows, own_columns]
    hidden_by = None
    if rng.random() < vary.occlusion:
        hidden_by = OCCLUDERS[int(rng.integers(len(OCCLUDERS)))]
        front, mask = occluder(rng, width, height, hidden_by, x, x + sprite.index.shape[1])
        picture[mask] = front[mask]
        index[mask] = 0
    view = view_of(person, pose, sprite, index, place, hidden_by, (0, 0))
    return Drawing(expose(rng, picture, vary.light, vary.noise), sprite.part_numbers[index], view)


def jpeg(image: np.ndarray, quality: int = 92) -> bytes:
    """JPEG bytes of [H, W, 3] uint8."""
    kept = io.BytesIO()
    Image.fromarray(image).save(kept, "JPEG", quality=quality)
    return kept.getvalue()


def crop_jpeg(
    person: Person, seed: np.random.Generator | int, size: tuple[int, int] = CROP_SIZE, quality: int = 92
) -> bytes:
    """`draw_crop` as JPEG bytes."""
    return jpeg(draw_crop(person, seed, size).image, quality)
