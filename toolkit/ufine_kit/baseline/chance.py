"""What a model that knows nothing would hit, and how far luck may carry it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ufine_kit.baseline.data import Pairs
from ufine_kit.baseline.subject import scored


@dataclass(frozen=True)
class Shuffled:
    """R@1 in hits, with the captions dealt to persons at random."""

    hits: int
    queries: int
    chance: float  # of one query
    low: int
    high: int

    @property
    def at_chance(self) -> bool:
        """Whether the hits lie within the interval."""
        return self.low <= self.hits <= self.high


def shuffled(texts: np.ndarray, images: np.ndarray, pairs: Pairs, seed: int = 0, level: float = 0.99) -> Shuffled:
    """Score texts [M, D] against images [N, D] after dealing the persons of the captions anew, caption by caption.

    The chance of a query is the share of the gallery that shows its new person. Above it lies only what does not come from
    the words: a leak through the order of rows, through file names, or through the metric.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    found = scored(texts[order], images, pairs)
    assert found.per_query is not None
    chance = float(found.per_query.positives.mean()) / found.gallery
    hits = int((found.per_query.first_hit == 1).sum())
    return Shuffled(hits, found.queries, chance, *binomial_interval(found.queries, chance, level))


def binomial_interval(trials: int, chance: float, level: float) -> tuple[int, int]:
    """The central interval of hits: at most (1 - level) / 2 of the binomial distribution lies below, and as much above.

    Where chance is certain, as in a gallery of one person, every trial hits.
    """
    if chance >= 1:
        return trials, trials
    edge = (1 - level) / 2
    number = np.arange(trials + 1)
    choices = math.lgamma(trials + 1) - _log_factorials(number) - _log_factorials(trials - number)
    cumulative = np.exp(choices + number * math.log(chance) + (trials - number) * math.log1p(-chance)).cumsum()
    return int(np.searchsorted(cumulative, edge, "right")), int(np.searchsorted(cumulative, 1 - edge, "left"))


def _log_factorials(numbers: np.ndarray) -> np.ndarray:
    return np.array([math.lgamma(number + 1) for number in numbers.tolist()])
