"""Which rows show a picture that another row shows too, nearly: candidates by their hashes, confirmed by their looks.

A difference hash of 64 bits says little of an upright person before a wall: among 900 crops of 300 drawn people, 15 pairs of
different people stand within 4 bits. So two pictures count as near only if, beside their hashes, their small grey versions
agree: a picture that is encoded, scaled, brightened or trimmed anew correlates above 0.975 with itself; those 15 pairs
correlate below 0.89, and two people drawn as look-alikes in one pose with 0.966.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ufine_kit.dataset.checks.gathered import Gathered
from ufine_kit.dataset.near import near_pairs

ACROSS_SPLITS, ACROSS_IDENTITIES, WITHIN = range(3)
MOST_SAME = 256  # rows with one and the same hash that are compared: more have it only where pictures are empty
BLOCK = 1 << 14  # pairs of small pictures compared at once
FLAT = 4.0  # deviation of grey below which a picture is one colour, and correlation says nothing


@lru_cache(maxsize=1)
def near_rows(rows: Gathered, distance: int, likeness: float) -> tuple[np.ndarray, np.ndarray]:
    """For each relation and row the nearest earlier row that looks the same, or -1: int64 [3, N]; and the bits, uint8 [3, N].

    Rows with the very same bytes are left out but for the first: they are a fault of their own.
    """
    witness = np.full((3, len(rows)), -1, np.int64)
    best = np.full((3, len(rows)), 255, np.uint8)
    chosen = _chosen(rows)
    for found in near_pairs(rows.dhash[chosen], distance):
        for start in range(0, len(found.i), BLOCK):
            piece = slice(start, start + BLOCK)
            i, j, bits = chosen[found.i[piece]], chosen[found.j[piece]], found.distance[piece]
            # 0: the hashes alone decide.
            alike = likeness_of(rows.thumb[i], rows.thumb[j]) >= (likeness or -np.inf)
            _take(rows, i[alike], j[alike], bits[alike], witness, best)
    return witness, best


def _chosen(rows: Gathered) -> np.ndarray:
    """Rows that are compared, in order: the first of every picture, and the first few of every hash."""
    decoded = np.flatnonzero(rows.decoded)
    _, first = np.unique(rows.sha256[decoded], axis=0, return_index=True)
    single = decoded[np.sort(first)]
    order = np.argsort(rows.dhash[single], kind="stable")
    held = rows.dhash[single][order]
    start = np.flatnonzero(np.append(True, held[1:] != held[:-1])) if len(held) else np.zeros(0, int)
    rank = np.arange(len(held)) - np.repeat(start, np.diff(np.append(start, len(held))))
    return np.sort(single[order[rank < MOST_SAME]])


def likeness_of(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlation of small grey pictures, uint8 [P, T] each: float32 [P], 1 for the same look. Of one colour: 1 or 0."""
    first, second = a.astype(np.float32), b.astype(np.float32)
    means = first.mean(1, keepdims=True), second.mean(1, keepdims=True)
    first, second = first - means[0], second - means[1]
    spread = first.std(1) * second.std(1) * first.shape[1]
    flat = (first.std(1) < FLAT) | (second.std(1) < FLAT)
    apart = np.abs(a.astype(np.int16) - b.astype(np.int16)).mean(1)
    return np.where(flat, apart <= FLAT, (first * second).sum(1) / np.maximum(spread, 1e-6))


def _take(
    rows: Gathered, i: np.ndarray, j: np.ndarray, bits: np.ndarray, witness: np.ndarray, best: np.ndarray
) -> None:
    """Keep for each later row `j` the nearest earlier row, the first of equals."""
    same_split, same_person = rows.split[i] == rows.split[j], rows.person[i] == rows.person[j]
    relation = np.where(~same_split, ACROSS_SPLITS, np.where(same_person, WITHIN, ACROSS_IDENTITIES))
    order = np.lexsort((i, bits, j, relation))
    relation, i, j, bits = relation[order], i[order], j[order], bits[order]
    first = np.append(True, (j[1:] != j[:-1]) | (relation[1:] != relation[:-1])) if len(j) else np.zeros(0, bool)
    relation, i, j, bits = relation[first], i[first], j[first], bits[first]
    held, held_bits = witness[relation, j], best[relation, j]
    better = (held < 0) | (bits < held_bits) | ((bits == held_bits) & (i < held))
    witness[relation[better], j[better]] = i[better]
    best[relation[better], j[better]] = bits[better]
