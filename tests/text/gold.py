"""Loaders of the hand-checked texts under `data/`, and the scores that the gates are put on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"
MARK = re.compile(r"\[(-?)([^\]]+)\]")


class Text(NamedTuple):
    """A description with its phrases: (start, end, said to be absent)."""

    text: str
    phrases: frozenset[tuple[int, int, bool]]


class Pair(NamedTuple):
    """A source, its rewrite, and the one difference planted in it (`same` for none)."""

    source: str
    rewrite: str
    kind: str


class Score(NamedTuple):
    """Counts of right, wrong and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    def __str__(self) -> str:
        return f"precision {self.precision:.3f} recall {self.recall:.3f} of {self.right + self.missed}"


def marked(paragraph: str) -> Text:
    """Read `a [red hat] but no [-bag]` as a text and its spans."""
    text, at, phrases = "", 0, set()
    for mark in MARK.finditer(paragraph):
        text += paragraph[at : mark.start()]
        start = len(text)
        text += mark.group(2)
        phrases.add((start, len(text), mark.group(1) == "-"))
        at = mark.end()
    return Text(text + paragraph[at:], frozenset(phrases))


def phrase_texts(half: str) -> list[Text]:
    """The marked texts of `dev` or `held`."""
    paragraphs = (DATA / f"phrases_{half}.txt").read_text("utf-8").strip().split("\n\n")
    return [marked(paragraph) for paragraph in paragraphs if not paragraph.startswith("#")]


def pairs(half: str) -> list[Pair]:
    """The comparison pairs of `dev` or `held`."""
    source, found = "", []
    for line in (DATA / f"pairs_{half}.txt").read_text("utf-8").splitlines():
        if line.startswith("= "):
            source = line[2:]
        elif line and not line.startswith("#"):
            kind, _, rewrite = line.partition(": ")
            found.append(Pair(source, rewrite, kind))
    return found


def faults() -> dict[str, dict[str, list[str]]]:
    """Planted faults and look-alikes by rule."""
    return tomllib.loads((DATA / "faults.toml").read_text("utf-8"))


def clean_descriptions() -> list[str]:
    """Descriptions long enough for a campaign that judge nobody's skin or face."""
    texts = [text.text for half in ("dev", "held") for text in phrase_texts(half)]
    return [text for text in texts if len(text.split()) >= 30 and "skin" not in text and "face" not in text]
