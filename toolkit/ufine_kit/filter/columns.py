"""Crops as columns: what judging needs of `tracklets/` and `measures/`, read without a pixel and without a row of Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ufine_kit.errors import KitError
from ufine_kit.parquet import unreadable

OF_CROPS = (
    "crop_id", "video_sha256", "segment", "tracklet", "frame", "seconds", "confidence", "max_overlap", "border_px",
    "sharpness", "width", "height", "dhash",
)  # fmt: skip


@dataclass(frozen=True)
class Crops:
    """Columns of n crops in the order of their parts. `table` holds every scalar column as an array [n]."""

    table: dict[str, np.ndarray]
    dhash: np.ndarray  # uint64 [n]
    embedding: np.ndarray  # float32 [n, d]; rows of NaN where there is none; d may be 0
    keypoints: np.ndarray  # float32 [n, 17, 3]; NaN where they were not sought

    def __len__(self) -> int:
        return len(self.dhash)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.table[name]

    @property
    def has_look(self) -> np.ndarray:
        """Which crops have an embedding, bool [n]."""
        width = self.embedding.shape[1]
        return np.isfinite(self.embedding).sum(axis=1) == width if width else np.zeros(len(self), dtype=bool)


def read_crops(tracklets: Sequence[Path], measures: Sequence[Path]) -> Crops:
    """The crops of some parts with their scores. Raises KitError where the two tables do not fit each other."""
    crops = _table(tracklets, OF_CROPS)
    scores = _table(measures, None)
    if crops["crop_id"] != scores["crop_id"]:
        raise KitError(f"`{measures[0]}` measures other crops than `{tracklets[0]}` holds", "repeat with --redo")
    plain = {name: crops[name].to_numpy() for name in OF_CROPS if name != "dhash"}
    plain |= {name: scores[name].to_numpy() for name in ("brightness", "contrast")}
    return Crops(
        plain,
        hashes(crops["dhash"].to_pylist()),
        vectors(scores, "embedding"),
        vectors(scores, "keypoints", 51).reshape(-1, 17, 3),
    )


def hashes(words: Iterable[str]) -> np.ndarray:
    """Hex difference hashes as uint64 [n]."""
    return np.frombuffer(bytearray.fromhex("".join(words)), dtype=">u8").astype(np.uint64)


def vectors(table: Any, name: str, width: int = 0) -> np.ndarray:
    """A list column as float32 [n, d], NaN where it is null. `width` is d where all are null. Raises KitError for a mix."""
    if name not in table.column_names:  # measured before there was such a column
        return np.full((table.num_rows, width), np.nan, dtype=np.float32)
    column = table[name].combine_chunks()
    sizes = column.value_lengths().drop_null().unique().to_pylist()
    if len(sizes) > 1:
        raise KitError(f"`{name}` in measures/ comes from several backends", "measure all parts by one recipe: --redo")
    found = np.full((len(column), sizes[0] if sizes else width), np.nan, dtype=np.float32)
    if sizes:
        found[column.is_valid().to_numpy(zero_copy_only=False)] = column.flatten().to_numpy().reshape(-1, sizes[0])
    return found


def _file(path: Path, columns: Sequence[str] | None) -> Any:
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=list(columns) if columns else None)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def _table(paths: Sequence[Path], columns: Sequence[str] | None) -> Any:
    tables = [_file(path, columns) for path in paths]
    try:
        return pa.concat_tables(tables)
    except pa.ArrowException:  # parts of two versions of the kit, each whole
        raise KitError(f"parts in `{paths[0].parent}` have different columns", "make them again with --redo") from None
