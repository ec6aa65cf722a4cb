"""What is mended of one row without anyone having to look at it: metadata, spacing, doubled captions, computed columns."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from ufine_kit.dataset.checks.captions import same_words, tidy, unsafe
from ufine_kit.dataset.checks.pictures import SUFFIXES, TORN, Picture, look_at
from ufine_kit.dataset.checks.rows import holes
from ufine_kit.dataset.checks.segments import Extra, extras, without
from ufine_kit.rows import granularity_of
from ufine_kit.text.words import count

Row = dict[str, Any]
ORIENTATION = 0x0112
JOINERS = "\u00ad\u200b\u2060\ufeff"  # inside words: taken out; any other unsafe sign parts two words


def mended(row: Row, max_pixels: int, told: Counter[str]) -> Row:
    """The row with what is mechanical put right; `told` counts what was, in words for the CHANGELOG."""
    if holes(row):
        return row
    row = _captions(dict(row), told)
    picture = look_at(row["image"]["bytes"], max_pixels)
    if picture.thumb is None or picture.sha256 != row["image_sha256"]:
        return row  # torn or exchanged: no machine knows the right one
    return _columns(_bare(row, picture, told), told, max_pixels)


def _bare(row: Row, picture: Picture, told: Counter[str]) -> Row:
    data = row["image"]["bytes"]
    unwanted = _removable(data)
    if not unwanted:
        return row
    bare = without(data, unwanted)
    if not _same_pixels(data, bare):
        return row
    for what in dict.fromkeys(extra.what for extra in unwanted):
        told[f"{what} taken out of pictures"] += 1
    return {**row, "image": {**row["image"], "bytes": bare}, "image_sha256": look_at(bare, 1 << 40).sha256}


def _removable(data: bytes) -> list[Extra]:
    """Everything beside the pixels, but an orientation or a colour profile that changes how the pixels are shown."""
    found = extras(data)
    with Image.open(io.BytesIO(data)) as image:
        turned = image.getexif().get(ORIENTATION, 1) != 1
        profile: bytes = image.info.get("icc_profile", b"sRGB")
        foreign = not any(name in profile for name in (b"sRGB", "sRGB".encode("utf-16-be")))
    kept = {"EXIF", "GPS"} if turned else set[str]()
    return [extra for extra in found if extra.what not in kept and not (extra.what == "ICC" and foreign)]


def _same_pixels(one: bytes, other: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
            return first.mode == second.mode and np.array_equal(np.asarray(first), np.asarray(second))
    except TORN:
        return False


def _columns(row: Row, told: Counter[str], max_pixels: int) -> Row:
    """Columns that are computed from the picture, and a file name that ends like it."""
    found = look_at(row["image"]["bytes"], max_pixels)
    for name in ("width", "height", "dhash"):
        if row[name] != getattr(found, name):
            told[f"`{name}` computed again"] += 1
            row = {**row, name: getattr(found, name)}
    path, suffixes = row["image"]["path"], SUFFIXES.get(found.format, ())
    if path and suffixes and not path.lower().endswith(suffixes):
        told["file names ended like their pictures"] += 1
        row = {**row, "image": {**row["image"], "path": str(PurePosixPath(path).with_suffix(suffixes[0]))}}
    return row


def clean(text: str) -> str:
    """A caption without unsafe signs, composed, with single plain spaces."""
    signs = ["" if sign in JOINERS else " " if unsafe(sign) else sign for sign in text]
    return tidy(unicodedata.normalize("NFC", "".join(signs)))


def _captions(row: Row, told: Counter[str]) -> Row:
    texts, given = row["captions"], row["caption_origins"]
    cleaned = [clean(text) for text in texts]
    told["captions with other spacing or without unsafe signs"] += sum(
        a != b for a, b in zip(texts, cleaned, strict=True)
    )
    row["captions"] = cleaned
    if len(given) != len(texts):
        return row  # whose origin is whose is for people to say
    place, kept = _places([same_words(text) for text in cleaned])
    told["captions of an image that stood twice"] += len(texts) - len(kept)
    origins: list[Row] = []
    for at in kept:
        words = count(cleaned[at])
        computed = {"words": words, "granularity": granularity_of(words)}
        told["word counts computed again"] += (given[at]["words"], given[at]["granularity"]) != tuple(computed.values())
        parent: int | None = given[at]["parent"]
        moved = parent
        if parent is not None and 0 <= parent < len(texts):
            moved = place[parent] if place[parent] != place[at] else None
        origins.append({**given[at], **computed, "parent": moved})
    row["captions"] = [cleaned[at] for at in kept]
    row["caption_origins"] = origins
    return row


def _places(keys: list[str]) -> tuple[list[int], list[int]]:
    """The place each caption has once the doubled ones are gone, and the old places that are kept."""
    first: dict[str, int] = {}
    place: list[int] = []
    kept: list[int] = []
    for at, key in enumerate(keys):
        if key and key in first:
            place.append(first[key])
        else:
            first.setdefault(key, len(kept))
            place.append(len(kept))
            kept.append(at)
    return place, kept
