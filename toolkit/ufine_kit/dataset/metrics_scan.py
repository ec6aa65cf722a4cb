"""One pass over similarities, block by block: where the positives of every query rank, and what stands above them.

Nothing here knows of files, features or identities' names; `metrics.py` brings the source and takes the means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.int64]
Ties = Literal["pessimistic", "optimistic"]

PNR_K = 1.0


@dataclass(frozen=True)
class Source:
    """Similarities of N distinct queries to G gallery columns, handed out block by block, in an order of its own.

    `similarity(start, stop, block)` gives [stop - start, columns of the block] and must give the same bits each time.
    """

    query_codes: IntArray  # [N] identity of each distinct query; every one has a positive
    gallery_codes: IntArray  # [G] identity of each column
    gallery_rows: IntArray  # [G] the caller's row behind each column
    query_of: IntArray  # [kept queries] -> N
    blocks: list[tuple[int, int]]  # column ranges, in order, without gaps
    chunk: int  # queries at a time
    cosine: bool  # s -> s / 2 + 0.5 brings a similarity to [0, 1]
    similarity: Callable[[int, int, int], FloatArray]


@dataclass(frozen=True)
class Chunk:
    """Queries start..stop with their positives, flat: query i holds `offsets[i]:offsets[i + 1]`."""

    start: int
    stop: int
    offsets: IntArray  # [B + 1]
    columns: IntArray  # [P] gallery columns of the positives
    rows: IntArray  # [P] query within the chunk


def unit_values(source: Source) -> Callable[[FloatArray], npt.NDArray[np.float64]]:
    """Similarities brought to [0, 1] and rounded to a grid so fine that a sum over the gallery has no rounding error.

    With G < 2^b the grid is 2^(b - 52): every partial sum is a float64 without error, so it does not depend on the
    order of its terms. The rounding itself is below 1e-10 for a gallery of 200,000.
    """
    anchor = 2.0 ** len(source.gallery_codes).bit_length()
    scale, shift = (0.5, 0.5) if source.cosine else (1.0, 0.0)

    def unit(values: FloatArray) -> npt.NDArray[np.float64]:
        scaled = np.multiply(values, scale, dtype=np.float64)
        scaled += anchor + shift  # the one rounding: a float64 this large has no finer digits than the grid
        scaled -= anchor
        return np.clip(scaled, 0.0, 1.0, out=scaled)

    return unit


def scan(source: Source, ties: Ties) -> npt.NDArray[np.float64]:
    """[4, N]: rank of the first positive, AP, INP and SD of every distinct query (UFineBench, section 3.4)."""
    scores = np.empty((4, len(source.query_codes)))
    for chunk in chunks(source):
        bars = positive_bars(source, chunk)
        counts, sums, totals = tally(source, chunk, bars, ties)
        positives = np.diff(chunk.offsets)
        for n in np.unique(positives):
            some = np.flatnonzero(positives == n)
            flat = chunk.offsets[some][:, None] + np.arange(n)  # [m, n]
            scores[:, chunk.start + some] = finish(source, bars[flat], counts[flat], sums[flat], totals[some], ties)
    return scores


def chunks(source: Source) -> Iterator[Chunk]:
    """The queries in runs of `source.chunk`, each with the columns of its positives."""
    by_code = np.argsort(source.gallery_codes, kind="stable")
    ordered = source.gallery_codes[by_code]
    for start in range(0, len(source.query_codes), source.chunk):
        codes = source.query_codes[start : start + source.chunk]
        first = np.searchsorted(ordered, codes, "left")
        counts = np.searchsorted(ordered, codes, "right") - first
        offsets = np.concatenate([[0], np.cumsum(counts)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
        columns = by_code[np.repeat(first, counts) + within]
        yield Chunk(start, start + len(codes), offsets, columns, np.repeat(np.arange(len(codes)), counts))


def positive_bars(source: Source, chunk: Chunk) -> FloatArray:
    """[P] similarities of the positives, ascending within each query; taken from the very blocks that are counted."""
    bars: FloatArray | None = None
    for block, (first, last) in enumerate(source.blocks):
        here = np.flatnonzero((chunk.columns >= first) & (chunk.columns < last))
        if len(here) == 0:
            continue
        similarity = source.similarity(chunk.start, chunk.stop, block)
        if bars is None:
            bars = np.empty(len(chunk.columns), similarity.dtype)
        bars[here] = similarity[chunk.rows[here], chunk.columns[here] - first]
    assert bars is not None, "every scanned query has a positive"
    return bars[np.lexsort((bars, chunk.rows))]


def tally(
    source: Source, chunk: Chunk, bars: FloatArray, ties: Ties
) -> tuple[IntArray, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """[P] how many similarities of the row stand at or above each bar, [P] their sum, and [B] the sum of the row.

    Under optimistic ties: strictly above the bar.
    """
    unit = unit_values(source)
    side: Literal["left", "right"] = "left" if ties == "pessimistic" else "right"
    counts = np.zeros(len(bars), np.int64)
    sums = np.zeros(len(bars))
    totals = np.zeros(chunk.stop - chunk.start)
    # Backwards: the last block that gave bars is often still at hand.
    for block in reversed(range(len(source.blocks))):
        similarity = source.similarity(chunk.start, chunk.stop, block)
        for i, row in enumerate(similarity):
            mine = slice(chunk.offsets[i], chunk.offsets[i + 1])
            totals[i] += unit(row).sum()
            above = row[row >= bars[mine.start]]
            if len(above):
                above.sort()
                first = above.searchsorted(bars[mine], side)
                counts[mine] += len(above) - first
                sums[mine] += tail_sums(unit(above), first)
    return counts, sums, totals


def tail_sums(values: npt.NDArray[np.float64], first: IntArray) -> npt.NDArray[np.float64]:
    """`values[f:].sum()` for every f of the ascending `first`."""
    pieces = np.add.reduceat(np.append(values, 0.0), first)
    pieces[:-1][first[1:] == first[:-1]] = 0.0  # reduceat gives the element itself where a piece is empty
    return pieces[::-1].cumsum()[::-1]


def finish(
    source: Source,
    bars: FloatArray,
    counts: IntArray,
    sums: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    ties: Ties,
) -> npt.NDArray[np.float64]:
    """[4, m] scores of m queries with n positives each, from `bars`, `counts`, `sums` [m, n] and `totals` [m]."""
    m, n = bars.shape
    value = unit_values(source)(bars)
    tails = np.zeros((m, n + 1))
    tails[:, :n] = value[:, ::-1].cumsum(axis=1)[:, ::-1]  # positives at or after this place, ascending
    start = first_of_run(bars) if ties == "pessimistic" else n - first_of_run(bars[:, ::-1])[:, ::-1]
    hits = n - np.arange(n)  # the lowest bar is the n-th hit
    ranks = counts - (n - start) + hits
    assert (ranks >= hits).all(), "a positive stands at or above its own bar"
    above = sums - np.take_along_axis(tails, start, axis=1) + tails[:, :n]  # all similarities down to this hit
    precision = hits / ranks
    # A row of zeros is read as the limit of equal similarities: shares become counts, and the ratio of means is 1.
    share = np.divide(tails[:, :n], above, out=precision.copy(), where=above > 0)
    pnr = positive_negative_ratio(tails[:, 0], totals, n, len(source.gallery_codes))
    return np.stack([ranks[:, -1], precision.mean(axis=1), n / ranks[:, 0], pnr * share.mean(axis=1)])


def first_of_run(values: FloatArray) -> IntArray:
    """[m, n] for every place in a sorted row, where its run of equal values begins."""
    places = np.tile(np.arange(values.shape[1]), (len(values), 1))
    places[:, 1:][values[:, 1:] == values[:, :-1]] = 0
    return np.maximum.accumulate(places, axis=1)


def positive_negative_ratio(
    positive_sums: npt.NDArray[np.float64], totals: npt.NDArray[np.float64], positives: int, gallery: int
) -> npt.NDArray[np.float64]:
    """PNR = 1 - exp(-k x), x = mean of the positives / mean of the negatives; without negatives x is infinite."""
    if positives == gallery:
        return np.ones(len(totals))
    up = positive_sums / positives
    down = (totals - positive_sums) / (gallery - positives)
    ratio = np.divide(up, down, out=np.where(up > 0, np.inf, 1.0), where=down > 0)
    return -np.expm1(-PNR_K * ratio)
