"""How sure a mean is: percentile bootstrap intervals, and a paired comparison of two systems on the same queries.

Queries of one identity share their gallery images, so by default whole identities are drawn, not single queries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ufine_kit.dataset.metrics import METRICS, PerQuery
from ufine_kit.dataset.metrics_ids import Labels, as_labels
from ufine_kit.errors import KitError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairedDifference:
    """First system minus second in percent points, its interval, and the p-value of no difference (two-sided)."""

    difference: float
    low: float
    high: float
    p: float


def bootstrap(
    scores: PerQuery, identities: Labels | None, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Percentile interval of each metric in percent, keys as METRICS.

    `identities` [Q] are drawn with replacement, each with all its queries (the mean is taken over the drawn queries);
    None draws single queries. Raises KitError where there is less than two of them.
    """
    check_draws(resamples, level)
    low, high = percentiles(*clusters(scores.table(), identities), resamples, seed, level)
    return {name: (float(a), float(b)) for name, a, b in zip(METRICS, low, high, strict=True)}


def compare(
    first: PerQuery,
    second: PerQuery,
    identities: Labels | None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, PairedDifference]:
    """First minus second on the same queries, keys as METRICS; both must come from the same ids.

    The interval is the bootstrap's. For p the sign of each identity's summed difference is flipped at random: under no
    difference the two systems could be exchanged within an identity. p = (1 + flips at least as far from 0) / (1 + flips).
    """
    check_draws(resamples, level)
    if not np.array_equal(first.positives, second.positives):
        raise KitError("the two systems were not scored on the same queries and gallery", "use the same ids for both")
    sums, sizes = clusters(first.table() - second.table(), identities)
    low, high = percentiles(sums, sizes, resamples, seed, level)
    difference = column_sums(sums) / sizes.sum() * 100
    p = sign_flip_p(sums, resamples, seed)
    columns = zip(difference, low, high, p, strict=True)
    return {name: PairedDifference(*map(float, row)) for name, row in zip(METRICS, columns, strict=True)}


def check_draws(resamples: int, level: float) -> None:
    if resamples < 1:
        raise KitError(f"{resamples} resamples give no interval", "--bootstrap 1000")
    if not 0 < level < 1:
        raise KitError(f"{level} is no level of confidence", "choose one between 0 and 1, such as 0.95")


def clusters(table: Floats, identities: Labels | None) -> tuple[Floats, Floats]:
    """Sums [C, 6] and sizes [C] of the scored queries of each identity, in an order that follows from the values."""
    scored = np.flatnonzero(~np.isnan(table[:, 0]))
    if identities is None:
        sums, sizes = table[scored], np.ones(len(scored))
        sums = sums[np.lexsort(sums.T)]
    else:
        labels = as_labels(identities, "`identities`", len(table))[scored]
        members = list(members_of(labels))
        sums = np.array([column_sums(table[scored[some]]) for some in members])
        sizes = np.array([len(some) for some in members], np.float64)
    if len(sizes) < 2:
        what = "query" if identities is None else "identity"
        raise KitError(f"{len(sizes)} {what} to draw from: no interval can be given", "--bootstrap 0")
    return sums, sizes


def members_of(labels: npt.NDArray[np.generic]) -> Iterator[npt.NDArray[np.int64]]:
    """The places of each label, labels ascending."""
    order = np.argsort(labels, kind="stable")
    borders = np.flatnonzero(labels[order][1:] != labels[order][:-1]) + 1
    return iter(np.split(order, borders))


def column_sums(table: Floats) -> Floats:
    """[6] rounded once, so the order of the rows does not matter."""
    return np.array([math.fsum(column) for column in table.T])


def percentiles(sums: Floats, sizes: Floats, resamples: int, seed: int, level: float) -> Floats:
    """[2, 6] in percent: the ends of the middle `level` of the means over drawn clusters."""
    generator = np.random.default_rng(seed)
    totals = np.column_stack([sums, sizes])
    drawn = np.empty((resamples, totals.shape[1]))
    for row in drawn:
        times = np.bincount(generator.integers(0, len(sizes), len(sizes)), minlength=len(sizes))
        row[:] = times @ totals
    edge = (1 - level) / 2
    return np.quantile(drawn[:, :-1] / drawn[:, -1:] * 100, [edge, 1 - edge], axis=0)


def sign_flip_p(sums: Floats, flips: int, seed: int) -> Floats:
    """[6] two-sided Monte Carlo p-values."""
    generator = np.random.default_rng([seed, 1])
    # The flipped sums carry rounding of their own; equal in exact arithmetic must count as equally far.
    far = np.abs(sums.sum(axis=0)) - 1e-9
    farther = np.zeros(sums.shape[1])
    for _ in range(flips):
        signs = generator.integers(0, 2, len(sums)) * 2.0 - 1.0
        farther += np.abs(signs @ sums) >= far
    return (1 + farther) / (1 + flips)
