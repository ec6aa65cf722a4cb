"""What the released versions of a major version say of splits: of identities, of videos and of single crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.columns import read_columns
from ufine_kit.dataset.splits import place_key
from ufine_kit.dataset.versions import of_major
from ufine_kit.release.crops import Crops, whole
from ufine_kit.release.decisions import Reviewed
from ufine_kit.rows import Split


def splits_of_releases(folder: Path, version: str) -> dict[str, Split]:
    """Identity or video -> split: a build cut short after its release stood is not forgotten.

    A video is held where only one split was drawn from it.
    """
    found: dict[str, Split] = {}
    places: dict[str, set[Split]] = {}
    for shard in _shards(folder, version):
        for person, split, video in _thin_rows(shard):
            found[person] = split
            if video is not None:
                places.setdefault(place_key("video", video), set()).add(split)
    found.update((place, split) for place, splits in places.items() if len(splits) == 1 for split in splits)
    return found


def splits_of_crops(
    folder: Path, version: str, crops: Crops, reviewed: Reviewed, held: dict[str, Split]
) -> dict[str, set[Split]]:
    """Identity -> the splits that its crops were released in, for identities that no version knows by their id.

    So what a reviewer splits off, or no longer unites, stays where its pictures are.
    """
    codes = [code for code, person in enumerate(reviewed.persons) if person not in held]
    rows = np.flatnonzero(np.isin(reviewed.person, codes))
    ids = crops.crop_id.take(pa.array(rows))
    found: dict[str, set[Split]] = {}
    for shard in _shards(folder, version) if len(rows) else []:
        table = read_columns(shard, ["split", "provenance.crop_id"])
        at = pc.index_in(whole(table, "provenance").field("crop_id"), value_set=ids).to_pylist()
        for row, split in zip(at, table.column("split").to_pylist(), strict=True):
            if row is not None:
                found.setdefault(reviewed.persons[reviewed.person[rows[row]]], set()).add(split)
    return found


def _shards(folder: Path, version: str) -> list[Path]:
    return [shard for path in of_major(folder, version) for shard in sorted((path / "data").glob("*.parquet"))]


def _thin_rows(shard: Path) -> set[tuple[str, Split, str | None]]:
    table = read_columns(shard, ["person_id", "split", "provenance.video_sha256"])
    columns = [table.column(name).to_pylist() for name in ("person_id", "split")]
    return set(zip(*columns, whole(table, "provenance").field("video_sha256").to_pylist(), strict=True))
