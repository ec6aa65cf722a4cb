"""Which crops of a tracklet are kept: spread in time, the best of each stretch, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Crops held for each one kept: the more, the more even in time are the groups that the kept ones are the best of.
_HELD = 4


@dataclass
class Candidate:
    """A crop that may be kept; `held` is its picture."""

    quality: float
    facts: dict[str, Any]
    held: Any


def quality_bounds(
    confidence: np.ndarray, overlap: np.ndarray, border: np.ndarray, height_px: np.ndarray
) -> np.ndarray:
    """How good crops can be at most, before their pixels are looked at: whole, unhidden, large, sure. All arrays [n]."""
    whole = np.where(border >= 0, 1.0, 0.5)
    return (1 - overlap) ** 2 * whole * height_px / (height_px + 128) * (0.5 + 0.5 * np.clip(confidence, 0, 1))


def quality(bound: float, sharpness: float) -> float:
    """The bound, lowered for blur: half of it at a Laplacian variance of 100."""
    return bound * sharpness / (sharpness + 100)


class Stretches:
    """The best crop of each stretch of one tracklet. At most `4 * count` are held: then two stretches become one.

    `drop` is called with what is held of every crop that was taken and will not be kept.
    """

    def __init__(self, count: int, spacing_seconds: float, first_seconds: float, drop: Callable[[Any], None]) -> None:
        self._count = count
        self._width = spacing_seconds
        self._first = first_seconds
        self._drop = drop
        self._open: Candidate | None = None
        self._number = 0
        self._closed: list[tuple[int, Candidate]] = []

    def bar(self, seconds: float) -> float:
        """The quality that a crop at this time must beat: that of the best of its stretch so far."""
        number = self._stretch(seconds)
        return self._open.quality if self._open is not None and number == self._number else -1.0

    def offer(self, seconds: float, candidate: Candidate) -> None:
        """Take a crop that beats `bar(seconds)`. Times never go back."""
        number = self._stretch(seconds)
        if self._open is not None and number != self._number:
            self._end_stretch()
            number = self._stretch(seconds)  # its stretch may have doubled
        elif self._open is not None:
            self._drop(self._open.held)
        self._open, self._number = candidate, number

    def chosen(self) -> list[Candidate]:
        """Up to `count` crops in the order of time; the tracklet has ended."""
        if self._open is not None:
            self._end_stretch()
            self._open = None
        groups = np.array_split(np.arange(len(self._closed)), min(self._count, len(self._closed)) or 1)
        return [self._best([self._closed[i][1] for i in group]) for group in groups if len(group)]

    def _stretch(self, seconds: float) -> int:
        return int((seconds - self._first) / self._width + 1e-9)

    def _end_stretch(self) -> None:
        assert self._open is not None
        self._closed.append((self._number, self._open))
        if len(self._closed) >= _HELD * self._count:
            self._width *= 2
            merged: dict[int, list[Candidate]] = {}
            for number, candidate in self._closed:
                merged.setdefault(number // 2, []).append(candidate)
            self._closed = [(number, self._best(group)) for number, group in merged.items()]

    def _best(self, group: list[Candidate]) -> Candidate:
        best = max(group, key=lambda candidate: candidate.quality)  # the first of equals
        for candidate in group:
            if candidate is not best:
                self._drop(candidate.held)
        return best
