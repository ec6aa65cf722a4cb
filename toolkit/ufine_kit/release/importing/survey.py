"""The first reading of a dataset: every row checked, images on several rows found, nothing written and no picture decoded."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ufine_kit.errors import KitError
from ufine_kit.release.importing.entries import Entry, entry_of
from ufine_kit.release.importing.findings import Finding, Refused
from ufine_kit.release.importing.opening import Dataset
from ufine_kit.release.importing.paths import locate
from ufine_kit.rows import Split

# Bytes of pictures in one shard: what the Hub's viewer and a partial download take well.
SHARD_BYTES = 400_000_000


@dataclass(frozen=True)
class Reading:
    """How rows are read: the split of rows that name none, and whether one number in two splits is two identities."""

    split: str | None = None
    ids_per_split: bool = False


@dataclass(slots=True)
class Seen:
    """What is remembered of an image between the two readings."""

    person_id: str
    split: Split
    rows: int
    captions: int


@dataclass
class Survey:
    """What the first reading found. `images` are those that go on to be decoded."""

    images: dict[str, Seen] = field(default_factory=dict[str, Seen])
    findings: list[Finding] = field(default_factory=list[Finding])
    picture_bytes: int = 0

    @property
    def captions_each(self) -> Counter[int]:
        """Captions of an image -> images."""
        return Counter(seen.captions for seen in self.images.values())

    @property
    def shards(self) -> int:
        """Files a split that keep each at a fair size."""
        return max(1, round(self.picture_bytes / SHARD_BYTES))

    def counts(self) -> dict[str, dict[str, int]]:
        """Identities, images and captions of every split as listed, before a picture was looked at."""
        found: dict[str, dict[str, int]] = {}
        for split in ("train", "val", "test"):
            seen = [image for image in self.images.values() if image.split == split]
            people = len({image.person_id for image in seen})
            numbers = {"identities": people, "images": len(seen), "captions": sum(image.captions for image in seen)}
            found |= {split: numbers} if seen else {}
        return found


def survey_of(dataset: Dataset, reading: Reading) -> Survey:
    """Read every row once. Raises KitError that names the file and its first row where not one row can be used."""
    found = Survey()
    refused: dict[str, str] = {}
    writers: dict[bytes, str] = {}
    for entry in _entries(dataset, reading, found.findings):
        person = person_id(dataset, reading, entry)
        _note_shared(entry, person, writers, found.findings)
        seen = found.images.get(entry.image)
        if seen is None:
            found.images[entry.image] = Seen(person, entry.split, 1, len(entry.captions))
            found.picture_bytes += _size(dataset, entry, refused, found.findings)
        else:
            _again(seen, entry, person, refused, found.findings)
    if not found.images:
        raise KitError(*_nothing(dataset, found.findings))
    for name in refused:
        del found.images[name]
    if not found.images:
        raise KitError(*_nothing(dataset, found.findings))
    _note_two_splits(found)
    return found


def merged(dataset: Dataset, reading: Reading, survey: Survey) -> Iterator[Entry]:
    """The second reading: each image that may go on, once, with the captions of all its rows."""
    waiting: dict[str, list[Entry]] = {}
    told_before: list[Finding] = []
    for entry in _entries(dataset, reading, told_before, pixels=True):
        told_before.clear()
        seen = survey.images.get(entry.image)
        if seen is None:
            continue
        if seen.rows == 1:
            yield entry
            continue
        rows = waiting.setdefault(entry.image, [])
        rows.append(entry if not rows else replace(entry, pixels=None))
        if len(rows) == seen.rows:
            texts = dict.fromkeys(text for row in waiting.pop(entry.image) for text in row.captions)
            yield replace(rows[0], captions=tuple(texts))


def person_id(dataset: Dataset, reading: Reading, entry: Entry) -> str:
    """The identity's name in the release."""
    held = dataset.ids.images.get(entry.image)
    if held is not None:
        return held.person_id
    return (
        f"{dataset.prefix}-{entry.split}-{entry.person}"
        if reading.ids_per_split
        else f"{dataset.prefix}-{entry.person}"
    )


