"""Images with captions in memory: a retrieval set of the world for training and measuring, without a file written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ufine_kit.world.draw import Drawing, Variation, draw_crop
from ufine_kit.world.sampling import sample_person
from ufine_kit.world.texts import STYLES, describe
from ufine_kit.world.writers import sample_writers


class Sample(NamedTuple):
    """One image of a retrieval set: `image` [H, W, 3] uint8 and its captions."""

    person_id: int
    image: np.ndarray
    captions: tuple[str, ...]
    drawing: Drawing


def retrieval_set(
    identities: int,
    images_each: int = 4,
    seed: int = 0,
    *,
    size: tuple[int, int] = (96, 48),
    captions_each: int = 2,
    granularity: str = "fine",
    style: str | None = None,
    near_alike: float = 0.1,
    start: int = 0,
    variation: Variation | None = None,
) -> Iterator[Sample]:
    """Samples of identities `start` to `start + identities`, image by image; `style` None takes any, text by text.

    Other identities of the same seed (another `start`) make a test set that shares nobody with this one.
    """
    writers = sample_writers(8, seed)
    for identity in range(start, start + identities):
        person = sample_person(identity, seed, near_alike)
        for number in range(images_each):
            rng = np.random.default_rng([seed, identity, number, 4])
            drawing = draw_crop(person, rng, size, variation=variation)
            captions = []
            for _ in range(captions_each):
                chosen = style or STYLES[int(rng.integers(len(STYLES)))]
                habits = writers[int(rng.integers(len(writers)))].habits
                captions.append(describe(person, drawing.view, granularity, chosen, habits, rng))
            yield Sample(identity, drawing.image, tuple(captions), drawing)
