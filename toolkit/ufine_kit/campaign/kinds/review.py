"""Reviews: each identity as strips of its crops, and pairs of identities that may be one person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ufine_kit import parts
from ufine_kit.campaign.items import Item, item_key
from ufine_kit.campaign.kinds.kept import kept
from ufine_kit.campaign.versions import items_of
from ufine_kit.dataset.splits import draw
from ufine_kit.parquet import read_rows
from ufine_kit.tables import CampaignTable


def items(work: Path, name: str, table: CampaignTable) -> list[Item]:
    """Identities first, then pairs, each in an order drawn by the seed. Raises KitError where nothing is kept.

    The key of an item holds its crops: an identity that the filter made anew is another question. One that has fewer crops
    because of what reviewers answered to this campaign is not: it keeps its keys.
    """
    before = items_of(work / "campaigns" / name).values()
    asked = [item for item in before if item.kind == "review"]
    shown = {picture for item in asked for picture in item.pictures} | {
        person for item in asked for person in _who(item)
    }
    now, people = kept(work), kept(work, shown)
    strips = [
        Item(
            item_key(name, "review", person, *strip),
            "review",
            pictures=strip,
            about={"person_id": person},
        )
        for person, crops in people.items()
        for strip in _strips(crops, table.strip)
    ]
    held = {item.item_key for item in asked}
    found = [
        item
        for item in (*strips, *_pairs(work, name, people))
        if item.item_key in held or all(person in now for person in _who(item))
    ]
    found = list({item.item_key: item for item in found}.values())  # a pair may be named from both sides
    return sorted(found, key=lambda item: ("other_person_id" in item.about, draw(table.seed, item.item_key)))


def _who(item: Item) -> list[str]:
    return [str(item.about[name]) for name in ("person_id", "other_person_id") if name in item.about]


def _strips(crops: list[str], size: int) -> Iterator[tuple[str, ...]]:
    """Crops of an identity in strips. Each further strip begins with the very first crop, so that all are compared with it."""
    yield tuple(crops[:size])
    step = max(1, size - 1)
    for start in range(size, len(crops), step):
        yield (crops[0], *crops[start : start + step])


def _pairs(work: Path, name: str, people: dict[str, list[str]]) -> Iterator[Item]:
    """Pairs of which both identities still have crops to show; those that the filter chose come first."""
    for done in parts.done_parts(work / "pairs"):
        for row in read_rows(work / "pairs" / f"{done.part}.parquet"):
            one, other = row["person_id"], row["other_person_id"]
            first, second = (
                _still(row[shown], people.get(person, []))
                for person, shown in ((one, "crop_ids"), (other, "other_crop_ids"))
            )
            if first and second:
                yield Item(
                    item_key(name, "review", *_sides({one: first, other: second})),
                    "review",
                    pictures=(*first, *second),
                    shown={"first": len(first)},
                    about={"person_id": one, "other_person_id": other},
                )


def _sides(sides: dict[str, list[str]]) -> list[str]:
    """A pair in words that are the same whichever of the two comes first."""
    return [*sorted(sides), *(crop for person in sorted(sides) for crop in sorted(sides[person]))]


def _still(chosen: list[str], crops: list[str]) -> list[str]:
    return [crop for crop in chosen if crop in crops] or crops[:3]
