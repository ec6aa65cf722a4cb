"""What a campaign asks of people: items with a lasting key, frozen by round before anything reaches a server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ufine_kit.errors import KitError
from ufine_kit.files import canonical_json, digest_of, write_bytes

Kind = Literal["review", "describe", "revise", "fix"]
Role = Literal["work", "qualify", "honeypot"]


@dataclass(frozen=True)
class Item:
    """One question. `item_key` names it on every server and for ever: task numbers are re-used, keys never.

    `pictures` are crops (or images of a release) in the order shown; `shown` is what else the task shows: plain strings, lists
    of strings or numbers, escaped by whoever puts them into markup. `about` is what an answer to it is an answer to, as the
    ledger's rows need it: `crop_id`, `person_id`, `other_person_id`, `rewrite_id`, `parent_id`, `draft`, `doubt`.
    """

    item_key: str
    kind: Kind
    role: Role = "work"
    pictures: tuple[str, ...] = ()
    shown: dict[str, Any] = field(default_factory=dict[str, Any])
    about: dict[str, Any] = field(default_factory=dict[str, Any])
    seats: tuple[str, ...] = ()


def item_key(campaign: str, kind: Kind, *about: str) -> str:
    """The key of an item: the same question of the same campaign always has the same one."""
    return digest_of([campaign, kind, *about])[:20]


def people_asked(kind: str, overlap: int) -> int:
    """How many different people an item is asked of: one where a text is mended, `overlap` for all else."""
    return 1 if kind in ("fix", "revise") else overlap


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Freeze the items of a round, whole or not at all."""
    write_bytes(path, "".join(canonical_json(asdict(item)) + "\n" for item in items).encode())


def read_items(path: Path) -> Iterator[Item]:
    """The items of a round in their order. Raises KitError where they cannot be read, and for a line that is none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise KitError(f"cannot read `{path}`: {error.strerror}", "restore the file from a copy") from None
    for number, line in enumerate(lines, start=1):
        try:
            entry: dict[str, Any] = json.loads(line)
            yield Item(pictures=tuple(entry.pop("pictures")), seats=tuple(entry.pop("seats")), **entry)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise KitError(f"`{path}` line {number} is no item", "restore the file from a copy") from None
