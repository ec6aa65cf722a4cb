"""Every crop of a work folder with its verdict, as arrays side by side: thin columns only, no picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ufine_kit import parts
from ufine_kit.dataset.columns import compute as pc
from ufine_kit.dataset.columns import read_columns
from ufine_kit.errors import KitError

CODED = ("video_sha256", "tracklet")


@dataclass(frozen=True)
class Stretch:
    """The rows of one part: `first` to `end`, half open, of all crops."""

    part: str
    first: int
    end: int


@dataclass(frozen=True)
class Crops:
    """All crops [N] in the order of the parts. `person` is -1 where no verdict speaks of the crop."""

    stretches: tuple[Stretch, ...]
    crop_id: pa.StringArray
    frame: np.ndarray
    video: np.ndarray
    videos: list[str]
    tracklet: np.ndarray
    person: np.ndarray
    persons: list[str]
    kept: np.ndarray
    unreadable: np.ndarray


def read_crops(work: Path) -> Crops:
    """The crops of `tracklets/` with the verdicts of `filter/`. Raises KitError that names the stage that is missing."""
    stretches, table = _tracklets(work)
    verdicts = _verdicts(work)
    crop_id = whole(table, "crop_id")
    at = pc.index_in(crop_id, value_set=whole(verdicts, "crop_id"))
    judged = at.is_valid().to_numpy(zero_copy_only=False)
    row = pc.fill_null(at, 0).to_numpy()
    person, persons = _coded(verdicts, "person_id")
    video, videos = _coded(table, "video_sha256")
    return Crops(
        stretches,
        crop_id,
        whole(table, "frame").to_numpy(),
        video,
        videos,
        _coded(table, "tracklet")[0],
        np.where(judged, person[row], -1),
        persons,
        judged & whole(verdicts, "kept").to_numpy(zero_copy_only=False)[row],
        judged & _has_reason(verdicts, "unreadable")[row],
    )


def whole(table: pa.Table, name: str) -> pa.Array:
    """A column of a table in one piece."""
    column = table.column(name).combine_chunks()
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _tracklets(work: Path) -> tuple[tuple[Stretch, ...], pa.Table]:
    folder = work / "tracklets"
    done = parts.done_parts(folder)
    if not done:
        raise KitError(f"nothing in `{folder}` yet", f"ufine-kit extract-tracklets videos/ --work {work}")
    columns = ("crop_id", "frame", *CODED)
    tables = [read_columns(folder / f"{part.part}.parquet", columns, CODED) for part in done]
    ends = np.cumsum([table.num_rows for table in tables]).tolist()
    rows = zip(done, [0, *ends], ends, strict=False)
    return tuple(Stretch(part.part, first, end) for part, first, end in rows), pa.concat_tables(tables)


def _verdicts(work: Path) -> pa.Table:
    folder = work / "filter"
    done = parts.done_parts(folder)
    if not done:
        raise KitError(f"nothing in `{folder}` yet", f"ufine-kit filter --work {work}")
    columns = ("crop_id", "person_id", "kept", "reasons")
    tables = [read_columns(folder / f"{part.part}.parquet", columns, ("person_id",)) for part in done]
    verdicts = pa.concat_tables(tables)
    if not verdicts.num_rows:
        raise KitError(f"no verdict in `{folder}`", f"ufine-kit status --work {work}")
    return verdicts


def _coded(table: pa.Table, name: str) -> tuple[np.ndarray, list[str]]:
    """A column of few different words as numbers [N] and the words."""
    column = whole(table.select([name]).unify_dictionaries(), name)
    return column.indices.to_numpy(), column.dictionary.to_pylist()


def _has_reason(verdicts: pa.Table, reason: str) -> np.ndarray:
    reasons = whole(verdicts, "reasons")
    lengths = reasons.value_lengths().to_numpy()
    rows = np.repeat(np.arange(len(reasons)), lengths)
    found = np.zeros(len(reasons), dtype=bool)
    found[rows[pc.equal(reasons.flatten(), reason).to_numpy(zero_copy_only=False)]] = True
    return found
