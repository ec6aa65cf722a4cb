"""What a check is and what it says: a named function with a level, and the findings it yields."""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

Level = Literal["fail", "warn"]
FAIL: Level = "fail"
WARN: Level = "warn"
MOST_SIGNS = 160  # of a message: a hostile value is quoted, never repeated in full


class Fault(NamedTuple):
    """What one check found: where (what is unknown stays empty), and a sentence. `level` where it is not the check's own."""

    message: str
    image_id: str = ""
    person_id: str = ""
    split: str = ""
    file: str = ""
    row: int | None = None
    level: Level | None = None


@dataclass(frozen=True)
class Check:
    """One named check. `what` is the first sentence of its docstring."""

    name: str
    tier: str
    level: Level
    what: str
    act: Callable[..., Any]


def checks_of(tier: str, fails: tuple[Callable[..., Any], ...], warns: tuple[Callable[..., Any], ...]) -> list[Check]:
    """The checks of a tier: a function's name is the check's name, its docstring what the check demands."""
    levels: list[tuple[Level, Callable[..., Any]]] = [*((FAIL, act) for act in fails), *((WARN, act) for act in warns)]
    return [Check(act.__name__, tier, level, (inspect.getdoc(act) or "").split("\n")[0], act) for level, act in levels]


_UNSAFE = re.compile(r"[^\x20-\x7e\u00a1-\u024f\u2010-\u2027\u4e00-\u9fff\u3040-\u30ff]")


def shown(value: Any) -> str:
    """A value from outside as one short printable line: control, invisible and direction signs become escapes."""
    text = value if isinstance(value, str) else str(value)
    cut = text if len(text) <= MOST_SIGNS else f"{text[: MOST_SIGNS - 3]}..."
    return _UNSAFE.sub(_escaped, cut)


def _escaped(match: re.Match[str]) -> str:
    sign = match.group()
    # Letters of other scripts are harmless; what moves the cursor, hides or reorders is spelt out.
    return sign if unicodedata.category(sign)[0] in "LNPSM" else sign.encode("unicode_escape").decode()


def plain_path(name: str) -> bool:
    """Whether a name is relative, stays below its folder, and is spelt the one way it can be."""
    pure = PurePosixPath(name)
    return (
        bool(name)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and pure.as_posix() == name
        and name.isprintable()
    )
