"""Whose crop is whose: the seed filter over every video of a part, on looks that were taken against their video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ufine_kit.filter.adapt import adapted, unit
from ufine_kit.filter.columns import Crops
from ufine_kit.filter.seed import SeedRules, seed_filter
from ufine_kit.filter.spans import Tracklets
from ufine_kit.tables import FilterTable


@dataclass(frozen=True)
class Persons:
    """`person` [n] is the place of the tracklet that every crop's identity is named after; `outlier` [n] fits none."""

    person: np.ndarray
    outlier: np.ndarray
    moved: int
    merged: int


def as_tracked(crops: Crops, tracklets: Tracklets) -> Persons:
    """Every tracklet is an identity."""
    return Persons(tracklets.of_crop.copy(), np.zeros(len(crops), dtype=bool), 0, 0)


def mended(crops: Crops, tracklets: Tracklets, good: np.ndarray, recipe: FilterTable) -> Persons:
    """Identities by Algorithm 1. Only good crops with a look say what an identity looks like; the others follow their tracklet.

    A video with too few tracklets to tell what its crops share stays as it was tracked.
    """
    found = as_tracked(crops, tracklets)
    rules = SeedRules(
        recipe.keep_similarity, recipe.move_similarity, recipe.merge_similarity, recipe.move_window, recipe.merge_window
    )
    moved = merged = 0
    for members in of_videos(tracklets, good & crops.has_look):
        looks = relative(crops.embedding[members], tracklets.of_crop[members], recipe.relative)
        if looks is None:
            continue
        places, of_crop = np.unique(tracklets.of_crop[members], return_inverse=True)  # places rise with time
        made = seed_filter(looks, of_crop, len(places), lambda i, k, at=places: tracklets.together(at[i], at[k]), rules)
        found.outlier[members[made.owner < 0]] = True
        moved += int(((made.owner >= 0) & (made.owner != made.root[of_crop])).sum())
        merged += int((made.root != np.arange(len(places))).sum())
        root = np.arange(len(tracklets.name))
        root[places] = places[made.root]
        of_video = tracklets.video[tracklets.of_crop] == tracklets.video[places[0]]
        found.person[of_video] = root[tracklets.of_crop[of_video]]
        found.person[members[made.owner >= 0]] = places[made.owner[made.owner >= 0]]
    return Persons(found.person, found.outlier, moved, merged)


def of_videos(tracklets: Tracklets, which: np.ndarray) -> list[np.ndarray]:
    """Indices of some crops [n, bool], one array a video."""
    video = tracklets.video[tracklets.of_crop]
    return [np.flatnonzero(which & (video == number)) for number in np.unique(video[which])]


def relative(embedding: np.ndarray, of_crop: np.ndarray, against_video: bool) -> np.ndarray | None:
    """Unit looks of one video's crops, taken against what they share if asked; None where that cannot be told."""
    return adapted(embedding, of_crop) if against_video else unit(embedding)
