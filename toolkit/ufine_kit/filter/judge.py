"""Judge crops by the thresholds of the recipe: every crop gets a verdict, and a dropped one all of its reasons.

No pixel is read here. A part holds whole videos, since identities are mended over all segments of a video.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ufine_kit.engine import Job, Step
from ufine_kit.filter.adapt import unit
from ufine_kit.filter.columns import Crops, read_crops
from ufine_kit.filter.duplicates import near_duplicates
from ufine_kit.filter.identities import Persons, as_tracked, mended
from ufine_kit.filter.rules import failed, quality
from ufine_kit.filter.select import Candidates, select
from ufine_kit.filter.spans import Tracklets, read_tracklets
from ufine_kit.tables import FilterTable


def open_judge(table: dict[str, Any]) -> Step:
    """A step that gives one `Verdict` row for every crop of the part's videos."""
    recipe = FilterTable.model_validate(table)

    def judge(job: Job) -> Iterator[dict[str, Any]]:
        crops = read_crops(job.upstream["tracklets"], job.upstream["measures"])
        tracklets = read_tracklets(crops, job.upstream["tracklets"])
        persons, against = judged(crops, tracklets, recipe)
        kept = ~np.any(list(against.values()), axis=0)
        job.said.facts |= {
            "kept": int(kept.sum()), "tracklets": len(np.unique(tracklets.of_crop[kept])),
            "identities": len(np.unique(persons.person[kept])), "merged": persons.merged, "moved": persons.moved,
        }  # fmt: skip
        names = tracklets.name[persons.person]
        reasons: list[list[str]] = [[] for _ in range(len(crops))]
        for name, which in against.items():
            for i in np.flatnonzero(which).tolist():
                reasons[i].append(name)
        for crop_id, name, why in zip(crops["crop_id"], names.tolist(), reasons, strict=True):
            yield {"crop_id": crop_id, "person_id": name, "kept": not why, "reasons": why}

    return judge


def judged(crops: Crops, tracklets: Tracklets, recipe: FilterTable) -> tuple[Persons, dict[str, np.ndarray]]:
    """Whose every crop is, and reason -> which crops it speaks against, bool [n].

    A later reason looks only at crops that no earlier one spoke against: pictures, identities, doubles, selection.
    """
    against = failed(crops, recipe)
    good = ~np.any(list(against.values()), axis=0)
    persons = mended(crops, tracklets, good, recipe) if recipe.identities else as_tracked(crops, tracklets)
    against["outlier"] = persons.outlier
    good &= ~persons.outlier
    best = quality(crops)
    against["duplicate"] = near_duplicates(crops.dhash, persons.person, best, good, recipe.duplicate_bits)
    good &= ~against["duplicate"]
    against["few_crops"] = (
        good & (np.bincount(persons.person[good], minlength=len(tracklets.name)) < recipe.min_crops)[persons.person]
    )
    good &= ~against["few_crops"]
    if recipe.max_images or recipe.mean_images or recipe.video_budget:
        against |= _selected(crops, tracklets, persons, best, good, recipe)
    return persons, against


def _selected(
    crops: Crops, tracklets: Tracklets, persons: Persons, best: np.ndarray, good: np.ndarray, recipe: FilterTable
) -> dict[str, np.ndarray]:
    among = np.flatnonzero(good)
    person = persons.person[among]
    look = unit(crops.embedding[among]) if crops.has_look[among].all() else np.zeros((len(among), 0))
    candidates = Candidates(
        person, tracklets.video[person], crops["seconds"][among], best[among], look, tracklets.name[person]
    )
    found: dict[str, np.ndarray] = {}
    for name, which in zip(("not_selected", "over_budget"), select(candidates, recipe), strict=True):
        found[name] = np.zeros(len(crops), dtype=bool)
        found[name][among[which]] = True
    return found
