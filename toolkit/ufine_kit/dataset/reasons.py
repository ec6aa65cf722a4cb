"""Why a crop is not kept: every reason that a verdict may carry, what it looks at, and one plain sentence on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ufine_kit.errors import KitError

Kind = Literal["picture", "identity", "selection"]


@dataclass(frozen=True)
class Reason:
    """`measure` is the column that is looked at (of `tracklets/` or `measures/`; empty where many are), `least` and `most`
    the keys of the recipe's `filter` table that bound it.
    """

    name: str
    kind: Kind
    measure: str
    sentence: str
    least: str | None = None
    most: str | None = None


_ALL = (
    Reason("unreadable", "picture", "", "The picture does not decode."),
    Reason("small", "picture", "height", "The crop is lower or narrower than asked for.", least="min_height_px"),
    Reason("aspect", "picture", "aspect", "Height by width is not that of a standing person.", "min_aspect", "max_aspect"),
    Reason("blurred", "picture", "sharpness", "Edges are too soft to tell details.", least="min_sharpness"),
    Reason("occluded", "picture", "max_overlap", "Another person's box covers too much of it.", most="max_overlap"),
    Reason("cut_off", "picture", "border_px", "The frame's border cuts the person off.", least="min_border_px"),
    Reason("dark", "picture", "brightness", "The picture is too dark.", least="min_brightness"),
    Reason("bright", "picture", "brightness", "The picture is too bright.", most="max_brightness"),
    Reason("flat", "picture", "contrast", "There is hardly any contrast.", least="min_contrast"),
    Reason("pose", "picture", "keypoints", "Too few points of the body are visible.", least="min_keypoints"),
    Reason("outlier", "identity", "embedding", "It looks unlike its identity, and like no neighbour.", least="keep_similarity"),
    Reason("duplicate", "identity", "dhash", "A better crop of the same identity looks just like it.", most="duplicate_bits"),
    Reason("few_crops", "identity", "", "Its identity has too few good crops.", least="min_crops"),
    Reason("not_selected", "selection", "", "Others of its identity were chosen for annotation.", most="max_images"),
    Reason("over_budget", "selection", "", "Its identity fell outside the budget of its video.", most="video_budget"),
)  # fmt: skip

# In the order in which a crop is judged.
REASONS: dict[str, Reason] = {reason.name: reason for reason in _ALL}


def reason(name: str) -> Reason:
    """The reason of a name. Raises KitError for one that no verdict carries."""
    if name not in REASONS:
        raise KitError(f"no reason `{name}`", f"choose one of: {', '.join(REASONS)}")
    return REASONS[name]
