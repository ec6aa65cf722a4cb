"""Regular expressions of the rules, compiled from `data/patterns.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache

from ufine_kit.text.wordsets import DATA


@lru_cache(maxsize=1)
def tables() -> dict[str, dict[str, list[str]]]:
    """The file with the parts filled in: pattern name -> `any` -> alternatives."""
    loaded = tomllib.loads((DATA / "patterns.toml").read_text("utf-8"))
    parts: dict[str, str] = loaded.pop("parts")

    def filled(text: str) -> str:
        for name, part in parts.items():
            text = text.replace(f"<<{name}>>", part)
        return text

    return {name: {"any": [filled(filled(one)) for one in table["any"]]} for name, table in loaded.items()}


def pattern(name: str, flags: int = 0) -> re.Pattern[str]:
    """The compiled pattern of that name."""
    return re.compile("|".join(tables()[name]["any"]), flags)
