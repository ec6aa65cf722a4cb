"""Cosine similarities from features, a block at a time, with the same bits in whatever order the rows arrive.

A matrix product may differ in its last bit with the place of a row, which makes and breaks ties. So rows are put in
an order of their own (identity, then digest of the normalised row), equal rows are multiplied once, and the block
borders follow from that order alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ufine_kit.dataset.metrics_scan import FloatArray, IntArray, Source
from ufine_kit.errors import KitError

FLOAT64_PRODUCTS = 2**31  # Q * G * D up to here is multiplied in float64, above in float32
FLOAT64_GRID = 2.0**-40  # float64 similarities are rounded to this: the noise of a product is no difference
BLOCK_COLUMNS = 16384
CHUNK_BYTES = 64 * 2**20  # similarities at a time
ROWS_AT_A_TIME = 1024


@dataclass(frozen=True)
class Features:
    """Rows [N, D] as they lie in memory or in a mapped file, with what makes a row of length 1."""

    rows: npt.NDArray[Any]  # [N, D]
    inverse_norms: npt.NDArray[np.float64]  # [N]
    digests: npt.NDArray[np.uint64]  # [N, 2] of the normalised row: equal only where the rows are equal
    dtype: npt.DTypeLike

    def normalised(self, index: IntArray) -> FloatArray:
        """[len(index), D] of length 1; the product is formed in float64, so a row's bits depend on the row alone."""
        out = np.empty((len(index), self.rows.shape[1]), self.dtype)
        for start in range(0, len(index), ROWS_AT_A_TIME):
            some = index[start : start + ROWS_AT_A_TIME]
            out[start : start + len(some)] = self.rows[some] * self.inverse_norms[some][:, None]
        return out


def feature_source(
    query_features: npt.NDArray[Any],
    gallery_features: npt.NDArray[Any],
    query_codes: IntArray,
    gallery_codes: IntArray,
    kept: IntArray,
    names: tuple[str, str],
) -> Source:
    """The source for `kept` queries [Q, D] and a gallery [G, D]; raises KitError naming a bad array and its row."""
    check_features(query_features, gallery_features, names)
    products = len(query_features) * gallery_features.size
    dtype = np.float64 if products <= FLOAT64_PRODUCTS else np.float32
    queries = measure(query_features, dtype, names[0])
    gallery = measure(gallery_features, dtype, names[1])

    query_rows, query_of = distinct_queries(queries, query_codes, kept)
    columns, starts = gallery_order(gallery, gallery_codes)
    vectors = block_borders(starts)
    blocks = [(int(starts[a]), int(starts[b])) for a, b in vectors]
    return Source(
        query_codes=query_codes[query_rows],
        gallery_codes=gallery_codes[columns],
        gallery_rows=columns,
        query_of=query_of,
        blocks=blocks,
        chunk=max(1, CHUNK_BYTES // (max(b - a for a, b in blocks) * np.dtype(dtype).itemsize)),
        cosine=True,
        similarity=multiplier(queries, query_rows, gallery, columns, starts, vectors),
    )


def check_features(queries: npt.NDArray[Any], gallery: npt.NDArray[Any], names: tuple[str, str]) -> None:
    """Raise KitError unless both are [rows, D] of numbers with the same D."""
    for array, name in zip((queries, gallery), names, strict=True):
        if array.ndim != 2 or 0 in array.shape:
            raise KitError(f"{name} has shape {list(array.shape)}, wanted [rows, D]", "save one feature a row")
        if array.dtype.kind not in "fiu":
            raise KitError(f"{name} holds `{array.dtype}`, wanted numbers", "save it as `float32`")
    if queries.shape[1] != gallery.shape[1]:
        widths = f"{names[0]} has {queries.shape[1]} numbers a row, {names[1]} has {gallery.shape[1]}"
        raise KitError(widths, "take both from the same model")


def measure(rows: npt.NDArray[Any], dtype: npt.DTypeLike, name: str) -> Features:
    """One pass over the rows: lengths and digests; raises KitError at the first row that has no direction."""
    norms = np.empty(len(rows))
    digests: list[bytes] = []
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        some = np.array(rows[start : start + ROWS_AT_A_TIME], np.float64)  # a copy: it is scaled below
        length = np.sqrt((some * some).sum(axis=1))
        bad = np.flatnonzero(~np.isfinite(length) | (length == 0))
        if len(bad):
            what = "is all zeros" if length[bad[0]] == 0 else "holds NaN or an infinite value"
            raise KitError(
                f"row {start + bad[0]} of {name} {what}", "extract that row again, or leave it out with its id"
            )
        norms[start : start + len(some)] = length
        some *= (1.0 / length)[:, None]
        some += 0.0  # -0.0 and 0.0 are the same number and must have the same digest
        digests.extend(hashlib.blake2b(row, digest_size=16).digest() for row in some.astype(dtype))
    return Features(rows, 1.0 / norms, np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2), dtype)


