"""Ledger entries from what a server says: every version of every answer, and what is no longer there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit import __version__
from ufine_kit.adapters.label_studio import utc
from ufine_kit.campaign.answers import parse
from ufine_kit.campaign.held import Live
from ufine_kit.campaign.items import Item
from ufine_kit.files import canonical_json, digest_of

KEPT = ("from_name", "to_name", "type", "value")
DEEPEST = 64  # levels of lists and objects in a result


@dataclass(frozen=True)
class Origin:
    """Where answers come from: a campaign, a round of it, and a seat or everybody."""

    uid: str
    round: int
    seat: str | None

    @property
    def input(self) -> str:
        """As ledger entries name it."""
        return f"{self.uid}/{self.round}/{self.seat or 'all'}"


def annotation_id(uid: str, annotation: Mapping[str, Any]) -> str:
    """A lasting name of an annotation: a server gives its numbers again after a deletion, but never at the same moment.

    The server's own unique id stands in no listing.
    """
    return digest_of([uid, annotation.get("id"), utc(annotation.get("created_at"))])[:20]


def answer_entry(
    origin: Origin,
    item: Item,
    task_id: int,
    annotation: Mapping[str, Any],
    pseudonym: Callable[[int], str],
    returned: str | None = None,
    owner: str | None = None,
) -> dict[str, Any]:
    """One version of one annotation. `returned` is the server's time when it is there again after it was gone.

    `owner` is the pseudonym of whoever it belonged to when it was first seen: a user may write over what another
    wrote and put their own name to it, and that is no author's word.

    The entry's key is told by what was answered and when, not by what this kit makes of it, nor by pseudonyms: those may be
    given anew.
    """
    writer = owner or pseudonym(_person(annotation.get("completed_by")))
    by = _person(annotation.get("updated_by"))
    result = annotation.get("result")
    raw = [_kept(one) for one in result] if isinstance(result, list) else []
    name, updated = annotation_id(origin.uid, annotation), utc(annotation.get("updated_at"))
    skipped = bool(annotation.get("was_cancelled"))
    row = {
        **item.about,
        "event": "answer",
        "item_key": item.item_key,
        "annotation": name,
        "task_id": task_id,
        "writer": writer,
        "by": pseudonym(by) if by else writer,
        "created_at": utc(annotation["created_at"]),
        "updated_at": updated,
        "lead_seconds": _seconds(annotation.get("lead_time")),
        "skipped": skipped,
        "answer": parse(item.kind, raw, item),
        "raw": raw if _shallow(raw) else _as_text(raw),
        **({"returned": returned} if returned else {}),
    }
    row = _writable(row)
    told = [origin.uid, name, item.item_key, updated, skipped, row["raw"], *([returned] if returned else [])]
    return _entry(digest_of(told)[:20], writer, returned or updated, origin, row)


def gone_entry(origin: Origin, task_id: int, name: str, live: Live, task: bool, seen_at: str) -> dict[str, Any]:
    """An annotation, or with `task` its whole task, that is no longer on the server."""
    row = {
        "event": "gone", "item_key": live.item_key, "annotation": name, "task_id": task_id,
        "writer": live.writer, "task": task, "seen_at": seen_at,
    }  # fmt: skip
    return _entry(digest_of([origin.uid, name, "gone", seen_at])[:20], live.writer, seen_at, origin, row)


def _entry(key: str, who: str, at: str, origin: Origin, row: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "who": who, "version": __version__, "at": at, "input": origin.input, "row": row}


def _person(value: Any) -> int:
    """A user's number, of a number or of a user's entry; 0 for a user who was deleted."""
    number = value.get("id") if isinstance(value, dict) else value
    return number if isinstance(number, int) else 0


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else None


def _kept(result: Any) -> Any:
    return {name: result[name] for name in KEPT if name in result} if isinstance(result, dict) else result


def _shallow(value: Any) -> bool:
    """Whether a value nests no deeper than anything that labelling gives: a ledger must be read again by whoever comes."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _as_text(raw: list[Any]) -> list[Any]:
    try:
        return [json.dumps(raw)]
    except RecursionError:
        return [None]


def _writable(row: dict[str, Any]) -> dict[str, Any]:
    """The row as it is; halves of signs, which no file can hold, become the sign for what cannot be shown.

    Results with a number beyond all numbers become one text.
    """
    try:
        canonical_json(row).encode()
    except UnicodeEncodeError:
        return _whole(row)
    except ValueError:
        return _whole({**row, "raw": _as_text(row["raw"])})
    return row


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass").decode(errors="replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list) else value
