"""Crops of one identity that look just alike: the best of them stays."""

from __future__ import annotations

import numpy as np


def near_duplicates(
    dhash: np.ndarray, person: np.ndarray, quality: np.ndarray, good: np.ndarray, bits: int
) -> np.ndarray:
    """Which good crops differ from a better kept one of their person in at most `bits` bits of the hash, bool [n].

    `dhash` is uint64 [n], `person` int [n]. From the best crop down, so that a kept one has no kept double; bits < 0: none.
    """
    double = np.zeros(len(dhash), dtype=bool)
    if bits < 0:
        return double
    order = np.flatnonzero(good)
    order = order[np.lexsort((order, -quality[order], person[order]))]
    borders = np.flatnonzero(np.diff(person[order])) + 1
    for members in np.split(order, borders):
        words = dhash[members]
        alike = np.bitwise_count(words[:, None] ^ words[None]) <= bits
        for i in range(1, len(members)):
            double[members[i]] = bool((alike[i, :i] & ~double[members[:i]]).any())
    return double
