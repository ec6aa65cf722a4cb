"""How long the texts came out, by source and family, beside the shape that UFine3C's authors drew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ufine_kit.text.words import count

# UFineBench's word-count figure of UFine3C: two peaks, and nearly all texts between these lengths.
PUBLISHED = {"peaks": [20, 72], "range": [11, 150]}
WIDTH = 5
BARS = " ▁▂▃▄▅▆▇█"


def spread(texts: Iterable[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Words of the texts by label (`source` or `source / family`): number, mean, range, and a histogram in steps of 5 words."""
    counts: dict[str, list[int]] = defaultdict(list)
    for label, text in texts:
        counts[label].append(count(text))
    return {label: _facts(words) for label, words in sorted(counts.items())}


def _facts(words: list[int]) -> dict[str, Any]:
    histogram: dict[int, int] = defaultdict(int)
    for number in words:
        histogram[number // WIDTH * WIDTH] += 1
    return {
        "texts": len(words),
        "mean": round(sum(words) / len(words), 1),
        "least": min(words),
        "most": max(words),
        "histogram": {str(start): histogram[start] for start in sorted(histogram)},
    }


def bars(histogram: Mapping[str, int], most_words: int = 160) -> str:
    """A histogram as one line of block signs, from 0 words on, a sign for 5 words."""
    heights = [histogram.get(str(start), 0) for start in range(0, most_words, WIDTH)]
    top = max(heights, default=0) or 1
    return "".join(BARS[-(-height * (len(BARS) - 1) // top)] for height in heights)


def lines(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The spread for people: a line a label, and a scale with the published peaks."""
    width = max((len(label) for label in found), default=0)
    shown = [f"{label:<{width}}  {facts['mean']:>6}  |{bars(facts['histogram'])}|" for label, facts in found.items()]
    marks = [" "] * (160 // WIDTH)
    for peak in PUBLISHED["peaks"]:
        marks[peak // WIDTH] = "^"
    return [*shown, f"{'published peaks, 20 and 70 to 75':<{width}}  {'words':>6}  |{''.join(marks)}|"]
