"""Reviews: each identity as strips of its crops, and pairs of identities that may be one person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ufine_kit import parts
from ufine_kit.campaign.items import Item, item_key
from ufine_kit.campaign.kinds.kept import decided_pairs, kept
from ufine_kit.campaign.people import crop_people
from ufine_kit.campaign.suspects import Doubts, Suspects
from ufine_kit.campaign.versions import items_of
from ufine_kit.dataset.splits import draw
from ufine_kit.parquet import read_rows
from ufine_kit.tables import CampaignTable

ROW = 3  # crops of each side of a pair, where the filter has not chosen them


@dataclass(frozen=True)
class _Known:
    """Crops by person, as they are kept now, and with those that this campaign asked about; the items that it asked."""

    now: Mapping[str, list[str]]
    people: Mapping[str, list[str]]
    asked: Mapping[str, Item]
    pairs: Mapping[frozenset[str], list[Item]]

    def pair(self, one: str, other: str) -> Item | None:
        """The question about a pair of persons that was asked already, of crops that are still theirs."""
        crops = {*self.people.get(one, ()), *self.people.get(other, ())}
        asked = self.pairs.get(frozenset((one, other)), ())
        return next((item for item in asked if crops.issuperset(item.pictures)), None)


def items(work: Path, name: str, table: CampaignTable) -> list[Item]:
    """Identities first, then pairs, each in an order drawn by the seed. Raises KitError where nothing is kept.

    The key of an item holds its crops: an identity that the filter made anew is another question. One that has fewer crops
    because of what reviewers answered to this campaign is not: it keeps its keys.
    """
    known = _known(work, name)
    strips = [strip for person in known.people for strip in _strips(name, person, known.people[person], table.strip)]
    pairs = (_doubted_before(item, known) or item for item in _pairs(work, name, known.people))
    return _drawn((*strips, *pairs), known, table)


def doubted(work: Path, name: str, table: CampaignTable, suspects: Suspects) -> Doubts:
    """For every crop of a list the strip of its person (what does not belong?), and its person beside the nearest other.

    A strip alone would not tell that two identities are one person, a pair alone not that one crop strayed. Two persons are
    set side by side once, whatever crops named them, and not where reviewers have decided on them. Raises KitError where
    nothing is kept.
    """
    known, judged, told = _known(work, name), crop_people(work), Doubts()
    owner = {crop: person for person, crops in known.now.items() for crop in crops}
    strips: list[Item] = []
    beside: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for suspect in suspects.crops:
        crop, nearest = suspect.crop_id or "", suspect.nearest_crop_id or ""
        if crop not in owner:
            told.left_out["out by now" if crop in judged else "of crops that this work folder does not know"] += 1
            continue
        own = owner[crop]
        strips.append(
            next(item for item in _strips(name, own, known.people[own], table.strip) if crop in item.pictures)
        )
        other = owner.get(nearest)
        if other is None or other == own:
            told.left_out["nearest crops that are out or of the same person by now"] += 1
            continue
        one, two = sorted((own, other))
        beside[one, two][own].append(crop)
        beside[one, two][other].append(nearest)
    told.items = _drawn((*strips, *_beside(work, name, known, beside, told)), known, table)
    if suspects.texts:
        told.left_out["of texts (`campaign create fix` asks about them)"] = len(suspects.texts)
    return told


def _known(work: Path, name: str) -> _Known:
    asked = {key: item for key, item in items_of(work / "campaigns" / name).items() if item.kind == "review"}
    shown = {picture for item in asked.values() for picture in item.pictures} | {
        person for item in asked.values() for person in _who(item)
    }
    pairs: dict[frozenset[str], list[Item]] = defaultdict(list)
    for item in asked.values():
        pairs[frozenset(_who(item))].append(item)
    return _Known(kept(work), kept(work, shown), asked, pairs)


def _drawn(found: Iterable[Item], known: _Known, table: CampaignTable) -> list[Item]:
    """Each item once, of persons who are kept or were asked about already: identities, then pairs, in the order drawn."""
    each = {
        item.item_key: item
        for item in found
        if item.item_key in known.asked or all(person in known.now for person in _who(item))
    }  # a pair may be named from both sides
    return sorted(each.values(), key=lambda item: ("other_person_id" in item.about, draw(table.seed, item.item_key)))


def _beside(
    work: Path,
    name: str,
    known: _Known,
    beside: Mapping[tuple[str, str], Mapping[str, Sequence[str]]],
    told: Doubts,
) -> Iterator[Item]:
    """Pairs of a list: as they were asked, else as the filter shows them, else with the crops that named them first."""
    decided = decided_pairs(work)
    chosen = {frozenset(_who(item)): item for item in _pairs(work, name, known.people)}
    for (one, two), named in beside.items():
        pair = frozenset((one, two))
        if asked := known.pair(one, two):
            yield asked
        elif pair in decided:
            told.left_out["decided on by reviewers as a pair"] += 1
        elif pair in chosen:
            yield chosen[pair]
        else:
            rows = ([*dict.fromkeys((*named[who], *known.now[who]))][:ROW] for who in (one, two))
            yield _pair(name, one, two, *rows, doubt=True)


def _doubted_before(pair: Item, known: _Known) -> Item | None:
    """The same two persons as a list has set them side by side: they are not asked about again."""
    one, two = _who(pair)
    asked = known.pair(one, two)
    return asked if asked and "doubt" in asked.about else None


def _who(item: Item) -> list[str]:
    return [str(item.about[name]) for name in ("person_id", "other_person_id") if name in item.about]


def _strips(name: str, person: str, crops: list[str], size: int) -> Iterator[Item]:
    """An identity in strips. Each further strip begins with the very first crop, so that all are compared with it."""
    step = max(1, size - 1)
    further = ((crops[0], *crops[start : start + step]) for start in range(size, len(crops), step))
    for strip in (tuple(crops[:size]), *further):
        yield Item(item_key(name, "review", person, *strip), "review", pictures=strip, about={"person_id": person})


def _pairs(work: Path, name: str, people: Mapping[str, list[str]]) -> Iterator[Item]:
    """Pairs of which both identities still have crops to show; those that the filter chose come first."""
    for done in parts.done_parts(work / "pairs"):
        for row in read_rows(work / "pairs" / f"{done.part}.parquet"):
            one, other = row["person_id"], row["other_person_id"]
            first, second = (
                _still(row[shown], people.get(person, []))
                for person, shown in ((one, "crop_ids"), (other, "other_crop_ids"))
            )
            if first and second:
                yield _pair(name, one, other, first, second)


def _pair(name: str, one: str, other: str, first: list[str], second: list[str], doubt: bool = False) -> Item:
    return Item(
        item_key(name, "review", *_sides({one: first, other: second})),
        "review",
        pictures=(*first, *second),
        shown={"first": len(first)},
        about={"person_id": one, "other_person_id": other, **({"doubt": True} if doubt else {})},
    )


def _sides(sides: dict[str, list[str]]) -> list[str]:
    """A pair in words that are the same whichever of the two comes first."""
    return [*sorted(sides), *(crop for person in sorted(sides) for crop in sorted(sides[person]))]


def _still(chosen: list[str], crops: list[str]) -> list[str]:
    return [crop for crop in chosen if crop in crops] or crops[:ROW]
