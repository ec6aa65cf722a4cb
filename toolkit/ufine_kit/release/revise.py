"""A new version from an existing one: only the shards concerned are written, the others are taken over byte for byte."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from ufine_kit.dataset.columns import damaged_at, read_batches
from ufine_kit.dataset.digest import combine, row_digests
from ufine_kit.dataset.reader import Release, read_sums, shard_paths
from ufine_kit.dataset.schema import release_schema
from ufine_kit.dataset.sources import recounted
from ufine_kit.dataset.tombstones import Removed, hits
from ufine_kit.dataset.versions import bumped, number_of, of_major, refuse_taken
from ufine_kit.dataset.writer import Shard, Shards, drafted, finish, group_rows
from ufine_kit.errors import CheckFailed, KitError
from ufine_kit.files import sha256_file
from ufine_kit.manifest import read_manifest
from ufine_kit.parts import versions

# What a tombstone can be held against.
TELLING = ("image_id", "person_id", "image_sha256", "provenance")
THIN = [name for name in release_schema().names if name != "image"]
Change = Callable[[pa.RecordBatch], pa.RecordBatch]


@dataclass(frozen=True)
class Revision:
    """What shall become of a release: files of `data/` to write anew, rows by `change`; `told` opens the CHANGELOG's entry."""

    release: Release
    version: str
    shards: tuple[str, ...]
    change: Change
    removed: Removed
    told: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the new version will stand."""
        return home(self.release) / self.version


def home(release: Release) -> Path:
    """The folder of all versions, also where the release was named as `.` from inside it."""
    named = release.path.name == release.version
    return (release.path if named else release.path.resolve()).parent


def unprintable(text: str) -> bool:
    """Whether a text that is published has control signs or halves of surrogate pairs."""
    return any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)


def next_version(release: Release, asked: str | None) -> str:
    """The version that follows a release: what is asked for, else its next patch. Raises KitError where another is newer."""
    folder = home(release)
    newest = next(reversed(of_major(folder, release.version)), None)
    if newest is None or not (folder / release.version).exists():
        raise KitError(
            f"`{release.path}` does not lie among the versions of a release",
            f"give it the path releases/{release.name}/{release.version}",
        )
    if newest.resolve() != release.path.resolve():
        raise KitError(f"`{release.path}` is not the newest of its major version", f"name `{newest}`")
    wanted = asked or "next-patch"
    version = bumped(release.version, wanted.removeprefix("next-")) if wanted.startswith("next-") else wanted
    if number_of(version) < number_of(release.version):
        raise KitError(
            f"`{version}` does not follow `{release.version}`", "choose a later --version, or next-patch, next-minor"
        )
    if number_of(version)[0] != number_of(release.version)[0]:
        raise KitError(
            f"`{version}` is another major version, which is built anew", "choose a patch or minor --version"
        )
    refuse_taken(folder, version)
    return version


def revise(revision: Revision) -> dict[str, Any]:
    """Write the new version; returns its manifest. Raises CheckFailed where the old one is damaged, and leaves nothing then."""
    release = revision.release
    sums = read_sums(release)
    kept: dict[str, str] = {}
    with drafted(revision.folder, kept) as draft:
        rows = Shards(draft / "data", read_manifest(release.path).shards, revision.removed)
        told = _Told()
        for path in shard_paths(release):
            if path.name in revision.shards:
                _rewrite(path, draft / "data" / path.name, revision, rows, told)
            else:
                _take_over(path, draft / "data" / path.name, sums, rows, told)
                kept[f"data/{path.name}"] = sums[f"data/{path.name}"]
        if combine(told.digests) != release.data_digest:
            raise CheckFailed(
                f"rows of `{release.path}` do not have the digest of release.json", "restore the release from a copy"
            )
        manifest = _manifest(revision, rows.close(), told)
        _without_empty_splits(draft / "data", manifest)
        finish(draft, manifest, release.path, revision.removed, revision.told)
    return manifest


@dataclass
class _Told:
    """Digests of the old rows, and where the new ones come from."""

    digests: list[bytes] = field(default_factory=list[bytes])
    videos: Counter[str | None] = field(default_factory=Counter[str | None])
    words: Counter[str] = field(default_factory=Counter[str])

    def count(self, rows: pa.RecordBatch) -> None:
        """Count rows that stay."""
        self.videos.update(rows.column("provenance").field("video_sha256").to_pylist())
        self.words.update(rows.column("source").to_pylist())


def _rewrite(old: Path, new: Path, revision: Revision, rows: Shards, told: _Told) -> None:
    shard = Shard(new, group_rows(read_manifest(revision.release.path).shards))
    for batch in read_batches(old):
        row = damaged_at(batch.column("image"), batch.column("image_sha256"))
        if row is not None:
            raise CheckFailed(
                f"image `{batch.column('image_id')[row]}` in `{old}` is damaged", "restore the release from a copy"
            )
        told.digests += row_digests(batch)
        changed = revision.change(batch)
        rows.count(changed)
        told.count(changed)
        shard.add(changed)
    shard.close()


def _take_over(old: Path, new: Path, sums: dict[str, str], rows: Shards, told: _Told) -> None:
    """Link the file, or copy it where links are not possible; its rows are only counted."""
    if sha256_file(old) != sums.get(f"data/{old.name}"):
        raise CheckFailed(f"`{old}` is not what SHA256SUMS says", "restore the release from a copy")
    try:
        os.link(old, new)
    except OSError:  # another file system, or one without links
        shutil.copyfile(old, new)
    for batch in read_batches(old, THIN):
        told.digests += rows.count(batch)
        told.count(batch)


def _manifest(revision: Revision, written: dict[str, Any], told: _Told) -> dict[str, Any]:
    release = revision.release
    old = read_manifest(release.path)
    others = old.model_dump(mode="json")
    rewriting = others.get("rewriting")
    if isinstance(rewriting, dict):  # its counts say what was done then; the sentence speaks of what is here now
        others["rewriting"] = {key: value for key, value in rewriting.items() if key != "in_words"}
    recipe = {**old.recipe, **({"version": revision.version} if "version" in old.recipe else {})}
    return {
        **others,
        "version": revision.version,
        "recipe": recipe,
        "revised_from": {"version": release.version, "data_digest": release.data_digest},
        "sources": recounted(old.sources, told.videos, told.words),
        **written,
        "versions": versions(),
    }


def _without_empty_splits(data: Path, manifest: dict[str, Any]) -> None:
    for path in data.glob("*.parquet"):
        if path.name.partition("-")[0] not in manifest["splits"]:
            path.unlink()


def concerned(
    release: Release, columns: Sequence[str], hit: Callable[[pa.RecordBatch], list[int]]
) -> dict[str, pa.Table]:
    """The rows that `hit` picks, thin columns of them, by the name of their file; files without any are left out."""
    found: dict[str, pa.Table] = {}
    for path in shard_paths(release):
        chosen = [batch.take(pa.array(rows)) for batch in read_batches(path, columns, 4096) if (rows := hit(batch))]
        if chosen:
            found[path.name] = pa.Table.from_batches(chosen)
    return found


def hit_by(removed: Removed) -> Callable[[pa.RecordBatch], list[int]]:
    """Picks the rows that were removed and must not come back."""

    def hit(batch: pa.RecordBatch) -> list[int]:
        return [row for row, gone in enumerate(hits(batch, removed)) if gone]

    return hit
