"""Near-copies: MinHash over word triples proposes pairs (Broder 1997), exact word similarity decides."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from ufine_kit.text.words import WORD

SHINGLE = 3
PERMUTATIONS = 128
NEAR_COPY = 0.85  # share of words in common order, of both lengths
CONTAINED = 0.85  # share of the shorter text's word triples that the longer one holds
MOST_WORDS = 1000  # four times the longest description asked for; keeps the work linear in the text
LARGEST_BAND = 4000  # texts in one bucket beyond which its pairs are proposed to the first only


def lower_words(text: str) -> tuple[str, ...]:
    """Words for comparison: lower case, hyphens opened, at most `MOST_WORDS`."""
    return tuple(WORD.findall(text.lower().replace("-", " "))[:MOST_WORDS])


def common_in_order(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence of two word rows, by bit-parallel steps (Hyyro 2004)."""
    if not a or not b:
        return 0
    masks: dict[str, int] = {}
    for at, word in enumerate(a):
        masks[word] = masks.get(word, 0) | 1 << at
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        hits = row & masks.get(word, 0)
        if hits:
            row = ((row + hits) | (row - hits)) & full
    return len(a) - row.bit_count()


def similarity(a: Sequence[str], b: Sequence[str]) -> float:
    """Twice the common words in order over both lengths: 1 for equal rows, 0 for nothing in common."""
    return 2 * common_in_order(a, b) / (len(a) + len(b)) if a or b else 1.0


def triples(row: Sequence[str]) -> set[tuple[str, ...]]:
    """All runs of three words; the row itself where it is shorter."""
    return {tuple(row[i : i + SHINGLE]) for i in range(max(1, len(row) - SHINGLE + 1))}


def is_near_copy(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two word rows are one text with small changes, or the shorter is a piece of the longer."""
    if min(len(a), len(b)) < 8:
        return tuple(a) == tuple(b)
    alike = similarity(a, b)
    if alike >= NEAR_COPY or alike < 0.4:
        return alike >= NEAR_COPY
    short, long = sorted((triples(a), triples(b)), key=len)
    return len(short) >= 15 and len(short & long) >= CONTAINED * len(short)


def word_codes(rows: Iterable[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """One 64-bit code a word triple, all rows in one array [S], and the index [N] where each row starts."""
    codes: dict[str, int] = {}
    flat: list[int] = []
    starts: list[int] = []
    for row in rows:
        starts.append(len(flat))
        known = [
            codes.setdefault(word, zlib.crc32(word.encode())) if word not in codes else codes[word] for word in row
        ]
        flat += known if len(known) >= SHINGLE else [*known, *[0] * (SHINGLE - len(known))]
    words = np.asarray(flat, dtype=np.uint64)
    if len(words) < SHINGLE:
        return np.zeros(0, np.uint64), np.asarray(starts, np.int64)
    ends = np.asarray([*starts[1:], len(flat)], np.int64)
    mixed = (
        words[:-2] * np.uint64(0x9E3779B97F4A7C15)
        ^ words[1:-1] * np.uint64(0xC2B2AE3D27D4EB4F)
        ^ words[2:] * np.uint64(0x165667B19E3779F9)
    )
    keep = np.ones(len(flat), bool)
    keep[np.concatenate([ends - 1, ends - 2])] = False  # triples that run over a row's end
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    return mixed[keep[: len(mixed)]], kept_before[np.asarray(starts, np.int64)]


def signatures(rows: Sequence[Sequence[str]], seed: int = 0) -> np.ndarray:
    """MinHash signatures [N, PERMUTATIONS] (uint32) of the rows' word triples."""
    codes, starts = word_codes(rows)
    if not len(starts):
        return np.zeros((0, PERMUTATIONS), np.uint32)
    rng = np.random.default_rng(seed)
    factors = rng.integers(1, 2**63, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    offsets = rng.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
    result = np.empty((len(starts), PERMUTATIONS), np.uint32)
    for k in range(PERMUTATIONS):
        hashed = ((codes * factors[k] + offsets[k]) >> np.uint64(32)).astype(np.uint32)
        result[:, k] = np.minimum.reduceat(hashed, starts)
    return result


def candidates(signs: np.ndarray, rows_per_band: int = 4) -> list[tuple[int, int]]:
    """Index pairs (i < j), sorted, whose signatures agree on at least one whole band."""
    pairs: set[tuple[int, int]] = set()
    if len(signs) < 2:
        return []
    for band in range(0, signs.shape[1] - rows_per_band + 1, rows_per_band):
        part = np.ascontiguousarray(signs[:, band : band + rows_per_band])
        keys = part.view(np.dtype((np.void, part.dtype.itemsize * rows_per_band))).ravel()
        _, inverse = np.unique(keys, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        cuts = np.flatnonzero(np.diff(inverse[order])) + 1
        for group in np.split(order, cuts):
            if len(group) < 2:
                continue
            members = group.tolist()
            if len(members) > LARGEST_BAND:
                pairs.update((members[0], other) for other in members[1:])
                continue
            pairs.update((members[i], members[j]) for i in range(len(members)) for j in range(i + 1, len(members)))
    return sorted(pairs)


def near_copies(texts: Sequence[str], rows_per_band: int = 4) -> list[tuple[int, int]]:
    """All pairs (i < j) of texts that are near-copies of each other."""
    rows = [lower_words(text) for text in texts]
    return [(i, j) for i, j in candidates(signatures(rows), rows_per_band) if is_near_copy(rows[i], rows[j])]
