"""What one picture of a person shows: the view and the items that are truly visible in it, counted in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ufine_kit.world.people import Person
from ufine_kit.world.pose import Pose
from ufine_kit.world.raster import Sprite
from ufine_kit.world.shapes import PARTS

Box = tuple[int, int, int, int]


class Told(Protocol):
    """Whether a part or detail can be told: shown by `share` of itself and `least` of the figure."""

    def __call__(self, detail: str, share: float = ..., least: float = ...) -> bool:
        """True where it can."""
        ...


LEAST_PX = 4
LEAST_SHARE_OF_FIGURE = {
    "hair": 0.004,
    "headwear": 0.004,
    "glasses": 0.0008,
    "upper": 0.012,
    "outer": 0.02,
    "lower": 0.02,
    "shoes": 0.004,
    "bag": 0.006,
    "carried": 0.002,
}
LEAST_SHARE_OF_ITEM = 0.4


@dataclass(frozen=True)
class View:
    """One picture of one person: how it was taken, what it shows, and where.

    `visible` holds items (`hair`, `upper`, ...) and details (`hair length`, `upper pattern`, `shoes sole`, ...); `box` is
    x, y, w, h of the figure's visible pixels.
    """

    facing: str
    walking: bool
    place: str
    occluder: str | None
    visible: frozenset[str]
    box: Box


def _ratios(sprite: Sprite, shown: np.ndarray) -> tuple[dict[str, int], dict[str, float], int]:
    """Shown pixels by part or detail, the share of each that is shown, and the pixels of the whole figure."""
    drawn = np.bincount(sprite.index.ravel(), minlength=len(sprite.pieces) + 1)
    seen = np.bincount(shown.ravel(), minlength=len(sprite.pieces) + 1)
    totals: dict[str, list[int]] = {}
    for number, piece in enumerate(sprite.pieces, 1):
        for name in {piece.part, piece.detail} - {""}:
            entry = totals.setdefault(name, [0, 0])
            entry[0] += int(seen[number])
            entry[1] += int(drawn[number])
    shares = {name: a / b if b else 0.0 for name, (a, b) in totals.items()}
    return {name: a for name, (a, _) in totals.items()}, shares, int(drawn[1:].sum())


def visible_items(person: Person, pose: Pose, sprite: Sprite, shown: np.ndarray) -> frozenset[str]:
    """Items and details of `person` that can be told from the pixels of `shown`: the sprite's index map with 0 where hidden."""
    pixels, shares, figure = _ratios(sprite, shown)
    visible = {
        part
        for part, least in LEAST_SHARE_OF_FIGURE.items()
        if pixels.get(part, 0) >= max(LEAST_PX, least * figure) and shares[part] >= LEAST_SHARE_OF_ITEM
    }

    def told(detail: str, share: float = LEAST_SHARE_OF_ITEM, least: float = 0.0008) -> bool:
        return pixels.get(detail, 0) >= max(LEAST_PX, least * figure) and shares[detail] >= share

    whole = sum(pixels.get(part, 0) for part in PARTS) / max(figure, 1)
    head = told("head", 0.4) or told("hair") or told("headwear")
    if head:
        visible.add("head")
    if told("face", 0.5):
        visible.add("face")
    if whole >= 0.6:
        visible.add("build")
    if whole >= 0.93:
        visible.add("whole figure")
    if told("lower", 0.75, 0.02) and told("shoes", 0.5):
        visible.add("stance")
    return frozenset(visible | _details(person, pose, visible, told))


def _details(person: Person, pose: Pose, visible: set[str], told: Told) -> set[str]:
    details: set[str] = set()
    if "hair" in visible:
        if person.hair.style == "straight" or told("hair style"):
            details.add("hair style")
        if person.hair.style not in ("ponytail", "bun") or (
            person.hair.style == "ponytail" and "hair style" in details
        ):
            details.add("hair length")
    if "upper" in visible:
        details |= _upper_details(person, pose, told)
    if "outer" in visible and pose.facing == "front" and told("outer", 0.6):
        details.add("outer closing")
    if "lower" in visible:
        if told("lower length", 0.75):
            details.add("lower length")
        if person.lower.pattern != "side stripes" or told("lower pattern", 0.5):
            details.add("lower pattern")
    if "shoes" in visible and told("shoes sole", 0.5):
        details.add("shoes sole")
    return details


def _upper_details(person: Person, pose: Pose, told: Told) -> set[str]:
    worn, details = person.upper, set()
    if told("upper", 0.6, 0.03):
        details.add("upper kind")
        if worn.pattern == "print":
            shown = told("upper pattern", 0.6) and person.outer is None
        elif worn.pattern == "colour block":
            shown = told("upper", 0.85, 0.06)
        else:
            shown = worn.pattern != "plain" or pose.facing == "front"
        if shown:
            details.add("upper pattern")
    bare = person.outer is None or person.outer.kind == "padded vest"
    if bare and (worn.sleeves == "sleeveless" or told("upper sleeves", 0.5)):
        details.add("upper sleeves")
    return details


def view_of(
    person: Person, pose: Pose, sprite: Sprite, shown: np.ndarray, place: str, occluder: str | None, at: tuple[int, int]
) -> View:
    """The view that a sprite gives where its pixels `shown` are left, its corner lying `at` (x, y) in the picture."""
    rows, columns = np.nonzero(shown.any(axis=1))[0], np.nonzero(shown.any(axis=0))[0]
    box = (0, 0, 0, 0)
    if len(rows):
        box = (
            int(columns[0]) + at[0],
            int(rows[0]) + at[1],
            int(columns[-1] - columns[0]) + 1,
            int(rows[-1] - rows[0]) + 1,
        )
    return View(pose.facing, pose.walking, place, occluder, visible_items(person, pose, sprite, shown), box)


def as_row(view: View) -> Mapping[str, object]:
    """The view as a JSON object with sorted names."""
    return {
        "facing": view.facing,
        "walking": view.walking,
        "place": view.place,
        "occluder": view.occluder,
        "visible": sorted(view.visible),
    }