def image_id(dataset: Dataset, entry: Entry) -> str:
    """The image's name in the release: the same for the same file of the same dataset, whatever else is in it."""
    held = dataset.ids.images.get(entry.image)
    digest = hashlib.sha256(f"{dataset.source}/{entry.image}".encode()).hexdigest()
    return held.image_id if held is not None else f"{dataset.prefix}-{digest[:16]}"


def _entries(dataset: Dataset, reading: Reading, findings: list[Finding], pixels: bool = False) -> Iterator[Entry]:
    for row, given in enumerate(dataset.rows(pixels)):
        entry, notes = entry_of(row, given, dataset.keys, dataset.source, reading.split)
        findings += notes
        if entry is not None:
            yield entry


def _size(dataset: Dataset, entry: Entry, refused: dict[str, str], findings: list[Finding]) -> int:
    if dataset.root is None:
        return 0
    try:
        return locate(dataset.root, entry.image)[1]
    except Refused as why:
        refused[entry.image] = why.reason
        findings.append(Finding(entry.row, why.reason, entry.image, entry.person, why.detail))
        return 0


def _again(seen: Seen, entry: Entry, person: str, refused: dict[str, str], findings: list[Finding]) -> None:
    """An image on one more row: its captions are added, unless the rows disagree on whose it is or where it belongs."""
    seen.rows += 1
    seen.captions += len(entry.captions)
    reason = "two_identities" if seen.person_id != person else "two_splits" if seen.split != entry.split else ""
    if reason and entry.image not in refused:
        refused[entry.image] = reason
        detail = f"{seen.person_id} and {person}" if reason == "two_identities" else f"{seen.split} and {entry.split}"
        findings.append(Finding(entry.row, reason, entry.image, entry.person, detail))
    elif not reason:
        findings.append(Finding(entry.row, "listed_again", entry.image, entry.person))


def _note_shared(entry: Entry, person: str, writers: dict[bytes, str], findings: list[Finding]) -> None:
    for text in entry.captions:
        key = hashlib.blake2b(" ".join(text.lower().split()).encode(), digest_size=8).digest()
        if writers.setdefault(key, person) != person:
            findings.append(
                Finding(entry.row, "shared", entry.image, entry.person, f"first on {writers[key]}: {text[:60]}")
            )


def _note_two_splits(found: Survey) -> None:
    first: dict[str, Split] = {}
    told: set[str] = set()
    for name, seen in found.images.items():
        if first.setdefault(seen.person_id, seen.split) != seen.split and seen.person_id not in told:
            told.add(seen.person_id)
            both = f"{first[seen.person_id]} and {seen.split}"
            found.findings.append(Finding(0, "two_split_identity", name, seen.person_id, both))


def _nothing(dataset: Dataset, findings: list[Finding]) -> tuple[str, str]:
    if not findings:
        return f"`{dataset.file}` holds no rows", "restore the file from the archive that you were given"
    first = next(finding for finding in findings if finding.left_out)
    other = "name the split of all rows (--split test), or the file that has splits: --annotations FILE"
    return (
        f"`{dataset.file}` row {first.row}: {first.detail or first.reason}; no row of it can be used as {dataset.format}",
        other if "`split`" in first.detail else _mend(dataset.format, first.reason),
    )


def _mend(form: str, reason: str) -> str:
    if reason in ("missing", "outside"):
        return "name the folder of the pictures: --images DIR"
    if reason == "oversized":
        return "scale the pictures down"
    if form == "folder":
        return "say which columns hold what: --map image=COLUMN,person=COLUMN,caption=COLUMN,split=COLUMN"
    return "is it another format? see `ufine-kit import-dataset --help`"
