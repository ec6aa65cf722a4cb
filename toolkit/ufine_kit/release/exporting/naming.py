"""What pictures and identities are called in an export: plain file names, contiguous numbers, the same on every run."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from ufine_kit.dataset.reader import Release, read_rows
from ufine_kit.errors import CheckFailed

# Short enough for a tar header of 1988, and without a dot: WebDataset parts key and ending at the first one.
_STEM = re.compile(r"[A-Za-z0-9_-]{1,80}")
_RANK = {"train": 0, "val": 1, "test": 2}
_MAGIC = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"BM", "bmp"))


@dataclass(frozen=True)
class Numbers:
    """People from 0 on, those of train first and without a gap; pictures from 1 on, in the order of their people."""

    people: dict[str, int]
    images: dict[str, int]


def numbers_of(release: Release) -> Numbers:
    """Number people and images. Reads no pixels.

    Within a split people go by the number that their own dataset gave them, so that a known dataset keeps its numbers.
    """
    people: dict[str, tuple[int, int, int, str]] = {}
    owners: list[tuple[str, str]] = []
    for row in read_rows(release, columns=["image_id", "person_id", "split", "provenance"]):
        key = _order(row)
        people[row["person_id"]] = min(key, people.get(row["person_id"], key))
        owners.append((row["person_id"], row["image_id"]))
    ranked = {person: number for number, person in enumerate(sorted(people, key=lambda person: people[person]))}
    owners.sort(key=lambda pair: (ranked[pair[0]], pair[1]))
    return Numbers(ranked, {image: number for number, (_, image) in enumerate(owners, 1)})


def _order(row: dict[str, Any]) -> tuple[int, int, int, str]:
    upstream = row["provenance"]["upstream_id"] or ""
    is_number = upstream.isascii() and upstream.isdigit() and len(upstream) < 19
    return _RANK[row["split"]], int(not is_number), int(upstream) if is_number else 0, row["person_id"]


def stem(image_id: str) -> str:
    """A file name without ending: the id itself where it is fit to be one, else a hash of it."""
    return image_id if _STEM.fullmatch(image_id) else hashlib.sha256(image_id.encode()).hexdigest()[:32]


def ending(row: dict[str, Any]) -> str:
    """The ending that a picture's bytes ask for. Raises CheckFailed for bytes that are damaged or no picture."""
    content: bytes = row["image"]["bytes"]
    if hashlib.sha256(content).hexdigest() != row["image_sha256"]:
        raise CheckFailed(f"image `{row['image_id']}` is damaged", "restore the release from a copy")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    found = next((word for magic, word in _MAGIC if content.startswith(magic)), None)
    if found is None:
        raise CheckFailed(f"image `{row['image_id']}` is no JPEG, PNG, BMP or WebP", "ufine-kit check-release RELEASE")
    return found
