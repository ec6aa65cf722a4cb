"""Whom an evaluation set holds: persons drawn from the test splits of several releases, every picture once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ufine_kit.dataset.near import near_pairs
from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.dataset.splits import draw
from ufine_kit.dataset.tombstones import read_removed
from ufine_kit.errors import KitError
from ufine_kit.files import digest_of
from ufine_kit.tables import RewriteTable

COLUMNS = ("image_id", "person_id", "source", "captions", "caption_origins", "image_sha256", "dhash", "provenance")


@dataclass(frozen=True)
class Picture:
    """One chosen picture without its pixels. `image_id` and `person_id` are those of the new set."""

    image_id: str
    person_id: str
    source: str
    release: str
    upstream_image: str
    upstream_person: str
    captions: tuple[str, ...]
    styles: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """The pictures in the order of their persons, and what was counted on the way."""

    pictures: tuple[Picture, ...]
    digests: dict[str, str]
    said: dict[str, Any] = field(default_factory=dict[str, Any])

    def counts(self) -> dict[str, int]:
        """Persons, images and original descriptions."""
        return {
            "persons": len({picture.person_id for picture in self.pictures}),
            "images": len(self.pictures),
            "originals": sum(len(picture.captions) for picture in self.pictures),
        }


@dataclass
class _Source:
    """The test split of one release: rows by person."""

    label: str
    release: Release
    people: dict[str, list[dict[str, Any]]]

    @property
    def density(self) -> float:
        return sum(map(len, self.people.values())) / len(self.people)


def choose(releases: Sequence[Release], table: RewriteTable) -> Selection:
    """Draw `persons` of every release's test split, thin out dense sources, name everybody anew.

    UFineBench, section 3.3: 750 persons from each test split. A person whose picture nearly equals one of an earlier source
    stays out. Raises KitError that names the release without a test split, without texts, or with too few persons.
    """
    sources = [_read(release) for release in releases]
    _distinct(sources)
    twins = _twins(sources, table.near_distance)
    chosen: list[Picture] = []
    said: dict[str, Any] = {"near_duplicates_left_out": len(twins), "images_a_person": {}}
    for source in sources:
        free = [person for person in source.people if (source.label, person) not in twins]
        if len(free) < table.persons:
            raise KitError(
                f"`{source.release.path}` has {len(free)} free test persons with texts, {table.persons} are asked for",
                f"lower the number: --set rewrite.persons={len(free)}",
            )
        drawn = sorted(free, key=lambda person: draw(table.seed, f"{source.label}/{person}"))[: table.persons]
        cap = table.dense_cap if source.density > table.dense_above else None
        said["images_a_person"][source.label] = {"average": round(source.density, 2), "cap": cap}
        for person in sorted(drawn):
            chosen += _pictures(source, person, cap, table.seed)
    return Selection(tuple(chosen), {source.label: source.release.data_digest for source in sources}, said)


def _read(release: Release) -> _Source:
    if "test" not in release.splits:
        raise KitError(
            f"`{release.path}` has no test split", "only test persons may be evaluated on; leave this release out"
        )
    people: dict[str, list[dict[str, Any]]] = defaultdict(list)
    pictures: dict[str, dict[str, Any]] = {}
    gone = read_removed(release.path.parent, release.name)
    for row in read_rows(release, "test", COLUMNS):
        crop = row["provenance"]["crop_id"] or row["image_id"]
        if gone.hits_person(row["person_id"]) or gone.hits_image(row["image_sha256"], crop):
            continue  # an older version still holds whom a newer one took out
        known = pictures.get(row["image_sha256"])
        if known is not None:  # a public loader lists a picture once per caption, which inflates every score
            _merge(known, row)
        elif row["captions"]:
            pictures[row["image_sha256"]] = row
            people[row["person_id"]].append(row)
    if not people:
        raise KitError(f"the test split of `{release.path}` has no texts", "leave this release out, or describe it")
    return _Source(release.name, release, dict(people))


def _merge(known: dict[str, Any], row: dict[str, Any]) -> None:
    for text, origin in zip(row["captions"], row["caption_origins"], strict=True):
        if text not in known["captions"]:
            known["captions"].append(text)
            known["caption_origins"].append(origin)


def _distinct(sources: Sequence[_Source]) -> None:
    labels = [source.label for source in sources]
    double = next((label for label in labels if labels.count(label) > 1), None)
    if double is not None:
        raise KitError(f"release `{double}` was given twice", "give every source once, in one version")


def _twins(sources: Sequence[_Source], distance: int) -> set[tuple[str, str]]:
    """Persons of later sources of whom an earlier source shows (nearly) the same picture."""
    if distance < 0:
        return set()
    rows = list(_with_place(sources))
    places = np.array([place for place, _, _ in rows])
    hashes = np.array([int(row["dhash"], 16) for _, _, row in rows], np.uint64)
    later: list[np.ndarray] = []
    for pairs in near_pairs(hashes, distance):
        across = places[pairs.i] != places[pairs.j]
        first, second = pairs.i[across], pairs.j[across]
        later.append(np.where(places[first] > places[second], first, second))
    return {(sources[rows[index][0]].label, rows[index][1]) for index in np.concatenate([*later, []]).astype(int)}


def _with_place(sources: Sequence[_Source]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for place, source in enumerate(sources):
        for person, rows in source.people.items():
            for row in rows:
                yield place, person, row


def _pictures(source: _Source, person: str, cap: int | None, seed: int) -> list[Picture]:
    # A name that belongs to the person, not to the draw: a tombstone must never fall on somebody else.
    number = digest_of([source.label, "person", person])[:12]
    rows = sorted(source.people[person], key=lambda row: draw(seed, f"{source.label}/{row['image_id']}"))
    kept = sorted(rows[:cap], key=lambda row: row["image_id"])
    return [_picture(source, number, row) for row in kept]


def _picture(source: _Source, number: str, row: dict[str, Any]) -> Picture:
    return Picture(
        image_id=digest_of([source.label, row["image_id"]])[:20],
        person_id=number,
        source=row["source"],
        release=source.label,
        upstream_image=row["image_id"],
        upstream_person=row["person_id"],
        captions=tuple(row["captions"]),
        styles=tuple(origin["style"] for origin in row["caption_origins"]),
    )
