"""Every version of every annotation that was seen on a server, and which of them is its author's last word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ufine_kit.campaign.items import Item, Kind, Role, read_items
from ufine_kit.campaign.spec import has_campaign, read_campaign
from ufine_kit.errors import KitError

ABOUT = ("crop_id", "person_id", "other_person_id", "rewrite_id", "parent_id", "draft", "doubt")


@dataclass(frozen=True, slots=True)
class Answer:
    """One version of one annotation. `by` wrote it, `writer` owns the annotation; `said` is the parsed answer.

    `seen_at` is when the server had it: its own time, or when it was there again after it was gone.
    """

    key: str
    item_key: str
    annotation: str
    kind: Kind
    role: Role
    round: int | None
    writer: str
    by: str
    created_at: str
    updated_at: str
    seen_at: str
    lead_seconds: float | None
    skipped: bool
    said: Mapping[str, Any]
    about: Mapping[str, Any]
    flags: frozenset[str] = frozenset()

    @property
    def text(self) -> str | None:
        """The text of the answer, where it gave one."""
        return None if self.skipped else self.said.get("text")

    def flagged(self, flag: str) -> Answer:
        """The same answer with one more flag."""
        return replace(self, flags=self.flags | {flag})


@dataclass
class Seen:
    """What a ledger holds of a server: versions by annotation, and when annotations and whole tasks were missed there."""

    versions: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict[str, list[Answer]](list))
    gone: dict[str, str] = field(default_factory=dict[str, str])
    gone_items: dict[str, str] = field(default_factory=dict[str, str])


def items_of(folder: Path) -> dict[str, Item]:
    """The frozen items of all rounds of a campaign by their key.

    Raises KitError where a round's items are missing: without them nobody knows which answers are no work.
    """
    for made in read_campaign(folder).rounds if has_campaign(folder) else ():
        if not (folder / made.items).exists():
            raise KitError(f"`{folder / made.items}` is missing", "restore the file from a copy")
    return {item.item_key: item for path in sorted(folder.glob("items-*.jsonl")) for item in read_items(path)}


def moment(at: str) -> str:
    """A UTC time in the form in which times of one zone sort as text, with or without fractions of a second."""
    return at.removesuffix("Z").removesuffix("+00:00")


def seen(entries: Iterable[Mapping[str, Any]], items: Mapping[str, Item]) -> Seen:
    """The ledger's rows of a server, put in order."""
    found = Seen()
    for entry in entries:
        row = entry["row"]
        event = row.get("event")
        if event == "answer":
            found.versions[row["annotation"]].append(_answer(entry, items.get(row["item_key"])))
        elif event == "gone":
            at = moment(row.get("seen_at") or entry["at"])
            known, name = (
                (found.gone, row["annotation"]) if row.get("annotation") else (found.gone_items, row["item_key"])
            )
            known[name] = max(at, known.get(name, ""))
    return found


def _answer(entry: Mapping[str, Any], item: Item | None) -> Answer:
    row = entry["row"]
    about = {name: row[name] for name in ABOUT if row.get(name) is not None}
    return Answer(
        key=entry["key"],
        item_key=row["item_key"],
        annotation=row["annotation"],
        kind=item.kind if item else _kind_of(row),
        role=item.role if item else "honeypot" if row.get("trusted") else "work",
        round=_round(entry["input"]),
        writer=row["writer"],
        by=row.get("by") or row["writer"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        seen_at=max(moment(entry["at"]), moment(row["updated_at"])),
        lead_seconds=row.get("lead_seconds"),
        skipped=bool(row.get("skipped")),
        said=row.get("answer") or {},
        about={**about, **(item.about if item else {})},
    )


def _kind_of(row: Mapping[str, Any]) -> Kind:
    """What was asked, told from the answer alone: for ledgers whose items were lost."""
    said = row.get("answer") or {}
    if "same" in said or "keep" in said:
        return "review"
    if "decision" in said:
        return "revise"
    return "fix" if row.get("parent_id") else "describe"


def _round(origin: str) -> int | None:
    pieces = origin.split("/")
    return int(pieces[1]) if len(pieces) > 1 and pieces[1].isdigit() else None


def last_words(found: Seen) -> tuple[list[Answer], list[Answer]]:
    """The last version of each annotation by its own author, flagged `deleted` where it is gone; and every other version."""
    last: list[Answer] = []
    aside: list[Answer] = []
    for annotation, everything in found.versions.items():
        versions = _once(everything)
        aside += [one.flagged("tampered") for one in versions if one.by != one.writer]
        own = [one for one in versions if one.by == one.writer]
        aside += [one.flagged("superseded") for one in own[:-1]]
        gone = max(found.gone.get(annotation, ""), found.gone_items.get(versions[0].item_key, ""))
        # Both in one moment: it was seen again after it was missed.
        there = gone <= max(one.seen_at for one in everything)
        last += [one if there else one.flagged("deleted") for one in own[-1:]]
    return last, aside


def _once(versions: Iterable[Answer]) -> list[Answer]:
    """Versions in order of time; one that was there again after it was gone keeps the key of its first coming."""
    first: list[Answer] = []
    for one in sorted(versions, key=lambda one: (moment(one.updated_at), one.seen_at, one.key)):
        if not any(_same(one, other) for other in first):
            first.append(one)
    return first


def _same(one: Answer, other: Answer) -> bool:
    """Whether two entries are one version: a server may change words and leave their time as it was."""
    return (moment(one.updated_at), one.by, one.skipped, one.said) == (
        moment(other.updated_at),
        other.by,
        other.skipped,
        other.said,
    )
