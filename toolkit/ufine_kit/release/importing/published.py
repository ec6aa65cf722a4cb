"""What the papers say of their datasets, beside which an import and a table of statistics stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WHATS = ("identities", "images", "captions")


@dataclass(frozen=True)
class Words:
    """A column of UFineBench's Table 1 (arXiv 2312.03441): words of a text, and different words in all."""

    most: int
    least: int
    average: float
    unique: int


@dataclass(frozen=True)
class Published:
    """Numbers in print of one dataset; None and missing splits: not in print, or not known to us.

    `splits` maps a split to identities, images and captions; `total` says the same of all splits together.
    """

    splits: Mapping[str, tuple[int | None, int | None, int | None]]
    total: tuple[int | None, int | None, int | None]
    sources: Mapping[str, int] | None = None  # identities of every source
    words: Words | None = None
    hints: Mapping[tuple[str, int], str] | None = None  # (split, identities) -> what a known other download is


# CUHK-PEDES by PLIP, RSTPReid by its authors' corrected split, UFine6926 and UFine3C by UFineBench's README.
PUBLISHED = {
    "cuhk-pedes": Published(
        {"train": (11_003, 34_054, None), "val": (1_000, 3_078, None), "test": (1_000, 3_074, None)},
        (13_003, 40_206, None),
        words=Words(96, 15, 23.5, 9_408),
    ),
    "icfg-pedes": Published({"test": (None, 19_848, 19_848)}, (None, None, None)),
    "rstpreid": Published(
        {"train": (3_701, 18_505, None), "val": (200, 1_000, None), "test": (200, 1_000, None)},
        (4_101, 20_505, 41_010),
        hints={("train", 3_901): "this is the older download with 3,901 / 100 / 100 identities"},
    ),
    "ufine6926": Published(
        {"train": (4_926, 18_577, 37_154), "test": (2_000, 7_629, 15_258)},
        (6_926, 26_206, 52_412),
        words=Words(218, 30, 80.8, 8_475),
    ),
    "ufine3c": Published(
        {"test": (2_250, 7_446, 37_939)},
        (2_250, 7_446, 37_939),
        sources={"CUHK-PEDES": 750, "ICFG-PEDES": 750, "UFine6926": 750},
    ),
}


def differences(dataset: str, splits: Mapping[str, Mapping[str, Any]], identities: int) -> list[dict[str, Any]]:
    """Where the counts of an import are not those in print: `split`, `what`, `published`, `found`. Empty: all agree.

    `splits` maps a split to its counts as in release.json; `identities` is their number over all splits.
    """
    known = PUBLISHED.get(dataset)
    if known is None:
        return []
    total = {what: sum(counts[what] for counts in splits.values()) for what in WHATS} | {"identities": identities}
    found = {**{split: dict(counts) for split, counts in splits.items()}, "all": total}
    expected = {**known.splits, "all": known.total}
    return [
        {"split": split, "what": what, "published": number, "found": found.get(split, {}).get(what, 0)}
        for split, numbers in expected.items()
        for what, number in zip(WHATS, numbers, strict=True)
        if number is not None and number != found.get(split, {}).get(what, 0)
    ]


def hint(dataset: str, splits: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What a known download with other counts is, where the counts are its."""
    known = PUBLISHED.get(dataset)
    for (split, identities), words in ((known.hints or {}) if known else {}).items():
        if splits.get(split, {}).get("identities") == identities:
            return words
    return None
