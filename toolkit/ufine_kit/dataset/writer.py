"""Write a release: shards by identity hash, manifest, checksums; a folder that is whole or not there."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ufine_kit import crash
from ufine_kit.dataset.digest import combine, row_digest
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.splits import SPLITS, shard_of
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import flush, make_folder, sha256_file, write_bytes, write_json
from ufine_kit.parquet import PIXEL_GROUP_ROWS, open_writer
from ufine_kit.parts import versions

# 512 crops of ~20 kB make groups of 10 MB: streaming shows its first row soon, and the Hub's viewer stays far below its
# limit. Rows become Arrow in pieces of 64, so that Python objects of one piece live at a time.
GROUP_ROWS = 512
PIECE_ROWS = PIXEL_GROUP_ROWS
# As `datasets` writes: equal stretches of two versions then share their chunks on the Hub.
CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}


@dataclass
class Tally:
    """Counts of one split, gathered while its rows pass."""

    images: int = 0
    captions: int = 0
    identities: set[str] = field(default_factory=set[str])
    sources: Counter[str] = field(default_factory=Counter[str])

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        self.images += 1
        self.captions += len(row["captions"])
        self.identities.add(row["person_id"])
        self.sources[row["source"]] += 1

    def counts(self) -> dict[str, Any]:
        """As the manifest holds them."""
        return {
            "images": self.images,
            "captions": self.captions,
            "identities": len(self.identities),
            "sources": dict(sorted(self.sources.items())),
        }


class Shard:
    """One Parquet file being written; memory holds one row group of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._schema = release_schema()
        self._writer = open_writer(path, self._schema, use_content_defined_chunking=CHUNKING)
        self._rows: list[Mapping[str, Any]] = []
        self._pieces: list[pa.Table] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take one row; a full group goes to disk."""
        self._rows.append(row)
        if len(self._rows) == PIECE_ROWS:
            self._to_piece()
        if len(self._pieces) * PIECE_ROWS == GROUP_ROWS:
            self._to_disk()

    def _to_piece(self) -> None:
        self._pieces.append(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def _to_disk(self) -> None:
        self._writer.write_table(pa.concat_tables(self._pieces), row_group_size=GROUP_ROWS)
        self._pieces = []

    def close(self) -> None:
        """Write what is left."""
        if self._rows:
            self._to_piece()
        if self._pieces:
            self._to_disk()
        self._writer.close()
        flush(self._path)
        crash.point("release.shard")


def write_release(
    folder: Path, rows: Iterable[Mapping[str, Any]], shards: int, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write `data/{split}-*.parquet`, `release.json` and SHA256SUMS; returns the manifest as written.

    Rows keep their order within a shard. The folder appears under its name only when all of it is there. Raises KitError if
    it is there already, if there is no row, or if the disk is full.
    """
    if folder.exists():
        raise KitError(f"`{folder}` exists, and a released version never changes", "choose another --version")
    draft = folder.with_name(f".{folder.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        make_folder(draft / "data")
        written = {**manifest, **_write_shards(draft / "data", rows, shards), "versions": versions()}
        write_json(draft / "release.json", written)
        write_sums(draft)
        flush(draft / "data")
        crash.point("release.before_rename")
        draft.rename(folder)
        flush(folder.parent)
    except OSError as error:
        storage_error(error, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def _write_shards(data: Path, rows: Iterable[Mapping[str, Any]], shards: int) -> dict[str, Any]:
    digests: list[bytes] = []
    tallies: dict[str, Tally] = {}
    files: dict[tuple[str, int], Shard] = {}
    seen: set[str] = set()
    for row in rows:
        if row["image_id"] in seen:
            raise KitError(
                f"image `{row['image_id']}` comes twice",
                "was one video planned in two parts? extract into a new --work",
            )
        seen.add(row["image_id"])
        split = row["split"]
        if split not in tallies:
            tallies[split] = Tally()
            for number in range(shards):
                files[split, number] = Shard(data / f"{split}-{number:05d}-of-{shards:05d}.parquet")
        digests.append(row_digest(row))
        tallies[split].add(row)
        files[split, shard_of(row["person_id"], shards)].add(row)
    for file in files.values():
        file.close()
    if not tallies:
        raise KitError("no row to release", "look at `ufine-kit status`: are there kept crops with descriptions?")
    return {
        "data_digest": combine(digests),
        "shards": shards,
        "splits": {split: tallies[split].counts() for split in SPLITS if split in tallies},
    }


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over every other file of the folder, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{sha256_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    write_bytes(folder / "SHA256SUMS", "".join(lines).encode())
