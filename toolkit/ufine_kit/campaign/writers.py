"""What a manager knows of each writer: how much, how long, how rich, how careful, how fast, and whether that changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import erfc, log1p, sqrt
from statistics import fmean, median, stdev
from typing import Any

from ufine_kit.campaign.qc import Quality
from ufine_kit.campaign.standing import Text
from ufine_kit.tables import CampaignTable
from ufine_kit.text.words import count as count_words
from ufine_kit.text.words import words as words_of

WINDOW = 50  # words; a plain type-token ratio falls with the length of a text, one over a window does not
LEAST = 10  # texts in a third of a writer's work, below which nothing is said of drift
COPIES = frozenset(("template", "copy_self", "copy_pair", "copy_other", "untouched_draft"))
UNREAD = frozenset(("too_short", "gibberish", "language"))  # where nobody asks what a text covers
DRIFTS = 0.05  # of all that is asked of all writers together (Bonferroni)


def writers(quality: Quality, table: CampaignTable) -> list[dict[str, Any]]:
    """A row for every writer of the campaign, by pseudonym."""
    found = quality.standing
    by_writer: dict[str, list[Text]] = defaultdict(list)
    for text in found.texts:
        by_writer[text.writer].append(text)
    skips: dict[str, Counter[str]] = defaultdict(Counter)
    for skip in found.skips:
        skips[skip.writer][skip.reason] += 1
    confirmed = Counter(text.writer for text in found.aside if "confirming" in text.flags)
    rows: list[dict[str, Any]] = [
        {
            **_row(who, by_writer.get(who, []), quality, table),
            "confirmed": confirmed[who],
            "skips": dict(sorted(skips[who].items())),
        }
        for who in sorted({*by_writer, *skips, *confirmed})
    ]
    asked = sum(row["drift"][what] is not None for row in rows for what in row["drift"])
    for row in rows:
        for told in row["drift"].values():
            if told is not None:
                told["drifts"] = told["p"] * asked < DRIFTS
    return rows


def _row(who: str, texts: Sequence[Text], quality: Quality, table: CampaignTable) -> dict[str, Any]:
    work = [text for text in texts if text.role == "work"]
    lengths = [count_words(text.text) for text in work]
    covers = [covers for text in work if (covers := _covers(text, quality)) is not None]
    honeypots = [one.passed for one in quality.honeypots if one.writer == who]
    # Nobody wrote all the words of a text that was there to be mended.
    rates = [
        60 * words / max(1.0, text.lead_seconds)
        for text, words in zip(work, lengths, strict=True)
        if text.lead_seconds is not None and text.draft is None
    ]
    return {
        "writer": who,
        "texts": len(work),
        "accepted": sum(text.description_id not in quality.refused for text in work),
        "words_mean": round(fmean(lengths), 2) if lengths else None,
        "words_sd": round(stdev(lengths), 2) if len(lengths) > 1 else None,
        "ttr": _rounded(type_token_ratio([text.text for text in work]), 3),
        "copies": sum(any(one.rule in COPIES for one in quality.findings[text.description_id]) for text in work),
        "coverage": round(fmean(covers), 3) if covers else None,
        "honeypots": {"passed": sum(honeypots), "failed": len(honeypots) - sum(honeypots)},
        "words_a_minute": round(median(rates), 1) if rates else None,
        "drift": {"words": welch(*_thirds(lengths)), "coverage": shares(*_thirds(covers))},
        "qualified": _qualified(texts, quality, table),
    }


def _covers(text: Text, quality: Quality) -> bool | None:
    """Whether a text speaks of enough of hair, upper clothes, lower clothes and shoes; None where nobody asks."""
    rules = {one.rule for one in quality.findings[text.description_id]}
    return None if rules & UNREAD else "low_coverage" not in rules


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _qualified(texts: Sequence[Text], quality: Quality, table: CampaignTable) -> dict[str, Any] | None:
    """How the texts went that everybody writes first; `passed` is null while some are missing."""
    asked = sum(item.role == "qualify" for item in quality.standing.items.values())
    if not asked:
        return None
    given = [text for text in texts if text.role == "qualify"]
    accepted = sum(text.description_id not in quality.refused for text in given)
    passed = accepted / asked >= table.qualify_share if len(given) >= asked else None
    return {"asked": asked, "given": len(given), "accepted": accepted, "passed": passed}


def type_token_ratio(texts: Sequence[str], window: int = WINDOW) -> float | None:
    """Mean share of different words in every window of so many words within one text (MATTR, Covington and McFall 2010).

    Texts shorter than the window say nothing; None where all are.
    """
    ratios: list[float] = []
    for text in texts:
        row = [word.lower() for word in words_of(text)]
        if len(row) < window:
            continue
        inside = Counter(row[:window])
        ratios.append(len(inside) / window)
        for leaves, comes in zip(row, row[window:], strict=False):
            inside[leaves] -= 1
            if not inside[leaves]:
                del inside[leaves]
            inside[comes] += 1
            ratios.append(len(inside) / window)
    return fmean(ratios) if ratios else None


def _thirds(values: Sequence[float]) -> tuple[Sequence[float], Sequence[float]]:
    """The first and the last third of what came in order of time."""
    third = len(values) // 3
    return values[:third], values[len(values) - third :]


def welch(first: Sequence[float], last: Sequence[float]) -> dict[str, Any] | None:
    """Means of two samples, and how likely so large a difference is by chance (Welch's t)."""
    if min(len(first), len(last)) < LEAST:
        return None
    a, b = stdev(first) ** 2 / len(first), stdev(last) ** 2 / len(last)
    if not a + b:
        return _told(fmean(first), fmean(last), float(fmean(first) == fmean(last)))
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(last) - 1))
    t = (fmean(last) - fmean(first)) / sqrt(a + b)
    # The normal deviate that is as rare (Wallace 1959): few texts make far values of t less rare than normal ones.
    z = (8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log1p(t**2 / freedom))
    return _told(fmean(first), fmean(last), erfc(z / sqrt(2)))


def shares(first: Sequence[float], last: Sequence[float]) -> dict[str, Any] | None:
    """Two shares, and how likely so large a difference is by chance (pooled z of two proportions)."""
    if min(len(first), len(last)) < LEAST:
        return None
    pooled = fmean([*first, *last])
    error = sqrt(pooled * (1 - pooled) * (1 / len(first) + 1 / len(last)))
    p = erfc(abs(fmean(last) - fmean(first)) / error / sqrt(2)) if error else 1.0
    return _told(fmean(first), fmean(last), p)


def _told(first: float, last: float, p: float) -> dict[str, Any]:
    return {"first": round(first, 3), "last": round(last, 3), "p": float(f"{p:.3g}")}
