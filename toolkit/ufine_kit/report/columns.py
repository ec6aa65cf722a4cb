"""Rows of a page as columns: words told once and counted on by number, numbers as short as they may be."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Words:
    """A column of few distinct values: `words[code]` for every code. A value may be a tuple of words (reasons, flags)."""

    words: list[Hashable] = field(default_factory=list[Hashable])
    codes: list[int] = field(default_factory=list[int])
    _known: dict[Hashable, int] = field(default_factory=dict[Hashable, int], repr=False)

    def code(self, value: Hashable) -> int:
        """The number of a value, a new one where it was not met before."""
        number = self._known.setdefault(value, len(self.words))
        if number == len(self.words):
            self.words.append(value)
        return number

    def add(self, value: Hashable) -> None:
        """One more row."""
        self.codes.append(self.code(value))

    def values(self) -> Iterator[Hashable]:
        """The value of every row."""
        return (self.words[code] for code in self.codes)

    def as_json(self) -> dict[str, Any]:
        """As the page reads it; where every row has a word of its own, the words alone."""
        alone = len(self.codes) == len(self.words) and all(code == row for row, code in enumerate(self.codes))
        return {"words": self.words} if alone else {"words": self.words, "codes": self.codes}


@dataclass
class Numbers:
    """A column of numbers, None where there is none; the page gets `digits` significant ones (all of them for None)."""

    values: list[float | None] = field(default_factory=list[float | None])
    digits: int | None = 4

    def add(self, value: float | None) -> None:
        """One more row."""
        self.values.append(value)

    def as_json(self) -> dict[str, Any]:
        """As the page reads it: whole numbers without a point, nothing that JSON has no word for."""
        return {"numbers": [_short(value, self.digits) for value in self.values]}


def _short(value: float | None, digits: int | None) -> float | int | None:
    if value is None or not np.isfinite(value):
        return None
    short = float(value) if digits is None else float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() else short


Column = Words | Numbers
Columns = dict[str, Column]


def rows_of(columns: Columns) -> int:
    """How many rows the columns have."""
    first = next(iter(columns.values()), None)
    return 0 if first is None else len(first.codes if isinstance(first, Words) else first.values)


def tallied(column: Words, chosen: Sequence[bool] | np.ndarray | None = None) -> dict[Hashable, int]:
    """Rows by value in the order the values were met; only the `chosen` rows where given."""
    codes = np.asarray(column.codes, dtype=np.int64)
    kept = codes if chosen is None else codes[np.asarray(chosen, dtype=bool)]
    counts = np.bincount(kept, minlength=len(column.words)) if column.words else np.zeros(0, dtype=np.int64)
    return {word: int(number) for word, number in zip(column.words, counts, strict=True) if number}
