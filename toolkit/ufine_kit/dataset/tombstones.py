"""What was removed from a release and must never come back: hashes alone, kept beside the versions and in each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ufine_kit.errors import KitError, first_fault
from ufine_kit.files import canonical_json, write_bytes
from ufine_kit.manifest import VERSION, Digest

FILE = "removed.jsonl"


class Tombstone(BaseModel):
    """One removal. `person` is null where single images went; no name and no readable id stands here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=rf"^{VERSION.pattern}$", description="the version that removed it")
    reason: str
    person: Digest | None
    images: tuple[Digest, ...]
    crops: tuple[Digest, ...]


def person_hash(release: str, person_id: str) -> str:
    """The hash of an identity within a release name."""
    return hashlib.sha256(f"{release}:{person_id}".encode()).hexdigest()


def crop_hash(crop_id: str) -> str:
    """The hash of a crop, whatever release it stands in."""
    return hashlib.sha256(crop_id.encode()).hexdigest()


@dataclass(frozen=True)
class Removed:
    """All removals of one release name. Empty where nothing was removed."""

    name: str
    entries: tuple[Tombstone, ...]
    persons: frozenset[str]
    images: frozenset[str]
    crops: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.entries)

    def hits_person(self, person_id: str) -> bool:
        """Whether this identity was removed."""
        return person_hash(self.name, person_id) in self.persons

    def hits_image(self, image_sha256: str, crop_id: str) -> bool:
        """Whether this picture was removed, as these bytes or as another cut of the same crop.

        An imported picture has no crop: its image id stands in for one.
        """
        return image_sha256 in self.images or crop_hash(crop_id) in self.crops

    def of_persons(self) -> Removed:
        """Those alone that took a whole identity out."""
        return removed_of(self.name, (entry for entry in self.entries if entry.person))

    def lines(self) -> bytes:
        """The content of `removed.jsonl`."""
        return b"".join(canonical_json(entry.model_dump(mode="json")).encode() + b"\n" for entry in self.entries)


def removed_of(name: str, entries: Iterable[Tombstone]) -> Removed:
    """The removals of a name, each once, in the order they came."""
    once = tuple(dict.fromkeys(entries))
    return Removed(
        name,
        once,
        frozenset(entry.person for entry in once if entry.person),
        frozenset(image for entry in once for image in entry.images),
        frozenset(crop for entry in once for crop in entry.crops),
    )


def read_removed(folder: Path, name: str) -> Removed:
    """What `releases/<name>/` knows as removed: its own ledger, and what any of its versions carries.

    Raises KitError that names the line.
    """
    files = [folder / FILE, *sorted(folder.glob(f"*/{FILE}"))]
    return removed_of(name, (entry for path in files if path.is_file() for entry in _entries(path)))


def _entries(path: Path) -> Iterable[Tombstone]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            yield Tombstone.model_validate_json(line)
        except ValidationError as error:
            mend = "restore it from another version's copy"
            raise KitError(f"`{path}` line {number}: {first_fault(error, 'line')}", mend) from None


def write_removed(folder: Path, removed: Removed) -> None:
    """Keep the removals beside the versions."""
    if removed:
        write_bytes(folder / FILE, removed.lines())


def hits(rows: pa.RecordBatch, removed: Removed) -> list[bool]:
    """Of each row of a release, whether it was removed."""
    crops = rows.column("provenance").field("crop_id").to_pylist()
    columns = [rows.column(name).to_pylist() for name in ("person_id", "image_sha256", "image_id")]
    return [
        removed.hits_person(person) or removed.hits_image(sha256, crop or image)
        for person, sha256, image, crop in zip(*columns, crops, strict=True)
    ]


def without_removed(rows: pa.RecordBatch, removed: Removed) -> pa.RecordBatch:
    """The rows of a release that nobody asked to be removed."""
    if not removed:
        return rows
    stays = [not hit for hit in hits(rows, removed)]
    return rows if all(stays) else rows.filter(pa.array(stays, pa.bool_()))


def tombstone(
    version: str, reason: str, person: str | None, images: Collection[str], crops: Collection[str]
) -> Tombstone:
    """A removal from the hash of its person, sha256 of its images and ids of its crops (of the images where there is none)."""
    return Tombstone(
        version=version,
        reason=reason,
        person=person,
        images=tuple(sorted(images)),
        crops=tuple(sorted(crop_hash(crop) for crop in crops)),
    )
