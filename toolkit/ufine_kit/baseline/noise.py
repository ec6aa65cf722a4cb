"""What a trained model finds strange in a split: texts that fit another person far better, crops that look like another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ufine_kit.baseline.data import Pairs
from ufine_kit.baseline.subject import Features

FAR_RANK = 10  # a text whose own person is not among the first ten is worth a look
AT_ONCE = 1024  # rows of similarities in memory


def noise(pairs: Pairs, features: Features) -> list[dict[str, Any]]:
    """Suspects of a split, those of widest margin first: lines for a campaign in which people look again.

    `kind` `text`: the first image of the own person ranks below FAR_RANK. `kind` `crop`: another person's image lies nearer
    than every other image of the own person. `margin` is the difference of the two cosines. `campaign create fix` and
    `review` read the crop ids, and of a text its words and its `origin` (the caption's kind).
    """
    found = [*_texts(pairs, features), *_crops(pairs, features)]
    return sorted(found, key=lambda line: (line["kind"], -line["margin"], line["image_id"]))


def _texts(pairs: Pairs, features: Features) -> Iterator[dict[str, Any]]:
    people, own = pairs.people.numpy(), pairs.caption_people.numpy()
    images, offsets = pairs.caption_images.tolist(), pairs.caption_offsets
    kinds = pairs.origins.get("kind")
    for start, similar in _similarities(features.texts, features.images):
        mine, others = _best(similar, own[start : start + len(similar), None] == people[None])
        ranks = (similar > mine[:, None]).sum(axis=1) + 1
        for row in np.flatnonzero(ranks > FAR_RANK).tolist():
            caption, image = start + row, images[start + row]
            place, margin = int(others[1][row]), float(others[0][row] - mine[row])
            yield {
                "kind": "text",
                **_where(pairs, image, place, margin),
                "caption_index": caption - int(offsets[image]),
                "origin": kinds[caption] if kinds else None,
                "rank": int(ranks[row]),
                "text": pairs.captions[caption],
            }


def _crops(pairs: Pairs, features: Features) -> Iterator[dict[str, Any]]:
    people = pairs.people.numpy()
    for start, similar in _similarities(features.images, features.images):
        rows = np.arange(len(similar))
        similar[rows, start + rows] = -np.inf  # not itself
        mine, others = _best(similar, people[start : start + len(similar), None] == people[None])
        for row in np.flatnonzero(np.isfinite(mine) & (others[0] > mine)).tolist():
            yield {
                "kind": "crop",
                **_where(pairs, start + row, int(others[1][row]), float(others[0][row] - mine[row])),
            }


def _where(pairs: Pairs, image: int, other: int, margin: float) -> dict[str, Any]:
    return {
        "image_id": pairs.image_ids[image],
        "crop_id": pairs.crop_ids[image],
        "person_id": pairs.person_ids[int(pairs.people[image])],
        "nearest_image_id": pairs.image_ids[other],
        "nearest_crop_id": pairs.crop_ids[other],
        "nearest_person_id": pairs.person_ids[int(pairs.people[other])],
        "margin": round(margin, 6),
    }


def _similarities(rows: np.ndarray, gallery: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(rows), AT_ONCE):
        yield start, rows[start : start + AT_ONCE] @ gallery.T


def _best(similar: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Highest similarity [b] among the own person's images; highest among others', with its place."""
    mine = np.where(same, similar, -np.inf).max(axis=1)
    others = np.where(same, -np.inf, similar)
    return mine, (others.max(axis=1), others.argmax(axis=1))
