"""Frames of a planned video with the truth of every frame: who stands where, who hides whom, and what is visible of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from ufine_kit.world.backdrop import backdrop
from ufine_kit.world.choreography import Shot, VideoPlan, Walk
from ufine_kit.world.draw import ground_shadow, paste
from ufine_kit.world.figure import pieces
from ufine_kit.world.people import Person
from ufine_kit.world.pose import Pose
from ufine_kit.world.raster import Sprite, render
from ufine_kit.world.view import visible_items

PHASES = 16  # pictures of one walking cycle


@dataclass(frozen=True)
class Seen:
    """One person in one frame (counted from 0).

    `box` is x, y, w, h of the whole figure in px, hidden and cut parts included; `visibility` the share of its pixels that
    shows; `hidden_by` maps identities in front to the share of the figure that they cover.
    """

    frame: int
    shot: int
    walk: int
    identity: int
    facing: str
    walking: bool
    place: str
    box: tuple[int, int, int, int]
    visibility: float
    visible: frozenset[str]
    hidden_by: Mapping[int, float]
    blurred: bool
    planted: str | None


def _resized(sprite: Sprite, factor: float) -> Sprite:
    """The sprite at another size; pixels of the index map are taken, not mixed."""
    tall, wide = sprite.index.shape
    size = max(1, round(wide * factor)), max(1, round(tall * factor))
    rgba = np.asarray(Image.fromarray(sprite.rgba).convert("RGBA").resize(size, Image.Resampling.BOX))
    index = np.asarray(Image.fromarray(sprite.index).resize(size, Image.Resampling.NEAREST))
    origin = sprite.origin[0] * size[0] / wide, sprite.origin[1] * size[1] / tall
    return replace(sprite, rgba=rgba, index=index, origin=origin, height_px=sprite.height_px * factor)


def _blurred(sprite: Sprite, radius: float) -> Sprite:
    """The sprite as a camera that is out of focus sees it."""
    picture = Image.fromarray(np.pad(sprite.rgba, ((8, 8), (8, 8), (0, 0))))
    bands = [band.filter(ImageFilter.GaussianBlur(radius)) for band in picture.split()]
    return replace(sprite, rgba=np.stack([np.asarray(band) for band in bands], axis=-1)[8:-8, 8:-8])


class Wardrobe:
    """Sprites of the walks of one shot, each walking picture drawn once."""

    def __init__(self, people: Mapping[int, Person]) -> None:
        self._people = people
        self._drawn: dict[tuple[int, int], tuple[Sprite, Pose]] = {}

    def sprite(self, walk: Walk, number: int, frame: int) -> tuple[Sprite, Pose]:
        """The figure of a walk in a frame, and its pose."""
        step = int(walk.phase_at(frame) / (2 * math.pi) * PHASES) % PHASES
        if (number, step) not in self._drawn:
            pose = Pose(walk.facing, walk.stride, step * 2 * math.pi / PHASES)
            tallest = max(walk.height_at(walk.first), walk.height_at(walk.end))
            self._drawn[number, step] = render(pieces(self._people[walk.identity], pose), tallest), pose
        sprite, pose = self._drawn[number, step]
        if walk.growth:
            factor = walk.height_at(frame) / sprite.height_px
            sprite = _resized(sprite, factor)
        if walk.blurred and walk.blurred[0] <= frame < walk.blurred[1]:
            sprite = _blurred(sprite, 0.022 * sprite.height_px)
        return sprite, pose


def _grain(rng: np.random.Generator, height: int, width: int, noise: float) -> np.ndarray:
    """A few frames of sensor noise, [8, H, W, 3] int16, taken in turn."""
    return np.rint(rng.standard_normal((8, height, width, 3), dtype=np.float32) * 2.5 * noise).astype(np.int16)


def _figure_box(sprite: Sprite, x: int, y: int) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(sprite.index.any(axis=1))[0], np.nonzero(sprite.index.any(axis=0))[0]
    return x + int(columns[0]), y + int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1


@dataclass(frozen=True)
class _Laid:
    """A figure laid into a frame: its walk, sprite, and the rows and columns of picture and sprite that meet."""

    number: int
    walk: Walk
    sprite: Sprite
    pose: Pose
    window: tuple[slice, slice, slice, slice]
    box: tuple[int, int, int, int]


def _lay(shot: Shot, wardrobe: Wardrobe, frame: int, picture: np.ndarray) -> tuple[list[_Laid], np.ndarray]:
    """Draw everybody over `picture` in place, from the far to the near; who owns each pixel (1 is the farthest)."""
    active = [(number, walk) for number, walk in enumerate(shot.walks) if walk.first <= frame < walk.end]
    active.sort(key=lambda entry: (entry[1].place_at(frame)[1], entry[0]))
    owner, laid = np.zeros(picture.shape[:2], np.uint8), list[_Laid]()
    for rank, (number, walk) in enumerate(active, 1):
        sprite, pose = wardrobe.sprite(walk, number, frame)
        middle, ground = walk.place_at(frame)
        x, y = round(middle - sprite.origin[0]), round(ground - sprite.origin[1])
        ground_shadow(picture, middle, ground - 0.008 * sprite.height_px, sprite.height_px)
        window = paste(picture, sprite, x, y)
        owner[window[0], window[1]][sprite.index[window[2], window[3]] > 0] = rank
        laid.append(_Laid(number, walk, sprite, pose, window, _figure_box(sprite, x, y)))
    return laid, owner


def _seen(shot: Shot, laid: list[_Laid], owner: np.ndarray, people: Mapping[int, Person], frame: int) -> list[Seen]:
    """The truth of one frame; who stands outside the picture is left out."""
    seen = []
    for rank, one in enumerate(laid, 1):
        walk, index = one.walk, one.sprite.index[one.window[2], one.window[3]]
        over = owner[one.window[0], one.window[1]]
        counts = np.bincount(over[index > 0], minlength=len(laid) + 1).tolist()
        if not sum(counts):
            continue
        total = int(np.count_nonzero(one.sprite.index))
        shown = np.where(over == rank, index, 0).astype(np.uint8)
        in_front = {
            other.walk.identity: counts[r] / total for r, other in enumerate(laid, 1) if r != rank and counts[r]
        }
        blurred = walk.blurred is not None and walk.blurred[0] <= frame < walk.blurred[1]
        seen.append(
            Seen(
                frame=frame,
                shot=shot.number,
                walk=one.number,
                identity=walk.identity,
                facing=walk.facing,
                walking=one.pose.walking,
                place=shot.place,
                box=one.box,
                visibility=counts[rank] / total,
                visible=visible_items(people[walk.identity], one.pose, one.sprite, shown),
                hidden_by=in_front,
                blurred=blurred,
                planted=walk.planted,
            )
        )
    return seen


def frames_of(plan: VideoPlan, people: Mapping[int, Person]) -> Iterator[tuple[np.ndarray, list[Seen]]]:
    """Every frame of a plan, [H, W, 3] uint8, with its people from the far to the near."""
    settings = plan.settings
    rng = np.random.default_rng([plan.seed, plan.number, 6])
    grain = _grain(rng, settings.height, settings.width, settings.noise)
    for shot in plan.shots:
        empty = backdrop(rng, settings.width, settings.height, shot.place, float(rng.uniform(0.46, 0.54)))
        wardrobe = Wardrobe(people)
        for frame in range(shot.first, shot.end):
            picture = empty.copy()
            seen = _seen(shot, *_lay(shot, wardrobe, frame, picture), people, frame)
            yield np.clip(picture + grain[frame % 8], 0, 255).astype(np.uint8), seen
