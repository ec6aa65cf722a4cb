"""Word sets of the rules, read once from `data/sets.toml`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def tables() -> dict[str, dict[str, str]]:
    """All sections of the file: section -> name -> words."""
    return tomllib.loads((DATA / "sets.toml").read_text("utf-8"))


def word_sets(section: str) -> dict[str, frozenset[str]]:
    """The sets of a section by name."""
    return {name: frozenset(words.split()) for name, words in tables()[section].items()}


def word_map(section: str) -> dict[str, str]:
    """A section whose keys are canonical and whose words point to them: word -> canonical."""
    return {word: name for name, words in tables()[section].items() for word in words.split()}


def pair_sets(section: str) -> dict[str, frozenset[frozenset[str]]]:
    """A section of `a:b` pairs by name; a pair has no order."""
    return {
        name: frozenset(frozenset(pair.split(":")) for pair in words.split())
        for name, words in tables()[section].items()
    }
