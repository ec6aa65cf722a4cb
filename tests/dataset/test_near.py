"""Near-duplicates by hash: the very pairs that comparing all with all gives, for any distance and any heap of equal hashes."""

from __future__ import annotations

import numpy as np
import pytest

from ufine_kit.dataset import near
from ufine_kit.dataset.near import near_pairs


def brute(hashes: np.ndarray, distance: int) -> set[tuple[int, int, int]]:
    """All pairs i < j with their distance: the definition, [N, N] at once."""
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    i, j = np.nonzero(np.triu(bits <= distance, 1))
    return set(zip(i.tolist(), j.tolist(), bits[i, j].tolist(), strict=True))


def found(hashes: np.ndarray, distance: int) -> set[tuple[int, int, int]]:
    told = [
        pair
        for block in near_pairs(hashes, distance)
        for pair in zip(*(column.tolist() for column in block), strict=True)
    ]
    assert len(told) == len(set(told)), "a pair came twice"
    return set(told)


def heap(rng: np.random.Generator, kind: str, count: int) -> np.ndarray:
    random = rng.integers(0, 2**64, count, dtype=np.uint64)
    if kind == "random, with neighbours":
        flipped = np.uint64(1) << rng.integers(0, 64, (3, count // 2)).astype(np.uint64)
        random[: count // 2] = random[-(count // 2) :] ^ np.bitwise_xor.reduce(flipped)
    if kind == "few bits":
        return random & np.uint64(0x8000_1100_0400_2211)
    if kind == "bits that are rarely set":
        return np.packbits(rng.random((count, 64)) < 0.06, axis=1).view(np.uint64).ravel()
    if kind == "one half the same":
        return random >> np.uint64(32)
    return random


KINDS = ["random, with neighbours", "few bits", "bits that are rarely set", "one half the same"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", [0, 1, 3, 4])
def test_the_pairs_are_those_of_comparing_all_with_all(monkeypatch, kind, distance):
    monkeypatch.setattr(near, "SMALL", 16)  # so that bands are banded again
    monkeypatch.setattr(near, "BLOCK", 1000)
    hashes = heap(np.random.default_rng(distance), kind, 300)
    assert found(hashes, distance) == brute(hashes, distance)


def test_pairs_come_in_one_order_and_in_blocks(monkeypatch):
    monkeypatch.setattr(near, "BLOCK", 100)
    hashes = heap(np.random.default_rng(1), "few bits", 200)
    first, again = (list(near_pairs(hashes, 2)) for _ in range(2))
    assert all(np.array_equal(a.i, b.i) and np.array_equal(a.j, b.j) for a, b in zip(first, again, strict=True))
    assert all((block.i < block.j).all() for block in first)
    assert max(len(block.i) for block in first) <= 100 or all(len(block.i) < 5000 for block in first)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_no_hash_and_one_hash_make_no_pair(count):
    assert len(found(np.zeros(count, np.uint64), 4)) == max(0, count - 1)


def test_many_equal_hashes_are_paired_without_holding_them_all():
    hashes = np.zeros(3_000, np.uint64)
    blocks = [len(block.i) for block in near_pairs(hashes, 4)]
    assert sum(blocks) == 3_000 * 2_999 // 2
    assert max(blocks) <= near.BLOCK


@pytest.mark.full
def test_five_thousand_hashes_with_planted_neighbours_give_the_pairs_of_all_with_all():
    hashes = heap(np.random.default_rng(7), "random, with neighbours", 5_000)
    wanted = brute(hashes, 4)
    assert len(wanted) >= 2_400
    assert found(hashes, 4) == wanted
