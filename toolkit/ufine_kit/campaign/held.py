"""What the ledger holds of a server's answers already, without the words; and items by key from disk."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern
from types import TracebackType
from typing import Any

from ufine_kit.campaign.items import Item
from ufine_kit.errors import KitError
from ufine_kit.ledger import entries


@dataclass(frozen=True, slots=True)
class Live:
    """An annotation that is on the server as far as the ledger knows."""

    item_key: str
    writer: str
    skipped: bool


@dataclass
class Held:
    """Keys of all entries; of every input (campaign, round, seat) the live annotations by task; what was missed, and when."""

    known: set[str] = field(default_factory=set[str])
    live: dict[str, dict[int, dict[str, Live]]] = field(
        default_factory=lambda: defaultdict[str, dict[int, dict[str, Live]]](lambda: defaultdict(dict))
    )
    gone: dict[str, tuple[str, Live]] = field(default_factory=dict[str, tuple[str, Live]])
    writers: set[str] = field(default_factory=set[str])

    def add(self, entry: dict[str, Any]) -> None:
        """Take note of an entry, in the order of writing."""
        self.known.add(entry["key"])
        row = entry["row"]
        if "event" not in row:
            self.writers.add(entry["who"])
            return
        self.writers |= {row["writer"], row.get("by", row["writer"])}
        tasks, annotation = self.live[intern(entry["input"])], row["annotation"]
        if row["event"] == "answer":
            self.gone.pop(annotation, None)
            # A version that another user wrote leaves the annotation with whom it belongs to.
            tasks[row["task_id"]][annotation] = Live(intern(row["item_key"]), intern(row["writer"]), row["skipped"])
        elif row["event"] == "gone":
            self.gone[annotation] = row["seen_at"], Live(intern(row["item_key"]), intern(row["writer"]), False)
            tasks[row["task_id"]].pop(annotation, None)

    def answered(self, origin: str) -> int:
        """Live annotations of an input that are no skips."""
        return sum(not one.skipped for task in self.live[origin].values() for one in task.values())


def read_held(folder: Path) -> Held:
    """What a ledger folder holds, read entry by entry. Raises KitError for a damaged ledger."""
    held = Held()
    for entry in entries(folder):
        held.add(entry)
    return held


def answered_by(folder: Path, origin: str) -> dict[str, set[str]]:
    """Who answered which item of an input, skips left out: also on tasks that are no longer on the server."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries(folder):
        row = entry["row"]
        if entry["input"] == origin and row.get("event") == "answer" and not row["skipped"]:
            found[intern(row["item_key"])].add(intern(row["writer"]))
    return found


class Items(AbstractContextManager["Items"]):
    """The items of a round by key, left on disk: only where each begins is in memory. Raises KitError for a damaged file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = dict(_starts(path))
        self._file = path.open("rb")

    def __len__(self) -> int:
        return len(self._at)

    def get(self, key: str) -> Item | None:
        """The item of a key; None for a key that was never asked."""
        start = self._at.get(key)
        if start is None:
            return None
        self._file.seek(start)
        entry: dict[str, Any] = json.loads(self._file.readline())
        entry |= {"pictures": tuple(entry["pictures"]), "seats": tuple(entry["seats"])}
        return Item(**entry)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _starts(path: Path) -> Iterator[tuple[str, int]]:
    try:
        with path.open("rb") as lines:
            start = 0
            for number, line in enumerate(lines, start=1):
                yield intern(_key(line, path, number)), start
                start += len(line)
    except FileNotFoundError:
        raise KitError(f"`{path}` is missing", "restore the file from a copy") from None


def _key(line: bytes, path: Path, number: int) -> str:
    try:
        return str(json.loads(line)["item_key"])
    except (ValueError, TypeError, KeyError):
        raise KitError(f"`{path}` line {number} is no item", "restore the file from a copy") from None
