"""Statistics as pictures: how long texts are, how they divide, what they speak of; releases side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ufine_kit.errors import need
from ufine_kit.files import make_folder, replacing
from ufine_kit.release.statistics import BIN, Statistics

NAMES = ("words.png", "granularity.png", "attributes.png")
MOST_BARS = 16


def write_plots(found: Sequence[Statistics], folder: Path) -> list[Path]:
    """Write the PNGs; returns their paths. Raises KitError without matplotlib."""
    figure: Any = need("matplotlib.figure", "release").Figure
    make_folder(folder)
    written = [_save(_words(figure, found), folder / "words.png")]
    written.append(_save(_bars(figure, "Texts by granularity", found, [one.whole["granularity"] for one in found]),
                         folder / "granularity.png"))  # fmt: skip
    read = [one for one in found if one.attributes]
    if read:
        shares = [(one.attributes or {})["items"] for one in read]
        written.append(_save(_bars(figure, "Texts that mention", read, shares), folder / "attributes.png"))
    return written


def _words(figure: Any, found: Sequence[Statistics]) -> Any:
    """Share of texts by their number of words: datasets of different size lie on one scale."""
    drawn = figure(figsize=(7, 4), layout="constrained")
    axes = drawn.subplots()
    for one in found:
        texts = one.whole["texts"] or 1
        lows = [int(low) for low in one.whole["lengths"]]
        edges = range(min(lows, default=0), max(lows, default=0) + 2 * BIN, BIN)
        heights = [100 * one.whole["lengths"].get(low, 0) / texts for low in edges[:-1]]
        axes.stairs(heights, edges, label=one.title, linewidth=1.5)
    axes.set(xlabel="words a text", ylabel="texts, %", ylim=(0, None))
    axes.legend(frameon=False)
    return drawn


def _bars(figure: Any, title: str, found: Sequence[Statistics], shares: Sequence[dict[str, float]]) -> Any:
    names = list(dict.fromkeys(name for held in shares for name in held))[:MOST_BARS]
    drawn = figure(figsize=(7, 1 + 0.35 * max(3, len(names))), layout="constrained")
    axes = drawn.subplots()
    thick = 0.8 / len(found)
    for number, (one, held) in enumerate(zip(found, shares, strict=True)):
        places = [row + number * thick for row in range(len(names))]
        axes.barh(places, [100 * held.get(name, 0.0) for name in names], thick, label=one.title)
    axes.set_yticks([row + 0.4 - thick / 2 for row in range(len(names))], [name.replace("$", r"\$") for name in names])
    axes.invert_yaxis()
    axes.set(title=title, xlabel="%")
    axes.legend(frameon=False)
    return drawn


def _save(drawn: Any, path: Path) -> Path:
    """Write a figure; nothing in the file tells the program's version or the time."""
    with replacing(path) as temporary:
        drawn.savefig(temporary, format="png", dpi=144, metadata={"Software": None})
    return path