def distinct_queries(queries: Features, codes: IntArray, kept: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of the distinct (identity, feature) among `kept`, in their own order, and for each kept query its place."""
    order = kept[np.lexsort((queries.digests[kept, 1], queries.digests[kept, 0], codes[kept]))]
    new = starts_run(np.column_stack([codes[order].astype(np.uint64), queries.digests[order]]))
    place = np.empty(len(codes), np.int64)
    place[order] = np.cumsum(new) - 1
    return order[new], place[kept]


def gallery_order(gallery: Features, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Gallery rows with equal vectors side by side, vectors by their lowest identity; and where each vector starts.

    So the positives of neighbouring queries lie in neighbouring blocks. The last start is G.
    """
    low, high = gallery.digests[:, 1], gallery.digests[:, 0]
    together = np.lexsort((codes, low, high))
    new = starts_run(gallery.digests[together])
    owner = np.empty(len(codes), np.int64)
    owner[together] = codes[together][new][np.cumsum(new) - 1]
    columns = np.lexsort((codes, low, high, owner))
    starts = np.flatnonzero(starts_run(gallery.digests[columns]))
    return columns, np.append(starts, len(codes))


def starts_run(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """[N] True where a row of `keys` [N, c] differs from the row before."""
    new = np.ones(len(keys), np.bool_)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return new


def block_borders(starts: IntArray) -> list[tuple[int, int]]:
    """Ranges of vectors that hold about BLOCK_COLUMNS gallery rows each; a vector is never cut."""
    borders = np.unique(np.searchsorted(starts, np.arange(0, starts[-1], BLOCK_COLUMNS), "left"))
    borders = np.append(borders[borders < len(starts) - 1], len(starts) - 1)
    return [(int(a), int(b)) for a, b in pairwise(borders)]


def multiplier(
    queries: Features,
    query_rows: IntArray,
    gallery: Features,
    columns: IntArray,
    starts: IntArray,
    vectors: list[tuple[int, int]],
) -> Callable[[int, int, int], FloatArray]:
    """`similarity(start, stop, block)`: the product of distinct rows, spread to the gallery rows that share a vector.

    Every product is written over the last one: fresh pages for each would cost more than the counting.
    """
    room = np.empty(0, queries.dtype)
    held: tuple[int, int, int] | None = None
    product = np.empty((0, 0), queries.dtype)

    @lru_cache(maxsize=1)
    def query_chunk(start: int, stop: int) -> FloatArray:
        return queries.normalised(query_rows[start:stop])

    @lru_cache(maxsize=1)
    def gallery_block(block: int) -> FloatArray:
        first, last = vectors[block]
        return gallery.normalised(columns[starts[first:last]])

    def similarity(start: int, stop: int, block: int) -> FloatArray:
        nonlocal room, held, product
        if held == (start, stop, block):
            return product
        first, last = vectors[block]
        shape = (stop - start, last - first)
        if room.size < shape[0] * shape[1]:
            room = np.empty(shape[0] * shape[1], queries.dtype)
        product = room[: shape[0] * shape[1]].reshape(shape)
        np.matmul(query_chunk(start, stop), gallery_block(block).T, out=product)  # [B, vectors]
        if product.dtype == np.float64:
            product /= FLOAT64_GRID
            np.rint(product, out=product)
            product *= FLOAT64_GRID
        copies = np.diff(starts[first : last + 1])
        if copies.max() > 1:
            product = np.repeat(product, copies, axis=1)
        held = (start, stop, block)
        return product

    return similarity
