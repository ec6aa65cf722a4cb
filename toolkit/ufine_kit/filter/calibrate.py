"""Thresholds for an embedding on one's own videos: persons seen together are different, halves of a tracklet the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ufine_kit.errors import KitError
from ufine_kit.filter.adapt import unit
from ufine_kit.filter.columns import read_crops
from ufine_kit.filter.identities import of_videos, relative
from ufine_kit.filter.rules import failed
from ufine_kit.filter.spans import Tracklets, read_tracklets
from ufine_kit.output import count
from ufine_kit.tables import FilterTable

# A tracklet is halved when it has this many good crops.
_LEAST_CROPS = 4
# The highest rate that may be asked for.
HIGHEST_RATE = 0.5
# Share of the crops of pure tracklets that the filter-out may cost.
LOST = 0.03


@dataclass
class Evidence:
    """Similarities of known pairs: `different` and `same` of two centres, `stranger` and `own` of a crop to a centre."""

    different: list[float]
    same: list[float]
    stranger: list[float]
    own: list[float]


@dataclass(frozen=True)
class Calibration:
    """Thresholds, and what they were told from. `found_again` is the share of halves that `merge` would join."""

    keep: float
    move: float
    merge: float
    different_pairs: int
    same_pairs: int
    found_again: float


def calibrate(groups: Sequence[Sequence[tuple[Path, Path]]], recipe: FilterTable, false_merges: float) -> Calibration:
    """Thresholds at which a share `false_merges` of known-different pairs would be merged.

    `groups` are (tracklets part, measures part) of whole videos. Raises KitError where too few people are seen together.
    """
    known = Evidence([], [], [], [])
    for group in groups:
        _add(group, recipe, known)
    return thresholds(known, false_merges)


def thresholds(known: Evidence, false_merges: float) -> Calibration:
    """The smallest thresholds that keep to the rate. Raises KitError where there are too few pairs to tell it."""
    pairs = len(known.different)
    if not known.own or pairs * false_merges < 1:
        mend = "add videos"
        if known.own and pairs * HIGHEST_RATE >= 1:
            mend += f", or give --false-merge-rate {min(max(2 / pairs, 0.01), HIGHEST_RATE):.2g}"
        raise KitError(
            f"{count(pairs, 'pair')} of people seen together are too few to tell a rate of {false_merges:g}", mend
        )
    merge = _above(known.different, false_merges)
    same = np.array(known.same)
    return Calibration(
        keep=_floor(float(np.quantile(known.own, LOST))),
        move=_above(known.stranger, false_merges),
        merge=merge,
        different_pairs=len(known.different),
        same_pairs=len(known.same),
        found_again=round(float((same > merge).mean()), 4) if len(same) else 0.0,
    )


def _above(similarities: list[float], share: float) -> float:
    """The least of two digits that at most this share of similarities lies above."""
    ordered = np.sort(similarities)[::-1]
    return min(1.0, float(np.ceil(ordered[int(share * len(ordered))] * 100) / 100))


def _floor(similarity: float) -> float:
    return float(np.floor(similarity * 100) / 100)


def _add(group: Sequence[tuple[Path, Path]], recipe: FilterTable, known: Evidence) -> None:
    crops = read_crops([tracklets for tracklets, _ in group], [measures for _, measures in group])
    tracklets = read_tracklets(crops, [path for path, _ in group])
    good = ~np.any(list(failed(crops, recipe).values()), axis=0)
    for members in of_videos(tracklets, good & crops.has_look):
        looks = relative(crops.embedding[members], tracklets.of_crop[members], recipe.relative)
        if looks is not None:
            _compare(looks, members[np.argsort(crops["frame"][members], kind="stable")], members, tracklets, known)


def _compare(
    looks: np.ndarray, in_time: np.ndarray, members: np.ndarray, tracklets: Tracklets, known: Evidence
) -> None:
    at = np.searchsorted(members, in_time)  # crops of the video in order of time, as rows of `looks`
    place = tracklets.of_crop[in_time]
    places = np.unique(place)
    rows = [at[place == one] for one in places]
    centres = unit(np.stack([looks[some].mean(axis=0) for some in rows]))
    for i, some in enumerate(rows):
        together = tracklets.together(int(places[i]), places)
        together[i] = False
        known.different += (centres[together] @ centres[i])[np.flatnonzero(together) > i].tolist()
        known.stranger += (looks[some] @ centres[together].T).ravel().tolist()
        if len(some) > 1:
            rest = unit(looks[some].sum(axis=0) - looks[some])
            known.own += (looks[some] * rest).sum(axis=1).tolist()
        if len(some) >= _LEAST_CROPS:
            half = len(some) // 2
            halves = unit(np.stack([looks[some[:half]].mean(axis=0), looks[some[half:]].mean(axis=0)]))
            known.same.append(float(halves[0] @ halves[1]))
