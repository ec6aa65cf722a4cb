"""SD as the file mSD_Calculator.py of the UFineBench repository computes it, so that its numbers can be reproduced.

That file marks matches in rank order and multiplies the marks with similarities in gallery order. Its value follows
the definition only where the gallery is already sorted for the query, and it changes when the gallery is permuted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ufine_kit.dataset.metrics_scan import Source, Ties, chunks, positive_negative_ratio, unit_values


def released_sd(source: Source, ties: Ties) -> npt.NDArray[np.float64]:
    """[N] SD of every distinct query by the published order; sorts each row, so it is meant for small galleries."""
    unit = unit_values(source)
    scores = np.empty(len(source.query_codes))
    for chunk in chunks(source):
        rows = gallery_order_rows(source, chunk.start, chunk.stop)
        for i, row in enumerate(rows):
            matches = np.zeros(len(row), np.bool_)
            matches[source.gallery_rows[chunk.columns[chunk.offsets[i] : chunk.offsets[i + 1]]]] = True
            scores[chunk.start + i] = released_row(row, unit(row), matches, ties)
    return scores


def gallery_order_rows(source: Source, start: int, stop: int) -> npt.NDArray[np.float64]:
    """[stop - start, G] similarities with columns as the caller gave them."""
    rows = np.empty((stop - start, len(source.gallery_codes)))
    for block, (first, last) in enumerate(source.blocks):
        rows[:, source.gallery_rows[first:last]] = source.similarity(start, stop, block)
    return rows


def released_row(
    similarity: npt.NDArray[np.float64], unit: npt.NDArray[np.float64], matches: npt.NDArray[np.bool_], ties: Ties
) -> float:
    """SD of one query from [G] values and matches, both in gallery order."""
    late = matches if ties == "pessimistic" else ~matches
    marks = matches[np.lexsort((late, -similarity))]  # in rank order, as published
    marked = unit * marks  # `unit` stays in gallery order, as published
    places = np.flatnonzero(marks)
    down_to = unit.cumsum()[places]
    precision = np.arange(1, len(places) + 1) / (places + 1)
    share = np.divide(marked.cumsum()[places], down_to, out=precision, where=down_to > 0)
    sums = np.array([marked.sum()]), np.array([unit.sum()])
    return float(positive_negative_ratio(*sums, len(places), len(unit))[0] * share.mean())
