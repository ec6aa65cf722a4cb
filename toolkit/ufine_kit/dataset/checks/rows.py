"""Checks of one row by itself: nothing is missing, ids are plain words, and nothing that was taken down is back."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ufine_kit.dataset.checks.check import checks_of, shown
from ufine_kit.dataset.checks.pictures import Picture
from ufine_kit.dataset.checks.subject import SPLITS, Tombstones
from ufine_kit.tables import CheckTable


@dataclass(frozen=True)
class Seen:
    """One row under the checks: the row, its picture where pixels are looked at, and what it is held against."""

    row: Mapping[str, Any]
    file_split: str
    picture: Picture | None
    table: CheckTable
    tombstones: Tombstones
    release: str = ""

    @property
    def pixels(self) -> Picture:
        """The picture; only the checks of pictures ask for it."""
        assert self.picture is not None
        return self.picture


# An id becomes a file name in exports and a cell in tables: nothing that climbs, hides or breaks a line.
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:@+=-]|/(?=[A-Za-z0-9])){0,199}")
_NAME = re.compile(r"\w(?:[\w .,:@+=/()&-]{0,98}[\w)])?")
_HEX = re.compile(r"[0-9a-f]+")
HEX_WIDTHS = {"image_sha256": 64, "dhash": 16}
_NEEDED = (
    "image_id",
    "person_id",
    "split",
    "source",
    "captions",
    "caption_origins",
    "image_sha256",
    "width",
    "height",
    "dhash",
)
_OF_ORIGIN = ("kind", "writer", "words", "granularity", "style")


def holes(row: Mapping[str, Any], with_pixels: bool = True) -> list[str]:
    """The columns of a row that are null, or hold a null or a number that is none."""
    found = [name for name in (*_NEEDED, "provenance") if row[name] is None]
    if with_pixels and (row["image"] is None or not row["image"]["bytes"]):
        found.append("image")
    if any(caption is None for caption in row["captions"] or ()):
        found.append("captions[]")
    for origin in row["caption_origins"] or ():
        found += [f"caption_origins[].{name}" for name in _OF_ORIGIN if origin is None or origin[name] is None]
    box = (row["provenance"] or {}).get("box_xywh")
    if box is not None and (len(box) != 4 or not all(side is not None and math.isfinite(side) for side in box)):
        found.append("provenance.box_xywh")
    return list(dict.fromkeys(found))


def nulls(seen: Seen) -> Iterator[str]:
    """No value that a row needs is missing; only provenance, file names and parents may be null."""
    found = holes(seen.row, seen.picture is not None)
    if found:
        yield f"nothing in {', '.join(found[:5])}"


def ids(seen: Seen) -> Iterator[str]:
    """Ids are plain words of at most 200 signs, sources short plain names, and hashes lower-case hex."""
    for name, form in (("image_id", _ID), ("person_id", _ID), ("source", _NAME)):
        value = seen.row[name]
        if not form.fullmatch(value) or ".." in value:
            yield f"{name} `{shown(value)}`"
    for name, width in HEX_WIDTHS.items():
        value = seen.row[name]
        if len(value) != width or not _HEX.fullmatch(value):
            yield f"{name} `{shown(value)[:80]}`"


def split_name(seen: Seen) -> Iterator[str]:
    """The column `split` says what the shard's file name says."""
    said = seen.row["split"]
    if said not in SPLITS or said != seen.file_split:
        yield f"`{shown(said)}` in a shard of {seen.file_split or 'no split'}"


def taken_down(seen: Seen) -> Iterator[str]:
    """No person, image or crop that was removed from this release is back."""
    row, stones = seen.row, seen.tombstones
    crop = row["provenance"]["crop_id"] or row["image_id"]  # imported rows are crops of no video
    image = seen.picture.sha256 if seen.picture else row["image_sha256"]
    if image in stones.images or row["image_sha256"] in stones.images:
        yield "the image was removed"
    if stones.persons and hashed(f"{seen.release}:{row['person_id']}") in stones.persons:
        yield "the person was removed"
    if stones.crops and hashed(crop) in stones.crops:
        yield "the crop was removed"


def hashed(word: str) -> str:
    """As a tombstone names a person or crop."""
    return hashlib.sha256(word.encode()).hexdigest()


CHECKS = checks_of("rows", (nulls, ids, split_name, taken_down), ())
