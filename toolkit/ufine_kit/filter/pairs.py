"""Identities of different videos that look alike: a list of questions ("same person?") for a review, never a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ufine_kit import parts
from ufine_kit.dataset.columns import read_columns
from ufine_kit.engine import Job, Step
from ufine_kit.filter.adapt import adapted, unit
from ufine_kit.filter.columns import Crops, read_crops
from ufine_kit.filter.rules import quality
from ufine_kit.tables import FilterTable

EXAMPLES = 3
# Rows of the similarity matrix that are held at a time.
_BLOCK = 512


def plan_pairs(work: Path) -> list[parts.PlanEntry]:
    """One part from everything that was judged; none while nothing is."""
    judged = parts.done_parts(work / "filter")
    used = [name for done in judged for name in done.inputs]
    inputs: dict[str, str | None] = dict.fromkeys([*used, *(f"filter/{done.part}" for done in judged)])
    return [parts.PlanEntry("", "pairs", inputs)] if judged else []


def open_pairs(table: dict[str, Any]) -> Step:
    """A step that gives the `IdentityPair` rows of all videos, the most alike first."""
    recipe = FilterTable.model_validate(table)

    def pairs(job: Job) -> Iterator[dict[str, Any]]:
        if recipe.pairs == 0:
            return
        crops = read_crops(job.upstream["tracklets"], job.upstream["measures"])
        person_of = kept_persons(job.upstream["filter"])
        place = {crop_id: i for i, crop_id in enumerate(crops["crop_id"].tolist())}
        kept = np.array([place[crop_id] for crop_id in person_of], dtype=np.int64)
        seen = crops.has_look[kept]
        kept, names = kept[seen], np.array(list(person_of.values()), dtype=str)[seen]
        if len(kept) == 0:
            return
        people, person = np.unique(names, return_inverse=True)
        centres, video = _centres(crops, kept, person, recipe.relative)
        examples = _examples(quality(crops)[kept], person, crops["crop_id"][kept])
        for one, other, similarity in nearest(centres, video, recipe):
            yield {
                "person_id": str(people[one]), "other_person_id": str(people[other]), "similarity": similarity,
                "crop_ids": examples[one], "other_crop_ids": examples[other],
            }  # fmt: skip

    return pairs


def kept_persons(verdicts: tuple[Path, ...]) -> dict[str, str]:
    """Kept crop -> its identity. Raises KitError that names a damaged file."""
    found: dict[str, str] = {}
    for path in verdicts:
        table = read_columns(path, ("crop_id", "person_id", "kept"))
        rows = zip(*(table[name].to_pylist() for name in ("crop_id", "person_id", "kept")), strict=True)
        found |= {crop_id: person_id for crop_id, person_id, kept in rows if kept}
    return found


def _centres(crops: Crops, kept: np.ndarray, person: np.ndarray, against_video: bool) -> tuple[np.ndarray, np.ndarray]:
    """Unit mean looks [k, d] and the number of the video [k] of every identity.

    Against their video: its mean is taken out, so that light and camera do not count, and then what wavers in all videos.
    """
    looks = crops.embedding[kept].astype(np.float64)
    names, video = np.unique(crops["video_sha256"][kept].astype(str), return_inverse=True)
    if against_video:
        for number in range(len(names)):
            looks[video == number] -= looks[video == number].mean(axis=0)
        taken = adapted(looks, person)
        looks = unit(looks) if taken is None else taken
    else:
        looks = unit(looks)
    centres = np.zeros((int(person.max()) + 1, looks.shape[1]))
    np.add.at(centres, person, looks)
    of_person = np.zeros(len(centres), dtype=np.int64)
    of_person[person] = video
    return unit(centres), of_person


def _examples(best: np.ndarray, person: np.ndarray, crop_ids: np.ndarray) -> list[list[str]]:
    order = np.lexsort((np.arange(len(person)), -best, person))
    groups = np.split(crop_ids[order], np.flatnonzero(np.diff(person[order])) + 1)
    return [group[:EXAMPLES].tolist() for group in groups]


def nearest(centres: np.ndarray, video: np.ndarray, recipe: FilterTable) -> list[tuple[int, int, float]]:
    """(identity, identity, cosine) of different videos, the most alike first: at most `pairs`, each in at most `pairs_each`."""
    found: list[tuple[float, int, int]] = []
    for first in range(0, len(centres), _BLOCK):
        near = np.round(centres[first : first + _BLOCK] @ centres.T, 4)
        others = video[None, :] != video[first : first + _BLOCK, None]
        later = np.arange(len(centres))[None, :] > np.arange(first, first + len(near))[:, None]
        rows, columns = np.nonzero(others & later & (near >= recipe.pair_similarity))
        found += zip((-near[rows, columns]).tolist(), (rows + first).tolist(), columns.tolist(), strict=True)
        found = sorted(found)[
            : 50 * recipe.pairs
        ]  # memory stays bounded, with room for those that `pairs_each` refuses
    chosen: list[tuple[int, int, float]] = []
    asked: Counter[int] = Counter()
    for minus, one, other in sorted(found):
        if len(chosen) == recipe.pairs:
            break
        if max(asked[one], asked[other]) < recipe.pairs_each:
            asked.update((one, other))
            chosen.append((one, other, -minus))
    return chosen
