"""Write a release: shards by identity hash, manifest, checksums; a folder that is whole or not there."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ufine_kit import crash
from ufine_kit.dataset import changes, tombstones
from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.digest import combine, row_digests
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.splits import SPLITS, shard_of
from ufine_kit.dataset.versions import before
from ufine_kit.errors import KitError, storage_error
from ufine_kit.files import flush, make_folder, sha256_file, write_bytes, write_json
from ufine_kit.output import count
from ufine_kit.parquet import PIXEL_GROUP_ROWS, grouped, open_writer
from ufine_kit.parts import versions

# 512 crops of ~20 kB make groups of 10 MB: streaming shows its first row soon, and the Hub's viewer stays far below its
# limit. All open files together hold at most 12,288 rows (~250 MB) that wait for their group: many shards, smaller groups.
GROUP_ROWS = 512
PENDING_ROWS = 12_288
TALLIED = ("person_id", "split", "source", "captions")
# As `datasets` writes: equal stretches of two versions then share their chunks on the Hub.
CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}


def group_rows(shards: int) -> int:
    """Rows of a row group, for a release with so many shards a split: the same in every version of a major version."""
    fitting = PENDING_ROWS // (len(SPLITS) * shards) // PIXEL_GROUP_ROWS * PIXEL_GROUP_ROWS
    return max(PIXEL_GROUP_ROWS, min(GROUP_ROWS, fitting))


@dataclass
class Tally:
    """Counts of one split, gathered while its rows pass."""

    images: int = 0
    captions: int = 0
    identities: set[str] = field(default_factory=set[str])
    sources: Counter[str] = field(default_factory=Counter[str])

    def add(self, rows: pa.RecordBatch) -> None:
        """Count rows of this split."""
        self.images += rows.num_rows
        self.captions += pc.sum(pc.list_value_length(rows.column("captions"))).as_py() or 0
        self.identities.update(pc.unique(rows.column("person_id")).to_pylist())
        self.sources.update(rows.column("source").to_pylist())

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

    def __init__(self, path: Path, group: int) -> None:
        self._path = path
        self._group = group
        self._schema = release_schema()
        self._writer = open_writer(path, self._schema, use_content_defined_chunking=CHUNKING)
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows; full groups go to disk."""
        self._waiting.append(rows)
        self._rows += rows.num_rows
        if self._rows >= self._group:
            self._to_disk(self._rows // self._group * self._group)

    def _to_disk(self, count: int) -> None:
        table = pa.Table.from_batches(self._waiting, self._schema)
        for start in range(0, count, self._group):
            # In one piece: pages end where pieces do, and the bytes shall depend on the rows alone.
            group = table.slice(start, min(self._group, count - start)).combine_chunks()
            self._writer.write_table(group, row_group_size=self._group)
        self._waiting = table.slice(count).to_batches()
        self._rows -= count

    def close(self) -> None:
        """Write what is left."""
        if self._rows:
            self._to_disk(self._rows)
        self._writer.close()
        flush(self._path)
        crash.point("release.shard")


class Shards:
    """The files of a release being written. What `removed` names is passed over and counted, whoever brings it."""

    def __init__(self, data: Path, shards: int, removed: tombstones.Removed) -> None:
        self._data = make_folder(data)
        self._shards = shards
        self._removed = removed
        self._files: dict[tuple[str, int], Shard] = {}
        self._tallies: dict[str, Tally] = {}
        self._digests = bytearray()  # end to end, and ids as Arrow: a tenth of what Python objects of each would take
        self._ids: list[pa.StringArray] = []
        self.kept_out = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows with the release's schema, each to its file in the order they come."""
        staying = tombstones.without_removed(rows, self._removed)
        self.kept_out += rows.num_rows - staying.num_rows
        self.count(staying)
        places: dict[tuple[str, int], list[int]] = defaultdict(list)
        pairs = zip(staying.column("split").to_pylist(), staying.column("person_id").to_pylist(), strict=True)
        for row, (split, person) in enumerate(pairs):
            places[split, shard_of(person, self._shards)].append(row)
        for place, at in places.items():
            self._file(place).add(staying if len(at) == staying.num_rows else staying.take(pa.array(at)))

    def count(self, rows: pa.RecordBatch) -> list[bytes]:
        """Count rows and take their digests, without writing them: they stand in a file of their own. Returns the digests."""
        self._ids.append(pa.concat_arrays([rows.column("image_id")]))  # a copy: a slice would hold the whole batch
        digests = row_digests(rows)
        self._digests += b"".join(digests)
        thin = rows.select(list(TALLIED))
        for split in pc.unique(thin.column("split")).to_pylist():
            self._tallies.setdefault(split, Tally()).add(thin.filter(pc.equal(thin.column("split"), split)))
        return digests

    def _refuse_twice(self) -> None:
        ids = pa.chunked_array(self._ids, pa.string())
        if len(pc.unique(ids)) == len(ids):
            return
        image_id = next(entry["values"] for entry in pc.value_counts(ids).to_pylist() if entry["counts"] > 1)
        raise KitError(
            f"image `{image_id}` comes twice",
            "built: was one video planned in two parts? extract into a new --work; imported: is an image listed twice?",
        )

    def _file(self, place: tuple[str, int]) -> Shard:
        split, _ = place
        if (split, 0) not in self._files:
            for number in range(self._shards):
                path = self._data / shard_name(split, number, self._shards)
                self._files[split, number] = Shard(path, group_rows(self._shards))
        return self._files[place]

    def close(self) -> dict[str, Any]:
        """Finish the files; what the manifest says of the rows. Raises KitError when there was none, or an image twice."""
        for file in self._files.values():
            file.close()
        self._refuse_twice()
        if not self._tallies:
            raise KitError("no row to release", "look at `ufine-kit status`: are there kept crops with descriptions?")
        return {
            "data_digest": combine(bytes(self._digests[at : at + 32]) for at in range(0, len(self._digests), 32)),
            "shards": self._shards,
            "splits": {split: self._tallies[split].counts() for split in SPLITS if split in self._tallies},
        }


def shard_name(split: str, number: int, shards: int) -> str:
    """The file name of a shard."""
    return f"{split}-{number:05d}-of-{shards:05d}.parquet"


@contextlib.contextmanager
def drafted(folder: Path, sums: Mapping[str, str] | None = None) -> Generator[Path]:
    """A draft beside `folder` that takes its name, checksums written, only if the block ends well.

    `sums` may hold checksums of files that were hashed already, by their names in the folder.
    Raises KitError if `folder` is there already, or if the disk is full.
    """
    if folder.exists():
        raise KitError(f"`{folder}` exists, and a released version never changes", "choose another --version")
    draft = folder.with_name(f".{folder.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        make_folder(draft / "data")
        yield draft
        write_sums(draft, sums)
        flush(draft / "data")
        crash.point("release.before_rename")
        draft.rename(folder)
        flush(folder.parent)
    except OSError as error:
        storage_error(error, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_release(
    folder: Path, rows: Iterable[Mapping[str, Any]], shards: int, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write `data/{split}-*.parquet`, `release.json`, CHANGELOG and SHA256SUMS; returns the manifest as written.

    Rows keep their order within a shard; what this release's name has removed is left out. The folder appears under its name
    only when all of it is there. Raises KitError if it is there already, if there is no row, or if the disk is full.
    """
    schema = release_schema()
    with drafted(folder) as draft:
        removed = tombstones.read_removed(folder.parent, manifest["name"])
        files = Shards(draft / "data", shards, removed)
        for group in grouped(rows, PIXEL_GROUP_ROWS):
            files.add(pa.RecordBatch.from_pylist(group, schema=schema))
        written = {**manifest, **files.close(), "versions": versions()}
        finish(draft, written, before(folder.parent, manifest["version"]), removed, kept_out(files.kept_out))
    return written


def kept_out(rows: int) -> tuple[str, ...]:
    """What a version tells of rows that tombstones kept out of it."""
    return (f"{count(rows, 'image')} kept out by tombstones",) if rows else ()


def finish(
    draft: Path, manifest: dict[str, Any], previous: Path | None, removed: tombstones.Removed, told: Sequence[str] = ()
) -> None:
    """Write what stands beside the rows: `release.json` with its `changes` since `previous`, CHANGELOG, tombstones."""
    manifest["changes"] = changes.changes(previous, draft, manifest, told)
    write_json(draft / "release.json", manifest)
    text = changes.changelog(previous, manifest["version"], manifest["changes"])
    write_bytes(draft / changes.FILE, text.encode())
    tombstones.write_removed(draft, removed)


def write_sums(folder: Path, known: Mapping[str, str] | None = None) -> None:
    """Write SHA256SUMS over every other file of the folder, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    names = [path.relative_to(folder).as_posix() for path in files]
    sums = [(known or {}).get(name) or sha256_file(path) for name, path in zip(names, files, strict=True)]
    lines = [f"{sha256}  {name}\n" for sha256, name in zip(sums, names, strict=True)]
    write_bytes(folder / "SHA256SUMS", "".join(lines).encode())
