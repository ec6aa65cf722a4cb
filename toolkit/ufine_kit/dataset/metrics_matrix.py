"""Similarities that somebody else computed: a matrix in memory or in a mapped file, read some rows at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ufine_kit.dataset.metrics_scan import FloatArray, IntArray, Source
from ufine_kit.errors import KitError

SimilarityRange = Literal["cosine", "unit"]

LOWEST: dict[SimilarityRange, float] = {"cosine": -1.0, "unit": 0.0}
TOLERANCE = 1e-3  # a cosine from half precision may pass 1 by about this much; it is then read as 1
CHUNK_BYTES = 32 * 2**20


def matrix_source(
    matrix: npt.NDArray[Any],
    query_codes: IntArray,
    gallery_codes: IntArray,
    kept: IntArray,
    similarity_range: SimilarityRange,
    name: str,
) -> Source:
    """The source for the `kept` rows of a matrix [Q, G]; values are compared as they stand in it."""
    check_matrix(matrix, len(query_codes), len(gallery_codes), name)
    check_values(matrix, similarity_range, name)

    def similarity(start: int, stop: int, block: int) -> FloatArray:
        return comparable(matrix[kept[start:stop]])

    return Source(
        query_codes=query_codes[kept],
        gallery_codes=gallery_codes,
        gallery_rows=np.arange(len(gallery_codes)),
        query_of=np.arange(len(kept)),
        blocks=[(0, len(gallery_codes))],
        chunk=rows_at_a_time(matrix),
        cosine=similarity_range == "cosine",
        similarity=similarity,
    )


def rows_at_a_time(matrix: npt.NDArray[Any]) -> int:
    return max(1, CHUNK_BYTES // (matrix.shape[1] * 8))


def comparable(rows: npt.NDArray[Any]) -> FloatArray:
    """The same values as float32 or float64: what fits one exactly."""
    narrow = rows.dtype.kind == "f" and rows.dtype.itemsize <= 4
    return np.asarray(rows, np.float32 if narrow else np.float64)


def check_matrix(matrix: npt.NDArray[Any], queries: int, gallery: int, name: str) -> None:
    """Raise KitError unless the matrix is [Q, G] of numbers."""
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise KitError(f"{name} has shape {list(matrix.shape)}, wanted [queries, gallery]", "save the full matrix")
    if matrix.dtype.kind not in "fiu":
        raise KitError(f"{name} holds `{matrix.dtype}`, wanted numbers", "save it as `float32`")
    if matrix.shape == (queries, gallery):
        return
    problem = f"{name} has shape {list(matrix.shape)}, the ids say [{queries}, {gallery}]"
    turned = matrix.shape == (gallery, queries)
    raise KitError(problem, "transpose it: queries are rows" if turned else "save one row a query, one column an image")


def check_values(matrix: npt.NDArray[Any], similarity_range: SimilarityRange, name: str) -> None:
    """Raise KitError at the first row with NaN or a value outside the range."""
    lowest = LOWEST[similarity_range]
    step = rows_at_a_time(matrix)
    for start in range(0, len(matrix), step):
        rows = np.asarray(matrix[start : start + step])
        least, most = rows.min(axis=1), rows.max(axis=1)
        bad = np.flatnonzero(~((least >= lowest - TOLERANCE) & (most <= 1 + TOLERANCE)))
        if len(bad) == 0:
            continue
        row = f"row {start + bad[0]} of {name}"
        low, high = float(least[bad[0]]), float(most[bad[0]])
        if not np.isfinite([low, high]).all():
            raise KitError(
                f"{row} holds NaN or an infinite value", "compute that row again, or leave it out with its id"
            )
        span = f"{row} spans {low:.6g} to {high:.6g}, outside [{lowest:g}, 1]"
        fits = similarity_range == "unit" and low >= -1 - TOLERANCE and high <= 1 + TOLERANCE
        raise KitError(span, "--similarity-range cosine" if fits else "save cosine similarities of normalised features")
