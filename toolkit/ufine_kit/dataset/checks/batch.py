"""One row group of a shard under the checks, in any process: its faults, and the few columns that whole-release checks need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.dataset.checks import captions, pictures, rows
from ufine_kit.dataset.checks.captions import same_words
from ufine_kit.dataset.checks.check import Check, Fault, shown
from ufine_kit.dataset.checks.pictures import THUMB, look_at
from ufine_kit.dataset.checks.rows import Seen, holes
from ufine_kit.dataset.checks.subject import SHARD, Tombstones
from ufine_kit.dataset.digest import row_digest
from ufine_kit.rows import Sample
from ufine_kit.tables import CheckTable

PIECE_ROWS = 64
CHECKS: list[Check] = [*rows.CHECKS, *pictures.CHECKS, *captions.CHECKS]
COLUMNS = tuple(Sample.model_fields)
# What a damaged or hostile shard raises while its rows are read; text that is no UTF-8 is a ValueError.
UNREADABLE = (pa.ArrowException, OSError, ValueError, MemoryError)


@dataclass(frozen=True)
class Aim:
    """What all batches of a run have in common, as plain data that travels to any worker."""

    table: CheckTable
    names: frozenset[str]
    pixels: bool
    tombstones: Tombstones
    release: str


@dataclass(frozen=True)
class Batch:
    """One row group: which file (its place in the list of shards), which group, and the number of its first row."""

    path: str
    file: str
    shard: int
    group: int
    first_row: int


@dataclass
class Thin:
    """What is kept of the rows for the checks of the whole release: some 250 bytes a row, and 16 a caption."""

    shard: list[int] = field(default_factory=list[int])
    row: list[int] = field(default_factory=list[int])
    image_id: list[str] = field(default_factory=list[str])
    person_id: list[str] = field(default_factory=list[str])
    split: list[str] = field(default_factory=list[str])
    source: list[str] = field(default_factory=list[str])
    video: list[str] = field(default_factory=list[str])
    built: list[bool] = field(default_factory=list[bool])
    captions: list[int] = field(default_factory=list[int])
    sha256: list[bytes] = field(default_factory=list[bytes])
    digest: list[bytes] = field(default_factory=list[bytes])
    dhash: list[int] = field(default_factory=list[int])
    thumb: list[np.ndarray] = field(default_factory=list[np.ndarray])
    decoded: list[bool] = field(default_factory=list[bool])
    caption_row: list[int] = field(default_factory=list[int])  # counted within the batch
    caption_key: list[int] = field(default_factory=list[int])


@dataclass(frozen=True)
class Looked:
    """The outcome of one batch."""

    faults: list[tuple[str, Fault]]
    thin: Thin
    unreadable: str | None = None


def look(batch: Batch, aim: Aim) -> Looked:
    """Run every chosen check of a row over one row group."""
    chosen = [check for check in CHECKS if check.name in aim.names]
    split = SHARD.fullmatch(Path(batch.file).name)
    faults, thin = list[tuple[str, Fault]](), Thin()
    try:
        for number, row in enumerate(_rows(batch, aim), batch.first_row):
            seen = Seen(row, split[1] if split else "", None, aim.table, aim.tombstones, aim.release)
            missing = holes(row, aim.pixels)
            if not missing and aim.pixels:
                seen = replace(seen, picture=look_at(row["image"]["bytes"], aim.table.max_pixels))
            for check, message in _said(seen, chosen, bool(missing)):
                faults.append((check, _placed(message, row, batch, number)))
            if not missing:
                _keep(thin, seen, batch.shard, number)
    except UNREADABLE as error:
        return Looked(faults, thin, shown(str(error).split("\n")[0]))
    return Looked(faults, thin)


def _rows(batch: Batch, aim: Aim) -> Iterator[dict[str, Any]]:
    columns = [name for name in COLUMNS if aim.pixels or name != "image"]
    with pq.ParquetFile(batch.path) as file:
        for piece in file.iter_batches(PIECE_ROWS, row_groups=[batch.group], columns=columns, use_threads=False):
            yield from piece.to_pylist()


def _said(seen: Seen, chosen: list[Check], broken: bool) -> Iterator[tuple[str, str]]:
    """Check and message: one of each check. A row with holes is asked for its holes alone."""
    for check in chosen:
        if check.act is rows.nulls:
            found = [f"nothing in {', '.join(holes(seen.row, 'image' in seen.row)[:5])}"] if broken else []
        elif broken or (check.tier == "pictures" and seen.picture is None):
            continue
        else:
            found = list(check.act(seen))
        if found:
            yield check.name, "; ".join(found[:3])


def _placed(message: str, row: dict[str, Any], batch: Batch, number: int) -> Fault:
    names = (str(row[name] or "") for name in ("image_id", "person_id", "split"))
    return Fault(message, *names, file=batch.file, row=number)


def _keep(thin: Thin, seen: Seen, shard: int, number: int) -> None:
    row, picture = seen.row, seen.picture
    place = row["provenance"]
    for text in row["captions"]:
        thin.caption_row.append(len(thin.row))
        thin.caption_key.append(caption_key(text))
    thin.shard.append(shard)
    thin.row.append(number)
    for name in ("image_id", "person_id", "split", "source"):
        getattr(thin, name).append(row[name])
    thin.video.append(place["video_sha256"] or "")
    thin.built.append(place["video_sha256"] is not None)
    thin.captions.append(len(row["captions"]))
    thin.sha256.append(
        hashlib.sha256(row["image_sha256"].encode()).digest() if picture is None else bytes.fromhex(picture.sha256)
    )
    thin.digest.append(row_digest(row))
    thin.dhash.append(int(picture.dhash, 16) if picture and picture.dhash else 0)
    decoded = picture is not None and picture.thumb is not None
    thin.decoded.append(decoded)
    thin.thumb.append(
        picture.thumb if picture and picture.thumb is not None else np.zeros(THUMB[0] * THUMB[1], np.uint8)
    )


def caption_key(text: str) -> int:
    """64 bits of a caption's words."""
    return int.from_bytes(hashlib.blake2b(same_words(text).encode(), digest_size=8).digest(), "big")
