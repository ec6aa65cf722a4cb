"""Near-duplicates by 64-bit hashes: every pair within a Hamming distance, exactly, in bounded memory.

A pair of hashes that differ in at most `d` bits agrees in two of `d + 2` bands of their bits, whichever bits those are. So for
each pair of bands the hashes that agree in both are brought together by sorting, and only they are compared. What falls
together too often (pictures without contrast do) is banded again by its other bits, unless bands would not part it: so the
work is never more than comparing all with all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

BITS = 64
BLOCK = 1 << 20  # candidate pairs compared at once: some 40 MB of work space
SMALL = 512  # hashes that are compared with each other without more bands
SAMPLE = 2048  # hashes that tell beforehand whether bands would part the others


class Pairs(NamedTuple):
    """Some pairs: rows `i < j` int64 [P] and their distance uint8 [P]."""

    i: np.ndarray
    j: np.ndarray
    distance: np.ndarray


def near_pairs(hashes: np.ndarray, distance: int) -> Iterator[Pairs]:
    """Every pair of rows whose hashes, uint64 [N], differ in at most `distance` bits: each once, in blocks.

    Equal hashes are pairs at distance 0. The order of the pairs is fixed by the hashes; memory beside the hashes is bounded
    however many pairs there are.
    """
    order = np.argsort(hashes, kind="stable")
    unique, starts = np.unique(hashes[order], return_index=True)
    groups = _Groups(order, np.append(starts, len(order)))
    yield from groups.within()
    for i, j, bits in near_unique(unique, distance):
        yield from groups.between(i, j, bits)


def near_unique(hashes: np.ndarray, distance: int) -> Iterator[Pairs]:
    """`near_pairs` for hashes that are all different."""
    if len(hashes) > 1:
        yield from _banded(hashes.astype(np.uint64), np.arange(len(hashes)), distance)


class _Groups:
    """Rows by their hash: rows `order[starts[g] : starts[g + 1]]` have the hash of group `g`, in order of row."""

    def __init__(self, order: np.ndarray, starts: np.ndarray) -> None:
        self.order, self.starts, self.sizes = order, starts, np.diff(starts)

    def within(self) -> Iterator[Pairs]:
        """Pairs of rows with one hash."""
        for group in np.flatnonzero(self.sizes > 1):
            rows = self.order[self.starts[group] : self.starts[group + 1]]
            for first, second in _all_pairs(len(rows)):
                yield Pairs(rows[first], rows[second], np.zeros(len(first), np.uint8))

    def between(self, g: np.ndarray, h: np.ndarray, bits: np.ndarray) -> Iterator[Pairs]:
        """Pairs of rows, one of a group `g` [P] and the other of `h` [P] beside it."""
        many = self.sizes[g] * self.sizes[h]
        for start, end in _blocks(many):
            pair, place = _spread(many[start:end])
            pair += start
            left = self.order[self.starts[g[pair]] + place // self.sizes[h[pair]]]
            right = self.order[self.starts[h[pair]] + place % self.sizes[h[pair]]]
            yield Pairs(np.minimum(left, right), np.maximum(left, right), bits[pair])


def _banded(hashes: np.ndarray, rows: np.ndarray, distance: int) -> Iterator[Pairs]:
    """Pairs among different hashes uint64 [n] that stand for `rows` [n]."""
    masks = _masks(hashes, distance)
    bands = [masks[a] | masks[b] for a, b in combinations(range(len(masks)), 2)]
    if len(hashes) <= SMALL or _compared(hashes, bands) >= 1:
        for first, second in _all_pairs(len(hashes)):
            yield from _close(hashes, rows, first, second, distance)
        return
    for number, shared in enumerate(bands):
        for found in _buckets(hashes, shared, distance):
            yield from _first_seen(found, hashes, rows, bands[:number])


def _masks(hashes: np.ndarray, distance: int) -> list[np.uint64]:
    """The bits that are not the same in all hashes, dealt out to `distance + 2` bands."""
    varying = int(np.bitwise_or.reduce(hashes) ^ np.bitwise_and.reduce(hashes))
    bits = [bit for bit in range(BITS) if varying >> bit & 1]
    return [np.uint64(sum(1 << bit for bit in bits[band :: distance + 2])) for band in range(distance + 2)]


def _compared(hashes: np.ndarray, bands: Sequence[np.uint64]) -> float:
    """Pairs that these bands bring together, as a share of all pairs; from a sample."""
    sample = hashes[:: -(-len(hashes) // SAMPLE)]
    together = sum(
        int((np.unique(sample & shared, return_counts=True)[1].astype(np.int64) ** 2).sum()) - len(sample)
        for shared in bands
    )
    return together / max(1, len(sample) * (len(sample) - 1))


def _buckets(hashes: np.ndarray, shared: np.uint64, distance: int) -> Iterator[Pairs]:
    """Pairs of places in `hashes` that agree in the bits `shared`, large buckets banded again."""
    key = hashes & shared
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.append(True, key[order][1:] != key[order][:-1]))
    sizes = np.diff(np.append(starts, len(order)))
    small = np.flatnonzero((sizes > 1) & (sizes <= SMALL))
    many = sizes[small] * (sizes[small] - 1) // 2
    for start, end in _blocks(many):
        bucket, number = _spread(many[start:end])
        begin = starts[small[bucket + start]]
        first, second = _unrank(number)
        yield from _close(hashes, np.arange(len(hashes)), order[begin + first], order[begin + second], distance)
    for bucket in np.flatnonzero(sizes > SMALL):
        places = order[starts[bucket] : starts[bucket] + sizes[bucket]]
        yield from _banded(hashes[places], places, distance)


def _first_seen(found: Pairs, hashes: np.ndarray, rows: np.ndarray, earlier: Sequence[np.uint64]) -> Iterator[Pairs]:
    """Those of the pairs that no earlier pair of bands has brought together; places become rows."""
    differ = hashes[found.i] ^ hashes[found.j]
    new = np.ones(len(differ), bool)
    for shared in earlier:
        new &= (differ & shared) != 0
    if new.any():
        left, right = rows[found.i[new]], rows[found.j[new]]
        yield Pairs(np.minimum(left, right), np.maximum(left, right), found.distance[new])


def _close(
    hashes: np.ndarray, rows: np.ndarray, first: np.ndarray, second: np.ndarray, distance: int
) -> Iterator[Pairs]:
    bits = np.bitwise_count(hashes[first] ^ hashes[second])
    close = np.flatnonzero(bits <= distance)
    if len(close):
        left, right = rows[first[close]], rows[second[close]]
        yield Pairs(np.minimum(left, right), np.maximum(left, right), bits[close])


def _all_pairs(count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs of places 0 to `count`, in blocks."""
    total = count * (count - 1) // 2
    for start in range(0, total, BLOCK):
        yield _unrank(np.arange(start, min(start + BLOCK, total)))


def _unrank(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pair (first < second) with a number [P]: pairs are counted (0, 1), (0, 2), (1, 2), (0, 3) ..."""
    second = ((1 + np.sqrt(8.0 * number + 1)) / 2).astype(np.int64)
    second -= second * (second - 1) // 2 > number  # the root may be rounded to either side
    second += (second + 1) * second // 2 <= number
    return number - second * (second - 1) // 2, second


def _blocks(many: np.ndarray) -> Iterator[tuple[int, int]]:
    """Stretches of a list of sizes that hold about BLOCK together, and at least one each."""
    ends = np.cumsum(many)
    start = 0
    while start < len(many):
        before = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + BLOCK, side="right")))
        yield start, end
        start = end


def _spread(many: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For sizes [2, 3]: which of them, [0, 0, 1, 1, 1], and the place in it, [0, 1, 0, 1, 2]."""
    which = np.repeat(np.arange(len(many)), many)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(many) - many, many)
